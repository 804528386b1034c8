"""Rows on disk: what is written comes back; a full disk is told."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from seqkit.embeddings.cooccurrence.rows import Rows
from seqkit.embeddings.cooccurrence.runs import RunWriter, mapped
from seqkit.errors import StorageError

FIRST = Rows(np.array([0, 2, 2]), np.array([1, 4], np.int32), np.array([3, 1 << 60]))
SECOND = Rows(np.array([0, 1, 3]), np.array([0, 2, 3], np.int32), np.array([5, 6, 7]))


def test_rows_come_back(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "run") as writer:
        writer.append(FIRST)
        writer.append(SECOND)
    assert writer.total == 3 + (1 << 60) + 5 + 6 + 7
    run = writer.reader()
    assert run.offsets.tolist() == [0, 2, 2, 3, 5]
    middle = run.rows(1, 3)
    assert (middle.offsets.tolist(), middle.columns.tolist(), middle.sums.tolist()) == ([0, 0, 1], [0], [5])
    everything = run.rows(0, 4)
    assert everything.sums.tolist() == [3, 1 << 60, 5, 6, 7]
    run.delete()
    assert list(tmp_path.iterdir()) == []
    assert everything.columns.tolist() == [1, 4, 0, 2, 3]  # what is mapped stays


def test_values_are_divided_and_rounded_once(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "run", units=3) as writer:
        writer.append(SECOND)
    columns, values = mapped(tmp_path / "run", np.dtype(np.float32), 3)
    assert columns.tolist() == [0, 2, 3]
    assert values.tolist() == [np.float32(5 / 3), 2, np.float32(7 / 3)]


def test_nothing_at_all(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "run") as writer:
        pass
    assert writer.offsets().tolist() == [0]
    assert len(writer.reader().rows(0, 0).columns) == 0


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "run.values").touch()
    with pytest.raises(StorageError, match="run: could not write: File exists"), RunWriter(tmp_path / "run"):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a system without /dev/full")
def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, mode: str) -> BinaryIO:
        return open("/dev/full" if path.suffix == ".values" else path, "wb")

    monkeypatch.setattr(Path, "open", full)
    big = Rows(np.array([0, 1 << 16]), np.arange(1 << 16, dtype=np.int32), np.ones(1 << 16, np.int64))
    for rows in (SECOND, big):  # small enough to be buffered until the end, and not
        with (
            pytest.raises(StorageError, match="run: could not write: No space left on device") as caught,
            RunWriter(tmp_path / "run") as writer,
        ):
            writer.append(rows)
        assert caught.value.errno == errno.ENOSPC
