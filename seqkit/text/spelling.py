"""The words of nearest spelling, over a whole vocabulary at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MAX_LENGTH = 64
"""Longer words get no suggestions."""


def nearest(word: str, words: Sequence[str], n: int) -> list[str]:
    """The words within a few typing errors of `word`.

    Args:
        word: what was typed.
        words: what there is, the more frequent first.
        n: how many to give at most.

    Returns:
        By rising distance, then in the order of `words`. The distance counts letters inserted, deleted and
        replaced and neighbours swapped (optimal string alignment), ignoring case; it is at most 1 for words
        of up to 4 letters, 2 up to 8 and 3 beyond.
    """
    target = word.lower()
    if not 0 < len(target) <= MAX_LENGTH:
        return []
    limit = 1 + (len(target) > 4) + (len(target) > 8)
    shortest, longest = len(target) - limit, len(target) + limit
    near = [w for w in words if shortest <= len(w) <= longest and w != word]
    if not near:
        return []
    distances = _distances(target, np.array([w.lower() for w in near]))
    best = np.argsort(distances, kind="stable")[:n]
    return [near[i] for i in best.tolist() if distances[i] <= limit]


def _distances(target: str, words: NDArray[np.str_]) -> NDArray[np.int8]:
    """The distance of each word to the target: the textbook's table, filled for all words at a time."""
    width = words.dtype.itemsize // 4
    letters = words.view(np.uint32).reshape(len(words), width).T.copy()  # (width, words), 0 after the end
    # table[j] is the distance of the target's first i letters to each word's first j.
    older: list[NDArray[np.int8]] = []
    table = [np.full(len(words), j, np.int8) for j in range(width + 1)]
    for i, letter in enumerate(map(ord, target), 1):
        differs = [(row != letter).astype(np.int8) for row in letters]
        new = [np.full(len(words), i, np.int8)]
        for j in range(1, width + 1):
            cell = np.minimum(np.minimum(table[j], new[j - 1]) + 1, table[j - 1] + differs[j - 1])
            if i > 1 and j > 1:
                swapped = (letters[j - 1] == ord(target[i - 2])) & (differs[j - 2] == 0)
                cell = np.where(swapped, np.minimum(cell, older[j - 2] + 1), cell)
            new.append(cell)
        older, table = table, new
    lengths = np.count_nonzero(letters, axis=0)
    distances: NDArray[np.int8] = np.stack(table)[lengths, np.arange(len(words))]
    return distances
