"""`seqkit lm search`: its answer, the command and the configuration that train with what was found."""

from __future__ import annotations

import json
import math
import os
import shlex
import signal
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest

from seqkit.cli import lm_search, lm_train
from seqkit.cli.config import read_config
from seqkit.cli.lm import lm as group
from seqkit.cli.main import main
from seqkit.cli.main import seqkit as root
from seqkit.training.signals import Stopped

GIVEN = ("--tokenizer", "whitespace", "--layers", "1", "--units", "8", "--batch-size", "4", "--bptt", "8")
GIVEN += ("--tied", "--threads", "1", "--precision", "float32", "--seed", "3")
SEARCH = ("lm", "search", "text", "--epochs", "2", "--trials", "2", "--valid", "0.2", *GIVEN)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text("a b c d\n" * 100)
    return tmp_path


def parsed(*arguments: str, **options: Any) -> Any:
    return lm_train.configured(lm_train.train.make_context("train", [*arguments], **options).params)


@pytest.mark.slow
def test_what_is_found_can_be_trained_with(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SEARCH, "-o", "run.toml", "--json", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert (err, out.count("\n")) == ("", 1)
    answer = json.loads(out)
    assert list(answer) == ["best", "trials", "command", "interrupted"]
    # two rounds of two trials, with an epoch each: half an epoch each
    assert [(each["trial"], each["round"], each["epochs"]) for each in answer["trials"]] == [
        *((1, 1, 0.5), (2, 1, 0.5), (3, 2, 0.5), (4, 2, 0.5))
    ]
    best = answer["best"]
    assert best == min(answer["trials"], key=lambda each: each["validation_loss"])
    assert best["validation_perplexity"] == pytest.approx(math.exp(best["validation_loss"]))
    assert list(best["settings"]) == ["learning_rate", "beta_1", "dropout"]  # units are given

    seqkit, *words = shlex.split(answer["command"])
    assert (seqkit, words[:5]) == ("seqkit", ["lm", "train", "text", "-o", "BUNDLE"])
    network, text, training, valid = parsed(*words[2:])
    assert (network.units, network.layers, network.tied) == (8, 1, True)
    assert (text.tokenizer, text.validation, valid) == ("whitespace", 0.2, [])
    assert (training.batch_size, training.bptt, training.seed) == (4, 8, 3)
    update = training.optimizer
    assert [update.learning_rate, update.beta_1, network.dropout] == list(best["settings"].values())

    parent = click.Context(group, info_name="lm", parent=click.Context(root, info_name="seqkit"))
    context = click.Context(lm_train.train, info_name="train", parent=parent)
    from_file = parsed("text", "-o", "BUNDLE", default_map=read_config("run.toml", context))
    assert from_file == (network, text, training, valid)
    assert main([*SEARCH, "-o", "run.toml", "--quiet"]) == 2
    assert "a file is there already" in capsys.readouterr().err


def test_the_table_has_the_best_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scale = ("--scale", "learning-rate=choice:0.02,0.03", "--dropout", "0.1")
    assert main([*SEARCH, *scale, "--preset", "char", "--level", "word", "--momentum", "0.5"]) == 0
    out, err = capsys.readouterr()
    *rows, command = out.splitlines()
    assert 2 <= len(rows) <= 4
    cells = [row.split("\t") for row in rows]
    losses = [float(each[-1]) for each in cells]
    assert losses == sorted(losses)
    assert all(float(each[1]) in (0.02, 0.03) for each in cells)
    network, _, training, _ = parsed(*shlex.split(command)[3:])
    # what is given wins over the preset, and what is found, too
    assert (network.units, network.dropout, training.optimizer.momentum) == (8, 0.1, 0.5)
    assert training.optimizer.learning_rate == float(cells[0][1])
    assert training.optimizer.schedule.name == "cosine"
    assert "trial 1 (" in err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("text",), 2, "give either the minutes or the epochs"),
        (("text", "--epochs", "1", "--minutes", "1"), 2, "give either the minutes or the epochs"),
        (("text", "--minutes", "0"), 2, "minutes must be above 0, not 0"),
        (("text", "--epochs", "1", "--valid", "0"), 2, "text to validate on"),
        (("text", "--epochs", "1", "--scale", "units=log:1"), 2, "should be SCALE:LOW,HIGH"),
        (("text", "--epochs", "1", "--scale", "tied=choice:0,1"), 2, "'tied' is none of accumulation"),
        (("text", "--epochs", "1", "--scale", "unit=log:1,2"), 2, "'unit' is none of"),
        (("text", "--epochs", "1", "--units", "8", "--scale", "units=log:1,9"), 2, "units is given"),
        (("text", "--epochs", "1", "-o", "no/run.toml"), 2, "there is no such folder"),
        (("nowhere.txt", "--epochs", "1"), 66, "nowhere.txt"),
    ],
)
def test_what_stops_a_search(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, message: str
) -> None:
    assert main(["lm", "search", *arguments, "--quiet"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
    assert os.listdir(folder) == ["text"]


def test_a_working_directory_that_has_been_deleted(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told before the search, not when what it found is written."""
    (folder / "gone").mkdir()
    monkeypatch.chdir(folder / "gone")
    (folder / "gone").rmdir()
    assert main(["lm", "search", str(folder / "text"), "--epochs", "1", "-o", "run.toml"]) == 74
    reason = "the working directory has been deleted; change to another"
    assert capsys.readouterr().err == f"seqkit: error: run.toml: could not write: {reason}\n"


def test_what_was_found_outlives_a_signal(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The third of four evaluations is interrupted: the better of two is told, and written."""
    losses = iter([2.0, 1.0])

    def loss(self: Any, settings: Any, resource: float) -> float:
        value = next(losses, None)
        if value is None:
            raise Stopped(signal.SIGINT)
        return value

    monkeypatch.setattr("seqkit.language_model.search._Trials.loss", loss)
    assert main([*SEARCH, "-o", "run.toml", "--json", "-q"]) == 130
    out, err = capsys.readouterr()
    answer = json.loads(out)
    assert answer["interrupted"]
    assert [each["validation_loss"] for each in answer["trials"]] == [2.0, 1.0]
    assert answer["best"] == answer["trials"][1]
    assert err == "stopped by SIGINT; this is what was found until then\n"
    written = tomllib.loads((folder / "run.toml").read_text())["lm"]["train"]
    assert written["learning-rate"] == answer["best"]["settings"]["learning_rate"]

    losses = iter([])
    assert main([*SEARCH, "-q"]) == 130
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1


def test_its_options_are_those_of_training() -> None:
    shared = {param.name: param for param in lm_train.train.params if param.name not in lm_search.LEFT_OUT}
    own = {param.name: param for param in lm_search.search.params}
    assert {*shared} <= {*own}
    assert len(own) == len(lm_search.search.params)
    assert own["learning_rate"] is shared["learning_rate"]
