"""What a network sees at a time: texts of like length, padded on the right, in an order drawn by a seed."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from seqkit.language_model.batches import of_like_length, rounded_up
from seqkit.sentiment.documents import MISSING, PAD_ID, Documents, Labelled
from seqkit.sentiment.models.augmentation import Augmentation
from seqkit.sentiment.models.heads import tasks_of

Ids = NDArray[np.int32]

POOL = 30
"""Batches' worth of texts that are sorted by length together."""

HEAD = 0.25
"""Share of a text that is read from its beginning, where it is too long."""

TOKENS_AT_ONCE = 40_000
"""Padded tokens of a batch that is scored."""


def shortened(documents: Documents, max_length: int) -> Documents:
    """The documents with at most `max_length` tokens each: the first quarter of them, and the last ones."""
    lengths = documents.lengths
    if not len(lengths) or lengths.max() <= max_length:
        return documents
    head = int(max_length * HEAD)
    texts = np.repeat(np.arange(len(documents)), lengths)
    places = np.arange(len(documents.ids)) - documents.starts[texts]
    kept = (places < head) | (places >= lengths[texts] - (max_length - head)) | (lengths[texts] <= max_length)
    starts = np.concatenate([[0], np.cumsum(np.minimum(lengths, max_length))])
    return Documents(documents.texts, documents.ids[kept], starts.astype(np.int64))


def padded(documents: Documents, numbers: NDArray[np.int64]) -> Ids:
    """The ids of some texts, (texts, time), `PAD_ID` after the end of each; there is one step at least."""
    lengths = documents.lengths[numbers]
    within = np.arange(max(1, lengths.max(initial=0)))
    there = within < lengths[:, None]
    places = documents.starts[numbers][:, None] + within
    ids = np.full(there.shape, PAD_ID, np.int32)
    ids[there] = documents.ids[places[there]]
    return ids


def scoring_batches(documents: Documents) -> list[NDArray[np.int64]]:
    """Numbers of texts of like length, of few enough tokens to be scored at once."""
    lengths = np.maximum(documents.lengths, 1)
    order = np.argsort(lengths, kind="stable")
    batches, first = [], 0
    while first < len(order):
        last = first + 1
        while last < len(order) and (last + 1 - first) * lengths[order[last]] <= TOKENS_AT_ONCE:
            last += 1
        batches.append(order[first:last])
        first = last
    return batches


class TextBatches:
    """Texts with their labels; the tasks side by side, the main one first.

    Args:
        labelled: not longer than they are to be read.
        batch_size: texts.
        seed: of the order and of what is changed in texts.
        augmentation: what is changed; None for nothing.
        longest: where shapes are compiled, the length at most: lengths are then rounded up to powers of two
            below it, and all batches have `batch_size` texts, some of the last one without labels.
    """

    def __init__(
        self,
        labelled: Labelled,
        batch_size: int,
        seed: int,
        augmentation: Augmentation | None = None,
        longest: int | None = None,
    ) -> None:
        self._documents, self._seed, self._longest = labelled.documents, seed, longest
        self._batch_size = min(batch_size, max(1, len(labelled)))
        self._augmentation = augmentation
        self._targets = np.stack([task.targets for task in tasks_of(labelled)], axis=1).astype(np.int32)
        self._order_of = lru_cache(maxsize=2)(self._order)

    def steps_of(self, epoch: int) -> int:
        """Batches of an epoch."""
        return -(-len(self._documents) // self._batch_size)

    def batch(self, epoch: int, step: int) -> tuple[Ids, Ids]:
        """Ids, (texts, time), and targets, (texts, tasks)."""
        numbers = self._order_of(epoch)[step]
        targets = self._targets[numbers]
        if self._longest is not None:
            filled = np.resize(numbers, self._batch_size)
            missing = np.full((len(filled) - len(numbers), targets.shape[1]), MISSING, np.int32)
            numbers, targets = filled, np.concatenate([targets, missing])
        ids = padded(self._documents, numbers)
        if self._longest is not None:
            further = min(rounded_up(ids.shape[1]), max(self._longest, ids.shape[1])) - ids.shape[1]
            ids = np.pad(ids, ((0, 0), (0, further)), constant_values=PAD_ID)
        if self._augmentation is not None:
            rng = np.random.default_rng([self._seed, 3, epoch, step])
            ids = self._augmentation.changed(ids, rng)
        return ids, targets

    def size(self, epoch: int, step: int) -> int:
        """Texts of a batch."""
        return len(self._order_of(epoch)[step])

    def _order(self, epoch: int) -> list[NDArray[np.int64]]:
        rng = np.random.default_rng([self._seed, 4, epoch])
        return of_like_length(self._documents.lengths, self._batch_size, POOL, rng)
