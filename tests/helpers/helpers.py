"""What several files of tests use; `pythonpath` in setup.cfg lets them import it."""

from __future__ import annotations

import os
import signal

from seqkit.progress import Silent


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
