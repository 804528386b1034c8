"""Stacks: equal to Keras' stacked cells, every layer's output at hand, dropout and residuals between."""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqkit.cells import GRUCell, LSTMCell, LSTMState, RNNCell, from_keras
from seqkit.errors import UsageError
from seqkit.layers import Bidirectional, DeepRNN, Recurrent
from seqkit.layers.shapes import Decoder, encoder_decoder
from seqkit.training import gradient_check

BOTH = {"return_sequences": True, "return_state": True}


@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.slow)])
@pytest.mark.parametrize("sequences", [False, True])
def test_outputs_states_and_gradients_are_those_of_stacked_cells(
    helpers: Any, sequences: bool, dtype: str
) -> None:
    cells = [
        keras.layers.LSTMCell(4, dtype=dtype),
        keras.layers.GRUCell(3, dtype=dtype),
        keras.layers.SimpleRNNCell(2, dtype=dtype),
    ]
    theirs = keras.layers.RNN(
        keras.layers.StackedRNNCells(cells, dtype=dtype),
        return_sequences=sequences,
        return_state=True,
        dtype=dtype,
    )
    x = tf.constant(helpers.sequences(dtype=dtype))
    theirs.build(x.shape)
    helpers.randomise(theirs, 0.7)
    ours = DeepRNN([from_keras(cell) for cell in cells], return_sequences=sequences, return_state=True)
    ours.build(x.shape)

    def kernels(layer: Any) -> list[Any]:
        # Those of the GRU lie in another order and sign; its neighbours' and x's gradients pass through it.
        return [v for v in layer.trainable_variables if "kernel" in v.name and "gru" not in v.path]

    for mask in (None, helpers.mask):
        wanted, found = (
            helpers.with_gradients(lambda layer=layer, mask=mask: layer(x, mask=mask), [x], kernels(layer))
            for layer in (theirs, ours)
        )
        helpers.assert_close(found, wanted, 1e-5 if dtype == "float32" else 1e-10)


def test_every_layer_is_at_hand(helpers: Any) -> None:
    x = helpers.sequences()
    layer = DeepRNN([LSTMCell(4), Bidirectional(GRUCell(2)), RNNCell(3)], return_all=True, **BOTH)
    outputs, states = layer(x, mask=helpers.mask)
    assert [value.shape[-1] for value in outputs] == [4, 4, 3]
    below: Any = x
    for inner, output, state in zip(layer.stack, outputs, states, strict=True):
        course = inner.run(tf.constant(below), None, tf.constant(helpers.mask), False)
        np.testing.assert_allclose(output, course.outputs, atol=1e-6)
        for one, other in zip(tf.nest.flatten(state), tf.nest.flatten(course.state), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)
        below = output
    layer.return_sequences = False
    lasts, _ = layer(x)
    np.testing.assert_array_equal(lasts[0], layer(x)[1][0].hidden)
    assert isinstance(states[0], LSTMState)
    assert isinstance(layer.stack[0], Recurrent)


def test_residual_connections_by_hand(helpers: Any) -> None:
    """Each layer above the first adds its input."""
    x = helpers.sequences(dtype="float64")
    layer = DeepRNN([GRUCell(4, dtype="float64") for _ in range(3)], residual=True, return_sequences=True)
    found = layer(x)
    below = helpers.by_definition(layer.stack[0].cell, x)[0]
    for inner in layer.stack[1:]:
        below = below + helpers.by_definition(inner.cell, below)[0]
    np.testing.assert_allclose(found, below, rtol=1e-12)
    layer.return_sequences = False
    np.testing.assert_allclose(layer(x), below[:, -1], rtol=1e-12)


def test_dropout_between_layers(helpers: Any) -> None:
    """Of a layer whose outputs are all 1: the next one, which only sums, shows what was left of them."""
    ones = RNNCell(4, activation="relu")
    sums = RNNCell(1, activation="relu")
    layer = DeepRNN([ones, sums], dropout=0.25, return_all=True, return_sequences=True, seed=1)
    layer.build((None, None, 2))
    ones.set_equation_weights({"W_a": np.zeros((6, 4)), "b_a": np.ones(4)})
    sums.set_equation_weights({"W_a": [[0.0], [1.0], [1.0], [1.0], [1.0]], "b_a": [0.0]})
    x = np.zeros((100, 50, 2), "float32")
    below, above = (value.numpy() for value in layer(x, training=True))
    assert (below == 1).all()
    # 0 to 4 units are left, each worth 1 / 0.75.
    left = above * 0.75
    np.testing.assert_allclose(left, left.round(), atol=1e-5)
    # 20,000 draws: three standard deviations of their share are 3 · √(0.25 · 0.75 / 20,000) = 0.009.
    assert left.mean() / 4 == pytest.approx(0.75, abs=0.009)
    assert (left[:, 0] != left[:, 1]).any()
    assert (layer(x, training=True)[1].numpy() != above).any()
    assert (layer(x)[1].numpy() == 4).all()
    again = DeepRNN.from_config(layer.get_config())
    again.build((None, None, 2))
    again.set_weights(layer.get_weights())
    for mode in ("eager", "graph", "xla"):
        again.seed_generator.state.assign([1, 0])
        found = helpers.run_in(mode, lambda: again(x, training=True))
        np.testing.assert_allclose(found[1], above, rtol=1e-6, atol=1e-6)


