"""Looking for the settings that a text is learned best with: short trainings in memory, of one encoding."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from seqkit._settings import check_numbers
from seqkit.errors import Place, UsageError, name_hint
from seqkit.language_model.config import NetworkConfig, TextConfig
from seqkit.language_model.material import CORPUS, Material, check_validation, material
from seqkit.language_model.trainer import make_network, make_trainer
from seqkit.language_model.training import RunConfig, TrainingConfig
from seqkit.progress import SILENT, Progress
from seqkit.text.streams import resolve
from seqkit.training.device import Device, Precision, choose_device, set_threads
from seqkit.training.network import NetworkTrainer
from seqkit.training.optimizers import OptimizerConfig
from seqkit.training.scales import Range, Scale
from seqkit.training.search import SearchConfig, SearchReport, Trial, best_of, search
from seqkit.training.signals import Stopped
from seqkit.training.working import ended_well

RATES: dict[str, tuple[float, float]] = {
    "sgd": (0.3, 60.0),
    "momentum": (0.03, 6.0),
    "nesterov": (0.03, 6.0),
    "rmsprop": (1e-4, 0.03),
    "adam": (1e-4, 0.03),
    "adamw": (1e-4, 0.03),
}
"""From where to where learning rates are drawn, by optimizer; the loss is a mean over tokens."""

BETAS: dict[str, tuple[str, Range]] = {
    "momentum": ("momentum", Range(0.5, 0.99, "one-minus-log")),
    "nesterov": ("momentum", Range(0.5, 0.99, "one-minus-log")),
    "rmsprop": ("rho", Range(0.5, 0.999, "one-minus-log")),
    "adam": ("beta_1", Range(0.5, 0.99, "one-minus-log")),
    "adamw": ("beta_1", Range(0.5, 0.99, "one-minus-log")),
}
"""The β of an optimizer: its name, and where it is drawn from."""

WHOLE = ("layers", "units", "embedding_size", "batch_size", "bptt", "accumulation")
"""Settings that are whole numbers."""

_FIXED = {"name", "schedule", "optimizer", "epochs", "seed"}

SEARCHABLE = tuple(
    each.name
    for kind in (NetworkConfig, OptimizerConfig, TrainingConfig)
    for each in fields(kind)
    if each.name not in _FIXED
)
"""What can have a scale."""


@dataclass(frozen=True, kw_only=True)
class SettingsSearch:
    """How long to look, and how. Exactly one of `minutes` and `epochs` is given.

    Args:
        minutes: of all trials together; a trial is given up by what it reached in its time, compiling and
            validation included, so that what is found depends on the machine.
        epochs: of all trials together; the seed alone decides what is found.
        trials: that a round begins with.
        rounds: from coarse to fine.
        seed: of the settings that are drawn.

    Raises:
        UsageError: both, neither, or a value out of range.
    """

    minutes: float | None = None
    epochs: float | None = None
    trials: int = 8
    rounds: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        check_numbers(self)
        if (self.minutes is None) == (self.epochs is None):
            raise UsageError("give either the minutes or the epochs of all trials together")
        name = "minutes" if self.epochs is None else "epochs"
        if not 0 < getattr(self, name) < math.inf:
            raise UsageError(f"{name} must be above 0, not {getattr(self, name):g}")
        _ = self.plan

    @property
    def plan(self) -> SearchConfig:
        """In seconds, or in epochs."""
        budget = self.epochs if self.minutes is None else 60 * self.minutes
        return SearchConfig(
            budget=float(budget or 0),
            trials=self.trials,
            rounds=self.rounds,
            seconds=None if self.minutes is None else 60 * self.minutes,
            seed=self.seed,
        )


def default_space(
    network: NetworkConfig, optimizer: OptimizerConfig, fixed: Collection[str] = ()
) -> dict[str, Scale]:
    """Learning rate, β of the optimizer, dropout and units.

    Args:
        network: whose rates of dropout may each be set; then `dropout` would change nothing, and is left out.
        optimizer: whose name decides about the learning rate and β.
        fixed: names that are left out.
    """
    space: dict[str, Scale] = {"learning_rate": Range(*RATES[optimizer.name], "log")}
    if optimizer.name in BETAS:
        name, scale = BETAS[optimizer.name]
        space[name] = scale
    if None in (network.dropout_input, network.dropout_hidden, network.dropout_output):
        space["dropout"] = Range(0.0, 0.6)
    space["units"] = Range(64.0, 512.0, "log")
    return {name: scale for name, scale in space.items() if name not in fixed}


def search_settings(
    sources: Sequence[Place],
    space: Mapping[str, Scale],
    config: SettingsSearch,
    network: NetworkConfig | None = None,
    *,
    text: TextConfig | None = None,
    training: TrainingConfig | None = None,
    run: RunConfig | None = None,
    valid: Sequence[Place] = (),
    progress: Progress = SILENT,
) -> SearchReport:
    """Trains with settings drawn at random, gives up the worse half again and again, then looks more finely.

    Every trial begins with the same seed and reads the same batches. A trial that goes on does so from where
    it was. Nothing is saved; the encoded text lies in a temporary folder (`TMPDIR`) meanwhile.

    Args:
        sources: as of `train`.
        space: scales by setting, of `SEARCHABLE`; values are rounded to four digits, or to whole numbers.
        config: how long, and how.
        network: settings that are not searched.
        text: how text becomes tokens, with a fraction to validate on, or see `valid`.
        training: settings that are not searched.
        run: the device, its threads and the precision; the rest is of no account.
        valid: a text to validate on.
        progress: told of each trial.

    Returns:
        The trials, those until a signal that came: losses are nats a token on the text to validate on,
        resources seconds or epochs.

    Raises:
        UsageError: no such setting; a value out of range; nothing to validate on; every trial diverged.
        InterruptedTraining: a signal came before any trial had reached something.
        SeqkitError: as `train`.
    """
    network, text = network or NetworkConfig(), text or TextConfig(validation=0.1)
    training, run = training or TrainingConfig(), run or RunConfig()
    if not valid and not text.validation:
        raise UsageError("settings are compared on text to validate on: give some (--valid 0.1, for one)")
    check_validation(text, valid)
    for name in space:
        if name not in SEARCHABLE:
            raise UsageError(f"no setting {name!r} to search; {name_hint(name, SEARCHABLE)}")
    for name, scale in space.items():  # what is out of range is told before hours of trials
        for end in scale.ends:
            applied(network, training, tidy({name: end}))
    with (
        tempfile.TemporaryDirectory(prefix="seqkit-") as folder,
        ended_well(Path(folder), [CORPUS]),
    ):
        resolve([*sources, *valid])
        device = choose_device(run.device, run.threads)
        set_threads(device)
        found = material(sources, text, training.seed, Path(folder), valid, progress)
        precision = device.precision(run.precision)
        trials = _Trials(found, network, training, device, precision, timed=config.minutes is not None)
        done: list[Trial] = []
        interrupted = None
        try:
            search(trials.loss, space, config.plan, progress, trials=done)
        except Stopped as stopped:
            if all(trial.loss is None for trial in done):
                raise
            interrupted = stopped.signal_number
    tidied = [replace(trial, settings=tidy(trial.settings)) for trial in done]
    return SearchReport(best_of(tidied), tidied, interrupted)


def tidy(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as they are trained with: numbers of four digits, or whole ones.

    >>> tidy({"learning_rate": 0.00123456, "units": 99.7, "cell": "gru"})
    {'learning_rate': 0.001235, 'units': 100, 'cell': 'gru'}
    """
    tidied = dict(settings)
    for name, value in settings.items():
        if name in WHOLE:
            tidied[name] = round(value)
        elif isinstance(value, float):
            tidied[name] = float(f"{value:.4g}")
    return tidied


