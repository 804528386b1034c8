"""`seqkit embed compare`: tables, JSON and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from seqkit.cli.main import main
from seqkit.embeddings.vectors import Vectors

WORDS = ["man", "woman", "king", "queen", "apple", "pear"]
# No two words are equally far from a third.
MATRIX = np.array([[1, 0, 1], [-0.9, 0, 1], [1, 2, 1], [-1, 2, 1], [0.2, 0, -3], [0.1, 0.3, -3]], np.float32)
TURN = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], np.float32)  # the axes in another order


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Vectors(WORDS, MATRIX).save("a")
    Vectors([*WORDS, "only"], np.vstack([MATRIX @ TURN, np.ones((1, 3), np.float32)])).export("b.txt")
    Path("sim.tsv").write_text("king\tqueen\t9\nking\tman\t5\nman\twoman\t1\nx\ty\t1\n")
    Path("ana.txt").write_text(": royal\nman king woman queen\n")


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["-k", "2", "-n", "1", "--similarity", "sim.tsv", "--analogies", "ana.txt"]
    assert main(["embed", "compare", "a", "b.txt", *options, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["a"], answer["b"], answer["common"], answer["compared"], answer["k"]) == (
        "a",
        "b.txt",
        6,
        6,
        2,
    )
    assert answer["whole"] == {
        "first": 1,
        "last": 6,
        "overlap": 1.0,
        "jaccard": 1.0,
        "distance": pytest.approx(0, abs=1e-6),
    }
    [moved] = answer["moved"]
    assert len(moved["neighbours_a"]) == len(moved["neighbours_b"]) == 2
    for scores in answer["evaluation"].values():
        assert scores["similarity"]["sim"]["pairs"] == 3
        assert scores["analogies"]["ana"]["accuracy"] == 1.0


def test_tables(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["-k", "2", "-n", "1", "--similarity", "sim.tsv", "--analogies", "ana.txt"]
    assert main(["embed", "compare", "a", "b.txt", *options]) == 0
    sizes, bands, scores, moved = capsys.readouterr().out.split("\n\n")
    assert sizes.splitlines() == ["A\t6", "B\t7", "common\t6", "compared\t6"]
    assert [line.split("\t")[:3] for line in bands.splitlines()] == [
        ["1-6", "1.0000", "1.0000"],
        ["all", "1.0000", "1.0000"],
    ]
    # The cosines, by hand: king queen 4/6 = .67, king man 2/sqrt(12) = .58, man woman .05: as scored.
    assert scores.splitlines() == [
        "sim\tspearman\t1.0000\t3\t1\t1.0000\t3\t1",
        "ana\taccuracy\t1.0000\t1\t0\t1.0000\t1\t0",
    ]
    assert len(moved.splitlines()) == 1
    assert main(["embed", "compare", "a", "b.txt", *options, "-n", "0"]) == 0
    assert len(capsys.readouterr().out.split("\n\n")) == 3


def test_the_standard_sets_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["embed", "compare", "a", "a", "-k", "1", "--json"]) == 0
    evaluation = json.loads(capsys.readouterr().out)["evaluation"]
    assert evaluation["a"] == evaluation["b"]
    assert list(evaluation["a"]["similarity"]) == ["wordsim353", "simlex999"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["a", "absent"], 66, "absent"),
        (["a", "c"], 65, "0 words are in both"),
        (["a", "b.txt", "-k", "6"], 2, "at most 5"),
        (["a", "b.txt", "-k", "0"], 2, "-k"),
        (["a", "b.txt", "--most-frequent", "1"], 2, "--most-frequent"),
        (["a", "b.txt", "--similarity", "absent.tsv"], 66, "absent.tsv"),
        (["a"], 2, "B"),
    ],
)
def test_exit_codes(
    arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Vectors(["quite", "other"], np.eye(2, dtype=np.float32)).save("c")
    assert main(["embed", "compare", *arguments]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1
