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
    """

    def __init__(
        self, ids: NDArray[np.int32], start: int, stop: int, vocabulary: int, config: CooccurrenceConfig
    ) -> None:
        from scipy.sparse import coo_array

        window = config.window
        first, last = max(0, start - window), min(len(ids), stop + window)
        near = np.asarray(ids[first:last])
        is_word = near != LINE_END
        steps = np.where(is_word, np.int32(1), np.int32(window))
        # A line's end stands for `window` blanks; as many more surround the whole.
        places = np.cumsum(steps, dtype=np.int32) + np.int32(window - 1)
        self._text = np.full(int(places[-1]) + 1 + window, vocabulary, np.int32)
        self._text[places[is_word]] = near[is_word]
        centres = slice(start - first, stop - first)
        words, places = near[centres][is_word[centres]], places[centres][is_word[centres]]
        index = coo_array(
            (np.ones(len(words), np.int8), (words, places)), shape=(vocabulary, len(self._text))
        ).tocsr()
        self.offsets: NDArray[np.int64] = index.indptr.astype(np.int64)
        self._places: NDArray[np.int32] = index.indices
        self._blank, self._window = vocabulary, window
        self._weights = _weights_of_window(config)

    def count(self, first: int, last: int, places: int) -> Rows:
        """The rows of the words from `first` to before `last`.

        Args:
            first: word id.
            last: word id after the last.
            places: a word that stands at more places than this is counted piece by piece.
        """
        begin, end = int(self.offsets[first]), int(self.offsets[last])
        if last - first > 1 or end - begin <= places:
            return self._count(self.offsets[first : last + 1] - begin, begin)
        pieces = range(begin, end, places)
        rows = self._count(np.array([0, places]), begin)
        for piece in pieces[1:]:
            more = self._count(np.array([0, min(places, end - piece)]), piece)
            rows = add_up([rows, more], self._blank)
        return rows

    def _count(self, offsets: NDArray[np.int64], begin: int) -> Rows:
        width = len(self._weights)
        places = self._places[begin : begin + int(offsets[-1])]
        windows: NDArray[np.int32] = np.lib.stride_tricks.sliding_window_view(self._text, width)
        contexts = windows[places - self._window]
        if width > self._window:
            contexts[:, self._window] = self._blank  # a word is no context of itself
        weights: NDArray[np.int64] = np.tile(self._weights, len(places))
        rows = Rows(offsets * width, contexts.reshape(-1), weights)
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
