"""What is counted as a co-occurrence, and with which weight."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seqkit._settings import check_choices, check_numbers, check_ranges

EXACT_WINDOW = 16
"""Up to this distance every 1/d is a whole number of units: lcm(1..16) = 720720 of them make 1."""


@dataclass(frozen=True, kw_only=True)
class CooccurrenceConfig:
    """What is counted: X_ij = sum of weight(d) over the places where j stands in i's window, at distance d.

    Weights are whole units, so that a sum does not depend on the order of its terms: the counts are the same
    for any number of threads and any bound of memory.

    Args:
        window: greatest distance between a word and its context, 1 to 100, in words of the vocabulary; words
            outside it take no place, and no window reaches over the end of a line.
        context: "symmetric" counts words on both sides, so that X_ij = X_ji; "left" those before the word.
        weighting: "harmonic" for weight(d) = 1/d; "uniform" for 1.

    Raises:
        UsageError: a value out of its range.

    >>> CooccurrenceConfig(window=4).units, CooccurrenceConfig(window=4).weights().tolist()
    (12, [12, 6, 4, 3])
    """

    window: int = 10
    context: Literal["symmetric", "left"] = "symmetric"
    weighting: Literal["harmonic", "uniform"] = "harmonic"

    def __post_init__(self) -> None:
        check_numbers(self)
        check_ranges(self, window=(1, 100))
        check_choices(self, context=("symmetric", "left"), weighting=("harmonic", "uniform"))

    @property
    def units(self) -> int:
        """How many make a weight of 1: the least common multiple of the distances up to `EXACT_WINDOW`."""
        if self.weighting == "uniform":
            return 1
        return math.lcm(*range(1, min(self.window, EXACT_WINDOW) + 1))

    def weights(self) -> NDArray[np.int64]:
        """Units at distance 1, 2, …, shape (window,).

        They are exact up to `EXACT_WINDOW`; beyond, 1/d is rounded to a unit, by at most 7 parts in 100,000.
        """
        if self.weighting == "uniform":
            return np.ones(self.window, np.int64)
        return np.rint(self.units / np.arange(1, self.window + 1)).astype(np.int64)
