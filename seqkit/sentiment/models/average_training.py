"""How averages of vectors are learned: AdaGrad (Duchi et al. 2011) on the rows that a batch has, in NumPy.

G ← G + g²,  θ ← θ - η g/(√G + 1e-7)
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import UsageError
from seqkit.sentiment.models.average import Array, Average, AverageConfig
from seqkit.sentiment.models.contract import Fitting
from seqkit.sentiment.models.features import NO_ROW, Features
from seqkit.sentiment.models.heads import Head, heads_of
from seqkit.sentiment.models.initial_vectors import InitialVectors
from seqkit.sentiment.models.runs import run
from seqkit.text.forms import ranges
from seqkit.training.checkpoint import Arrays
from seqkit.training.loop import UnitReport

EPSILON = np.float32(1e-7)
UNIT_BATCHES = 50
"""Batches of a unit."""

VALIDATED = 1000
"""Texts that are validated at once."""

INITIAL_RANGE = 1.0
"""Vectors are drawn uniformly from ± this over their size (Bojanowski et al. 2017)."""


def trained(config: AverageConfig, fitting: Fitting) -> Average:
    """See `seqkit.sentiment.models.average.fit`."""
    initial = InitialVectors.of(fitting)
    if initial is None and config.frozen:
        raise UsageError("frozen vectors need initial ones: give some (--vectors)")
    features = _features(config, fitting, initial)
    trainer = AverageTrainer(config, fitting, features, initial)
    run(trainer, asdict(config), config.patience, fitting)
    return trainer.classifier()


def _features(config: AverageConfig, fitting: Fitting, initial: InitialVectors | None) -> Features:
    known = np.zeros(len(fitting.vocabulary), bool)
    if initial is not None:
        known = initial.known
    documents = fitting.train.documents
    features = Features.of(documents, known, config.ngrams, config.bits, config.min_count)
    if not features.size:
        raise UsageError("no text has a word")
    return features


class AverageTrainer:
    """A `Trainee`.

    Args:
        config: the settings.
        fitting: what is learned.
        features: of the training texts.
        initial: vectors to begin with; None for none.
    """

    def __init__(
        self, config: AverageConfig, fitting: Fitting, features: Features, initial: InitialVectors | None
    ) -> None:
        self.config, self.features, self._seed = config, features, fitting.seed
        self.epochs = config.epochs
        self._heads = heads_of(fitting.train, config.balanced)
        self._held_head = Head(fitting.valid.main.targets, self._heads[0].weights)
        self._rows, self._starts = features.by_text(fitting.train.documents)
        self._held = features.by_text(fitting.valid.documents)
        self._counted = _count_weights(features, self._rows, config)
        rng = np.random.default_rng([fitting.seed, 0])
        shape = features.size, initial.size if initial else config.vector_size
        self._weights = _drawn(config, shape, [head.labels for head in self._heads], rng)
        self._frozen_rows = 0
        if initial is not None:
            words = features.words != NO_ROW
            known = words & initial.known
            self._weights["table"][features.words[known]] = initial.matrix[known]
            self._frozen_rows = int(words.sum()) if config.frozen else 0
        self._squares = {name: np.zeros_like(weight) for name, weight in self._weights.items()}
        self._seen = np.unique(self._rows)

    # The loop

    @property
    def units(self) -> int:
        """Units of an epoch."""
        return max(1, self._batches // UNIT_BATCHES)

    @property
    def _batches(self) -> int:
        return -(-self._texts // self.config.batch_size)

    @property
    def _texts(self) -> int:
        return len(self._starts) - 1

    def work(self, epoch: int, unit: int) -> float:
        """Texts done."""
        return self._texts * (epoch + unit / self.units)

    def train_unit(self, epoch: int, unit: int) -> UnitReport:
        """Trains some batches."""
        order = np.random.default_rng([self._seed, 1, epoch]).permutation(self._texts)
        losses, rate = [], 0.0
        for batch in range(self._batches * unit // self.units, self._batches * (unit + 1) // self.units):
            rate = self.config.learning_rate * (1 - (epoch + batch / self._batches) / self.epochs)
            texts = order[batch * self.config.batch_size : (batch + 1) * self.config.batch_size]
            rng = np.random.default_rng([self._seed, 2, epoch, batch])
            losses.append(self._update(texts, np.float32(rate), rng))
        return UnitReport(float(np.mean(losses)), rate)

    def validation_loss(self) -> float:
        """Mean cross-entropy of the main labels of the validation texts."""
        rows, starts = self._held
        losses = []
        for first in range(0, len(starts) - 1, VALIDATED):
            texts = np.arange(first, min(first + VALIDATED, len(starts) - 1))
            own, lengths = _of_texts(rows, starts, texts)
            table = self._weights["table"]
            values = _product(own, lengths, self._scaled(own, lengths), len(table)) @ table
            for number in range(self.config.hidden_layers):
                values = np.maximum(self._linear(values, number), 0)
            losses.append(self._held_head.loss(self._linear(values, "head_0"), texts)[0] * len(texts))
        return float(np.sum(losses) / (len(starts) - 1))

    def state(self) -> Arrays:
        """Weights and what AdaGrad remembers of them; of vectors those of words that the texts have."""
        return {
            f"{prefix}{name}": array[self._seen] if name == "table" else np.array(array)
            for prefix, arrays in (("", self._weights), ("square.", self._squares))
            for name, array in arrays.items()
        }

    def restore(self, state: Arrays) -> None:
        """Takes back a state."""
        for prefix, arrays in (("", self._weights), ("square.", self._squares)):
            for name, array in arrays.items():
                array[self._seen if name == "table" else ...] = state[f"{prefix}{name}"]

    # An update

    def _update(self, texts: NDArray[np.int64], rate: np.float32, rng: np.random.Generator) -> float:
        rows, lengths = _of_texts(self._rows, self._starts, texts)
        if self.config.word_dropout:
            kept = rng.random(len(rows)) >= self.config.word_dropout
            lengths = _counted(kept, lengths)
            rows = rows[kept]
        touched, columns = np.unique(rows, return_inverse=True)
        product = _product(columns, lengths, self._scaled(rows, lengths), len(touched))
        vectors = self._weights["table"][touched]
        loss, slopes, slope = self._backward(product @ vectors, texts, rng)
        for name, found in slopes.items():
            self._squares[name] += found * found
            self._weights[name] -= rate * found / (np.sqrt(self._squares[name]) + EPSILON)
        first = int(np.searchsorted(touched, self._frozen_rows))
        touched, found = touched[first:], (product.T @ slope)[first:]
        squares = self._squares["table"][touched] + found * found
        self._squares["table"][touched] = squares
        self._weights["table"][touched] = vectors[first:] - rate * found / (np.sqrt(squares) + EPSILON)
        return loss

    def _backward(
        self, means: Array, texts: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[float, dict[str, Array], Array]:
        """The loss of a batch, its slopes by the weights above the vectors, and by the means."""
        inputs, masks, values = [], [], means
        for number in range(self.config.hidden_layers):
            inputs.append(values)
            values = self._linear(values, number)
            mask = (values > 0).astype(np.float32)
            if self.config.dropout:
                mask *= (rng.random(mask.shape) >= self.config.dropout) / np.float32(1 - self.config.dropout)
            masks.append(mask)
            values = values * mask
        total, slope = 0.0, np.zeros_like(values)
        slopes: dict[str, Array] = {}
        for number, head in enumerate(self._heads):
            loss, by_logit = head.loss(
                self._linear(values, f"head_{number}"), texts, self.config.label_smoothing
            )
            total += loss
            slopes |= {
                f"kernel.head_{number}": values.T @ by_logit,
                f"bias.head_{number}": by_logit.sum(axis=0),
            }
            slope += by_logit @ self._weights[f"kernel.head_{number}"].T
        for number in reversed(range(len(inputs))):
            slope = slope * masks[number]
            slopes |= {f"kernel.{number}": inputs[number].T @ slope, f"bias.{number}": slope.sum(axis=0)}
            slope = slope @ self._weights[f"kernel.{number}"].T
        return total, slopes, slope

    def _linear(self, values: Array, name: int | str) -> Array:
        result: Array = values @ self._weights[f"kernel.{name}"] + self._weights[f"bias.{name}"]
        return result

    def _scaled(self, rows: NDArray[np.int32], lengths: NDArray[np.int64]) -> Array:
        """c_j / n of each row of each text."""
        weights = np.repeat((1 / np.maximum(lengths, 1)).astype(np.float32), lengths)
        return weights if self._counted is None else weights * self._counted[rows]

    # The end

    def classifier(self) -> Average:
        """The model with the weights that it has now."""
        table = self._weights["table"]
        if self._counted is not None:
            table = table * self._counted[:, None]
        top = self._weights["kernel.head_0"], self._weights["bias.head_0"]
        if not self.config.hidden_layers:
            return Average(self.config, self.features, table @ top[0], [(None, top[1])])
        names = range(self.config.hidden_layers)
        layers = [(self._weights[f"kernel.{name}"], self._weights[f"bias.{name}"]) for name in names]
        return Average(self.config, self.features, table, [*layers, top])


def _drawn(
    config: AverageConfig, shape: tuple[int, int], labels: list[int], rng: np.random.Generator
) -> dict[str, Array]:
    """The first weights: vectors and hidden layers (He et al. 2015) drawn, the tops zero.

    Args:
        config: the settings.
        shape: of the table.
        labels: of each head.
        rng: draws.
    """
    size = shape[1]
    bound = INITIAL_RANGE / size
    weights: dict[str, Array] = {"table": rng.uniform(-bound, bound, shape).astype(np.float32)}
    for number in range(config.hidden_layers):
        kernel = rng.normal(0, np.sqrt(2 / size), (size, config.hidden_units))
        weights[f"kernel.{number}"] = kernel.astype(np.float32)
        size = config.hidden_units
        weights[f"bias.{number}"] = np.zeros(size, np.float32)
    for number, count in enumerate(labels):
        weights[f"kernel.head_{number}"] = np.zeros((size, count), np.float32)
        weights[f"bias.head_{number}"] = np.zeros(count, np.float32)
    return weights


def _count_weights(features: Features, rows: NDArray[np.int32], config: AverageConfig) -> Array | None:
    """c_j of each row; None where all are 1."""
    if not config.count_weight:
        return None
    counts = np.bincount(rows, minlength=features.size).astype(np.float64)
    words = int((features.words != NO_ROW).sum())
    shares = np.concatenate([part / max(1.0, part.sum()) for part in (counts[:words], counts[words:])])
    return (config.count_weight / (config.count_weight + shares)).astype(np.float32)


def _of_texts(
    rows: NDArray[np.int32], starts: NDArray[np.int64], texts: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The rows of some texts, and how many each has."""
    lengths = np.diff(starts)[texts]
    return rows[ranges(starts[texts], lengths)], lengths


def _counted(kept: NDArray[np.bool_], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many are kept of each text."""
    ends = np.concatenate([[0], np.cumsum(lengths)])
    counts: NDArray[np.int64] = np.diff(np.concatenate([[0], np.cumsum(kept)])[ends])
    return counts


def _product(columns: NDArray[Any], lengths: NDArray[np.int64], weights: Array, size: int) -> Any:
    """What makes means of vectors, (texts, size), sparse."""
    from scipy.sparse import csr_array

    starts = np.concatenate([[0], np.cumsum(lengths)])
    return csr_array((weights, columns, starts), shape=(len(lengths), size))
