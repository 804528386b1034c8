"""The lexicon: how positive VADER finds a text, mapped to the labels.

VADER (Hutto & Gilbert 2014), as NLTK has it, adds up the valences of 7,500 words, with rules for negation,
boosters, capitals and exclamation marks, to one number, the compound c from -1 to 1.
Only what c says of the labels is learned, by logistic regression:

    z_y = b_y + Σ_k c^k w_ky,    k = 1 for two labels, 1 to 2 for more, so that one may lie in the middle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from seqkit.corpora import open_corpus
from seqkit.corpora.light_nltk import light_nltk
from seqkit.errors import CorpusError, DataError
from seqkit.sentiment.cutting import Cutter
from seqkit.sentiment.documents import UNKNOWN_ID, Documents
from seqkit.sentiment.labels import Labels
from seqkit.sentiment.lines import decoded
from seqkit.sentiment.models.contract import Classifier, Fitting
from seqkit.sentiment.models.linear import cross_entropy, text_weights
from seqkit.text.vocabulary import Vocabulary

LEXICON = "nltk:vader_lexicon"

L2 = 1e-4
"""Weight of ‖w‖² / 2 beside the mean cross-entropy: one label may never be the answer."""


@dataclass(frozen=True)
class LexiconConfig:
    """Settings of `Lexicon`.

    Args:
        balanced: whether a label counts the same however many texts it has.
    """

    balanced: bool = False


class Lexicon(Classifier):
    """VADER and what its compound says of the labels.

    Args:
        config: how it was made.
        weights: of the powers of the compound, from the first, (powers, labels), float32.
        bias: (labels,), float32.
    """

    kind: ClassVar[str] = "lexicon"

    def __init__(
        self, config: LexiconConfig, weights: NDArray[np.float32], bias: NDArray[np.float32]
    ) -> None:
        self.config, self.weights, self.bias = config, weights, bias

    def logits(self, documents: Documents) -> NDArray[np.float32]:
        """The logits, (texts, labels).

        Raises:
            MissingInputError: the lexicon is not on this machine.
        """
        return self._logits(compounds(documents))

    def attributions(self, documents: Documents) -> list[NDArray[np.float32]]:
        """What each logit changes by when the text is read on to the end of a token.

        Raises:
            MissingInputError: the lexicon is not on this machine.
        """
        return [np.diff(self._logits(_course(text)), axis=0) for text in documents.texts]

    def known(self, documents: Documents) -> NDArray[np.int64]:
        """How many tokens of each text are in VADER's lexicon, or words of the texts learned, (texts,).

        Raises:
            MissingInputError: the lexicon is not on this machine.
        """
        cutter, lexicon = Cutter(), _analyzer().lexicon
        words = cutter.cut(decoded(cutter.lines(documents.texts)))
        listed = np.array([word in lexicon for word in words if word != "\n"], bool)
        counts = np.concatenate([[0], np.cumsum(listed | (documents.ids != UNKNOWN_ID))])
        known: NDArray[np.int64] = counts[documents.starts[1:]] - counts[documents.starts[:-1]]
        silent = np.flatnonzero((known == 0) & (documents.lengths > 0))  # but for what is cut: "top-notch"
        known[silent] = compounds(documents.take(silent)) != 0
        return known

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Weights and bias."""
        return {"weights": self.weights, "bias": self.bias}

    @classmethod
    def from_tensors(
        cls,
        config: LexiconConfig,
        tensors: Mapping[str, NDArray[Any]],
        vocabulary: Vocabulary,
        labels: Labels,
    ) -> Lexicon:
        """The classifier of a bundle."""
        count = len(labels)
        shapes = {"weights": (_powers(count), count), "bias": (count,)}
        if tensors.keys() != shapes.keys():
            raise DataError(f"a lexicon model has weights and bias, not {', '.join(sorted(tensors))}")
        for name, shape in shapes.items():
            if tensors[name].shape != shape or tensors[name].dtype != np.float32:
                raise DataError(f"{name} must be float32 of shape {shape}, not {tensors[name].shape}")
        return cls(config, tensors["weights"], tensors["bias"])

    def _logits(self, compounds: NDArray[np.float64]) -> NDArray[np.float32]:
        return _features(compounds, len(self.weights)) @ self.weights + self.bias


def fit(config: LexiconConfig, fitting: Fitting) -> Lexicon:
    """Learns what the compound says of the labels from `fitting.train`; nothing else changes anything.

    Raises:
        MissingInputError: the lexicon is not on this machine.
    """
    from scipy import optimize

    minimize: Any = optimize.minimize
    labels, targets = len(fitting.train.main.labels), fitting.train.main.targets
    features = _features(compounds(fitting.train.documents), _powers(labels)).astype(np.float64)
    wanted = np.eye(labels)[targets]
    texts = text_weights(wanted, config.balanced)
    shape = (features.shape[1], labels)

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        w, b = parameters[:-labels].reshape(shape), parameters[-labels:]
        value, slope = cross_entropy(features @ w + b, wanted, texts)
        value += L2 / 2 * float(np.vdot(parameters, parameters))
        return value, np.concatenate([(features.T @ slope).ravel(), slope.sum(axis=0)]) + L2 * parameters

    start = np.zeros((shape[0] + 1) * labels)
    found = minimize(loss, start, jac=True, method="L-BFGS-B").x.astype(np.float32)
    return Lexicon(config, found[:-labels].reshape(shape), found[-labels:])


def compounds(documents: Documents) -> NDArray[np.float64]:
    """What VADER says of each text, from -1 to 1, (texts,).

    Raises:
        MissingInputError: the lexicon is not on this machine.
    """
    lines = decoded(Cutter().lines(documents.texts)).split("\n")[:-1]
    return np.array([_compound(line) for line in lines], np.float64)


def _course(text: str) -> NDArray[np.float64]:
    """The compounds of nothing and of what stands before the end of each token, (tokens + 1,)."""
    cutter = Cutter(lowercase=False)
    text = decoded(cutter.lines([text]))
    end, found = 0, [0.0]
    for token in cutter.tokens(text):
        end = text.index(token, end) + len(token)
        found.append(_compound(text[:end]))
    return np.array(found)


def _compound(text: str) -> float:
    return float(_analyzer().polarity_scores(text)["compound"])


@cache
def _analyzer() -> Any:
    """NLTK's VADER; its lexicon is read as all corpora are."""
    with light_nltk():
        from nltk.sentiment.vader import SentimentIntensityAnalyzer, VaderConstants

        lines = list(open_corpus(LEXICON))
    analyzer = SentimentIntensityAnalyzer.__new__(SentimentIntensityAnalyzer)
    try:
        analyzer.lexicon = {
            word: float(valence) for word, valence, *_ in (line.split("\t") for line in lines)
        }
    except ValueError as error:
        raise CorpusError(f"{LEXICON}: {error}; remove it and fetch it again") from error
    analyzer.constants = VaderConstants()
    return analyzer


def _powers(labels: int) -> int:
    return 1 if labels == 2 else 2


def _features(compounds: NDArray[np.float64], powers: int) -> NDArray[np.float32]:
    """c, c², …, (texts, powers)."""
    return (compounds[:, None] ** np.arange(1, powers + 1)).astype(np.float32)
