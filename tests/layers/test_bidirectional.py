"""Both directions: equal to Keras, joined by the equation, with weights of their own."""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqkit.cells import GRUCell, LSTMCell, RNNCell, from_keras
from seqkit.errors import UsageError
from seqkit.layers import Bidirectional, BidirectionalState, DeepRNN, Recurrent
from seqkit.training import gradient_check

KERAS: dict[str, Any] = {
    "SimpleRNN": keras.layers.SimpleRNN,
    "GRU": keras.layers.GRU,
    "LSTM": keras.layers.LSTM,
}
BOTH = {"return_sequences": True, "return_state": True}
MERGES = ["concat", "sum", "mul", "ave", None]


@pytest.mark.parametrize(
    ("sequences", "dtype"), [pytest.param(False, "float64", marks=pytest.mark.slow), (True, "float32")]
)
@pytest.mark.parametrize("name", KERAS)
def test_outputs_states_and_gradients_are_those_of_keras(
    helpers: Any, name: str, sequences: bool, dtype: str
) -> None:
    inner = KERAS[name](4, return_sequences=sequences, return_state=True, dtype=dtype)
    inner.use_cudnn = False
    x = tf.constant(helpers.sequences(dtype=dtype))
    for merge in MERGES if name == "LSTM" else ["concat"]:
        theirs = keras.layers.Bidirectional(inner, merge_mode=merge, dtype=dtype)
        theirs.build(x.shape)
        helpers.randomise(theirs, 0.7)
        ours = Bidirectional(
            from_keras(theirs.forward_layer),
            merge,
            backward=from_keras(theirs.backward_layer),
            return_sequences=sequences,
            return_state=True,
        )
        for mask in (None, helpers.mask):
            wanted, found = (
                helpers.with_gradients(lambda layer=layer, mask=mask: layer(x, mask=mask), [x], [])
                for layer in (theirs, ours)
            )
            helpers.assert_close(found, wanted, 1e-5 if dtype == "float32" else 1e-10)


@pytest.mark.parametrize("name", KERAS)
def test_gradients_by_weights_are_those_of_keras(helpers: Any, name: str) -> None:
    """Through a loss whose derivatives by the kernels tell both directions apart."""
    inner = KERAS[name](4, return_sequences=True, dtype="float64")
    inner.use_cudnn = False
    theirs = keras.layers.Bidirectional(inner, dtype="float64")
    x = tf.constant(helpers.sequences(dtype="float64"))
    theirs.build(x.shape)
    helpers.randomise(theirs, 0.7)
    ours = Bidirectional(
        from_keras(theirs.forward_layer), backward=from_keras(theirs.backward_layer), return_sequences=True
    )
    ours.build(x.shape)

    def kernels(layer: Any) -> list[Any]:
        return [v for v in layer.trainable_variables if v.name in ("kernel", "recurrent_kernel")]

    wanted, found = (
        helpers.with_gradients(lambda layer=layer: layer(x, mask=helpers.mask), [x], kernels(layer))
        for layer in (theirs, ours)
    )
    # Gates in Keras' order are those here, but for z r of its GRU, z = 1 - Γ_u.
    if name == "GRU":
        wanted[2:] = [np.concatenate([-value[:, :4], value[:, 4:]], axis=1) for value in wanted[2:]]
    helpers.assert_close(found, wanted, 1e-10)


def test_works_in_keras_own_wrapper(helpers: Any) -> None:
    x = helpers.sequences()
    theirs = keras.layers.Bidirectional(Recurrent(GRUCell(4), return_sequences=True))
    theirs.build(x.shape)
    ours = Bidirectional(theirs.forward_layer, backward=theirs.backward_layer)
    np.testing.assert_array_equal(ours(x, mask=helpers.mask), theirs(x, mask=helpers.mask))


def test_the_output_by_the_equation(helpers: Any) -> None:
    """ŷ = softmax(W_y [→a, ←a] + b_y)."""
    x = helpers.sequences(dtype="float64")
    layer = Bidirectional(LSTMCell(4, dtype="float64"), output_units=3, **BOTH)
    layer.build(x.shape)
    helpers.randomise(layer)
    outputs, state = layer(x)
    forward = helpers.by_definition(layer.forward.cell, x)[0].numpy()
    backward = helpers.by_definition(layer.backward.cell, x, backwards=True)[0].numpy()
    kernel, bias = (weight.numpy() for weight in layer.output_layer.weights)
    z = np.concatenate([forward, backward], axis=-1) @ kernel + bias
    wanted = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(outputs, wanted, rtol=1e-12)
    np.testing.assert_allclose(state.backward.hidden, backward[:, 0], rtol=1e-12)
    layer.return_sequences = False
    z = np.concatenate([forward[:, -1], backward[:, 0]], axis=-1) @ kernel + bias
    np.testing.assert_allclose(layer(x)[0], np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True), rtol=1e-12)


