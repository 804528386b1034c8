"""Ranges of the hyper-parameters, and where the words that the model sees stand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from seqkit.embeddings.window.config import WindowConfig
from seqkit.errors import UsageError


@pytest.mark.parametrize(
    ("name", "accepted", "refused"),
    [
        ("vector_size", [1, 4096], [0, 4097]),
        ("window", [1, 64], [0, 65]),
        ("context", ["left", "around"], ["right", "", None]),
        ("hidden_units", [1, 4096], [0, 4097]),
        ("softmax", ["exact", "sampled"], ["hierarchical", "", None]),
        ("negative", [1, 8192], [0, 8193]),
        ("sample", [0.0, 1e-5, 1.0], [-1e-9, 1.5, math.nan]),
        ("epochs", [1, 1_000], [0, 1_001]),
        ("learning_rate", [1e-9, 10.0], [0.0, -0.1, 10.1, math.nan, math.inf]),
        ("seed", [0, 2**63 - 1], [-1, 2**63]),
        ("precision", ["float32", "bfloat16"], ["float16", None]),
    ],
)
def test_ranges(name: str, accepted: list[Any], refused: list[Any]) -> None:
    for value in accepted:
        assert getattr(WindowConfig(**{name: value}), name) == value
    for value in refused:
        with pytest.raises(UsageError) as caught:
            WindowConfig(**{name: value})
        assert str(caught.value).startswith(f"{name} must be ")
        assert f"not {value!r}" in str(caught.value)


def test_offsets() -> None:
    assert WindowConfig(window=3).offsets == [-3, -2, -1]
    assert WindowConfig(window=2, context="around").offsets == [-2, -1, 1, 2]
