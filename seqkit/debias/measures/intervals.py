"""How sure a figure is: bootstrap intervals over the words that it was measured on.

What is drawn is the words whose bias is asked for: targets, neutral words, professions, lines of a test set.
The words that define the bias (pairs, attributes) are part of the question and stay as they are.

>>> import numpy as np
>>> values = np.array([1.0, 2.0, 3.0, 6.0])
>>> figure = bootstrap(lambda weights: weights @ values / 4, 4, seed=0)
>>> figure.value, figure.low < 3 < figure.high
(3.0, True)
>>> figure.change(figure)
Figure(value=0.0, low=0.0, high=0.0)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from seqkit.debias.measures import weighted
from seqkit.errors import DataError, UsageError
from seqkit.resampling import DRAWS, draw_weights, tails

Array = npt.NDArray[np.float64]
Statistic = Callable[..., Array]
"""A figure of weighted words: one array (draws, words) of weights per group, to an array (draws,)."""

_BCA_WORDS = 1000
"""With more words the corrections vanish (they fall as 1/sqrt(words)), and a jackknife would be slow."""


@dataclass(frozen=True)
class Figure:
    """A number with its 95% interval.

    Args:
        value: of the words as they are.
        low: lower end.
        high: upper end.
        draws: the number for each resample; of two figures of the same words and seed, draw by draw the same
            words. Empty where nothing was drawn.
        sizes: how many words of each group the draws are of.
    """

    value: float
    low: float
    high: float
    draws: Array = field(default_factory=lambda: np.empty(0), repr=False, compare=False)
    sizes: tuple[int, ...] = field(default=(), repr=False, compare=False)

    def as_json(self) -> dict[str, float]:
        """``{"value": v, "low": l, "high": h}``."""
        return {"value": self.value, "low": self.low, "high": self.high}

    def change(self, before: Figure, *, neutral: float | None = None) -> Figure:
        """How much it grew, with a paired percentile interval.

        Args:
            before: the same measure of the same words with the same seed.
            neutral: where given, it is the distance from this value that is compared.

        Returns:
            This minus `before`; low above 0 is growth, high below 0 decline.

        Raises:
            UsageError: the two have other numbers of words or draws.
        """
        if self.sizes and before.sizes and (self.sizes, len(self.draws)) != (before.sizes, len(before.draws)):
            raise UsageError(
                f"{len(self.draws)} draws of {self.sizes} words and {len(before.draws)} of {before.sizes} "
                f"are no pairs; measure both on the same words"
            )
        sizes = self.sizes or before.sizes

        def distances(figure: Figure) -> Array:
            # What nothing was drawn for is the same in every draw.
            draws = (
                figure.draws if figure.sizes else np.full(len(self.draws) or len(before.draws), figure.value)
            )
            values = np.concatenate([[figure.value], draws])
            return values if neutral is None else np.abs(values - neutral)

        changes = distances(self) - distances(before)
        value, draws = float(changes[0]), changes[1:]
        if not len(draws):
            return exactly(value)
        return Figure(value, *_quantiles(draws, tails()), draws, sizes)


def mean_figure(values: Array, *, seed: int) -> Figure:
    """The mean of a value per word, (words,), with its bootstrap interval."""
    return bootstrap(lambda weights: weighted.mean(weights, values), len(values), seed=seed)


def exactly(value: float) -> Figure:
    """A figure that nothing was drawn for."""
    return Figure(value, value, value)


def bootstrap(statistic: Statistic, *sizes: int, seed: int, draws: int = DRAWS) -> Figure:
    """A figure with its bootstrap interval.

    The words of each group are drawn with replacement, as often as there are, groups independently; a draw
    is a weight per word, how often it was drawn. The interval is BCa, bias-corrected and accelerated, which
    follows skewed figures: its ends are the quantiles of the draws at

        Φ(z0 + (z0 ± z) / (1 - a (z0 ± z))),  z0 = Φ⁻¹(share of draws below the value),

    with `a` from the jackknife. With more than 1,000 words, or where BCa is not defined (all draws equal, or
    on one side of the value), it is the percentile interval, between the 2.5% and the 97.5% quantile.

    Source: Efron 1987, "Better Bootstrap Confidence Intervals"; Efron and Tibshirani 1993, §14.3.

    Args:
        statistic: the figure of weighted words; NaN for a draw that has none.
        sizes: words of each group, at least 1.
        seed: of the draws.
        draws: how many resamples.

    Raises:
        DataError: the figure of the words as they are is not a number.
    """
    value = float(statistic(*(np.ones((1, size)) for size in sizes))[0])
    if not np.isfinite(value):
        raise DataError("the figure is not defined for these words: they do not differ in what is compared")
    drawn = np.concatenate([statistic(*weights) for weights in draw_weights(sizes, seed, draws)])
    ends = tails()
    if sum(sizes) <= _BCA_WORDS:
        ends = _corrected(ends, value, drawn, [_jackknife(statistic, sizes, g) for g in range(len(sizes))])
    low, high = _quantiles(drawn, ends)
    return Figure(value, low, high, drawn, sizes)


def _quantiles(draws: Array, ends: tuple[float, float]) -> tuple[float, float]:
    low, high = np.nanquantile(draws, ends).tolist() if np.isfinite(draws).any() else (np.nan, np.nan)
    if not np.isfinite([low, high]).all():
        raise DataError("no resample of these words has the figure: too few words")
    return low, high


def _jackknife(statistic: Statistic, sizes: tuple[int, ...], group: int) -> Array:
    """The figure without each word of a group, (size,)."""
    size = sizes[group]
    weights = [np.ones((size, other)) for other in sizes]
    weights[group] -= np.eye(size)
    return statistic(*weights) if size > 1 else np.full(size, np.nan)


def _corrected(
    ends: tuple[float, float], value: float, draws: Array, jackknives: list[Array]
) -> tuple[float, float]:
    """BCa's tails; several groups as in scipy.stats.bootstrap."""
    from scipy.special import ndtr, ndtri

    finite = draws[np.isfinite(draws)]
    jackknives = [part for part in jackknives if len(part) > 1]
    if not len(finite) or not all(np.isfinite(part).all() for part in jackknives):
        return ends
    # Draws at the value itself count half, which matters for shares.
    z0 = ndtri(((finite < value).mean() + (finite <= value).mean()) / 2)
    influence = [(len(part) - 1) * (part.mean() - part) / len(part) for part in jackknives]
    squares = sum(float((part**2).sum()) for part in influence)
    if not np.isfinite(z0) or squares <= 0:
        return ends
    acceleration = sum(float((part**3).sum()) for part in influence) / 6 / squares**1.5
    z = z0 + ndtri(np.array(ends))
    low, high = ndtr(z0 + z / (1 - acceleration * z)).tolist()
    return low, high
