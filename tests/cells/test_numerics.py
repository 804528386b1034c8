"""Layer normalisation: its formula, its gradient in closed form, and the gradient of that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from seqkit.cells.numerics import EPSILON, bernoulli, layer_norm, product

# One column; a prime, too many for a register; two registers of 24; and one register, of two gates.
SIZES = [(1, 1), (37, 1), (48, 1), (5, 2)]


def by_operations(values: Any, gain: Any, gates: int) -> Any:
    """The formula, differentiated operation by operation."""
    apart = tf.reshape(values, [*values.shape[:-1], gates, -1])
    mean = tf.reduce_mean(apart, axis=-1, keepdims=True)
    variance = tf.math.reduce_variance(apart, axis=-1, keepdims=True)
    return tf.reshape((apart - mean) / tf.sqrt(variance + EPSILON), values.shape) * gain


@pytest.mark.parametrize(("units", "gates"), SIZES)
def test_layer_norm_and_two_gradients_are_those_of_its_formula(units: int, gates: int) -> None:
    rng = np.random.default_rng(0)
    values, gain, weights = (tf.constant(rng.normal(size=(2, 3, units * gates))) for _ in range(3))
    gain = gain[0, 0]

    def results(normalise: Any) -> list[Any]:
        with tf.GradientTape() as outer:
            outer.watch([values, gain])
            with tf.GradientTape() as inner:
                inner.watch([values, gain])
                found = normalise(values, gain, gates)
                loss = tf.reduce_sum(weights * found**2)
            first = inner.gradient(loss, [values, gain])
            slope = tf.add_n([tf.reduce_sum(tf.sin(part)) for part in first])
        return [found, *first, *outer.gradient(slope, [values, gain])]

    for found, wanted in zip(results(layer_norm), results(by_operations), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12 * np.abs(wanted).max() + 1e-15)


def test_a_gain_for_each_row_of_the_values() -> None:
    rng = np.random.default_rng(0)
    values, gain = rng.normal(size=(3, 8)), rng.normal(size=8)
    np.testing.assert_array_equal(
        layer_norm(tf.constant(values), tf.constant(np.tile(gain, (3, 1))), 2),
        layer_norm(tf.constant(values), tf.constant(gain), 2),
    )


@pytest.mark.parametrize("shape", [(900, 4, 7), (3600, 7)])
@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_a_product_and_its_gradients_are_exact_to_a_rounding(dtype: str, shape: tuple[int, ...]) -> None:
    """The bias' gradient is a sum of 3600 numbers, which is 6% off where they are added up in bfloat16."""
    rng = np.random.default_rng(3)
    drawn = [rng.normal(0.1, 1, size) for size in (shape, (7, 5), (5,), (*shape[:-1], 5))]
    x, kernel, bias, slope = (tf.constant(values, dtype) for values in drawn)
    with tf.GradientTape() as tape:
        tape.watch([x, kernel, bias])
        result = product(x, kernel, bias)
    found = [result, *tape.gradient(result, [x, kernel, bias], slope)]
    x64, kernel64, bias64, slope64 = (np.float64(values) for values in (x, kernel, bias, slope))
    flat_x, flat_slope = x64.reshape(-1, 7), slope64.reshape(-1, 5)
    wanted = [x64 @ kernel64 + bias64, slope64 @ kernel64.T, flat_x.T @ flat_slope, flat_slope.sum(axis=0)]
    rounding = {"float64": 1e-13, "float32": 1e-5, "bfloat16": 2**-8}[dtype]
    for ours, theirs in zip(found, wanted, strict=True):
        assert np.linalg.norm(np.float64(ours) - theirs) <= rounding * np.linalg.norm(theirs)


def test_bfloat16_is_normalised_by_means_of_float32() -> None:
    """Numbers about 5, whose mean in bfloat16 is off by up to 0.016, and their deviation by more."""
    values = tf.constant(np.random.default_rng(0).normal(5, 0.25, (16, 256)), tf.bfloat16)
    found = np.float64(layer_norm(values, tf.ones([256], tf.bfloat16)))
    exact = np.float64(values)
    wanted = (exact - exact.mean(axis=1, keepdims=True)) / exact.std(axis=1, keepdims=True)
    assert np.linalg.norm(found - wanted) <= 2**-8 * np.linalg.norm(wanted)


def test_a_probability_of_nearly_1() -> None:
    assert bernoulli([3], 1 - 1e-12, [1, 2], "float32").numpy().tolist() == [1, 1, 1]
