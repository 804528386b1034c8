"""The trainer of networks: exact resume everywhere, accumulation, averages, every update against NumPy."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from seqkit.errors import DivergedError, UsageError
from seqkit.training.checkpoint import CheckpointFile, Position
from seqkit.training.device import Device
from seqkit.training.loop import LoopConfig, TrainingLoop, UnitReport
from seqkit.training.network import NetworkTrainer
from seqkit.training.optimizers import AVERAGING, OPTIMIZERS, OptimizerConfig
from seqkit.training.schedules import ScheduleConfig

State = dict[str, NDArray[Any]]
EPOCHS = 4


class Tiny:
    """A table, dropout, a carried state and an output: all that a state may consist of."""

    def __init__(self, seed: int = 0) -> None:
        normal = keras.initializers.RandomNormal(seed=seed)
        self.table = keras.layers.Embedding(5, 3, embeddings_initializer=normal)
        self.dropout = keras.layers.Dropout(0.3, seed=seed + 1)
        self.output = keras.layers.Dense(5, kernel_initializer=normal)
        self.table.build()
        self.dropout.build((None, 3))
        self.output.build((None, 3))
        self.carried = tf.Variable(tf.zeros(3), trainable=False)
        self.begun: list[int] = []

    @property
    def trainable_variables(self) -> Sequence[Any]:
        return [*self.table.trainable_variables, *self.output.trainable_variables]

    @property
    def variables(self) -> Sequence[Any]:
        return [*self.table.variables, *self.dropout.variables, *self.output.variables, self.carried]

    def loss(self, *batch: tf.Tensor) -> tf.Tensor:
        words, following = batch
        hidden = self.dropout(self.table(words) + self.carried, training=True)
        self.carried.assign(tf.reduce_mean(hidden, 0))
        losses = keras.losses.sparse_categorical_crossentropy(
            following, self.output(hidden), from_logits=True
        )
        return tf.reduce_mean(losses)

    def begin_epoch(self, epoch: int) -> None:
        self.begun.append(epoch)
        self.carried.assign(tf.zeros(3))


class Words:
    """Five batches in the first epoch, six in the next, and so on in turn; of lengths that vary."""

    def steps_of(self, epoch: int) -> int:
        return 5 + epoch % 2

    def batch(self, epoch: int, step: int) -> tuple[NDArray[Any], ...]:
        words = np.random.default_rng([epoch, step]).integers(0, 5, self.size(epoch, step)).astype(np.int32)
        return words, (words + 1) % 5

    def size(self, epoch: int, step: int) -> int:
        return 3 + step % 2


SPEC = [tf.TensorSpec([None], tf.int32)] * 2


def trainer_of(network: Any, batches: Any, config: OptimizerConfig, **options: Any) -> NetworkTrainer:
    options = {"epochs": EPOCHS, "unit_batches": 2, **options}
    return NetworkTrainer(network, batches, config, **options)


def tiny(config: OptimizerConfig, seed: int = 0) -> NetworkTrainer:
    """Its held-out losses are 1, 2, 3, …: the rate drops on a plateau, and NT-ASGD begins after the third."""
    trainer = trainer_of(
        Tiny(seed), Words(), config, validate=lambda: 1.0 + len(trainer.losses), signature=SPEC
    )
    return trainer


def train(trainer: NetworkTrainer, epoch: int, unit: int) -> State:
    trainer.train_unit(epoch, unit)
    if unit + 1 == trainer.units:
        trainer.validation_loss()
    return trainer.state()


def same(left: State, right: State) -> bool:
    return left.keys() == right.keys() and all(
        left[name].dtype == right[name].dtype and left[name].tobytes() == right[name].tobytes()
        for name in left
    )


# --- resume


@pytest.mark.parametrize(("name", "averaging"), [*itertools.product(OPTIMIZERS, AVERAGING)])
def test_every_unit_goes_on_from_the_state_before_it_to_the_same_bytes(name: Any, averaging: Any) -> None:
    accumulation = 2 if name in ("momentum", "adamw") else 1
    config = OptimizerConfig(
        name=name,
        learning_rate=0.05,
        averaging=averaging,
        nonmono=1,
        accumulation=accumulation,
        clip_norm=0.5,
        schedule=ScheduleConfig.parse("plateau"),
    )
    trainer = tiny(config)
    places = [(epoch, unit) for epoch in range(EPOCHS) for unit in range(2)]
    assert trainer.units == 2
    states = [trainer.state()]
    states += [train(trainer, *place) for place in places]
    # 5, 6, 5 and 6 batches; by twos 3 updates each; NT-ASGD averages in the last epoch
    updates = {"asgd": [22, 12], "nt-asgd": [6, 3]}.get(averaging)
    if updates:
        assert int(states[-1]["average.0"]) == updates[accumulation - 1]
    for place, before, after in reversed([*zip(places, states, states[1:], strict=False)]):
        trainer.restore(before)
        assert same(trainer.state(), before)
        assert same(train(trainer, *place), after), place


class Killed(BaseException):
    """The process dies."""


def test_a_killed_run_goes_on_in_a_network_of_other_weights_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    config = OptimizerConfig(
        averaging="nt-asgd", nonmono=1, accumulation=2, schedule=ScheduleConfig.parse("cosine:warmup=0.2")
    )
    whole = tiny(config)
    run(tmp_path / "whole", whole)

    class Mortal(NetworkTrainer):
        def train_unit(self, epoch: int, unit: int) -> UnitReport:
            if (epoch, unit) == (3, 1):  # in mid-epoch, while weights are averaged
                raise Killed
            return super().train_unit(epoch, unit)

    killed = tiny(config)
    killed.__class__ = Mortal
    with pytest.raises(Killed):
        run(tmp_path / "killed", killed)
    again = tiny(config, seed=9)
    assert not same(again.state(), tiny(config).state())
    run(tmp_path / "killed", again)
    assert same(again.state(), whole.state())


def run(folder: Path, trainer: NetworkTrainer) -> Position:
    folder.mkdir(exist_ok=True)
    checkpoint, best = (
        CheckpointFile(folder / f"{name}.safetensors", {}, "") for name in ("checkpoint", "best")
    )
    return TrainingLoop(trainer, checkpoint, best, LoopConfig(checkpoint_seconds=0)).run("training", "words")


# --- every update, against NumPy


class Slopes:
    """A loss whose gradient is its batch: Σ g·w over a matrix and a vector."""

    def __init__(self) -> None:
        rng = np.random.default_rng(5)
        self.first = [rng.normal(size=(3, 2)), rng.normal(size=4)]
        self.weights = [keras.Variable(each, dtype="float64") for each in self.first]
        self.trainable_variables = self.variables = self.weights

    def loss(self, *batch: tf.Tensor) -> tf.Tensor:
        return tf.add_n([tf.reduce_sum(g * w.value) for g, w in zip(batch, self.weights, strict=True)])

    def begin_epoch(self, epoch: int) -> None:
        """Nothing is carried."""


class Gradients:
    """Seven batches an epoch, of sizes 1, 2, 3, 1, 2, 3, 1."""

    def steps_of(self, epoch: int) -> int:
        return 7

    def batch(self, epoch: int, step: int) -> tuple[NDArray[Any], ...]:
        rng = np.random.default_rng([epoch, step])
        return rng.normal(size=(3, 2)), rng.normal(size=4)

    def size(self, epoch: int, step: int) -> int:
        return 1 + step % 3


@pytest.mark.parametrize("accumulation", [1, 3])
def test_an_epoch_against_numpy(accumulation: int) -> None:
    network, batches = Slopes(), Gradients()
    config = OptimizerConfig(
        name="sgd",
        learning_rate=0.5,
        l2=0.125,
        clip_norm=1.5,
        accumulation=accumulation,
        averaging="asgd",
        schedule=ScheduleConfig.parse("cosine"),
    )
    trainer = trainer_of(network, batches, config, epochs=2, unit_batches=10)
    assert trainer.units == 1
    report = trainer.train_unit(0, 0)

    weights, seen, losses = list(network.first), [], []
    for start in range(0, 7, accumulation):  # by threes the last group has one batch
        steps = range(start, min(start + accumulation, 7))
        given = [batches.batch(0, step) for step in steps]
        sizes = np.array([batches.size(0, step) for step in steps])
        losses += [sum((g * w).sum() for g, w in zip(batch, weights, strict=True)) for batch in given]
        mean = [
            sum(s * g for s, g in zip(sizes, each, strict=True)) / sizes.sum()
            for each in zip(*given, strict=True)
        ]
        mean[0] = mean[0] + 0.125 * weights[0]
        norm = np.sqrt(sum((g**2).sum() for g in mean))
        assert norm > 1.5 or accumulation == 3
        done = (steps.start + steps.stop) / 2 / 7 / 2  # the middle of the group, in a run of two epochs
        rate = 0.5 * (1 + np.cos(np.pi * done)) / 2
        weights = [w - rate * min(1, 1.5 / norm) * g for w, g in zip(weights, mean, strict=True)]
        seen.append(weights)
    for variable, expected in zip(network.weights, weights, strict=True):
        np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-6, atol=1e-7)
    assert report.loss == pytest.approx(np.average(losses, weights=[1, 2, 3, 1, 2, 3, 1]), rel=1e-6)
    assert report.learning_rate == pytest.approx(rate)
    with trainer.averaged():
        for variable, *course in zip(network.weights, *seen, strict=True):
            np.testing.assert_allclose(variable.numpy(), sum(course) / len(seen), rtol=1e-6, atol=1e-7)


class Parts:
    """The batches of `Whole`, cut into k."""

    def __init__(self, parts: int) -> None:
        self.parts = parts

    def steps_of(self, epoch: int) -> int:
        return 4 * self.parts

    def batch(self, epoch: int, step: int) -> tuple[NDArray[Any], ...]:
        words = np.random.default_rng([epoch, step // self.parts]).integers(0, 5, 12).astype(np.int32)
        part = np.split(words, self.parts)[step % self.parts]
        return part, (part + 1) % 5

    def size(self, epoch: int, step: int) -> int:
        return 12 // self.parts


class Plain(Tiny):
    """Without dropout and carried states: a batch is its parts."""

    def loss(self, *batch: tf.Tensor) -> tf.Tensor:
        words, following = batch
        scores = self.output(self.table(words))
        return tf.reduce_mean(
            keras.losses.sparse_categorical_crossentropy(following, scores, from_logits=True)
        )


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_k_batches_are_one_batch_of_k_times_the_size(name: Any) -> None:
    states, losses = [], []
    for parts in (1, 3):
        config = OptimizerConfig(name=name, learning_rate=0.1, accumulation=parts, clip_norm=0.1, l2=0.01)
        trainer = trainer_of(Plain(), Parts(parts), config, epochs=1, unit_batches=100)
        losses.append(trainer.train_unit(0, 0).loss)
        states.append(trainer.state())
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    assert states[0].keys() == states[1].keys()
    for key, value in states[0].items():
        np.testing.assert_allclose(value, states[1][key], rtol=1e-4, atol=1e-6)


# --- units, work, validation


def test_units_and_work() -> None:
    trainer = tiny(OptimizerConfig())
    # 5 or 6 batches, two a unit; sizes 3, 4, 3, 4, 3 in the first epoch
    assert (trainer.units, trainer.work(0, 1), trainer.work(2, 0)) == (2, 8.5, 34.0)
    assert tiny(OptimizerConfig(accumulation=4)).units == 2  # groups of 4 and 1
    assert tiny(OptimizerConfig(accumulation=9)).units == 1


def test_all_batches_of_an_epoch_are_trained_on() -> None:
    asked: list[tuple[int, int]] = []

    class Asked(Words):
        def batch(self, epoch: int, step: int) -> tuple[NDArray[Any], ...]:
            asked.append((epoch, step))
            return super().batch(epoch, step)

    for accumulation in (1, 2, 4):
        network = Tiny()
        config = OptimizerConfig(name="sgd", accumulation=accumulation)
        trainer = trainer_of(network, Asked(), config, signature=SPEC)
        for epoch, unit in itertools.product(range(2), range(trainer.units)):
            trainer.train_unit(epoch, unit)
        assert asked == [(0, step) for step in range(5)] + [(1, step) for step in range(6)]
        assert network.begun == [0, 1]
        asked.clear()


def test_the_rate_goes_by_the_size_of_a_batch() -> None:
    # Sizes 3, 4, 3, 4, 3, 4 in the second epoch; those of the first, 3, 4, 3, 4, 3, have the mean 3.4.
    config = OptimizerConfig(learning_rate=0.34, rate_by_size=True, schedule=ScheduleConfig.parse("inverse"))
    trainer = trainer_of(Tiny(), Words(), config)
    assert [trainer.rate(1, group) for group in range(3)] == pytest.approx([0.15, 0.2, 0.15])
    trainer = trainer_of(Tiny(), Words(), replace(config, accumulation=3))
    assert [trainer.rate(0, group) for group in range(2)] == pytest.approx([1 / 3, 0.35])


def test_validation_sees_the_averages() -> None:
    network, seen = Slopes(), list[float]()

    def validate() -> float:
        seen.append(float(network.weights[1].numpy()[0]))
        return 1.0

    config = OptimizerConfig(name="sgd", learning_rate=0.5, averaging="asgd")
    trainer = trainer_of(network, Gradients(), config, validate=validate)
    for unit in range(trainer.units):
        trainer.train_unit(0, unit)
    after = float(network.weights[1].numpy()[0])
    assert trainer.validation_loss() == 1.0
    assert trainer.losses == [1.0]
    slopes = np.array([Gradients().batch(0, step)[1][0] for step in range(7)])
    course = network.first[1][0] - 0.5 * slopes.cumsum()
    assert seen == [pytest.approx(course.mean(), rel=1e-6)]
    assert float(network.weights[1].numpy()[0]) == after == pytest.approx(course[-1], rel=1e-6)


def test_without_held_out_data() -> None:
    trainer = trainer_of(Slopes(), Gradients(), OptimizerConfig())
    assert trainer.validation_loss() is None
    for settings in ({"averaging": "nt-asgd"}, {"schedule": "plateau"}):
        with pytest.raises(
            UsageError, match=f"{next(iter(settings.values()))} goes by the loss on held-out data"
        ):
            trainer_of(Slopes(), Gradients(), OptimizerConfig(**settings))  # type: ignore[arg-type]


# --- what goes wrong


def test_divergence_reaches_the_guard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda descriptor: None)

    class Infinite(Gradients):
        def batch(self, epoch: int, step: int) -> tuple[NDArray[Any], ...]:
            scale = np.inf if (epoch, step) == (1, 3) else 1.0
            return tuple(scale * each for each in super().batch(epoch, step))

    trainer = trainer_of(Slopes(), Infinite(), OptimizerConfig(), unit_batches=1)
    with pytest.raises(DivergedError) as caught:
        run(tmp_path / "run", trainer)
    assert caught.value.step == 7 + 4


def test_a_variable_that_the_loss_does_not_depend_on() -> None:
    network = Slopes()
    network.trainable_variables = [*network.weights, keras.Variable(1.0, name="idle")]
    with pytest.raises(UsageError, match="the loss does not depend on idle"):
        trainer_of(network, Gradients(), OptimizerConfig()).train_unit(0, 0)


def test_an_epoch_without_batches() -> None:
    class Nothing(Words):
        def steps_of(self, epoch: int) -> int:
            return 5 - epoch * 2 if epoch < 3 else 0

    with pytest.raises(UsageError, match="an epoch without batches"):
        trainer_of(Tiny(), Nothing(), OptimizerConfig())


def test_all_is_computed_on_the_device() -> None:
    inside = [False]

    class Watched(Device):
        @contextmanager
        def scope(self) -> Iterator[Any]:
            inside[0] = True
            yield
            inside[0] = False

    class Looking(Slopes):
        def loss(self, *batch: tf.Tensor) -> tf.Tensor:
            assert inside[0]  # while it is traced
            return super().loss(*batch)

    for accumulation in (1, 2):
        config = OptimizerConfig(accumulation=accumulation)
        trainer_of(Looking(), Gradients(), config, device=Watched("/CPU:0", 1)).train_unit(0, 0)
        assert not inside[0]


def test_factors_are_shares_of_an_update_by_epoch() -> None:
    config = OptimizerConfig(name="adam", learning_rate=0.1)
    plain = trainer_of(Tiny(), Words(), config, signature=SPEC)
    factors = {0: [0.5, 0.0, 1.0], 1: [1.0, 1.0, 1.0]}
    shared = trainer_of(Tiny(), Words(), config, signature=SPEC, factors=factors.__getitem__)
    moved = []
    for trainer in (plain, shared):
        before = [variable.numpy() for variable in trainer.network.trainable_variables]
        trainer.train_group(0, 0, 0.1)
        after = [variable.numpy() for variable in trainer.network.trainable_variables]
        moved.append([new - old for old, new in zip(before, after, strict=True)])
    # Of the same first update the table takes half, the kernel nothing, the bias all.
    for own, share, taken in zip(moved[0], factors[0], moved[1], strict=True):
        np.testing.assert_allclose(taken, share * own, atol=1e-6)
