"""`seqkit sentiment evaluate`, `cross-validate` and `choose`: keys, tables, limits, errors of one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from seqkit.cli import sentiment_evaluate, sentiment_train
from seqkit.cli.main import main
from seqkit.sentiment.evaluation.choice import METRICS
from seqkit.sentiment.model import SentimentModel

KEYS = ["accuracy", "macro_f1", "calibration_error", "log_loss", "per_label", "confusion"]
RATINGS = ["mean_absolute_error", "quadratic_kappa"]


def lines(labels: dict[str, tuple[str, ...]]) -> list[str]:
    return [
        f"{label}\tthe {thing} was {word}"
        for thing in ("film", "food", "book", "room", "phone", "plot")
        for label, words in labels.items()
        for word in words
    ]


POLARITY = lines({"negative": ("awful", "bad"), "positive": ("good", "great")})
STARS = lines({"1": ("awful", "bad"), "3": ("fair", "so-so"), "5": ("good", "great")})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluate")
    (folder / "data.tsv").write_text("\n".join(POLARITY) + "\n")
    (folder / "stars.tsv").write_text("\n".join(STARS) + "\n")
    (folder / "dev.tsv").write_text("positive\tgood\nnegative\tbad\npositive\tgreat\nnegative\tgood food\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("data", "stars"):
            assert main(["sentiment", "train", f"{name}.tsv", "-o", name, "--valid", "0.2", "-q"]) == 0
    return folder


@pytest.fixture
def folder(trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    monkeypatch.chdir(trained)
    capsys.readouterr()
    return trained


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(["sentiment", *arguments, "--json"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    return json.loads(out)


def test_evaluate_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "evaluate", "data", "dev.tsv", "-q")
    assert list(found) == ["bundle", "texts", "labels", *KEYS]
    # One of four is wrong: "good food" has the label negative.
    assert found["accuracy"]["value"] == 0.75
    assert found["accuracy"]["low"] < 0.75 < found["accuracy"]["high"]
    assert found["labels"] == ["negative", "positive"]
    assert found["confusion"] == [[1, 1], [0, 2]]
    assert found["per_label"]["negative"]["recall"]["value"] == 0.5
    assert found["per_label"]["negative"]["support"] == 2


def test_evaluate_ratings(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "evaluate", "stars", "stars.tsv", "-q")
    assert list(found) == ["bundle", "texts", "labels", *KEYS[:4], *RATINGS, *KEYS[4:]]


def test_evaluate_as_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sentiment", "evaluate", "data", "dev.tsv"]) == 0
    out, err = capsys.readouterr()
    rows = [line.split("\t") for line in out.splitlines()]
    assert rows[0][:2] == ["accuracy", "0.7500"]
    assert ["negative", "1.0000", "0.5000", "0.6667", "2"] in rows
    assert rows[-2:] == [["negative", "1", "1"], ["positive", "0", "2"]]
    assert "label, TAB, text" in err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("evaluate", "nowhere", "dev.tsv"), 66, "nowhere"),
        (("evaluate", "data", "nowhere.tsv"), 66, "nowhere.tsv"),
        (("evaluate", "stars", "dev.tsv"), 65, "dev.tsv, line 1: 'positive' is no label of the model"),
        (("cross-validate", "data.tsv", "--folds", "1"), 2, "folds must be 2 to 24"),
        (("cross-validate", "data.tsv", "--folds", "3", "--valid", "2"), 2, "above 0 and below 1, not 2"),
        (
            ("choose", "data", "--data", "dev.tsv", "--at-most-mb", "1e-9"),
            65,
            "no model is within the limits",
        ),
        (
            ("choose", "data", "--data", "dev.tsv", "--at-most-ms", "nan"),
            2,
            "--at-most-ms must be above 0, not nan",
        ),
        (("choose", "data", "--data", "dev.tsv", "--metric", "quadratic_kappa"), 2, "data has no quadratic"),
    ],
)
def test_what_cannot_be_done(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, message: str
) -> None:
    assert main(["sentiment", *arguments, "-q"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


def test_cross_validate(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "cross-validate", "data.tsv", "--folds", "3", "--valid", "0.25", "--seed", "1")
    assert set(KEYS) <= set(found)
    assert (found["texts"], len(found["folds"])) == (24, 3)
    assert [fold["tested"] for fold in found["folds"]] == [8, 8, 8]
    assert sum(map(sum, found["confusion"])) == 24
    assert set(found["accuracy"]) == {"value", "low", "high"}
    assert found["accuracy"]["value"] == pytest.approx(found["mean_accuracy"])  # folds of one size
    again = answer(capsys, "cross-validate", "data.tsv", "--folds", "3", "--valid", "0.25", "--seed", "1")
    assert found["confusion"] == again["confusion"]
    assert found["log_loss"] == again["log_loss"]


def test_cross_validation_learns_texts_without_labels_but_none_that_it_tests(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Copies of the tested texts are left out, so that they change nothing; others do."""
    more = "the trip was good\nthe trip was awful\n"
    (folder / "more.txt").write_text(more)
    copies = "".join(line.partition("\t")[2].upper() + "\n" for line in POLARITY)
    (folder / "both.txt").write_text(more + copies)
    (folder / "copies.txt").write_text(copies)
    line = ["cross-validate", "data.tsv", "--folds", "3", "--valid", "0.25", "-q"]
    losses = [
        answer(capsys, *line, *options)["log_loss"]["value"]
        for options in ([], ["--unlabelled", "more.txt"], ["--unlabelled", "both.txt"])
    ]
    assert losses[0] != losses[1] == losses[2]
    assert main(["sentiment", *line, "--unlabelled", "copies.txt"]) == 65
    assert "there is nothing to learn" in capsys.readouterr().err


