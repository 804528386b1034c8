"""Ranges of the hyper-parameters."""

from __future__ import annotations

import math
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from seqkit.embeddings.cooccurrence.config import CooccurrenceConfig
from seqkit.embeddings.glove.config import GloVeConfig
from seqkit.embeddings.training import RunConfig
from seqkit.errors import UsageError


@pytest.mark.parametrize(
    ("name", "accepted", "refused"),
    [
        ("vector_size", [1, 4096], [0, 4097]),
        ("window", [1, 100], [0, 101]),
        ("context", ["symmetric", "left"], ["around", "", None]),
        ("weighting", ["harmonic", "uniform"], ["linear", None]),
        ("x_max", [1e-6, 1e12], [0, -1.0, 1e13, math.nan, math.inf]),
        ("alpha", [0.01, 1.0], [0, 1.01, math.nan]),
        ("epochs", [1, 1_000], [0, 1_001]),
        ("ridge", [0, 1e6], [-1e-9, 2e6, math.nan, math.inf]),
        ("output", ["sum", "words", "contexts"], ["both", None]),
        ("seed", [0, 2**63 - 1], [-1, 2**63]),
        ("precision", ["float32", "bfloat16"], ["float16", None]),
    ],
)
def test_ranges(name: str, accepted: list[Any], refused: list[Any]) -> None:
    for value in accepted:
        assert getattr(GloVeConfig(**{name: value}), name) == value
    for value in refused:
        with pytest.raises(UsageError) as caught:
            GloVeConfig(**{name: value})
        assert str(caught.value).startswith(f"{name} must be ")
        assert f"not {value!r}" in str(caught.value)


def test_learning_rates() -> None:
    assert GloVeConfig(learning_rate=1).learning_rate == 1
    for value in (0.0, -0.1, 1.01, math.nan):
        with pytest.raises(UsageError, match=f"^learning_rate must be above 0, at most 1, not {value}"):
            GloVeConfig(learning_rate=value)


def test_what_is_counted() -> None:
    config = GloVeConfig(window=4, context="left", weighting="uniform")
    assert config.counting == CooccurrenceConfig(window=4, context="left", weighting="uniform")


def test_the_defaults_in_the_documentation() -> None:
    page = (Path(__file__).parents[3] / "docs" / "glove.md").read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| `--([a-z-]+)` \| (\S+) \|", page, flags=re.MULTILINE))
    assert float(table.pop("memory")) == RunConfig().memory
    table["output"] = table.pop("output-vectors")
    defaults = {name.replace("_", "-"): str(value) for name, value in asdict(GloVeConfig()).items()}
    del defaults["seed"], defaults["precision"]  # those of all methods
    assert table == defaults
