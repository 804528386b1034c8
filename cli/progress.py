"""How long work is shown: a live bar on a terminal, a line now and then elsewhere, nothing with --quiet."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import IO, Any, TextIO

import click

from seqkit.cli.common import safe
from seqkit.progress import SILENT, Progress

INTERVAL = 10.0  # seconds between two plain lines


def progress_for(quiet: bool) -> Progress:
    """The progress that suits standard error; it is finished at the latest when the command ends.

    Args:
        quiet: whether to show nothing, as --quiet asks.

    Returns:
        A live bar on a terminal, plain lines elsewhere, `SILENT` if quiet or standard error is closed.
    """
    if quiet or sys.stderr is None:
        return SILENT
    stream = UnbreakableStream(sys.stderr)
    live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    progress: Progress = LiveProgress(stream) if live else PlainProgress(stream)
    if context := click.get_current_context(silent=True):
        context.call_on_close(progress.finish)  # an error must not leave the terminal without its cursor
    return progress


class UnbreakableStream:
    """A text stream whose writes never raise: a closed pipe must not end a training run.

    Args:
        stream: where the text goes as long as that works.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write `text`, or lose it."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, or not."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Meter:
    """Counts a task's units over time.

    The rate is measured from the first update on, so that neither the work before it nor units already
    done by an earlier run (a resumed task begins with a leap) count.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.started = clock()
        self.completed = 0.0
        self._first: tuple[float, float] | None = None

    def update(self, completed: float) -> None:
        """`completed` units are done in all."""
        self.completed = completed
        if self._first is None:
            self._first = (self._clock(), completed)

    @property
    def seconds(self) -> float:
        """Time since the task began."""
        return self._clock() - self.started

    @property
    def rate(self) -> float | None:
        """Units per second; None before there is a second update."""
        if self._first is None:
            return None
        seconds, units = self._clock() - self._first[0], self.completed - self._first[1]
        return units / seconds if units > 0 and seconds > 0 else None


class PlainProgress:
    """A line when a task starts, one every ten seconds, one when it ends.

    Args:
        stream: where the lines go.
        clock: seconds, monotonic.
    """

    def __init__(
        self, stream: IO[str] | UnbreakableStream, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream, self._clock = stream, clock
        self._meter: Meter | None = None

    def start(self, task: str, total: float | None, unit: str) -> None:
        """A task begins."""
        self._task, self._total, self._unit = task, total, unit
        self._metrics: Mapping[str, float] = {}
        self._meter = Meter(self._clock)
        self._written = self._clock()
        self.message(f"{task}: {f'{total:,.0f} {unit}' if total is not None else 'started'}")

    def update(self, completed: float, **metrics: float) -> None:
        """`completed` units are done; a line if the last one is old and there is more to come."""
        if self._meter is None:
            return
        self._meter.update(completed)
        self._metrics = metrics or self._metrics
        if self._clock() - self._written >= INTERVAL and completed != self._total:
            self._written = self._clock()
            self.message(self._line(_share(completed, self._total, self._unit), left=True))

    def message(self, text: str) -> None:
        """One line, at once."""
        self._stream.write(f"{safe(text)}\n")
        self._stream.flush()

    def finish(self) -> None:
        """The task is over: its size, time, rate and last metrics."""
        if self._meter is None:
            return
        done = self._meter.completed
        stopped = self._total is not None and done < self._total
        share = (
            f"stopped at {_share(done, self._total, self._unit)}" if stopped else f"{done:,.0f} {self._unit}"
        )
        self.message(self._line(f"{share} in {format_seconds(self._meter.seconds)}", left=False))
        self._meter = None

    def _line(self, share: str, *, left: bool) -> str:
        meter = self._meter
        parts = [share]
        if meter is not None and meter.rate is not None:
            parts.append(f"{format_rate(meter.rate)} {self._unit}/s")
        parts += format_metrics(self._metrics)
        if left and meter is not None and meter.rate is not None and self._total is not None:
            parts.append(f"{format_seconds((self._total - meter.completed) / meter.rate)} left")
        return f"{self._task}: {' · '.join(parts)}"


def _share(completed: float, total: float | None, unit: str) -> str:
    if not total:
        return f"{completed:,.0f} {unit}"
    return f"{completed / total:.0%} of {total:,.0f} {unit}"


def format_rate(rate: float) -> str:
    """Three significant digits are all that a rate has: 1.23 M, 45.6 k, 7.89."""
    size, suffix = next(scale for scale in ((1e6, " M"), (1e3, " k"), (0, "")) if rate >= 0.9995 * scale[0])
    number = rate / (size or 1)
    return f"{number:,.0f}{suffix}" if number >= 999.5 else f"{number:.3g}{suffix}"


def format_seconds(seconds: float) -> str:
    """`3.4 s` up to a minute, `2:05` and `1:02:05` beyond."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def format_metrics(metrics: Mapping[str, float]) -> list[str]:
    """`loss 2.346`, `learning rate 0.01234`: the name in words, four significant digits."""
    return [f"{name.replace('_', ' ')} {value:.4g}" for name, value in metrics.items()]


class LiveProgress:
    """A live bar with rate, metrics and the time left, drawn by rich.

    Args:
        stream: the terminal.
    """

    def __init__(self, stream: IO[str] | UnbreakableStream) -> None:
        self._stream = stream
        self._bar: Any = None

    def start(self, task: str, total: float | None, unit: str) -> None:
        """A task begins: a bar appears."""
        from rich.console import Console
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self.finish()
        self._unit, self._meter = unit, Meter(time.monotonic)
        self._bar = Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[details]}", markup=False),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=Console(file=self._stream, markup=False, highlight=False, emoji=False),  # type: ignore[arg-type]
            redirect_stdout=False,  # results go there, and the bar is not there
        )
        self._task = self._bar.add_task(safe(task), total=total, details="")
        self._bar.start()

    def update(self, completed: float, **metrics: float) -> None:
        """`completed` units are done; rich draws ten times a second at most."""
        if self._bar is None:
            return
        self._meter.update(completed)
        rate = [] if self._meter.rate is None else [f"{format_rate(self._meter.rate)} {self._unit}/s"]
        self._bar.update(self._task, completed=completed, details=" · ".join(rate + format_metrics(metrics)))

    def message(self, text: str) -> None:
        """One line above the bar."""
        if self._bar is None:
            self._stream.write(f"{safe(text)}\n")
            self._stream.flush()
        else:
            self._bar.console.print(safe(text), markup=False, highlight=False, emoji=False, soft_wrap=True)

    def finish(self) -> None:
        """The bar stays as it is, the cursor comes back."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
