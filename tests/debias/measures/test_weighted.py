"""Weighted means, correlations and ranks, against the same numbers written out as often as they weigh."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from seqkit.debias.measures import weighted

WEIGHTS = np.random.default_rng(0).integers(0, 4, size=(20, 12)).astype(np.float64)
FIRST = np.random.default_rng(1).normal(size=12)
SECOND = FIRST + np.random.default_rng(2).normal(size=12)
TIED = np.round(2 * FIRST)


def written_out(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.repeat(values, weights.astype(int))


def test_mean() -> None:
    expected = [written_out(FIRST, row).mean() for row in WEIGHTS]
    assert weighted.mean(WEIGHTS, FIRST) == pytest.approx(expected)
    assert weighted.mean(WEIGHTS, np.tile(FIRST, (20, 1))) == pytest.approx(expected)
    assert np.isnan(weighted.mean(np.zeros((1, 12)), FIRST)).all()


def test_correlation() -> None:
    expected = [
        stats.pearsonr(written_out(FIRST, row), written_out(SECOND, row)).statistic for row in WEIGHTS
    ]
    assert weighted.correlation(WEIGHTS, FIRST, SECOND) == pytest.approx(expected)


def test_a_constant_has_no_correlation() -> None:
    one = np.eye(12)[:1]
    assert np.isnan(weighted.correlation(one, FIRST, SECOND)).all()
    assert np.isnan(weighted.correlation(WEIGHTS, np.full(12, 0.1), SECOND)).all()


@pytest.mark.parametrize("values", [FIRST, TIED])
def test_ranks(values: np.ndarray) -> None:
    found = weighted.ranks(WEIGHTS, values)
    for row, weights in zip(found, WEIGHTS, strict=True):
        expected = stats.rankdata(written_out(values, weights))
        assert written_out(row, weights) == pytest.approx(expected)
