"""`seqkit sentiment search`: its answer, what trains with it, and what is left after Ctrl-C."""

from __future__ import annotations

import json
import os
import shlex
import signal
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest

from seqkit.cli import sentiment_search, sentiment_train
from seqkit.cli.main import main
from seqkit.cli.searching import write_settings
from seqkit.cli.sentiment_options import SETTINGS, fit_config
from seqkit.sentiment import search as library
from seqkit.sentiment.model import SentimentModel
from seqkit.sentiment.search import SPACES

LINES = [
    f"{label}\tthe {thing} was {word}"
    for thing in ("film", "food", "book", "room", "phone", "plot")
    for label, words in {"negative": ("awful", "bad"), "positive": ("good", "great")}.items()
    for word in words
]
SEARCH = (
    "sentiment",
    "search",
    "data.tsv",
    "--minutes",
    "1",
    "--trials",
    "2",
    "--valid",
    "0.25",
    "--seed",
    "3",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.tsv").write_text("\n".join(LINES) + "\n")
    return tmp_path


def parsed(*arguments: str) -> Any:
    return fit_config(sentiment_train.train.make_context("train", [*arguments]).params)


def test_what_is_found_can_be_trained_with(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ("--ngrams", "2", "--keep-case")
    assert main([*SEARCH, *given, "-o", "found.toml", "--json", "-q"]) == 0
    out, err = capsys.readouterr()
    assert (err, out.count("\n")) == ("", 1)
    answer = json.loads(out)
    assert list(answer) == ["best", "trials", "command", "interrupted"]
    best = answer["best"]
    assert list(best) == ["model", "settings", "texts", "figures", "seconds"]
    assert set(best["settings"]) == {"l2", "alpha", "min_count"}  # ngrams are given
    assert best == answer["trials"][0]
    accuracies = [trial["figures"]["accuracy"] for trial in answer["trials"]]
    assert accuracies == sorted(accuracies, reverse=True)
    assert best["texts"] == 18  # of 24
    assert answer["interrupted"] is False

    seqkit, *words = shlex.split(answer["command"])
    assert (seqkit, words[:5]) == ("seqkit", ["sentiment", "train", "data.tsv", "-o", "BUNDLE"])
    config = parsed(*words[2:])
    assert (config.lowercase, config.seed, config.models[0].ngrams) == (False, 3, 2)
    assert all(getattr(config.models[0], name) == value for name, value in best["settings"].items())

    arguments = ("sentiment", "train", "data.tsv", "--config", "found.toml", "-q", "--json")
    assert main([*arguments, "-o", "one"]) == 0
    assert main([*words, "-q", "--json"]) == 0
    one, other = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert one["validation_loss"] == other["validation_loss"]
    assert one["texts"] == 18


def test_the_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scale = ("--scale", "min-count=choice:1,1", "--scale", "alpha=choice:2", "--scale", "ngrams=choice:1")
    assert main([*SEARCH, *scale, "--l2", "0.01", "--metric", "log_loss", "--at-most-ms", "1000"]) == 0
    out, err = capsys.readouterr()
    row, command = out.splitlines()
    cells = row.split("\t")
    assert cells[:3] == ["linear", "alpha 2, ngrams 1, min_count 1", "18"]
    assert 0 < float(cells[4]) < 1000
    assert "--min-count 1" in command
    assert "--l2 0.01" in command
    assert "linear (alpha 2, ngrams 1, min_count 1), 18 texts in" in err


def test_several_models(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = ("--model", "linear", "--model", "average", "--bits", "10", "--epochs", "1")
    assert main([*SEARCH, *models, "--json", "-q"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert {trial["model"] for trial in answer["trials"]} == {"linear", "average"}
    assert f"--model {answer['best']['model']}" in answer["command"]
    assert answer["command"].count("--model") == 1


@pytest.mark.parametrize("best", ["linear", "average"])
def test_what_others_are_told_is_not_told_the_best(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, best: str
) -> None:
    (folder / "v.txt").write_text("".join(f"{word} 0.5 {n} 1\n" for n, word in enumerate(("good", "bad"))))
    models = (
        "--model",
        "linear",
        "--model",
        "average",
        "--bits",
        "10",
        "--epochs",
        "1",
        "--vectors",
        "v.txt",
    )
    of_both = library._Trials.found

    def found(self: Any, interrupted: int | None) -> Any:
        answer = of_both(self, interrupted)
        chosen = next(trial for trial in answer.trials if trial.model == best)
        return replace(answer, best=chosen)

    monkeypatch.setattr(library._Trials, "found", found)
    assert main([*SEARCH, *models, "-o", "found.toml", "--json", "-q"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert not any("vector_size" in trial["settings"] for trial in answer["trials"])  # it is theirs
    assert ("--vectors v.txt" in answer["command"]) == (best == "average")
    train = ("sentiment", "train", "data.tsv", "--config", "found.toml", "--valid", "0.25", "-q")
    assert main([*train, "-o", "m"]) == 0
    members = SentimentModel.load("m").ensemble.members
    assert [member.classifier.kind for member in members] == [best]
    assert getattr(members[0].classifier.config, "vector_size", 3) == 3


def test_a_name_that_no_configuration_can_hold(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was found is told all the same."""
    os.rename("data.tsv", os.fsdecode(b"d\xff.tsv"))
    search = ("sentiment", "search", os.fsdecode(b"d\xff.tsv"), "--minutes", "1", "--trials", "1")
    assert main([*search, "--valid", os.fsdecode(b"d\xff.tsv"), "-o", "found.toml", "-q"]) == 2
    out, err = capsys.readouterr()
    assert out.startswith("linear\t")
    assert "found.toml: not written, a name in it is no UTF-8" in err
    assert not (folder / "found.toml").exists()


def test_a_configuration_can_hold_what_toml_escapes(tmp_path: Path) -> None:
    write_settings(str(tmp_path / "c.toml"), "lm.train", [("valid", 'a\x7f"\\\n', [])])
    assert tomllib.loads((tmp_path / "c.toml").read_text()) == {"lm": {"train": {"valid": 'a\x7f"\\\n'}}}


def test_what_was_found_outlives_a_signal(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = library._Trials._tell

    def interrupting(self: Any, trial: Any) -> None:
        told(self, trial)
        if len(self.done) == 2:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(library._Trials, "_tell", interrupting)
    assert main([*SEARCH, "-o", "found.toml", "-q"]) == 130
    out, err = capsys.readouterr()
    *rows, command = out.splitlines()
    assert len(rows) == 2
    assert command.startswith("seqkit sentiment train data.tsv")
    assert err == "stopped by SIGINT; this is what was found until then\n"
    assert "[sentiment.train]" in (folder / "found.toml").read_text()
    assert main([*SEARCH, "--json", "-q"]) == 130
    assert json.loads(capsys.readouterr().out)["interrupted"] is True


def test_none_within_the_limit(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SEARCH, "--at-most-ms", "0.000001", "-o", "found.toml", "-q"]) == 65
    out, err = capsys.readouterr()
    assert out.startswith("linear\t")  # what was tried is told all the same
    assert "no model that was tried is within 1e-06 ms; raise --at-most-ms" in err
    assert not (folder / "found.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("data.tsv", "--minutes", "0"), 2, "minutes must be above 0"),
        (("data.tsv", "--scale", "l2=log:1"), 2, "should be SCALE:LOW,HIGH"),
        (("data.tsv", "--scale", "balanced=choice:0,1"), 2, "'balanced' is none of alpha"),
        (("data.tsv", "--scale", "l3=log:1,2"), 2, "'l3' is none of"),
        (("data.tsv", "--scale", "units=log:1,9"), 2, "none of the models (linear) has a setting 'units'"),
        (("data.tsv", "--l2", "1", "--scale", "l2=log:1,9"), 2, "l2 is given"),
        (("data.tsv", "--cell", "gru"), 2, "--cell is no setting of linear"),
        (("data.tsv", "-o", "no/found.toml"), 2, "there is no such folder"),
        (("data.tsv", "-o", "data.tsv"), 2, "a file is there already"),
        (("data.tsv", "-o", ".", "--overwrite"), 2, ".: is a folder; name a file to write to"),
        (("data.tsv", "-o", ""), 2, ".: is a folder; name a file to write to"),
        (("nowhere.tsv",), 66, "nowhere.tsv"),
        (("data.tsv", "--valid", "nowhere.tsv"), 66, "nowhere.tsv"),
    ],
)
def test_what_stops_a_search(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, message: str
) -> None:
    assert main(["sentiment", "search", *arguments, "--quiet"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
    assert os.listdir(folder) == ["data.tsv"]


def test_its_options_are_those_of_training() -> None:
    own = {param.name: param for param in sentiment_search.search.params}
    assert len(own) == len(sentiment_search.search.params)
    for param in sentiment_train.train.params:
        if isinstance(param, click.Option) and param.name not in sentiment_search.LEFT_OUT:
            assert param.name in own
    assert all(name in SETTINGS for space in SPACES.values() for name in space)
    assert list(library.METRICS_SEARCHED) == sentiment_search.METRICS
