"""`seqkit plot history`: files, answers and exit codes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from seqkit.cli.main import main
from seqkit.embeddings.vectors import Vectors


@pytest.fixture(autouse=True)
def bundles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, epochs in (("one", 2), ("two", 3), ("none", 0)):
        history = [{"epoch": e + 1, "loss": 1 / (e + 1), "learning_rate": 0.1} for e in range(epochs)]
        Vectors(["a", "b"], np.eye(2, dtype=np.float32)).save(name, history=history)


@pytest.mark.parametrize("ending", ["png", "svg", "html"])
def test_curves(ending: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plot", "history", "one", "two", "-o", f"h.{ending}", "--json"]) == 0
    expected = {"file": f"h.{ending}", "bundles": 2, "epochs": 3, "measures": ["loss", "learning_rate"]}
    assert json.loads(capsys.readouterr().out) == expected
    assert Path(f"h.{ending}").stat().st_size > 1000
    assert main(["plot", "history", "one", "-o", f"h.{ending}", "--overwrite"]) == 0
    assert capsys.readouterr().out == f"h.{ending}\t1\t2\tloss, learning_rate\n"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["one", "none", "-o", "h.svg"], 65, "none: has no history of its training"),
        (["absent", "-o", "h.svg"], 66, "absent"),
        (["one", "-o", "h.jpg"], 2, "a picture ends in"),
        (["one", "-o", "there.svg"], 2, "--overwrite"),
        (["-o", "h.svg"], 2, "BUNDLE"),
        (["one"], 2, "--output"),
    ],
)
def test_exit_codes(
    arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("there.svg").write_text("mine")
    assert main(["plot", "history", *arguments]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert sorted(os.listdir()) == ["none", "one", "there.svg", "two"]
