"""The training loop of every model: progress, checkpoints, exact resume, early stopping, a guard against NaN.

Training is cut into units, small pieces of an epoch. A unit is a pure function of the seed, the epoch and its
number, so a run that stopped is continued by restoring the arrays and counting on from the position.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from seqkit._settings import check_numbers
from seqkit.errors import DivergedError, InterruptedTraining, UsageError
from seqkit.progress import SILENT, Progress
from seqkit.storage import JsonError, check_json
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
        max_minutes: of training, validation included, over all sittings, after which the run ends at the
            border of a unit; None for no such end. It decides how far a run goes, never what a unit learns:
            repeated with more minutes, the run goes on as if it had never stopped.
        advice: what to try when the loss is no longer finite.
    """

    patience: int | None = None
    max_minutes: float | None = None
    checkpoint_seconds: float = 120.0
    advice: str = "try a lower learning rate"

    def __post_init__(self) -> None:
        check_numbers(self)
        if self.patience is not None and self.patience < 1:
            raise UsageError(f"patience must be at least 1, not {self.patience}")
        if not self.checkpoint_seconds >= 0:  # NaN is refused, too
            raise UsageError(f"checkpoint_seconds must not be negative, not {self.checkpoint_seconds}")
        if self.max_minutes is not None and not self.max_minutes > 0:
            raise UsageError(f"max_minutes must be above 0, not {self.max_minutes}")


