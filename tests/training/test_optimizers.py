"""Optimizers by name: each against its equations in float64; what a configuration refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from seqkit.errors import UsageError
from seqkit.training.optimizers import OPTIMIZERS, OptimizerConfig, make_optimizer
from seqkit.training.schedules import Moment, ScheduleConfig

Array = NDArray[np.float64]
ALPHA = 0.125  # exact in float32, in which Keras keeps it


def sgd(w: Array, g: Array, kept: dict[str, Any], k: int) -> Array:
    return w - ALPHA * g


def momentum(w: Array, g: Array, kept: dict[str, Any], k: int) -> Array:
    kept["v"] = 0.9 * kept.get("v", 0) - ALPHA * g
    return w + kept["v"]


def nesterov(w: Array, g: Array, kept: dict[str, Any], k: int) -> Array:
    kept["v"] = 0.9 * kept.get("v", 0) - ALPHA * g
    return w + 0.9 * kept["v"] - ALPHA * g


def rmsprop(w: Array, g: Array, kept: dict[str, Any], k: int) -> Array:
    kept["s"] = 0.8 * kept.get("s", 0) + 0.2 * g**2
    return w - ALPHA * g / np.sqrt(kept["s"] + 1e-3)


def adam(w: Array, g: Array, kept: dict[str, Any], k: int) -> Array:
    kept["m"] = 0.7 * kept.get("m", 0) + 0.3 * g
    kept["s"] = 0.6 * kept.get("s", 0) + 0.4 * g**2
    return w - ALPHA * np.sqrt(1 - 0.6**k) / (1 - 0.7**k) * kept["m"] / (np.sqrt(kept["s"]) + 1e-3)


def adamw(w: Array, g: Array, kept: dict[str, Any], k: int) -> Array:
    decayed = w - ALPHA * 0.25 * w if w.ndim >= 2 else w
    return adam(decayed, g, kept, k)


EQUATIONS: dict[str, Callable[..., Array]] = {
    each.__name__: each for each in (sgd, momentum, nesterov, rmsprop, adam, adamw)
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_updates(name: Any) -> None:
    config = OptimizerConfig(
        name=name,
        learning_rate=ALPHA,
        momentum=0.9,
        rho=0.8,
        beta_1=0.7,
        beta_2=0.6,
        epsilon=1e-3,
        weight_decay=0.25 if name == "adamw" else 0.0,
    )
    rng = np.random.default_rng(3)
    weights = [rng.normal(size=(3, 2)), rng.normal(size=4)]
    variables = [keras.Variable(each, dtype="float64") for each in weights]
    optimizer = make_optimizer(config, variables)
    kept: list[dict[str, Any]] = [{}, {}]
    for k in range(1, 5):
        gradients = [rng.normal(size=each.shape) for each in weights]
        optimizer.apply([keras.ops.convert_to_tensor(each) for each in gradients], variables)
        weights = [
            EQUATIONS[name](w, g, memory, k) for w, g, memory in zip(weights, gradients, kept, strict=True)
        ]
        for variable, expected in zip(variables, weights, strict=True):
            np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_settings_may_be_whole_numbers(name: Any) -> None:
    """As JSON and TOML have them, and who types 1."""
    decay = 1 if name == "adamw" else 0
    config = OptimizerConfig(name=name, learning_rate=1, beta_1=0, momentum=0, rho=0, weight_decay=decay)
    variable = keras.Variable([1.0, 2.0])
    make_optimizer(config, [variable]).apply([keras.ops.ones(2)], [variable])
    assert (variable.numpy() < [1, 2]).all()


def test_the_learning_rate_follows_the_schedule() -> None:
    config = OptimizerConfig(learning_rate=0.5, schedule=ScheduleConfig("inverse", {"decay": 1.0}))
    assert config.rate(Moment(3, 0.5, 10)) == 0.125  # 0.5/(1 + 3)


def test_through_json() -> None:
    config = OptimizerConfig(
        name="sgd", learning_rate=1, clip_norm=5, schedule=ScheduleConfig.parse("list:1,0")
    )
    assert OptimizerConfig(**json.loads(json.dumps(asdict(config)))) == config
    assert OptimizerConfig(schedule="list:1,0").schedule == config.schedule  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "needs"),
    [
        ({}, False),
        ({"averaging": "asgd"}, False),
        ({"averaging": "nt-asgd"}, True),
        ({"schedule": "plateau"}, True),
    ],
)
def test_what_goes_by_held_out_data(settings: dict[str, Any], needs: bool) -> None:
    assert OptimizerConfig(**settings).needs_validation is needs


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "adm"}, "no optimizer 'adm'; did you mean 'adam'"),
        ({"name": "lion"}, "no optimizer 'lion'; known: sgd, momentum"),
        ({"averaging": "nt_asgd"}, "no averaging 'nt_asgd'; did you mean 'nt-asgd'"),
        ({"learning_rate": 0}, "learning_rate must be above 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be above 0"),
        ({"momentum": 1.0}, "momentum must be from 0 to below 1, not 1.0"),
        ({"beta_2": -0.1}, "beta_2 must be from 0 to below 1"),
        ({"epsilon": 0.0}, "epsilon must be from 1e-12 to 1"),
        ({"l1": -1}, "l1 must be from 0 to 1"),
        ({"l2": 2}, "l2 must be from 0 to 1"),
        ({"accumulation": 0}, "accumulation must be from 1 to 10,000, not 0"),
        ({"nonmono": 0}, "nonmono must be from 1 to 1,000"),
        ({"average_from": -1}, "average_from must be from 0"),
        ({"clip_norm": 0}, "clip_norm must be above 0"),
        ({"clip_value": float("inf")}, "clip_value must be above 0, at most 1,000,000,000, not inf"),
        ({"name": "sgd", "weight_decay": 0.1}, "weight_decay is of adamw, not of sgd"),
        ({"schedule": "cosine:x=1"}, "schedule cosine has no setting 'x'"),
    ],
)
def test_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        OptimizerConfig(**settings)
    assert message in str(caught.value)
