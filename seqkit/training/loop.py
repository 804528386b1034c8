"""The training loop of every model: progress, checkpoints, exact resume, early stopping, a guard against NaN.

Training is cut into units, small pieces of an epoch. A unit is a pure function of the seed, the epoch and its
number, so a run that stopped is continued by restoring the arrays and counting on from the position.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from seqkit.errors import DivergedError, InterruptedTraining, UsageError
from seqkit.progress import SILENT, Progress
from seqkit.storage import atomic_write_tensors, read_tensors
from seqkit.training.checkpoint import Arrays, CheckpointFile, Position
from seqkit.training.signals import StopRequest


@dataclass(frozen=True)
class UnitReport:
    """What one unit did.

    Args:
        loss: mean training loss, taken before the unit's last update at the latest.
        learning_rate: at the end of the unit.
    """

    loss: float
    learning_rate: float


class Trainee(Protocol):
    """A model that the loop can train."""

    @property
    def epochs(self) -> int:
        """Epochs of the run."""

    @property
    def units(self) -> int:
        """Units of an epoch."""

    def work(self, epoch: int, unit: int) -> float:
        """What is done when so many epochs and units are, in the unit of the progress."""

    def train_unit(self, epoch: int, unit: int) -> UnitReport:
        """Trains one unit."""

    def validation_loss(self) -> float | None:
        """Mean loss on held-out data; None where there is none."""

    def state(self) -> Arrays:
        """Everything that the next unit depends on, beside the position."""

    def restore(self, state: Arrays) -> None:
        """Takes back a state."""


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """How a run is watched and kept.

    Args:
        patience: epochs without a better validation loss after which the run ends; None for never.
        checkpoint_seconds: time between two checkpoints.
        advice: what to try when the loss is no longer finite.
    """

    patience: int | None = None
    checkpoint_seconds: float = 120.0
    advice: str = "try a lower learning rate"

    def __post_init__(self) -> None:
        if self.patience is not None and self.patience < 1:
            raise UsageError(f"patience must be at least 1, not {self.patience}")
        if self.checkpoint_seconds < 0:
            raise UsageError(f"checkpoint_seconds must not be negative, not {self.checkpoint_seconds}")


class TrainingLoop:
    """One run of one model.

    Args:
        trainee: the model.
        checkpoint: where its state goes, and is taken from if there is one.
        config: how it is watched and kept.
        progress: told work, loss and learning rate after each unit.
        after_epoch: called with the number of complete epochs after each, before its record is closed; what
            it returns goes into the record (evaluations during training).
    """

    def __init__(
        self,
        trainee: Trainee,
        checkpoint: CheckpointFile,
        config: LoopConfig,
        progress: Progress = SILENT,
        after_epoch: Callable[[int], dict[str, Any]] = lambda epoch: {},
    ) -> None:
        self._trainee, self._checkpoint, self._config = trainee, checkpoint, config
        self._progress, self._after_epoch = progress, after_epoch
        self._best = checkpoint.path.with_name("best.safetensors")
        self._position = Position()

    def run(self, task: str, unit: str) -> Position:
        """Trains to the end, from the checkpoint if there is one; the best state is the model's afterwards.

        Args:
            task: name for the progress.
            unit: of the work, "words".

        Returns:
            The final position: seconds, and the history with one record an epoch: epoch, loss,
            learning_rate, validation_loss where there is held-out data, and what `after_epoch` gave.

        Raises:
            DivergedError: a loss or a weight is NaN or infinite; the last checkpoint is as it was.
            InterruptedTraining: SIGINT or SIGTERM came; the state is in the checkpoint.
            UsageError: the checkpoint is of another run.
            StorageError: a checkpoint could not be written.
        """
        self._resume()
        self._progress.start(task, self._trainee.work(self._trainee.epochs, 0), unit)
        try:
            with StopRequest() as stop:
                self._epochs(stop)
        finally:
            self._progress.finish()
        self._restore_best()
        return self._position

    def _resume(self) -> None:
        found = self._checkpoint.read()
        if found is None:
            return
        arrays, self._position = found
        self._trainee.restore(arrays)
        self._progress.message(
            f"going on from {self._checkpoint.path}: "
            f"{self._position.epoch} of {self._trainee.epochs} epochs done"
        )

    def _epochs(self, stop: StopRequest) -> None:
        began, written = time.monotonic() - self._position.seconds, time.monotonic()
        while self._position.epoch < self._trainee.epochs and not self._out_of_patience():
            epoch, unit = self._position.epoch, self._position.unit
            report = self._trainee.train_unit(epoch, unit)
            self._guard(report)
            self._position = replace(self._position, unit=unit + 1, seconds=time.monotonic() - began)
            metrics = {"loss": report.loss, "learning_rate": report.learning_rate}
            self._progress.update(self._trainee.work(epoch, unit + 1), **metrics)
            if unit + 1 == self._trainee.units:
                self._close_epoch(report)
            if stop.signal_number is not None:
                self._write(report)
                raise InterruptedTraining(stop.signal_number, self._checkpoint.path.parent)
            if time.monotonic() - written >= self._config.checkpoint_seconds:
                self._write(report)
                written = time.monotonic()

    def _close_epoch(self, report: UnitReport) -> None:
        self._check_weights(report)
        record: dict[str, Any] = {
            "epoch": self._position.epoch + 1,
            "loss": report.loss,
            "learning_rate": report.learning_rate,
        }
        validation = self._trainee.validation_loss()
        if validation is not None:
            record["validation_loss"] = validation
            self._progress.message(f"epoch {record['epoch']}: validation loss {validation:.4f}")
        record |= self._after_epoch(self._position.epoch + 1)
        history = [*self._position.history, record]
        self._position = replace(self._position, epoch=self._position.epoch + 1, unit=0, history=history)
        if validation is not None and _best_epoch(history) == record["epoch"]:
            atomic_write_tensors(self._best, self._trainee.state(), {})

    def _out_of_patience(self) -> bool:
        history = self._position.history
        if self._config.patience is None or not history or "validation_loss" not in history[-1]:
            return False
        return int(history[-1]["epoch"]) - _best_epoch(history) >= self._config.patience

    def _guard(self, report: UnitReport) -> None:
        if not math.isfinite(report.loss):
            raise self._diverged(report)

    def _check_weights(self, report: UnitReport) -> None:
        if not all(np.isfinite(array).all() for array in self._trainee.state().values()):
            raise self._diverged(report)

    def _diverged(self, report: UnitReport) -> DivergedError:
        step = self._position.epoch * self._trainee.units + self._position.unit
        advice = self._config.advice
        if self._checkpoint.path.exists():
            advice += f"; the last good state is in {self._checkpoint.path.parent}"
        return DivergedError(step, report.learning_rate, advice)

    def _write(self, report: UnitReport) -> None:
        self._check_weights(report)
        self._checkpoint.write(self._trainee.state(), self._position)

    def _restore_best(self) -> None:
        history = self._position.history
        if self._best.exists() and _best_epoch(history) != history[-1]["epoch"]:
            self._trainee.restore(read_tensors(self._best)[0])
            self._progress.message(
                f"kept the state of epoch {_best_epoch(history)}, the best on held-out text"
            )


def _best_epoch(history: list[dict[str, Any]]) -> int:
    """The epoch with the lowest validation loss, the earliest of equals."""
    return int(min(history, key=lambda record: float(record["validation_loss"]))["epoch"])
