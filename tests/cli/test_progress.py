"""What a watcher sees of long work."""

from __future__ import annotations

import io
import os
import sys

import click
import pytest
from click.testing import CliRunner

from seqkit.cli import progress as module
from seqkit.cli.progress import LiveProgress, Meter, PlainProgress, UnbreakableStream, progress_for
from seqkit.progress import SILENT


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Broken(io.StringIO):
    """A pipe whose reader has gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        raise BrokenPipeError

    def isatty(self) -> bool:
        return True


def test_plain_lines_by_the_clock() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = PlainProgress(stream, clock=clock)
    progress.start("train", 1_000_000, "words")
    progress.update(100_000, loss=2.34567, learning_rate=0.025)
    clock.now += 9.9
    progress.update(199_000, loss=2.2, learning_rate=0.02)
    clock.now += 0.1
    # 100,000 words in the 10 s since the first update: 10 k words/s, and 800,000 more take 80 s.
    progress.update(200_000, loss=2.1, learning_rate=0.02)
    clock.now += 5
    progress.message("held-out loss 2.05")
    clock.now += 65
    # 900,000 words in 80 s
    progress.update(1_000_000, loss=1.5, learning_rate=0.0001)
    progress.finish()
    assert stream.getvalue().splitlines() == [
        "train: 1,000,000 words",
        "train: 20% of 1,000,000 words · 10 k words/s · loss 2.1 · learning rate 0.02 · 1:20 left",
        "held-out loss 2.05",
        "train: 1,000,000 words in 1:20 · 11.2 k words/s · loss 1.5 · learning rate 0.0001",
    ]


def test_a_task_of_unknown_size() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = PlainProgress(stream, clock=clock)
    progress.start("read", None, "bytes")
    progress.update(0)
    clock.now += 10
    progress.update(50_000_000)
    progress.finish()
    assert stream.getvalue().splitlines() == [
        "read: started",
        "read: 50,000,000 bytes · 5 M bytes/s",
        "read: 50,000,000 bytes in 10.0 s · 5 M bytes/s",
    ]


def test_a_stopped_task_says_how_far_it_came() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = PlainProgress(stream, clock=clock)
    progress.start("train", 1000, "words")
    clock.now += 1
    progress.update(250)
    progress.finish()
    assert stream.getvalue().splitlines()[-1] == "train: stopped at 25% of 1,000 words in 1.0 s"


def test_finish_without_start_and_twice_says_nothing() -> None:
    stream = io.StringIO()
    progress = PlainProgress(stream, clock=Clock())
    progress.finish()
    progress.update(3)
    assert stream.getvalue() == ""
    progress.start("t", 0, "x")
    progress.finish()
    lines = stream.getvalue()
    progress.finish()
    assert stream.getvalue() == lines == "t: 0 x\nt: 0 x in 0.0 s\n"


def test_a_resumed_task_does_not_count_what_was_done_before() -> None:
    clock = Clock()
    meter = Meter(clock)
    assert meter.rate is None
    meter.update(600)
    assert meter.rate is None
    clock.now += 4
    meter.update(1000)
    assert meter.rate == 100  # (1000 - 600) / 4
    assert meter.seconds == 4


def test_messages_cannot_drive_the_terminal() -> None:
    stream = io.StringIO()
    PlainProgress(stream, clock=Clock()).message("nearest: \x1b[31m\u202e")
    assert stream.getvalue() == "nearest: \\x1b[31m\\u202e\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (59.94, "59.9 s"), (59.96, "1:00"), (125.4, "2:05"), (3725, "1:02:05")],
)
def test_format_seconds(seconds: float, text: str) -> None:
    assert module.format_seconds(seconds) == text


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (7.891, "7.89"),
        (45_600, "45.6 k"),
        (999_900, "1 M"),
        (1_234_000, "1.23 M"),
        (12_000_000_000, "12,000 M"),
    ],
)
def test_format_rate(rate: float, text: str) -> None:
    assert module.format_rate(rate) == text


def test_live_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    progress = LiveProgress(terminal)
    progress.message("before")
    progress.start("train [red]", 1000, "words")
    progress.update(0)
    progress.message("probe :smile: [bold]king[/bold]")
    progress.update(1000, loss=1.23456, learning_rate=0.01)
    progress.finish()
    progress.finish()
    text = terminal.getvalue()
    assert text.startswith("before\n")
    for part in ("train [red]", "probe :smile: [bold]king[/bold]", "words/s", "loss 1.235", "100%"):
        assert part in text
    assert "learning rate 0.01" in text
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1  # the cursor hidden, and shown again


def test_results_pass_a_live_bar_by(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    progress = LiveProgress(terminal)
    progress.start("train", 10, "words")
    click.echo("result")
    progress.finish()
    assert capsys.readouterr().out == "result\n"
    assert "result" not in terminal.getvalue()


@pytest.mark.parametrize("make", [PlainProgress, LiveProgress])
def test_a_broken_standard_error_is_no_reason_to_stop(
    make: type[PlainProgress] | type[LiveProgress], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    progress = make(UnbreakableStream(Broken()))
    progress.start("train", 10, "words")
    progress.update(5, loss=1.0)
    progress.message("note")
    progress.finish()


def test_which_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    assert progress_for(quiet=True) is SILENT
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert isinstance(progress_for(quiet=False), PlainProgress)
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setitem(os.environ, "TERM", "xterm")
    assert isinstance(progress_for(quiet=False), LiveProgress)
    monkeypatch.setitem(os.environ, "TERM", "dumb")
    assert isinstance(progress_for(quiet=False), PlainProgress)
    monkeypatch.setattr(sys, "stderr", None)
    assert progress_for(quiet=False) is SILENT


def test_an_error_finishes_the_progress() -> None:
    @click.command()
    def command() -> None:
        progress_for(quiet=False).start("train", 10, "words")
        raise ValueError("oh")

    result = CliRunner().invoke(command)
    assert isinstance(result.exception, ValueError)
    assert result.stderr == "train: 10 words\ntrain: stopped at 0% of 10 words in 0.0 s\n"
