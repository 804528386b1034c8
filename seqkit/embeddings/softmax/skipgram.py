"""Skip-gram with the exact softmax: its hyper-parameters, and its pairs grouped by centre, in NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqkit._settings import check_numbers
from seqkit.embeddings.negative_sampling.chunks import ChunkMaker
from seqkit.embeddings.skipgram.config import Geometry, Precision, SkipGramConfig
from seqkit.embeddings.softmax.steps import in_steps

Ints = NDArray[np.int32]

BLOCK = 64
"""`ChunkMaker` gives words in blocks, which mean nothing here: they are joined again."""


@dataclass(frozen=True, kw_only=True)
class SoftmaxConfig:
    """The hyper-parameters of skip-gram with the exact softmax (Mikolov et al. 2013, ICLR).

    Args:
        vector_size: length of a vector, as all below as in `SkipGramConfig`.
        window: greatest distance between a word and its context.
        sample: threshold of sub-sampling.
        epochs: passes over the corpus.
        learning_rate: of AdaGrad in the first step; it falls linearly to a ten-thousandth of that.
        seed: of everything random.
        precision: of the matrix products.
    """

    vector_size: int = 100
    window: int = 5
    sample: float = 1e-3
    epochs: int = 5
    learning_rate: float = 0.05
    seed: int = 0
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        check_numbers(self)
        self.draws()

    def draws(self) -> SkipGramConfig:
        """The same settings for `ChunkMaker`.

        Raises:
            UsageError: a value out of range.
        """
        return SkipGramConfig(**vars(self))


@dataclass(frozen=True, eq=False)
class Centres:
    """The centres of some steps, each with all its contexts. Shapes: S steps of B centres, C = 2·window.

    Args:
        words: ids of the centres, shape (S, B).
        contexts: ids, shape (S, B, C).
        weights: 1 for a context, 0 for a place without one; float32, shape (S, B, C).
    """

    words: Ints
    contexts: Ints
    weights: NDArray[np.float32]


class CentreMaker:
    """Makes the chunks of a corpus, with the draws of skip-gram's `ChunkMaker`.

    Args:
        ids: the encoded corpus, LINE_END (below 0) after each line; shape (positions,).
        counts: of each word, shape (vocabulary,).
        config: window, sub-sampling, seed.
        step: centres of a step, B.
        chunk_ids: ids of the corpus in a chunk, about.
    """

    def __init__(
        self, ids: Ints, counts: NDArray[np.int64], config: SoftmaxConfig, step: int, chunk_ids: int
    ) -> None:
        geometry = Geometry(blocks=1, length=BLOCK, noise=1)
        self._maker = ChunkMaker(ids, counts, config.draws(), geometry, chunk_ids)
        self._config, self._step = config, step
        self.chunks = self._maker.chunks

    def order(self, epoch: int) -> NDArray[np.int64]:
        """The order in which an epoch takes the chunks: every epoch has its own."""
        return self._maker.order(epoch)

    def make(self, epoch: int, chunk: int) -> Centres:
        """One chunk of one epoch, its centres in an order of their own.

        Args:
            epoch: from 0.
            chunk: from 0 to `chunks` - 1.
        """
        made = self._maker.make(epoch, chunk)
        words, left, right = made.words.ravel(), made.left.ravel(), made.right.ravel()
        rng = np.random.default_rng([self._config.seed, 3, epoch, chunk])
        order = rng.permutation(np.flatnonzero(left + right))  # a word without contexts teaches nothing
        window = self._config.window
        offsets = np.array([offset for offset in range(-window, window + 1) if offset])
        present = (offsets >= -left[order, None]) & (offsets <= right[order, None])
        places = np.where(present, order[:, None] + offsets, 0)
        steps = max(1, -(-len(order) // self._step))
        return Centres(
            words=in_steps(words[order], steps, self._step),
            contexts=in_steps(words[places], steps, self._step),
            weights=in_steps(present.astype(np.float32), steps, self._step),
        )
