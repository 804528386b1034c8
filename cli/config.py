"""`--config FILE.toml`: options from a file, checked as strictly as those of the command line.

A key is named like its option, with hyphens or underscores (`vector-size` or `vector_size`). Keys at the
top of the file apply to whatever command is run; a table named after a command (`[embed.train]`) applies
to that command alone and wins over the top; an option given on the command line wins over both.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click

from seqkit.cli.common import FractionOrSource, require_existing
from seqkit.errors import UsageError, name_hint

# TOML names of the types that an option may have; bool is an int in Python, but not here.
_TOML_NAMES: Mapping[type, str] = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a string",
    list: "an array",
    dict: "a table",
}


def config_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: the option `--config FILE.toml`, which gives the other options their defaults."""
    return click.option(
        "--config",
        type=str,
        metavar="FILE.toml",
        is_eager=True,
        expose_value=False,
        callback=_apply,
        help="Take options from a TOML file; those given here win over it.",
    )(function)


def _apply(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    """Click's callback: read the file into the context's defaults."""
    if value is None or ctx.resilient_parsing:
        return
    ctx.default_map = {**(ctx.default_map or {}), **read_config(value, ctx)}


def read_config(path: str, ctx: click.Context) -> dict[str, Any]:
    """The settings of one command in a configuration file.

    Args:
        path: the TOML file.
        ctx: the context of the command.

    Returns:
        Parameter names and values.

    Raises:
        MissingInputError: there is no such file.
        UsageError: not TOML, an unknown key or table, a value of another type or out of range.
    """
    try:
        document = tomllib.loads(require_existing(path).read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a TOML file: {error}") from error
    options = _options_of(ctx)
    settings: dict[str, Any] = {}
    for table, keys in _tables_for(path, document, ctx):
        seen: dict[str, str] = {}
        for key, value in keys.items():
            name = key.replace("-", "_")
            if name not in options:
                raise _unknown(f"{path}: unknown key {key!r}{table}", name, options)
            option = options[name]
            if str(option.name) in seen:
                raise UsageError(f"{path}: {seen[str(option.name)]!r} and {key!r}{table} are the same option")
            seen[str(option.name)] = key
            settings[str(option.name)] = _checked(f"{path}: {key}{table}", value, option, ctx)
    return settings


def _options_of(ctx: click.Context) -> dict[str, click.Option]:
    """The options that a file may set, by every name that they go by, with underscores.

    An option wins over the parameter of another one: `output` is `--output`, wherever that goes.
    """
    options = [
        param for param in ctx.command.params if isinstance(param, click.Option) and not param.is_eager
    ]
    long = ((name, option) for option in options for name in option.opts if name.startswith("--"))
    return {str(option.name): option for option in options} | {
        name.removeprefix("--").replace("-", "_"): option for name, option in long
    }


def _tables_for(
    path: str, document: Mapping[str, Any], ctx: click.Context
) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """The keys that apply to the command, table by table from the top down, with words for errors."""
    chain = [ctx]
    while chain[0].parent is not None:
        chain.insert(0, chain[0].parent)
    names = [str(context.info_name) for context in chain[1:]]
    table = document
    for depth, context in enumerate(chain):
        where = f" in [{'.'.join(names[:depth])}]" if depth else ""
        subtables = {key for key, value in table.items() if isinstance(value, dict)}
        if isinstance(context.command, click.Group):
            commands = context.command.list_commands(context)
            for key in sorted(subtables - set(commands)):
                raise _unknown(f"{path}: unknown table [{'.'.join([*names[:depth], key])}]", key, commands)
            yield where, {key: value for key, value in table.items() if key not in subtables}
        else:
            yield where, table
        table = table.get(names[depth], {}) if depth < len(names) else {}


def _unknown(problem: str, name: str, known: Iterable[str]) -> UsageError:
    return UsageError(f"{problem}; {name_hint(name, sorted(known))}")


def _checked(where: str, value: Any, option: click.Option, ctx: click.Context) -> Any:
    """`value`, of the option's own type and range."""
    if option.multiple:
        if not isinstance(value, list):
            raise UsageError(f"{where}: expected an array, received {_describe(value)}")
        for item in value:
            _check_type(where, item, option)
    else:
        _check_type(where, value, option)
    try:
        option.type_cast_value(ctx, value)
    except click.BadParameter as error:
        raise UsageError(f"{where}: {error.message}") from error
    return value


def _check_type(where: str, value: Any, option: click.Option) -> None:
    """Click itself would turn 5.5 into 5, true into 1 and "12" into 12."""
    expected: type = str
    for click_type, python_type in (
        (click.types.BoolParamType, bool),
        (click.types.IntParamType, int),
        (click.types.FloatParamType, float),
    ):
        if isinstance(option.type, click_type):
            expected = python_type
    accepted: tuple[type, ...] = (int, float) if expected is float else (expected,)
    if isinstance(option.type, FractionOrSource):
        accepted = (str, float)
    if type(value) not in accepted:
        raise UsageError(f"{where}: expected {_TOML_NAMES[expected]}, received {_describe(value)}")


def _describe(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    kind = _TOML_NAMES.get(type(value), f"a {type(value).__name__}")
    return kind if isinstance(value, list | dict) else f"{kind} ({value!r})"