def test_directions_have_weights_of_their_own() -> None:
    layers = [Bidirectional(LSTMCell(4, seed=7), output_units=2) for _ in range(2)]
    for layer in layers:
        layer.build((None, None, 3))
    for one, other in zip(layers[0].get_weights(), layers[1].get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    forward, backward = layers[0].forward.cell, layers[0].backward.cell
    assert (forward.kernel.numpy() != backward.kernel.numpy()).all()
    assert backward.units == 4
    assert len({variable.path for variable in layers[0].weights}) == 8


def test_initial_states_by_direction_or_in_a_list(helpers: Any) -> None:
    x = helpers.sequences()
    parts = [np.full((5, 4), value, "float32") for value in (0.3, -0.2, 0.1, 0.5)]
    layer = Bidirectional(LSTMCell(4))
    wanted = layer(x, initial_state=BidirectionalState(parts[:2], tuple(parts[2:]))).numpy()
    np.testing.assert_array_equal(layer(x, initial_state=parts), wanted)
    alone = layer.backward(x, initial_state=parts[2:]).numpy()
    np.testing.assert_array_equal(alone, wanted[:, 4:])
    single = Bidirectional(RNNCell(4))
    np.testing.assert_array_equal(
        single(x, initial_state=parts[:2]).numpy()[:, 4:], single.backward(x, initial_state=parts[1])
    )
    with pytest.raises(UsageError, match="is that of its two directions"):
        layer(x, initial_state=parts[:3])


def test_stateful_directions_go_on_where_they_ended(helpers: Any) -> None:
    x = helpers.sequences()
    layer = Bidirectional(GRUCell(4), stateful=True, return_state=True)
    _, first = layer(x)
    _, second = layer(x)
    _, wanted = layer.backward.run(tf.constant(x), first.backward, None, False)[1:]
    np.testing.assert_allclose(second.backward.hidden, wanted.hidden, rtol=1e-6, atol=1e-6)
    layer.reset_state()
    np.testing.assert_array_equal(layer(x)[1].forward.hidden, first.forward.hidden)


def test_masks_propagate_and_hide(helpers: Any) -> None:
    entry = keras.Input((4, 3))
    masked = keras.layers.Masking()(entry)
    layer = Bidirectional(LSTMCell(4), None, return_sequences=True, return_state=True)
    (forward, backward), _ = layer(masked)
    last = Recurrent(GRUCell(4))(backward)
    model = keras.Model(entry, [forward, backward, last])
    x = helpers.sequences() * helpers.mask[:, :, None]
    found = [value.numpy() for value in model(x)]
    for values in found[:2]:
        np.testing.assert_array_equal(values.any(axis=-1), helpers.mask)
    wanted = model.layers[-1](found[1], mask=helpers.mask)
    np.testing.assert_allclose(found[2], wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["RNN all", "LSTM all", "GRU full all"])
def test_gradients_are_the_derivatives(helpers: Any, cell: str) -> None:
    layer = Bidirectional(helpers.cells[cell](dtype="float64", seed=1), output_units=3, return_sequences=True)
    x = helpers.sequences(dtype="float64")[:, :3]
    x[1, 1:], x[2, 0] = 9, 9
    model = keras.Sequential([keras.layers.Masking(mask_value=9.0, dtype="float64"), layer])
    targets = np.random.default_rng(4).normal(size=model(x).shape)
    helpers.randomise(layer)
    found = gradient_check(model, x, targets, "mse", training=True, entries=3)
    assert found.largest <= 1e-7, found


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("merge", ["concat", None])
def test_serialised_by_keras_rules(helpers: Any, merge: Any, tmp_path: Any) -> None:
    entry = keras.Input((None, 3))
    layer = Bidirectional(
        LSTMCell(4, seed=1, zoneout_cell=0.1),
        merge,
        backward=GRUCell(4),
        output_units=2 if merge else None,
        output_activation="sigmoid",
        **BOTH,
    )
    model = keras.Model(entry, layer(entry))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again.layers[1].backward.cell) is GRUCell
    assert json.dumps(again.layers[1].get_config()) == json.dumps(layer.get_config())
    x = helpers.sequences()
    for one, other in zip(tf.nest.flatten(model(x)), tf.nest.flatten(again(x)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_mixed_precision() -> None:
    layer = Bidirectional(LSTMCell(4, dtype="mixed_bfloat16"), output_units=2, **BOTH)
    output, state = layer(np.ones((2, 3, 2), "float32"))
    assert output.dtype == state.forward.cell.dtype == tf.bfloat16
    assert {weight.dtype for weight in layer.weights} == {"float32"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Bidirectional(LSTMCell(2), "max"), "merge_mode must be one of concat, sum, mul, ave, None"),
        (lambda: Bidirectional(LSTMCell(2), output_units=0), "output_units must be a whole number above 0"),
        (lambda: Bidirectional(LSTMCell(2), "sum", output_units=2), "output_units needs merge_mode 'concat'"),
        (
            lambda: Bidirectional(LSTMCell(2), output_units=2, output_activation="x"),
            "output_activation must be one of softmax, sigmoid, linear",
        ),
        (
            lambda: Bidirectional(LSTMCell(2), "ave", backward=GRUCell(3)),
            "merge_mode 'ave' needs outputs of one length, not 2 and 3",
        ),
        (
            lambda: Bidirectional(Recurrent(LSTMCell(2), go_backwards=True)),
            "must have go_backwards=False to be the forward layer",
        ),
        (
            lambda: Bidirectional(LSTMCell(2), backward=Recurrent(LSTMCell(2))),
            "must have go_backwards=True to be the backward layer",
        ),
        (
            lambda: Bidirectional(
                LSTMCell(2), return_sequences=True, backward=Recurrent(LSTMCell(2), go_backwards=True)
            ),
            "the backward layer recurrent.* has another return_sequences",
        ),
        (
            lambda: Bidirectional(Recurrent(LSTMCell(2)), stateful=True),
            "the forward layer recurrent.* has another stateful",
        ),
    ],
)
def test_bad_arguments(make: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()


def test_directions_may_differ_in_precision() -> None:
    layer = Bidirectional(LSTMCell(2), backward=LSTMCell(2, dtype="mixed_bfloat16"))
    assert layer(np.ones((2, 3, 4), "float32")).dtype == "float32"


def test_a_reset_is_one_of_both_directions(helpers: Any) -> None:
    layer = Bidirectional(GRUCell(4), stateful=True)
    first = layer(helpers.sequences()).numpy()
    second = layer(helpers.sequences()).numpy()
    assert (first != second).all()
    layer.reset_state()
    np.testing.assert_array_equal(layer(helpers.sequences()), first)


def test_masked_steps_are_0_before_the_output(helpers: Any) -> None:
    """ŷ of a masked step is g_y(b_y)."""
    layer = Bidirectional(GRUCell(4), output_units=3, output_activation="sigmoid", return_sequences=True)
    layer.build((None, None, 3))
    helpers.randomise(layer)
    found = layer(helpers.sequences(), mask=helpers.mask).numpy()[~helpers.mask]
    bias = layer.output_layer.bias.numpy()
    np.testing.assert_allclose(found, np.tile(1 / (1 + np.exp(-bias)), (len(found), 1)), rtol=1e-5)


@pytest.mark.parametrize("mode", ["sum", "mul", "ave"])
def test_outputs_of_one_length(mode: Any) -> None:
    with pytest.raises(UsageError, match=f"merge_mode '{mode}' needs outputs of one length, not 2 and 1"):
        Bidirectional(LSTMCell(2), mode, backward=GRUCell(1))


def test_a_cell_that_cannot_be_made_again() -> None:
    def tenths(shape: Any, dtype: Any = None) -> Any:
        return tf.ones(shape, dtype) / 10

    with pytest.raises(UsageError, match=r"lstm.* cannot be made again from its configuration: decorate"):
        Bidirectional(LSTMCell(2, kernel_initializer=tenths))
    other = LSTMCell(2, kernel_initializer=tenths)
    assert Bidirectional(LSTMCell(2, kernel_initializer=tenths), backward=other)(
        np.ones((1, 2, 3))
    ).shape == (1, 4)


def test_stateful_layers_stay_stateful(helpers: Any) -> None:
    """Given as a layer, and in a configuration."""
    x = helpers.sequences()
    given = Bidirectional(Recurrent(GRUCell(4), stateful=True))
    for layer in (given, Bidirectional.from_config(given.get_config())):
        assert (layer(x).numpy() != layer(x).numpy()).all()


def test_directions_of_two_lengths(helpers: Any) -> None:
    x = helpers.sequences()
    layer = Bidirectional(LSTMCell(4), backward=GRUCell(3))
    found = layer(x)
    assert layer.compute_output_shape(x.shape) == found.shape == (5, 7)
    assert Bidirectional(LSTMCell(4), backward=GRUCell(3), output_units=2)(x).shape == (5, 2)
    assert DeepRNN([layer.__class__(LSTMCell(4), backward=GRUCell(3)), GRUCell(2)])(x).shape == (5, 2)
    parts = [np.full((5, size), 0.3, "float32") for size in (4, 4, 3)]
    given = layer(x, initial_state=[parts[:2], parts[2:]]).numpy()
    np.testing.assert_allclose(given[:, 4:], layer.backward(x, initial_state=parts[2:]), rtol=1e-6, atol=1e-6)


def test_built_layers_are_not_built_again() -> None:
    inner = Recurrent(GRUCell(3), stateful=True)
    inner.build((2, None, 4))
    for layer in (Bidirectional(inner), DeepRNN([inner])):
        layer.build((2, None, 4))
        assert len({id(v) for v in inner.weights}) == len(inner.weights) == 5


def test_directions_are_drawn_by_themselves_where_initialisers_have_the_seed() -> None:
    initializer = keras.initializers.GlorotUniform(seed=3)
    layer = Bidirectional(LSTMCell(4, kernel_initializer=initializer))
    layer.build((None, None, 2))
    assert (layer.forward.cell.kernel.numpy() != layer.backward.cell.kernel.numpy()).all()
