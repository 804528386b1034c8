"""Bootstrap intervals, against scipy's and against the distribution they are to cover."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from seqkit import resampling
from seqkit.debias.measures import weighted
from seqkit.debias.measures.intervals import Figure, bootstrap, exactly, mean_figure
from seqkit.errors import DataError, UsageError

SKEWED = np.random.default_rng(5).exponential(size=25)


def ratio(first: np.ndarray, second: np.ndarray) -> Callable[..., np.ndarray]:
    return lambda weights, others: weighted.mean(weights, first) / weighted.mean(others, second)


def test_json() -> None:
    figure = mean_figure(SKEWED, seed=0)
    answer = json.loads(json.dumps(figure.as_json()))
    assert answer == {"value": figure.value, "low": figure.low, "high": figure.high}
    assert repr(figure).count(",") == 2  # the draws are not shown
    assert figure == Figure(figure.value, figure.low, figure.high)


def test_the_same_seed_gives_the_same_interval() -> None:
    assert mean_figure(SKEWED, seed=1) == mean_figure(SKEWED, seed=1)
    assert mean_figure(SKEWED, seed=1) != mean_figure(SKEWED, seed=2)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bootstrap(ratio(SKEWED, SKEWED[:10]), 25, 10, seed=1)
    assert len(whole.draws) == 1000
    monkeypatch.setattr(resampling, "_WEIGHTS", 77)
    assert bootstrap(ratio(SKEWED, SKEWED[:10]), 25, 10, seed=1).draws == pytest.approx(whole.draws)


def test_bca_of_one_group_against_scipy() -> None:
    # Both draw by chance; with 20,000 draws the ends' own error is about 1% of the interval's width.
    found = bootstrap(lambda weights: weighted.mean(weights, SKEWED), 25, seed=0, draws=20_000)
    expected = stats.bootstrap(
        (SKEWED,), np.mean, n_resamples=20_000, rng=1, method="BCa"
    ).confidence_interval
    width = expected.high - expected.low
    assert found.low == pytest.approx(expected.low, abs=0.03 * width)
    assert found.high == pytest.approx(expected.high, abs=0.03 * width)
    # The skew is followed: the upper end is farther away than the lower one.
    assert found.high - found.value > 1.2 * (found.value - found.low)


def test_bca_of_two_groups_against_scipy() -> None:
    other = np.random.default_rng(6).exponential(size=12) + 1
    found = bootstrap(ratio(SKEWED, other), 25, 12, seed=0, draws=20_000)
    expected = stats.bootstrap(
        (SKEWED, other),
        lambda x, y, axis: x.mean(axis) / y.mean(axis),
        n_resamples=20_000,
        rng=1,
        method="BCa",
    ).confidence_interval
    width = expected.high - expected.low
    assert found.low == pytest.approx(expected.low, abs=0.03 * width)
    assert found.high == pytest.approx(expected.high, abs=0.03 * width)


@pytest.mark.parametrize("values", [SKEWED, np.repeat([0.0, 1.0], [5, 20])])
def test_bca_by_its_formula(values: np.ndarray) -> None:
    """The ends from the same draws, written straight from Efron 1987; draws at the value count half."""
    found = mean_figure(values, seed=3)
    z0 = stats.norm.ppf(stats.percentileofscore(found.draws, found.value, kind="mean") / 100)
    left_out = np.array([np.delete(values, i).mean() for i in range(25)])
    deviations = left_out.mean() - left_out
    a = (deviations**3).sum() / (6 * (deviations**2).sum() ** 1.5)
    tails = [stats.norm.cdf(z0 + (z0 + z) / (1 - a * (z0 + z))) for z in stats.norm.ppf([0.025, 0.975])]
    assert [found.low, found.high] == pytest.approx(np.quantile(found.draws, tails).tolist())


def test_groups_are_drawn_independently() -> None:
    found = bootstrap(
        lambda weights, others: weighted.mean(weights, SKEWED) - weighted.mean(others, SKEWED), 25, 25, seed=0
    )
    # The variance of a difference is the sum of both means' variances.
    assert found.draws.std() == pytest.approx(np.sqrt(2 / 25) * SKEWED.std(), rel=0.1)


def test_many_words_have_the_percentile_interval() -> None:
    values = np.random.default_rng(1).normal(size=2000)
    found = mean_figure(values, seed=0)
    assert [found.low, found.high] == pytest.approx(np.quantile(found.draws, [0.025, 0.975]).tolist())
    # The standard error of a mean of 2,000 is 1/sqrt(2000) of the deviation; 2 * 1.96 of them are the width.
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(2000), rel=0.1)


@pytest.mark.parametrize(("words", "corrected"), [(999, True), (1000, True), (1001, False)])
def test_up_to_a_thousand_words_the_interval_is_corrected(words: int, corrected: bool) -> None:
    found = mean_figure(np.random.default_rng(1).exponential(size=words), seed=0)
    percentile = np.quantile(found.draws, [0.025, 0.975]).tolist()
    assert ([found.low, found.high] != pytest.approx(percentile, rel=1e-9)) == corrected


def test_the_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(11)
    covered = 0
    for trial in range(300):
        figure = mean_figure(rng.normal(size=40), seed=trial)
        covered += figure.low <= 0 <= figure.high
    # 95% of 300, within four standard deviations of sqrt(300 * 0.95 * 0.05) = 3.8.
    assert 270 <= covered <= 300


def test_equal_values_have_no_width() -> None:
    assert mean_figure(np.full(9, 0.25), seed=0) == Figure(0.25, 0.25, 0.25)


def test_a_figure_that_is_not_defined() -> None:
    with pytest.raises(DataError, match="not defined"):
        bootstrap(lambda weights: np.full(len(weights), np.nan), 4, seed=0)


def test_draws_that_are_not_defined_are_left_out() -> None:
    # Two words: draws of twice the same have no correlation, the others are at 1.
    values = np.array([1.0, 2.0])
    found = bootstrap(lambda weights: weighted.correlation(weights, values, values), 2, seed=0)
    assert found == Figure(1, 1, 1)
    assert 0.3 < np.isnan(found.draws).mean() < 0.7


def test_no_draw_is_defined() -> None:
    with pytest.raises(DataError, match="too few words"):
        bootstrap(lambda weights: np.where((weights == 1).all(axis=1), 1.0, np.nan), 30, seed=0)


def test_a_change_is_paired() -> None:
    before = mean_figure(SKEWED, seed=0)
    after = mean_figure(SKEWED - 0.5, seed=0)
    change = after.change(before)
    # Every word fell by 0.5, so whichever are drawn the mean falls by 0.5.
    assert (change.value, change.low, change.high) == pytest.approx((-0.5, -0.5, -0.5))
    assert after.high > before.low  # unpaired, nothing could be said


def test_a_change_of_the_distance_from_neutral() -> None:
    before, after = mean_figure(SKEWED, seed=0), mean_figure(-SKEWED, seed=0)
    assert after.change(before).value == pytest.approx(-2 * SKEWED.mean())
    assert after.change(before, neutral=0.0) == Figure(0, 0, 0)


def test_a_change_to_an_exact_figure() -> None:
    before = mean_figure(SKEWED, seed=0)
    change = exactly(0.0).change(before)
    assert change.value == -before.value
    assert [change.low, change.high] == pytest.approx(np.quantile(-before.draws, [0.025, 0.975]).tolist())
    assert exactly(2.0).change(exactly(3.0)) == Figure(-1, -1, -1)


def test_changes_need_pairs() -> None:
    values = np.arange(5.0)
    few = bootstrap(lambda weights: weighted.mean(weights, values), 5, seed=0, draws=10)
    with pytest.raises(UsageError, match=r"10 draws of \(5,\) words and 1000 of \(5,\) are no pairs"):
        few.change(mean_figure(values, seed=0))
    with pytest.raises(UsageError, match=r"1000 draws of \(5,\) words and 1000 of \(25,\) are no pairs"):
        mean_figure(values, seed=0).change(mean_figure(SKEWED, seed=0))
