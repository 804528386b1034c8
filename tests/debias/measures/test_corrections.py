"""Corrections for many tests, by hand and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from seqkit.debias.measures.corrections import benjamini_hochberg, holm
from seqkit.errors import UsageError


def test_holm_by_hand() -> None:
    # Sorted 0.01 0.02 0.03 0.5; times 4 3 2 1: 0.04 0.06 0.06 0.5.
    assert holm([0.02, 0.5, 0.01, 0.03]) == pytest.approx([0.06, 0.5, 0.04, 0.06])
    # 2 * 0.6 is cut at 1, and the larger p cannot be corrected to less.
    assert holm([0.6, 0.7]) == [1, 1]


def test_holm_by_its_definition() -> None:
    """A test is rejected at a level when it and all with smaller p pass theirs."""
    p = np.random.default_rng(0).uniform(size=12) ** 3
    corrected = holm(p.tolist())
    for level in (0.01, 0.05, 0.2, 0.5):
        rejected = set()
        for step, index in enumerate(np.argsort(p)):
            if p[index] > level / (12 - step):
                break
            rejected.add(int(index))
        assert {index for index, value in enumerate(corrected) if value <= level} == rejected


def test_benjamini_hochberg_against_scipy() -> None:
    p = np.random.default_rng(1).uniform(size=30) ** 2
    assert benjamini_hochberg(p.tolist()) == pytest.approx(stats.false_discovery_control(p).tolist())


@pytest.mark.parametrize("correct", [holm, benjamini_hochberg])
def test_few_tests(correct) -> None:
    assert correct([]) == []
    assert correct([0.04]) == [0.04]
    with pytest.raises(UsageError, match=r"p is 1\.2"):
        correct([0.1, 1.2])
