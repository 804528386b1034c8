"""Permutation tests: could a split into two groups differ by chance as much as the one that is there?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqkit.debias.measures.intervals import Figure, exactly
from seqkit.resampling import tails

Array = npt.NDArray[np.float64]

EXACT_VALUES = 36
"""Up to so many values in both groups the test is exact: 9,075,135,300 partitions into 18 and 18."""
SAMPLES = 100_000
"""Otherwise so many partitions are drawn."""

_BLOCK = 10_000
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Permutation:
    """The outcome of a one-sided permutation test.

    Args:
        p: the share of partitions that differ at least as much; the interval is that of having drawn them
            (Clopper-Pearson), of no width where the test is exact.
        exact: whether all partitions were counted.
        partitions: how many there are, or how many were drawn.
    """

    p: Figure
    exact: bool
    partitions: int


def permutation_test(first: Array, second: Array, *, seed: int) -> Permutation:
    """Tests whether the first group's mean is higher than by chance.

        p = Pr_i[mean(first_i) - mean(second_i) >= mean(first) - mean(second)]

    over all partitions i of the values into groups of the two sizes. Up to 36 values it is exact: both
    halves' sums of subsets are counted against each other, as Horowitz and Sahni 1974 do, instead of one by
    one. With more, 100,000 partitions are drawn, and the one that is there counts as one more, (1 + hits) /
    (1 + drawn), without which p would be too small, even 0 (Phipson and Smyth 2010, "Permutation P-values
    Should Never Be Zero"). Sums that differ only by rounding count as equal.

    Args:
        first: (n,), at least one.
        second: (m,), at least one.
        seed: of the partitions drawn.
    """
    values = np.concatenate([first, second])
    values = values - values.mean()  # the sums' rounding errors are then as small as can be
    size = min(len(first), len(second))
    # With both sizes fixed, the smaller group's sum says everything.
    sign, chosen = (1, values[: len(first)]) if size == len(first) else (-1, values[len(first) :])
    values, observed = sign * values, float(sign * chosen.sum())
    reach = observed - _ROUNDING * max(float(np.abs(values).sum()), np.finfo(np.float64).tiny)
    if len(values) <= EXACT_VALUES:
        partitions = math.comb(len(values), size)
        return Permutation(exactly(_count(values, size, reach) / partitions), True, partitions)
    hits = _sampled(values, size, reach, seed)
    return Permutation(_estimate(hits, SAMPLES), False, SAMPLES)


def _count(values: Array, size: int, reach: float) -> int:
    """How many subsets of `size` values have a sum of at least `reach`."""
    half = len(values) // 2
    left, right = _subset_sums(values[:half]), _subset_sums(values[half:])
    total = 0
    for number, sums in enumerate(left):
        if 0 <= size - number < len(right):
            others = np.sort(right[size - number])
            total += int((len(others) - np.searchsorted(others, reach - sums)).sum())
    return total


def _subset_sums(values: Array) -> list[Array]:
    """The sums of all subsets, by how many values they have."""
    sums = [np.zeros(1)]
    for value in values.tolist():
        grown = [part + value for part in sums]
        sums = [
            np.concatenate(parts) for parts in zip([*sums, np.empty(0)], [np.empty(0), *grown], strict=True)
        ]
    return sums


def _sampled(values: Array, size: int, reach: float, seed: int) -> int:
    """How many of the partitions drawn have a sum of at least `reach`."""
    generator = np.random.default_rng(seed)
    hits = 0
    for start in range(0, SAMPLES, _BLOCK):
        keys = generator.random((min(_BLOCK, SAMPLES - start), len(values)))
        chosen = np.argpartition(keys, size - 1, axis=1)[:, :size]
        hits += int((values[chosen].sum(axis=1) >= reach).sum())
    return hits


def _estimate(hits: int, drawn: int) -> Figure:
    from scipy.stats import beta

    below, above = tails()
    low = float(beta.ppf(below, hits, drawn - hits + 1)) if hits else 0.0
    high = float(beta.ppf(above, hits + 1, drawn - hits)) if hits < drawn else 1.0
    value = (1 + hits) / (1 + drawn)
    return Figure(value, min(low, value), max(high, value))
