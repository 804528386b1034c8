"""Texts changed a little each time they are learned, so that no word and no order is relied on alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import UsageError
from seqkit.sentiment.documents import PAD_ID, SPECIALS, UNKNOWN_ID
from seqkit.sentiment.models.initial_vectors import InitialVectors
from seqkit.sentiment.models.network_settings import NetworkSettings

Ids = NDArray[np.int32]

NEAREST = 5
"""Words that may stand in for one."""

MOST = 20_000
"""Words that can be replaced and stand in, the most frequent."""


@dataclass(frozen=True, eq=False)
class Augmentation:
    """What is changed.

    Args:
        word_dropout: rate at which words become unknown.
        swaps: rate at which neighbouring words change places.
        replaced: rate at which words are replaced by a neighbour.
        nearest: the words nearest to each, (words, neighbours); words without neighbours have themselves.
    """

    word_dropout: float
    swaps: float
    replaced: float
    nearest: Ids

    @classmethod
    def of(cls, settings: NetworkSettings, initial: InitialVectors | None) -> Augmentation | None:
        """That of settings; None for nothing.

        Raises:
            UsageError: words are to be replaced by neighbours, and there are no vectors.
        """
        if not (settings.word_dropout or settings.swaps or settings.neighbours):
            return None
        nearest = np.zeros((0, NEAREST), np.int32)
        if settings.neighbours:
            if initial is None:
                raise UsageError("neighbours are those of initial vectors: give some (--vectors)")
            nearest = nearest_words(initial)
        return cls(settings.word_dropout, settings.swaps, settings.neighbours, nearest)

    def changed(self, ids: Ids, rng: np.random.Generator) -> Ids:
        """Some texts, changed: replaced, swapped, dropped, in this order.

        Args:
            ids: (texts, time), padded.
            rng: draws.
        """
        ids = ids.copy()
        if self.replaced:
            chosen = (rng.random(ids.shape) < self.replaced) & (ids < len(self.nearest)) & (ids != PAD_ID)
            ids[chosen] = self.nearest[ids[chosen], rng.integers(0, NEAREST, int(chosen.sum()))]
        if self.swaps and ids.shape[1] > 1:
            chosen = (rng.random((len(ids), ids.shape[1] - 1)) < self.swaps) & (ids[:, 1:] != PAD_ID)
            chosen[:, 1:] &= ~chosen[:, :-1]
            left, right = np.nonzero(chosen)
            ids[left, right], ids[left, right + 1] = ids[left, right + 1], ids[left, right]
        if self.word_dropout:
            ids[(rng.random(ids.shape) < self.word_dropout) & (ids != PAD_ID)] = UNKNOWN_ID
        return ids


def nearest_words(initial: InitialVectors) -> Ids:
    """The `NEAREST` words by cosine to each of the first `MOST`, (words, neighbours)."""
    size = min(MOST, len(initial.known))
    vectors = initial.matrix[:size]
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    nearest = np.repeat(np.arange(size, dtype=np.int32)[:, None], NEAREST, axis=1)
    known = np.flatnonzero(initial.known[:size])
    known = known[known >= len(SPECIALS)]
    if len(known) <= NEAREST:
        return nearest
    for first in range(0, len(known), 1000):
        rows = known[first : first + 1000]
        cosines = unit[rows] @ unit[known].T
        cosines[np.arange(len(rows)), first + np.arange(len(rows))] = -np.inf
        nearest[rows] = known[np.argpartition(-cosines, NEAREST, axis=1)[:, :NEAREST]]
    return nearest