def test_what_cannot_be_inside_another_layer() -> None:
    """A penalty that would not be counted; cells that Keras would save once and look for twice."""
    penalised = Recurrent(GRUCell(2), activity_regularizer="l2")
    cell = GRUCell(2, name="shared")
    for make in (
        lambda: DeepRNN([penalised]),
        lambda: Bidirectional(penalised),
        lambda: Decoder(Recurrent(GRUCell(2), return_sequences=True, activity_regularizer="l2"), 5, 3),
        lambda: encoder_decoder(penalised, GRUCell(2), source_size=5, target_size=5, vector_size=3, end=1),
    ):
        with pytest.raises(
            UsageError, match=r"the activity_regularizer of .* belongs to the layer around it"
        ):
            make()
    for make in (
        lambda: DeepRNN([cell, cell]),
        lambda: DeepRNN([Bidirectional(cell), Recurrent(cell)]),
        lambda: Bidirectional(cell, backward=cell),
        lambda: encoder_decoder(cell, cell, source_size=5, target_size=5, vector_size=3, end=1),
    ):
        with pytest.raises(UsageError, match="shared is there twice: each layer and direction needs a cell"):
            make()


def test_booleans_of_numpy_are_options_as_well() -> None:
    """Configurations are saved as JSON, which has none."""
    yes = np.bool_(True)
    within = Recurrent(GRUCell(2), go_backwards=yes, stateful=yes, zero_output_for_mask=yes)
    layer = DeepRNN([within, GRUCell(2)], residual=yes, return_all=yes, zero_output_for_mask=yes)
    config = json.loads(json.dumps(layer.get_config()))
    assert [config[name] for name in ("residual", "return_all", "zero_output_for_mask")] == [True] * 3
    inner = config["layers"][0]["config"]
    assert [inner[name] for name in ("go_backwards", "stateful", "zero_output_for_mask")] == [True] * 3


def test_states_given_and_carried(helpers: Any) -> None:
    x = helpers.sequences()
    whole = DeepRNN([LSTMCell(4, seed=1), GRUCell(3, seed=2)], **BOTH)
    wanted, _ = whole(x)
    first, states = whole(x[:, :2])
    second, _ = whole(x[:, 2:], initial_state=states)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), wanted, rtol=1e-5, atol=1e-6)
    parts = DeepRNN([LSTMCell(4, seed=1), GRUCell(3, seed=2)], stateful=True, **BOTH)
    for _ in range(2):
        outputs = [parts(x[:, :2])[0], parts(x[:, 2:])[0]]
        np.testing.assert_allclose(np.concatenate(outputs, axis=1), wanted, rtol=1e-5, atol=1e-6)
        parts.reset_state()
    with pytest.raises(UsageError, match=r"the initial state of .* is that of its 2 layers"):
        whole(x, initial_state=[states[0]])


def test_masked_outputs_are_0_where_that_is_asked_for(helpers: Any) -> None:
    x = helpers.sequences()
    layer = DeepRNN(
        [GRUCell(4), GRUCell(4)],
        residual=True,
        return_all=True,
        return_sequences=True,
        zero_output_for_mask=True,
    )
    for output in layer(x, mask=helpers.mask):
        np.testing.assert_array_equal(output.numpy().any(axis=-1), helpers.mask)


def test_masks_propagate_to_every_output(helpers: Any) -> None:
    entry = keras.Input((None, 3))
    outputs, _ = DeepRNN([GRUCell(4), Bidirectional(GRUCell(2))], return_all=True, **BOTH)(
        keras.layers.Masking()(entry)
    )
    model = keras.Model(entry, [Recurrent(GRUCell(2))(output) for output in outputs])
    x = helpers.sequences() * helpers.mask[:, :, None]
    junk = np.concatenate([np.zeros((5, 3, 3)), x], axis=1).astype("float32")
    for one, other in zip(model(x), model(junk), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("below", "above"), [("RNN all", "RNN all"), ("LSTM all", "GRU full all")])
