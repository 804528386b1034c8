"""Intervals of figures, against SciPy's and against what they are to cover."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from seqkit.sentiment.evaluation.intervals import Figure, bootstrap, difference, share

VALUES = np.random.default_rng(3).exponential(size=60)


def mean(weights: np.ndarray) -> dict[str, np.ndarray]:
    return {"mean": weights @ VALUES / len(VALUES)}


@pytest.mark.parametrize("method", ["percentile", "basic"])
def test_bootstrap_against_scipy(method: str) -> None:
    biased = ("mean",) if method == "basic" else ()
    found = bootstrap(mean, 60, seed=0, draws=20_000, biased=biased)["mean"]
    expected = stats.bootstrap((VALUES,), np.mean, n_resamples=20_000, rng=1, method=method)
    low, high = expected.confidence_interval
    # Basic intervals are of figures from 0 to 1.
    high = min(high, 1.0) if method == "basic" else high
    assert found.value == pytest.approx(VALUES.mean())
    assert (found.low, found.high) == pytest.approx((low, max(high, found.value)), abs=0.03 * (high - low))


def test_the_seed_decides() -> None:
    assert bootstrap(mean, 60, seed=1) == bootstrap(mean, 60, seed=1)
    assert bootstrap(mean, 60, seed=1) != bootstrap(mean, 60, seed=2)


def test_figures_are_of_the_same_draws() -> None:
    def both(weights: np.ndarray) -> dict[str, np.ndarray]:
        return mean(weights) | {"twice": 2 * mean(weights)["mean"]}

    found = bootstrap(both, 60, seed=0)
    assert found["twice"].low == pytest.approx(2 * found["mean"].low)


def test_a_figure_that_is_not_defined() -> None:
    def half(weights: np.ndarray) -> dict[str, np.ndarray]:
        # The second text's value, where it was drawn.
        return {"none": np.full(len(weights), np.nan), "some": np.where(weights[:, 1] > 0, 2.0, np.nan)}

    found = bootstrap(half, 2, seed=0)
    assert np.isnan([found["none"].value, found["none"].low, found["none"].high]).all()
    assert found["some"] == Figure(2, 2, 2)


def test_a_value_outside_the_draws_is_inside_the_interval() -> None:
    def odd(weights: np.ndarray) -> dict[str, np.ndarray]:
        return {"odd": np.where((weights == 1).all(axis=1), 0.5, 0.25)}

    found = bootstrap(odd, 40, seed=0)["odd"]
    assert (found.low, found.value, found.high) == (0.25, 0.5, 0.5)


@pytest.mark.parametrize(("part", "whole"), [(0, 20), (1, 20), (13, 40), (20, 20), (1, 1), (250, 25_000)])
def test_wilson_against_scipy(part: int, whole: int) -> None:
    found = share(part, whole)
    expected = stats.binomtest(part, whole).proportion_ci(method="wilson")
    assert found.value == part / whole
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_newcombe_against_his_table() -> None:
    # Newcombe 1998, table II, method 10 (Wilson, uncorrected), case a: 56/70 - 48/80 is 0.0524 to 0.3339.
    found = difference(share(48, 80), share(56, 70))
    assert found.value == pytest.approx(0.2)
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    # Case g: 10/10 - 0/20 is 0.6791 to 1.
    found = difference(share(0, 20), share(10, 10))
    assert (found.low, found.high) == pytest.approx((0.6791, 1.0), abs=5e-5)


def test_a_difference_from_what_is_exact_has_the_others_interval() -> None:
    error = share(10, 100)
    found = difference(Figure(0.04, 0.04, 0.04), error)
    assert found.value == pytest.approx(0.06)
    assert (found.low, found.high) == pytest.approx((error.low - 0.04, error.high - 0.04))


def test_as_json_and_complement() -> None:
    figure = Figure(0.9, 0.8, 0.95)
    assert figure.as_json() == {"value": 0.9, "low": 0.8, "high": 0.95}
    error = figure.complement()
    assert (error.value, error.low, error.high) == pytest.approx((0.1, 0.05, 0.2))
