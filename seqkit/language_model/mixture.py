"""A recurrent model and an n-gram model together: a weighted mean of what both expect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit._manifest import TENSORS
from seqkit._settings import check_numbers, checked_settings
from seqkit.errors import BundleError, Place, UsageError
from seqkit.language_model.coding import Coding
from seqkit.language_model.config import Level
from seqkit.language_model.ngram import MAX_ORDER, Ids, NGram, from_tensors
from seqkit.storage import Bundle, read_again
from seqkit.text.tokenizers import TokenizerKind
from seqkit.text.vocabulary import Vocabulary

KIND = "ngram"

HALVINGS = 50
"""Of the interval that a weight is looked for in."""


@dataclass(frozen=True, kw_only=True)
class MixtureConfig:
    """What an n-gram model was counted on, and how much it counts.

    Args:
        order: tokens of the longest n-gram.
        weight: λ, of the n-gram model, 0 to 1.
        level: what a token is.
        tokenizer: what cuts a line.
        lowercase: whether text is lower-cased.
        lines: whether each line is a text of its own.
    """

    order: int
    weight: float
    level: Level
    tokenizer: TokenizerKind
    lowercase: bool
    lines: bool

    def __post_init__(self) -> None:
        check_numbers(self)
        if not 1 <= self.order <= MAX_ORDER or not 0 <= self.weight <= 1:
            raise UsageError(
                f"order {self.order} is not 1 to {MAX_ORDER}, or weight {self.weight} not 0 to 1"
            )

    @classmethod
    def of(cls, coding: Coding, order: int, weight: float) -> MixtureConfig:
        """With the settings of a model."""
        cutter = coding.tokenizer
        return cls(
            order=order,
            weight=weight,
            level=coding.level,
            tokenizer=cutter.kind,
            lowercase=cutter.lowercase,
            lines=coding.lines,
        )


class Mixture:
    """P(w) = (1 - λ) ŷ_w + λ P_n(w).

    Args:
        ngram: gives P_n.
        config: has λ.
        words: of the vocabulary, by id.
    """

    def __init__(self, ngram: NGram, config: MixtureConfig, words: tuple[str, ...]) -> None:
        self.ngram, self.config, self._words = ngram, config, words

    @classmethod
    @read_again
    def load(cls, place: Place) -> Mixture:
        """Opens a bundle that `seqkit.language_model.counting.count_ngrams` wrote.

        Raises:
            MissingInputError: there is no such directory.
            BundleError: it is of another kind, or damaged.
            StorageError: reading failed.
        """
        bundle = Bundle.open(place, kind=KIND)
        bundle.verify()
        config = checked_settings(bundle.path, MixtureConfig, bundle.manifest.config)
        vocabulary = Vocabulary.from_bundle(bundle)
        try:
            tables = from_tensors(bundle.tensors(TENSORS), len(vocabulary))
        except ValueError as error:
            raise BundleError(bundle.path, str(error), member=TENSORS) from None
        if len(tables) != config.order:
            raise BundleError(bundle.path, f"has {len(tables)} orders, not {config.order}", member=TENSORS)
        return cls(NGram(tables), config, vocabulary.words)

    def check(self, coding: Coding) -> None:
        """Makes sure that both models have the same tokens.

        Raises:
            UsageError: they have not.
        """
        same = self.config == MixtureConfig.of(coding, self.config.order, self.config.weight)
        if not same or self._words != coding.vocabulary.words:
            raise UsageError(
                "the n-grams were counted for another model: its tokens are others; "
                "count some for this one (seqkit lm ngram)"
            )

    def surprisals(self, ids: Ids, surprisal: Any) -> NDArray[np.float64]:
        """-ln P of each token of a text.

        Args:
            ids: of the text, (tokens,).
            surprisal: -ln ŷ of them, (tokens,).
        """
        return mixed(surprisal, self.ngram.probabilities(ids), self.config.weight)


def mixed(surprisal: Any, other: Any, weight: float) -> NDArray[np.float64]:
    """-ln ((1 - λ) ŷ + λ P), from -ln ŷ, P and λ."""
    own = np.exp(-np.asarray(surprisal, np.float64))
    return np.asarray(-np.log((1 - weight) * own + weight * np.asarray(other)))


def fitted_weight(surprisal: Any, other: Any) -> float:
    """The λ of 0 to 1 that makes a text likeliest, of which there is one: Σ ln P is concave in λ.

    Args:
        surprisal: -ln ŷ of its tokens, (tokens,).
        other: P_n of them, (tokens,).
    """
    own, other = np.exp(-np.asarray(surprisal, np.float64)), np.asarray(other)
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        slope = np.mean((other - own) / ((1 - middle) * own + middle * other))
        low, high = (middle, high) if slope > 0 else (low, middle)
    return (low + high) / 2
