"""Which learning rate to begin with: a sweep over all of them (Smith 2017, section 3.3)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seqkit.errors import UsageError

if TYPE_CHECKING:
    from seqkit.training.network import NetworkTrainer

EXPLODED = 4.0
"""The sweep ends where the smoothed loss is so many times its lowest value."""


@dataclass(frozen=True)
class RateSweep:
    """What the loss did while the learning rate grew.

    Args:
        rates: the learning rate of each update.
        losses: before each update.
        smoothed: their exponential means, corrected for their beginning.
        suggestion: where the smoothed loss falls most steeply over log α; the mean lags behind the loss, so
            it is rather too high than too low, and of use as the order of magnitude.
    """

    rates: list[float]
    losses: list[float]
    smoothed: list[float]
    suggestion: float


def find_learning_rate(
    trainer: NetworkTrainer,
    *,
    low: float = 1e-6,
    high: float = 10.0,
    updates: int = 100,
    smoothing: float = 0.9,
) -> RateSweep:
    """Trains with rates that grow from update to update, α_i = low · (high/low)^(i/(updates - 1)).

    It takes the batches of the first epoch, again and again if need be. Afterwards the trainer is as it was.

    Args:
        trainer: of the network; its schedule and averaging are left out.
        low: first learning rate, above 0.
        high: last one.
        updates: how many, at least 3; fewer where the loss explodes (`EXPLODED`) or is no longer finite.
        smoothing: β, share of the mean so far in the next one, 0 to below 1.

    Raises:
        UsageError: an argument out of range, or the loss explodes at once.
    """
    if not 0 < low < high <= 1e6:
        raise UsageError(f"low and high must be 0 < low < high <= 1e6, not {low} and {high}")
    if updates < 3 or not 0 <= smoothing < 1:
        raise UsageError(
            f"updates must be at least 3 and smoothing from 0 to below 1, not {updates}, {smoothing}"
        )
    state = trainer.state()
    try:
        rates = [float(rate) for rate in np.geomspace(low, high, updates)]
        losses, smoothed = _sweep(trainer, rates, smoothing)
    finally:
        trainer.restore(state)
    rates = rates[: len(losses)]
    return RateSweep(rates, losses, smoothed, steepest(rates, smoothed))


def steepest(rates: Sequence[float], losses: Sequence[float]) -> float:
    """The rate of the most negative slope dJ/d log α before the lowest loss, by differences of neighbours.

    Args:
        rates: α, rising.
        losses: J, finite.

    Raises:
        UsageError: the loss is lowest at the first or the second rate.
    """
    lowest = int(np.argmin(losses))
    if lowest < 2:
        raise UsageError(f"the loss does not fall from a learning rate of {rates[0]:g} on: begin lower")
    slopes = np.gradient(np.asarray(losses[: lowest + 1]), np.log(rates[: lowest + 1]))
    return rates[int(np.argmin(slopes))]


def _sweep(
    trainer: NetworkTrainer, rates: Sequence[float], smoothing: float
) -> tuple[list[float], list[float]]:
    losses: list[float] = []
    smoothed: list[float] = []
    mean, groups = 0.0, trainer.groups(0)
    for number, rate in enumerate(rates):
        if number % groups == 0:
            trainer.network.begin_epoch(0)
        found, sizes = trainer.train_group(0, number % groups, rate)
        loss = float(np.average(np.array(found, np.float64), weights=sizes))
        mean = smoothing * mean + (1 - smoothing) * loss
        corrected = mean / (1 - smoothing ** (number + 1))
        if not math.isfinite(corrected) or (smoothed and corrected > EXPLODED * min(smoothed)):
            break
        losses.append(loss)
        smoothed.append(corrected)
    return losses, smoothed
