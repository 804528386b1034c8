"""Which kernel is chosen: a function of options and place, and the place that code finds itself in."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqkit.cells import GRUCell, LSTMCell, RNNCell
from seqkit.errors import UsageError
from seqkit.layers import Bidirectional, DeepRNN, Recurrent, explain_kernel
from seqkit.layers.kernels import selection
from seqkit.layers.kernels.selection import Place, choose, here

CPU = Place(gpu=False, on_cpu=False, in_xla=False, training=True, steps=7)
GPU = CPU._replace(gpu=True)
RESET = {"variant": "reset-after"}


class OwnLSTM(LSTMCell):
    """With a step of its own: half of a⟨t⟩."""

    def step(self, projected: Any, state: Any, constants: Any, zoneout: Any = None) -> Any:
        a, c = super().step(projected, state, constants, zoneout)
        return type(state)(a / 2, c)


@pytest.mark.parametrize(
    ("cell", "place", "kernel", "reason"),
    [
        (LSTMCell(3), GPU, "cudnn", "cuDNN has all"),
        (LSTMCell(3), GPU._replace(training=False), "cudnn", ""),
        (LSTMCell(3), GPU._replace(steps=None), "cudnn", ""),
        (GRUCell(3, **RESET), GPU, "cudnn", ""),
        (LSTMCell(3, weight_drop=0.5, learn_initial_state=True, forget_bias=2.0), GPU, "cudnn", ""),
        (LSTMCell(3, dtype="mixed_float16"), GPU, "cudnn", ""),
        (LSTMCell(3, dtype="float64"), GPU, "cudnn", ""),
        # Masks of dropout are drawn in training only; zoneout does something at any time.
        (LSTMCell(3, recurrent_dropout=0.5), GPU, "loop", "recurrent_dropout is not in"),
        (LSTMCell(3, recurrent_dropout=0.5), GPU._replace(training=False), "cudnn", ""),
        (LSTMCell(3, zoneout_cell=0.5), GPU, "loop", "zoneout_cell is not in"),
        (LSTMCell(3, zoneout_hidden=0.5), GPU._replace(training=False), "loop", "zoneout_hidden is"),
        (GRUCell(3, zoneout=0.5, **RESET), GPU, "loop", "zoneout is not"),
        (LSTMCell(3, layer_norm=True), GPU, "loop", "layer_norm is not in"),
        (LSTMCell(3, peepholes=True, projection=2), GPU, "loop", "peepholes and projection are not in"),
        (LSTMCell(3, cell_clip=0.5), GPU, "loop", "cell_clip is not in"),
        (LSTMCell(3, dtype="mixed_bfloat16"), GPU, "loop", "bfloat16 is not in"),
        (GRUCell(3), GPU, "loop", "variant 'simplified' is not in"),
        (GRUCell(3, variant="full", layer_norm=True), GPU, "loop", "variant 'full' and layer_norm are"),
        (RNNCell(3), GPU, "loop", "RNNCell is not in"),
        (LSTMCell(3), GPU._replace(on_cpu=True), "compiled", "on CPU"),
        (LSTMCell(3), GPU._replace(in_xla=True), "loop", "XLA as a whole"),
        (LSTMCell(3), GPU._replace(steps=0), "loop", "no steps"),
        (OwnLSTM(3), GPU, "loop", "OwnLSTM is none of seqkit.cells itself"),
        (OwnLSTM(3), CPU, "loop", "OwnLSTM is none"),
        (LSTMCell(3), CPU, "compiled", "on CPU"),
        (LSTMCell(3, layer_norm=True, zoneout_cell=0.1, projection=2), CPU, "compiled", "on CPU"),
        (GRUCell(3, variant="full"), CPU, "compiled", "on CPU"),
        (RNNCell(3), CPU, "compiled", "on CPU"),
        (RNNCell(3), CPU._replace(training=False, steps=99), "sharded", "fewer than 100 steps is not"),
        (RNNCell(3), CPU._replace(training=False, steps=None), "sharded", "or an unknown number, is not"),
        (RNNCell(3), CPU._replace(training=False, steps=100), "compiled", "100 steps and more"),
        (LSTMCell(3, layer_norm=True), CPU._replace(training=False, steps=24), "sharded", "fewer than 25"),
        (LSTMCell(3, layer_norm=True), CPU._replace(training=False, steps=25), "compiled", "25 steps and"),
        (
            RNNCell(3, dtype="mixed_bfloat16"),
            CPU._replace(training=False, steps=None),
            "compiled",
            "halves the time of bfloat16",
        ),
        (RNNCell(3, dtype="mixed_bfloat16"), CPU, "compiled", "on CPU"),
        (RNNCell(3), CPU._replace(in_xla=True), "loop", "XLA as a whole"),
        (RNNCell(3), CPU._replace(steps=0), "loop", "no steps"),
    ],
)
def test_the_choice(cell: Any, place: Place, kernel: str, reason: str) -> None:
    choice = choose(cell, place)
    assert choice.kernel == kernel
    assert reason in choice.reason


@pytest.mark.parametrize(
    ("cell", "place", "changed", "then"),
    [
        (
            LSTMCell(3, layer_norm=True, dtype="mixed_bfloat16"),
            GPU,
            "By cuDNN it would run without layer_norm, in float32 or float16",
            (LSTMCell(3), GPU),
        ),
        (
            GRUCell(3, recurrent_dropout=0.1),
            GPU,
            "By cuDNN it would run with variant='reset-after', without recurrent_dropout",
            (GRUCell(3, **RESET), GPU),
        ),
        (LSTMCell(3), CPU, "By cuDNN it would run on a GPU", (LSTMCell(3), GPU)),
        (
            LSTMCell(3),
            GPU._replace(on_cpu=True),
            "By cuDNN it would run outside the scope of the CPU",
            (LSTMCell(3), GPU),
        ),
        (LSTMCell(3), GPU._replace(in_xla=True), "Without jit_compile=True", (LSTMCell(3), GPU)),
        (
            RNNCell(3, zoneout=0.1),
            CPU,
            "on a GPU, with an LSTMCell or a reset-after GRUCell, without zoneout",
            (GRUCell(3, **RESET), GPU),
        ),
    ],
)
def test_what_would_have_to_change_does_help(cell: Any, place: Place, changed: str, then: Any) -> None:
    assert changed in choose(cell, place).faster
    assert choose(*then) == ("cudnn", "there is a GPU, and cuDNN has all that the cell does", "")


def test_where_code_finds_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert here(True, None) == Place(
        gpu=bool(tf.config.list_logical_devices("GPU")),
        on_cpu=False,
        in_xla=False,
        training=True,
        steps=None,
    )
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [kind])
    found: dict[str, Place] = {}

    def note(name: str) -> Any:
        found[name] = here(True, 3)
        return tf.zeros([])

    def graph(name: str, **options: Any) -> None:
        tf.function(lambda: note(name), **options)()

    note("eager")
    graph("graph")
    graph("xla", jit_compile=True)
    with tf.device("CPU:0"):
        note("eager in scope")
        graph("graph made in scope")

    def scoped() -> Any:
        with tf.device("CPU"):
            return tf.cond(
                tf.constant(True), lambda: note("branch in scope"), lambda: note("other branch in scope")
            )

    tf.function(scoped)()

    def other() -> Any:
        with tf.device("GPU:0"):
            return note("in scope of the GPU")

    tf.function(other).get_concrete_function()
    assert all(place.gpu for place in found.values())
    assert {name for name, place in found.items() if place.on_cpu} == {
        "eager in scope",
        "graph made in scope",
        "branch in scope",
        "other branch in scope",
    }
    assert [name for name, place in found.items() if place.in_xla] == ["xla"]


def kernels_used(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the kernels that are chosen from now on."""
    used: list[str] = []

    def noted(*given: Any) -> Any:
        choice = choose(*given)
        used.append(choice.kernel)
        return choice

    monkeypatch.setattr(selection, "choose", noted)
    return used


