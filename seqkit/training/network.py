"""What trains any network on any batches under the training loop, with exact resume in mid-epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from seqkit.errors import UsageError
from seqkit.training.averaging import Averages, is_averaging
from seqkit.training.device import Device
from seqkit.training.gradients import dense, processed
from seqkit.training.loop import UnitReport
from seqkit.training.optimizers import OptimizerConfig, make_optimizer
from seqkit.training.schedules import Moment

UNIT_BATCHES = 20
"""Batches of a unit, about: seconds of work."""


class Network(Protocol):
    """What is trained."""

    @property
    def trainable_variables(self) -> Sequence[Any]:
        """What gradients are taken of, variables of Keras."""

    @property
    def variables(self) -> Sequence[Any]:
        """All that the network is, in an order of its own: weights, states of seeds, carried states."""

    def loss(self, *batch: tf.Tensor) -> tf.Tensor:
        """The mean loss of a batch, a scalar; may assign to variables that are not trained. It is traced."""

    def begin_epoch(self, epoch: int) -> None:
        """Called before the first batch of an epoch: carried states begin anew."""


class Batches(Protocol):
    """What a network is trained on."""

    def steps_of(self, epoch: int) -> int:
        """Batches of an epoch."""

    def batch(self, epoch: int, step: int) -> tuple[NDArray[Any], ...]:
        """A batch; a pure function of a seed, the epoch and the step."""

    def size(self, epoch: int, step: int) -> int:
        """Tokens or examples of a batch, the weight of its mean loss."""


class NetworkTrainer:
    """A `Trainee` for the training loop.

    An update is made from a group of `config.accumulation` batches; the last group of an epoch may have
    fewer. A unit is some groups. Its loss is the mean over tokens or examples, each from before the update of
    its group; the penalties of l1 and l2 are not in it.

    Args:
        network: what is trained, with all its variables made.
        batches: what on.
        config: how.
        epochs: of the run.
        validate: the mean loss on held-out data with the network as it is; None where there is none.
        unit_batches: batches of a unit, about; it decides where a run can stop, not what is learned.
        signature: `tf.TensorSpec`s of a batch, None for lengths that vary; without it a graph is made for
            each shape that comes.
        device: where to compute; None for TensorFlow's choice.
        factors: of an epoch, the share of its update that each of the network's trainable variables moves by:
            0 to leave it as it is, below 1 for a lower learning rate; None for 1 everywhere.

    Attributes:
        network: as given.
        batches: as given.
        losses: on held-out data, one of each complete epoch.

    Raises:
        UsageError: the schedule or the averaging goes by held-out data, and there are none; an epoch without
            batches; a variable that the loss does not depend on.
    """

    def __init__(
        self,
        network: Network,
        batches: Batches,
        config: OptimizerConfig,
        *,
        epochs: int,
        validate: Callable[[], float] | None = None,
        unit_batches: int = UNIT_BATCHES,
        signature: Sequence[tf.TensorSpec] | None = None,
        device: Device | None = None,
        factors: Callable[[int], Sequence[float]] | None = None,
    ) -> None:
        if config.needs_validation and validate is None:
            what = "nt-asgd" if config.averaging == "nt-asgd" else f"schedule {config.schedule.name}"
            raise UsageError(f"{what} goes by the loss on held-out data: set some apart (--valid)")
        self.network, self.batches, self._config = network, batches, config
        self._validate, self._device = validate, device
        self.epochs, self.losses = epochs, list[float]()
        self._units, self._work = self._planned(unit_batches)
        self._trained = list(network.trainable_variables)
        self._weights = [_plain(variable) for variable in self._trained]
        self._factors_of = factors
        self._factors = tf.Variable(tf.ones([len(self._weights)]), trainable=False)
        with self._scope():
            self._optimizer = make_optimizer(config, self._trained)
            self._averages = Averages(self._weights) if config.averaging != "none" else None
        specs = None if signature is None else [*signature]
        rate = tf.TensorSpec([], tf.float32)
        self._step = _traced(self._updated_by, None if specs is None else [rate, *specs])
        self._differentiate = _traced(self._dense_gradients, specs)
        self._apply = _traced(self._applied, None)

    @property
    def units(self) -> int:
        """Units of an epoch, the same number in each."""
        return self._units

    def work(self, epoch: int, unit: int) -> float:
        """Tokens or examples done, by those of the first epoch."""
        return self._work * (epoch + unit / self._units)

    def train_unit(self, epoch: int, unit: int) -> UnitReport:
        """Trains one unit."""
        if unit == 0:
            self.network.begin_epoch(epoch)
        groups = self.groups(epoch)
        first, end = (groups * number // self._units for number in (unit, unit + 1))
        averaging = is_averaging(self._config, epoch, self.losses)
        losses: list[Any] = []
        sizes: list[int] = []
        rate = 0.0
        for group in range(first, end):
            rate = self.rate(epoch, group)
            found, weights = self.train_group(epoch, group, rate)
            losses, sizes = losses + found, sizes + weights
            if averaging and self._averages:
                self._averages.add()
        return UnitReport(float(np.average(np.array(losses, np.float64), weights=sizes)), rate)

    def rate(self, epoch: int, group: int) -> float:
        """The learning rate of a group, that of the schedule in its middle."""
        steps = self.steps(epoch, group)
        middle = (steps.start + steps.stop) / 2 / self.batches.steps_of(epoch)
        rate = self._config.rate(Moment(epoch, middle, self.epochs, self.losses))
        if self._config.rate_by_size:
            mean = self._work / self.batches.steps_of(0)
            rate *= sum(self.batches.size(epoch, step) for step in steps) / len(steps) / mean
        return rate

    def train_group(self, epoch: int, group: int, rate: float) -> tuple[list[Any], list[int]]:
        """Makes one update.

        Args:
            epoch: complete epochs.
            group: its number in the epoch.
            rate: the learning rate.

        Returns:
            The losses of its batches, scalars, and their sizes.
        """
        steps = self.steps(epoch, group)
        batches = [tuple(map(tf.convert_to_tensor, self.batches.batch(epoch, step))) for step in steps]
        sizes = [self.batches.size(epoch, step) for step in steps]
        learning_rate = tf.constant(rate, tf.float32)
        if self._factors_of is not None:
            self._factors.assign(self._factors_of(epoch))
        with self._scope():
            if self._config.accumulation == 1:
                return [self._step(learning_rate, *batches[0])], sizes
            losses, mean = [], None
            for batch, size in zip(batches, sizes, strict=True):
                loss, gradients = self._differentiate(*batch)
                losses.append(loss)
                scaled = [gradient * (size / sum(sizes)) for gradient in gradients]
                mean = scaled if mean is None else [a + b for a, b in zip(mean, scaled, strict=True)]
            self._apply(learning_rate, mean)
        return losses, sizes

    def validation_loss(self) -> float | None:
        """The mean loss on held-out data, of the averages where there are any; the schedule remembers it."""
        if self._validate is None:
            return None
        with self.averaged():
            loss = float(self._validate())
        self.losses.append(loss)
        return loss

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The network has the averages in the block, if there are any: to validate, save or sample from."""
        with self._averages.in_place() if self._averages else nullcontext():
            yield

    def state(self) -> dict[str, NDArray[Any]]:
        """All variables of the network, the optimizer and the averages, and the schedule's memory."""
        state = {name: _stored(_plain(each).numpy()) for name, each in self._variables().items()}
        return state | {"validation_losses": np.array(self.losses, np.float64)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes back a state."""
        for name, variable in self._variables().items():
            plain = _plain(variable)
            plain.assign(np.asarray(state[name]).astype(plain.dtype.as_numpy_dtype))
        self.losses = state["validation_losses"].tolist()

    def groups(self, epoch: int) -> int:
        """Updates of an epoch."""
        return -(-self.batches.steps_of(epoch) // self._config.accumulation)

    def steps(self, epoch: int, group: int) -> range:
        """The batches that an update is made from."""
        size = self._config.accumulation
        return range(group * size, min((group + 1) * size, self.batches.steps_of(epoch)))

    def _planned(self, unit_batches: int) -> tuple[int, float]:
        """Units of an epoch, none of them without a group in any epoch; and the work of an epoch."""
        steps = [self.batches.steps_of(epoch) for epoch in range(self.epochs)]
        if not min(steps):
            raise UsageError("an epoch without batches: give more text, or make batches smaller")
        fewest = -(-min(steps) // self._config.accumulation)
        units = min(max(1, min(steps) // unit_batches), fewest)
        return units, float(sum(self.batches.size(0, step) for step in range(steps[0])))

    def _scope(self) -> Any:
        return self._device.scope() if self._device else nullcontext()

    def _gradients(self, *batch: tf.Tensor) -> tuple[tf.Tensor, list[Any]]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self._weights)
            loss = self.network.loss(*batch)
        gradients = tape.gradient(loss, self._weights)
        for variable, gradient in zip(self._trained, gradients, strict=True):
            if gradient is None:
                raise UsageError(f"the loss does not depend on {variable.path}: it cannot be trained")
        return loss, gradients

    def _dense_gradients(self, *batch: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        loss, gradients = self._gradients(*batch)
        return loss, [dense(*pair) for pair in zip(gradients, self._weights, strict=True)]

    def _updated_by(self, rate: tf.Tensor, *batch: tf.Tensor) -> tf.Tensor:
        loss, gradients = self._gradients(*batch)
        self._applied(rate, gradients)
        return loss

    def _applied(self, rate: tf.Tensor, gradients: Sequence[Any]) -> None:
        self._optimizer.learning_rate.assign(rate)
        found = processed(gradients, self._weights, self._config)
        if self._factors_of is None:
            self._optimizer.apply(found, self._trained)
            return
        before = [tf.identity(weight) for weight in self._weights]
        self._optimizer.apply(found, self._trained)
        for weight, old, factor in zip(self._weights, before, tf.unstack(self._factors), strict=True):
            weight.assign(old + tf.cast(factor, weight.dtype) * (weight - old))

    def _variables(self) -> dict[str, Any]:
        """By name in a checkpoint: numbers, as the paths of Keras count what a process has made before."""
        groups = {"network": self.network.variables, "optimizer": self._optimizer.variables}
        if self._averages:
            groups["average"] = self._averages.variables
        return {
            f"{group}.{number}": each for group, all_ in groups.items() for number, each in enumerate(all_)
        }


def _traced(function: Callable[..., Any], signature: Sequence[Any] | None) -> Any:
    # No relaxed shapes: which graph they lead to would depend on the shapes seen since the process began.
    return tf.function(function, input_signature=signature, autograph=False, reduce_retracing=False)


def _plain(variable: Any) -> Any:
    """The variable of TensorFlow in one of Keras."""
    return variable if isinstance(variable, tf.Variable) else variable.value


def _stored(array: NDArray[Any]) -> NDArray[Any]:
    """As a type that checkpoints hold, from which the value comes back exactly."""
    if array.dtype in (np.float16, np.float32, np.float64, np.int32, np.int64):
        return np.array(array)  # a copy: TensorFlow may share the memory of its variable
    return array.astype(np.int64 if array.dtype.kind in "iub" else np.float32)
