"""The loop takes any cell that splits its step, also one that seqkit does not know."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqkit.errors import UsageError
from seqkit.layers import Bidirectional, DeepRNN, Recurrent
from seqkit.layers.recurrent import PROTOCOL
from seqkit.layers.unroll import unroll


class Averages(NamedTuple):
    hidden: Any
    count: Any


@keras.saving.register_keras_serializable(package="tests")
class MeanCell(keras.layers.Layer):
    """The mean of all inputs so far, times a weight: no cell of seqkit, and two parts of unlike sizes."""

    state_type = Averages
    output_size = 3
    state_size = (3, 1)

    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(name="scale", shape=(), initializer="ones")

    def get_initial_state(self, batch: Any) -> Averages:
        return Averages(tf.zeros([batch, 3], self.compute_dtype), tf.zeros([batch, 1], self.compute_dtype))

    def constants(self, batch: Any, training: bool = False, seed: Any = None) -> Any:
        return tf.convert_to_tensor(self.scale)

    def zoneout_masks(self, shape: Any, training: bool = False, seed: Any = None) -> Any:
        return None

    def project_inputs(self, inputs: Any) -> Any:
        return tf.cast(inputs, self.compute_dtype)

    def step(self, projected: Any, state: Averages, constants: Any, zoneout: Any = None) -> Averages:
        count = state.count + 1
        return Averages(state.hidden + (projected - state.hidden) / count, count)

    def project_outputs(self, hidden: Any) -> Any:
        return hidden * tf.cast(self.scale, hidden.dtype)


class NotQuite(MeanCell):
    zoneout_masks: Any = property()


@pytest.mark.parametrize(
    ("backwards", "mode"),
    [
        (True, "graph"),
        (False, "eager"),
        pytest.param(False, "graph", marks=pytest.mark.slow),
        pytest.param(True, "eager", marks=pytest.mark.slow),
    ],
)
def test_the_loop_is_its_definition(helpers: Any, any_cell: str, backwards: bool, mode: str) -> None:
    """In training, with masked steps, from a state that is given; outputs, states and gradients."""
    cell = helpers.cells[any_cell](dtype="float64", seed=1)
    cell.build((None, 3))
    helpers.randomise(cell)
    x = tf.constant(helpers.sequences(dtype="float64"))
    rng = np.random.default_rng(3)
    state = cell.state_type(*(tf.constant(rng.normal(size=(5, size))) for size in cell.state_size))

    def drawn() -> tuple[Any, Any]:
        return cell.constants(5, True, seed=[1, 2]), cell.zoneout_masks((4, 5), True, seed=[3, 4])

    def call() -> Any:
        return unroll(
            cell, cell.project_inputs(x), state, *drawn(), tf.constant(helpers.mask), reverse=backwards
        )

    def step_by_step() -> Any:
        constants, zoneout = drawn()
        now, hidden = state, [None] * 4
        for t in reversed(range(4)) if backwards else range(4):
            keep = zoneout and type(zoneout)(*(part if part is None else part[t] for part in zoneout))
            new = cell.step(cell.project_inputs(x[:, t]), now, constants, keep)
            there = helpers.mask[:, t, None]
            now = type(now)(*(tf.where(there, n, old) for n, old in zip(new, now, strict=True)))
            hidden[t] = now.hidden
        return tf.stack(hidden, axis=1), now

    watched = [x, *state], cell.trainable_variables
    wanted = helpers.with_gradients(step_by_step, *watched)
    found = helpers.run_in(mode, lambda: helpers.with_gradients(call, *watched))
    helpers.assert_close(found, wanted, 1e-11)


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
def test_a_cell_of_ones_own(helpers: Any, mode: str) -> None:
    x = helpers.sequences(dtype="float64")
    layer = Recurrent(MeanCell(dtype="float64"), return_sequences=True, return_state=True)
    layer.build(x.shape)
    layer.cell.scale.assign(2.0)
    outputs, hidden, count = helpers.run_in(
        mode, lambda: tf.nest.flatten(layer(tf.constant(x), mask=helpers.mask))
    )
    shown = helpers.mask[:, :, None]
    counts = np.maximum(shown.cumsum(axis=1), 1)
    np.testing.assert_allclose(outputs, 2 * (x * shown).cumsum(axis=1) / counts, rtol=1e-12)
    np.testing.assert_array_equal(count[:, 0], helpers.mask.sum(axis=1))
    np.testing.assert_allclose(2 * hidden, outputs[:, -1], rtol=1e-12)


def test_a_cell_of_ones_own_in_all_layers(helpers: Any) -> None:
    layer = DeepRNN([MeanCell(), Bidirectional(MeanCell(), "ave")], residual=True, return_state=True)
    output, states = layer(helpers.sequences())
    assert output.shape == (5, 3)
    assert (states[1].backward.count.numpy() == 4).all()
    again = DeepRNN.from_config(layer.get_config())
    np.testing.assert_array_equal(again(helpers.sequences())[0], output)


@pytest.mark.parametrize("make", [Recurrent, Bidirectional, lambda cell: DeepRNN([cell])])
def test_cells_that_do_not_split_their_step(make: Any) -> None:
    with pytest.raises(UsageError, match=r"LSTMCell does not split its step .* has no constants, .*RNN"):
        make(keras.layers.LSTMCell(3))
    with pytest.raises(UsageError, match="Dense does not split its step"):
        make(keras.layers.Dense(3))
    with pytest.raises(UsageError, match="it has no zoneout_masks; "):
        make(NotQuite())


def test_a_class_that_keras_does_not_know_is_not_revived() -> None:
    config = Recurrent(MeanCell()).get_config()
    config["cell"]["registered_name"] = "elsewhere>Cell"
    with pytest.raises(UsageError, match="elsewhere>Cell is not known to Keras"):
        Recurrent.from_config(config)


@pytest.mark.parametrize("name", PROTOCOL)
def test_cells_that_lack_a_part(name: str) -> None:
    parts = {part: (lambda self: None) for part in PROTOCOL if part != name}
    kind = type("Lacking", (keras.layers.Layer,), parts)
    with pytest.raises(UsageError, match=f"it has no {name}; "):
        Recurrent(kind())
