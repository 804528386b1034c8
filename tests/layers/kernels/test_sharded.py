"""Loops over shards against the plain loop: every cell, option, mask and size, compiled or not."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from seqkit.cells import GRUCell, LSTMCell, RNNCell
from seqkit.errors import UsageError
from seqkit.layers import Recurrent
from seqkit.layers.kernels import selection, sharded
from seqkit.layers.kernels.loops import form_of, loops_of
from seqkit.layers.kernels.recurrence import WORDS
from seqkit.layers.kernels.sharded import Layout, run_sharded
from seqkit.layers.unroll import unroll
from seqkit.training import gradient_check

UNITS, FEATURES = 3, 2
ALL = {"recurrent_dropout": 0.4, "weight_drop": 0.4}
CELLS: dict[str, Any] = {
    "RNN": lambda zoneout, **more: RNNCell(UNITS, zoneout=zoneout, **more),
    "GRU simplified": lambda zoneout, **more: GRUCell(UNITS, zoneout=zoneout, **more),
    "GRU full": lambda zoneout, **more: GRUCell(UNITS, variant="full", zoneout=zoneout, **more),
    "GRU reset-after": lambda zoneout, **more: GRUCell(UNITS, variant="reset-after", zoneout=zoneout, **more),
    "LSTM": lambda zoneout, **more: LSTMCell(UNITS, zoneout_hidden=zoneout, **more),
    "LSTM, all": lambda zoneout, **more: LSTMCell(
        UNITS,
        zoneout_hidden=zoneout / 2,
        zoneout_cell=zoneout,
        peepholes=True,
        projection=2,
        cell_clip=0.4,
        **more,
    ),
}
FACTORS: dict[str, list[Any]] = {
    "cell": list(CELLS),
    "layer_norm": [False, True],
    # Nothing random; masks of all kinds, in training; the rates of zoneout themselves, outside it.
    "random": ["no", "masks", "rates"],
    "masked": [False, True],
    "reverse": [False, True],
    "way": ["not compiled", "compiled", "compiled, kept for the gradient"],
    "known": [False, True],
}
# Every mask of three steps: 8 sequences, two shards of four where there are two cores.
MASKS = np.array(list(product([False, True], repeat=3)))


def pairwise(factors: dict[str, list[Any]]) -> list[tuple[Any, ...]]:
    """Few rows in which any two values of two factors meet: greedily, always the row with most new pairs."""
    rows = {row: set(combinations(enumerate(row), 2)) for row in product(*factors.values())}
    left, chosen = set().union(*rows.values()), []
    while left:
        chosen.append(max(rows, key=lambda row: len(rows[row] & left)))
        left -= rows[chosen[-1]]
    return chosen


def flat(found: tuple[Any, Any]) -> list[Any]:
    hidden, state = found
    return [hidden, *state]


def looped(cell: Any, passage: Any) -> list[Any]:
    """By the plain loop."""
    sequences, *rest = passage
    return flat(unroll(cell, cell.project_inputs(sequences), *rest))


def draw(*shape: int) -> Any:
    return tf.constant(np.random.default_rng(1).normal(size=shape))


def check(helpers: Any, kernels: Any, row: tuple[Any, ...]) -> None:
    """States and gradients by everything, in float64."""
    name, layer_norm, random, masked, reverse, way, known = row
    more = ALL if random == "masks" else {}
    cell = CELLS[name](0.0 if random == "no" else 0.3, layer_norm=layer_norm, dtype="float64", **more)
    cell.build((None, FEATURES))
    helpers.randomise(cell)
    x, state = draw(8, 3, FEATURES), kernels.first_state(cell, 8)

    def passage(x: Any, mask: Any, *state: Any) -> Any:
        return kernels.passage(
            cell,
            x,
            mask=mask if masked else None,
            reverse=reverse,
            training=random == "masks",
            state=cell.state_type(*state),
        )

    def shards(*given: Any) -> list[Any]:
        return flat(run_sharded(cell, passage(*given), way != "not compiled", keep=way.endswith("gradient")))

    if not known:
        specs = [tf.TensorSpec((None, None, FEATURES), tf.float64), tf.TensorSpec((None, None), tf.bool)]
        specs += [tf.TensorSpec((None, size), tf.float64) for size in cell.state_size]
        shards = tf.function(shards, input_signature=specs, autograph=False)
    wanted, found = (
        helpers.with_gradients(compute, [x, *state], cell.trainable_variables)
        for compute in (
            lambda: looped(cell, passage(x, MASKS, *state)),
            lambda: shards(x, tf.constant(MASKS), *state),
        )
    )
    helpers.assert_close(found, wanted, 1e-10)


PAIRS = pairwise(FACTORS)


@pytest.mark.parametrize(
    "row",
    [pytest.param(row, marks=pytest.mark.slow if place % 5 else []) for place, row in enumerate(PAIRS)],
    ids=str,
)
def test_shards_are_the_loop(helpers: Any, kernels: Any, row: Any) -> None:
    check(helpers, kernels, row)


def test_the_selection_has_all_pairs() -> None:
    for (one, values), (other, others) in combinations(enumerate(FACTORS.values()), 2):
        assert {(row[one], row[other]) for row in PAIRS} == set(product(values, others))
    assert len(PAIRS) < 30


@pytest.mark.slow
@pytest.mark.parametrize("compiled", [False, True])
def test_any_number_of_sequences_and_steps(
    helpers: Any, kernels: Any, monkeypatch: pytest.MonkeyPatch, compiled: bool
) -> None:
    """None, one, a number that three cores cannot share evenly; no steps, and numbers around eight."""
    monkeypatch.setattr(sharded, "available_cores", lambda: 3)
    cell = GRUCell(UNITS, variant="full", dtype="float64", seed=1)
    cell.build((None, FEATURES))
    kernel = cell.recurrent_kernel

    def call(way: Any) -> Any:
        def run(x: Any, mask: Any) -> list[Any]:
            found = way(kernels.passage(cell, x, mask=mask, reverse=True))
            loss = tf.add_n([tf.reduce_sum(value**2) for value in found])
            return [*found, *tf.gradients(loss, [x, kernel.value], unconnected_gradients="zero")]

        return tf.function(
            run,
            input_signature=[
                tf.TensorSpec((None, None, FEATURES), tf.float64),
                tf.TensorSpec((None, None), tf.bool),
            ],
            autograph=False,
        )

    ours = call(lambda passage: flat(run_sharded(cell, passage, compiled, keep=compiled)))
    theirs = call(lambda passage: looped(cell, passage))
    few = [(0, 3), (1, 1), (4, 0), (12, 3), (7, 3)]
    for batch, time in few if compiled else [*few, (0, 0), (8, 8), (9, 9), (13, 17)]:
        x, mask = draw(batch, time, FEATURES), np.random.default_rng(2).random((batch, time)) < 0.7
        helpers.assert_close(ours(x, tf.constant(mask)), theirs(x, tf.constant(mask)), 1e-11)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda **more: RNNCell(64, **more), id="RNN"),
        pytest.param(
            lambda **more: GRUCell(64, variant="full", zoneout=0.3, **more),
            id="GRU full",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            lambda **more: GRUCell(64, variant="reset-after", **more),
            id="GRU reset-after",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            lambda **more: LSTMCell(64, projection=32, peepholes=True, zoneout_cell=0.3, **more), id="LSTM"
        ),
    ],
)
def test_compiled_bfloat16_is_off_by_a_rounding_or_two(helpers: Any, kernels: Any, make: Any) -> None:
    """States and gradients by everything, of 40 steps, by roundings: 1.1 to 1.8; 2.4 to 3.8 in a loop."""
    exact, rounded = (make(seed=1, dtype=dtype) for dtype in ("float64", "mixed_bfloat16"))
    exact.build((None, 8))
    rounded.build((None, 8))
    for one, other in zip(exact.trainable_variables, rounded.trainable_variables, strict=True):
        other.assign(tf.cast(one.value, tf.bfloat16))
        one.assign(other)

    def passed(cell: Any, way: Any) -> list[Any]:
        x = tf.cast(tf.cast(draw(8, 40, 8), tf.bfloat16), cell.compute_dtype)
        state = [tf.cast(part, cell.compute_dtype) for part in kernels.first_state(rounded, 8)]

        def compute() -> Any:
            return way(cell, kernels.passage(cell, x, state=cell.state_type(*state)))

        found = helpers.with_gradients(compute, [x, *state], cell.trainable_variables)
        return [np.float64(value) for value in found]

    wanted = passed(exact, looped)
    found = passed(rounded, lambda cell, passage: flat(run_sharded(cell, passage, compiled=True, keep=True)))
    for ours, theirs in zip(found, wanted, strict=True):
        assert np.linalg.norm(ours - theirs) <= 2.25 * 2**-8 * np.linalg.norm(theirs)


@pytest.mark.parametrize("units", [4, 8])
def test_a_small_loop_in_bfloat16_is_compiled(units: int) -> None:
    """XLA makes it one function, in which it has no product of bfloat16."""
    layer = Recurrent(RNNCell(units, dtype="mixed_bfloat16"))
    layer.build((None, None, FEATURES))

    @tf.function(autograph=False)
    def step(x: Any) -> Any:
        return tf.gradients(layer(x, training=True), layer.cell.recurrent_kernel.value)[0]

    for batch, time in ((1, 1), (2, 3)):
        assert np.isfinite(np.float64(step(tf.ones([batch, time, FEATURES])))).all()


def test_arrays_of_bfloat16_are_words_to_xla(kernels: Any) -> None:
    """Else a loop copies arrays of all steps in each step."""
    cell = LSTMCell(6, projection=3, zoneout_cell=0.3, dtype="mixed_bfloat16", **ALL)
    cell.build((None, FEATURES))
    passage = kernels.passage(cell, tf.zeros([8, 5, FEATURES], tf.bfloat16))
    loops = loops_of(form_of(cell, passage.constants, passage.zoneout, False, False, compiled=True))
    for loop in (loops.forward, loops.backward):
        (call,) = [op for op in loop.graph.get_operations() if "PartitionedCall" in op.type]
        arrays = [array for array in (*call.inputs, *call.outputs) if array.shape.rank == 3]
        assert len(arrays) > 4
        assert {array.dtype for array in arrays} == {WORDS}


def test_how_a_batch_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evenly, to as many cores as have four sequences each."""
    monkeypatch.setattr(sharded, "available_cores", lambda: 4)
    for batch, shards in {0: 1, 1: 1, 4: 1, 8: 2, 9: 1, 12: 3, 14: 2, 15: 3, 16: 4, 17: 1, 20: 4}.items():
        assert Layout.of(tf.zeros([batch, 2, 1]), False).shards == shards, batch


