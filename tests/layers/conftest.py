"""Cells for the layers, and the layers by their definition, step by step in Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from seqkit.cells import GRUCell, LSTMCell, RNNCell

BATCH, TIME, FEATURES, UNITS = 5, 4, 3, 4
# Left, right and interior gaps, nothing masked, everything masked.
MASK = np.array([[0, 0, 1, 1], [1, 1, 1, 0], [1, 0, 0, 1], [1, 1, 1, 1], [0, 0, 0, 0]], bool)
ALL = {"layer_norm": True, "recurrent_dropout": 0.3, "weight_drop": 0.3, "learn_initial_state": True}
CELLS: dict[str, Callable[..., Any]] = {
    "RNN": lambda units=UNITS, **more: RNNCell(units, **more),
    "RNN all": lambda units=UNITS, **more: RNNCell(units, output_units=3, zoneout=0.3, **ALL, **more),
    "GRU simplified all": lambda units=UNITS, **more: GRUCell(units, zoneout=0.3, **ALL, **more),
    "GRU full all": lambda units=UNITS, **more: GRUCell(units, variant="full", zoneout=0.3, **ALL, **more),
    "GRU reset-after": lambda units=UNITS, **more: GRUCell(units, variant="reset-after", **more),
    "GRU reset-after all": lambda units=UNITS, **more: GRUCell(
        units, variant="reset-after", zoneout=0.3, **ALL, **more
    ),
    "LSTM": lambda units=UNITS, **more: LSTMCell(units, **more),
    "LSTM all": lambda units=UNITS, cell_clip=0.4, **more: LSTMCell(
        units,
        zoneout_hidden=0.2,
        zoneout_cell=0.3,
        peepholes=True,
        projection=3 * units // 4,
        cell_clip=cell_clip,
        **ALL,
        **more,
    ),
}


def sequences(seed: int = 1, dtype: str = "float32") -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(BATCH, TIME, FEATURES)).astype(dtype)


def randomise(layer: Any, scale: float = 0.5, seed: int = 0) -> Any:
    """A built layer whose trainable weights are random, so that none is zero or one."""
    rng = np.random.default_rng(seed)
    for weight in layer.trainable_variables:
        weight.assign(scale * rng.normal(size=weight.shape))
    return layer


def by_definition(
    cell: Any, x: Any, mask: Any = None, state: Any = None, *, backwards: bool = False, training: bool = False
) -> tuple[Any, Any, Any]:
    """Outputs in the order of time, last output and last state."""
    batch, time = x.shape[:2]
    mask = np.ones((batch, time), bool) if mask is None else mask
    state = cell.get_initial_state(batch) if state is None else state
    constants = cell.constants(batch, training)
    zoneout = cell.zoneout_masks((time, batch), training)
    output = tf.zeros([batch, cell.output_size], cell.compute_dtype)
    outputs: list[Any] = [None] * time
    for t in reversed(range(time)) if backwards else range(time):
        keep = zoneout and type(zoneout)(*(part[t] if tf.is_tensor(part) else part for part in zoneout))
        new = cell.step(cell.project_inputs(x[:, t]), state, constants, keep)
        there = mask[:, t, None]
        state = type(state)(*(tf.where(there, n, old) for n, old in zip(new, state, strict=True)))
        output = tf.where(there, cell.project_outputs(new.hidden), output)
        outputs[t] = output
    return tf.stack(outputs, axis=1), output, state


def with_gradients(compute: Callable[[], Any], tensors: list[Any], variables: list[Any]) -> list[Any]:
    """Every tensor of a result, and the gradients, by tensors and variables, of a loss that sees them all."""
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        found = tf.nest.flatten(compute())
        rng = np.random.default_rng(6)
        loss = tf.add_n(
            [
                tf.reduce_sum(tf.square(tf.cast(value, tf.float64)) * rng.normal(size=value.shape))
                for value in found
            ]
        )
    watched = [*tensors, *(variable.value for variable in variables)]
    return [*found, *tape.gradient(loss, watched, unconnected_gradients="zero")]


def run_in(mode: str, compute: Callable[[], Any]) -> list[np.ndarray]:
    """Eagerly, as a graph, or compiled by XLA."""
    if mode != "eager":
        compute = tf.function(compute, jit_compile=mode == "xla", autograph=False)
    return [tf.cast(value, tf.float64).numpy() for value in compute()]


def assert_close(found: list[Any], wanted: list[Any], tolerance: float) -> None:
    """Each relative to the norm of what was wanted."""
    assert len(found) == len(wanted)
    for number, (value, exact) in enumerate(zip(found, wanted, strict=True)):
        value, exact = np.asarray(value, "float64"), np.asarray(exact, "float64")
        assert value.shape == exact.shape
        error = np.linalg.norm(value - exact) / (np.linalg.norm(exact) or 1)
        assert error <= tolerance, f"number {number}: {error}"


class Helpers:
    """What the tests of layers have in common; there are no modules to import between tests."""

    cells = CELLS
    mask = MASK
    sequences = staticmethod(sequences)
    randomise = staticmethod(randomise)
    by_definition = staticmethod(by_definition)
    with_gradients = staticmethod(with_gradients)
    run_in = staticmethod(run_in)
    assert_close = staticmethod(assert_close)


@pytest.fixture(scope="session")
def helpers() -> type[Helpers]:
    return Helpers


def in_turns() -> list[Any]:
    """Each cell in one direction, and in the other in the slow tests."""
    pairs = [(cell, (number + turn) % 2 == 1, turn) for turn in (0, 1) for number, cell in enumerate(CELLS)]
    return [
        pytest.param(cell, backwards, marks=[pytest.mark.slow] * turn, id=f"{cell}-{backwards}")
        for cell, backwards, turn in pairs
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "any_direction" in metafunc.fixturenames:
        metafunc.parametrize(("any_cell", "any_direction"), in_turns())
    elif "any_cell" in metafunc.fixturenames:
        metafunc.parametrize("any_cell", CELLS)
