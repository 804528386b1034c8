"""Joining phrases in a text of numbers: from left to right, what is joined is not joined again.

That is gensim's way (`FrozenPhrases.analyze_sentence`). A phrase is a path of numbers through a tree; all
places of a slice go down the tree together, a level at a time.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Places = NDArray[np.int64]

UNDECIDED = -1


class Joiner:
    """Replaces paths of numbers, slice by slice; a path may lie across the end of a slice.

    Args:
        paths: of at least two numbers each, and what each becomes; no path is the beginning of another.
        types: numbers are below this.
    """

    def __init__(self, paths: Mapping[tuple[int, ...], int], types: int) -> None:
        nodes: dict[tuple[int, ...], int] = {}
        for path in paths:
            for length in range(1, len(path) + 1):
                nodes.setdefault(path[:length], len(nodes) + 1)
        self._first = np.zeros(types, np.int32)  # the node below the root for each number; 0: none
        self._further = np.zeros(types, np.bool_)  # whether a number stands in a path behind its first place
        edges: dict[int, int] = {}
        for path, node in nodes.items():
            if len(path) == 1:
                self._first[path[0]] = node
            else:
                self._further[path[-1]] = True
                edges[nodes[path[:-1]] << 32 | path[-1]] = node
        self._edges = np.array(sorted(edges), np.int64)
        self._children = np.array([edges[key] for key in sorted(edges)], np.int32)
        self._result = np.full(len(nodes) + 1, UNDECIDED, np.int32)
        for path, result in paths.items():
            self._result[nodes[path]] = result
        self._rest = np.zeros(0, np.int32)

    def join(self, numbers: Ints, *, last: bool = False) -> Ints:
        """The next slice of the text with its phrases joined.

        Args:
            numbers: shape (numbers,); 0, a line's end, is in no path.
            last: whether the text ends here. If not, what may begin a phrase of the next slice waits for it.
        """
        text = np.concatenate([self._rest, numbers])
        begins, ends, results = self._greedy(*self._found(text, last))
        if len(results) and results[-1] == UNDECIDED:
            text, self._rest = text[: begins[-1]], text[begins[-1] :]
            begins, ends, results = begins[:-1], ends[:-1], results[:-1]
        else:
            self._rest = text[:0]
        text[begins] = results
        dropped = np.zeros(len(text), np.bool_)
        lengths = ends - begins
        for depth in range(1, int(lengths.max(initial=1))):
            dropped[begins[lengths > depth] + depth] = True
        return text[~dropped]

    def _found(self, text: Ints, last: bool) -> tuple[Places, Places, Ints]:
        """Begin, end and result of all paths in a text, by begin, `UNDECIDED` for those that its end cuts."""
        places = np.flatnonzero(np.take(self._first, text))
        nodes = np.take(self._first, text[places])
        found = []
        depth = 1
        while len(places):
            cut = places + depth == len(text)
            if cut.any() and not last:
                found.append((places[cut], places[cut] + depth, np.full(int(cut.sum()), UNDECIDED, np.int32)))
            places, nodes = places[~cut], nodes[~cut]
            following = text[places + depth]
            on = np.take(self._further, following)
            places, nodes, following = places[on], nodes[on], following[on]
            keys = nodes.astype(np.int64) << 32 | following
            edge = np.minimum(np.searchsorted(self._edges, keys), len(self._edges) - 1)
            on = self._edges[edge] == keys
            places, nodes = places[on], self._children[edge[on]]
            depth += 1
            results = self._result[nodes]
            whole = results != UNDECIDED
            found.append((places[whole], places[whole] + depth, results[whole]))
            places, nodes = places[~whole], nodes[~whole]
        if not found:
            return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int32)
        begins, ends, results = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        order = np.argsort(begins, kind="stable")
        return begins[order], ends[order], results[order]

    @staticmethod
    def _greedy(begins: Places, ends: Places, results: Ints) -> tuple[Places, Places, Ints]:
        """Of paths that overlap, those that a walk from left to right takes."""
        clear = begins[1:] >= np.maximum.accumulate(ends)[:-1]
        taken = np.append(True, clear)[: len(begins)]
        free = 0
        crowded = np.flatnonzero(~(taken & np.append(clear, True)[: len(begins)]))
        for index, begin, end in zip(
            crowded.tolist(), begins[crowded].tolist(), ends[crowded].tolist(), strict=True
        ):
            taken[index] = begin >= free
            if taken[index]:
                free = end
        return begins[taken], ends[taken], results[taken]
