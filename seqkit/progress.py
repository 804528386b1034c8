"""The one way in which long work reports: the library calls it, the command line draws it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives the course of one task after another; tasks do not nest."""

    def start(self, task: str, total: float | None, unit: str) -> None:
        """A task begins: its name, its size (None where unknown) and the unit of that size ("words")."""

    def update(self, completed: float, **metrics: float) -> None:
        """`completed` units are done in all; metrics such as loss=…, learning_rate=… are the latest."""

    def message(self, text: str) -> None:
        """One line worth keeping: a warning, an evaluation, a checkpoint."""

    def finish(self) -> None:
        """The task is over, whether it succeeded or not."""


class Silent:
    """Reports nothing: the default everywhere in the library."""

    def start(self, task: str, total: float | None, unit: str) -> None:
        """Ignored."""

    def update(self, completed: float, **metrics: float) -> None:
        """Ignored."""

    def message(self, text: str) -> None:
        """Ignored."""

    def finish(self) -> None:
        """Ignored."""


SILENT = Silent()