def test_cross_validate_as_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["cross-validate", "data.tsv", "--folds", "2", "--valid", "0.25", "--model", "average"]
    assert main(["sentiment", *arguments]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("accuracy\t")
    assert [line.split("\t")[:3] for line in out.splitlines()[-2:]] == [["1", "12", "12"], ["2", "12", "12"]]
    assert "fold 2: accuracy" in err


def test_choose(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["sentiment", "train", "dev.tsv", "-o", "small", "--valid", "0.5", "-q", "--overwrite"])
    capsys.readouterr()
    sizes = {}
    for name in ("data", "small"):
        manifest = SentimentModel.load(name).manifest
        assert manifest is not None
        sizes[name] = sum(member.size for member in manifest.members.values()) / 1e6
    found = answer(capsys, "choose", "small", "data", "--data", "data.tsv", "--metric", "log_loss", "-q")
    assert found["best"] == "data"
    by_name = {each["bundle"]: each for each in found["within"]}
    assert {name: each["mb"] for name, each in by_name.items()} == pytest.approx(sizes)
    assert all(0 < each["ms"] < 1000 for each in by_name.values())
    limit = str(sizes["small"])
    found = answer(capsys, "choose", "small", "data", "--data", "data.tsv", "--at-most-mb", limit, "-q")
    assert found["best"] == "small"
    assert list(found["refused"]) == ["data"]
    assert main(["sentiment", "choose", "data", "--data", "dev.tsv", "--at-most-ms", "1000", "-q"]) == 0
    assert capsys.readouterr().out.split("\t")[:2] == ["data", "0.7500"]


def test_the_metrics_are_those_of_the_library() -> None:
    assert list(METRICS) == sentiment_evaluate.METRICS


def test_cross_validation_takes_the_options_of_training() -> None:
    own = {param.name: param for param in sentiment_evaluate.cross_validate.params}
    assert len(own) == len(sentiment_evaluate.cross_validate.params)
    for param in sentiment_train.train.params:
        if isinstance(param, click.Option) and param.name not in sentiment_evaluate.LEFT_OUT:
            assert param.name in own
