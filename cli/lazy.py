"""A group whose commands are imported when they are asked for, so that none pays for another."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

from seqkit.errors import UnavailableError, name_hint


class LazyGroup(click.Group):
    """A click group that knows where its commands live, and loads each on first use.

    Args:
        lazy: command name to `"module:attribute"`, in the order in which help lists them.
    """

    def __init__(self, *args: Any, lazy: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = dict(lazy)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order of the table: the order in which a newcomer meets them."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; one that cannot be imported says why when it is run."""
        if cmd_name not in self.lazy:
            return None
        module, _, attribute = self.lazy[cmd_name].partition(":")
        try:
            command = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            return _unavailable(cmd_name, error)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.lazy[cmd_name]} is a {type(command).__name__}, not a click command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that `args` begins with; an unknown one is refused with the nearest names."""
        name = args[0]
        if name not in self.lazy and not name.startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"no such command {name!r}; {name_hint(name, self.lazy, most=3)}", ctx)
        return super().resolve_command(ctx, args)


def _unavailable(name: str, cause: Exception) -> click.Command:
    """A stand-in for a command that cannot be imported: help still lists it, running it says why."""

    def refuse() -> None:
        raise UnavailableError(f"command {name!r} cannot be loaded ({cause}); reinstall seqkit") from cause

    return click.Command(
        name,
        callback=refuse,
        help=f"Not available: {cause}.",
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
