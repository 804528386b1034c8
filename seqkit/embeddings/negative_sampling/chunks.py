"""From a stretch of the encoded corpus to blocks of words with their reaches and their noise, in NumPy.

Shapes: S steps of N blocks of L words; K noise words a block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from seqkit.embeddings.negative_sampling.draws import AliasTable, keep_probabilities
from seqkit.embeddings.skipgram.config import CHUNK_IDS, Geometry, NegativeSamplingConfig
from seqkit.errors import CorpusError, UsageError

Ints = NDArray[np.int32]
T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Chunk:
    """The words of some steps.

    Places before the first word and after the last are filled with word 0 of reach 0, which is in no pair.

    Args:
        words: ids, shape (S, N, L).
        left: how far each word reaches to the left, within its line; float32, shape (S, N, L).
        right: and to the right.
        noise: ids of the noise words, shape (S, N, K).
        kept: words that sub-sampling left.
    """

    words: Ints
    left: NDArray[np.float32]
    right: NDArray[np.float32]
    noise: Ints
    kept: int


class ChunkMaker:
    """Makes the chunks of a corpus; each is a pure function of the seed, the epoch and its number.

    Args:
        ids: the encoded corpus, LINE_END (below 0) after each line; shape (positions,).
        counts: of each word, shape (vocabulary,).
        config: window, sub-sampling, noise, seed.
        geometry: of a step.
        chunk_ids: ids of the corpus in a chunk, about; None for `CHUNK_IDS`.
    """

    def __init__(
        self,
        ids: Ints,
        counts: NDArray[np.int64],
        config: NegativeSamplingConfig,
        geometry: Geometry,
        chunk_ids: int | None = None,
    ) -> None:
        self._ids, self._config, self._geometry = ids, config, geometry
        # The last place is for LINE_END, index -1: a line's end is never a word.
        self._keep = np.append(keep_probabilities(counts, config.sample), np.float32(0))
        self._noise = AliasTable(np.maximum(counts, 1).astype(np.float64) ** config.noise_exponent)
        self.chunks = max(1, round(len(ids) / (chunk_ids or CHUNK_IDS)))

    def bounds(self, chunk: int) -> tuple[int, int]:
        """The positions in the corpus where a chunk begins and ends."""
        return len(self._ids) * chunk // self.chunks, len(self._ids) * (chunk + 1) // self.chunks

    def order(self, epoch: int) -> NDArray[np.int64]:
        """The order in which an epoch takes the chunks: every epoch has its own."""
        return np.random.default_rng([self._config.seed, 0, epoch]).permutation(self.chunks)

    def make(self, epoch: int, chunk: int) -> Chunk:
        """One chunk of one epoch.

        Args:
            epoch: from 0.
            chunk: from 0 to `chunks` - 1.
        """
        rng = np.random.default_rng([self._config.seed, 1, epoch, chunk])
        begin, end = self.bounds(chunk)
        ids = np.asarray(self._ids[begin:end])
        survives = rng.random(len(ids), dtype=np.float32) < self._keep[ids]
        words = ids[survives]
        starts = _line_starts(ids < 0, survives)
        left, right = self._reaches(len(words), starts, rng)
        shape = self._geometry
        # Blocks begin elsewhere each time, or the same pairs would lie across their ends in every epoch.
        shift = int(rng.integers(shape.length))
        steps = -(-(shift + max(1, len(words))) // shape.words)
        noise = self._noise.stratified(rng, steps, shape.blocks * shape.noise)
        return Chunk(
            words=_blocks(words, shift, steps, shape),
            left=_blocks(left, shift, steps, shape),
            right=_blocks(right, shift, steps, shape),
            # Dealt in turn, so that every block gets draws from all strata.
            noise=noise.reshape(steps, shape.noise, shape.blocks).transpose(0, 2, 1),
            kept=len(words),
        )

    def _reaches(
        self, words: int, starts: Ints, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """A reach from 1..window for each word, cut at the ends of its line."""
        reach = rng.integers(1, self._config.window, words, dtype=np.int32, endpoint=True)
        lengths = np.diff(starts, append=np.int32(words))
        position = np.arange(words, dtype=np.int32)
        begin = np.repeat(starts, lengths)
        end = begin + np.repeat(lengths, lengths)
        left, right = np.minimum(reach, position - begin), np.minimum(reach, end - 1 - position)
        return left.astype(np.float32), right.astype(np.float32)


def check_pairs(ids: Ints) -> None:
    """Makes sure that there is something to learn from.

    Args:
        ids: as of `ChunkMaker`.

    Raises:
        CorpusError: no line has two words of the vocabulary.
    """
    for begin in range(0, len(ids), CHUNK_IDS):
        here = np.asarray(ids[begin : begin + CHUNK_IDS + 1])
        if ((here[1:] >= 0) & (here[:-1] >= 0)).any():
            return
    raise CorpusError(
        "no line has two words of the vocabulary, and words are learned from their neighbours; "
        "use text with a sentence or more a line, or a lower min_count (--min-count)"
    )


def check_sample(counts: NDArray[np.int64], sample: float, epochs: int) -> None:
    """Makes sure that sub-sampling leaves something to learn from.

    Args:
        counts: of each word in the text, shape (vocabulary,).
        sample: threshold of sub-sampling.
        epochs: of the run.

    Raises:
        UsageError: less than one word is to be expected in the whole run.
    """
    left = float(counts @ keep_probabilities(counts, sample)) * epochs
    if left < 1:
        raise UsageError(
            f"sample {sample:g} leaves {left:.2g} of {counts.sum():,} words in all epochs; "
            "raise it, or set it to 0 to keep all"
        )


def _line_starts(line_ends: NDArray[np.bool_], survives: NDArray[np.bool_]) -> Ints:
    """The places among the surviving words where a line begins; lines without survivors have none."""
    line = np.cumsum(line_ends, dtype=np.int32)[survives]
    return np.flatnonzero(np.diff(line, prepend=np.int32(-1))).astype(np.int32)


def _blocks(array: NDArray[T], shift: int, steps: int, shape: Geometry) -> NDArray[T]:
    filled = np.zeros(steps * shape.words, array.dtype)
    filled[shift : shift + len(array)] = array
    return filled.reshape(steps, shape.blocks, shape.length)