def room_of(steps: int) -> int:
    """How long arrays are for a number of steps that is not known beforehand."""

    @tf.function(input_signature=[tf.TensorSpec((None, None, 1))], autograph=False)
    def room(x: Any) -> Any:
        return Layout.of(x, compiled=True).room

    return int(room(tf.zeros([1, steps, 1])))


def test_lengths_are_rounded_up_where_they_vary() -> None:
    """To eighths at most of what they are, or to eight steps."""
    thirteen = tf.zeros([1, 13, 1])
    assert tf.function(lambda: Layout.of(thirteen, compiled=True).room, autograph=False)() == 13
    assert [Layout.of(thirteen, compiled).room for compiled in (False, True)] == [13, 16]
    for steps, room in {0: 8, 1: 8, 8: 8, 9: 16, 128: 128, 129: 192, 1024: 1024, 1025: 1536}.items():
        assert room_of(steps) == room


LENGTHS = """
import numpy as np, tensorflow as tf
from seqkit.cells import GRUCell
from seqkit.layers import Recurrent
layer = Recurrent(GRUCell(3, seed=0))
layer.build((4, None, 2))
@tf.function(input_signature=[tf.TensorSpec((4, None, 2))], autograph=False)
def step(x):
    return tf.gradients(layer(x, training=True), layer.cell.kernel.value)[0]
for time in (3, 8, 1, 5, 9, 16, 12, 2):
    step(tf.ones([4, time, 2]))
print(step.experimental_get_tracing_count())
"""


