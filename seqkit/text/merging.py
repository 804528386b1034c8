"""The ids of a corpus on disk: merged from several encoders, counted, rewritten with their final values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from seqkit.text.coding import CodedBlock
from seqkit.text.corpus import LINE_END
from seqkit.text.forms import FormTable

DROPPED = -2
"""As a final id: the token is left out."""

_SLICE = 1 << 22  # ids rewritten at a time: 16 MB


class Merge:
    """Brings the ids of several encoders into one numbering and writes them down.

    Args:
        file: where to; read and written from its beginning.

    Attributes:
        spellings: of each number (see `seqkit.text.coding.token_of`); 0 is the end of a line.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.spellings = [b""]
        self._numbering = FormTable()
        self._tables: dict[int, NDArray[np.int32]] = {}

    def add(self, worker: int, coded: CodedBlock) -> None:
        """Appends a block; for each worker in the order in which it encoded them."""
        numbers, unseen = self._numbering.numbers(b" ".join(coded.new_tokens))
        self.spellings += unseen
        table = self._tables.get(worker, np.zeros(1, np.int32))
        end = coded.first_new + len(numbers)
        if end > len(table):
            table = self._tables[worker] = np.concatenate([table, np.zeros(end, np.int32)])
        table[coded.first_new : end] = numbers
        self.file.write(np.take(table, coded.codes).astype("<i4", copy=False).data)


def _slices(file: BinaryIO, length: int) -> Iterator[NDArray[np.int32]]:
    """The numbers in the file, `length` at a time; the file may be rewritten up to where it was read."""
    position = 0
    while True:
        file.seek(position)
        data = file.read(4 * length)
        if not data:
            return
        position += len(data)
        yield np.frombuffer(data, "<i4")


def count(file: BinaryIO, types: int) -> NDArray[np.int64]:
    """How often each number stands in the file.

    Args:
        file: numbers below `types`, as `Merge` writes them.
        types: how many different numbers there are.

    Returns:
        Counts, shape (types,).
    """
    counts = np.zeros(types, np.int64)
    for numbers in _slices(file, max(_SLICE, types)):
        counts += np.bincount(numbers, minlength=types)
    return counts


def rewrite(file: BinaryIO, final: NDArray[np.int32]) -> None:
    """Replaces each number in the file, in place; the ends of lines that are then empty are left out too.

    Args:
        file: numbers, as `Merge` writes them.
        final: what each number becomes: a word id, `LINE_END` or `DROPPED`; shape (types,).
    """
    written, at_line_start = 0, True
    for numbers in _slices(file, _SLICE):
        ids = np.take(final, numbers)
        ids = ids[ids != DROPPED]
        ends = np.flatnonzero(ids == LINE_END)
        of_empty_lines = ends[np.diff(ends, prepend=-1 if at_line_start else -2) == 1]
        ids = np.delete(ids, of_empty_lines)
        file.seek(4 * written)
        file.write(ids.astype("<i4", copy=False).data)
        written += len(ids)
        at_line_start = bool(ids[-1] == LINE_END) if len(ids) else at_line_start
    file.truncate(4 * written)
    file.flush()
