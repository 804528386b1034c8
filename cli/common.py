"""What every command shares: options, output that cannot drive the terminal, checks of paths."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import click

from seqkit._processors import MAX_THREADS
from seqkit.errors import MissingInputError, Place

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

# C0, DEL and C1 move the cursor or start an escape sequence; the rest reorders text or ends lines unseen,
# and a lone surrogate cannot be encoded at all.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_PRINTABLE = bytes(range(ord(" "), ord("~") + 1))

json_option: Decorator = click.option(
    "--json", "as_json", is_flag=True, help="Answer with one JSON object on one line."
)
quiet_option: Decorator = click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")
seed_option: Decorator = click.option(
    "--seed", type=click.IntRange(min=0), default=0, help="Seed of everything random."
)
device_option: Decorator = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "gpu"]),
    default="auto",
    help="Where to compute; auto takes a GPU where there is one.",
)
threads_option: Decorator = click.option(
    "--threads",
    type=click.IntRange(1, MAX_THREADS),
    default=None,
    help="Number of CPU threads.  [default: all cores]",
)

precision_option: Decorator = click.option(
    "--precision",
    type=click.Choice(["auto", "float32", "bfloat16"]),
    default="auto",
    help="Of the matrix products; auto takes what is faster here.",
)
checkpoint_option: Decorator = click.option(
    "--checkpoint-seconds", type=float, default=120.0, help="Time between two checkpoints of a long run."
)


def safe(text: str) -> str:
    r"""`text` with every character that could drive a terminal written as its escape.

    Escaped are the C0 and C1 control characters and DEL (as `\xNN`), bidirectional controls, line and
    paragraph separators and lone surrogates (as `\uNNNN`). Applied to words before they are shown.

    >>> print(safe("a\x1b[31mb\u202ec"))
    a\x1b[31mb\u202ec
    """
    # What can be printed is safe, and most text can; this is ten times as fast as looking for what is not.
    clean = not text.encode().translate(None, _PRINTABLE) if text.isascii() else text.isprintable()
    return text if clean else _UNSAFE.sub(lambda match: _escape(ord(match[0])), text)


def safe_lines(data: bytes) -> list[bytes]:
    r"""The lines of UTF-8 text, "\n" after each, all as `safe` writes them; fast where most are plain.

    >>> safe_lines(b"plain\na\x1b[31mb\n")
    [b'plain', b'a\\x1b[31mb']
    """
    import numpy as np

    lines = data.split(b"\n")[:-1]
    characters = np.frombuffer(data, np.uint8)
    odd = np.flatnonzero((characters < ord(" ")) | (characters > ord("~")))
    is_end = characters[odd] == ord("\n")
    for index in np.unique(np.cumsum(is_end)[~is_end]).tolist():
        lines[index] = safe(lines[index].decode("utf-8", "surrogatepass")).encode()
    return lines


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def note(text: str, *, escape: bool = True) -> None:
    """Write a line to standard error; a closed standard error is no reason to fail.

    Args:
        text: the line.
        escape: False for text of several lines whose parts are safe already.
    """
    with contextlib.suppress(OSError, ValueError):
        click.echo(safe(text) if escape else text, err=True)


def wants_colour() -> bool:
    """Whether standard output is a terminal with colours, and NO_COLOR (no-color.org) does not say no."""
    dumb = os.environ.get("TERM") in ("dumb", "unknown")
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and not dumb


def echo(text: str) -> None:
    """Write a line of a result to standard output, with `safe` applied."""
    click.echo(safe(text))


def emit_json(answer: Mapping[str, Any]) -> None:
    """Write the answer of a command as one JSON object on one line of standard output."""
    click.echo(json_line(answer))


def json_line(answer: Mapping[str, Any]) -> str:
    """A JSON object on one line, without its end, in characters that standard output has.

    Arrays and NumPy scalars become lists and numbers; NaN and infinities, which JSON lacks, become null.
    """
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    line = json.dumps(
        _plain(answer), ensure_ascii=not encoding.lower().startswith("utf"), allow_nan=False, sort_keys=False
    )
    # Inside a JSON string \u00NN is the only spelling; no unsafe character occurs outside strings.
    return line if line.isprintable() else _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", line)


def _plain(value: Any) -> Any:
    """`value` in JSON's own types."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, str | bool | int) or value is None:
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return [_plain(item) for item in value]


def echo_table(
    headers: Sequence[str], rows: Iterable[Sequence[object]], *, whole_names: bool = False
) -> None:
    """Write rows: a table on a terminal; elsewhere lines of tab-separated cells, without the headers.

    Args:
        headers: the column titles; all empty for none.
        rows: as many cells each; floats are shown with four decimals, None as nothing.
        whole_names: on a narrow terminal the last column gives way, and never the first.
    """
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(_cell(value) for value in row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text  # never str: rich would read [red] and :smile: in a word as orders

    lines = [list(row) for row in rows]
    table = Table(box=None, pad_edge=False, show_header=any(headers))
    for index, header in enumerate(headers):
        numeric = all(isinstance(line[index], int | float | None) for line in lines)
        whole = whole_names and index < len(headers) - 1
        justify: Literal["right", "left"] = "right" if numeric else "left"
        table.add_column(Text(header), justify=justify, overflow="fold", no_wrap=whole)
    for line in lines:
        table.add_row(*(Text(_cell(value)) for value in line))
    Console(markup=False, highlight=False, emoji=False).print(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:z.4f}" if isinstance(value, float) else safe(str(value))


def shown_perplexity(value: float) -> str:
    """With two decimals; in powers of ten where it says no more than that nothing was learned."""
    return f"{value:.2f}" if value < 1e7 else f"{value:.1e}"


class FractionOrSource(click.types.StringParamType):
    """A fraction, or the name of a source; in a configuration file a fraction may be a number."""


def fraction_of(given: str) -> float | None:
    """The number of an option that takes a fraction or a source; None for a source."""
    try:
        return float(given)
    except ValueError:
        return None


def require_existing(path: Place) -> Path:
    """`path`, checked to exist; click's own check would exit 2.

    Raises:
        MissingInputError: there is nothing at `path`.
    """
    place = Path(path)
    if not place.exists():
        raise MissingInputError(f"{place}: no such file or folder")
    return place
