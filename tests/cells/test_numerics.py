"""Layer normalisation: its formula, its gradient in closed form, and the gradient of that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from seqkit.cells.numerics import EPSILON, layer_norm

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
