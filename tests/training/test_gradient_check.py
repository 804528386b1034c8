"""Gradients that are right pass, gradients that are wrong do not, and the model stays as it was."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqkit.errors import UsageError
from seqkit.training import GradientCheck, gradient_check

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 2))


@tf.custom_gradient
def wrong_square(x: Any) -> tuple[Any, Any]:
    """x², with a gradient of 3 x."""
    return x * x, lambda upstream: upstream * 3 * x


def dense(*layers: Any) -> Any:
    model = keras.Sequential(layers)
    model.build((None, 3))
    return model


def float64(units: int, **options: Any) -> Any:
    return keras.layers.Dense(units, dtype="float64", **options)


@pytest.mark.parametrize("loss", ["mse", keras.losses.MeanSquaredError(), lambda y, p: tf.square(y - p)])
def test_a_right_gradient(loss: Any) -> None:
    model = dense(float64(4, activation="tanh", kernel_regularizer="l2"), float64(2))
    before = model.get_weights()
    found = gradient_check(model, X, Y, loss)
    assert list(found.differences) == [variable.path for variable in model.trainable_variables]
    assert found.largest <= 1e-8
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_wrong_gradient_is_named() -> None:
    inner = float64(4)
    model = dense(inner, keras.layers.Activation(wrong_square, dtype="float64"), float64(2))
    found = gradient_check(model, X, Y, "mse")
    # Differences find 2, the gradient says 3: |2 - 3| / (2 + 3) = 0.2 where they are parallel, as here.
    assert found.differences[inner.kernel.path] == pytest.approx(0.2, abs=1e-6)
    assert found.largest == pytest.approx(0.2, abs=1e-6)
    assert found.worst in {inner.kernel.path, inner.bias.path}
    outer = model.layers[-1].kernel.path
    assert found.differences[outer] <= 1e-8


def test_masks_are_held_fixed_and_state_is_put_back() -> None:
    model = dense(
        float64(6),
        keras.layers.Dropout(0.5, seed=1, dtype="float64"),
        keras.layers.BatchNormalization(dtype="float64"),
        float64(2),
    )
    before = [variable.numpy() for variable in model.non_trainable_variables]
    assert gradient_check(model, X, Y, "mse", training=True).largest <= 1e-6
    for variable, value in zip(model.non_trainable_variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    model(X, training=True)
    assert any(
        (v.numpy() != value).any() for v, value in zip(model.non_trainable_variables, before, strict=True)
    )


def test_some_entries_only(monkeypatch: pytest.MonkeyPatch) -> None:
    model = dense(float64(2, use_bias=False))
    kernel, assigned = model.layers[0].kernel, []
    real = type(kernel).assign
    monkeypatch.setattr(
        type(kernel), "assign", lambda self, value: (assigned.append(np.asarray(value)), real(self, value))[1]
    )
    assert gradient_check(model, X, Y, "mse", entries=4, seed=3).largest <= 1e-8
    moved = [np.flatnonzero(value.ravel() != kernel.numpy().ravel()) for value in assigned]
    assert sum(len(places) for places in moved) == 2 * 4  # up and down
    assert len(set(np.concatenate(moved).tolist())) == 4


def test_a_layer_with_an_embedding() -> None:
    """Its gradient is sparse; words that do not occur have 0."""
    model = keras.Sequential([keras.layers.Embedding(6, 3, dtype="float64"), float64(2)])
    model.build((None, 2))
    words = np.array([[1, 2], [1, 4], [0, 0]])
    assert gradient_check(model, words, RNG.normal(size=(3, 2, 2)), "mse").largest <= 1e-8


def test_what_is_refused() -> None:
    with pytest.raises(UsageError, match=r"is float32: differences need float64; build the model with dtype"):
        gradient_check(dense(keras.layers.Dense(2)), X, Y, "mse")
    with pytest.raises(UsageError, match="has no trainable variables"):
        gradient_check(float64(2), X, Y, "mse")
    with pytest.raises(UsageError, match="change must be above 0 and below 1, not 0"):
        gradient_check(dense(float64(2)), X, Y, "mse", change=0)
    with pytest.raises(UsageError, match="change must be above 0 and below 1, not 1"):
        gradient_check(dense(float64(2)), X, Y, "mse", change=1)
    with pytest.raises(UsageError, match="entries must be a whole number above 0, not 0"):
        gradient_check(dense(float64(2)), X, Y, "mse", entries=0)
    with pytest.raises(UsageError, match="entries must be a whole number above 0, not 2"):
        gradient_check(dense(float64(2)), X, Y, "mse", entries=2.5)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="there is no loss to differentiate"):
        gradient_check(dense(float64(2)), X, Y, None)
    with pytest.raises(UsageError, match="seed must be from 0 to 2147483647, not -1"):
        gradient_check(dense(float64(2)), X, Y, "mse", seed=-1)


def test_several_outputs_need_a_function() -> None:
    entry = keras.Input((3,), dtype="float64")
    both = keras.Model(entry, [keras.layers.Dense(2, dtype="float64")(entry) for _ in range(2)])
    targets = [Y, -Y]
    with pytest.raises(UsageError, match="has several outputs: give the loss as a function"):
        gradient_check(both, X, targets, "mse")

    def loss(true: Any, found: Any) -> Any:
        return tf.add_n([tf.reduce_mean((t - y) ** 2) for t, y in zip(true, found, strict=True)])

    assert gradient_check(both, X, targets, loss).largest <= 1e-8


def test_targets_in_lists_of_numbers() -> None:
    model = dense(float64(2))
    assert gradient_check(model, X, Y.tolist(), "mse") == gradient_check(model, X, Y, "mse")


def test_the_worst_by_hand() -> None:
    found = GradientCheck({"a": 1e-9, "b": 0.5, "c": 0.0})
    assert (found.worst, found.largest) == ("b", 0.5)


class Scaled(keras.layers.Layer):
    """w ∘ z, whose gradient by w is wrong by a factor."""

    def __init__(self, factor: float) -> None:
        super().__init__(name="scaled", dtype="float64")
        self.factor = factor

    def build(self, shape: tuple[int, ...]) -> None:
        self.w = self.add_weight(name="w", shape=(shape[-1],), initializer="ones")

    def call(self, z: Any) -> Any:
        @tf.custom_gradient
        def scaled(z: Any, w: Any) -> Any:
            return z * w, lambda slope: (slope * w, self.factor * tf.reduce_sum(slope * z, 0))

        return scaled(z, tf.convert_to_tensor(self.w))


@pytest.mark.parametrize(("factors", "worst"), [((3.0, 1.0), "scaled/w"), ((1.0, 3.0), "scaled/w (2)")])
def test_variables_of_one_path_are_told_apart(factors: tuple[float, float], worst: str) -> None:
    def tower(factor: float, name: str) -> Any:
        entry = keras.Input((2,), dtype="float64")
        return keras.Model(entry, Scaled(factor)(entry), name=name)

    entry = keras.Input((2,), dtype="float64")
    towers = [tower(factor, name) for factor, name in zip(factors, "ab", strict=True)]
    model = keras.Model(entry, keras.layers.Add(dtype="float64")([each(entry) for each in towers]))
    found = gradient_check(model, RNG.normal(size=(4, 2)), np.zeros((4, 2)), "mse")
    assert found.differences.keys() == {"scaled/w", "scaled/w (2)"}
    assert found.worst == worst
    assert found.largest == pytest.approx(0.5, abs=1e-6)  # (3 - 1) / (3 + 1)
    assert min(found.differences.values()) <= 1e-8


class WrongInTraining(keras.layers.Layer):
    """z², with a wrong gradient in training alone."""

    def call(self, z: Any, training: bool = False) -> Any:
        return wrong_square(z) if training else z * z


@pytest.mark.parametrize("training", [False, True])
def test_what_is_checked_is_training_if_that_is_asked_for(training: bool) -> None:
    model = dense(float64(4), WrongInTraining(dtype="float64"), float64(2))
    assert (gradient_check(model, X, Y, "mse", training=training).largest > 0.1) == training


def test_the_losses_of_the_model_are_checked() -> None:
    """Of Σ w² with a gradient of 3 w."""
    model = dense(float64(2, kernel_regularizer=lambda w: tf.reduce_sum(wrong_square(w))))
    kernel, bias = gradient_check(model, X, Y, "mse").differences.values()
    assert kernel > 0.01
    assert bias <= 1e-8


def test_entries_follow_from_the_seed() -> None:
    """By the roundings of their differences."""
    model = dense(float64(20))
    one, again, other = (
        gradient_check(model, X, np.ones((5, 20)), "mse", entries=1, seed=seed).differences
        for seed in (1, 1, 2)
    )
    assert one == again != other


class Unused(keras.layers.Layer):
    def build(self, shape: Any) -> None:
        self.w = self.add_weight(name="w", shape=(2,))

    def call(self, z: Any) -> Any:
        return z


def test_a_variable_without_effect() -> None:
    model = dense(float64(2), Unused(name="unused", dtype="float64"))
    assert gradient_check(model, X, Y, "mse").differences[model.layers[-1].w.path] == 0


def test_a_gradient_that_is_zero_by_cancellation() -> None:
    """Batch normalisation takes a bias before it away again: of both figures only rounding is left."""
    model = dense(float64(2), keras.layers.BatchNormalization(dtype="float64"), float64(2))
    found = gradient_check(model, X, Y, "mse", training=True)
    bias = model.layers[0].bias
    assert found.differences[bias.path] == 0
    assert found.largest < 1e-7


class Shift(keras.layers.Layer):
    """z + w, with the derivative by w times a factor."""

    def __init__(self, size: float, factor: float) -> None:
        super().__init__(dtype="float64", name="shift")
        self.size, self.factor = size, factor

    def build(self, shape: Any) -> None:
        self.w = self.add_weight(name="w", shape=())

    def call(self, z: Any) -> Any:
        effect = self.size * self.w
        return z + self.factor * effect + tf.stop_gradient((1 - self.factor) * effect)


@pytest.mark.parametrize("size", [1.0, 1e-3, 1e-6])
def test_a_small_gradient_is_no_rounding(size: float) -> None:
    """Its differences are known to fewer digits, and a wrong one is told all the same."""
    models = [dense(float64(2), Shift(size, factor)) for factor in (1.0, 2.0)]
    right, wrong = (gradient_check(each, X, Y, "mse").differences[each.layers[-1].w.path] for each in models)
    assert right < 1e-3 < 0.3 < wrong


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_no_number_is_the_largest_difference(names: str) -> None:
    found = GradientCheck(dict(zip(names, (1e-9, float("nan")), strict=True)))
    assert found.worst == names[1]
    assert not found.largest <= 1
