"""Permutation tests: exact against enumeration, sampled against exact."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binomtest

from seqkit.debias.measures import permutation
from seqkit.debias.measures.permutation import permutation_test


def enumerated(first: np.ndarray, second: np.ndarray) -> float:
    """Every partition, one by one."""
    values = [*first.tolist(), *second.tolist()]
    observed = math.fsum(first) / len(first) - math.fsum(second) / len(second)
    hits = total = 0
    for chosen in itertools.combinations(range(len(values)), len(first)):
        one = [values[i] for i in chosen]
        other = [values[i] for i in range(len(values)) if i not in chosen]
        difference = math.fsum(one) / len(one) - math.fsum(other) / len(other)
        hits += difference >= observed - 1e-12
        total += 1
    return hits / total


def test_by_hand() -> None:
    # 2 + 2 values 4 3 | 2 1: of the six sums of two only 4 + 3 = 7 reaches 7. With 4 2 | 3 1 two do: 7 and 6.
    # With 2 1 | 4 3 all six do.
    for first, second, hits in (([4, 3], [2, 1], 1), ([4, 2], [3, 1], 2), ([2, 1], [4, 3], 6)):
        found = permutation_test(np.array(first, float), np.array(second, float), seed=0)
        assert (found.exact, found.partitions) == (True, 6)
        assert found.p.value == found.p.low == found.p.high == pytest.approx(hits / 6)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 5), (5, 1), (4, 4), (3, 6), (6, 3), (5, 6)])
@pytest.mark.parametrize("seed", range(3))
def test_exact_is_enumeration(n: int, m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=n) + 0.5, rng.normal(size=m)
    assert permutation_test(first, second, seed=0).p.value == pytest.approx(enumerated(first, second))


@pytest.mark.parametrize("seed", range(3))
def test_ties_count_whatever_the_rounding(seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Few distinct values that binary fractions do not hold, in float32 first as vectors are.
    first = rng.choice([0.1, 0.2, 0.7], size=5) * 3
    second = rng.choice([0.1, 0.2, 0.7], size=5) * 3
    assert permutation_test(first, second, seed=0).p.value == pytest.approx(enumerated(first, second))


def test_small_differences_are_differences() -> None:
    found = permutation_test(np.array([1 + 1e-8]), np.array([1.0, 0.0]), seed=0)
    assert found.p.value == pytest.approx(1 / 3)


def test_equal_values_are_no_evidence() -> None:
    assert permutation_test(np.full(4, 0.1), np.full(4, 0.1), seed=0).p.value == 1


def test_18_and_18_values_are_exact() -> None:
    first = np.arange(18, 36, dtype=float)
    found = permutation_test(first, np.arange(18.0), seed=0)
    assert found.partitions == math.comb(36, 18) == 9_075_135_300
    assert found.p.value == pytest.approx(1 / 9_075_135_300)  # no other choice sums to as much


def test_sampled_agrees_with_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    for n, m in ((7, 7), (5, 9), (9, 5)):
        first, second = rng.normal(size=n) + 0.6, rng.normal(size=m)
        exact = permutation_test(first, second, seed=0)
        with monkeypatch.context() as patch:
            patch.setattr(permutation, "EXACT_VALUES", 0)
            sampled = permutation_test(first, second, seed=0)
            assert sampled == permutation_test(first, second, seed=0)
            assert sampled != permutation_test(first, second, seed=1)
        assert (sampled.exact, sampled.partitions) == (False, 100_000)
        # Four standard errors of 100,000 draws.
        p = exact.p.value
        assert sampled.p.value == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / 100_000))
        assert sampled.p.low < sampled.p.value < sampled.p.high


def test_the_interval_of_a_sampled_p_is_that_of_a_share() -> None:
    rng = np.random.default_rng(1)
    found = permutation_test(rng.normal(size=20) + 0.6, rng.normal(size=20), seed=0)
    hits = round(found.p.value * 100_001) - 1
    share = binomtest(hits, 100_000).proportion_ci(method="exact")
    assert (found.p.low, found.p.high) == (pytest.approx(share.low), pytest.approx(share.high))


def test_blocks_of_partitions_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=20) + 0.3, rng.normal(size=20)
    whole = permutation_test(first, second, seed=0)
    monkeypatch.setattr(permutation, "_BLOCK", 30_000)
    assert permutation_test(first, second, seed=0) == whole


def test_a_sampled_p_is_never_0() -> None:
    found = permutation_test(np.arange(100, 130.0), np.arange(30.0), seed=0)
    # No draw reaches it: (1 + 0) / (1 + 100,000), and the interval's upper end where 0 hits of 100,000 have a
    # chance of 2.5%: 1 - 0.025^(1/100000) = 3.69e-5.
    assert found.p.value == pytest.approx(1 / 100_001)
    assert found.p.low == 0
    assert found.p.high == pytest.approx(1 - 0.025 ** (1 / 100_000))


def test_all_draws_reach() -> None:
    found = permutation_test(np.arange(30.0), np.arange(100, 130.0), seed=0)
    assert (found.p.value, found.p.high) == (1, 1)
    assert found.p.low == pytest.approx(0.025 ** (1 / 100_000))
