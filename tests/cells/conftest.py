"""Cells with their options, and a loop around them."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqkit.cells import Cell, GRUCell, LSTMCell, RNNCell

BATCH, TIME, FEATURES, UNITS = 3, 4, 2, 5
ALL = {"layer_norm": True, "recurrent_dropout": 0.3, "weight_drop": 0.3, "learn_initial_state": True}
SHARED: dict[str, dict[str, Any]] = {
    "plain": {},
    "layer_norm": {"layer_norm": True},
    "recurrent_dropout": {"recurrent_dropout": 0.4},
    "weight_drop": {"weight_drop": 0.4},
    "learn_initial_state": {"learn_initial_state": True},
}
CASES: dict[str, tuple[type[Any], dict[str, Any]]] = {
    **{f"RNN {name}": (RNNCell, options) for name, options in SHARED.items()},
    "RNN relu": (RNNCell, {"activation": "relu", "kernel_initializer": "he_normal"}),
    "RNN softmax": (RNNCell, {"output_units": 3}),
    "RNN sigmoid": (RNNCell, {"output_units": 3, "output_activation": "sigmoid"}),
    "RNN zoneout": (RNNCell, {"zoneout": 0.4}),
    "RNN all": (RNNCell, {**ALL, "zoneout": 0.3, "output_units": 2, "output_activation": "linear"}),
    **{
        f"GRU {variant} {name}": (GRUCell, {"variant": variant, **options})
        for variant in ("simplified", "full", "reset-after")
        for name, options in {**SHARED, "zoneout": {"zoneout": 0.4}, "all": {**ALL, "zoneout": 0.3}}.items()
    },
    **{f"LSTM {name}": (LSTMCell, options) for name, options in SHARED.items()},
    "LSTM peepholes": (LSTMCell, {"peepholes": True}),
    "LSTM projection": (LSTMCell, {"projection": 3}),
    "LSTM clip": (LSTMCell, {"cell_clip": 0.4}),
    "LSTM zoneout": (LSTMCell, {"zoneout_hidden": 0.4, "zoneout_cell": 0.3}),
    "LSTM zoneout of the cell": (LSTMCell, {"zoneout_cell": 0.4}),
    "LSTM all": (
        LSTMCell,
        {
            **ALL,
            "zoneout_hidden": 0.2,
            "zoneout_cell": 0.3,
            "peepholes": True,
            "projection": 3,
            "cell_clip": 0.4,
        },
    ),
}


class Loop(keras.layers.Layer):
    """A cell along a sequence, by the split that it offers to loops."""

    def __init__(self, cell: Cell, **options: Any) -> None:
        super().__init__(dtype=cell.dtype_policy, **options)
        self.cell = cell

    def build(self, shape: tuple[int | None, ...]) -> None:
        if not self.cell.built:
            self.cell.build((shape[0], shape[-1]))

    def call(self, inputs: Any, training: bool = False) -> Any:
        batch, time, _ = inputs.shape
        state = self.cell.get_initial_state(batch)
        constants = self.cell.constants(batch, training)
        masks = self.cell.zoneout_masks((time, batch), training)
        projected = self.cell.project_inputs(inputs)
        hidden = []
        for t in range(time):
            keep = masks and masks._replace(
                **{name: value[t] for name, value in masks._asdict().items() if tf.is_tensor(value)}
            )
            state = self.cell.step(projected[:, t], state, constants, keep)
            hidden.append(state.hidden)
        return self.cell.project_outputs(tf.stack(hidden, axis=1))


def built(name: str, dtype: str = "float64", *, random: bool = True, seed: int = 3) -> Cell:
    """A cell of a case; its weights random, so that none is zero or one."""
    kind, options = CASES[name]
    cell = kind(UNITS, dtype=dtype, seed=seed, **options)
    cell.build((None, FEATURES))
    if random:
        rng = np.random.default_rng(0)
        cell.set_weights([rng.normal(size=weight.shape) for weight in cell.weights])
    return cell


def sequences(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(BATCH, TIME, FEATURES))


class Helpers:
    """What the tests of cells have in common; there are no modules to import between tests."""

    cases = CASES
    loop = Loop
    built = staticmethod(built)
    sequences = staticmethod(sequences)


@pytest.fixture(scope="session")
def helpers() -> type[Helpers]:
    return Helpers


MODES = ["eager", "graph", "xla"]
POLICIES = ["float32", "mixed_bfloat16"]
KINDS = ["RNN", "GRU simplified", "GRU full", "GRU reset-after", "LSTM"]


def covering() -> list[tuple[str, str, str]]:
    """Cases, modes and policies: every triple of a kind, an option, a mode and a policy is in one of them.

    Three of the six modes and policies for options that several kinds have, all six for the others.
    """

    def triples(row: tuple[str, str, str]) -> set[Any]:
        kind = next(kind for kind in KINDS if row[0].startswith(kind))
        return set(combinations(enumerate((kind, row[0].removeprefix(kind), *row[1:])), 3))

    def alternates(row: tuple[str, str, str]) -> bool:
        places = zip(row, (list(CASES), MODES, POLICIES), strict=True)
        return sum(values.index(value) for value, values in places) % 2 == 0

    seen: set[Any] = set()
    rows = []
    for row in sorted(product(CASES, MODES, POLICIES), key=alternates, reverse=True):
        if not triples(row) <= seen:
            seen |= triples(row)
            rows.append(row)
    return sorted(rows)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "any_case" in metafunc.fixturenames:
        metafunc.parametrize("any_case", CASES)
    if "any_row" in metafunc.fixturenames:
        metafunc.parametrize("any_row", covering(), ids=" ".join)
