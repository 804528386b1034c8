"""The search for settings: what is drawn, what goes on, what time and signals leave."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from helpers import Told
from seqkit.errors import DivergedError, InterruptedTraining, UsageError
from seqkit.sentiment import search as module
from seqkit.sentiment.dataset import Dataset
from seqkit.sentiment.models.average import AverageConfig
from seqkit.sentiment.models.linear import LinearConfig
from seqkit.sentiment.registry import MODELS, model_kind
from seqkit.sentiment.search import SPACES, SearchPlan, search_settings
from seqkit.sentiment.training import FitConfig
from seqkit.training.scales import Choice, Range


def texts(count: int, seed: int = 0) -> Dataset:
    """Texts of one word that says the label and three that do not."""
    rng = np.random.default_rng(seed)
    labels = [("bad", "good")[number % 2] for number in range(count)]
    fillers = [" ".join(f"w{each}" for each in rng.integers(50, size=3)) for _ in labels]
    return Dataset.of(
        [f"{label}{rng.integers(20)} {rest}" for label, rest in zip(labels, fillers, strict=True)], labels
    )


DATA = texts(120)
LINEAR = FitConfig(models=(LinearConfig(min_count=1),))


class Acting(Told):
    """Does something at the n-th message."""

    def __init__(self, at: int, act: Any) -> None:
        super().__init__()
        self._at, self._act = at, act

    def message(self, text: str) -> None:
        super().message(text)
        if len(self.messages) == self._at:
            self._act()


@pytest.fixture
def learned(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, Any]]:
    """The texts and the settings of each training."""
    found: list[tuple[int, Any]] = []
    fit = module.fit_model

    def noting(dataset: Dataset, config: FitConfig, **options: Any) -> Any:
        found.append((len(dataset), config.models[0]))
        return fit(dataset, config, **options)

    monkeypatch.setattr(module, "fit_model", noting)
    return found


@pytest.mark.parametrize("name", SPACES)
def test_what_is_drawn_are_settings_of_the_model(name: str) -> None:
    config_class = model_kind(name).config_class
    names = {each.name for each in fields(config_class)}
    assert {*SPACES[name]} <= names
    for setting, scale in SPACES[name].items():
        for share in (0.0, 0.999):  # both ends are within the bounds of the setting
            default = getattr(config_class(), setting)
            config_class(**{setting: module._tidy(scale.value(share), default)})


def test_every_model_that_has_settings_is_searched() -> None:
    assert {*SPACES} == {*MODELS} - {"lexicon"}


def test_the_best_is_found(learned: list[tuple[int, Any]]) -> None:
    told = Told()
    # So much regularisation leaves only the prior, and half of the texts right at best.
    scales = {"l2": Choice((1e-3, 1e6))}
    found = search_settings(
        DATA, SearchPlan(minutes=1, trials=4), LINEAR, fixed={"alpha", "ngrams", "min_count"}, scales=scales,
        progress=told,
    )  # fmt: skip
    assert found.interrupted is None
    assert found.best is found.trials[0]
    assert found.best is not None
    assert (found.best.model, found.best.settings) == ("linear", {"l2": 1e-3})
    assert found.best.figures["accuracy"] > 0.8
    assert set(found.best.figures) == {"accuracy", "macro_f1", "log_loss"}
    assert len(found.trials) == len(learned) == len(told.messages) == 2  # equal settings are trained once
    assert "linear (l2 0.001), 108 texts in " in told.messages[0] + told.messages[1]
    assert {config.l2 for _, config in learned} == {1e-3, 1e6}
    assert {(config.min_count, config.ngrams) for _, config in learned} == {(1, 3)}


def test_the_better_half_goes_on_with_more_texts(
    learned: list[tuple[int, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FEWEST", 10)
    data = texts(310)
    held = texts(40, seed=1)
    found = search_settings(
        data, SearchPlan(minutes=2, trials=8), LINEAR, valid=held, scales={"l2": Range(1e-4, 10, "log")}
    )
    counts = [count for count, _ in learned[:14]]
    # Shares of a seventh, three sevenths, all: of 310, stratified by two labels.
    assert counts[:8] == [counts[0]] * 8
    assert counts[8:12] == [counts[8]] * 4
    assert counts[12:] == [310, 310]
    assert counts[0] == pytest.approx(310 / 7, abs=2)
    assert counts[8] == pytest.approx(310 * 3 / 7, abs=2)
    assert found.best is not None
    # Of a setting that went on, what is told is that with the most texts.
    assert len(found.trials) == 16
    assert sum(trial.texts == 310 for trial in found.trials) == 4


def test_the_seed_decides(learned: list[tuple[int, Any]]) -> None:
    for seed in (1, 1, 2):
        search_settings(DATA, SearchPlan(minutes=1, trials=1, seed=seed), LINEAR, fixed={"ngrams"})
    settings = [config for _, config in learned]
    assert settings[:2] == settings[2:4] != settings[4:]


def test_models_share_the_time(learned: list[tuple[int, Any]]) -> None:
    config = FitConfig(models=(LinearConfig(), AverageConfig(bits=10, epochs=1)))
    plan = SearchPlan(minutes=1, trials=1, metric="log_loss")
    found = search_settings(DATA, plan, config, fixed={"epochs"})
    assert [type(each) for _, each in learned] == [LinearConfig] * 2 + [AverageConfig] * 2
    losses = [trial.figures["log_loss"] for trial in found.trials]
    assert losses == sorted(losses)
    assert {trial.model for trial in found.trials} == {"linear", "average"}


def test_a_model_without_settings_is_tried_once(learned: list[tuple[int, Any]]) -> None:
    found = search_settings(DATA, SearchPlan(minutes=1), LINEAR, fixed={*SPACES["linear"]})
    assert [trial.settings for trial in found.trials] == [{}]
    assert len(learned) == 1


def test_time_ends_a_trial_in_the_middle() -> None:
    """Whatever the first trial takes; the second is given up in one of its epochs."""
    config = FitConfig(models=(AverageConfig(bits=10, epochs=20, patience=None),))
    scales = {"learning_rate": Range(0.01, 0.1, "log")}
    fixed = {*SPACES["average"]}

    class Clock:
        def __init__(self) -> None:
            self.late = False

        def __call__(self) -> float:
            return time.time() + 1000 * self.late

    clock = Clock()

    def be_late() -> None:
        clock.late = True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.time, "monotonic", clock)
        plan = SearchPlan(minutes=10, trials=3)
        found = search_settings(
            DATA, plan, config, fixed=fixed - {"learning_rate"}, scales=scales, progress=Acting(1, be_late)
        )
    assert found.interrupted is None
    assert len(found.trials) == 1
    assert found.best is found.trials[0]


def test_the_deadline_is_kept_within_a_training() -> None:
    deadline = module._Deadline(time.monotonic() + 1000)
    deadline.start("task", None, "texts")
    deadline.update(1)
    deadline.message("a line")
    over = module._Deadline(time.monotonic())
    for call in (
        lambda: over.start("task", None, "texts"),
        lambda: over.update(1),
        lambda: over.message("a"),
    ):
        with pytest.raises(module._OutOfTime):
            call()
    over.finish()


def test_a_model_that_diverges_costs_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = module.fit_model

    def diverging(dataset: Dataset, config: FitConfig, **options: Any) -> Any:
        if isinstance(config.models[0], AverageConfig):
            raise DivergedError(1, 1.0, "lower it")
        return fit(dataset, config, **options)

    monkeypatch.setattr(module, "fit_model", diverging)
    told = Told()
    config = FitConfig(models=(LinearConfig(), AverageConfig()))
    found = search_settings(DATA, SearchPlan(minutes=1, trials=1), config, fixed={"ngrams"}, progress=told)
    assert {trial.model for trial in found.trials} == {"linear"}
    assert told.messages[-1] == "average: every trial diverged: search at lower learning rates"
    with pytest.raises(UsageError, match="every trial diverged"):
        search_settings(DATA, SearchPlan(minutes=1, trials=1), FitConfig(models=(AverageConfig(),)))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_what_was_found(number: int) -> None:
    told = Acting(2, lambda: os.kill(os.getpid(), number))
    found = search_settings(DATA, SearchPlan(minutes=1), LINEAR, progress=told)
    assert found.interrupted == number
    assert len(found.trials) == 2
    assert found.best is found.trials[0]


def test_a_signal_before_the_first_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "fit_model", lambda *_, **__: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(InterruptedTraining, match="nothing was learned yet"):
        search_settings(DATA, SearchPlan(minutes=1), LINEAR)


def test_a_limit_on_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        module, "milliseconds", lambda model, texts: float(len(model.ensemble.members[0].classifier.weights))
    )
    few: Any = {"fixed": {"alpha", "l2", "min_count"}}
    plan = SearchPlan(minutes=1, trials=3, at_most_ms=1e9)
    found = search_settings(DATA, plan, LINEAR, **few)
    sizes = sorted(trial.figures["ms"] for trial in found.trials)
    assert sizes[0] < sizes[-1]
    found = search_settings(DATA, SearchPlan(minutes=1, trials=3, at_most_ms=sizes[0]), LINEAR, **few)
    assert found.best is not None
    assert found.best.figures["ms"] == sizes[0]
    assert len(found.trials) > 1
    assert search_settings(DATA, SearchPlan(minutes=1, trials=1, at_most_ms=0.5), LINEAR, **few).best is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"minutes": 0}, "minutes must be above 0"),
        ({"minutes": float("inf")}, "minutes must be above 0"),
        ({"minutes": 1, "metric": "beauty"}, "metric must be one of accuracy"),
        ({"minutes": 1, "trials": 0}, "trials must be from 1"),
        ({"minutes": 1, "seed": -1}, "seed must be from 0"),
    ],
)
def test_plans_that_cannot_be(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SearchPlan(**options)


@pytest.mark.parametrize("limit", [0, -1.0, float("nan")])
def test_a_limit_of_time_is_above_0(limit: float) -> None:
    with pytest.raises(UsageError, match="at_most_ms must be above 0, not"):
        SearchPlan(minutes=1, at_most_ms=limit)
