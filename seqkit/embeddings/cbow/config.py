"""What decides a CBOW run, the shape of its steps, and how far a step may move a row."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from seqkit.embeddings.negative_sampling.plan import Masses
from seqkit.embeddings.skipgram.config import NOISE_MASS, Geometry, NegativeSamplingConfig

SPANS = 8
"""Spans of a block, where a step has as many: the more words share their noise, the fewer rows are moved."""


@dataclass(frozen=True, kw_only=True)
class CBOWConfig(NegativeSamplingConfig):
    """The hyper-parameters of CBOW: each word is predicted from the mean of the words around it.

    Args:
        learning_rate: as in `NegativeSamplingConfig`; 0.05 is word2vec.c's for CBOW.
    """

    learning_rate: float = 0.05


def choose_geometry(window: int, negative: int, words: int) -> Geometry:
    """The geometry for a corpus.

    A span is at least six windows long, so that few words have a context that its ends cut. A block has
    three noise words for every ten that the words of one of its spans would draw. A step is never more than
    a 1,000th of the corpus, within limits: a small corpus needs its many small steps.

    Args:
        window: as in `CBOWConfig`.
        negative: likewise.
        words: words of the corpus.
    """
    span = max(32, 16 * math.ceil(6 * window / 16))
    fitting = max(1, words // (1000 * span))
    step = min(512, 1 << (fitting.bit_length() - 1))
    spans = min(SPANS, step)
    return Geometry(step // spans, spans * span, noise=16 * math.ceil(3 * negative * span / 160), spans=spans)


def place_masses(config: CBOWConfig, geometry: Geometry) -> Masses:
    """The masses of the places of a step (`seqkit.embeddings.negative_sampling.plan`).

    A word is predicted once, which makes 1 for its row of contexts, and `negative` noise pairs, which the
    noise words of the block share. It is in about as many contexts as its own has words; along its row of
    vectors, |C| J curves 1/|C| as much as along the mean: the curvature of one prediction in sum.

    Args:
        config: negative.
        geometry: of a step.
    """
    noise_pairs = NOISE_MASS * config.negative
    share = noise_pairs * geometry.length / geometry.noise
    noise = np.full(geometry.blocks * geometry.noise, share, np.float32)
    return Masses(
        np.full(geometry.words, 1 + noise_pairs, np.float32),
        np.concatenate([np.ones(geometry.words, np.float32), noise]),
    )
