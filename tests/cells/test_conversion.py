"""Weights exchanged with Keras: the same outputs and gradients, masks included."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqkit.cells import GRUCell, LSTMCell, RNNCell, from_keras, to_keras
from seqkit.errors import UsageError
from seqkit.layers import Recurrent

X = np.random.default_rng(1).normal(size=(4, 6, 3)).astype("float32")
# Left, right and interior gaps, and nothing masked.
MASK = np.array(
    [[0, 0, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [1, 0, 1, 1, 0, 1], [1, 1, 1, 1, 1, 1]],
    bool,
)
KERAS = {
    "SimpleRNN": lambda: keras.layers.SimpleRNN(5, return_sequences=True),
    "SimpleRNN relu": lambda: keras.layers.SimpleRNN(5, activation="relu", return_sequences=True),
    "SimpleRNN without bias": lambda: keras.layers.SimpleRNN(5, use_bias=False, return_sequences=True),
    "GRU full": lambda: keras.layers.GRU(5, reset_after=False, return_sequences=True),
    "GRU reset-after": lambda: keras.layers.GRU(5, return_sequences=True),
    "GRU without bias": lambda: keras.layers.GRU(5, use_bias=False, return_sequences=True),
    "LSTM": lambda: keras.layers.LSTM(5, return_sequences=True),
}


def theirs(name: str) -> Any:
    layer = KERAS[name]()
    layer.build(X.shape)
    rng = np.random.default_rng(2)
    layer.set_weights([0.7 * rng.normal(size=weight.shape) for weight in layer.weights])
    return layer


def output_and_gradient(layer: Any) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Of Σ (t + 1) a⟨t⟩², by x and by the weights."""
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        output = layer(x, mask=MASK)
        loss = tf.reduce_sum(tf.square(output) * np.arange(1, 7, dtype="float32")[:, None])
    by_x, by_weights = tape.gradient(loss, [x, [weight.value for weight in layer.weights]])
    return output.numpy(), by_x.numpy(), [value.numpy() for value in by_weights]


def close(found: np.ndarray, wanted: np.ndarray) -> bool:
    return bool(np.linalg.norm(found - wanted) <= 1e-5 * np.linalg.norm(wanted))


@pytest.mark.parametrize("name", KERAS)
def test_outputs_and_gradients_are_those_of_keras(name: str) -> None:
    layer = theirs(name)
    cell = from_keras(layer)
    ours = keras.layers.RNN(cell, return_sequences=True)
    wanted, wanted_x, wanted_weights = output_and_gradient(layer)
    found, found_x, found_weights = output_and_gradient(ours)
    assert np.abs(found - wanted).max() <= 1e-5
    assert close(found_x, wanted_x)
    by_letter = cell.equation_weights(found_weights)
    order = {"S": "a", "G": "urc", "L": "ufco"}[name[0]]
    for which, rows in ((0, slice(5, 8)), (1, slice(0, 5))):  # kernel, recurrent kernel
        signs = [-1 if (name[0], gate) == ("G", "u") else 1 for gate in order]
        blocks = [sign * by_letter[f"W_{gate}"][rows] for sign, gate in zip(signs, order, strict=True)]
        assert close(np.concatenate(blocks, axis=1), wanted_weights[which])


@pytest.mark.parametrize("name", [name for name in KERAS if "without" not in name])
def test_there_and_back(name: str) -> None:
    layer = theirs(name)
    again = to_keras(from_keras(layer.cell))
    assert type(again) is type(layer.cell)
    for one, other in zip(again.get_weights()[:2], layer.get_weights()[:2], strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(keras.layers.RNN(again)(X), keras.layers.RNN(layer.cell)(X), atol=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda: RNNCell(4, activation="relu", seed=0),
        lambda: GRUCell(4, variant="full", seed=0),
        lambda: GRUCell(4, variant="reset-after", recurrent_dropout=0.2, seed=0),
        lambda: LSTMCell(4, forget_bias=0.5, seed=0),
    ],
)
def test_back_and_there(make: Any) -> None:
    cell = make()
    cell.build((None, 3))
    again = from_keras(to_keras(cell))
    for letter, value in cell.equation_weights().items():
        np.testing.assert_array_equal(again.equation_weights()[letter], value)


