"""What several files of tests use; `pythonpath` in setup.cfg lets them import it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from seqkit.errors import BundleError
from seqkit.progress import Silent


@contextmanager
def signals_are_not_ours() -> Iterator[None]:
    """Should the code under test take no signal, the tests go on all the same."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: None) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def bits(trainer: Any) -> dict[str, bytes]:
    """The state of a trainer of vectors, byte by byte."""
    return {name: table.tobytes() for name, table in trainer.state().items()}


def bundle_refused(read: Callable[[Path], Any], path: Path, message: str) -> None:
    """Reading a bundle fails with a message of one line, not too long, that begins with its place."""
    with pytest.raises(BundleError, match=message) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    assert str(caught.value).startswith(str(path))


class Told(Silent):
    """Progress that keeps its messages."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def message(self, text: str) -> None:
        self.messages.append(text)


class Interrupting(Silent):
    """Sends a signal when a task has reported a number of times."""

    def __init__(self, reports: int = 1, number: int = signal.SIGINT, task: str = "training") -> None:
        self._left, self._number, self._task, self._now = reports, number, task, ""

    def start(self, task: str, total: float | None, unit: str) -> None:
        self._now = task

    def update(self, completed: float, **metrics: float) -> None:
        if self._now == self._task:
            self._left -= 1
            if self._left == 0:
                self.act()

    def act(self) -> None:
        os.kill(os.getpid(), self._number)


class Failing(Interrupting):
    """Ends a run by an error with its third report, that is after two checkpoints."""

    def __init__(self) -> None:
        super().__init__(3)

    def act(self) -> None:
        raise RuntimeError("enough")