def applied(
    network: NetworkConfig, training: TrainingConfig, settings: Mapping[str, Any]
) -> tuple[NetworkConfig, TrainingConfig]:
    """The configurations with some of their settings replaced."""

    def own(kind: Any) -> dict[str, Any]:
        return {each.name: settings[each.name] for each in fields(kind) if each.name in settings}

    optimizer = replace(training.optimizer, **own(OptimizerConfig))
    return replace(network, **own(NetworkConfig)), replace(
        training, **own(TrainingConfig), optimizer=optimizer
    )


@dataclass(eq=False)
class _Trials:
    """The trials that may go on, each with its network in memory."""

    material: Material
    network: NetworkConfig
    training: TrainingConfig
    device: Device
    precision: Precision
    timed: bool
    _going: dict[str, _Trial] = field(default_factory=dict)

    def loss(self, settings: dict[str, Any], resource: float) -> float:
        """Trains up to a resource."""
        began = time.monotonic()
        key = repr(sorted(settings.items()))
        trial = self._going.pop(key, None)
        spent = trial.spent if trial else 0.0
        # Those that fell behind, and those of the round before, are not asked for again.
        self._going = {name: each for name, each in self._going.items() if spent <= each.spent <= resource}
        trial = trial or self._begun(settings)
        self._going[key] = trial
        return trial.trained(resource, began if self.timed else None)

    def _begun(self, settings: dict[str, Any]) -> _Trial:
        config, training = applied(self.network, self.training, tidy(settings))
        with self.device.scope():
            network = make_network(config, self.material, training, self.precision)
            trainer = make_trainer(network, self.material, training, self.device, unit_batches=1)
        return _Trial(trainer, training.optimizer.needs_validation)


class _Trial:
    def __init__(self, trainer: NetworkTrainer, validated: bool) -> None:
        self._trainer, self._validated = trainer, validated
        self._units, self._seconds, self._validation = 0, 0.0, 0.0
        self.spent = 0.0

    def trained(self, resource: float, began: float | None) -> float:
        """Trains until the resource is spent, one unit at least.

        Args:
            resource: in seconds, or in epochs.
            began: when the work on this trial began, where time is what counts.

        Returns:
            The loss on the text to validate on; NaN where the training diverged.
        """
        trainer, before = self._trainer, self._seconds
        while self._units < trainer.epochs * trainer.units:
            if began is None:
                over = self._units >= max(1, round(resource * trainer.units))
            else:
                over = before + time.monotonic() - began + self._validation >= resource and self._units > 0
            if over:
                break
            if not math.isfinite(self._unit()):
                return math.nan
        validating = time.monotonic()
        loss = trainer.validation_loss()
        trainer.losses.pop()  # of no complete epoch
        self._validation = time.monotonic() - validating
        if began is not None:
            self._seconds = before + time.monotonic() - began
        self.spent = resource
        return math.nan if loss is None else loss

    def _unit(self) -> float:
        trainer = self._trainer
        loss = trainer.train_unit(*divmod(self._units, trainer.units)).loss
        self._units += 1
        if self._validated and self._units % trainer.units == 0:
            trainer.validation_loss()  # the schedule or the averaging goes by that of each epoch
        return loss
