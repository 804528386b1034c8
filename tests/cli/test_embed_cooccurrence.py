"""`seqkit embed cooccurrence`: answers, options, exit codes; what `embed info` says of its bundle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from seqkit.cli.main import main
from seqkit.embeddings.cooccurrence.counts import Cooccurrences


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a text in it."""
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("the king saw The queen\nthe end\n" * 5)
    return tmp_path


def count(*arguments: str) -> int:
    return main(["embed", "cooccurrence", *arguments])


def test_the_answer(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert count("text.txt", "-o", "b", "--window", "1", "-q", "--json") == 0
    out, err = capsys.readouterr()
    assert err == ""
    answer = json.loads(out)
    # Neighbours: the king, king saw, saw the, the queen, the end; 5 pairs from both ends, each 5 times.
    assert answer.pop("seconds") > 0
    assert answer == {"bundle": "b", "words": 35, "vocabulary": 5, "pairs": 10, "total": 50.0}
    assert Cooccurrences.load("b").row("the") == {"end": 5.0, "king": 5.0, "queen": 5.0, "saw": 5.0}

    assert count("text.txt", "-o", "b", "-q") == 2
    assert "overwrite it (--overwrite)" in capsys.readouterr().err
    assert count("text.txt", "-o", "b", "--overwrite") == 0
    out, err = capsys.readouterr()
    assert out.startswith("b\t35\t5\t")
    assert err.splitlines()[2] == "counting: 35 words"
    assert sorted(os.listdir()) == ["b", "text.txt"]


def test_options(folder: Path) -> None:
    Path("options.toml").write_text(
        '[embed.cooccurrence]\nmin-count = 1\nmax_vocab = 4\ncontext = "left"\nweighting = "uniform"\n'
        'tokenizer = "whitespace"\nlowercase = false\nmemory = 0.5\nthreads = 1\nwindow = 2\n'
    )
    assert count("text.txt", "-o", "b", "-q", "--config", "options.toml", "--window", "3") == 0
    counts = Cooccurrences.load("b")
    assert dict(counts.settings) == {
        "method": "cooccurrence",
        "window": 3,
        "context": "left",
        "weighting": "uniform",
        "tokenizer": {"kind": "whitespace", "lowercase": False},
        "min_count": 1,
        "max_vocab": 4,
    }
    # Ties of count are ordered by code point: "The" stays, "saw" and "queen" do not.
    assert counts.vocabulary.words == ("the", "The", "end", "king")
    assert counts.row("The") == {"the": 5.0, "king": 5.0}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["missing.txt"], 66, "missing.txt: no such file, folder or corpus"),
        (["empty"], 65, "empty: no tokens"),
        (["single"], 65, "no two words of the vocabulary stand on the same line"),
        (["text.txt", "--min-count", "50"], 65, "try min_count 15"),
        (["text.txt", "--window", "0"], 2, "window must be from 1 to 100, not 0"),
        (["text.txt", "--context", "right"], 2, "'right' is not one of"),
        (["text.txt", "--memory", "0"], 2, "memory must be above 0 GiB, not 0.0"),
        (["text.txt", "-o", "no/b"], 74, "no/b: there is no folder no to write to"),
        (["text.txt", "-o", "text.txt"], 2, "exists and is not a bundle"),
    ],
)
def test_what_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    Path("empty").touch()
    Path("single").write_text("word\n" * 9)
    before = sorted(os.listdir())
    assert count("-o", "b", "-q", *arguments) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
    assert sorted(os.listdir()) == before


def test_info(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert count("text.txt", "-o", "b", "--window", "1", "-q") == 0
    capsys.readouterr()
    assert main(["embed", "info", "b", "--verify", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    expected = {"format": "bundle", "vocabulary": 5, "pairs": 10, "total": 50.0, "tokens": 35}
    assert expected.items() <= answer.items()
    assert answer["verified"] is True
    assert answer["config"]["method"] == "cooccurrence"
    assert main(["embed", "similar", "b", "king"]) == 65
    assert "is a cooccurrence bundle; a vectors bundle is needed" in capsys.readouterr().err


def test_info_verifies_every_entry(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a bundle whose hashes fit, and whose columns do not rise."""
    import numpy as np

    from seqkit.storage import BundleWriter
    from seqkit.text.vocabulary import Vocabulary

    with BundleWriter("b", kind="cooccurrence") as writer:
        writer.write_text("vocabulary.tsv", Vocabulary(("a", "b"), np.ones(2, np.int64)).to_tsv())
        members = {
            "offsets": np.array([0, 2, 2]),
            "columns": np.array([1, 0], np.int32),
            "values": np.ones(2, np.float32),
        }
        writer.write_tensors("tensors.safetensors", members)
        writer.commit(config={}, metrics={"total": 2.0})
    assert main(["embed", "info", "b", "--json"]) == 0
    capsys.readouterr()
    assert main(["embed", "info", "b", "--verify"]) == 65
    assert "b, tensors.safetensors: entry 1, in the row of 'a', is column 0" in capsys.readouterr().err


def test_ctrl_c_leaves_nothing(folder: Path) -> None:
    command = [sys.executable, "-m", "seqkit.cli", "embed", "cooccurrence", "-", "-o", "b"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "reading text: started\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
        out, err = process.communicate()
    assert out == ""
    assert "Traceback" not in err
    assert os.listdir() == ["text.txt"]
