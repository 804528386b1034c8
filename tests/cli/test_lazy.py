"""Commands that are imported when they are asked for."""

from __future__ import annotations

import click
import pytest

from seqkit.cli import main as module
from seqkit.cli.lazy import LazyGroup
from seqkit.cli.main import main


def test_every_command_of_the_tables_loads() -> None:
    def walk(group: LazyGroup) -> None:
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            assert "Not available" not in str(command.help), name
            assert command.name == name
            if isinstance(command, LazyGroup):
                walk(command)

    walk(module.seqkit)


def test_a_command_that_cannot_be_imported_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(module.seqkit.lazy, "gone", "seqkit.cli.no_such_module:gone")
    assert main(["--help"]) == 0
    assert "Not available" in capsys.readouterr().out
    assert main(["gone", "--any", "thing"]) == 69
    assert "command 'gone' cannot be loaded" in capsys.readouterr().err


def test_something_else_than_a_command_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(module.seqkit.lazy, "wrong", "json:dumps")
    assert main(["wrong"]) == 70
    assert "json:dumps is a function, not a click command" in capsys.readouterr().err
