"""`seqkit lm` with labels: text by its label is trained, written, scored and refused."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqkit.cli.main import main
from seqkit.language_model.config import TextConfig
from seqkit.language_model.material import material
from seqkit.progress import SILENT

WORDS = {"sea": ("wave", "salt", "foam"), "land": ("hill", "tree", "moss")}


def table(texts: int, seed: int) -> str:
    """Texts of two to five words, all of those of the label."""
    rng = random.Random(seed)
    rows = ["label\ttext"]
    for n in range(texts):
        label = ("sea", "land")[n % 2]
        rows.append(f"{label}\t{' '.join(rng.choices(WORDS[label], k=rng.randint(2, 5)))}")
    return "\n".join(rows) + "\n"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("labels")
    (folder / "train.tsv").write_text(table(240, 0))
    (folder / "test.tsv").write_text(table(30, 1))
    (folder / "other.tsv").write_text("label\ttext\nsea\twave salt\nair\tcloud\n")
    options = ["--label-column", "label", "--lines", "--layers", "1", "--units", "12", "--batch-size", "8"]
    options += ["--epochs", "6", "--learning-rate", "0.03", "--threads", "1", "--precision", "float32", "-q"]
    assert (
        main(["lm", "train", str(folder / "train.tsv"), "-o", str(folder / "b"), "--valid", "0.1", *options])
        == 0
    )
    return folder


@pytest.fixture
def folder(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(trained)
    return trained


def answer_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert main(["lm", *arguments, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


@pytest.mark.parametrize("label", WORDS)
def test_text_obeys_its_label(folder: Path, capsys: pytest.CaptureFixture[str], label: str) -> None:
    """Of the words of forty texts, at least 19 in 20 are those of the label; half were by chance."""
    answer = answer_of(capsys, "sample", "b", "--label", label, "-n", "40")
    words = [word for each in answer["texts"] for word in each["text"].split()]
    assert len(words) > 60
    assert sum(word in WORDS[label] for word in words) / len(words) >= 0.95


def test_labels_of_a_table_are_those_it_is_scored_by(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its label a word costs ln 3 and a text its length; by the other label it is a surprise."""
    right = answer_of(capsys, "score", "b", "test.tsv")
    texts = [line.split("\t") for line in (folder / "test.tsv").read_text().splitlines()[1:]]
    assert right["tokens"] == sum(len(text.split()) + 1 for _, text in texts)
    assert right["perplexity"] < 4.5
    one = dict.fromkeys(WORDS, 0.0)
    for label in WORDS:
        (folder / "one.txt").write_text("".join(f"{text}\n" for kind, text in texts if kind == label))
        one[label] = answer_of(capsys, "score", "b", "one.txt", "--label", label)["log_probability"]
    assert sum(one.values()) == pytest.approx(right["log_probability"], rel=1e-5)
    other = answer_of(capsys, "score", "b", "one.txt", "--label", "sea")  # texts of the land
    assert other["log_probability"] < one["land"] - 15 * math.log(3)
    # All texts of a table, and nothing else of it, by a label that is given.
    by_sea = answer_of(capsys, "score", "b", "test.tsv", "--label", "sea")
    assert by_sea["tokens"] == right["tokens"]
    assert by_sea["unknown"] == 0
    expected = one["sea"] + other["log_probability"]
    assert by_sea["log_probability"] == pytest.approx(expected, rel=1e-5)
    ranked = answer_of(capsys, "rank", "b", "hill tree", "wave salt", "--label", "sea")["ranked"]
    assert ranked[0]["text"] == "wave salt"
    tokens = answer_of(capsys, "score", "b", "--text", "wave salt", "--label", "sea", "--per-token")[
        "per_token"
    ]
    assert [each["token"] for each in tokens] == ["wave", "salt", "<eos>"]


def test_what_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, code, message in (
        (("sample", "b"), 2, "name land or sea (--label)"),
        (("sample", "b", "--label", "air"), 2, "knows no label 'air'; it knows land, sea"),
        (("score", "b", "--text", "wave"), 2, "name land or sea (--label)"),
        (("rank", "b", "wave", "hill"), 2, "name land or sea (--label)"),
        (("ngram", "b", "train.tsv", "-o", "n", "-q"), 2, "labels, of which n-grams know nothing"),
        (("train", "train.tsv", "-o", "c", "--label-column", "label"), 2, "add lines (--lines)"),
        (("train", "train.tsv", "-o", "c", "--text-column", "text", "--lines"), 2, "name the label_column"),
        (
            ("train", "train.tsv", "-o", "c", "--label-column", "kind", "--lines", "-q"),
            65,
            "no column 'kind'",
        ),
        (
            (
                "train",
                "train.tsv",
                "-o",
                "c",
                "--label-column",
                "label",
                "--lines",
                "--valid",
                "other.tsv",
                "-q",
            ),
            65,
            "other.tsv, line 3: no text that is learned has the label 'air', but land, sea",
        ),
        (("rank", "b", "wave", " ", "--label", "sea"), 65, "' ': there is no token in the text to score"),
    ):
        capsys.readouterr()
        assert main(["lm", *arguments]) == code, arguments
        out, err = capsys.readouterr()
        assert out == ""
        assert message in err
        assert err.count("\n") == 1
    assert not (folder / "n").exists()


@pytest.mark.parametrize("seed", range(6))
def test_a_label_of_one_text_is_never_held_out(tmp_path: Path, seed: int) -> None:
    rows = [f"{label}\t{label} {n}\n" for n in range(20) for label in ("pos", "neg")]
    (tmp_path / "data.tsv").write_text("".join(["label\ttext\n", *rows, "rare\tjust one\n"]))
    config = TextConfig(lines=True, label_column="label", validation=0.5)
    found = material([tmp_path / "data.tsv"], config, seed, tmp_path, (), SILENT)
    assert found.coding.labels == ("neg", "pos", "rare")
    learned, held_out = found.labels, found.held_out_labels
    assert learned is not None
    assert held_out is not None
    assert np.bincount(learned)[2] == 1
    assert 10 < len(held_out) < 30
    assert len(learned) + len(held_out) == 41


def test_the_label_is_in_the_bundle(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer_of(capsys, "info", "b")["config"]["labels"] == ["land", "sea"]
