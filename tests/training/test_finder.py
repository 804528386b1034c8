"""The learning-rate finder on a parabola, whose course is known; the trainer is as it was afterwards."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from seqkit.errors import UsageError
from seqkit.training.finder import RateSweep, find_learning_rate, steepest
from seqkit.training.network import NetworkTrainer
from seqkit.training.optimizers import OptimizerConfig

CURVATURE = 4.0


class Parabola:
    """J = ½ · 4 · w², from w = 3: an update multiplies w by 1 - 4α, so it explodes from α = ½ on."""

    def __init__(self) -> None:
        self.weight = keras.Variable(3.0, dtype="float64")
        self.trainable_variables = [self.weight]
        self.count = tf.Variable(0, trainable=False)
        self.variables = [self.weight, self.count]
        self.begun = 0

    def loss(self, *batch: tf.Tensor) -> tf.Tensor:
        self.count.assign_add(1)
        return batch[0] * CURVATURE / 2 * self.weight.value**2

    def begin_epoch(self, epoch: int) -> None:
        self.begun += 1


class Ones:
    """Seven batches an epoch, all the same."""

    def steps_of(self, epoch: int) -> int:
        return 7

    def batch(self, epoch: int, step: int) -> tuple[NDArray[Any], ...]:
        return (np.float64(1.0),)  # type: ignore[return-value]

    def size(self, epoch: int, step: int) -> int:
        return 1


def trainer_of(network: Parabola, **settings: Any) -> NetworkTrainer:
    return NetworkTrainer(network, Ones(), OptimizerConfig(**{"name": "sgd", **settings}), epochs=1)


@pytest.fixture(scope="module")
def found() -> tuple[RateSweep, Parabola]:
    network = Parabola()
    return find_learning_rate(trainer_of(network), low=1e-3, high=10.0, updates=41, smoothing=0.5), network


def test_the_sweep(found: tuple[RateSweep, Parabola]) -> None:
    sweep, _ = found
    rates = [1e-3 * 10 ** (number / 10) for number in range(41)]  # four decades in forty steps
    weight, losses = 3.0, []
    for rate in rates:
        losses.append(CURVATURE / 2 * weight**2)
        weight *= 1 - CURVATURE * float(np.float32(rate))
    assert 3 < len(sweep.rates) < 41
    assert sweep.rates == pytest.approx(rates[: len(sweep.rates)])
    assert sweep.losses == pytest.approx(losses[: len(sweep.losses)], rel=1e-9)
    # Each loss counts half of the one after it; the weights add up to 1.
    for number, mean in enumerate(sweep.smoothed):
        parts = np.array([0.5 ** (number - before) for before in range(number + 1)])
        assert mean == pytest.approx((parts * losses[: number + 1]).sum() / parts.sum(), rel=1e-9)
    # The next one is above four times the lowest, for which the rate has to be far above ½.
    assert max(sweep.smoothed[-3:]) <= 4 * min(sweep.smoothed)
    assert sweep.rates[-1] > 0.5


def test_the_suggestion_is_the_steepest_place(found: tuple[RateSweep, Parabola]) -> None:
    sweep, _ = found
    lowest = sweep.smoothed.index(min(sweep.smoothed))
    slopes = [sweep.smoothed[i + 1] - sweep.smoothed[i - 1] for i in range(1, lowest)]
    assert sweep.suggestion == sweep.rates[1 + slopes.index(min(slopes))]
    assert 0.01 < sweep.suggestion < 0.5


def test_steepest_by_hand() -> None:
    # Slopes over log α in the middle: (2 - 8)/2, (1 - 7)/2 … the greatest fall is around the third.
    rates = [1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0]
    assert steepest(rates, [8.0, 7.5, 5.0, 1.0, 0.9, 50.0]) == 1e-2
    with pytest.raises(UsageError, match=r"does not fall from a learning rate of 0\.0001 on"):
        steepest(rates, [8.0, 9.0, 9.5, 9.0, 9.0, 50.0])
    with pytest.raises(UsageError, match="does not fall"):
        steepest(rates, [8.0, 7.0, 9.0, 9.0, 9.0, 50.0])
    # What falls beyond the lowest loss has diverged.
    assert steepest(rates, [8.0, 7.0, 4.0, 3.5, 50.0, 3.6]) == 1e-3


@pytest.mark.parametrize(
    "settings", [{}, {"name": "adam"}, {"averaging": "asgd", "accumulation": 2, "schedule": "cosine"}]
)
def test_the_trainer_is_as_it_was(settings: dict[str, Any]) -> None:
    network = Parabola()
    trainer = trainer_of(network, **settings)
    trainer.train_unit(0, 0)
    before = trainer.state()
    assert int(before["network.1"]) == 7
    find_learning_rate(trainer, low=1e-4, high=1.0, updates=15, smoothing=0.0)
    # 15 updates from epochs of 7, or of 4 groups: 3 or 4 beginnings, after the one above
    assert network.begun == 1 + math.ceil(15 / trainer.groups(0))
    after = trainer.state()
    assert before.keys() == after.keys()
    assert all(before[name].tobytes() == after[name].tobytes() for name in before)


def test_after_an_error_it_is_so_too() -> None:
    trainer = trainer_of(Parabola())
    before = trainer.state()
    with pytest.raises(UsageError, match="begin lower"):
        find_learning_rate(trainer, low=1.0, high=10.0, updates=10)
    assert all(before[name].tobytes() == value.tobytes() for name, value in trainer.state().items())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"low": 0.0}, "low and high must be"),
        ({"low": 1.0, "high": 0.1}, "low and high must be"),
        ({"updates": 2}, "updates must be at least 3"),
        ({"smoothing": 1.0}, "smoothing from 0 to below 1"),
    ],
)
def test_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        find_learning_rate(trainer_of(Parabola()), **settings)
