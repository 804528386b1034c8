"""What a network sees at a time: pieces of a stream, one after the other, or whole lines of similar length.

An input is the token before the target, and `<eos>`, whose vector is zero, before the first one. Both kinds
are a pure function of seed, epoch and number, so training can begin anywhere.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import CorpusError
from seqkit.language_model.coding import END_ID

Ids = NDArray[np.int32]
Batch = tuple[Ids, Ids, NDArray[np.bool_]]
"""Inputs and targets, (batch, time), -1 where there is no target; which sequences begin anew, (batch,)."""

NO_TARGET = -1
FRESH = 0.05
"""How often a piece of a stream without `<eos>` is read as if nothing had come before it."""

STEP = 5
"""Random lengths are multiples of it: each length is compiled once."""


def rounded_up(length: int) -> int:
    """The next power of two, at least 8, so that few lengths are compiled."""
    return max(8, 1 << (length - 1).bit_length())


def lines_of(ids: Ids) -> list[Ids]:
    """A text cut after each `<eos>`."""
    return [part for part in np.split(ids, np.flatnonzero(ids == END_ID) + 1) if len(part)]


def of_like_length(
    lengths: NDArray[np.int64], batch_size: int, pool: int, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """The numbers of the texts of each batch, of similar length, in an order that is drawn.

    Args:
        lengths: of the texts, (texts,).
        batch_size: texts; the last of a pool may have fewer.
        pool: batches' worth of texts that are sorted by length together.
        rng: draws.
    """
    texts, batches = rng.permutation(len(lengths)), []
    for start in range(0, len(texts), pool * batch_size):
        part = texts[start : start + pool * batch_size]
        part = part[np.argsort(lengths[part], kind="stable")]
        batches += [part[first : first + batch_size] for first in range(0, len(part), batch_size)]
    return [batches[number] for number in rng.permutation(len(batches))]


def inputs_of(targets: Ids) -> Ids:
    """The token before each target of texts from their beginning, `<eos>` before the first.

    Args:
        targets: (batch, time), `NO_TARGET` after the end of a text.
    """
    first = np.full((len(targets), 1), END_ID, np.int32)
    inputs: Ids = np.maximum(np.concatenate([first, targets[:, :-1]], axis=1), 0)
    return inputs


class StreamBatches:
    """A stream cut into `batch_size` parts of equal length, read side by side, `bptt` steps at a time.

    Args:
        ids: of the text.
        batch_size: parts.
        bptt: steps.
        seed: of the random lengths and beginnings.
        random_lengths: draw each length, mostly about `bptt`, once in twenty about half of it (Merity et al.
            2018, section 5).
        has_ends: whether the stream has `<eos>`; if not, some pieces begin anew, so that a text can.

    Raises:
        CorpusError: fewer tokens than parts.
    """

    def __init__(
        self, ids: Ids, batch_size: int, bptt: int, seed: int, *, random_lengths: bool, has_ends: bool
    ) -> None:
        if len(ids) < batch_size:
            short = f"{len(ids)} tokens are too few for batches of {batch_size}"
            raise CorpusError(f"{short}: lower batch_size (--batch-size)")
        self._ids, self._batch_size, self._bptt, self._seed = ids, batch_size, bptt, seed
        self._random_lengths, self._has_ends = random_lengths, has_ends
        self._starts_of = lru_cache(maxsize=2)(self._starts)

    def _starts(self, epoch: int) -> NDArray[np.int64]:
        """Where pieces begin in each part, and where the last one ends."""
        length = len(self._ids) // self._batch_size
        if not self._random_lengths:
            return np.append(np.arange(0, length, self._bptt), length)
        rng = np.random.default_rng([self._seed, epoch, 0])
        least = STEP * max(1, self._bptt // 2 // STEP)
        count = length // least + 1
        means = np.where(rng.random(count) < 0.95, self._bptt, self._bptt / 2)
        lengths = STEP * np.maximum(1, np.rint(rng.normal(means, 5) / STEP).astype(np.int64))
        ends = np.cumsum(lengths)
        return np.concatenate([[0], ends[ends < length], [length]])

    def steps_of(self, epoch: int) -> int:
        """Batches of an epoch."""
        return len(self._starts_of(epoch)) - 1

    def size(self, epoch: int, step: int) -> int:
        """Targets of a batch."""
        starts = self._starts_of(epoch)
        return int(starts[step + 1] - starts[step]) * self._batch_size

    def batch(self, epoch: int, step: int) -> Batch:
        """One batch."""
        starts, length = self._starts_of(epoch), len(self._ids) // self._batch_size
        begin, end = int(starts[step]), int(starts[step + 1])
        parts = self._ids[: length * self._batch_size].reshape(self._batch_size, length)
        targets = np.ascontiguousarray(parts[:, begin:end])
        fresh = np.full(self._batch_size, step == 0)
        if not self._has_ends:
            fresh |= np.random.default_rng([self._seed, epoch, step, 1]).random(self._batch_size) < FRESH
        first = np.full(self._batch_size, END_ID, np.int32) if begin == 0 else parts[:, begin - 1]
        inputs = np.concatenate([np.where(fresh, END_ID, first)[:, None], targets[:, :-1]], axis=1)
        return inputs.astype(np.int32), targets, fresh


class LineBatches:
    """Whole lines, those of similar length together, in an order that each epoch draws.

    Args:
        ids: of the text, `<eos>` after each line.
        batch_size: lines.
        bptt: longest line; what is longer is cut, and its end is not learned.
        seed: of the order.
        labels: the number of each line's label, (lines,); a batch then has those of its lines, too.
    """

    POOL = 50
    """Batches' worth of lines that are sorted by length together."""

    def __init__(self, ids: Ids, batch_size: int, bptt: int, seed: int, labels: Ids | None = None) -> None:
        self._labels = labels
        self._ids, self._batch_size, self._longest, self._seed = ids, batch_size, bptt, seed
        self._ends = np.flatnonzero(ids == END_ID) + 1
        self._begins = np.concatenate([[0], self._ends[:-1]])
        self._lengths = np.minimum(self._ends - self._begins, bptt)
        self._order_of = lru_cache(maxsize=2)(self._order)

    def _order(self, epoch: int) -> list[NDArray[np.int64]]:
        """The lines of each batch."""
        rng = np.random.default_rng([self._seed, epoch])
        return of_like_length(self._lengths, self._batch_size, self.POOL, rng)

    def steps_of(self, epoch: int) -> int:
        """Batches of an epoch."""
        return -(-len(self._ends) // self._batch_size)

    def size(self, epoch: int, step: int) -> int:
        """Targets of a batch."""
        return int(self._lengths[self._order_of(epoch)[step]].sum())

    def batch(self, epoch: int, step: int) -> Batch | tuple[Ids, Ids, NDArray[np.bool_], Ids]:
        """One batch; of fewer lines than the others have, the rest of the rows is without targets."""
        lines = self._order_of(epoch)[step]
        longest = rounded_up(int(self._lengths[lines].max()))
        targets = np.full((self._batch_size, longest), NO_TARGET, np.int32)
        for row, line in enumerate(lines):
            length = self._lengths[line]
            targets[row, :length] = self._ids[self._begins[line] :][:length]
        batch = inputs_of(targets), targets, np.ones(self._batch_size, bool)
        if self._labels is None:
            return batch
        labels = np.zeros(self._batch_size, np.int32)
        labels[: len(lines)] = self._labels[lines]
        return *batch, labels
