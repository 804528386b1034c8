"""Options from a TOML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from seqkit.cli.common import json_option
from seqkit.cli.config import config_option
from seqkit.errors import MissingInputError, UsageError


@click.group()
def tool() -> None:
    pass


@tool.group()
def embed() -> None:
    pass


@embed.command()
@click.argument("corpus", nargs=-1)
@click.option("-o", "--output", required=True)
@click.option("--vector-size", type=click.IntRange(min=1), default=100)
@click.option("--sample", type=float, default=1e-3)
@click.option("--method", type=click.Choice(["skipgram", "glove"]), default="skipgram")
@click.option("--lowercase/--keep-case", default=True)
@click.option("--probe", multiple=True)
@json_option
@config_option
@click.pass_context
def train(ctx: click.Context, **options: Any) -> None:
    ctx.find_root().obj.update(options)


@embed.command()
def similar() -> None:
    pass


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "run.toml"


def invoke(config: Path, text: str, *arguments: str) -> tuple[Result, dict[str, Any]]:
    config.write_text(text, encoding="utf-8")
    options: dict[str, Any] = {}
    result = CliRunner().invoke(tool, ["embed", "train", "--config", str(config), *arguments], obj=options)
    return result, options


def accepted(config: Path, text: str, *arguments: str) -> dict[str, Any]:
    result, options = invoke(config, text, *arguments)
    assert result.exit_code == 0, result.exception or result.output
    return options


def refused(config: Path, text: str) -> str:
    result, _ = invoke(config, text, "-o", "b")
    assert isinstance(result.exception, UsageError)
    return str(result.exception).replace(str(config), "run.toml")


def test_every_kind_of_value(config: Path) -> None:
    text = """
    output = "bundle"
    vector-size = 300
    sample = 1
    method = "glove"
    lowercase = false
    probe = ["king", "queen"]
    json = true
    """
    assert accepted(config, text) == {
        "corpus": (),
        "output": "bundle",
        "vector_size": 300,
        "sample": 1.0,
        "method": "glove",
        "lowercase": False,
        "probe": ("king", "queen"),
        "as_json": True,
    }


def test_the_command_line_wins_over_the_table_and_the_table_over_the_top(config: Path) -> None:
    text = """
    output = "top"
    vector-size = 1
    sample = 0.5
    method = "glove"
    [embed]
    vector_size = 2
    sample = 0.25
    [embed.train]
    sample = 0.125
    [embed.similar]
    whatever = 3
    """
    options = accepted(config, text, "--method", "skipgram", "corpus")
    assert (options["output"], options["vector_size"], options["sample"]) == ("top", 2, 0.125)
    assert (options["method"], options["corpus"]) == ("skipgram", ("corpus",))
    assert accepted(config, "lowercase = false", "-o", "b", "--lowercase")["lowercase"] is True
    assert accepted(config, "lowercase = true", "-o", "b", "--keep-case")["lowercase"] is False
    assert accepted(config, 'probe = ["a"]', "-o", "b", "--probe", "c")["probe"] == ("c",)


def test_order_of_the_options_does_not_matter(config: Path) -> None:
    config.write_text("vector-size = 3", encoding="utf-8")
    options: dict[str, Any] = {}
    arguments = ["embed", "train", "--vector-size", "5", "-o", "b", "--config", str(config)]
    CliRunner().invoke(tool, arguments, obj=options, catch_exceptions=False)
    assert options["vector_size"] == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("vectr_size = 3", "run.toml: unknown key 'vectr_size'; did you mean 'vector_size'?"),
        (
            "[embed.train]\nvector-siz = 3",
            "run.toml: unknown key 'vector-siz' in [embed.train]; did you mean 'vector_s",
        ),
        (
            "[embed]\nxyzzy = 3",
            "run.toml: unknown key 'xyzzy' in [embed]; known: as_json, json, lowercase, method",
        ),
        ("corpus = ['a']", "run.toml: unknown key 'corpus'; known: "),
        ("config = 'a'", "run.toml: unknown key 'config'; known: "),
        ("[embde.train]\nsample = 1", "run.toml: unknown table [embde]; did you mean 'embed'?"),
        ("[embed.trian]\nsample = 1", "run.toml: unknown table [embed.trian]; did you mean 'train'?"),
        (
            "[embed.train.sample]\nx = 1",
            "run.toml: sample in [embed.train]: expected a number, received a table",
        ),
        ("vector-size = 5.5", "run.toml: vector-size: expected an integer, received a number (5.5)"),
        ("vector-size = true", "run.toml: vector-size: expected an integer, received true"),
        ("vector-size = '5'", "run.toml: vector-size: expected an integer, received a string ('5')"),
        ("vector-size = 0", "run.toml: vector-size: 0 is not in the range x>=1"),
        ("sample = '1e-3'", "run.toml: sample: expected a number, received a string ('1e-3')"),
        ("lowercase = 1", "run.toml: lowercase: expected true or false, received an integer (1)"),
        ("json = 'yes'", "run.toml: json: expected true or false, received a string ('yes')"),
        ("method = 3", "run.toml: method: expected a string, received an integer (3)"),
        ("method = 'cbow'", "run.toml: method: 'cbow' is not one of 'skipgram', 'glove'"),
        ("probe = 'king'", "run.toml: probe: expected an array, received a string ('king')"),
        ("probe = ['king', 3]", "run.toml: probe: expected a string, received an integer (3)"),
        ("method = 1979-05-27", "run.toml: method: expected a string, received a date"),
        ("vector-size = 1\nvector_size = 2", "run.toml: 'vector-size' and 'vector_size' are the same option"),
        ("vector-size 3", "run.toml: not a TOML file: Expected '=' after a key"),
    ],
)
def test_refused(config: Path, text: str, message: str) -> None:
    assert refused(config, text).startswith(message)


def test_bytes_that_are_not_text(config: Path) -> None:
    config.write_bytes(b"method = '\xff'")
    result = CliRunner().invoke(tool, ["embed", "train", "-o", "b", "--config", str(config)])
    assert isinstance(result.exception, UsageError)
    assert "not a TOML file" in str(result.exception)


def test_missing_file(config: Path) -> None:
    result = CliRunner().invoke(tool, ["embed", "train", "-o", "b", "--config", str(config)])
    assert isinstance(result.exception, MissingInputError)
    assert result.exception.exit_code == 66


def test_a_key_is_an_option_before_it_is_the_parameter_of_another(config: Path) -> None:
    @click.command()
    @click.option("--output", "bundle")
    @click.option("--output-vectors", "output")
    @config_option
    def both(**options: Any) -> None:
        click.echo(f"{options['bundle']} {options['output']}")

    config.write_text("\ufeffoutput = 'b'\noutput-vectors = 'sum'", encoding="utf-8")  # as Notepad writes it
    assert CliRunner().invoke(both, ["--config", str(config)]).output == "b sum\n"
