"""From a stretch of the encoded corpus to windows and the words to predict, in NumPy.

Shapes: S steps of B predictions from C words each; K noise words a step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqkit.embeddings.negative_sampling.draws import AliasTable, keep_probabilities
from seqkit.embeddings.softmax.steps import in_steps
from seqkit.embeddings.window.config import WindowConfig

Ints = NDArray[np.int32]

NOISE_EXPONENT = 0.75
"""Noise words are drawn by count to this power."""


@dataclass(frozen=True, eq=False)
class Batches:
    """The predictions of some steps.

    Args:
        contexts: ids of the words that the model sees, the vocabulary's size where the line has none;
            shape (S, B, C).
        targets: ids of the words to predict, shape (S, B).
        weights: 1, and 0 where the last step is filled up; float32, shape (S, B).
        noise: ids of the noise words, shape (S, K); K = 0 for the exact softmax.
    """

    contexts: Ints
    targets: Ints
    weights: NDArray[np.float32]
    noise: Ints


def noise_probabilities(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """With which probability a noise word is which word, shape (vocabulary,)."""
    weights = np.maximum(counts, 1).astype(np.float64) ** NOISE_EXPONENT
    return np.asarray(weights / weights.sum())


class BatchMaker:
    """Makes the chunks of a corpus; each is a pure function of the seed, the epoch and its number.

    Args:
        ids: the encoded corpus, LINE_END (below 0) after each line; shape (positions,).
        counts: of each word, shape (vocabulary,).
        config: window, sub-sampling, noise, seed.
        step: predictions of a step, B.
        chunk_ids: ids of the corpus in a chunk, about.
    """

    def __init__(
        self, ids: Ints, counts: NDArray[np.int64], config: WindowConfig, step: int, chunk_ids: int
    ) -> None:
        self._ids, self._config, self._step, self._vocabulary = ids, config, step, len(counts)
        # The last place is for LINE_END, index -1: a line's end is never a word.
        self._keep = np.append(keep_probabilities(counts, config.sample), np.float32(0))
        self._noise = AliasTable(noise_probabilities(counts))
        self.chunks = max(1, round(len(ids) / chunk_ids))

    def order(self, epoch: int) -> NDArray[np.int64]:
        """The order in which an epoch takes the chunks: every epoch has its own."""
        return np.random.default_rng([self._config.seed, 0, epoch]).permutation(self.chunks)

    def make(self, epoch: int, chunk: int) -> Batches:
        """One chunk of one epoch, its words in an order of their own.

        Args:
            epoch: from 0.
            chunk: from 0 to `chunks` - 1.
        """
        rng = np.random.default_rng([self._config.seed, 1, epoch, chunk])
        begin, end = (len(self._ids) * number // self.chunks for number in (chunk, chunk + 1))
        ids = np.asarray(self._ids[begin:end])
        survives = rng.random(len(ids), dtype=np.float32) < self._keep[ids]
        words, lines = ids[survives], np.cumsum(ids < 0, dtype=np.int32)[survives]
        order = rng.permutation(len(words))
        steps = max(1, -(-len(words) // self._step))
        draws = self._config.negative if self._config.softmax == "sampled" else 0
        contexts = self._contexts(words, lines)[order]
        return Batches(
            contexts=in_steps(contexts, steps, self._step, self._vocabulary),
            targets=in_steps(words[order], steps, self._step),
            weights=in_steps(np.ones(len(words), np.float32), steps, self._step),
            noise=self._noise.stratified(rng, steps, draws) if draws else np.zeros((steps, 0), np.int32),
        )

    def _contexts(self, words: Ints, lines: Ints) -> Ints:
        """What the model sees of each word's line, shape (words, C)."""
        window, places = self._config.window, np.arange(len(words)) + self._config.window
        padded = np.pad(words, window)
        line = np.pad(lines, window, constant_values=-1)
        columns = [
            np.where(line[places + offset] == lines, padded[places + offset], self._vocabulary)
            for offset in self._config.offsets
        ]
        return np.stack(columns, axis=1).astype(np.int32)