def model_of(*layers: Any) -> Any:
    return keras.Sequential([keras.Input((None, 3)), *layers])


@pytest.mark.parametrize(
    "layer",
    [Recurrent, Bidirectional, lambda cell: DeepRNN([cell])],
    ids=["Recurrent", "Bidirectional", "DeepRNN"],
)
def test_keras_does_not_compile_the_model_around(layer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its "auto", the default, is XLA for all layers that do not refuse."""
    model = model_of(layer(GRUCell(2)))
    used = kernels_used(monkeypatch)
    model.compile("sgd", "mse")
    model.fit(np.ones((2, 3, 3)), np.ones((2, model.output_shape[-1])), verbose=0)
    assert set(used) == {"compiled"}


@pytest.mark.slow
def test_compiled_as_a_whole_where_that_is_asked_for(helpers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras declines, with a warning, or obeys if the layer says that it may."""
    x, losses = helpers.sequences(), []
    used = kernels_used(monkeypatch)
    for supports in (False, True):
        layer = Recurrent(LSTMCell(4, seed=0))
        model = model_of(layer)
        layer.supports_jit = supports
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=True)
        assert model.jit_compile is supports
        assert any("Proceeding with `jit_compile=False`" in str(one.message) for one in caught) != supports
        used.clear()
        losses.append(model.fit(x, np.ones((5, 4)), epochs=2, batch_size=5, verbose=0).history["loss"])
        assert set(used) == {"loop" if supports else "compiled"}
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)