def test_gradients_are_the_derivatives(helpers: Any, below: str, above: str) -> None:
    layer = DeepRNN(
        [
            helpers.cells[below](dtype="float64", seed=1),
            Bidirectional(helpers.cells[above](dtype="float64", seed=5), "ave"),
        ],
        dropout=0.3,
        seed=3,
        return_sequences=True,
    )
    x = helpers.sequences(dtype="float64")[:, :3]
    x[1, 1:], x[2, 0] = 9, 9
    model = keras.Sequential([keras.layers.Masking(mask_value=9.0, dtype="float64"), layer])
    targets = np.random.default_rng(4).normal(size=model(x).shape)
    helpers.randomise(layer)
    found = gradient_check(model, x, targets, "mse", training=True, entries=3)
    assert found.largest <= 1e-7, found.worst


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_serialised_by_keras_rules(helpers: Any, tmp_path: Any) -> None:
    entry = keras.Input((None, 3))
    layer = DeepRNN(
        [LSTMCell(4, seed=1), Bidirectional(GRUCell(2)), Recurrent(RNNCell(4), go_backwards=True)],
        dropout=0.2,
        residual=True,
        return_all=True,
        seed=5,
        **BOTH,
    )
    model = keras.Model(entry, layer(entry))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert json.dumps(again.layers[1].get_config()) == json.dumps(layer.get_config())
    x = helpers.sequences()
    for one, other in zip(tf.nest.flatten(model(x)), tf.nest.flatten(again(x)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_mixed_precision() -> None:
    cells = [LSTMCell(4, dtype="mixed_bfloat16") for _ in range(2)]
    layer = DeepRNN(cells, residual=True, dropout=0.1, **BOTH)
    output, states = layer(np.ones((2, 3, 2), "float32"), training=True)
    assert output.dtype == states[1].cell.dtype == tf.bfloat16


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DeepRNN([]), r"a DeepRNN needs a list of layers, at least one, not \[\]"),
        (lambda: DeepRNN(GRUCell(2)), "a DeepRNN needs a list of layers, at least one, not <GRUCell"),
        (lambda: DeepRNN([GRUCell(2)], seed=2**31), "seed must be from 0 to 2147483647, not 2147483648"),
        (lambda: DeepRNN([GRUCell(2)], dropout=1.0), "dropout must be from 0 to below 1, not 1.0"),
        (
            lambda: DeepRNN([GRUCell(2), GRUCell(3)], residual=True),
            r"residual connections need layers of one length, not \[2, 3\]",
        ),
        (
            lambda: DeepRNN([GRUCell(2), Bidirectional(GRUCell(2), None)]),
            "layer 2, bidirectional.*, must give out one sequence to be in a stack",
        ),
    ],
)
def test_bad_arguments(make: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()


@pytest.mark.parametrize("residual", [False, True])
def test_layers_may_differ_in_precision(residual: bool) -> None:
    """What is given out is of the dtype of the whole."""
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    cells = LSTMCell(4, seed=1), LSTMCell(4, dtype="mixed_bfloat16", seed=2)
    layer = DeepRNN(cells, residual=residual)
    first, second = (Recurrent(cell, return_sequences=True) for cell in cells)
    output, below = layer(x), first(x)
    assert output.dtype == "float32"
    expected = tf.cast(second(below), "float32") + (below if residual else 0)
    np.testing.assert_allclose(output, expected[:, -1], atol=1e-6)


def identity(units: int) -> RNNCell:
    """a⟨t⟩ = x⟨t⟩ where that is not negative."""
    cell = RNNCell(units, activation="relu")
    cell.build((None, units))
    cell.set_equation_weights(
        {"W_a": np.concatenate([np.zeros((units, units)), np.eye(units)]), "b_a": np.zeros(units)}
    )
    return cell


def test_dropout_is_between_layers_alone() -> None:
    """Not of the input, not of what a residual connection adds, and not the same between any two layers."""
    x = np.ones((50, 4, 8), "float32")
    cells = [identity(8) for _ in range(3)]
    layer = DeepRNN(cells, dropout=0.5, return_all=True, return_sequences=True, seed=1)
    first, _, third = (value.numpy() for value in layer(x, training=True))
    assert (first == 1).all()
    # Each mask is 0 or 2: of equal ones the product would have no other number than 0 and 4, in half.
    assert np.unique(third).tolist() == [0, 4]
    assert (third == 4).mean() == pytest.approx(0.25, abs=0.03)  # 1600 draws
    layer = DeepRNN(cells[:2], dropout=0.5, residual=True, return_sequences=True, seed=1)
    # What is added is 1, whatever is dropped on the way beside it.
    assert np.unique(layer(x, training=True)).tolist() == [1, 3]
