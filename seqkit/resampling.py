"""Drawing with replacement, for bootstrap intervals: how often each item is in each resample."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

LEVEL = 0.95
"""Of the intervals."""

DRAWS = 1000
"""Resamples of a figure."""

_WEIGHTS = 1 << 22
"""Weights held at a time: 32 MB."""


def tails() -> tuple[float, float]:
    """The shares of the draws below the two ends of an interval."""
    return (1 - LEVEL) / 2, (1 + LEVEL) / 2


def draw_weights(sizes: tuple[int, ...], seed: int, draws: int = DRAWS) -> Iterator[list[Array]]:
    """Draws the items of each group with replacement, as often as there are, groups independently.

    Args:
        sizes: items of each group, at least 1.
        seed: of the draws.
        draws: how many resamples.

    Yields:
        Blocks of weights, how often an item was drawn: (draws of the block, size) for each group. How the
        draws are cut into blocks changes none of them.
    """
    generators = [np.random.default_rng([seed, group]) for group in range(len(sizes))]
    block = max(1, min(draws, _WEIGHTS // max(sizes)))
    for start in range(0, draws, block):
        rows = min(block, draws - start)
        yield [_counts(*group, rows) for group in zip(generators, sizes, strict=True)]


def _counts(generator: np.random.Generator, size: int, rows: int) -> Array:
    # Of random(), unlike integers(), a number is a step of the generator: blocks of any size draw the same.
    chosen = (size * generator.random((rows, size))).astype(np.int64) + size * np.arange(rows)[:, None]
    counts = np.bincount(chosen.ravel(), minlength=rows * size)
    return counts.reshape(rows, size).astype(np.float64)
