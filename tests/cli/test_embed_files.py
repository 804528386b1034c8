"""`seqkit embed evaluate`, `export`, `import`, `info`: JSON, files and exit codes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqkit.cli.embed_files import FORMATS as OFFERED
from seqkit.cli.main import main
from seqkit.embeddings.formats import FORMATS
from seqkit.embeddings.vectors import Vectors

WORDS = ["man", "woman", "king", "queen", "new york"]
MATRIX = np.array([[1, 0, 0.1], [-1, 0, 0.1], [1, 2, 0.1], [-1, 2, 0.1], [0, 0, -3]], np.float32)


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Vectors(WORDS, MATRIX, [5, 4, 3, 2, 1], output_matrix=MATRIX).save("b", config={"window": 5}, seed=7)
    return "b"


def ask(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(["embed", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refuse(capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> str:
    assert main(["embed", *arguments]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_the_formats_offered_are_those_there_are() -> None:
    assert list(FORMATS) == OFFERED


# --- evaluate


def test_evaluate_named_files(bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("sim.tsv").write_text("king\tqueen\t9\nking\tman\t5\nman\twoman\t1\nx\ty\t1\n")
    Path("ana.txt").write_text(": royal\nman king woman queen\n: other\nx y z w\n")
    expected = {
        "similarity": {"sim": {"spearman": pytest.approx(1.0), "pairs": 3, "missing": 1}},
        "analogies": {
            "ana": {
                "accuracy": 1.0,
                "questions": 1,
                "missing": 1,
                "sections": {
                    "royal": {"accuracy": 1.0, "questions": 1, "missing": 0},
                    "other": {"accuracy": None, "questions": 0, "missing": 1},
                },
            }
        },
    }
    files = ["--similarity", "sim.tsv", "--analogies", "ana.txt"]
    assert ask(capsys, "evaluate", bundle, *files) == expected
    assert main(["embed", "evaluate", bundle, *files]) == 0
    assert capsys.readouterr().out == "sim\tspearman\t1.0000\t3\t1\nana\taccuracy\t1.0000\t1\t1\n"


def test_evaluate_by_default(bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = ask(capsys, "evaluate", bundle)
    assert list(answer["similarity"]) == ["wordsim353", "simlex999"]
    assert list(answer["analogies"]) == ["questions-words"]
    # Of its 353 pairs two are within these five words: king queen 8.58 and man woman 8.30, with cosines that
    # fall in the same order.
    row = {"spearman": pytest.approx(1.0), "pairs": 2, "missing": 351}
    assert answer["similarity"]["wordsim353"] == row


def test_evaluate_refuses(bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.tsv").write_text("king\tqueen\n")
    assert "bad.tsv, line 1: " in refuse(capsys, 65, "evaluate", bundle, "--similarity", "bad.tsv")
    assert "absent.txt" in refuse(capsys, 66, "evaluate", bundle, "--analogies", "absent.txt")


# --- export and import


@pytest.mark.parametrize("format", FORMATS)
def test_out_and_in_again(bundle: str, format: str, capsys: pytest.CaptureFixture[str]) -> None:
    Vectors(WORDS[:4], MATRIX[:4]).save("c")
    answer = ask(capsys, "export", "c", "file", "--format", format)
    assert answer["files"] == (
        ["file", "file_metadata", "projector_config.pbtxt"] if format == "projector" else ["file"]
    )
    assert (answer["vocabulary"], answer["vector_size"]) == (4, 3)
    answer = ask(capsys, "import", "file", "-o", "d", "--format", format)
    assert answer == {"bundle": "d", "format": format, "vocabulary": 4, "vector_size": 3, "skipped": 0}
    again = Vectors.load("d")
    assert list(again.words) == WORDS[:4]
    assert np.array_equal(again.matrix, MATRIX[:4])


def test_export_refuses(bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "'new york' cannot be written" in refuse(capsys, 65, "export", bundle, "v.txt")
    assert "does not say which format" in refuse(capsys, 2, "export", bundle, "v.h5")
    assert "No such file" in refuse(capsys, 74, "export", bundle, "no/v.tsv")
    assert "nope" in refuse(capsys, 66, "export", "nope", "v.tsv")
    assert sorted(os.listdir()) == ["b"]
    Path("v.tsv").write_text("mine")
    assert "v.tsv: is there already" in refuse(capsys, 2, "export", bundle, "v.tsv")
    assert Path("v.tsv").read_text() == "mine"
    assert main(["embed", "export", bundle, "v.tsv", "--overwrite"]) == 0
    assert capsys.readouterr().out == "v.tsv\nv_metadata.tsv\nprojector_config.pbtxt\n"


def test_import_counts_what_it_skips(bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("v").write_text("a 1 2\na 3 4\nb nan 1\nc 5 6\n")
    assert "v, line 2: the word 'a' was there before" in refuse(capsys, 65, "import", "v", "-o", "c")
    assert sorted(os.listdir()) == ["b", "v"]
    assert main(["embed", "import", "v", "-o", "c", "--on-bad", "skip", "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {
        "bundle": "c",
        "format": "glove",
        "vocabulary": 2,
        "vector_size": 2,
        "skipped": 2,
    }
    assert captured.err == "seqkit: 2 bad rows skipped; the first: v, line 2: the word 'a' was there before\n"
    assert list(Vectors.load("c").words) == ["a", "c"]


def test_import_replaces_a_bundle_only_when_asked(bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("v").write_text("a 1 2\n")
    assert "--overwrite" in refuse(capsys, 2, "import", "v", "-o", bundle)
    assert len(Vectors.load(bundle)) == 5
    assert main(["embed", "import", "v", "-o", bundle, "--overwrite"]) == 0
    assert len(Vectors.load(bundle)) == 1
    capsys.readouterr()
    assert "absent" in refuse(capsys, 66, "import", "absent", "-o", "c")


# --- info


def test_info_of_a_bundle(bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = ask(capsys, "info", bundle, "--verify")
    assert answer["versions"].pop("numpy") == np.__version__
    expected = {
        "path": "b",
        "format": "bundle",
        "config": {"window": 5},
        "seed": 7,
        "fingerprint": None,
        "metrics": {},
        "vocabulary": 5,
        "vector_size": 3,
        "tokens": 15,
        "context": True,
        "verified": True,
    }
    assert expected.items() <= answer.items()
    assert main(["embed", "info", bundle]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "config.window\t5" in lines
    assert "vocabulary\t5" in lines


def test_info_sees_damage_only_when_asked(bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    tensors = Path(bundle, "tensors.safetensors")
    data = bytearray(tensors.read_bytes())
    data[-1] ^= 1
    tensors.write_bytes(data)
    assert ask(capsys, "info", bundle)["verified"] is False
    assert "b, tensors.safetensors: its sha256" in refuse(capsys, 65, "info", bundle, "--verify")


def test_info_of_a_file(bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("v").write_text("a 1 2\n")
    expected = {
        "path": "v",
        "format": "glove",
        "vocabulary": 1,
        "vector_size": 2,
        "tokens": None,
        "context": False,
    }
    assert expected.items() <= ask(capsys, "info", "v").items()
    assert "no such bundle" in refuse(capsys, 66, "info", "absent")