@pytest.mark.slow
def test_loops_are_compiled_once_for_each_rounded_length(tmp_path: Any) -> None:
    """Eight lengths, rounded to 8 and 16: two programs forwards, two backwards, one graph around them."""
    found = subprocess.run(
        [sys.executable, "-c", LENGTHS],
        cwd=tmp_path,
        env={**os.environ, "XLA_FLAGS": f"--xla_dump_to={tmp_path}/xla --xla_dump_hlo_as_text"},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert found.stdout.split() == ["1"]
    assert len(list((tmp_path / "xla").glob("*.before_optimizations.txt"))) == 4


def test_cells_of_one_form_share_loops(helpers: Any, kernels: Any) -> None:
    """Names, seeds and initial values make no difference; options do."""

    def made(cell: Any) -> tuple[Any, int]:
        """The cell, and how many loops had to be made."""
        before = loops_of.cache_info().misses
        cell.build((None, FEATURES))
        passage = kernels.passage(cell, draw(2, 3, FEATURES))
        # Weights are arguments: cells that share loops give their own results.
        helpers.assert_close(
            flat(run_sharded(cell, passage, compiled=False, keep=False)), looped(cell, passage), 1e-12
        )
        return cell, loops_of.cache_info().misses - before

    units = 11  # of no other test here
    one, first = made(RNNCell(units, dtype="float64"))
    other, second = made(
        RNNCell(units, dtype="float64", seed=5, name="other", recurrent_initializer="he_normal")
    )
    _, third = made(RNNCell(units, dtype="float64", activation="relu"))
    assert (first, second, third) == (1, 0, 1)
    assert (one.kernel.numpy() != other.kernel.numpy()).all()


def test_gradients_are_the_derivatives(helpers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By loops that are not compiled; those that are, the tests of layers check."""
    monkeypatch.setattr(selection, "choose", lambda cell, place: selection.Choice("sharded", "", ""))
    layer = Recurrent(helpers.cells["GRU full all"](dtype="float64", seed=1), go_backwards=True)
    x = helpers.sequences(dtype="float64")[:, :3]
    targets = np.random.default_rng(4).normal(size=layer(x).shape)
    helpers.randomise(layer)
    found = gradient_check(layer, x, targets, "mse", training=True, entries=2)
    assert found.largest <= 1e-7, found


@pytest.mark.parametrize("compiled", [False, True])
def test_gradients_of_gradients_are_refused(kernels: Any, compiled: bool) -> None:
    """The loops backwards have no gradient of their own; that of the plain loop has."""
    cell = LSTMCell(UNITS, dtype="float64", seed=1)
    cell.build((None, FEATURES))
    x = draw(2, 3, FEATURES)

    def second(way: Any) -> Any:
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                loss = tf.reduce_sum(way(kernels.passage(cell, x))[0] ** 2)
            first = tf.reduce_sum(inner.gradient(loss, x) ** 2)
        return outer.gradient(first, x)

    assert second(lambda passage: looped(cell, passage)).numpy().any()
    with pytest.raises(UsageError, match=r"no gradient of a gradient, .*: a subclass of the cell"):
        second(lambda passage: run_sharded(cell, passage, compiled, keep=compiled))


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    "elsewhere",
    ["function", *(pytest.param(name, marks=pytest.mark.slow) for name in ("branch", "loop", "recomputed"))],
)
def test_gradients_that_are_taken_elsewhere(
    helpers: Any, kernels: Any, compiled: bool, elsewhere: str
) -> None:
    """By a tape outside the function, the branch or the loop in which the cell runs: packs stay in there."""
    cell = LSTMCell(FEATURES, zoneout_cell=0.3, layer_norm=True, dtype="float64", seed=1)
    cell.build((None, FEATURES))
    x = draw(8, 3, FEATURES)

    def within(way: Any) -> Any:
        def run(x: Any) -> Any:
            return way(kernels.passage(cell, x))[0]

        return {
            "function": lambda: tf.function(run, autograph=False)(x),
            "branch": lambda: tf.cond(tf.reduce_sum(x) < 1e9, lambda: run(x), lambda: x),
            "loop": lambda: tf.while_loop(lambda k, _: k < 2, lambda k, x: (k + 1, run(x)), (0, x))[1],
            "recomputed": lambda: tf.recompute_grad(run)(x),
        }[elsewhere]

    def gradients(way: Any) -> Any:
        def compute() -> Any:
            return helpers.with_gradients(within(way), [x], [cell.recurrent_kernel])

        # Outside a graph, branches and loops are none.
        return compute() if elsewhere == "function" else tf.function(compute, autograph=False)()

    found = gradients(lambda passage: run_sharded(cell, passage, compiled, keep=compiled))
    helpers.assert_close(found, gradients(lambda passage: looped(cell, passage)), 1e-11)


class Exported(tf.Module):
    """A layer that can be called and trained, for a SavedModel."""

    def __init__(self, layer: Any) -> None:
        self.layer, self.weights = layer, [weight.value for weight in layer.trainable_variables]

    @tf.function(input_signature=[tf.TensorSpec([None, None, FEATURES])], autograph=False)
    def answer(self, x: Any) -> Any:
        return self.layer(x, training=False)

    @tf.function(input_signature=[tf.TensorSpec([None, None, FEATURES])], autograph=False)
    def train(self, x: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(self.layer(x, training=True) ** 2)
        for weight, slope in zip(self.weights, tape.gradient(loss, self.weights), strict=True):
            weight.assign_sub(0.01 * slope)
        return loss


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*unsaved custom gradients")
def test_a_saved_model_answers_and_trains(tmp_path: Any) -> None:
    """As what it was saved from, gradients through its functions included."""
    layer = Recurrent(GRUCell(UNITS, seed=1))
    layer.build((None, None, FEATURES))
    own = Exported(layer)
    tf.saved_model.save(own, str(tmp_path))
    saved = tf.saved_model.load(str(tmp_path))
    x = tf.cast(draw(8, 3, FEATURES), tf.float32)

    def slope(module: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(module.answer(x) ** 2)
        return tape.gradient(loss, x)

    np.testing.assert_allclose(slope(saved), slope(own), rtol=1e-6)
    assert slope(own).numpy().any()
    for _ in range(3):
        np.testing.assert_allclose(saved.train(x), own.train(x), rtol=1e-6)
    np.testing.assert_allclose(saved.answer(x), own.answer(x), rtol=1e-6)


@pytest.mark.parametrize("compiled", [False, True])
def test_only_the_hidden_part_is_put_together(kernels: Any, compiled: bool) -> None:
    """Of the arrays of all steps: a MapDefun copies its results. Without a gradient no other is kept."""
    cell = LSTMCell(UNITS, dtype="float64")
    cell.build((None, FEATURES))
    passage = kernels.passage(cell, draw(8, 3, FEATURES))
    loops = loops_of(form_of(cell, passage.constants, passage.zoneout, False, False, compiled))

    def of_steps(loop: Any) -> list[Any]:
        return [output.shape[-1] for output in loop.outputs if output.shape.rank == 3]

    assert [of_steps(loop) for loop in (loops.run, loops.forward, loops.backward)] == [[UNITS], [UNITS], []]
    assert of_steps(loops.arrays) == [4 * UNITS]  # the one product; its factor is what the hidden part was
    if not compiled:
        kept = [op for op in loops.run.graph.get_operations() if op.type == "TensorListReserve"]
        assert len(kept) == 1
