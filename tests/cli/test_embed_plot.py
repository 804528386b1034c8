"""`seqkit embed plot`: files, answers, messages and exit codes."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from seqkit.cli.main import main
from seqkit.embeddings.vectors import Vectors

WORDS = ["man", "woman", "king", "queen", "apple", "<b>&"]
MATRIX = np.array([[1, 0, 1], [-1, 0, 1], [1, 2, 1], [-1, 2, 1], [0, 0, -3], [0, -1, 1]], np.float32)


@pytest.fixture(autouse=True)
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Vectors(WORDS, MATRIX, [60, 50, 40, 30, 20, 10]).save("toy")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], 6),
        (["-n", "3"], 3),
        (["king", "queen", "apple"], 3),
        (["king", "--neighbours", "2"], 3),
        (["--pairs", "man:woman,king:queen"], 4),
        (["--pairs", "man:woman", "apple"], 3),
        (["--groups", "g.toml"], 3),
        (["--projection", "tsne", "--seed", "3"], 6),
        (["--projection", "spectral"], 6),
    ],
)
@pytest.mark.parametrize("ending", ["png", "svg", "html"])
def test_maps(options: list[str], words: int, ending: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("g.toml").write_text('royal = ["king", "queen"]\nother = ["<b>&"]\n')
    assert main(["embed", "plot", "toy", *options, "-o", f"m.{ending}", "--json"]) == 0
    captured = capsys.readouterr()
    answer = json.loads(captured.out)
    assert captured.err == ""
    assert (answer["file"], answer["words"], answer["labels"]) == (f"m.{ending}", words, words)
    start = {"png": b"\x89PNG", "svg": b"<svg", "html": b"<!DOCTYPE html>"}[ending]
    assert Path(f"m.{ending}").read_bytes().startswith(start)
    assert sorted(os.listdir()) == ["g.toml", f"m.{ending}", "toy"]


def test_the_plain_answer_and_vectors_of_any_format(capsys: pytest.CaptureFixture[str]) -> None:
    Vectors(WORDS[:5], MATRIX[:5]).export("toy.txt")
    assert main(["embed", "plot", "toy.txt", "-o", "m.svg"]) == 0
    assert capsys.readouterr().out == "m.svg\t5\t5\tpca\n"
    assert "toy.txt: the first 5 words" in Path("m.svg").read_text()


def test_dropped_labels_are_told_unless_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    Vectors([f"word {i}" for i in range(90)], np.ones((90, 2), np.float32)).save("same")
    assert main(["embed", "plot", "same", "-o", "m.svg", "--projection", "pca"]) == 0
    captured = capsys.readouterr()
    assert "of 90 words have no label, for lack of room" in captured.err
    assert captured.err.count("\n") == 1
    assert main(["embed", "plot", "same", "-o", "n.svg", "--projection", "pca", "-q"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["toy", "kng", "-o", "m.svg"], 65, "'kng' is not in the vocabulary; nearest spellings: king"),
        (["toy", "--pairs", "man:womn", "-o", "m.svg"], 65, "nearest spellings: woman"),
        (["toy", "--groups", "bad.toml", "-o", "m.svg"], 65, "bad.toml: 'a' is not a group"),
        (["toy", "--groups", "absent.toml", "-o", "m.svg"], 66, "absent.toml"),
        (["absent", "-o", "m.svg"], 66, "absent"),
        (["toy", "-o", "m.pdf"], 2, "a picture ends in .png, .svg, .html, not in '.pdf'"),
        (["absent", "-o", "m"], 2, "a picture ends in"),
        (["toy", "-o", "there.svg"], 2, "--overwrite"),
        (["toy"], 2, "--output"),
        (["toy", "-o", "m.svg", "-n", "1"], 2, "-n"),
        (["toy", "-o", "m.svg", "--projection", "umap"], 2, "umap"),
        (["toy", "-o", "m.svg", "--neighbours", "2"], 2, "neighbours of which words"),
        (["toy", "-o", "m.svg", "--pairs", "man"], 2, "'man' is not a pair"),
        (["toy", "-o", "m.svg", "--pairs", "man:woman,"], 2, "'' is not a pair"),
        (["toy", "-o", "m.svg", "--pairs", "a:b:c"], 2, "'a:b:c' is not a pair"),
        (["toy", "-o", "m.svg", "--pairs", "man:woman", "--projection", "tsne"], 2, "only in PCA"),
        (["toy", "-o", "no/m.svg"], 74, "no/m.svg: could not write"),
    ],
)
def test_exit_codes(
    arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bad.toml").write_text("a = 3\n")
    Path("there.svg").write_text("mine")
    assert main(["embed", "plot", *arguments]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert sorted(os.listdir()) == ["bad.toml", "there.svg", "toy"]
    assert Path("there.svg").read_text() == "mine"


def test_a_missing_extra(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.style", None)
    assert main(["embed", "plot", "toy", "-o", "m.svg"]) == 69
    assert "pip install 'seqkit[plot]'" in capsys.readouterr().err


def test_overwrite() -> None:
    Path("m.svg").write_text("mine")
    assert main(["embed", "plot", "toy", "-o", "m.svg", "--overwrite"]) == 0
    assert Path("m.svg").read_text().startswith("<svg")
