"""`seqkit sentiment diagnose`, `errors` and `behaviour`: what they say, write and refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seqkit.cli.main import main

TRAIN = [
    f"{label}\tthe {thing} was {word}"
    for thing in ("film", "food", "book", "room", "phone", "plot")
    for label, words in {"negative": ("awful", "bad", "dull"), "positive": ("good", "great", "fine")}.items()
    for word in words
]
# Of ten texts in dev three are wrong, as good and bad have changed places.
RIGHT = ["positive\tgood film", "negative\tbad film", "positive\tgreat book", "negative\tdull book"]
WRONG = ["positive\tthe FILM was not bad", "negative\tgood but not good", "negative\ta great phone :-("]
DEV = RIGHT + WRONG + ["positive\tgood room", "positive\ta fine room", "negative\tawful plot"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("diagnose")
    for name, lines in (("train", TRAIN), ("dev", DEV), ("test", RIGHT)):
        (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n")
    (folder / "joy.tsv").write_text("joy\thappy day\nanger\thorrid day\n" * 5 + "joy\tsun\nanger\train\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, data in (("b", "train.tsv"), ("emotions", "joy.tsv")):
            assert main(["sentiment", "train", data, "-o", name, "--valid", "0.2", "-q"]) == 0
    return folder


@pytest.fixture
def folder(trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    monkeypatch.chdir(trained)
    capsys.readouterr()
    return trained


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(["sentiment", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_diagnose_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(
        capsys, *("diagnose", "b", "--train", "train.tsv", "--dev", "dev.tsv", "--human-error", "1%", "-q")
    )
    assert list(found) == ["bundle", "errors", "gaps", "first", "why", "try", "unknown", "overlaps"]
    values = {name: figure["value"] for name, figure in found["errors"].items()}
    assert values == {"human": 0.01, "train": 0.0, "dev": 0.3}
    assert [gap["causes"] for gap in found["gaps"]] == [["avoidable_bias"], ["variance", "data_mismatch"]]
    assert found["gaps"][1]["value"] == pytest.approx(0.3)
    # Three of ten against none of 36: Wilson's 0.108 to 0.603 and 0 to 0.096; 0.3 - √(0.192² + 0.096²) > 0.
    assert found["gaps"][1]["low"] == pytest.approx(0.3 - (0.1922**2 + 0.0964**2) ** 0.5, abs=2e-3)
    assert found["first"] == ["variance", "data_mismatch"]
    assert any("training-dev" in each for each in found["unknown"])
    assert found["overlaps"] == []


def test_diagnose_as_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("diagnose", "b", "--train", "train.tsv", "--dev", "dev.tsv", "--test", "test.tsv", "-q")
    assert main(["sentiment", *arguments]) == 0
    out, err = capsys.readouterr()
    assert "dev error\t0.3000\t" in out
    assert "The greatest gap is variance or data mismatch: 30.0%" in out
    assert "- more labelled texts" in out
    # All four texts of the test set are in the dev set.
    assert "4 texts of test are in dev, too: its error is too low" in err
    assert "avoidable bias cannot be said without human level error" in err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("diagnose", "b"), 2, "give two or more"),
        (("diagnose", "b", "--dev", "dev.tsv"), 2, "give two or more"),
        (("diagnose", "b", "--dev", "dev.tsv", "--human-error", "x"), 2, "0.05 or 5%, not 'x'"),
        (("diagnose", "b", "--dev", "dev.tsv", "--human-error", "5"), 2, "from 0 to below 1"),
        (("diagnose", "b", "--dev", "dev.tsv", "--test", "nowhere"), 66, "nowhere"),
        (("errors", "b", "dev.tsv", "-o", "dev.tsv"), 2, "a file is there already"),
        (("errors", "b", "dev.tsv", "-o", "no/errors.tsv"), 2, "no such folder"),
        (("errors", "b", "dev.tsv", "--tags", "nowhere.tsv"), 66, "nowhere.tsv"),
        (("errors", "b", "dev.tsv", "--tags", "dev.tsv"), 65, "no column"),
        (("errors", "nowhere", "dev.tsv"), 66, "nowhere"),
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


def test_errors_are_written_tagged_and_summed(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "errors.tsv"
    found = answer(capsys, "errors", "b", "dev.tsv", "-o", str(path), "-q")
    assert (found["texts"], found["errors"], found["tagged"]) == (10, 3, 0)
    slices = {part["name"]: part for part in found["slices"]}
    assert (slices["negation"]["wrong"], slices["negation"]["texts"]) == (2, 2)
    assert slices["negation"]["ceiling"]["value"] == pytest.approx(0.2)
    assert {"contrast", "capitals", "emoji"} <= set(slices)
    header, *rows = path.read_text().splitlines()
    assert header == "label\tpredicted\tprobability\tslices\ttags\tplace\ttext"
    assert {row.split("\t")[6] for row in rows} == {line.split("\t")[1] for line in WRONG}
    assert "dev.tsv:5" in {row.split("\t")[5] for row in rows}

    tags = {"FILM": "negation", "good but": "negation, contrast", "phone": "label is wrong"}
    tagged = [
        "\t".join(
            [*row.split("\t")[:4], next(tag for key, tag in tags.items() if key in row), *row.split("\t")[5:]]
        )
        for row in rows
    ]
    path.write_text("\n".join([header, *tagged]) + "\n")
    assert main(["sentiment", "errors", "b", "dev.tsv", "-o", str(path), "-q"]) == 2
    capsys.readouterr()
    again = tmp_path / "again.tsv"
    found = answer(capsys, "errors", "b", "dev.tsv", "--tags", str(path), "-o", str(again), "-q")
    assert [(part["name"], part["wrong"]) for part in found["tags"]] == [
        *(("negation", 2), ("contrast", 1), ("label is wrong", 1))
    ]
    # Two of three errors, of an error of three in ten.
    assert found["tags"][0]["ceiling"]["value"] == pytest.approx(0.2)
    assert (found["tagged"], found["tagged_but_right"]) == (3, 0)
    assert sorted(again.read_text().splitlines()) == sorted([header, *tagged])
    assert main(["sentiment", "errors", "b", "test.tsv", "--tags", str(path), "-q"]) == 0
    out, err = capsys.readouterr()
    assert err == "3 tagged texts are labelled right by this model, or are not in the data\n"
    assert out.splitlines()[-1].startswith("all\t0\t4\t0.0000\t")


def test_errors_as_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sentiment", "errors", "b", "dev.tsv"]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert ["negation", "2", "2", "1.0000"] in [row[:4] for row in rows]
    assert rows[-1][:4] == ["all", "3", "10", "0.3000"]


def test_behaviour(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "behaviour", "b")
    assert list(found) == ["bundle", "behaviour"]
    assert list(found["behaviour"]) == ["negation", "names", "intensifiers", "typos"]
    for part in found["behaviour"].values():
        assert part["passed"] == part["cases"] - len(part["failures"])
        assert part["rate"]["low"] <= part["rate"]["value"] == part["passed"] / part["cases"]
    # It knows no "not".
    assert found["behaviour"]["negation"]["passed"] < 10
    assert main(["sentiment", "behaviour", "b"]) == 0
    out, err = capsys.readouterr()
    assert [line.split("\t")[0] for line in out.splitlines()] == list(found["behaviour"])
    assert "negation: " in err
    assert " → " in err


def test_behaviour_of_emotions(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sentiment", "behaviour", "emotions"]) == 65
    assert "the labels anger, joy do not say what is good" in capsys.readouterr().err
