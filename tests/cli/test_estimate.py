"""`seqkit embed train --dry-run`: what it answers, and that it leaves nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from seqkit.cli.estimate import _duration
from seqkit.cli.main import main
from seqkit.corpora import open_corpus
from seqkit.embeddings import estimate
from seqkit.text.tokenizers import Tokenizer

LINES = [f"{line}\n" for line in open_corpus("kingdom", size=1000)]
OPTIONS = ("-o", "b", "--dry-run", "--vector-size", "8", "--quiet")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(estimate, "SAMPLE_SECONDS", 0.1)
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


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(4.24, "4.2 s"), (99, "99.0 s"), (600, "10 min"), (5994, "100 min"), (9000, "2.5 h")],
)
def test_durations(seconds: float, shown: str) -> None:
    assert _duration(seconds) == shown
