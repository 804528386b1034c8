"""What the searches for settings share: scales that are given, and a configuration of what was found."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seqkit.cli.common import note
from seqkit.errors import UsageError

if TYPE_CHECKING:
    from seqkit.training.scales import Scale

Setting = tuple[str, Any, list[str]]
"""Its key in a configuration, its value, and the words of a command line."""


def check_output(output: str | None, overwrite: bool) -> None:
    """Refuses a file that could not be written, before hours of search.

    Raises:
        UsageError: it is there and may not be replaced, or its folder is not there.
        StorageError: the working directory is not there any more.
    """
    from seqkit.storage import storage_errors

    if output and os.path.lexists(output) and not overwrite:
        raise UsageError(
            f"{output}: a file is there already; choose another name or overwrite it (--overwrite)"
        )
    if output is not None and os.path.isdir(output or "."):
        raise UsageError(f"{output or '.'}: is a folder; name a file to write to")
    if output:
        with storage_errors(output, "write"):
            if not Path(output).absolute().parent.is_dir():
                raise UsageError(f"{output}: there is no such folder to write to")


def scales_of(given: Iterable[str], fixed: set[str], names: Iterable[str]) -> dict[str, Scale]:
    """The scales of `--scale NAME=SCALE`, by setting.

    Args:
        given: what stands behind the option.
        fixed: settings with a value of their own.
        names: settings that can be drawn.

    Raises:
        UsageError: a setting that is fixed or cannot be drawn, or no scale.
    """
    from seqkit.training.scales import parse_scale

    known, scales = sorted(names), {}
    for each in given:
        name, _, scale = each.partition("=")
        name = name.strip().replace("-", "_")
        if name in fixed:
            raise UsageError(f"--scale {each}: {name} is given, so that there is nothing to draw")
        if name not in known:
            raise UsageError(f"--scale {each}: {name!r} is none of {', '.join(known)}")
        scales[name] = parse_scale(scale)
    return scales


def setting(command: click.Command, name: str, value: Any) -> Setting:
    """A value as the command that trains is told it, in a file and on its line.

    Args:
        command: that trains.
        name: of its parameter.
        value: true or false, one value, or a tuple of those of an option that is repeated.
    """
    param = next(param for param in command.params if param.name == name)
    flag = param.opts[-1]
    key = flag.removeprefix("--")
    if isinstance(value, bool):
        return key, value, [flag] if value else param.secondary_opts[-1:]
    if isinstance(value, tuple):
        return key, list(value), [word for each in value for word in (flag, str(each))]
    return key, value, [flag, str(value)]


def write_settings(output: str, table: str, settings: Iterable[Setting]) -> None:
    """Writes a configuration file.

    Args:
        output: the file, replaced if it is there.
        table: that the settings are in, "lm.train".
        settings: what goes in.

    Raises:
        StorageError: writing failed.
        UsageError: a value that is no Unicode text, as all of a configuration is: the name of a file.
    """
    from seqkit.storage import atomic_write_bytes

    lines = [f"[{table}]\n"]
    for name, value, _ in settings:
        told = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # TOML takes no raw one
        lines.append(f"{name} = {told}\n")
    try:
        data = "".join(lines).encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{output}: not written, a name in it is no UTF-8, as a configuration is") from error
    atomic_write_bytes(output, data)


def end_interrupted(ctx: click.Context, signal_number: int | None) -> None:
    """Ends a command that a signal has cut short, its answer being given; nothing where none came."""
    if signal_number is not None:
        note(f"stopped by {signal.Signals(signal_number).name}; this is what was found until then")
        ctx.exit(128 + signal_number)
