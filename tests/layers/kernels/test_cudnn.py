"""cuDNN: its vector of weights, the way of masked sequences through it, and what it is called with.

There may be no GPU where this runs, so its operation is replaced by its equations (`conftest.py`); these are
held to Keras, whose own call of the operation they have to serve.
"""

from __future__ import annotations

import importlib
from itertools import product
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqkit.cells import GRUCell, LSTMCell, to_keras
from seqkit.errors import UsageError
from seqkit.layers import Bidirectional, Recurrent
from seqkit.layers.kernels import selection
from seqkit.layers.kernels.cudnn import compacted, packed, run_cudnn
from seqkit.layers.kernels.passage import Passage
from seqkit.layers.unroll import unroll

# The package has a function of the same name.
KERAS: Any = importlib.import_module("keras.src.backend.tensorflow.rnn")
CELLS = {"LSTM": LSTMCell, "GRU": lambda units, **more: GRUCell(units, variant="reset-after", **more)}
DROPPED = {"weight_drop": 0.5, "learn_initial_state": True}
# Every mask of four steps: 16 sequences.
MASKS = np.array(list(product([False, True], repeat=4)))


def made(helpers: Any, name: str, **options: Any) -> Any:
    """A cell whose weights are random."""
    cell = CELLS[name](5, **{"dtype": "float64", "seed": 3, **options})
    cell.build((None, 3))
    return helpers.randomise(cell)


def draw(*shape: int) -> Any:
    return tf.constant(np.random.default_rng(1).normal(size=shape))


def flat(found: tuple[Any, Any]) -> list[Any]:
    hidden, state = found
    return [hidden, *state]


def call_of_keras(cell: Any, x: Any, mask: Any, backwards: bool) -> Any:
    """Keras' own call of cuDNN's operation, with converted weights."""
    theirs, zero = to_keras(cell), tf.zeros([x.shape[0], cell.units], x.dtype)
    weights = [tf.convert_to_tensor(weight) for weight in theirs.weights]
    if isinstance(cell, LSTMCell):
        return KERAS._cudnn_lstm(x, zero, zero, *weights, mask, False, backwards, True)
    return KERAS._cudnn_gru(x, zero, *weights, mask, False, backwards, True)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("name", CELLS)
def test_the_equations_that_stand_for_cudnn_serve_keras(
    helpers: Any, cudnn_here: None, name: str, backwards: bool
) -> None:
    """Else what the other tests show would be worth nothing."""
    cell, x = made(helpers, name), draw(3, 4, 3)
    mask = tf.sequence_mask([4, 2, 1], 4)
    _, _, state = call_of_keras(cell, x, mask, backwards)
    loop = keras.layers.RNN(to_keras(cell), return_state=True, go_backwards=backwards, dtype="float64")
    _, *wanted = loop(x, mask=mask)
    helpers.assert_close(state, wanted, 1e-12)


