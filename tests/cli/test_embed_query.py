"""`seqkit embed similar`, `analogy`, `odd-one-out`, `vector`: answers, JSON and exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqkit.cli.main import main
from seqkit.embeddings.vectors import Vectors

# gender, royalty, fruit
WORDS = ["man", "woman", "king", "queen", "apple", "\x1b[31mred"]
MATRIX = np.array([[1, 0, 0], [-1, 0, 0], [1, 2, 0], [-1, 2, 0], [0, 0, -3], [0, -1, 1]], np.float32)


@pytest.fixture(params=["bundle", "v.bin", "v.txt", "v.vec", "v.glove", "v.tsv"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    path = tmp_path / request.param
    if request.param == "bundle":
        Vectors(WORDS, MATRIX).save(path)
    elif request.param == "v.bin":
        Vectors(WORDS, MATRIX).export(path)
    else:
        Vectors(WORDS[:5], MATRIX[:5]).export(path)  # a text file holds no escape character
    return str(path)


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    Vectors(WORDS, MATRIX).save(tmp_path / "b")
    return str(tmp_path / "b")


def ask(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(["embed", *arguments, "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.count("\n") == 1
    return json.loads(captured.out)


def test_every_kind_of_vectors(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = ask(capsys, "similar", place, "king", "-n", "1")
    # cos(king, queen) = (-1 + 4) / 5; cos(king, man) = 1 / sqrt(5) is less
    assert answer == {"words": ["king"], "answers": [{"word": "queen", "similarity": pytest.approx(0.6)}]}


def test_similar(bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["embed", "similar", bundle, "king", "-n", "2"]) == 0
    assert capsys.readouterr().out == "queen\t0.6000\nman\t0.4472\n"
    answer = ask(capsys, "similar", bundle, "king", "queen")
    assert answer["words"] == ["king", "queen"]
    assert len(answer["answers"]) == 4  # all others


def test_analogy(bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = ask(capsys, "analogy", bundle, "man", "king", "woman", "-n", "2")
    assert (answer["a"], answer["b"], answer["c"]) == ("man", "king", "woman")
    assert answer["answers"][0]["word"] == "queen"
    assert main(["embed", "analogy", bundle, "man", "king", "woman"]) == 0
    assert capsys.readouterr().out.startswith("queen\t")


def test_odd_one_out(bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["king", "queen", "apple"]
    assert ask(capsys, "odd-one-out", bundle, *words) == {"words": words, "odd_one_out": "apple"}
    assert main(["embed", "odd-one-out", bundle, *words]) == 0
    assert capsys.readouterr().out == "apple\n"


def test_vector(bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(capsys, "vector", bundle, "king", "man") == {"vectors": {"king": [1, 2, 0], "man": [1, 0, 0]}}
    assert main(["embed", "vector", bundle, "king", "apple"]) == 0
    assert capsys.readouterr().out == "king 1 2 0\napple 0 0 -3\n"


def test_words_cannot_drive_the_terminal(bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["embed", "similar", bundle, "man", "-n", "9"]) == 0
    assert main(["embed", "vector", bundle, WORDS[5]]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert out.count("\\x1b[31mred") == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("similar", "b", "kng"),
        ("analogy", "b", "man", "kng", "woman"),
        ("odd-one-out", "b", "man", "kng", "woman"),
        ("vector", "b", "kng"),
    ],
)
def test_an_unknown_word(
    bundle: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.chdir(Path(bundle).parent)
    assert main(["embed", *arguments]) == 65
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "seqkit: error: 'kng' is not in the vocabulary; nearest spellings: king\n"


def test_exit_codes(bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damaged = tmp_path / "damaged.txt"
    damaged.write_text("2 2\na 1 2\nb 1 nan\n")
    for arguments, code, message in [
        (["similar", str(tmp_path / "c"), "king"], 66, "no such bundle"),
        (["similar", str(damaged), "a"], 65, "damaged.txt, line 3: "),
        (["similar", bundle, "king", "-n", "0"], 2, "-n"),
        (["similar", bundle], 2, "WORD"),
        (["odd-one-out", bundle, "king", "man"], 2, "three distinct words"),
    ]:
        assert main(["embed", *arguments]) == code
        captured = capsys.readouterr()
        assert captured.out == ""
        assert message in captured.err
        assert captured.err.count("\n") == 1
