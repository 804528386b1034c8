"""Search for settings: what is drawn, that trials are trainings, what goes on, and when it ends."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from seqkit.errors import MissingInputError, UsageError
from seqkit.language_model import search as module
from seqkit.language_model.config import NetworkConfig, TextConfig
from seqkit.language_model.presets import PRESETS
from seqkit.language_model.search import (
    SEARCHABLE,
    SettingsSearch,
    applied,
    default_space,
    search_settings,
    tidy,
)
from seqkit.language_model.training import RunConfig, TrainingConfig, train
from seqkit.training.optimizers import OPTIMIZERS, OptimizerConfig
from seqkit.training.scales import Choice, Range
from seqkit.training.search import SearchReport

TEXT = TextConfig(tokenizer="whitespace", validation=0.1)
TINY = NetworkConfig(layers=1, units=8)
TRAINING = TrainingConfig(batch_size=4, bptt=8, epochs=1)
RUN = RunConfig(precision="float32", threads=1)
RATES = {"learning_rate": Range(1e-6, 0.1, "log")}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text("a b c d\n" * 200)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path


def found(space: Any = RATES, training: TrainingConfig = TRAINING, **config: Any) -> SearchReport:
    plan = SettingsSearch(**{"rounds": 1, **config})
    return search_settings(["text"], space, plan, TINY, text=TEXT, training=training, run=RUN)


# --- what is drawn


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_learning_rate_and_beta_are_drawn_on_their_scales(name: Any) -> None:
    space: dict[str, Any] = default_space(NetworkConfig(), OptimizerConfig(name=name))
    beta = {"sgd": None, "rmsprop": "rho", "adam": "beta_1", "adamw": "beta_1"}.get(name, "momentum")
    assert list(space) == [each for each in ("learning_rate", beta, "dropout", "units") if each]
    assert (space["learning_rate"].scale, space["units"].scale) == ("log", "log")
    assert beta is None or space[beta].scale == "one-minus-log"
    # the middle of the scale is one that the optimizer is known to work with
    middle = space["learning_rate"].value(0.5)
    assert (1e-3 < middle < 1e-2) if name in ("adam", "adamw", "rmsprop") else (0.1 < middle < 10)
    for scale in space:
        applied(NetworkConfig(), TrainingConfig(), tidy({scale: space[scale].value(0.999)}))


def test_what_is_given_or_without_effect_is_not_drawn() -> None:
    assert list(default_space(NetworkConfig(), OptimizerConfig(), {"units", "learning_rate"})) == [
        *("beta_1", "dropout")
    ]
    rates = {name: PRESETS["awd"].settings[f"dropout_{name}"] for name in ("input", "hidden", "output")}
    network = NetworkConfig(**{f"dropout_{name}": rate for name, rate in rates.items()})
    assert "dropout" not in default_space(network, OptimizerConfig())


def test_settings_go_where_they_belong() -> None:
    drawn = {"units": 31.6, "learning_rate": 0.00123449, "beta_1": 0.98765, "bptt": 8.2, "cell": "gru"}
    network, training = applied(NetworkConfig(layers=3), TrainingConfig(epochs=4), tidy(drawn))
    assert (network.units, network.cell, network.layers) == (32, "gru", 3)
    assert (training.bptt, training.epochs) == (8, 4)
    assert (training.optimizer.learning_rate, training.optimizer.beta_1) == (0.001234, 0.9877)
    assert training.optimizer.clip_norm == 1.0


# --- trials are trainings


@pytest.mark.slow
def test_a_trial_that_went_on_is_a_training_that_never_stopped(folder: Path) -> None:
    """Of three trials two go on: with 2.4 epochs, two rungs of 1.2, to .4 and to .4 + .6 = 1 epoch."""
    report = found(epochs=2.4, trials=3)
    assert [each.resource for each in report.trials] == pytest.approx(
        [1.0 if each.number in _best(report, 2) else 0.4 for each in report.trials]
    )
    network, training = applied(TINY, TRAINING, report.best.settings)
    again = train(["text"], "b", network, text=TEXT, training=training, run=RUN)
    assert report.best.loss == pytest.approx(again.history[0]["validation_loss"], rel=1e-5)
    assert report.best.loss == min(each.loss or 99 for each in report.trials)
    assert os.listdir(folder / "tmp") == []


def _best(report: SearchReport, number: int) -> list[int]:
    ranked = sorted(report.trials, key=lambda each: -each.resource)
    return [each.number for each in ranked[:number]]


@pytest.mark.slow
def test_the_same_seed_finds_the_same_and_a_rate_that_learns(folder: Path) -> None:
    """A rate of 1e-6 moves no weight by more than some 1e-4; .01 learns that each word follows from one."""
    first, again = (found(epochs=2, trials=2, seed=1) for _ in range(2))
    assert first == again
    worst = min(first.trials, key=lambda each: float(each.settings["learning_rate"]))
    assert first.best.settings["learning_rate"] > 10 * worst.settings["learning_rate"]
    assert first.best.loss is not None
    assert worst.loss is not None
    assert first.best.loss < worst.loss


def test_time_ends_a_search_but_for_its_first_trial(folder: Path) -> None:
    report = found(minutes=1e-6, trials=4)
    assert len(report.trials) == 1
    assert report.best.loss is not None
    assert report.best.resource == pytest.approx(60e-6 / 4 / 2)  # two rungs, four trials in the first


def test_divergence(folder: Path) -> None:
    """Weights that lose 1000 times themselves in each update are beyond float32 after 13 of them."""
    absurd = TrainingConfig(
        batch_size=4, bptt=8, epochs=1, optimizer=OptimizerConfig(name="sgd", l2=1.0, learning_rate=1.0)
    )
    with pytest.raises(UsageError, match="every trial diverged"):
        found({"learning_rate": Choice((1000.0,))}, absurd, epochs=2, trials=2)
    assert os.listdir(folder / "tmp") == []


def test_trials_that_fell_behind_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    class Trial:
        spent = 0.0

        def trained(self, resource: float, began: float | None) -> float:
            self.spent = resource
            return 0.0

    trials = module._Trials(*(None,) * 5, timed=False)  # type: ignore[arg-type]
    monkeypatch.setattr(trials, "_begun", lambda settings: Trial())
    kept = []
    for name, resource in [*((n, 1.0) for n in "abcd"), *((n, 2.0) for n in "ab"), ("a", 3.0), ("e", 1.0)]:
        trials.loss({"x": name}, resource)
        kept.append(len(trials._going))
    # all of the first rung; then c and d, which are not known to have lost; then a and b; then the new one
    assert kept == [1, 2, 3, 4, 4, 4, 2, 1]


# --- what cannot be


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "give either the minutes or the epochs"),
        ({"minutes": 1.0, "epochs": 1.0}, "give either the minutes or the epochs"),
        ({"minutes": 0.0}, "minutes must be above 0, not 0"),
        ({"minutes": float("nan")}, "minutes must be above 0, not nan"),
        ({"epochs": -1.0}, "epochs must be above 0, not -1"),
        ({"epochs": 1.0, "trials": 0}, "trials must be from 1"),
        ({"epochs": 1.0, "rounds": 0}, "rounds must be from 1"),
    ],
)
def test_budgets_that_are_none(config: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SettingsSearch(**config)


def test_what_cannot_be_searched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = SettingsSearch(epochs=1)
    monkeypatch.setattr(module, "choose_device", lambda *_: pytest.fail("TensorFlow was started"))
    with pytest.raises(UsageError, match="did you mean 'learning_rate'"):
        search_settings(["text"], {"learningrate": Choice((1,))}, plan)
    with pytest.raises(UsageError, match="no setting 'seed' to search"):
        search_settings(["text"], {"seed": Choice((1,))}, plan)
    with pytest.raises(UsageError, match=r"dropout must be from 0 to below 1, not 1\.3"):
        search_settings(["text"], {"dropout": Range(0.0, 1.3)}, plan)
    with pytest.raises(UsageError, match="units must be from 1 to"):
        search_settings(["text"], {"units": Choice((8, 0))}, plan)
    with pytest.raises(UsageError, match="compared on text to validate on"):
        search_settings(["text"], RATES, plan, text=TextConfig())
    with pytest.raises(UsageError, match="exclude each other"):
        search_settings(["text"], RATES, plan, valid=["text"])
    with pytest.raises(MissingInputError):
        search_settings(["nowhere"], RATES, plan)
    assert {"learning_rate", "beta_1", "units", "dropout", "bptt"} <= {*SEARCHABLE}
