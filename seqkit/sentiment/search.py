"""Looking for the settings that texts are classified best with, by short trainings in memory."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from seqkit._settings import check_numbers
from seqkit.errors import InterruptedTraining, UsageError
from seqkit.progress import SILENT, Progress
from seqkit.sentiment.dataset import Dataset
from seqkit.sentiment.evaluation.choice import METRICS, milliseconds
from seqkit.sentiment.evaluation.metrics import accuracy, macro_f1, surprisals
from seqkit.sentiment.models.contract import Resources
from seqkit.sentiment.registry import kind_of, settled
from seqkit.sentiment.training import VALID, FitConfig, fit_model
from seqkit.training.scales import Choice, Range, Scale
from seqkit.training.search import SearchConfig, allocation, search
from seqkit.training.signals import StopAtOnce, Stopped

SPACES: dict[str, dict[str, Scale]] = {
    "linear": {
        "l2": Range(1e-6, 1e-2, "log"),
        "alpha": Range(0.1, 10.0, "log"),
        "ngrams": Choice((1, 2, 3)),
        "min_count": Choice((1, 2, 3)),
    },
    "average": {
        "learning_rate": Range(0.01, 1.0, "log"),
        "vector_size": Range(8, 128, "log"),
        "ngrams": Choice((1, 2, 3)),
        "word_dropout": Range(0.0, 0.5),
        "epochs": Range(3, 30, "log"),
    },
    "rnn": {
        "learning_rate": Range(1e-4, 1e-2, "log"),
        "units": Range(32, 256, "log"),
        "dropout": Range(0.0, 0.7),
        "word_dropout": Range(0.0, 0.4),
        "pooling": Choice(("mean", "max", "attention")),
    },
    "cnn": {
        "learning_rate": Range(1e-4, 1e-2, "log"),
        "filters": Range(32, 300, "log"),
        "dropout": Range(0.0, 0.7),
        "word_dropout": Range(0.0, 0.4),
    },
}
"""Where the settings of a model are drawn from; `lexicon` has none."""

METRICS_SEARCHED = ("accuracy", "macro_f1", "log_loss")

FEWEST = 2000
"""No trial learns fewer texts than these, where there are so many."""


@dataclass(frozen=True, kw_only=True)
class SearchPlan:
    """How long to look, and for what.

    Args:
        minutes: of all trials together; what is found depends on the machine.
        trials: that each of two rounds begins with, for each model.
        metric: that is to be best, of `METRICS_SEARCHED`.
        at_most_ms: milliseconds that the model found may take for a text by itself; None for any.
        seed: of the settings that are drawn.

    Raises:
        UsageError: a value out of range.
    """

    minutes: float
    trials: int = 8
    metric: str = "accuracy"
    at_most_ms: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_numbers(self)
        if not 0 < self.minutes < math.inf:
            raise UsageError(f"minutes must be above 0, not {self.minutes:g}")
        if self.at_most_ms is not None and not self.at_most_ms > 0:
            raise UsageError(f"at_most_ms must be above 0, not {self.at_most_ms:g}")
        if self.metric not in METRICS_SEARCHED:
            raise UsageError(f"metric must be one of {', '.join(METRICS_SEARCHED)}, not {self.metric!r}")
        _ = self.of_model(60 * self.minutes)

    def of_model(self, seconds: float) -> SearchConfig:
        """Of one model: the resource is the share of the texts that is learned, at the end of a round all."""
        rounds = 2
        budget = rounds / allocation(max(1, self.trials), 1.0)[-1][1]
        return SearchConfig(
            budget=budget, trials=self.trials, rounds=rounds, seconds=max(seconds, 1e-3), seed=self.seed
        )


@dataclass(frozen=True)
class Trial:
    """A model that was trained.

    Args:
        model: its name.
        settings: that were drawn.
        texts: that it learned.
        figures: on the validation texts: accuracy, macro_f1, log_loss; ms where that is limited.
        seconds: that it took.
    """

    model: str
    settings: dict[str, Any]
    texts: int
    figures: dict[str, float]
    seconds: float


@dataclass(frozen=True)
class Found:
    """What a search found.

    Args:
        trials: each with the most texts that it learned, the best first; of equals those of lower log loss.
        best: the first of them that is within the limit; None where none is.
        interrupted: the signal that ended it early, or None.
    """

    trials: list[Trial]
    best: Trial | None
    interrupted: int | None = None


def search_settings(
    dataset: Dataset,
    plan: SearchPlan,
    config: FitConfig | None = None,
    *,
    valid: Dataset | float = VALID,
    fixed: Collection[str] = (),
    scales: Mapping[str, Scale] | None = None,
    resources: Resources | None = None,
    progress: Progress = SILENT,
) -> Found:
    """Trains with settings drawn at random, gives up the worse half again and again, then looks more finely.

    Half of the trials go on with more texts each time, the last with all. Several models are searched one
    after the other, in equal shares of the time. Ctrl-C and SIGTERM end the search; what was found until then
    is the answer.

    Args:
        dataset: what is learned.
        plan: how long, and for what.
        config: models with the settings that are not searched.
        valid: texts to compare the trials on, or the share of `dataset` to hold out for that.
        fixed: names of settings that are not drawn; nor are those that go by `resources`.
        scales: by setting, in place of those of `SPACES`; drawn for the models that have the setting.
        resources: vectors and the like that networks begin with.
        progress: told of each trial.

    Raises:
        UsageError: a scale of a setting that no model has, or every trial of a model diverged.
        InterruptedTraining: a signal came before any trial was done.
        SeqkitError: as `fit_model`.
    """
    config = config or FitConfig()
    learned, held = dataset.split(valid, config.seed) if isinstance(valid, float) else (dataset, valid)
    resources = resources or Resources()
    spaces = _spaces(config.models, fixed, scales or {}, resources)
    trials = _Trials(learned, held, plan, config, resources, progress)
    interrupted = None
    try:
        with StopAtOnce():
            trials.search_all(spaces)
    except (Stopped, InterruptedTraining) as stopped:
        interrupted = stopped.signal_number
        if not trials.done:
            raise InterruptedTraining(interrupted, None) from None
    return trials.found(interrupted)


def _spaces(
    models: Sequence[Any], fixed: Collection[str], scales: Mapping[str, Scale], resources: Resources
) -> list[dict[str, Scale]]:
    """What is drawn for each model."""
    kinds = [kind_of(model) for model in models]
    names = [kind.settings - settled(kind, resources) for kind in kinds]
    if unused := scales.keys() - set().union(*names):
        listed = ", ".join(kind.name for kind in kinds)
        raise UsageError(f"none of the models ({listed}) has a setting {min(unused)!r} to draw")
    found = []
    for kind, own in zip(kinds, names, strict=True):
        space = {**SPACES.get(kind.name, {}), **scales}
        found.append({name: scale for name, scale in space.items() if name in own and name not in fixed})
    return found


class _OutOfTime(Exception):
    """The minutes are over in the middle of a trial."""


class _Deadline:
    """Progress that is shown to no one, and ends the work when time is over."""

    def __init__(self, at: float) -> None:
        self._at = at

    def start(self, task: str, total: float | None, unit: str) -> None:
        self.update(0)

    def update(self, completed: float, **metrics: float) -> None:
        if time.monotonic() >= self._at:
            raise _OutOfTime

    def message(self, text: str) -> None:
        self.update(0)

    def finish(self) -> None:
        pass


class _Trials:
    """Trains trials and remembers what each reached."""

    def __init__(
        self,
        learned: Dataset,
        held: Dataset,
        plan: SearchPlan,
        config: FitConfig,
        resources: Resources,
        progress: Progress,
    ) -> None:
        self._learned, self._held, self._plan = learned, held, plan
        self._config, self._resources, self._progress = config, resources, progress
        self._parts: dict[float, Dataset] = {}
        self._deadline = math.inf
        self.done: dict[str, Trial] = {}

    def search_all(self, spaces: list[dict[str, Scale]]) -> None:
        """Searches one model after the other."""
        end = time.monotonic() + 60 * self._plan.minutes
        for number, (model, space) in enumerate(zip(self._config.models, spaces, strict=True)):
            left = end - time.monotonic()
            if left <= 0 and self.done:
                return
            share = left / (len(spaces) - number)
            self._deadline = time.monotonic() + share
            try:
                if space:
                    config = self._plan.of_model(share)
                    search(partial(self._loss, model), space, config)
                else:
                    self._loss(model, {}, 1.0)
            except _OutOfTime:
                continue
            except UsageError as error:  # every trial diverged; what other models reached stays
                if not self.done:
                    raise
                self._progress.message(f"{kind_of(model).name}: {error}")

    def _loss(self, model: Any, drawn: Mapping[str, Any], share: float) -> float:
        settings = {name: _tidy(value, getattr(model, name)) for name, value in drawn.items()}
        kind = kind_of(model).name
        part = self._part(share)
        key = repr((kind, sorted(settings.items())))
        known = self.done.get(key)
        if known and known.texts >= len(part):
            return self._of(known)  # all texts were few enough to learn the first time
        began = time.monotonic()
        fitted = fit_model(
            part,
            replace(self._config, models=(replace(model, **settings),)),
            valid=self._held,
            resources=self._resources,
            progress=_Deadline(self._deadline) if self.done else SILENT,
        )
        probabilities, targets = fitted.model.predict(self._held.texts), self._held.targets
        figures = {
            "accuracy": accuracy(probabilities, targets),
            "macro_f1": macro_f1(probabilities, targets),
            "log_loss": float(surprisals(probabilities, targets).mean()),
        }
        if self._plan.at_most_ms is not None:
            figures["ms"] = milliseconds(fitted.model, self._held.texts)
        trial = Trial(kind, settings, len(part), figures, time.monotonic() - began)
        self.done[key] = trial
        self._tell(trial)
        return self._of(trial)

    def _part(self, share: float) -> Dataset:
        """The texts that trials of a rung learn."""
        share = max(share, FEWEST / len(self._learned))
        if share >= 1 - 1e-9:
            return self._learned
        if share not in self._parts:
            self._parts[share] = self._learned.split(1 - share, self._config.seed)[0]
        return self._parts[share]

    def _of(self, trial: Trial) -> float:
        """What is to be as low as possible."""
        value = trial.figures[self._plan.metric]
        return 1 - value if METRICS[self._plan.metric] else value

    def _tell(self, trial: Trial) -> None:
        listed = ", ".join(f"{name} {value}" for name, value in trial.settings.items())
        metric = self._plan.metric
        self._progress.message(
            f"{trial.model} ({listed}), {trial.texts:,} texts in {trial.seconds:.1f} s: "
            f"{metric} {trial.figures[metric]:.4f}"
        )

    def found(self, interrupted: int | None) -> Found:
        """The answer."""
        trials = sorted(self.done.values(), key=lambda trial: (self._of(trial), trial.figures["log_loss"]))
        limit = math.inf if self._plan.at_most_ms is None else self._plan.at_most_ms
        within = [trial for trial in trials if trial.figures.get("ms", 0) <= limit]
        return Found(trials, within[0] if within else None, interrupted)


def _tidy(value: Any, default: Any) -> Any:
    """Rounded to a whole number where the setting is one, to three digits otherwise."""
    if isinstance(default, int) and not isinstance(default, bool):
        return round(value)
    return float(f"{value:.3g}") if isinstance(value, float) else value
