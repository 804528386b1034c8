"""How sure a figure is that was measured on some texts: 95% intervals.

>>> share(5, 100)
Figure(value=0.05, low=0.0215, high=0.112)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqkit.resampling import DRAWS, draw_weights, tails

Array = NDArray[np.float64]
Statistic = Callable[[Array], Mapping[str, Array]]
"""Figures by name, (draws,), of weighted texts, (draws, texts); NaN where one is not defined."""


@dataclass(frozen=True)
class Figure:
    """A number with its 95% interval.

    Args:
        value: of the texts as they are; NaN where it is not defined.
        low: lower end, at most the value.
        high: upper end, at least the value.
    """

    value: float
    low: float
    high: float

    def __repr__(self) -> str:
        ends = (f"{name}={getattr(self, name):.3g}" for name in ("value", "low", "high"))
        return f"Figure({', '.join(ends)})"

    def as_json(self) -> dict[str, float]:
        """``{"value": v, "low": l, "high": h}``."""
        return {"value": self.value, "low": self.low, "high": self.high}

    def complement(self) -> Figure:
        """One minus the figure: the error of an accuracy."""
        return Figure(1 - self.value, 1 - self.high, 1 - self.low)


def bootstrap(
    statistic: Statistic, texts: int, *, seed: int, draws: int = DRAWS, biased: Collection[str] = ()
) -> dict[str, Figure]:
    """Figures with their bootstrap intervals.

    Texts are drawn with replacement, as often as there are; all figures are of the same draws. The
    interval is between the 2.5% and the 97.5% quantile of the draws (percentile). Of a figure that noise
    makes greater, that of a resample on top of that of the sample, the interval is mirrored at the value
    (basic), which takes the bias out twice: once of the draws, once of the value.

    Source: Efron and Tibshirani 1993, §13.3; Davison and Hinkley 1997, §5.2 (basic).

    Args:
        statistic: the figures of weighted texts.
        texts: how many there are, at least 1.
        seed: of the draws.
        draws: how many resamples.
        biased: names of figures, from 0 to 1, whose interval is the basic one.
    """
    values = statistic(np.ones((1, texts)))
    blocks = [statistic(weights) for (weights,) in draw_weights((texts,), seed, draws)]
    drawn = {name: np.concatenate([block[name] for block in blocks]) for name in values}
    return {
        name: _figure(float(value[0]), drawn[name], basic=name in biased) for name, value in values.items()
    }


def _figure(value: float, drawn: Array, *, basic: bool) -> Figure:
    drawn = drawn[np.isfinite(drawn)]
    if math.isnan(value) or not len(drawn):
        return Figure(value, value, value)
    low, high = np.quantile(drawn, tails()).tolist()
    if basic:
        low, high = max(0.0, 2 * value - high), min(1.0, 2 * value - low)
    return Figure(value, min(low, value), max(high, value))


def share(part: int, whole: int) -> Figure:
    """part / whole with Wilson's score interval, which has a width where all or none are part, too.

    With p = part / whole, n = whole and z = 1.96, its ends are

        (p + z²/2n ± z √(p (1 - p) / n + z²/4n²)) / (1 + z²/n)

    Source: Wilson 1927.

    Args:
        part: 0 to `whole`.
        whole: at least 1.
    """
    value, z = part / whole, _z()
    middle = value + z**2 / (2 * whole)
    half = z * math.sqrt(value * (1 - value) / whole + z**2 / (4 * whole**2))
    scale = 1 + z**2 / whole
    low, high = (middle - half) / scale, (middle + half) / scale
    return Figure(value, min(max(low, 0.0), value), max(min(high, 1.0), value))


def difference(first: Figure, second: Figure) -> Figure:
    """second - first, of shares of independent texts, with Newcombe's interval.

    With l, u the ends of each share's own interval, the ends are d - √((p₂ - l₂)² + (u₁ - p₁)²) and
    d + √((u₂ - p₂)² + (p₁ - l₁)²).

    Source: Newcombe 1998, "Interval estimation for the difference between independent proportions: comparison
    of eleven methods", method 10.
    """
    value = second.value - first.value
    below = math.hypot(second.value - second.low, first.high - first.value)
    above = math.hypot(second.high - second.value, first.value - first.low)
    return Figure(value, value - below, value + above)


def _z() -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(tails()[1])
