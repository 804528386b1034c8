"""A cell along a sequence: equal to Keras, masks of every shape, states, every size."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqkit.cells import GRUCell, LSTMCell, LSTMState, RNNCell, from_keras
from seqkit.errors import UsageError
from seqkit.layers import Bidirectional, DeepRNN, Recurrent, explain_kernel
from seqkit.training import gradient_check


class Plain(LSTMCell):
    """Runs in the plain loop."""


KERAS: dict[str, Any] = {
    "SimpleRNN": lambda **more: keras.layers.SimpleRNN(4, **more),
    "GRU full": lambda **more: keras.layers.GRU(4, reset_after=False, use_cudnn=False, **more),
    "GRU reset-after": lambda **more: keras.layers.GRU(4, use_cudnn=False, **more),
    "LSTM": lambda **more: keras.layers.LSTM(4, use_cudnn=False, **more),
}
BOTH = {"return_sequences": True, "return_state": True}
TOLERANCE = {"float32": 1e-5, "float64": 1e-10}


def letters(layer: Any, gradients: Any) -> dict[str, np.ndarray]:
    """Gradients by a layer's weights, by the letters of the equations; by Keras' weights, if it is Keras'."""
    if isinstance(layer, Recurrent):
        return layer.cell.equation_weights(gradients)
    order = {"SimpleRNN": "a", "GRU": "urc", "LSTM": "ufco"}[type(layer).__name__]
    kernel, recurrent, bias = (np.asarray(value) for value in gradients)
    found = {}
    for gate, part in zip(
        order, np.split(np.concatenate([recurrent, kernel]), len(order), axis=1), strict=True
    ):
        found[f"W_{gate}"] = part
    rows = bias if bias.ndim == 2 else bias[None]
    for gate, part in zip(order, np.split(rows[0], len(order)), strict=True):
        found[f"b_{gate}"] = part
    if type(layer).__name__ == "GRU":
        found |= {"W_u": -found["W_u"], "b_u": -found["b_u"]}
        if bias.ndim == 2:
            found["b_cc"] = bias[1, 8:]
    return found


@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.slow)])
@pytest.mark.parametrize("options", [{}, {"go_backwards": True}, {"zero_output_for_mask": True}], ids=str)
@pytest.mark.parametrize("name", KERAS)
def test_outputs_states_and_gradients_are_those_of_keras(
    helpers: Any, name: str, options: dict[str, bool], dtype: str
) -> None:
    theirs = KERAS[name](**BOTH, dtype=dtype)
    for option, value in options.items():
        setattr(theirs, option, value)
    theirs.build((5, 4, 3))
    helpers.randomise(theirs, 0.7)
    ours = Recurrent(from_keras(theirs), **BOTH, **options)
    assert ours.compute_dtype == dtype
    ours.build((5, 4, 3))
    x = tf.constant(helpers.sequences(dtype=dtype))
    initial = [tf.constant(0.5 * helpers.sequences(n, dtype)[:, :, 0]) for n in range(len(ours.state_size))]
    for mask in (None, helpers.mask):
        wanted, found = (
            helpers.with_gradients(
                lambda layer=layer, mask=mask: layer(x, mask=mask, initial_state=initial),
                [x, *initial],
                layer.trainable_variables,
            )
            for layer in (theirs, ours)
        )
        helpers.assert_close(found[: -len(ours.weights)], wanted[: -len(theirs.weights)], TOLERANCE[dtype])
        by_theirs = letters(theirs, wanted[-len(theirs.weights) :])
        by_ours = letters(ours, found[-len(ours.weights) :])
        assert by_theirs.keys() == by_ours.keys()
        helpers.assert_close(
            [by_ours[letter] for letter in by_theirs], list(by_theirs.values()), TOLERANCE[dtype]
        )


def test_every_cell_runs_in_keras_rnn_as_here(helpers: Any, any_cell: str, any_direction: bool) -> None:
    x = tf.constant(helpers.sequences(dtype="float64"))
    cell = helpers.cells[any_cell](dtype="float64", seed=1)
    theirs = keras.layers.RNN(cell, **BOTH, go_backwards=any_direction, dtype="float64")
    theirs.build(x.shape)
    helpers.randomise(theirs)
    ours = Recurrent(cell, **BOTH, go_backwards=any_direction)
    ours.build(x.shape)
    wanted, found = (
        helpers.with_gradients(lambda layer=layer: layer(x, mask=helpers.mask), [x], cell.trainable_variables)
        for layer in (theirs, ours)
    )
    helpers.assert_close(found, wanted, 1e-10)


