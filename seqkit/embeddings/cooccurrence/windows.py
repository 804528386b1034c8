"""The contexts of each word in a stretch of text, found word by word rather than place by place.

The stretch is written out with `window` blanks for each end of a line, so that a window of fixed width
around a place holds all of its contexts and, where the line is over, blanks. Places are sorted by the word
that stands there (an inverted index); the windows of one word after another are then rows of a matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit.embeddings.cooccurrence.config import CooccurrenceConfig
from seqkit.embeddings.cooccurrence.rows import Rows, add_up
from seqkit.text.corpus import LINE_END

BYTES_PER_PLACE = 40
"""Memory that a stretch takes at most, for each word or blank of it, while it is sorted."""

BYTES_PER_CONTEXT = 40
"""Memory that a band takes at most, for each context of it, while it is added up."""


def stretches(ids: NDArray[np.int32], window: int, places: int) -> Iterator[tuple[int, int]]:
    """Cuts text into stretches that have at most so many places when they are written out.

    Args:
        ids: word ids with `LINE_END`.
        window: blanks for each end of a line.
        places: words and blanks of a stretch; at least one id is in each, however few places there are.

    Yields:
        First id and the one after the last.
    """
    start = 0
    while start < len(ids):
        ends = ids[start : start + places] == LINE_END
        stop = start + len(ends)
        if len(ends) + (window - 1) * np.count_nonzero(ends) > places:
            taken = np.searchsorted(np.cumsum(np.where(ends, window, 1)), places, side="right")
            stop = start + max(1, int(taken))
        yield start, stop
        start = stop


class Stretch:
    """A stretch of the text, its places sorted by word.

    Args:
        ids: all of the text, with `LINE_END`.
        start: its first id.
        stop: the id after its last; words beyond either border are contexts too.
        vocabulary: number of words.
        config: what is counted.
        band: at most so many places are looked at together.
    """

    def __init__(
        self,
        ids: NDArray[np.int32],
        start: int,
        stop: int,
        *,
        vocabulary: int,
        config: CooccurrenceConfig,
        band: int,
    ) -> None:
        from scipy.sparse import coo_array

        window = config.window
        first, last = max(0, start - window), min(len(ids), stop + window)
        ends = ids[first:last] == LINE_END
        near = np.where(ends, np.int32(vocabulary), ids[first:last])
        # A line's end stands for `window` blanks, of which this is the last; as many surround the whole.
        places = np.cumsum(np.where(ends, np.int32(window), np.int32(1)), dtype=np.int32)
        places += np.int32(window - 1)
        self._text = np.full(int(places[-1]) + 1 + window, vocabulary, np.int32)
        self._text[places] = near
        centres = slice(start - first, stop - first)
        index = coo_array(
            (np.ones(stop - start, np.int8), (near[centres], places[centres])),
            shape=(vocabulary + 1, len(self._text)),
        ).tocsr()
        self.offsets: NDArray[np.int64] = index.indptr[:-1].astype(np.int64)
        self._places: NDArray[np.int32] = index.indices
        self._blank, self._window = vocabulary, window
        self._band = min(band, stop - start)
        weights = _weights_of_window(config)
        self._width = len(weights)
        self._weights = np.tile(weights, self._band)

    def bands(self) -> Iterator[tuple[int, int]]:
        """Ranges of words, each for one call of `count`."""
        return bands(self.offsets, self._band)

    def count(self, first: int, last: int) -> Rows:
        """The rows of the words from `first` to before `last`; several threads may call it.

        Args:
            first: word id.
            last: word id after the last; the next, or such that there are no more places than in a band.
        """
        begin, end = int(self.offsets[first]), int(self.offsets[last])
        if end - begin <= self._band:
            return self._count(self.offsets[first : last + 1] - begin, begin)
        rows = self._count(np.array([0, self._band]), begin)
        for piece in range(begin + self._band, end, self._band):
            more = self._count(np.array([0, min(self._band, end - piece)]), piece)
            rows = add_up([rows, more], self._blank)
        return rows

    def _count(self, offsets: NDArray[np.int64], begin: int) -> Rows:
        places = self._places[begin : begin + int(offsets[-1])]
        windows: NDArray[np.int32] = np.lib.stride_tricks.sliding_window_view(self._text, self._width)
        contexts = windows[places - self._window]
        if self._width > self._window:
            contexts[:, self._window] = self._blank  # a word is no context of itself
        rows = Rows(offsets * self._width, contexts.reshape(-1), self._weights[: contexts.size])
        return add_up([rows], self._blank)


def bands(offsets: NDArray[np.int64], size: int) -> Iterator[tuple[int, int]]:
    """Cuts rows into ranges of at most `size` entries, or of one row.

    Args:
        offsets: where each row begins, and where the last ends.
        size: entries.

    Yields:
        First row and the one after the last.
    """
    first, rows = 0, len(offsets) - 1
    while first < rows:
        last = int(np.searchsorted(offsets, offsets[first] + size, side="right")) - 1
        last = min(max(last, first + 1), rows)
        yield first, last
        first = last


def _weights_of_window(config: CooccurrenceConfig) -> NDArray[Any]:
    """Units for each place of a window, from left to right; 0 for the word itself."""
    right = config.weights()
    if config.context == "left":
        return right[::-1].copy()
    return np.concatenate([right[::-1], [0], right])
