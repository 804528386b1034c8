"""`seqkit demo`: the main job at a glance."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from seqkit.cli import demo
from seqkit.cli.main import main
from seqkit.corpora import open_corpus
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import InterruptedTraining


@pytest.fixture
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder; the demo takes little text, and its own temporary folder is in there, too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "LINES", 3000)
    monkeypatch.setattr(demo, "NAMES", 300)
    monkeypatch.setattr(demo, "NAME_EPOCHS", 1)
    monkeypatch.setattr(demo, "REVIEWS", 500)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.slow
def test_the_demo(short: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "-o", "kept", "--json"]) == 0
    out, err = capsys.readouterr()
    answer = json.loads(out)
    assert answer["corpus"] == "kingdom"
    assert answer["vocabulary"] == len(Vectors.load("kept"))
    assert set(answer["similar"]) == set(demo.QUERIES)
    assert [len(near) for near in answer["similar"].values()] == [5, 5, 5]
    assert next(iter(answer["analogies"])) == "man : king = woman"
    assert set(answer["evaluation"]) == {"similarity", "analogies"}
    assert set("".join(answer["names"])) <= set("".join(open_corpus("names", size=300)))
    assert [found["text"] for found in answer["opinions"]] == [*demo.OPINIONS]
    assert {found["label"] for found in answer["opinions"]} <= {"positive", "negative", "neutral"}
    assert err.startswith("reading text: ")
    assert os.listdir(short) == ["kept"]
    assert main(["demo", "-o", "kept"]) == 2
    assert "a bundle is there already" in capsys.readouterr().err

    assert main(["demo", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines()[0].split("\t")[:3] == [
        "kingdom",
        f"{answer['words']:,}",
        str(answer["vocabulary"]),
    ]
    for word in (*demo.QUERIES, "man : king = woman", "kingdom-similarity", *demo.OPINIONS):
        assert f"\n{word}\t" in out
    assert out.rstrip().endswith("seqkit embed train FILE -o BUNDLE, then seqkit embed similar BUNDLE WORD")
    assert os.listdir(short) == ["kept"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "nothing was learned yet, the same command begins anew"),
        (["-o", "b"], "the state is in b.partial"),
    ],
)
def test_ctrl_c(
    short: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    message: str,
) -> None:
    """Without -o, the state that was saved goes with the temporary folder."""

    def interrupted(sources: Any, bundle: str, *_: Any, **__: Any) -> None:
        raise InterruptedTraining(signal.SIGINT, f"{bundle}.partial")

    monkeypatch.setattr("seqkit.embeddings.training.train", interrupted)
    assert main(["demo", *options]) == 130
    assert message in capsys.readouterr().err
    assert os.listdir(short) == []


def test_ctrl_c_after_the_vectors(
    short: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(sources: Any, bundle: str, *_: Any, **__: Any) -> None:
        raise InterruptedTraining(signal.SIGTERM, f"{bundle}.partial")

    monkeypatch.setattr("seqkit.language_model.training.train", interrupted)
    assert main(["demo", "-o", "b", "-q"]) == 143
    assert "stopped by SIGTERM; the word vectors are in b, the rest" in capsys.readouterr().err
    assert os.listdir(short) == ["b"]


@pytest.mark.parametrize("seed", [2**31, 2**31 - 1])
def test_a_seed_out_of_range_is_refused_before_training(short: Path, seed: int) -> None:
    assert main(["demo", "-o", "b", "--seed", str(seed), "-q"]) == 2
    assert os.listdir(short) == []


@pytest.mark.slow
def test_the_demo_answers_well(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "seqkit.cli", "demo", "--json", "-q"],
        cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"},
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(done.stdout)
    assert answer["analogies"]["man : king = woman"][0] == "queen"
    assert answer["analogies"]["france : paris = italy"][0] == "rome"
    assert answer["evaluation"]["analogies"]["kingdom-analogies"]["accuracy"] > 0.8
    assert answer["evaluation"]["similarity"]["kingdom-similarity"]["spearman"] > 0.6
    read = list(open_corpus("names", size=demo.NAMES))
    pairs = {name[i : i + 2].lower() for name in read for i in range(len(name) - 1)}
    made_up = [name[i : i + 2].lower() for name in answer["names"] for i in range(len(name) - 1)]
    assert len(answer["names"]) == 8
    assert not set(answer["names"]) & set(read)
    assert sum(pair in pairs for pair in made_up) > 0.95 * len(
        made_up
    )  # of random letters, one in four is none
    assert done.stderr == ""