def test_a_masked_step_by_hand() -> None:
    """a⟨t⟩ = tanh(x⟨t⟩ + a⟨t-1⟩) of one unit, from a⟨0⟩ = 1, the first and the third of four steps masked."""
    cell = RNNCell(1, dtype="float64")
    layer = Recurrent(cell, **BOTH)
    layer.build((None, None, 1))
    cell.set_equation_weights({"W_a": [[1.0], [1.0]], "b_a": [0.0]})
    x, mask = np.array([[[9.0], [0.5], [9.0], [-0.25]]]), np.array([[False, True, False, True]])
    second = np.tanh(1.5)
    fourth = np.tanh(second - 0.25)
    outputs, state = layer(x, mask=mask, initial_state=[np.ones((1, 1))])
    # Before any step there is no output: 0, not a⟨0⟩.
    np.testing.assert_allclose(outputs.numpy().ravel(), [0, second, second, fourth], rtol=1e-15)
    assert state.hidden.numpy().item() == pytest.approx(fourth, rel=1e-15)
    layer.zero_output_for_mask = True
    outputs, state = layer(x, mask=mask, initial_state=[np.ones((1, 1))])
    np.testing.assert_allclose(outputs.numpy().ravel(), [0, second, 0, fourth], rtol=1e-15)


def test_last_output_is_that_of_the_last_step_there_is(helpers: Any) -> None:
    """With padding on either side the last output is that of the sequence alone."""
    layer = Recurrent(LSTMCell(4, seed=0))
    x = helpers.sequences()[:1]
    alone = layer(x).numpy()
    junk = 7 * np.ones((1, 2, 3), "float32")
    for before, after in ((0, 2), (2, 0), (1, 1)):
        padded = np.concatenate([junk[:, :before], x, junk[:, :after]], axis=1)
        mask = np.array([[False] * before + [True] * 4 + [False] * after])
        layer.zero_output_for_mask = bool(after)
        np.testing.assert_allclose(layer(padded, mask=mask), alone, rtol=1e-6, atol=1e-6)
    assert not layer(x, mask=np.zeros((1, 4), bool)).numpy().any()


def test_masks_propagate(helpers: Any) -> None:
    entry = keras.Input((None,))
    words = keras.layers.Embedding(5, 3, mask_zero=True)(entry)
    first, state = Recurrent(LSTMCell(4), **BOTH)(words)
    # An initial state makes Keras pass masks on by another name.
    second = Recurrent(LSTMCell(4), return_sequences=True)(first, initial_state=state)
    last = Recurrent(GRUCell(4))(second)
    model = keras.Model(entry, [first, second, last])
    ids = np.array([[1, 2, 0, 0], [3, 4, 1, 2]])
    for left in model(ids)[:2]:
        values = left.numpy()
        np.testing.assert_array_equal(values[0, 1], values[0, 3])
        assert (values[1, 1] != values[1, 3]).all()
    short = model(ids[:1, :2])[2].numpy()
    np.testing.assert_allclose(model(ids)[2].numpy()[:1], short, atol=1e-7)


