"""The `seqkit` command: the table of commands, and the one place where errors become exit codes."""

from __future__ import annotations

import os
import re
import select
import sys
import traceback
from collections.abc import Sequence

import click

from seqkit.cli.common import note, safe
from seqkit.cli.lazy import LazyGroup
from seqkit.cli.startup import quieten_tensorflow
from seqkit.errors import InterruptedTraining, SeqkitError
from seqkit.version import __version__

INTERNAL_ERROR, NO_MEMORY, IO_ERROR, CTRL_C = 70, 71, 74, 130


@click.group(
    cls=LazyGroup,
    lazy={
        "demo": "seqkit.cli.demo:demo",
        "embed": "seqkit.cli.embed:embed",
        "lm": "seqkit.cli.lm:lm",
        "sentiment": "seqkit.cli.sentiment:sentiment",
        "corpus": "seqkit.cli.corpus:corpus",
        "debias": "seqkit.cli.debias:debias",
        "plot": "seqkit.cli.plot:plot",
    },
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 100},
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(__version__, prog_name="seqkit", message="%(prog)s %(version)s")
def seqkit(debug: bool) -> None:
    """Word vectors, language models and sentiment from text, on TensorFlow: train, ask, evaluate, write.

    Results go to standard output, everything else to standard error. `seqkit demo` shows it all at once.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: what follows `seqkit`; None takes it from the process.

    Returns:
        The exit code: see `seqkit.errors` and docs/cli.md.
    """
    _open_closed_streams()
    quieten_tensorflow()
    if "_SEQKIT_COMPLETE" in os.environ:
        seqkit.main(prog_name="seqkit")
    context: click.Context | None = None
    try:
        with seqkit.make_context("seqkit", list(sys.argv[1:] if arguments is None else arguments)) as context:
            seqkit.invoke(context)
        _flush_output()
    except click.exceptions.Exit as error:
        return _finish(error.exit_code)
    except Exception as error:
        return _report(error, debug=context is not None and bool(context.params.get("debug")))
    except KeyboardInterrupt:
        note("seqkit: interrupted")
        return CTRL_C
    return 0


def _is_interruption(error: BaseException | None) -> bool:
    """Whether Ctrl-C is what an error came from: while a class is made, Python 3.11 says RuntimeError."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__
    return False


def _open_closed_streams() -> None:
    """Sends to nowhere what is written to a stream that was closed (`>&-`).

    A file opened later would get the stream's number, and what a library writes there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115


def _finish(code: int) -> int:
    """The exit code of --help or --version, once their text is out."""
    try:
        _flush_output()
    except OSError as error:
        return _report(error, debug=False)
    return code


def _flush_output() -> None:
    """A full disk or a closed pipe must be noticed here, not while the interpreter shuts down."""
    sys.stdout.flush()


def _report(error: Exception, *, debug: bool) -> int:
    """One line on standard error; returns the exit code."""
    reader_has_gone = isinstance(error, BrokenPipeError) and _reader_has_gone()
    _settle_output()
    if reader_has_gone:
        return 0
    if isinstance(error, click.Abort) or _is_interruption(error):
        note("seqkit: interrupted")
        return CTRL_C
    if debug:
        note("".join(traceback.format_exception(error)), escape=False)
    code, message = _describe(error)
    note(message, escape=False)
    return code


def _describe(error: Exception) -> tuple[int, str]:
    """The exit code of an error, and its line."""
    match error:
        case click.exceptions.NoArgsIsHelpError():
            return error.exit_code, error.format_message()
        case click.UsageError():
            return error.exit_code, f"seqkit: error: {safe(error.format_message())}{_help_hint(error)}"
        case click.ClickException():
            return IO_ERROR, f"seqkit: error: {safe(error.format_message())}"
        case InterruptedTraining():
            return error.exit_code, f"seqkit: {safe(str(error))}"
        case SeqkitError():
            return error.exit_code, f"seqkit: error: {safe(str(error))}"
        case OSError():
            return IO_ERROR, f"seqkit: error: {safe(_describe_os_error(error))}"
        case _ if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
            return NO_MEMORY, f"seqkit: error: {safe(_describe_lack_of_memory(error))}"
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    hint = "this is a fault in seqkit; run `seqkit --debug ...` for the traceback"
    return INTERNAL_ERROR, f"seqkit: error: {safe(reason)}; {hint}"


def _help_hint(error: click.UsageError) -> str:
    return f" (see `{error.ctx.command_path} --help`)" if error.ctx else ""


def _describe_os_error(error: OSError) -> str:
    place = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
    return f"{place}{error.strerror or error}"


def _describe_lack_of_memory(error: Exception) -> str:
    """What there was no room for, where the error says it: TensorFlow does among many lines."""
    tensor = re.search(r"tensor with shape\[.*?\]", str(error))
    what = tensor[0] if tensor else str(error).partition("\n")[0]
    advice = "take less text or a smaller vocabulary, model or batch, or close other programs"
    return f"out of memory{f' ({what})' if what else ''}; {advice}"


def _reader_has_gone() -> bool:
    """Whether standard output is a pipe that nobody reads any more (`| head`)."""
    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
    except (AttributeError, OSError, ValueError):
        return True  # no such file descriptor, or a system without poll


def _settle_output() -> None:
    """Write what is still buffered, or send it nowhere: the interpreter must not fail on it when it exits."""
    try:
        _flush_output()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