class TrainingLoop:
    """One run of one model.

    Args:
        trainee: the model.
        checkpoint: where its state goes, and is taken from if there is one.
        best: where the state with the lowest validation loss goes.
        config: how it is watched and kept.
        progress: told work, loss and learning rate after each unit.
        after_epoch: called with the number of complete epochs after each, before its record is closed; what
            it returns goes into the record (evaluations during training; JSON values).

    Attributes:
        kept: after `run`, the record of the epoch whose state the model has.
    """

    def __init__(
        self,
        trainee: Trainee,
        checkpoint: CheckpointFile,
        best: CheckpointFile,
        config: LoopConfig,
        progress: Progress = SILENT,
        after_epoch: Callable[[int], dict[str, Any]] = lambda epoch: {},
    ) -> None:
        self._trainee, self._checkpoint, self._best, self._config = trainee, checkpoint, best, config
        self._progress, self._after_epoch, self._work = progress, after_epoch, trainee.work
        self._position = Position()
        self.kept: dict[str, Any] = {}

    def run(self, task: str, unit: str) -> Position:
        """Trains to the end, from the checkpoint if there is one; the best state is the model's afterwards.

        Args:
            task: name for the progress.
            unit: of the work, "words".

        Where time is over in mid-epoch, the checkpoint is written as it stands there; then that epoch is
        closed as others are, with validation, and its record says the share of it that was trained. The
        record and the validation are not in the checkpoint, so that the run can go on exactly.

        Returns:
            The final position: seconds, and the history with one record an epoch: epoch, loss,
            learning_rate, validation_loss where there is held-out data, share of an epoch that was cut
            short, and what `after_epoch` gave.

        Raises:
            DivergedError: a loss or a weight is NaN or infinite, seen after as many units as its `step` says;
                the last checkpoint is as it was.
            FormatError: the checkpoint is damaged.
            InterruptedTraining: SIGINT or SIGTERM came; the state is in the checkpoint.
            UsageError: the checkpoint is of another run, or `after_epoch` returned what JSON cannot hold.
            StorageError: a checkpoint could not be written.
        """
        resumed = self._resume()
        self._progress.start(task, self._work(self._trainee.epochs, 0), unit)
        try:
            if resumed:
                self._progress.update(self._work(self._position.epoch, self._position.unit))
            with StopRequest() as stop:
                self._epochs(stop)
        finally:
            self._progress.finish()
        self._restore_best()
        return self._position

    def _resume(self) -> bool:
        found = self._checkpoint.read()
        if found is None:
            return False
        arrays, self._position = found
        self._trainee.restore(arrays)
        share = self._work(self._position.epoch, self._position.unit) / self._work(self._trainee.epochs, 0)
        self._progress.message(
            f"going on from {self._checkpoint.path.parent}, where {share:.0%} are done "
            f"({self._position.epoch} of {self._trainee.epochs} epochs)"
        )
        return True

    def _epochs(self, stop: StopRequest) -> None:
        began, written = time.monotonic() - self._position.seconds, time.monotonic()
        over = self._is_over() and not self._position.unit  # in mid-epoch a unit more, for a loss to record
        while not over:
            epoch, unit = self._position.epoch, self._position.unit
            report = self._trainee.train_unit(epoch, unit)
            self._position = replace(self._position, unit=unit + 1, seconds=time.monotonic() - began)
            self._guard(report, report.loss)
            metrics = {"loss": report.loss, "learning_rate": report.learning_rate}
            self._progress.update(self._work(epoch, unit + 1), **metrics)
            if unit + 1 == self._trainee.units:
                self._close_epoch(report)
            stopped = stop.signal_number is not None
            due = time.monotonic() - written >= self._config.checkpoint_seconds
            over = self._is_over()
            if stopped or due or over:  # at the end, too: what comes after may fail
                self._write(report)
                written = time.monotonic()
            if stop.signal_number is not None:
                raise InterruptedTraining(stop.signal_number, self._checkpoint.path.parent)
            if over and self._position.unit:
                self._close_cut_epoch(report)

    def _close_epoch(self, report: UnitReport) -> None:
        state = self._trainee.state()
        self._guard(report, *state.values())
        record = self._record(report)
        epoch, history = record["epoch"], [*self._position.history, record]
        self._position = replace(self._position, epoch=epoch, unit=0, history=history)
        if "validation_loss" in record and _best_epoch(history) == epoch:
            self._best.write(state, self._position)

    def _close_cut_epoch(self, report: UnitReport) -> None:
        record = self._record(report) | {"share": self._position.unit / self._trainee.units}
        self._position = replace(self._position, history=[*self._position.history, record])

    def _record(self, report: UnitReport) -> dict[str, Any]:
        """Validates, and tells of the epoch that has just been trained."""
        epoch = self._position.epoch + 1
        record: dict[str, Any] = {"epoch": epoch, "loss": report.loss, "learning_rate": report.learning_rate}
        validation = self._trainee.validation_loss()
        if validation is not None:
            self._guard(report, validation)
            record["validation_loss"] = validation
            self._progress.message(f"epoch {epoch}: validation loss {validation:.4f}")
        record |= self._after_epoch(epoch)
        try:
            check_json(record)
        except JsonError as error:
            raise UsageError(f"the record of epoch {epoch} cannot be kept: {error}") from error
        return record

    def _is_over(self) -> bool:
        patience, history = self._config.patience, self._position.history
        minutes = self._config.max_minutes
        if len(history) == self._trainee.epochs or (
            minutes is not None and self._position.seconds >= 60 * minutes
        ):
            return True
        return patience is not None and bool(history) and len(history) - _best_epoch(history) >= patience

    def _guard(self, report: UnitReport, *values: float | NDArray[Any]) -> None:
        if all(np.isfinite(value).all() for value in values):
            return
        step = self._position.epoch * self._trainee.units + self._position.unit
        advice = self._config.advice
        if self._checkpoint.path.exists():
            folder = self._checkpoint.path.parent
            advice += f" after deleting {folder}, which keeps the last good state"
        raise DivergedError(step, report.learning_rate, advice)

    def _write(self, report: UnitReport) -> None:
        state = self._trainee.state()
        self._guard(report, *state.values())
        self._checkpoint.write(state, self._position)

    def _restore_best(self) -> None:
        history = self._position.history
        self.kept = history[-1]
        epoch = _best_epoch(history)
        if epoch == len(history):
            return
        found = self._best.read()
        # Somebody's hand, or a machine that is not deterministic.
        if found is None or found[1].epoch != epoch:
            self._progress.message(f"{self._best.path}: not the state of epoch {epoch}; kept the last one")
            return
        self._trainee.restore(found[0])
        self.kept = history[epoch - 1]
        self._progress.message(f"kept the state of epoch {epoch}, the best on held-out text")


def _best_epoch(history: list[dict[str, Any]]) -> int:
    """The epoch with the lowest validation loss, the earliest of equals; without such losses the last."""
    if "validation_loss" not in history[-1]:
        return len(history)
    return int(min(history, key=lambda record: float(record["validation_loss"]))["epoch"])
