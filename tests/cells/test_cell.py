"""What every cell promises: Keras' protocol, the split of a step, masks once a sequence, any mode."""

from __future__ import annotations

import inspect
import json
from functools import cache
from itertools import combinations
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqkit.cells import GRUCell, LSTMCell, RNNCell
from seqkit.cells.cell import CellOptions
from seqkit.errors import UsageError
from seqkit.training import gradient_check

MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [0, 1, 0, 1]], bool)
DRAWING = ["RNN all", "GRU simplified all", "GRU full all", "GRU reset-after all", "LSTM all"]


@pytest.mark.parametrize("case", DRAWING)
def test_keras_rnn_runs_the_same_steps_with_the_same_masks(helpers: Any, case: str) -> None:
    """Masked steps keep state and output; the masks of a sequence are those that `constants` draws."""
    cell, x = helpers.built(case), helpers.sequences()
    keras_rnn = keras.layers.RNN(cell, return_sequences=True, return_state=True, dtype="float64")
    before = cell.seed_generator.state.numpy()
    outputs, *last = keras_rnn(x, mask=MASK, training=True)
    drawn = cell.seed_generator.state.numpy() - before
    # Once for the sequence, once a step for zoneout; Keras tries the first step once before its loop.
    assert drawn[1] == 1 + 1 + x.shape[1]
    cell.seed_generator.state.assign(before)
    constants = cell.constants(len(x), training=True)
    cell.zoneout_masks((len(x),), training=True)
    state, projected = cell.get_initial_state(len(x)), cell.project_inputs(x)
    output = np.zeros((len(x), cell.output_size))
    for t in range(x.shape[1]):
        new = cell.step(projected[:, t], state, constants, cell.zoneout_masks((len(x),), training=True))
        there = MASK[:, t, None]
        state = cell.state_type(*(tf.where(there, n, old) for n, old in zip(new, state, strict=True)))
        output = np.where(there, cell.project_outputs(new.hidden), output)
        np.testing.assert_allclose(outputs[:, t], output, rtol=1e-12)
    for found, wanted in zip(last, state, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_without_training_nothing_is_drawn(helpers: Any, any_case: str) -> None:
    cell, x = helpers.built(any_case), helpers.sequences()
    state = cell.get_initial_state(len(x))
    assert [part.shape for part in state] == [(len(x), size) for size in cell.state_size]
    output, state = cell(x[:, 0], list(state))
    assert output.shape == (len(x), cell.output_size)
    assert type(state) is cell.state_type
    again, _ = cell(x[:, 0], list(cell.get_initial_state(len(x))))
    assert output.numpy().tobytes() == again.numpy().tobytes()
    draws = [
        name for name, value in cell.get_config().items() if ("drop" in name or "zone" in name) and value
    ]
    assert (cell.seed_generator is not None) == bool(draws)


@pytest.mark.parametrize("case", DRAWING)
def test_masks_differ_between_sequences_and_follow_from_the_seed(helpers: Any, case: str) -> None:
    x = helpers.sequences()
    one, two, three = (helpers.loop(helpers.built(case, seed=seed)) for seed in (3, 3, 4))
    first, second = one(x, training=True).numpy(), one(x, training=True).numpy()
    assert (first != second).any()
    assert two(x, training=True).numpy().tobytes() == first.tobytes()
    assert (three(x, training=True).numpy() != first).any()


def test_masks_have_the_rates_they_are_asked_for() -> None:
    cell = GRUCell(100, recurrent_dropout=0.2, weight_drop=0.4, zoneout=0.3, seed=1)
    cell.build((None, 2))
    constants = cell.constants(200, training=True)
    # 20,000 draws each: three standard deviations of the share are below 3 · √(0.25 / 20,000) = 0.011.
    mask = constants.mask.numpy()
    assert (mask == 0).mean() == pytest.approx(0.2, abs=0.011)
    assert np.unique(mask) == pytest.approx([0, 1 / 0.8])
    left = constants.recurrent_kernel.numpy() / cell.recurrent_kernel.numpy()
    assert (left == 0).mean() == pytest.approx(0.4, abs=0.011)
    assert np.unique(left.round(4)) == pytest.approx([0, 1.6667])
    zoneout = cell.zoneout_masks((2, 100), training=True).hidden.numpy()
    assert zoneout.shape == (2, 100, 100)
    assert (zoneout[0] != zoneout[1]).any()
    assert zoneout.mean() == pytest.approx(0.3, abs=0.011)
    assert np.unique(zoneout).tolist() == [0, 1]


def check_gradients(helpers: Any, case: str, entries: int) -> None:
    """Two-sided differences with masks held fixed: at most 1e-7 for every weight."""
    layer, x = helpers.loop(helpers.built(case)), helpers.sequences()[:, :3]
    targets = np.random.default_rng(4).normal(size=(*x.shape[:2], layer.cell.output_size))
    found = gradient_check(layer, x, targets, "mse", training=True, entries=entries)
    assert set(found.differences) == {variable.path for variable in layer.trainable_variables}
    assert found.largest <= 1e-7, found


@pytest.mark.parametrize("case", [*DRAWING, "RNN relu", "LSTM peepholes"])
def test_gradients_are_the_derivatives(helpers: Any, case: str) -> None:
    check_gradients(helpers, case, 2)


@pytest.mark.slow
def test_gradients_of_every_cell_and_option_are_the_derivatives(helpers: Any, any_case: str) -> None:
    check_gradients(helpers, any_case, 6)


# Keras' own conversion of variables to NumPy, in its saving.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("case", [*DRAWING, "LSTM plain"])
def test_serialised_by_keras_rules(helpers: Any, case: str, tmp_path: Any) -> None:
    cell, x = helpers.built(case, "float32"), helpers.sequences().astype("float32")
    entry = keras.Input((None, x.shape[-1]))
    model = keras.Model(entry, keras.layers.RNN(cell, return_sequences=True)(entry))
    again = keras.models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    assert type(again.layers[1].cell) is type(cell)
    assert again.layers[1].cell.get_config() == cell.get_config()
    np.testing.assert_array_equal(again(x), model(x))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(x), model(x))


