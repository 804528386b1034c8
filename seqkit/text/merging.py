"""The ids of a corpus on disk: merged from several encoders, counted, rewritten with their final values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from seqkit.text.coding import CodedBlock
from seqkit.text.corpus import LINE_END
from seqkit.text.forms import FormTable
from seqkit.text.splitting import Split, parts

DROPPED, CUT = -2, -3
"""As final ids: the token is left out; a line is cut here, and ends if anything of it came before."""

SLICE = 1 << 22  # ids rewritten at a time: 16 MB
DIVIDED_SLICE = 1 << 19  # with what is held out: there each line takes about 100 bytes while its slice does


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

    def numbers(self, spellings: list[bytes]) -> NDArray[np.int32]:
        """The numbers of tokens, new ones for those that have none; shape (spellings,)."""
        numbers, unseen = self._numbering.numbers(b" ".join(spellings))
        self.spellings += unseen
        return numbers

    def add(self, worker: int, coded: CodedBlock) -> None:
        """Appends a block; for each worker in the order in which it encoded them."""
        numbers = self.numbers(coded.new_tokens)
        table = self._tables.get(worker, np.zeros(1, np.int32))
        end = coded.first_new + len(numbers)
        if end > len(table):
            table = self._tables[worker] = np.concatenate([table, np.zeros(end, np.int32)])
        table[coded.first_new : end] = numbers
        self.file.write(np.take(table, coded.codes).astype("<i4", copy=False).data)


def slices(file: BinaryIO, length: int) -> Iterator[NDArray[np.int32]]:
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
    for numbers in slices(file, max(SLICE, types)):
        counts += np.bincount(numbers, minlength=types)
    return counts


def count_divided(file: BinaryIO, types: int, split: Split) -> tuple[NDArray[np.int64], int]:
    """As `count`, in the training part alone.

    Args:
        file: numbers below `types`, as `Merge` writes them.
        types: how many different numbers there are.
        split: which part is held out.

    Returns:
        Counts, shape (types,), that of the ends of lines without meaning; how many tokens are held out.
    """
    counts, held_out = np.zeros(types, np.int64), 0
    for part in parts(slices(file, max(DIVIDED_SLICE, types)), split):
        counts += np.bincount(np.where(part.held_out, 0, part.numbers), minlength=types)
        held_out += int(np.count_nonzero(part.numbers[part.held_out]))
    return counts, held_out


def rewrite(file: BinaryIO, final: NDArray[np.int32], empty_lines: bool) -> None:
    """Replaces each number in the file, in place.

    Args:
        file: numbers, as `Merge` writes them.
        final: what each number becomes: a word id, `LINE_END` or `DROPPED`; shape (types,).
        empty_lines: keep the ends of lines that are then empty.
    """
    ids = _Ids(file, empty_lines)
    for numbers in slices(file, SLICE):
        ids.add(np.take(final, numbers))
    ids.close()


def rewrite_divided(
    file: BinaryIO, final: NDArray[np.int32], empty_lines: bool, split: Split, held_out: BinaryIO
) -> int:
    """As `rewrite`, with the held-out part moved to another file.

    Where a line is cut, what is left of it on either side of the cut is a line of its own.

    Args:
        file: numbers, as `Merge` writes them.
        final: what each number becomes: a word id, `LINE_END` or `DROPPED`; shape (types,).
        empty_lines: keep the ends of lines that are then empty.
        split: which part is held out.
        held_out: an empty file for the ids of that part.

    Returns:
        How many ids the second file has.
    """
    training, held = _Ids(file, empty_lines), _Ids(held_out, empty_lines)
    for part in parts(slices(file, DIVIDED_SLICE), split):
        ids = np.take(final, part.numbers)
        of_held = part.held_out[part.starts]
        for output, left_out, cuts in (
            (training, part.held_out, part.starts[of_held]),
            (held, ~part.held_out, part.starts[~of_held]),
        ):
            own = np.where(left_out, np.int32(DROPPED), ids)
            own[cuts] = CUT
            output.add(own)
    training.close()
    held.close()
    return held.written


class _Ids:
    """Writes final ids to a file from its beginning, without what is dropped.

    Args:
        file: where to.
        empty_lines: keep the ends of empty lines; those that a cut left empty are never kept.

    Attributes:
        written: how many ids are in the file.
    """

    def __init__(self, file: BinaryIO, empty_lines: bool) -> None:
        self.written = 0
        self._file, self._empty_lines, self._at_line_start = file, empty_lines, True

    def add(self, ids: NDArray[np.int32]) -> None:
        ids = ids[ids != DROPPED]
        ends = np.flatnonzero((ids == LINE_END) | (ids == CUT))
        empty = ends[np.diff(ends, prepend=-1 if self._at_line_start else -2) == 1]
        ids = np.delete(ids, empty[ids[empty] == CUT] if self._empty_lines else empty)
        ids[ids == CUT] = LINE_END
        self._file.seek(4 * self.written)
        self._file.write(ids.astype("<i4", copy=False).data)
        self.written += len(ids)
        self._at_line_start = bool(ids[-1] == LINE_END) if len(ids) else self._at_line_start

    def close(self) -> None:
        """Ends the file here."""
        self._file.truncate(4 * self.written)
        self._file.flush()