@pytest.mark.parametrize("name", CELLS)
def test_weights_are_packed_as_keras_packs_them(
    helpers: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    given: dict[str, Any] = {}

    def caught(**arguments: Any) -> Any:
        given.update(arguments)
        raise StopIteration

    monkeypatch.setattr(tf.raw_ops, "CudnnRNNV3", caught)
    cell = made(helpers, name)
    with pytest.raises(StopIteration):
        call_of_keras(cell, draw(3, 4, 3), None, False)
    ours, theirs = packed(cell, cell.constants(3)).numpy(), given["params"].numpy()
    count = len(cell.gates)
    biases = 2 * count * 5
    np.testing.assert_array_equal(ours[:-biases], theirs[:-biases])
    ours, theirs = (found[-biases:].reshape(2, count, 5) for found in (ours, theirs))
    # Both biases of a gate are added up, but for those of the candidate of the GRU, the last.
    np.testing.assert_array_equal(ours.sum(axis=0), theirs.sum(axis=0))
    if name == "GRU":
        np.testing.assert_array_equal(ours[:, 2], theirs[:, 2])
        assert ours[:, 2].all()


@pytest.mark.parametrize(
    ("options", "masked", "reverse"),
    [({}, False, False), ({}, True, True), (DROPPED, False, True), (DROPPED, True, False)],
    ids=str,
)
@pytest.mark.parametrize("name", CELLS)
def test_states_and_gradients_are_those_of_the_loop(
    helpers: Any, kernels: Any, cudnn_here: None, name: str, options: Any, masked: bool, reverse: bool
) -> None:
    """Through packing, call and unpacking; with every mask of four steps."""
    cell, x = made(helpers, name, **options), draw(16, 4, 3)
    mask = MASKS if masked else None
    state = None if options else kernels.first_state(cell, 16)

    def passage() -> Any:
        return kernels.passage(cell, x, mask=mask, reverse=reverse, state=state)

    def loop() -> Any:
        _, *rest = passage()
        return flat(unroll(cell, cell.project_inputs(x), *rest))

    watched = [x] if state is None else [x, *state]
    wanted, found = (
        helpers.with_gradients(compute, watched, cell.trainable_variables)
        for compute in (loop, lambda: flat(run_cudnn(cell, passage())))
    )
    helpers.assert_close(found, wanted, 1e-11)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", ["RNN", "GRU full all", "LSTM all"])
def test_masked_steps_are_left_out_around_any_engine(
    helpers: Any, kernels: Any, name: str, reverse: bool
) -> None:
    """Every mask of four steps; where the engine need not give anything, it gives what is no number."""
    cell = helpers.cells[name](dtype="float64", seed=1)
    cell.build((None, 3))
    helpers.randomise(cell)
    x, state = draw(16, 4, 3), kernels.first_state(cell, 16)
    _, _, constants, zoneout, mask, _ = kernels.passage(cell, x, mask=MASKS, training=False)

    def engine(sequences: Any, state: Any, lengths: Any) -> Any:
        there = tf.sequence_mask(lengths, 4)
        hidden, last = unroll(cell, cell.project_inputs(sequences), state, constants, zoneout, there, False)
        return tf.where(there[:, :, None], hidden, np.nan), last

    def wanted() -> Any:
        return flat(unroll(cell, cell.project_inputs(x), state, constants, zoneout, mask, reverse))

    both = [
        helpers.with_gradients(compute, [x, *state], [])
        for compute in (wanted, lambda: flat(compacted(engine, x, state, mask, reverse)))
    ]
    helpers.assert_close(both[1], both[0], 1e-12)


@pytest.mark.parametrize("masked", [False, True])
def test_sizes_that_are_not_known_beforehand(
    helpers: Any, kernels: Any, cudnn_here: None, masked: bool
) -> None:
    """cuDNN takes neither no sequences nor no steps."""
    cell = made(helpers, "LSTM")

    @tf.function(
        input_signature=[tf.TensorSpec((None, None, 3), tf.float64), tf.TensorSpec((None, None), tf.bool)],
        autograph=False,
    )
    def run(x: Any, mask: Any) -> Any:
        hidden, state = run_cudnn(cell, kernels.passage(cell, x, mask=mask if masked else None))
        loss = tf.add_n([tf.reduce_sum(value**2) for value in (hidden, *state)])
        return [hidden, *state, *tf.gradients(loss, [x, cell.kernel.value])]

    for shape in [(2, 4, 3), (1, 1, 3), (0, 4, 3), (2, 0, 3), (0, 0, 3)]:
        hidden, *state, by_x, by_kernel = run(draw(*shape), np.ones(shape[:2], bool))
        assert hidden.shape == (*shape[:2], 5)
        assert by_x.shape == shape
        assert by_kernel.numpy().any() == all(shape)
        if all(shape):
            np.testing.assert_array_equal(hidden[:, -1], state[0])
        else:
            assert not any(part.numpy().any() for part in state)


@pytest.mark.parametrize(("name", "dtype"), [("LSTM", "float16"), ("GRU", "float32"), ("LSTM", "float64")])
def test_the_operation_itself_takes_the_call(helpers: Any, kernels: Any, name: str, dtype: str) -> None:
    """It cannot run without a GPU; a graph of it, with its gradient, is made by TensorFlow's own rules."""
    cell = made(helpers, name, dtype=dtype)

    @tf.function(autograph=False)
    def run(x: Any, mask: Any) -> Any:
        hidden, state = run_cudnn(cell, kernels.passage(cell, x, mask=mask, reverse=True))
        return hidden, *state, *tf.gradients(hidden, [x, cell.kernel.value, cell.recurrent_kernel.value])

    graph = run.get_concrete_function(tf.TensorSpec((2, 4, 3), dtype), tf.TensorSpec((2, 4), tf.bool))
    shapes = [tuple(output.shape) for output in graph.outputs]
    states = [(2, 5)] * len(cell.state_type._fields)
    assert shapes == [(2, 4, 5), *states, (2, 4, 3), (3, 5 * len(cell.gates)), (5, 5 * len(cell.gates))]
    kinds = {operation.type for operation in graph.graph.get_operations()}
    assert kinds >= {"CudnnRNNV3", "CudnnRNNBackpropV3"}


def on_gpu(training: bool, steps: int | None) -> selection.Place:
    return selection.Place(gpu=True, on_cpu=False, in_xla=False, training=training, steps=steps)


@pytest.mark.parametrize(("name", "policy"), [("LSTM", "float32"), ("GRU", "mixed_float16")])
def test_layers_run_it_where_there_is_a_gpu(
    helpers: Any, cudnn_here: None, monkeypatch: pytest.MonkeyPatch, name: str, policy: str
) -> None:
    x = helpers.sequences()
    layer = Bidirectional(
        CELLS[name](4, seed=0, weight_drop=0.3, dtype=policy), return_sequences=True, return_state=True
    )
    wanted = tf.nest.flatten(layer(x, mask=helpers.mask))
    ran = []
    monkeypatch.setattr(selection, "here", on_gpu)
    monkeypatch.setattr(selection, "run_cudnn", lambda *given: ran.append(1) or run_cudnn(*given))
    helpers.assert_close(
        tf.nest.flatten(layer(x, mask=helpers.mask)), wanted, 1e-5 if policy == "float32" else 1e-2
    )
    assert len(ran) == 2


@pytest.mark.slow
def test_a_model_is_fitted_through_it(
    helpers: Any, cudnn_here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same losses as by the kernels of a CPU."""
    x = helpers.sequences()
    x[:, 2:][helpers.mask[:, 2:]] = 0
    losses = []
    for place in (selection.here, on_gpu):
        monkeypatch.setattr(selection, "here", place)
        layer = Recurrent(LSTMCell(4, seed=1, weight_drop=0.3))
        model = keras.Sequential([keras.layers.Masking(), layer])
        model.compile(keras.optimizers.SGD(0.1), "mse")
        fitted = model.fit(x, np.ones((5, 4)), epochs=3, batch_size=5, shuffle=False, verbose=0)
        losses.append(fitted.history["loss"])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)
    assert losses[0][2] < losses[0][0]


def test_cudnn_has_no_gradient_of_a_gradient(helpers: Any) -> None:
    cell = LSTMCell(4)
    cell.build((None, 3))

    @tf.function(autograph=False)
    def second(x: Any) -> Any:
        passage = Passage(x, cell.get_initial_state(5), cell.constants(5), None, None, False)
        first = tf.gradients(run_cudnn(cell, passage)[0], x)[0]
        return tf.gradients(first, x)

    with pytest.raises(UsageError, match="no gradient of a gradient"):
        second.get_concrete_function(tf.TensorSpec((5, 4, 3)))


@pytest.mark.parametrize("gpu", [False, True])
def test_a_layer_of_less_precision_than_its_cell(
    helpers: Any, cudnn_here: None, monkeypatch: pytest.MonkeyPatch, gpu: bool
) -> None:
    """Inputs and initial states come in the layer's, and are run in the cell's."""
    if gpu:
        place = selection.Place(gpu=True, on_cpu=False, in_xla=False, training=False, steps=4)
        monkeypatch.setattr(selection, "here", lambda training, steps: place)
    cell = LSTMCell(4, dtype="float64", seed=1)
    x, state = helpers.sequences(), [helpers.sequences(n)[:, :1].repeat(2, axis=2)[:, 0, :4] for n in (2, 3)]
    found = Recurrent(cell, dtype="float32")(x, initial_state=state)
    assert found.dtype == "float32"
    np.testing.assert_allclose(found, Recurrent(cell)(x, initial_state=state), rtol=1e-6, atol=1e-6)