# Each cell with each mode and each policy; all triples are in the slow test.
PAIRS = [
    ("RNN all", "graph", "mixed_bfloat16"),
    ("GRU simplified all", "eager", "mixed_bfloat16"),
    ("GRU full all", "xla", "float32"),
    ("GRU reset-after all", "graph", "float32"),
    ("LSTM zoneout", "xla", "mixed_bfloat16"),
    ("LSTM all", "eager", "float32"),
]


def output_and_gradients(layer: Any, x: np.ndarray, mode: str) -> list[np.ndarray]:
    """In training, with masks that leave no normalised sums almost equal.

    Layer normalisation divides by their spread, rounding errors included: with other masks the errors of
    bfloat16 were from 0.02 to 0.5 of the norm, in every mode.
    """
    if layer.cell.seed_generator is not None:
        layer.cell.seed_generator.state.assign([12, 0])

    def compute() -> Any:
        with tf.GradientTape() as tape:
            output = layer(x, training=True)
            loss = tf.reduce_sum(tf.square(tf.cast(output, tf.float32)))
        return output, *tape.gradient(loss, [v.value for v in layer.trainable_variables])

    if mode != "eager":
        compute = tf.function(compute, jit_compile=mode == "xla", autograph=False)
    return [tf.cast(value, tf.float64).numpy() for value in compute()]


