"""Presets: every setting exists and is in its range, and is that of the source."""

from __future__ import annotations

from dataclasses import fields

import pytest

from seqkit.language_model.config import NetworkConfig, TextConfig
from seqkit.language_model.presets import PRESETS
from seqkit.language_model.training import TrainingConfig
from seqkit.training.optimizers import OptimizerConfig
from seqkit.training.schedules import Moment

KINDS = (NetworkConfig, TextConfig, TrainingConfig, OptimizerConfig)


def settings(name: str, kind: type) -> dict[str, object]:
    chosen = {**PRESETS[name].settings, "name": PRESETS[name].settings["optimizer"]}
    del chosen["optimizer"]
    return {each.name: chosen[each.name] for each in fields(kind) if each.name in chosen}


@pytest.mark.parametrize("name", PRESETS)
def test_every_setting_is_one(name: str) -> None:
    known = {each.name for kind in KINDS for each in fields(kind)}
    assert set(PRESETS[name].settings) <= known
    for kind in KINDS:
        kind(**settings(name, kind))


@pytest.mark.parametrize(
    ("name", "rate", "clip", "bptt"), [("small", 1, 5, 20), ("medium", 1, 5, 35), ("large", 1, 10, 35)]
)
def test_zarembas_settings_for_a_sum_over_the_steps(name: str, rate: float, clip: float, bptt: int) -> None:
    """Zaremba et al. 2014, section 4.1: rate 1, norm 5 (large: 10), of the loss summed over the steps."""
    config = OptimizerConfig(**settings(name, OptimizerConfig))  # type: ignore[arg-type]
    assert PRESETS[name].settings["bptt"] == bptt
    assert config.learning_rate == pytest.approx(rate * bptt)
    assert config.clip_norm == pytest.approx(clip / bptt)


@pytest.mark.parametrize(
    ("name", "epochs", "constant", "factor"),
    [("small", 13, 4, 1 / 2), ("medium", 39, 6, 1 / 1.2), ("large", 55, 14, 1 / 1.15)],
)
def test_zarembas_schedules(name: str, epochs: int, constant: int, factor: float) -> None:
    """The rate is that of the first epochs, then divided in each."""
    config = OptimizerConfig(**settings(name, OptimizerConfig))  # type: ignore[arg-type]
    first = config.rate(Moment(0, 0, epochs))
    assert PRESETS[name].settings["epochs"] == epochs
    assert config.rate(Moment(constant - 1, 0.9, epochs)) == first
    assert config.rate(Moment(constant, 0, epochs)) == pytest.approx(first * factor, rel=1e-5)
    assert config.rate(Moment(constant + 1, 0, epochs)) == pytest.approx(first * factor**2, rel=1e-5)


def test_figures_have_a_source() -> None:
    for name in ("small", "medium", "large", "awd"):
        assert "et al. 20" in PRESETS[name].expected
        assert "Penn Treebank" in PRESETS[name].expected
