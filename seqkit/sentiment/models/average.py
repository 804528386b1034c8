"""Averages of word vectors: what a text says is the mean of what its words and n-grams say.

    h = 1/n Σ_j c_j E[j] over the n words and n-grams j of the text that have a vector,
    h ← max(0, W h + b) for each hidden layer,    z = V h + a,    softmax(z)

Without hidden layers it is the classifier of Joulin et al. 2016, Bag of tricks for efficient text
classification; with them a deep averaging network (Iyyer et al. 2015). c_j is 1, or α/(α + p_j), p_j the
share of j among all words, or all longer n-grams (Arora et al. 2017, smooth inverse frequency).

Nothing here needs TensorFlow: where a text is a mean, an update is a product with a sparse matrix, which
takes SciPy half the time that TensorFlow's gathers and segment sums take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from seqkit._settings import check_numbers, check_positive, check_ranges, check_rates
from seqkit.errors import DataError, UsageError
from seqkit.sentiment.documents import Documents
from seqkit.sentiment.labels import Labels
from seqkit.sentiment.models.contract import Classifier, Fitting
from seqkit.sentiment.models.features import NO_ROW, Features
from seqkit.sentiment.models.integrated import STEPS, completed, integrated
from seqkit.sentiment.models.ngrams import MAX_ORDER, parts
from seqkit.text.vocabulary import Vocabulary

Array = NDArray[np.float32]
Layer = tuple[Any, Array]

PAIR = 2
"""Numbers of a row that are looked up and added together, as one complex number."""


@dataclass(frozen=True)
class AverageConfig:
    """Settings of `Average`.

    Args:
        vector_size: numbers of a vector, 1 to 1000; with initial vectors theirs.
        ngrams: the longest n-grams, 1 to 5 words.
        bits: n-grams share 2^bits vectors, 10 to 26.
        min_count: vectors of n-grams that occur less often in the training texts are not kept.
        count_weight: α of the weights of frequent words, 0 to 1; 0 weighs all alike.
        hidden_layers: layers between mean and softmax, 0 to 8.
        hidden_units: of each, 1 to 4096.
        word_dropout: rate at which words and n-grams are left out in training, 0 to below 1.
        dropout: rate at which units of hidden layers are dropped, 0 to below 1.
        frozen: leave the vectors of all words as they begin, those of words without an initial one, too.
        learning_rate: of AdaGrad, falling linearly to 0; above 0, at most 10.
        batch_size: texts of an update, 1 to 10,000.
        epochs: over the texts, 1 to 1000; the best on the validation texts is kept.
        patience: epochs without a better validation loss after which training ends, from 1; None for never.
        balanced: whether a label counts the same however many texts it has.
        label_smoothing: share of each target that is spread over all labels, 0 to below 1.

    Raises:
        UsageError: a setting outside its bounds.
    """

    vector_size: int = 16
    ngrams: int = 2
    bits: int = 21
    min_count: int = 2
    count_weight: float = 0.0
    hidden_layers: int = 0
    hidden_units: int = 300
    word_dropout: float = 0.0
    dropout: float = 0.0
    frozen: bool = False
    learning_rate: float = 0.1
    batch_size: int = 64
    epochs: int = 5
    patience: int | None = 2
    balanced: bool = False
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        check_numbers(self)
        check_ranges(self, vector_size=(1, 1000), ngrams=(1, MAX_ORDER), bits=(10, 26))
        check_ranges(self, min_count=(1, 1_000_000), count_weight=(0, 1), hidden_layers=(0, 8))
        check_ranges(self, hidden_units=(1, 4096), batch_size=(1, 10_000), epochs=(1, 1000))
        check_rates(self, "word_dropout", "dropout", "label_smoothing")
        check_positive(self, learning_rate=10)
        if self.patience is not None and self.patience < 1:
            raise UsageError(f"patience must be at least 1, not {self.patience}")


class Average(Classifier):
    """A mean of vectors, hidden layers if there are any, a softmax.

    Without hidden layers the vectors are kept multiplied by V: a text's logits are the mean of its rows.

    Args:
        config: how it was trained.
        features: which words and n-grams have which row.
        table: c_j E[j], or c_j V E[j] without hidden layers, (rows, size).
        layers: W and b of each hidden layer, from below, and at the top V and a; without hidden layers
            (None, a).
    """

    kind: ClassVar[str] = "average"

    def __init__(
        self,
        config: AverageConfig,
        features: Features,
        table: Array,
        layers: Sequence[Layer],
    ) -> None:
        self.config, self.features, self.layers = config, features, layers
        self._size = table.shape[1]
        self._pairs = [_pairs(table[:, first : first + PAIR]) for first in range(0, self._size, PAIR)]

    def logits(self, documents: Documents) -> Array:
        """The logits, (texts, labels)."""
        found = [self._top(self._means(part)) for part in parts(documents)]
        return np.concatenate(found) if found else np.zeros((0, self._labels), np.float32)

    def attributions(self, documents: Documents) -> list[Array]:
        """What each token adds to each logit; the row of an n-gram is shared by its tokens alike."""
        shares = self._shares(documents)
        texts = np.repeat(np.arange(len(documents)), documents.lengths)
        if self.config.hidden_layers:
            means = self._means(documents).astype(np.float64)
            slopes = integrated(self._slopes, means, np.zeros_like(means), STEPS)
            shares = np.einsum("td,tdk->tk", shares, slopes[texts])
        found = np.split(shares, documents.starts[1:-1])
        if self.config.hidden_layers:
            nothing = np.zeros((1, means.shape[1]), np.float32)
            totals = self._top(means.astype(np.float32)).astype(np.float64) - self._top(nothing)
            found = [completed(*pair) for pair in zip(found, totals, strict=True)]
        return [each.astype(np.float32) for each in found]

    def tensors(self) -> dict[str, NDArray[Any]]:
        """The rows, which words and buckets have them, and the layers."""
        words, buckets = (
            np.flatnonzero(each != NO_ROW) for each in (self.features.words, self.features.buckets)
        )
        found: dict[str, NDArray[Any]] = {
            "words": words.astype(np.int32),
            "buckets": buckets.astype(np.int32),
        }
        found |= {"table": np.ascontiguousarray(self._rows[:-1])}
        for number, (kernel, bias) in enumerate(self.layers):
            found |= {f"bias_{number}": bias} | ({} if kernel is None else {f"kernel_{number}": kernel})
        return found

    @classmethod
    def from_tensors(
        cls,
        config: AverageConfig,
        tensors: Mapping[str, NDArray[Any]],
        vocabulary: Vocabulary,
        labels: Labels,
    ) -> Average:
        """The classifier of a bundle."""
        if not {"words", "buckets", "table"} <= tensors.keys() or tensors["table"].ndim != 2:
            raise DataError(f"an averaging model has words, buckets and a table, not {', '.join(tensors)}")
        shapes, sizes = _shapes(config, tensors["table"].shape[1], len(labels))
        if tensors.keys() != shapes.keys() | {"words", "buckets", "table"}:
            raise DataError(f"an averaging model has other tensors than {', '.join(sorted(tensors))}")
        buckets = 1 << config.bits if config.ngrams > 1 else 0
        words = _rows_of("words", tensors["words"], len(vocabulary), 0)
        hashed = _rows_of("buckets", tensors["buckets"], buckets, len(tensors["words"]))
        shapes["table"] = (len(tensors["words"]) + len(tensors["buckets"]), sizes[0])
        for name, shape in shapes.items():
            if tensors[name].shape != shape or tensors[name].dtype != np.float32:
                raise DataError(f"{name} must be float32 of shape {shape}, not {tensors[name].shape}")
        layers = [
            (tensors.get(f"kernel_{number}"), np.asarray(tensors[f"bias_{number}"]))
            for number in range(len(sizes) - 1)
        ]
        return cls(config, Features(config.ngrams, words, hashed), tensors["table"], layers)

    @property
    def _labels(self) -> int:
        return len(self.layers[-1][1])

    @property
    def _rows(self) -> Array:
        """The table, and at its end a row of zeros, for `NO_ROW`."""
        return np.stack(self._pairs, axis=1).view(np.float32)[:, : self._size]

    def _means(self, documents: Documents) -> Array:
        """h of each text, (texts, size); 0 for a text of which nothing is known."""
        words, *ngrams = self.features.rows(documents)
        filled = np.flatnonzero(documents.lengths)
        starts = documents.starts[filled]
        sums = np.zeros((len(documents), len(self._pairs)), np.complex64)
        for number, pairs in enumerate(self._pairs):
            found = np.take(pairs, words)
            for rows in ngrams:
                found += np.take(pairs, rows)
            sums[filled, number] = np.add.reduceat(found, starts)
        counts = np.ones((len(documents), 1), np.float32)
        known = sum((rows != NO_ROW).view(np.int8) for rows in (words, *ngrams))
        counts[filled, 0] = np.maximum(np.add.reduceat(known, starts, dtype=np.int64), 1)
        return np.asarray(sums.view(np.float32)[:, : self._size] / counts)

    def _shares(self, documents: Documents) -> NDArray[np.float64]:
        """What each token adds to h of its text, (tokens, size)."""
        shares = np.zeros((len(documents.ids), self._size))
        texts = np.repeat(np.arange(len(documents)), documents.lengths)
        counts = np.zeros(len(documents))
        table = self._rows.astype(np.float64)
        for n, rows in enumerate(self.features.rows(documents), 1):
            counts += np.bincount(texts[rows != NO_ROW], minlength=len(documents))
            for offset in range(n):
                shares[offset:] += table[rows[: len(rows) - offset]] / n
        return shares / np.maximum(counts, 1)[texts, None]

    def _top(self, means: Array) -> Array:
        """The logits of h, (texts, labels)."""
        values = means
        for number, (kernel, bias) in enumerate(self.layers, 1):
            values = bias + (values if kernel is None else values @ kernel)
            values = np.maximum(values, 0) if number < len(self.layers) else values
        return values

    def _slopes(self, means: NDArray[np.float64]) -> NDArray[np.float64]:
        """The slope of each logit by h, (texts, size, labels)."""
        active, values = [], means
        for kernel, bias in self.layers[:-1]:
            values = values @ kernel + bias
            active.append(values > 0)
            values = np.maximum(values, 0)
        kernels = [kernel for kernel, _ in self.layers]
        slopes = np.broadcast_to(kernels[-1], (len(means), *np.shape(kernels[-1]))).astype(np.float64)
        for kernel, on in zip(reversed(kernels[:-1]), reversed(active), strict=True):
            slopes = np.einsum("dh,thk->tdk", kernel, slopes * on[:, :, None])
        return slopes


def fit(config: AverageConfig, fitting: Fitting) -> Average:
    """Trains with AdaGrad; the epoch with the lowest loss on `fitting.valid` is kept.

    Raises:
        UsageError: frozen vectors without initial ones.
        DivergedError: the loss or a weight became NaN or infinite.
        InterruptedTraining: Ctrl-C or SIGTERM; what was learned is in `fitting.partial`.
    """
    from seqkit.sentiment.models.average_training import trained

    return trained(config, fitting)


def _shapes(
    config: AverageConfig, vector_size: int, labels: int
) -> tuple[dict[str, tuple[int, ...]], list[int]]:
    """The shapes of the layers by the names of their tensors, and the sizes of what comes out of each."""
    if not config.hidden_layers:
        return {"bias_0": (labels,)}, [labels, labels]
    sizes = [vector_size, *[config.hidden_units] * config.hidden_layers, labels]
    shapes: dict[str, tuple[int, ...]] = {f"bias_{number}": (size,) for number, size in enumerate(sizes[1:])}
    return shapes | {f"kernel_{number}": pair for number, pair in enumerate(pairwise(sizes))}, sizes


def _pairs(columns: Array) -> NDArray[np.complex64]:
    """One or two numbers of each row as one, and at the end a zero, for what has no row."""
    found = np.zeros((len(columns) + 1, PAIR), np.float32)
    found[:-1, : columns.shape[1]] = columns
    return found.view(np.complex64)[:, 0]


def _rows_of(name: str, numbers: NDArray[Any], size: int, first: int) -> NDArray[np.int32]:
    """The row of each of `size` words or buckets, of those that have one in the order of rows."""
    if numbers.dtype != np.int32 or numbers.ndim != 1:
        raise DataError(f"{name} must be int32 of one dimension, not {numbers.dtype} of {numbers.ndim}")
    if len(numbers) and not (numbers[0] >= 0 and numbers[-1] < size and (np.diff(numbers) > 0).all()):
        raise DataError(f"{name} must rise, from 0 to below {size:,}")
    rows = np.full(size, NO_ROW, np.int32)
    rows[numbers] = np.arange(first, first + len(numbers))
    return rows