@cache
def expected(helpers: Any, case: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Small weights, and what comes of them in float64, run eagerly."""
    x, layer = helpers.sequences()[:, :2], helpers.loop(helpers.built(case, "float64"))
    layer(x)
    layer.cell.set_weights([0.5 * weight for weight in layer.cell.get_weights()])
    return layer.cell.get_weights(), output_and_gradients(layer, x, "eager")


def check_mode(helpers: Any, case: str, mode: str, policy: str) -> None:
    """A mode in a policy against float64 run eagerly."""
    x, layer = helpers.sequences()[:, :2], helpers.loop(helpers.built(case, policy))
    weights, wanted = expected(helpers, case)
    layer(x)
    layer.cell.set_weights(weights)
    found = output_and_gradients(layer, x.astype("float32"), mode)
    # float32 has 24 bits, bfloat16 8: some dozens of roundings one after the other, relative to the norm
    # (0.05 was seen, where layer normalisation enlarges them); another mask is an error of about 1.
    tolerance = 1e-5 if policy == "float32" else 24 * 2**-8
    for exact, value in zip(wanted, found, strict=True):
        assert np.linalg.norm(value - exact) <= tolerance * np.linalg.norm(exact)


@pytest.mark.parametrize(("case", "mode", "policy"), PAIRS)
def test_modes_and_policies_pairwise(helpers: Any, case: str, mode: str, policy: str) -> None:
    check_mode(helpers, case, mode, policy)


@pytest.mark.slow
def test_modes_and_policies_by_triples(helpers: Any, any_row: tuple[str, str, str]) -> None:
    check_mode(helpers, *any_row)


def test_initial_weights_are_drawn_for_each_gate() -> None:
    cell = LSTMCell(8, seed=5)
    cell.build((None, 4))
    letters = cell.equation_weights()
    for gate in "ufco":
        recurrent, inputs = letters[f"W_{gate}"][:8], letters[f"W_{gate}"][8:]
        np.testing.assert_allclose(recurrent.T @ recurrent, np.eye(8), atol=1e-5)
        assert np.abs(inputs).max() <= np.sqrt(6 / (4 + 8))  # Glorot's range of one gate
        np.testing.assert_array_equal(letters[f"b_{gate}"], 1 if gate == "f" else 0)
    assert (letters["W_u"] != letters["W_f"]).all()
    again = LSTMCell(8, seed=5)
    again.build((None, 4))
    for one, other in zip(cell.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    unseeded = [LSTMCell(8), LSTMCell(8)]
    for other in unseeded:
        other.build((None, 4))
    assert (unseeded[0].kernel.numpy() != unseeded[1].kernel.numpy()).all()
    letters = unseeded[0].equation_weights()
    assert (letters["W_u"] != letters["W_f"]).all()


@pytest.mark.parametrize("initializer", ["he_normal", "zeros", keras.initializers.Constant(0.25)])
def test_initialisers_by_name(initializer: Any) -> None:
    cell = GRUCell(300, kernel_initializer=initializer, seed=0)
    cell.build((None, 100))
    kernel = cell.kernel.numpy()
    if initializer == "he_normal":
        # Standard deviation √(2 / 100), from 60,000 draws.
        assert kernel.std() == pytest.approx(np.sqrt(2 / 100), rel=0.02)
    else:
        assert np.unique(kernel).tolist() == [0 if initializer == "zeros" else 0.25]


def test_keras_asks_each_cell_of_a_stack_for_its_masks(helpers: Any) -> None:
    cells = [LSTMCell(4, recurrent_dropout=0.5, seed=1), GRUCell(3, weight_drop=0.5, seed=2)]
    stack, x = keras.layers.RNN(cells), helpers.sequences().astype("float32")
    first, second = stack(x, training=True).numpy(), stack(x, training=True).numpy()
    assert (first != second).any()
    # Once a sequence; Keras computes the first cell's output to ask the second one.
    assert [int(cell.seed_generator.state[1]) for cell in cells] == [2, 2]
    np.testing.assert_array_equal(stack(x), stack(x))


def test_stateful_in_keras() -> None:
    """States stay between batches."""
    x = np.random.default_rng(0).normal(size=(8, 3, 3)).astype("float32")
    stateful = keras.layers.RNN(LSTMCell(4, seed=3), stateful=True)
    stateful.build((8, 3, 3))
    first, second = stateful(x).numpy(), stateful(x).numpy()
    twice = keras.layers.RNN(stateful.cell)(np.concatenate([x, x], axis=1)).numpy()
    assert (first != second).any()
    np.testing.assert_allclose(second, twice, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_fitted_in_keras() -> None:
    """Training a stack lowers the loss; what it learns lies four steps back."""
    x = np.random.default_rng(0).normal(size=(16, 5, 3))
    y = x[:, 0].sum(axis=1, keepdims=True)
    cells = [
        LSTMCell(12, recurrent_dropout=0.1, weight_drop=0.1, seed=1),
        GRUCell(10, variant="full", zoneout=0.1, learn_initial_state=True, seed=2),
    ]
    entry = keras.Input((None, 3))
    model = keras.Model(entry, keras.layers.Dense(1)(keras.layers.RNN(cells)(entry)))
    model.compile(keras.optimizers.Adam(0.02), "mse")
    before = model.evaluate(x, y, verbose=0)
    model.fit(x, y, epochs=100, batch_size=16, verbose=0)
    assert model.evaluate(x, y, verbose=0) < 0.3 * before


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RNNCell(0), "units must be a whole number above 0, not 0"),
        (lambda: GRUCell(2.5), "units must be a whole number above 0, not 2.5"),
        (lambda: RNNCell(2, recurrent_dropout=1.0), "recurrent_dropout must be from 0 to below 1, not 1.0"),
        (lambda: RNNCell(2, weight_drop=-0.1), "weight_drop must be from 0 to below 1, not -0.1"),
        (lambda: LSTMCell(2, zoneout_cell=float("nan")), "zoneout_cell must be from 0 to below 1, not nan"),
        (lambda: RNNCell(2, activation="selu"), "activation must be one of tanh, relu, not 'selu'"),
        (
            lambda: RNNCell(2, output_activation="x"),
            "output_activation must be one of softmax, sigmoid, linear",
        ),
        (lambda: RNNCell(2, output_units=0), "output_units must be a whole number above 0"),
        (
            lambda: GRUCell(2, variant="after"),
            "variant must be one of simplified, full, reset-after, not 'after'",
        ),
        (lambda: LSTMCell(2, projection=-1), "projection must be a whole number above 0, not -1"),
        (lambda: LSTMCell(True), "units must be a whole number above 0, not True"),
        (lambda: LSTMCell(2, zoneout_hidden=None), "zoneout_hidden must be from 0 to below 1, not None"),
        (lambda: LSTMCell(2, cell_clip=0.0), "cell_clip must be a finite number above 0, not 0.0"),
        (lambda: LSTMCell(2, cell_clip=float("inf")), "cell_clip must be a finite number above 0, not inf"),
        (lambda: LSTMCell(2, forget_bias="a"), "forget_bias must be a finite number, not 'a'"),
        (lambda: LSTMCell(2, seed=-1), "seed must be from 0 to 2147483647, not -1"),
        (lambda: LSTMCell(2, seed=1.5), "seed must be from 0 to 2147483647, not 1.5"),
        (lambda: GRUCell(2, variant=["full"]), r"variant must be one of .*, not \['full'\]"),
        (lambda: LSTMCell(2, learn_initial_state=True).get_initial_state(3), "build it first"),
        (lambda: LSTMCell(2).set_equation_weights({}), "build it first"),
    ],
)
def test_bad_arguments(make: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()


def test_numbers_of_numpy_are_options_as_well() -> None:
    """Searches over settings draw them, and configurations are saved as JSON."""
    given = LSTMCell(
        np.int64(4),
        layer_norm=np.bool_(True),
        peepholes=np.bool_(False),
        projection=np.int32(3),
        cell_clip=np.float32(2),
        forget_bias=np.float32(0.5),
        zoneout_cell=np.float64(0.25),
        seed=np.int64(7),
    )
    plain = LSTMCell(
        4, layer_norm=True, projection=3, cell_clip=2.0, forget_bias=0.5, zoneout_cell=0.25, seed=7
    )
    own = {"name": None}
    assert json.loads(json.dumps(given.get_config())) | own == plain.get_config() | own
    rates = RNNCell(2, recurrent_dropout=np.float32(0.5), weight_drop=np.float16(0.25), zoneout=np.float32(0))
    assert [type(value) for value in (rates.recurrent_dropout, rates.weight_drop)] == [float, float]


def test_one_seed_for_all_masks_gives_independent_ones() -> None:
    cell = LSTMCell(100, recurrent_dropout=0.5, zoneout_hidden=0.5, zoneout_cell=0.5)
    cell.build((None, 2))
    kept = cell.constants(100, True, seed=[1, 2]).mask.numpy() > 0
    zoned = [part.numpy() > 0 for part in cell.zoneout_masks((100,), True, seed=[1, 2])]
    for one, other in ((kept, zoned[0]), (kept, zoned[1]), (zoned[0], zoned[1])):
        assert (one == other).mean() == pytest.approx(0.5, abs=0.02)  # four standard deviations of 10,000


def rows(shape: tuple[int, ...], dtype: Any = None) -> Any:
    """A function as an initialiser: the number of its row."""
    return keras.ops.repeat(keras.ops.arange(shape[0], dtype=dtype)[:, None], shape[1], axis=1)


def test_an_initialiser_may_be_a_function() -> None:
    cell = GRUCell(3, kernel_initializer=rows)
    cell.build((None, 2))
    np.testing.assert_array_equal(cell.kernel, [[0] * 6, [1] * 6])


def test_a_state_of_one_part_may_come_by_itself() -> None:
    cell, x, state = GRUCell(3), tf.ones((2, 4)), tf.fill((2, 3), 0.5)
    np.testing.assert_array_equal(cell(x, state)[0], cell(x, [state])[0])


@pytest.mark.parametrize(
    "cell",
    [
        LSTMCell(4, layer_norm=True, peepholes=True, learn_initial_state=True, forget_bias=2.5),
        GRUCell(4, variant="reset-after", layer_norm=True),
        RNNCell(4, output_units=3),
    ],
    ids=lambda cell: type(cell).__name__,
)
def test_what_is_not_drawn_begins_as_if_it_were_not_there(cell: Any) -> None:
    """Gains at 1; biases, peepholes and the first state at 0; b_f where it is asked for."""
    cell.build((None, 3))
    for letter, value in cell.equation_weights().items():
        if not letter.startswith("W_"):
            wanted = 1 if letter.startswith("g_") else 2.5 if letter == "b_f" else 0
            np.testing.assert_array_equal(value, wanted, err_msg=letter)


@pytest.mark.parametrize(
    "make",
    [lambda **more: RNNCell(8, output_units=8, **more), lambda **more: LSTMCell(8, projection=8, **more)],
)
def test_every_weight_is_drawn_by_itself(make: Any) -> None:
    """Where all have the same initialiser and shape, too; each follows from the seed."""

    def matrices(**more: Any) -> list[np.ndarray]:
        cell = make(**more)
        cell.build((None, 8))
        letters = {letter: value for letter, value in cell.equation_weights().items() if letter[0] == "W"}
        return [part for value in letters.values() for part in np.split(value, len(value) // 8)]

    same: dict[str, Any] = {"kernel_initializer": "he_normal", "recurrent_initializer": "he_normal"}
    drawn, again = (matrices(seed=5, **same) for _ in range(2))
    assert len(drawn) in (3, 9)
    for one, other in combinations(drawn, 2):
        assert (one != other).all()
    np.testing.assert_array_equal(drawn, again)
    # That of the kernel is also that of W_y and of W_p.
    constant = matrices(kernel_initializer=keras.initializers.Constant(0.25))
    assert (constant[-1] == 0.25).all()


def test_an_initialiser_has_its_own_seed_where_the_cell_has_none() -> None:
    def kernel(seed: int | None, own: int) -> np.ndarray:
        cell = LSTMCell(8, kernel_initializer=keras.initializers.GlorotUniform(own), seed=seed)
        cell.build((None, 4))
        return cell.kernel.numpy()

    np.testing.assert_array_equal(kernel(None, 3), kernel(None, 3))
    assert (kernel(None, 3) != kernel(None, 4)).all()
    np.testing.assert_array_equal(kernel(1, 3), kernel(1, 4))


@pytest.mark.parametrize("kind", [RNNCell, GRUCell, LSTMCell])
def test_a_configuration_has_every_option(kind: Any) -> None:
    named = set(inspect.signature(kind).parameters) - {"options"} | set(CellOptions.__annotations__)
    assert named <= set(kind(2).get_config())


def test_the_masks_of_a_sequence_are_gone_after_it() -> None:
    cell = GRUCell(3, recurrent_dropout=0.5)
    keras.layers.RNN(cell)(np.ones((2, 4, 3), "float32"), training=True)
    x = np.ones((5, 3), "float32")
    assert cell(x, [x], training=True)[0].shape == (5, 3)


def test_dropped_weights_are_independent_of_dropped_units() -> None:
    cell = RNNCell(100, recurrent_dropout=0.5, weight_drop=0.5)
    cell.build((None, 2))
    constants = cell.constants(100, True, seed=[1, 2])
    kept, left = constants.mask.numpy() > 0, constants.recurrent_kernel.numpy() != 0
    assert (kept == left).mean() == pytest.approx(0.5, abs=0.02)  # four standard deviations of 10,000


def test_a_generator_as_seed_draws_each_gate_by_itself() -> None:
    initializer = keras.initializers.GlorotUniform(seed=keras.random.SeedGenerator(3))
    cell = LSTMCell(8, kernel_initializer=initializer)
    cell.build((None, 4))
    letters = cell.equation_weights()
    assert (letters["W_u"][8:] != letters["W_f"][8:]).all()


def test_a_cell_without_weights_says_so() -> None:
    for use in (lambda cell: cell.constants(2), lambda cell: cell.project_inputs(np.ones((2, 3)))):
        with pytest.raises(UsageError, match="has no weights yet"):
            use(LSTMCell(3))
