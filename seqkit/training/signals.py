"""Ctrl-C and SIGTERM while a model trains: the first asks to stop at a safe point, the second ends at once.

Where there is no safe point to wait for (text is being read, libraries are being loaded), the first one ends
at once, too. Outside the main thread, where Python handles no signals, and for a signal that the process
ignores (SIGINT under nohup or in the background of a script), nothing is changed.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

Handler = Callable[[int, FrameType | None], None]


class Stopped(KeyboardInterrupt):
    """A signal that ends the work at once, raised where the work was; not an `Exception`, as Ctrl-C is none.

    Args:
        signal_number: SIGINT or SIGTERM.
    """

    def __init__(self, signal_number: int) -> None:
        self.signal_number = signal_number
        super().__init__(signal.Signals(signal_number).name)


class _Signals:
    """Handles SIGINT and SIGTERM while its block runs."""

    def __init__(self) -> None:
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                previous = signal.getsignal(number)
                if previous not in (signal.SIG_IGN, None):  # None: handled by a library in C
                    self._previous[number] = previous
                    signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        raise NotImplementedError

    def _restore(self) -> None:
        while self._previous:
            signal.signal(*self._previous.popitem())


class StopRequest(_Signals):
    """Takes note of the first signal while its block runs; a second one acts as it would without the block.

    Attributes:
        signal_number: of the signal that came, None before.
    """

    def __init__(self) -> None:
        super().__init__()
        self.signal_number: int | None = None

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.signal_number = number
        self._restore()


class StopAtOnce(_Signals):
    """Ends its block by `Stopped` as soon as a signal comes."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        # Where a library is being loaded: what is raised in the body of a class becomes a RuntimeError.
        if error is not None and isinstance(error.__cause__, Stopped):
            raise error.__cause__ from None

    def _handle(self, number: int, frame: FrameType | None) -> None:
        raise Stopped(number)
