"""The examples of the five shapes run and learn what the page of the shapes says."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "examples"
PAGE = (ROOT / "docs" / "shapes.md").read_text(encoding="utf-8")
# What each has to reach at least, by the names of the figures that it gives back.
LEAST = {
    "one_to_one": {"right": 0.97},
    "one_to_many": {"written": 0.85, "true": 0.95, "new": 0.8},
    "many_to_one": {"right": 0.97},
    "many_to_many": {"both directions": 0.98},
    "encoder_decoder": {"greedy": 0.95, "beam": 0.95},
}


def check(name: str) -> dict[str, float]:
    found: dict[str, float] = runpy.run_path(str(FOLDER / f"{name}.py"))["main"]()
    assert found.keys() >= LEAST[name].keys()
    for figure, least in LEAST[name].items():
        assert found[figure] >= least, figure
    return found


@pytest.mark.slow
def test_one_to_one_learns() -> None:
    check("one_to_one")


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in LEAST if name != "one_to_one"])
def test_examples_learn(name: str) -> None:
    found = check(name)
    if name == "many_to_many":
        assert found["forward"] < 0.9


def test_every_example_is_on_the_page() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} >= LEAST.keys()
    assert set(re.findall(r"\(examples/(\w+)\.py\)", PAGE)) == LEAST.keys()
