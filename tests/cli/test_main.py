"""Exit codes, and what is said where."""

from __future__ import annotations

import signal
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from seqkit import errors
from seqkit.cli import main as module
from seqkit.cli.main import main
from seqkit.version import __version__

Run = Callable[[Callable[[], object]], int]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a function as the command `seqkit fake`."""

    def run_as_command(function: Callable[[], object], *before: str) -> int:
        fake = types.ModuleType("fake_commands")
        fake.command = click.command("fake")(function)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "fake_commands", fake)
        monkeypatch.setitem(module.seqkit.lazy, "fake", "fake_commands:command")
        return main([*before, "fake"])

    return run_as_command


def raising(error: BaseException) -> Callable[[], None]:
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (errors.UsageError("vector_size: 0"), 2, "seqkit: error: vector_size: 0"),
        (errors.FormatError("short", path="v.txt", line=3), 65, "seqkit: error: v.txt, line 3: short"),
        (errors.UnknownWordError("kng", ["king"]), 65, "seqkit: error: 'kng' is not in the vocabulary"),
        (errors.MissingInputError("x: no such file"), 66, "seqkit: error: x: no such file"),
        (errors.UnavailableError("no network"), 69, "seqkit: error: no network"),
        (errors.SeqkitError("inside"), 70, "seqkit: error: inside"),
        (errors.StorageError("disk full"), 74, "seqkit: error: disk full"),
        (errors.DivergedError(7, 0.5, "lower it"), 76, "seqkit: error: training diverged at step 7"),
        (errors.InterruptedTraining(signal.SIGINT, "b.partial"), 130, "seqkit: stopped by SIGINT; the state"),
        (errors.InterruptedTraining(signal.SIGTERM, "b.partial"), 143, "seqkit: stopped by SIGTERM;"),
        (OSError(28, "No space left on device", "out"), 74, "seqkit: error: out: No space left on device"),
        (OSError("odd"), 74, "seqkit: error: odd"),
        (
            ZeroDivisionError("division by zero"),
            70,
            "seqkit: error: ZeroDivisionError: division by zero; this is",
        ),
        (MemoryError(), 71, "seqkit: error: out of memory; take less text"),
        (MemoryError("Unable to allocate"), 71, "seqkit: error: out of memory (Unable to allocate); take"),
        (KeyboardInterrupt(), 130, "seqkit: interrupted"),
        (click.Abort(), 130, "seqkit: interrupted"),
        (click.BadParameter("not so"), 2, "seqkit: error: Invalid value: not so"),
        (click.FileError("f", "gone"), 74, "seqkit: error: Could not open file 'f': gone"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_each_error_has_its_code_and_one_line(
    run: Run, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, line: str
) -> None:
    assert run(raising(error)) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(line)
    assert err.count("\n") == 1


@pytest.mark.slow
def test_the_memory_that_tensorflow_lacks(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    import tensorflow as tf

    @tf.function
    def large() -> tf.Tensor:
        return tf.reduce_sum(tf.random.uniform([1 << 22, 1 << 22]))  # 64 TiB

    assert run(large) == 71
    assert capsys.readouterr().err.startswith(
        "seqkit: error: out of memory (tensor with shape[4194304,4194304]); take less text"
    )


def test_every_error_class_has_a_code_of_the_documented_set() -> None:
    classes, found = [errors.SeqkitError], set()
    while classes:
        cls = classes.pop()
        classes += cls.__subclasses__()
        found.add(cls.exit_code)
    assert found == {2, 65, 66, 69, 70, 74, 76}


def test_success_is_zero(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(lambda: click.echo("answer")) == 0
    assert capsys.readouterr() == ("answer\n", "")


def test_debug_shows_the_traceback(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(raising(ZeroDivisionError("oh")), "--debug") == 70
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.rstrip().splitlines()[-1].startswith("seqkit: error: ZeroDivisionError: oh")


def test_what_an_error_quotes_cannot_drive_the_terminal(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run(raising(errors.UnknownWordError("k", ["\x1b[2J\u202egnik"])))
    assert "nearest spellings: \\x1b[2J\\u202egnik" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        (["embde"], "no such command 'embde'; did you mean 'embed'?", "seqkit"),
        (["embed", "trian"], "no such command 'trian'; did you mean 'train'?", "seqkit embed"),
        (["xyzzy"], "no such command 'xyzzy'; known: demo, embed, lm, sentiment, corpus", "seqkit"),
        (["--nope"], "No such option", "seqkit"),
        (["embed", "--nope"], "No such option", "seqkit embed"),
    ],
)
def test_usage_errors(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str, hint: str) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"seqkit: error: {said}")
    assert err.endswith(f" (see `{hint} --help`)\n")


@pytest.mark.parametrize("arguments", [[], ["embed"]])
def test_a_group_alone_shows_its_help_as_an_error(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Usage: seqkit")


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr() == (f"seqkit {__version__}\n", "")
    assert main(["--help"]) == 0
    assert main(["-h"]) == 0


START = """
import sys
from seqkit.cli import main
main.seqkit.lazy["fake"] = "fake:command"
sys.exit(main.main(["fake"]))
"""


def spawn(folder: Path, body: str, **kwargs: object) -> subprocess.Popen[str]:
    """A process that runs `body` as a command, away from the checkout."""
    lines = "import click, os, sys, time\n\n@click.command()\ndef command():\n    "
    (folder / "fake.py").write_text(lines + body.replace("\n", "\n    "), encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, "-c", START], cwd=folder, text=True, stderr=subprocess.PIPE, **kwargs
    )  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("write", ["click.echo('x' * 100)", "print('x' * 100)"])
def test_a_closed_pipe_ends_quietly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unbuffered: str, write: str
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    process = spawn(tmp_path, f"for _ in range(100_000): {write}", stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == "x" * 100 + "\n"
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")


def test_another_broken_pipe_is_an_error(tmp_path: Path) -> None:
    body = "read, write = os.pipe()\nos.close(read)\nos.write(write, b'x')"
    process = spawn(tmp_path, body, stdout=subprocess.PIPE)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (74, "seqkit: error: Broken pipe\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("write", ["click.echo('x')", "print('x')"])
def test_a_full_disk_is_noticed(tmp_path: Path, write: str) -> None:
    with open("/dev/full", "w") as full:
        process = spawn(tmp_path, write, stdout=full)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (74, "seqkit: error: No space left on device\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)])
def test_signals_outside_training(tmp_path: Path, number: signal.Signals, code: int) -> None:
    # A shell shows a process that SIGTERM killed, -15 here, as 128 + 15 = 143.
    # Short sleeps: Python notes a signal that comes just before a sleep's system call only after the sleep.
    body = "click.echo('ready')\nfor _ in range(1000): time.sleep(.1)"
    with spawn(tmp_path, body, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        try:
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == code
    assert "Traceback" not in err


def test_ctrl_c_while_a_class_is_made(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Python 3.11 then raises RuntimeError from the KeyboardInterrupt."""
    error = RuntimeError("Error calling __set_name__")
    error.__cause__ = KeyboardInterrupt()
    assert run(raising(error)) == 130
    assert capsys.readouterr().err == "seqkit: interrupted\n"


def test_closed_standard_streams_are_no_error(tmp_path: Path) -> None:
    for arguments in ("--version", "corpus list", "corpus stats --json kingdom:5"):
        command = f"exec {sys.executable} -m seqkit.cli {arguments} <&- >&- 2>&-"
        assert subprocess.run(["bash", "-c", command], cwd=tmp_path, check=False).returncode == 0


def test_module_and_script_are_the_same_program(tmp_path: Path) -> None:
    for program in ([sys.executable, "-m", "seqkit.cli"], [Path(sys.executable).with_name("seqkit")]):
        done = subprocess.run(
            [*program, "--version"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert done.stdout == f"seqkit {__version__}\n"


def test_shell_completion(tmp_path: Path) -> None:
    environment = {**module.os.environ, "_SEQKIT_COMPLETE": "bash_complete"}
    environment |= {"COMP_WORDS": "seqkit emb", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "seqkit.cli"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "plain,embed\n")
