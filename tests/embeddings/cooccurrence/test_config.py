"""What is counted: units, weights, and values that are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seqkit.embeddings.cooccurrence.config import EXACT_WINDOW, CooccurrenceConfig
from seqkit.errors import UsageError


@pytest.mark.parametrize("window", range(1, EXACT_WINDOW + 1))
def test_every_weight_is_a_whole_number_of_units(window: int) -> None:
    config = CooccurrenceConfig(window=window)
    assert (config.weights() * np.arange(1, window + 1) == config.units).all()


def test_units_worked_by_hand() -> None:
    # lcm(1..6) = 60 = 4 · 3 · 5, lcm(1..10) = 2520 = 8 · 9 · 5 · 7
    assert CooccurrenceConfig(window=6).units == 60
    assert CooccurrenceConfig(window=6).weights().tolist() == [60, 30, 20, 15, 12, 10]
    assert CooccurrenceConfig(window=10).units == 2520
    assert CooccurrenceConfig(window=10, weighting="uniform").units == 1
    assert CooccurrenceConfig(window=3, weighting="uniform").weights().tolist() == [1, 1, 1]


def test_beyond_the_exact_window_the_weight_is_near() -> None:
    config = CooccurrenceConfig(window=100)
    assert config.units == CooccurrenceConfig(window=16).units
    # Half a unit of 720720 at distance d is d / 1441440 of 1/d: 100 / 1441440 = 6.94e-5.
    np.testing.assert_allclose(config.weights() / config.units, 1 / np.arange(1, 101), rtol=6.94e-5)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"window": 0}, "window must be from 1 to 100, not 0"),
        ({"window": 101}, "window must be from 1 to 100, not 101"),
        ({"context": "right"}, "context must be one of symmetric, left, not 'right'"),
        ({"weighting": "linear"}, "weighting must be one of harmonic, uniform, not 'linear'"),
    ],
)
def test_what_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        CooccurrenceConfig(**values)