@pytest.mark.parametrize("mode", ["eager", "graph", pytest.param("xla", marks=pytest.mark.slow)])
def test_any_number_of_sequences_and_steps(helpers: Any, mode: str) -> None:
    layer = Recurrent(LSTMCell(4), **BOTH)
    layer.build((None, None, 3))

    def compute(x: Any, mask: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs, state = layer(x, mask=mask)
            loss = tf.reduce_sum(outputs) + tf.reduce_sum(state.cell)
        by_x, *_ = tape.gradient(loss, [x, *(v.value for v in layer.trainable_variables)], None, "zero")
        return outputs, state, by_x

    for batch, time in ((0, 3), (1, 0), (1, 1), (3, 1), (3, 4)):
        run = compute
        if mode != "eager":
            # Compiled, a loop of no steps has to be known as such.
            shape = (None, 0 if (mode, time) == ("xla", 0) else None, 3)
            signature = [tf.TensorSpec(shape), tf.TensorSpec((None, None), tf.bool)]
            run = tf.function(compute, jit_compile=mode == "xla", autograph=False, input_signature=signature)
        outputs, state, by_x = run(tf.ones((batch, time, 3)), tf.ones((batch, time), tf.bool))
        assert outputs.shape == (batch, time, 4)
        assert state.hidden.shape == state.cell.shape == (batch, 4)
        assert by_x.shape == (batch, time, 3)


@pytest.mark.parametrize("unknown", [False, True])
def test_no_steps_leave_the_initial_state(unknown: bool) -> None:
    layer = Recurrent(LSTMCell(2), return_state=True)
    layer.build((None, None, 3))
    call = tf.function(
        lambda x: layer(x, initial_state=LSTMState(tf.ones((2, 2)), 2 * tf.ones((2, 2)))),
        autograph=False,
        input_signature=[tf.TensorSpec((2, None if unknown else 0, 3))],
    )
    output, state = call(tf.zeros((2, 0, 3)))
    assert not output.numpy().any()
    assert (state.hidden.numpy() == 1).all()
    assert (state.cell.numpy() == 2).all()


def test_stateful_goes_on(helpers: Any, any_cell: str, any_direction: bool) -> None:
    """Two halves one after the other are the whole; so they are again after a reset."""
    x = helpers.sequences(dtype="float64")
    cell = helpers.cells[any_cell](dtype="float64", seed=1)
    whole = Recurrent(cell, **BOTH, go_backwards=any_direction)
    whole.build(x.shape)
    helpers.randomise(whole)
    wanted, wanted_state = whole(x)
    parts = Recurrent(cell, **BOTH, go_backwards=any_direction, stateful=True)
    halves = [x[:, 2:], x[:, :2]] if any_direction else [x[:, :2], x[:, 2:]]
    for _ in range(2):
        outputs = [parts(half)[0] for half in halves]
        _, state = parts(x[:, :0])
        np.testing.assert_allclose(np.concatenate(outputs, axis=1), wanted, rtol=1e-12)
        for one, other in zip(state, wanted_state, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12)
        parts.reset_state()


def test_stateful_variables_are_not_trained_and_their_number_is_fixed(helpers: Any) -> None:
    layer = Recurrent(LSTMCell(4, learn_initial_state=True, seed=1), stateful=True)
    layer.reset_state()  # nothing is carried yet
    x = tf.constant(helpers.sequences())
    with tf.GradientTape(persistent=True) as tape:
        first, second = layer(x), layer(x)
    assert len(layer.trainable_variables) == 5
    assert [v.name for v in layer.non_trainable_variables] == ["carried_hidden", "carried_cell", "begun"]
    initial = next(v.value for v in layer.trainable_variables if v.name == "initial_cell")
    assert tape.gradient(first, initial).numpy().any()
    assert not tape.gradient(second, initial, unconnected_gradients="zero").numpy().any()
    with pytest.raises(UsageError, match="carries the states of 5 sequences, not of 3"):
        layer(x[:3])
    with pytest.raises(UsageError, match=r"is stateful and needs a fixed number of sequences: keras.Input\("):
        Recurrent(LSTMCell(4), stateful=True)(keras.Input((None, 3)))


def test_stateful_in_fit_and_predict(helpers: Any) -> None:
    entry = keras.Input(batch_shape=(5, None, 3))
    layer = Recurrent(GRUCell(4, seed=0), stateful=True)
    model = keras.Model(entry, layer(entry))
    model.compile("sgd", "mse")
    x = helpers.sequences()
    first, second = model.predict(np.concatenate([x, x]), batch_size=5, verbose=0).reshape(2, 5, 4)
    layer.reset_state()
    np.testing.assert_allclose(layer(x), first, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(layer(x), second, rtol=1e-5, atol=1e-6)
    model.fit(x, first, batch_size=5, verbose=0)
    assert (layer.non_trainable_variables[0].numpy() != second).any()


def test_initial_states_by_name_in_a_list_or_alone(helpers: Any) -> None:
    x = helpers.sequences()
    parts = [np.full((5, 4), value, "float32") for value in (0.3, -0.2)]
    layer = Recurrent(LSTMCell(4, seed=0))
    named = layer(x, initial_state=LSTMState(cell=parts[1], hidden=parts[0]))
    np.testing.assert_array_equal(named, layer(x, initial_state=parts))
    assert (named.numpy() != layer(x).numpy()).any()
    single = Recurrent(GRUCell(4, seed=0))
    np.testing.assert_array_equal(
        single(x, initial_state=parts[0]), single(x, initial_state=[tf.constant(parts[0])])
    )
    with pytest.raises(UsageError, match=r"the initial state of .* is hidden, cell, not 1 parts"):
        layer(x, initial_state=parts[0])
    with pytest.raises(UsageError, match=r"the initial cell of .* must be \(5, 4\), not \(5, 3\)"):
        layer(x, initial_state=[parts[0], parts[1][:, :3]])


@pytest.mark.parametrize("known", [None, 1])
def test_one_sequence_with_a_state_of_known_size(known: int | None) -> None:
    """The loop's shapes stay what they are when only one of input and state is known in advance."""
    layer = Recurrent(LSTMCell(4), return_sequences=True)
    layer.build((None, None, 3))
    other = None if known else 1
    call = tf.function(
        lambda x, *state: layer(x, initial_state=list(state)),
        autograph=False,
        input_signature=[tf.TensorSpec((known, None, 3)), *[tf.TensorSpec((other, 4))] * 2],
    )
    assert call(tf.ones((1, 3, 3)), tf.ones((1, 4)), tf.ones((1, 4))).shape == (1, 3, 4)


def check_gradients(helpers: Any, cell: str, **options: bool) -> None:
    """In training, with steps masked on either side."""
    layer = Recurrent(helpers.cells[cell](dtype="float64", seed=1), **options)
    x = helpers.sequences(dtype="float64")[:, :3]
    model = keras.Sequential([keras.layers.Masking(mask_value=9.0, dtype="float64"), layer])
    x[1, 1:], x[2, 0] = 9, 9
    targets = np.random.default_rng(4).normal(size=model(x).shape)
    helpers.randomise(layer)
    # Normalising few units bends the loss: at 1e-5 the differences are off by 1.3e-7, at 5e-6 by 3e-8.
    found = gradient_check(model, x, targets, "mse", training=True, change=2.5e-6, entries=4)
    assert found.largest <= 1e-7, found


@pytest.mark.slow
def test_gradients_are_the_derivatives(helpers: Any) -> None:
    check_gradients(helpers, "LSTM all", go_backwards=True, return_sequences=True)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"go_backwards": True, "return_sequences": True}], ids=str)