def test_the_update_gate_by_hand() -> None:
    """One unit, all weights 0 but b_u: c = σ(b_u) · tanh(b_c) from c = 0."""
    cell = GRUCell(1, variant="full")
    cell.build((None, 1))
    zeros = {letter: np.zeros_like(value) for letter, value in cell.equation_weights().items()}
    cell.set_equation_weights({**zeros, "b_u": [np.log(3)], "b_c": [np.arctanh(0.5)]})
    # σ(ln 3) = 0.75, of 0.5; Keras' z is the other quarter.
    x = np.zeros((1, 1), "float32")
    assert cell(x, [x])[0].numpy().item() == pytest.approx(0.375)
    keras_cell = to_keras(cell)
    assert keras_cell.bias.numpy()[0] == pytest.approx(-np.log(3))
    assert keras_cell(x, [x])[0].numpy().item() == pytest.approx(0.375)


@pytest.mark.parametrize(
    ("make", "lacking"),
    [
        (lambda: GRUCell(2), "variant 'simplified'"),
        (lambda: RNNCell(2, output_units=3), "output_units"),
        (lambda: LSTMCell(2, peepholes=True, layer_norm=True), "layer_norm, peepholes"),
        (lambda: LSTMCell(2, zoneout_cell=0.1), "zoneout_cell"),
        (lambda: LSTMCell(2, projection=1, cell_clip=3.0), "projection, cell_clip"),
        (lambda: RNNCell(2, learn_initial_state=True), "learn_initial_state"),
    ],
)
def test_what_keras_does_not_have(make: Any, lacking: str) -> None:
    cell = make()
    cell.build((None, 2))
    with pytest.raises(UsageError, match=f"Keras' cells have no {lacking}: "):
        to_keras(cell)


def test_what_cannot_be_converted() -> None:
    with pytest.raises(UsageError, match="only SimpleRNN, GRU and LSTM of Keras can be converted, not Dense"):
        from_keras(keras.layers.Dense(3))
    with pytest.raises(UsageError, match="has no weights yet"):
        from_keras(keras.layers.LSTM(3))
    with pytest.raises(UsageError, match="has no weights yet"):
        to_keras(LSTMCell(3))
    layer = keras.layers.LSTM(3, recurrent_activation="hard_sigmoid")
    layer.build((None, 4, 2))
    with pytest.raises(UsageError, match=r"recurrent_activation of .* must be sigmoid, not hard_sigmoid"):
        from_keras(layer)
    layer = keras.layers.SimpleRNN(3, activation=keras.layers.ReLU())
    layer.build((None, 4, 2))
    with pytest.raises(UsageError, match=r"the activation of .* must be relu or tanh, not <ReLU"):
        from_keras(layer)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: keras.layers.LSTM(3, activation="relu"), "the activation of .* must be tanh, not relu"),
        (lambda: keras.layers.GRU(3, activation="relu"), "the activation of .* must be tanh, not relu"),
        (
            lambda: keras.layers.GRU(3, recurrent_activation="hard_sigmoid"),
            "must be sigmoid, not hard_sigmoid",
        ),
        (lambda: keras.layers.LSTM(3, activation=tf.tanh), "must be tanh, not another tanh"),
        (lambda: LSTMCell(3), "only SimpleRNN, GRU and LSTM of Keras can be converted, not LSTMCell"),
    ],
)
def test_more_that_cannot_be_converted(make: Any, message: str) -> None:
    layer = make()
    layer.build((None, 4, 2))
    with pytest.raises(UsageError, match=message):
        from_keras(layer)


def test_names_are_kept() -> None:
    layer = keras.layers.LSTM(3, name="tags")
    layer.build((None, 4, 2))
    layer.cell.name = "tags_cell"
    cell = from_keras(layer)
    assert cell.name == to_keras(cell).name == "tags_cell"


def test_a_step_of_its_own_is_not_converted() -> None:
    class Own(LSTMCell):
        pass

    cell = Own(3)
    cell.build((None, 2))
    with pytest.raises(UsageError, match="only RNNCell, GRUCell and LSTMCell can be converted, not Own"):
        to_keras(cell)


def test_a_layer_is_converted_by_its_cell() -> None:
    layer = Recurrent(LSTMCell(3))
    layer.build((None, None, 2))
    for weight, other in zip(to_keras(layer).get_weights(), to_keras(layer.cell).get_weights(), strict=True):
        np.testing.assert_array_equal(weight, other)
