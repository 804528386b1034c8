"""Processes that answer requests: parts of any size, failures that are told."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from seqkit._workers import Worker, Workers
from seqkit.errors import SeqkitError


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """One whose processes turn parts round, and fail at an empty one."""
    (tmp_path / "turning.py").write_text("""
from seqkit._workers import answer_requests

def serve(argument):
    def answer(*parts):
        if b"" in parts:
            raise ValueError("an empty part")
        return [argument.encode(), *(memoryview(part)[::-1].tobytes() for part in parts)]
    answer_requests(answer)
""")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    return "turning"


def test_parts_of_any_number_and_size(module: str) -> None:
    large = np.arange(1 << 18, dtype=np.int32)

    def ask(worker: Worker, parts: list[bytes | memoryview]) -> list[bytes]:
        return [bytes(part) for part in worker.ask(*parts)]

    with Workers(module, "name", 2) as workers:
        found = list(workers.map(ask, [[], [b"ab", b"c"], [large.data]], 2))
    assert found == [[b"name"], [b"name", b"ba", b"c"], [b"name", large.tobytes()[::-1]]]


def test_a_failure_is_told_and_the_worker_goes_on(module: str) -> None:
    with Workers(module, "name", 1) as workers:
        found = workers.map(lambda worker, part: worker.ask(part), [b"ab", b"", b"c"], 0)
        assert next(found)[1] == b"ba"
        with pytest.raises(SeqkitError, match="a worker failed: ValueError: an empty part"):
            next(found)
        assert next(workers.map(lambda worker, part: worker.ask(part), [b"cd"], 0))[1] == b"dc"


def test_a_module_that_cannot_be_imported_is_an_error_not_a_hang() -> None:
    with Workers("no_such_module", "", 1) as workers, pytest.raises(SeqkitError, match="exit code 1"):
        list(workers.map(lambda worker, part: worker.ask(part), [b"a"], 0))
