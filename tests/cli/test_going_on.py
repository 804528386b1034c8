"""`seqkit embed train --init`: settings that are taken over, and scores before and after."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seqkit.cli.main import main
from seqkit.corpora import corpus_file, open_corpus
from seqkit.embeddings.vectors import Vectors
from seqkit.storage import Bundle

LINES = [f"{line}\n" for line in open_corpus("kingdom", size=1500)]
FAST = ("--epochs", "1", "--quiet")
SETS = (
    *("--probe-similarity", str(corpus_file("kingdom-similarity.tsv"))),
    *("--probe-analogies", str(corpus_file("kingdom-analogies.txt"))),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with an old text, a new one, and a bundle of the old."""
    monkeypatch.chdir(tmp_path)
    Path("old.txt").write_text("".join(LINES[:1000]))
    Path("new.txt").write_text("".join(LINES[1000:]))
    return tmp_path


def train(*arguments: str) -> int:
    return main(["embed", "train", *arguments])


def settings(bundle: str) -> dict[str, Any]:
    return Bundle.open(bundle).manifest.config


def test_what_is_not_set_is_as_it_was(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--method", "window", "--hidden-units", "8", "--vector-size", "12", "--learning-rate", "0.1")
    assert train("old.txt", "-o", "a", *FAST, *options, "--tokenizer", "whitespace", "--keep-case") == 0
    capsys.readouterr()
    assert train("new.txt", "-o", "b", "--init", "a", *FAST, "--json", *SETS) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["method"] == "window"
    old, new = settings("a"), settings("b")
    for name in ("method", "hidden_units", "vector_size", "window", "tokenizer", "epochs"):
        assert new[name] == old[name]
    words = [Bundle.open(name).manifest.metrics["words"] for name in "ab"]
    assert new["learning_rate"] == pytest.approx(0.1 * words[1] / sum(words))
    # Once more: again from 0.1, not from the share that b had.
    assert train("new.txt", "-o", "c", "--init", "b", *FAST) == 0
    assert settings("c")["learning_rate"] == pytest.approx(0.1 * words[1] / (sum(words) + words[1]))
    assert train("new.txt", "-o", "d", "--init", "b", *FAST, "--learning-rate", "0.07") == 0
    assert settings("d")["learning_rate"] == 0.07


def test_scores_before_and_after(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train("old.txt", "-o", "a", *FAST, "--vector-size", "8", "--json") == 0
    assert "before" not in json.loads(capsys.readouterr().out)
    assert train("new.txt", "-o", "b", "--init", "a", *FAST, "--json", *SETS) == 0
    answer = json.loads(capsys.readouterr().out)
    for key, bundle in (("before", "a"), ("after", "b")):
        assert main(["embed", "evaluate", bundle, "--json", *(x.replace("probe-", "") for x in SETS)]) == 0
        scored = json.loads(capsys.readouterr().out)
        shown = answer[key]["similarity"]["kingdom-similarity"]
        assert shown == scored["similarity"]["kingdom-similarity"]
        shown = answer[key]["analogies"]["kingdom-analogies"]
        assert shown.items() <= scored["analogies"]["kingdom-analogies"].items()
    assert train("new.txt", "-o", "c", "--init", "a", *FAST, *SETS) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    before, after = (answer[key]["similarity"]["kingdom-similarity"] for key in ("before", "after"))
    cells = [
        f"{before['spearman']:.4f}",
        str(before["pairs"]),
        f"{after['spearman']:.4f}",
        str(after["pairs"]),
    ]
    assert rows[1] == ["kingdom-similarity", "spearman", *cells]
    assert rows[2][:2] == ["kingdom-analogies", "accuracy"]
    assert len(rows) == 3


def test_the_sets_inside_gensim_by_default(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train("old.txt", "-o", "a", *FAST, "--vector-size", "8") == 0
    assert train("new.txt", "-o", "b", "--init", "a", *FAST) == 0
    rows = [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()]
    assert rows == ["a", "b", "wordsim353", "simlex999", "questions-words"]
    Path("other.txt").write_text("ein anderer Text\n" * 9)
    assert train("other.txt", "-o", "c", *FAST, "--vector-size", "8") == 0
    assert train("other.txt", "-o", "d", "--init", "c", *FAST) == 0  # not a word of the sets
    assert [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()] == ["c", "d"]


def test_from_a_file_and_to_another_method(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train("old.txt", "-o", "a", *FAST, "--vector-size", "8", "--objective", "softmax") == 0
    assert train("new.txt", "-o", "b", "--init", "a", *FAST) == 0
    assert settings("b")["method"] == "skipgram-softmax"
    Vectors.load("a").export("a.vec")
    assert train("new.txt", "-o", "c", "--init", "a.vec", "--epochs", "1", "--method", "cbow") == 0
    assert "a.vec has no more than vectors: begun anew: context" in capsys.readouterr().err
    assert (settings("c")["method"], settings("c")["vector_size"]) == ("cbow", 8)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--init", "missing"], 66, "missing: no such bundle or file"),
        (["--init", "new.txt"], 65, "new.txt"),
        (["--init", "a", "--vector-size", "9"], 2, "a has vectors of 8 numbers, not 9"),
        (["--init", "a", "--keep-case"], 2, "were cut by the tokenizer"),
    ],
)
def test_what_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    assert train("old.txt", "-o", "a", *FAST, "--vector-size", "8") == 0
    capsys.readouterr()
    assert train("new.txt", "-o", "b", *FAST, *arguments) == code
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
    assert not Path("b").exists()
