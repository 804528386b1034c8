"""One-to-one, many-to-one and many-to-many: what goes in, what comes out, padding, learning."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqkit.cells import GRUCell, LSTMCell, RNNCell
from seqkit.errors import UsageError
from seqkit.layers import Bidirectional, DeepRNN, Recurrent
from seqkit.layers.shapes import many_to_many, many_to_one, one_to_one
from seqkit.training import gradient_check

SIZES = {"vocabulary_size": 6, "vector_size": 4}
IDS = np.array([[1, 2, 3, 0, 0], [4, 5, 1, 2, 3]])


def test_one_to_one_is_one_step() -> None:
    """ŷ = σ(W_y tanh(W_ax x + b_a) + b_y): from a state of zeros nothing else is left of a step."""
    model = one_to_one(RNNCell(5, dtype="float64"), 2, features=3, activation="sigmoid")
    x = np.random.default_rng(0).normal(size=(4, 3))
    letters = model.layers[2].cell.equation_weights()
    a = np.tanh(x @ letters["W_a"][5:] + letters["b_a"])
    kernel, bias = model.get_layer("output").get_weights()
    np.testing.assert_allclose(model(x), 1 / (1 + np.exp(-(a @ kernel + bias))), rtol=1e-12)


def test_many_to_one_does_not_see_padding() -> None:
    for layer in (LSTMCell(4), Bidirectional(GRUCell(3)), DeepRNN([GRUCell(3), LSTMCell(2)])):
        model = many_to_one(layer, 3, **SIZES)
        found = model(IDS).numpy()
        assert found.shape == (2, 3)
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
        np.testing.assert_allclose(model(IDS[:1, :3]), found[:1], rtol=1e-5)


def test_many_to_many_gives_out_one_for_each() -> None:
    model = many_to_many(Bidirectional(LSTMCell(4), return_sequences=True), 3, **SIZES)
    found = model(IDS)
    assert found.shape == (2, 5, 3)
    np.testing.assert_array_equal(found._keras_mask, IDS != 0)
    # A token sees what comes after it.
    changed = IDS.copy()
    changed[1, 4] = 1
    assert (model(changed).numpy()[1, 0] != found.numpy()[1, 0]).any()


def test_padding_has_no_part_in_the_loss() -> None:
    model = many_to_many(GRUCell(4), 3, **SIZES)
    model.compile(loss="sparse_categorical_crossentropy")
    targets = np.array([[0, 1, 2, 0, 0], [1, 1, 0, 2, 2]])
    p = model.predict(IDS, verbose=0)
    losses = -np.log(np.take_along_axis(p, targets[:, :, None], axis=2))[:, :, 0]
    wanted = losses[IDS != 0].mean()
    assert model.evaluate(IDS, targets, verbose=0) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "float64"])
def test_precision(dtype: str) -> None:
    """Distributions are in the precision of the weights, what is before them in that of the cell."""
    wanted = {"mixed_bfloat16": tf.float32, "float64": tf.float64}[dtype]
    for model in (
        many_to_one(LSTMCell(4, dtype=dtype), 3, **SIZES),
        many_to_many(LSTMCell(4, dtype=dtype), 3, **SIZES),
    ):
        found = model(IDS)
        assert found.dtype == wanted
        assert model.layers[2].compute_dtype == ("bfloat16" if "mixed" in dtype else dtype)
        np.testing.assert_allclose(tf.reduce_sum(found, axis=-1), 1, rtol=1e-6)


def test_gradients_are_the_derivatives() -> None:
    model = many_to_many(LSTMCell(3, dtype="float64", seed=1), 3, **SIZES, seed=2)
    rng = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape))
    targets = np.array([[0, 1, 2, 0, 0], [1, 1, 0, 2, 2]])
    found = gradient_check(model, IDS, targets, "sparse_categorical_crossentropy", entries=5)
    assert found.largest <= 1e-7, found.worst


def test_initial_weights_follow_from_the_seeds() -> None:
    models = [many_to_one(GRUCell(3, seed=1), 2, **SIZES, seed=seed).get_weights() for seed in (4, 4, 5)]
    for one, other in zip(models[0], models[1], strict=True):
        np.testing.assert_array_equal(one, other)
    assert (models[0][0] != models[2][0]).all()
    assert (models[0][-2] != models[2][-2]).all()


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_saved_and_loaded(tmp_path: Any) -> None:
    model = many_to_many(DeepRNN([LSTMCell(3), GRUCell(3)], return_sequences=True), 2, **SIZES)
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.keras")(IDS), model(IDS))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: many_to_one(Recurrent(GRUCell(2), return_sequences=True), 2, **SIZES),
            "must give out one tensor, with return_sequences=False",
        ),
        (lambda: many_to_many(Recurrent(GRUCell(2)), 2, **SIZES), "with return_sequences=True"),
        (
            lambda: many_to_one(Bidirectional(GRUCell(2), None), 2, **SIZES),
            "must give out one tensor",
        ),
        (lambda: many_to_one(Recurrent(GRUCell(2), return_state=True), 2, **SIZES), "return_state=False"),
        (lambda: one_to_one(GRUCell(2), 0, features=2), "output_units must be a whole number above 0"),
        (lambda: one_to_one(GRUCell(2), 2, features=0), "features must be a whole number above 0"),
        (
            lambda: many_to_one(GRUCell(2), 2, vocabulary_size=0, vector_size=1),
            "vocabulary_size must be a whole number above 0",
        ),
        (
            lambda: many_to_one(GRUCell(2), 2, vocabulary_size=3, vector_size=0),
            "vector_size must be a whole number above 0",
        ),
    ],
)
def test_bad_arguments(make: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()


@pytest.mark.parametrize("shape", [many_to_one, many_to_many])
def test_any_activation_of_the_output(shape: Any) -> None:
    linear, bent = (
        shape(GRUCell(3, seed=1), 2, **SIZES, activation=name, seed=2) for name in ("linear", "sigmoid")
    )
    np.testing.assert_allclose(bent(IDS), 1 / (1 + np.exp(-linear(IDS).numpy())), rtol=1e-5)


def test_every_shape_follows_from_its_seed() -> None:
    for make in (
        lambda seed: one_to_one(GRUCell(3, seed=1), 2, features=4, seed=seed),
        lambda seed: many_to_one(GRUCell(3, seed=1), 2, **SIZES, seed=seed),
        lambda seed: many_to_many(GRUCell(3, seed=1), 2, **SIZES, seed=seed),
    ):
        one, again, other = (make(seed).get_layer("output").kernel.numpy() for seed in (4, 4, 5))
        np.testing.assert_array_equal(one, again)
        assert (one != other).all()


def test_what_is_before_the_distribution_is_in_the_precision_of_the_cell() -> None:
    model = many_to_one(LSTMCell(4, dtype="mixed_bfloat16"), 3, **SIZES)
    assert model.get_layer("output").compute_dtype == "bfloat16"