def test_gradients_of_every_cell_are_the_derivatives(
    helpers: Any, any_cell: str, options: dict[str, bool]
) -> None:
    check_gradients(helpers, any_cell, **options)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("stateful", [False, True])
def test_serialised_by_keras_rules(helpers: Any, any_cell: str, stateful: bool, tmp_path: Any) -> None:
    x = helpers.sequences()
    entry = keras.Input(batch_shape=(5, None, 3))
    layer = Recurrent(helpers.cells[any_cell](seed=3), **BOTH, stateful=stateful, go_backwards=True)
    model = keras.Model(entry, layer(entry))
    helpers.randomise(layer)
    model(x)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again.layers[1]) is Recurrent
    assert json.dumps(again.layers[1].get_config()) == json.dumps(layer.get_config())
    for one, other in zip(tf.nest.flatten(model(x)), tf.nest.flatten(again(x)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_mixed_precision_and_the_default_of_the_cell() -> None:
    cell = LSTMCell(4, dtype="mixed_bfloat16")
    layer = Recurrent(cell, **BOTH)
    output, state = layer(np.ones((2, 3, 2), "float32"))
    assert output.dtype == state.cell.dtype == tf.bfloat16
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    other = Recurrent(cell, dtype="float32")
    assert other(np.ones((2, 3, 2), "float32")).dtype == tf.float32


@pytest.mark.slow
def test_fitted(helpers: Any) -> None:
    """What is to be learned lies at the first of four steps; the last of some sequences are masked."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 4, 3))
    y = np.tanh(x[:, 0, :1])
    x[::2, 2:] = 0
    model = keras.Sequential([keras.layers.Masking(), Recurrent(LSTMCell(8, seed=1)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.03), "mse")
    before = model.evaluate(x, y, verbose=0)
    model.fit(x, y, epochs=15, batch_size=16, verbose=0)
    assert model.evaluate(x, y, verbose=0) < 0.1 * before


def test_bad_inputs() -> None:
    layer = Recurrent(RNNCell(2))
    states = [np.ones((3, 2), "float32")]
    for _ in range(2):  # built and not
        for x, shown in (
            (np.ones((3, 2), "float32"), r"\(3, 2\)"),
            (np.ones((3, 4, 2, 1), "float32"), r"\(3, 4, 2, 1\)"),
            ([np.ones((3, 4, 2), "float32"), *states], r"(a list|\(\(3, 4, 2\), \(3, 2\)\))"),
        ):
            wanted = rf"takes sequences of shape \(batch, time, features\), not {shown}; states are given by"
            with pytest.raises(UsageError, match=wanted):
                layer(x)
        layer(np.ones((3, 4, 2), "float32"))
    for shape in ((3, 4, 1), (3, 5)):
        shown = rf"\({', '.join(map(str, shape))}\)"
        with pytest.raises(
            UsageError, match=rf"the mask of .* must be \(batch, time\), \(3, 4\), not {shown}"
        ):
            layer(np.ones((3, 4, 2), "float32"), mask=np.ones(shape))
    with pytest.raises(UsageError, match=r"the activity_regularizer of .* belongs to the layer around it"):
        Recurrent(RNNCell(2, activity_regularizer="l2"))


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("shape", [(3, 4), (3, 6), (3, 1), (1, 5)])
@pytest.mark.parametrize("kind", [GRUCell, pytest.param(Plain, marks=pytest.mark.slow)])
def test_a_mask_of_another_length_is_refused_while_it_runs(
    kind: Any, shape: tuple[int, int], sequences: bool
) -> None:
    layer = Recurrent(kind(2), return_sequences=sequences)
    layer.build((None, None, 2))
    signature = [tf.TensorSpec([None, None, 2]), tf.TensorSpec([None, None], tf.bool)]
    for training in (False, True):

        @tf.function(input_signature=signature)
        def run(x: Any, mask: Any, training: bool = training) -> Any:
            return layer(x, mask=mask, training=training)

        x = np.ones((3, 5, 2), "float32")
        assert run(x, np.ones((3, 5), bool)).shape[0] == 3
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=r"the mask of .* must be \(batch, time\), as"
        ):
            run(x, np.ones(shape, bool))


@pytest.mark.parametrize("kind", [GRUCell, Plain])
def test_another_number_of_sequences_is_refused_while_it_runs(kind: Any) -> None:
    """As in predict and fit, where the last batch has fewer."""
    entry = keras.Input(batch_shape=(3, None, 2))
    model = keras.Model(entry, Recurrent(kind(4), stateful=True)(entry))
    model.compile("sgd", "mse")
    assert model.predict(np.ones((6, 5, 2)), batch_size=3, verbose=0).shape == (6, 4)
    for work in (
        lambda: model.predict(np.ones((4, 5, 2)), batch_size=3, verbose=0),
        lambda: model.fit(np.ones((4, 5, 2)), np.ones((4, 4)), batch_size=3, verbose=0),
    ):
        with pytest.raises(
            (UsageError, tf.errors.InvalidArgumentError), match="carries the states of 3 sequences, not of"
        ):
            work()


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_weights_go_to_another_number_of_sequences(tmp_path: Path) -> None:
    """Trained on many, serving one; a state that fits is taken along, others begin anew."""

    def made(batch: int | None, stateful: bool = True) -> Any:
        entry = keras.Input(batch_shape=(batch, None, 2))
        return keras.Model(entry, Recurrent(LSTMCell(4), stateful=stateful)(entry))

    x, path = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32"), tmp_path / "w.weights.h5"
    many = made(3)
    first, second = (many(x).numpy() for _ in range(2))
    many.save_weights(path)
    one, none, same = made(1), made(None, stateful=False), made(3)
    for model in (one, none, same):
        model.load_weights(path)
    np.testing.assert_allclose(one(x[1:2]).numpy(), first[1:2], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(none(x).numpy(), first, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(same(x).numpy(), many(x).numpy())
    assert (same(x).numpy() != second).all()
    none.save_weights(path)
    one.load_weights(path)
    np.testing.assert_allclose(one(x[1:2]).numpy(), first[1:2], rtol=1e-5, atol=1e-6)


def test_numbers_that_are_checked_by_tensorflow() -> None:
    layer, plain = Recurrent(LSTMCell(3, seed=1)), Recurrent(Plain(3, seed=1))
    x = np.random.default_rng(0).normal(size=(2, 4, 2)).astype("float32")
    expected = layer(x, training=True).numpy()
    tf.debugging.enable_check_numerics()
    try:
        assert "loop, because tf.debugging" in explain_kernel(layer, x.shape)
        found = tf.function(lambda: layer(x, training=True))()
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
        with pytest.raises(tf.errors.InvalidArgumentError):
            layer(x * np.inf, training=True)
    finally:
        tf.debugging.disable_check_numerics()
    assert "compiled, because" in explain_kernel(layer, x.shape)
    assert plain(x).shape == (2, 3)


def test_an_activity_regularizer_of_the_layer() -> None:
    layer = Recurrent(RNNCell(2), activity_regularizer=keras.regularizers.L2(1.0))
    output = layer(np.ones((3, 4, 2), "float32")).numpy()
    np.testing.assert_allclose(layer.losses, [(output**2).sum() / 3], rtol=1e-6)


def test_a_mask_goes_on_in_the_order_of_the_outputs() -> None:
    """Backwards, a padded sequence gives the next layer what it gives without its padding."""
    x = np.random.default_rng(0).normal(size=(1, 5, 2)).astype("float32")
    first = Recurrent(GRUCell(3), go_backwards=True, return_sequences=True)
    second = Recurrent(GRUCell(4))
    model = keras.Sequential([keras.layers.Masking(), first, second])
    padded = np.concatenate([x, np.zeros((1, 3, 2), "float32")], axis=1)
    np.testing.assert_allclose(model(padded), model(x), atol=1e-6)


def test_the_state_is_reset_by_either_name() -> None:
    layer, x = Recurrent(GRUCell(3), stateful=True), np.ones((2, 4, 3), "float32")
    first = layer(x).numpy()
    assert (layer(x).numpy() != first).any()
    layer.reset_states()
    np.testing.assert_array_equal(layer(x), first)


def test_jacobians_as_documented() -> None:
    """By a loop over the outputs; and for a class of one's own in one go, and forwards as well."""

    class Plain(LSTMCell):
        pass

    x = tf.constant(np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32"))
    fast, plain = Recurrent(LSTMCell(3, seed=1)), Recurrent(Plain(3, seed=1))
    found = []
    for layer, at_once in ((fast, False), (plain, True)):
        layer.build(x.shape)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            output = layer(x)
        found.append(tape.batch_jacobian(output, x, experimental_use_pfor=at_once))
    np.testing.assert_allclose(*found, atol=1e-6)
    with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as forward:
        output = plain(x)
    np.testing.assert_allclose(forward.jvp(output), tf.reduce_sum(found[0], axis=(2, 3)), atol=1e-6)
    with pytest.raises(UsageError, match="none in forward mode"), tf.autodiff.ForwardAccumulator(x, x):
        fast(x)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # TensorFlow Lite's own, one of which says that it moves elsewhere
def test_tensorflow_lite_takes_the_cell_in_a_layer_of_keras(tmp_path: Any) -> None:
    layer = Recurrent(LSTMCell(4, layer_norm=True, projection=3))
    x = np.random.default_rng(0).normal(size=(1, 7, 5)).astype("float32")
    expected = layer(x)
    theirs = keras.Sequential([keras.Input((7, 5), batch_size=1), keras.layers.RNN(layer.cell, unroll=True)])
    lite = tf.lite.Interpreter(model_content=tf.lite.TFLiteConverter.from_keras_model(theirs).convert())
    lite.allocate_tensors()
    lite.set_tensor(lite.get_input_details()[0]["index"], x)
    lite.invoke()
    np.testing.assert_allclose(lite.get_tensor(lite.get_output_details()[0]["index"]), expected, atol=1e-5)


def test_an_initial_state_of_other_sequences(helpers: Any) -> None:
    with pytest.raises(UsageError, match=r"the initial hidden of .* must be \(5, 4\), not \(3, 4\)"):
        Recurrent(GRUCell(4))(helpers.sequences(), initial_state=np.ones((3, 4), "float32"))


def test_a_number_of_features_that_is_not_known() -> None:
    with pytest.raises(UsageError, match=r"takes sequences of shape .*, not \(None, 4, None\)"):
        Recurrent(RNNCell(2))(keras.Input((4, None)))


def test_shapes_are_known_beforehand() -> None:
    entry = keras.Input(batch_shape=(5, 7, 3))
    outputs, state = Recurrent(LSTMCell(4, projection=2), **BOTH)(entry)
    assert (outputs.shape, *(part.shape for part in state)) == ((5, 7, 2), (5, 2), (5, 4))
    layer = DeepRNN([GRUCell(4), Bidirectional(LSTMCell(2), None, backward=LSTMCell(3))][:1], return_all=True)
    assert [output.shape for output in layer(entry)] == [(5, 4)]


@pytest.mark.parametrize(
    ("make", "elsewhere"),
    [
        (lambda: Recurrent(GRUCell(2)), set()),
        (lambda: DeepRNN([GRUCell(2)]), {"stateful"}),  # its layers say
        (lambda: Bidirectional(GRUCell(2)), {"return_sequences", "return_state", "stateful"}),
    ],
    ids=["Recurrent", "DeepRNN", "Bidirectional"],
)
def test_a_configuration_has_every_option(make: Any, elsewhere: set[str]) -> None:
    layer = make()
    named = set(inspect.signature(type(layer)).parameters) - {"options"}
    assert named - elsewhere <= set(layer.get_config())


def test_a_mask_that_is_given_counts(helpers: Any) -> None:
    """Not the one that comes with the inputs, with an initial state, either."""
    layer, x = Recurrent(GRUCell(4, seed=1)), helpers.sequences()
    masked = keras.layers.Masking()(x * helpers.mask[::-1, :, None])
    state = np.full((5, 4), 0.5, "float32")
    for given in ({}, {"initial_state": state}):
        wanted = layer(tf.constant(masked.numpy()), mask=helpers.mask, **given)
        np.testing.assert_array_equal(layer(masked, mask=helpers.mask, **given), wanted)


def test_a_number_of_features_that_is_another(helpers: Any) -> None:
    layer = Recurrent(GRUCell(4))
    layer.build((None, None, 2))
    with pytest.raises(UsageError, match="takes 2 features, not 3"):
        layer(helpers.sequences())


def test_an_initial_state_in_lists_of_numbers() -> None:
    layer, x = Recurrent(LSTMCell(2, seed=0)), np.ones((1, 3, 2), "float32")
    parts = [[[0.25, 0.5]], [[1.0, -1.0]]]
    np.testing.assert_array_equal(
        layer(x, initial_state=parts), layer(x, initial_state=[tf.constant(part) for part in parts])
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("package", ["layers", "cells"])
def test_saved_models_are_loaded_in_a_new_process(package: str, tmp_path: Path) -> None:
    """By what was imported as a package."""
    entry = keras.Input((None, 3))
    if package == "layers":
        stack = DeepRNN([Bidirectional(LSTMCell(4)), GRUCell(2)], return_sequences=True)
        model = keras.Model(entry, Recurrent(RNNCell(2))(stack(entry)))
    else:
        model = keras.Model(entry, keras.layers.RNN(LSTMCell(2))(entry))
    model.save(tmp_path / "model.keras")
    x = np.ones((2, 4, 3), "float32")
    code = f"import keras, seqkit.{package}; model = keras.models.load_model('model.keras')"
    code += "; print(model(keras.ops.ones((2, 4, 3))).numpy().tolist())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    np.testing.assert_allclose(json.loads(done.stdout), model(x), rtol=1e-6, atol=1e-6)
