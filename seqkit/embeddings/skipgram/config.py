"""What decides a run with negative sampling, and the shape of the steps of skip-gram."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from seqkit._settings import check_choices, check_numbers, check_positive, check_ranges

Precision = Literal["float32", "bfloat16"]

CHUNK_IDS = 1 << 20
"""Ids of the encoded corpus in a chunk: what one compiled call trains on."""

NOISE_MASS = 0.4
"""Curvature is σ(1 - σ): a noise pair, whose σ is soon near 0, has less of it than a pair of the text."""

PLACE_MASS = 33.0
"""The greatest mass that one place of a step has. 1/33 is the rate of a step at the default learning rate:
a row that stands in one place is then not held back. Its pairs are of many words, whose curvatures lie in
many directions and do not add up as those of one word in many blocks do."""


@dataclass(frozen=True, kw_only=True)
class NegativeSamplingConfig:
    """The hyper-parameters that skip-gram and CBOW share (Mikolov et al. 2013, NeurIPS: negative sampling).

    Args:
        vector_size: length of a vector, 1 to 4096.
        window: greatest distance between a word and its context; each occurrence draws its own reach from
            1..window, so that near words count more (word2vec's dynamic window). 1 to 64.
        negative: noise words for each word that is predicted, 2 to 20.
        sample: threshold t of sub-sampling: an occurrence of a word with relative frequency f is kept with
            probability √(t/f) + t/f, if that is below 1; 0 keeps everything.
        noise_exponent: noise words are drawn by count to this power; 0.75 is word2vec's.
        epochs: passes over the corpus, 1 to 1000.
        learning_rate: of the first step; it falls linearly to a ten-thousandth of that.
        seed: of everything random.
        precision: of the matrix products: "float32", or "bfloat16", several times as fast where the
            processor has units for it. The vectors themselves are always float32.
    """

    vector_size: int = 100
    window: int = 5
    negative: int = 5
    sample: float = 1e-3
    noise_exponent: float = 0.75
    epochs: int = 5
    learning_rate: float = 0.025
    seed: int = 0
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        check_numbers(self)
        check_ranges(self, vector_size=(1, 4096), window=(1, 64), negative=(2, 20), epochs=(1, 1000))
        check_ranges(self, seed=(0, 2**63 - 1), sample=(0, 1), noise_exponent=(-4, 4))
        check_positive(self, learning_rate=10)
        check_choices(self, precision=("float32", "bfloat16"))


@dataclass(frozen=True, kw_only=True)
class SkipGramConfig(NegativeSamplingConfig):
    """The hyper-parameters of skip-gram: each word predicts the words around it."""


@dataclass(frozen=True)
class Geometry:
    """How many words a step takes, and how they are grouped.

    Args:
        blocks: blocks of a step, N.
        length: consecutive words of a block, L.
        noise: noise words that the words of a block share, K.
        spans: equal pieces of a block beyond which no word sees.
    """

    blocks: int
    length: int
    noise: int
    spans: int = 1

    @property
    def words(self) -> int:
        """Words of a step, N·L."""
        return self.blocks * self.length

    @property
    def span(self) -> int:
        """Words of a span, T."""
        return self.length // self.spans

    @classmethod
    def choose(cls, window: int, negative: int, words: int) -> Geometry:
        """The geometry for a corpus.

        A block is at least six windows long, so that few pairs lie across its ends. It has enough noise words
        for none to have more than `PLACE_MASS`, at least 40 and at most two for each word. A step never spans
        more than a 2,000th of the corpus, within limits: a small corpus needs its many small steps. It needs
        smaller ones yet where the mass of a word is above that of window 5 with 5 noise words.

        Args:
            window: as in `SkipGramConfig`.
            negative: likewise.
            words: words of the corpus.
        """
        length = max(64, 16 * math.ceil(6 * window / 16))
        noise_mass, usual = NOISE_MASS * negative * (window + 1), (1 + NOISE_MASS * 5) * (5 + 1)
        noise = 16 * math.ceil(noise_mass * length / PLACE_MASS / 16)
        span = 2000 * length * max(1.0, (window + 1 + noise_mass) / usual)
        fitting = max(1, int(words / span))
        blocks = min(128, 1 << (fitting.bit_length() - 1))
        return cls(blocks=blocks, length=length, noise=min(2 * length, max(40, noise)))
