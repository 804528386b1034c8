"""Rows on disk: written once from first to last, then read by memory-mapping."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from seqkit.embeddings.cooccurrence.rows import Rows
from seqkit.storage import storage_errors


class RunWriter:
    """Writes the rows of a matrix in their order; a context manager.

    Args:
        path: PATH.columns and PATH.values are written; they must not be there.
        units: sums are divided by this and stored as float32; None stores them as they are, int64.

    Attributes:
        total: units of all that was written.
    """

    def __init__(self, path: Path, units: int | None = None) -> None:
        self._path, self._units = path, units
        self._lengths: list[NDArray[np.int64]] = []
        self.total = 0

    def __enter__(self) -> Self:
        with storage_errors(self._path, "write"), ExitStack() as opened:
            self._columns, self._values = (
                opened.enter_context(path.open("xb")) for path in _files(self._path)
            )
            self._opened = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with storage_errors(self._path, "write"):
            self._opened.close()

    def append(self, rows: Rows) -> None:
        """Adds the next rows.

        Raises:
            StorageError: the system refused.
        """
        values: NDArray[Any] = rows.sums
        if self._units is not None:
            values = (rows.sums / self._units).astype(np.float32)
        with storage_errors(self._path, "write"):
            self._columns.write(rows.columns.data)
            self._values.write(values.data)
        self._lengths.append(np.diff(rows.offsets))
        self.total += int(rows.sums.sum())

    def offsets(self) -> NDArray[np.int64]:
        """Where each row begins, and where the last ends, of all that was written."""
        return np.cumsum(np.concatenate([[0], *self._lengths]), dtype=np.int64)

    def reader(self) -> Run:
        """What was written, once the writer is closed; only without units."""
        return Run(self._path, self.offsets())


class Run:
    """Rows that a `RunWriter` without units has written.

    Args:
        path: as given to the writer.
        offsets: what the writer has.
    """

    def __init__(self, path: Path, offsets: NDArray[np.int64]) -> None:
        self._path, self.offsets = path, offsets
        self._columns, self._sums = mapped(path, np.dtype(np.int64), int(offsets[-1]))

    def rows(self, first: int, last: int) -> Rows:
        """The rows from `first` to before `last`."""
        begin, end = self.offsets[first], self.offsets[last]
        columns, sums = (np.asarray(array[begin:end]) for array in (self._columns, self._sums))
        return Rows(self.offsets[first : last + 1] - begin, columns, sums)

    def delete(self) -> None:
        """Removes the files; what of them is in use stays readable."""
        for path in _files(self._path):
            with suppress(OSError):
                path.unlink()


def mapped(path: Path, dtype: np.dtype[Any], entries: int) -> tuple[NDArray[np.int32], NDArray[Any]]:
    """Columns and values that a `RunWriter` has written, memory-mapped and read-only.

    Args:
        path: as given to the writer.
        dtype: of the values.
        entries: how many there are.
    """
    if not entries:
        return np.empty(0, np.int32), np.empty(0, dtype)
    columns, values = _files(path)
    with storage_errors(path, "read"):
        return np.memmap(columns, np.int32, "r"), np.memmap(values, dtype, "r")


def _files(path: Path) -> tuple[Path, Path]:
    return path.with_suffix(".columns"), path.with_suffix(".values")
