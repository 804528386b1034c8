"""The loop takes any cell that splits its step, also one that seqkit does not know."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqkit.errors import UsageError
from seqkit.layers import Bidirectional, DeepRNN, Recurrent


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
