"""`--dry-run` of `embed train` and `lm train`: what it answers, and that it leaves nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from seqkit.cli.estimate import _duration
from seqkit.cli.main import main
from seqkit.corpora import open_corpus
from seqkit.embeddings import estimate
from seqkit.language_model import estimate as language_estimate
from seqkit.text.tokenizers import Tokenizer

LINES = [f"{line}\n" for line in open_corpus("kingdom", size=1000)]
OPTIONS = ("-o", "b", "--dry-run", "--vector-size", "8", "--quiet")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for module in (estimate, language_estimate):
        monkeypatch.setattr(module, "SAMPLE_SECONDS", 0.1)
    Path("text.txt").write_text("".join(LINES))
    return tmp_path


def test_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["embed", "train", "text.txt", *OPTIONS, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    answer = json.loads(out)
    assert list(answer) == [
        *("vocabulary", "tokens", "tokens_after_subsampling"),
        *("memory_bytes", "seconds", "seconds_error"),
    ]
    assert answer["tokens"] == sum(len(Tokenizer().tokenize(line)) for line in LINES)
    assert 0 < answer["tokens_after_subsampling"] < answer["tokens"]
    assert main(["embed", "train", "text.txt", *OPTIONS]) == 0
    rows = dict(line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert rows["vocabulary"] == f"{answer['vocabulary']:,} words"
    assert rows["training"].endswith(" for 5 epochs")
    assert " ± " in rows["training"]
    assert os.listdir() == ["text.txt"]


def test_faults(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["embed", "train", "missing.txt", *OPTIONS]) == 66
    assert main(["embed", "train", "text.txt", *OPTIONS, "--epochs", "0"]) == 2
    assert capsys.readouterr().err.count("\n") == 2
    assert os.listdir() == ["text.txt"]


def test_a_language_model(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("-o", "b", "--dry-run", "--units", "4", "--layers", "1", "--epochs", "1", "--quiet")
    assert main(["lm", "train", "text.txt", *options, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    answer = json.loads(out)
    words = {word for line in LINES for word in line.split()}
    assert answer["tokens"] == sum(len(line.split()) + 1 for line in LINES)  # <eos> of each line
    assert main(["lm", "train", "text.txt", *options, "--tokenizer", "whitespace"]) == 0
    rows = dict(line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert rows["vocabulary"] == f"{len(words) + 2:,} tokens"
    assert rows["training"].endswith(" for 1 epoch")
    assert main(["lm", "train", "missing.txt", *options]) == 66
    assert os.listdir() == ["text.txt"]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(4.24, "4.2 s"), (99, "99.0 s"), (600, "10 min"), (5994, "100 min"), (9000, "2.5 h")],
)
def test_durations(seconds: float, shown: str) -> None:
    assert _duration(seconds) == shown