def test_a_cell_with_a_step_of_its_own_runs_by_it(helpers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = OwnLSTM(4, seed=0)
    layer = Recurrent(cell, return_sequences=True)
    used = kernels_used(monkeypatch)
    outputs = layer(helpers.sequences(), training=True)
    assert used == ["loop"]
    wanted, _, _ = helpers.by_definition(cell, helpers.sequences(), training=True)
    np.testing.assert_allclose(outputs, wanted, rtol=1e-5)
    plain = Recurrent(LSTMCell(4, seed=0), return_sequences=True)(helpers.sequences(), training=True)
    np.testing.assert_allclose(outputs[:, 0], plain[:, 0] / 2, rtol=1e-5)


def test_explained() -> None:
    layer = DeepRNN(
        [LSTMCell(4), Bidirectional(GRUCell(4, layer_norm=True)), Recurrent(OwnLSTM(4), name="own")],
        name="deep",
    )
    if tf.config.list_logical_devices("GPU"):
        pytest.skip("says other things where there is a GPU")
    compiled = "compiled, because on CPU, XLA speeds up training and compiles once for each shape."
    gru = "By cuDNN it would run on a GPU, with variant='reset-after', without layer_norm."
    bidirectional = layer.stack[1].name
    assert explain_kernel(layer, (8, None, 3)).splitlines() == [
        f"deep/layer_1: {compiled} By cuDNN it would run on a GPU.",
        f"deep/{bidirectional}/forward: {compiled} {gru}",
        f"deep/{bidirectional}/backward: {compiled} {gru}",
        "deep/own: loop, because OwnLSTM is none of seqkit.cells itself, and any step can run in a loop.",
    ]
    one = Recurrent(RNNCell(4), name="one")
    assert explain_kernel(one, (8, 0, 3)) == "one: loop, because there are no steps."
    assert explain_kernel(one, (8, 5, 3), training=False).startswith("one: sharded, because ")


def test_explains_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    used = kernels_used(monkeypatch)
    for steps, training, policy in (
        (4, True, "float32"),
        (4, False, "float32"),
        (100, False, "float32"),
        (4, True, "mixed_bfloat16"),
        (4, False, "mixed_bfloat16"),
    ):
        layer = Recurrent(RNNCell(4, dtype=policy))
        line = explain_kernel(layer, (5, steps, 3), training)
        used.clear()
        layer(tf.zeros([5, steps, 3]), training=training)
        assert line.split(": ")[1].startswith(f"{used[0]}, ")


def test_nothing_else_is_explained() -> None:
    with pytest.raises(UsageError, match="takes a Recurrent, a Bidirectional or a DeepRNN, not Dense"):
        explain_kernel(keras.layers.Dense(3), (1, 2, 3))
    with pytest.raises(UsageError, match=r"is \(batch, time, features\), not \(2, 3\)"):
        explain_kernel(Recurrent(RNNCell(2)), (2, 3))
