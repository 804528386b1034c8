"""Regularisation and clipping against NumPy in float64, on dense gradients and on sparse ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from seqkit.training.gradients import processed
from seqkit.training.optimizers import OptimizerConfig

Array = NDArray[np.float64]

TABLE = np.array([[1.0, -2.0], [0.0, 3.0], [4.0, 0.5], [-1.0, -1.0]])
BIAS = np.array([0.5, -0.5, 2.0])
ROWS, VALUES = np.array([2, 0, 2]), np.array([[1.0, 2.0], [3.0, -4.0], [5.0, -8.0]])
# Row 2 comes twice: (1, 2) + (5, -8).
WHOLE = np.array([[3.0, -4.0], [0.0, 0.0], [6.0, -6.0], [0.0, 0.0]])
OF_BIAS = np.array([1.0, -12.0, 0.5])


def process(sparse: bool, **settings: Any) -> tuple[list[Any], list[Array]]:
    """As given back, and as arrays."""
    table, bias = tf.Variable(TABLE), tf.Variable(BIAS)
    of_table = tf.IndexedSlices(tf.constant(VALUES), tf.constant(ROWS), tf.constant(TABLE.shape))
    given = [of_table if sparse else tf.constant(WHOLE), tf.constant(OF_BIAS)]
    found = processed(given, [table, bias], OptimizerConfig(**settings))
    return found, [as_array(each) for each in found]


def as_array(gradient: Any) -> Array:
    if not isinstance(gradient, tf.IndexedSlices):
        return np.asarray(gradient)
    rows = gradient.indices.numpy()
    assert len(set(rows)) == len(rows)
    whole = np.zeros(TABLE.shape)
    whole[rows] = gradient.values.numpy()
    return whole


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("name", ["sgd", "adam"])
@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [WHOLE, OF_BIAS]),
        # l2·w and l1·sign(w) on the table, nothing on the bias
        ({"l2": 0.5}, [WHOLE + 0.5 * TABLE, OF_BIAS]),
        ({"l1": 0.25}, [WHOLE + 0.25 * np.sign(TABLE), OF_BIAS]),
        ({"l1": 0.25, "l2": 0.5}, [WHOLE + 0.25 * np.sign(TABLE) + 0.5 * TABLE, OF_BIAS]),
        ({"clip_value": 4.5}, [np.clip(WHOLE, -4.5, 4.5), np.clip(OF_BIAS, -4.5, 4.5)]),
        # squares: 9 + 16 + 36 + 36 and 1 + 144 + 0.25, together 242.25
        ({"clip_norm": 2.0}, [WHOLE * 2 / np.sqrt(242.25), OF_BIAS * 2 / np.sqrt(242.25)]),
        ({"clip_norm": 16.0}, [WHOLE, OF_BIAS]),
        # by value first: 9 + 9 + 9 + 9 and 1 + 9 + 0.25, together 46.25
        (
            {"clip_value": 3.0, "clip_norm": 1.0},
            [np.clip(WHOLE, -3, 3) / np.sqrt(46.25), np.clip(OF_BIAS, -3, 3) / np.sqrt(46.25)],
        ),
        # (3, -4, 0, 0, 6, -6, 0, 0) + table: 16 + 36 + 0 + 9 + 100 + 30.25 + 1 + 1; with the bias 338.5
        (
            {"l2": 1.0, "clip_norm": 1.0},
            [(WHOLE + TABLE) / np.sqrt(338.5), OF_BIAS / np.sqrt(338.5)],
        ),
    ],
)
def test_against_numpy(sparse: bool, name: str, settings: dict[str, Any], expected: list[Array]) -> None:
    _, found = process(sparse, name=name, **settings)
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=2e-7)  # the norm is taken in float32


@pytest.mark.parametrize(
    ("settings", "stays"),
    [
        ({"name": "sgd"}, True),
        ({"name": "sgd", "clip_norm": 1.0, "clip_value": 1.0}, True),
        ({"name": "sgd", "l2": 0.1}, False),
        ({"name": "momentum"}, False),
        ({"name": "adam"}, False),
    ],
)
def test_what_stays_sparse(settings: dict[str, Any], stays: bool) -> None:
    found, _ = process(True, **settings)
    assert isinstance(found[0], tf.IndexedSlices) is stays


def test_a_gradient_of_zero_has_no_norm_to_divide_by() -> None:
    zero = tf.zeros([2, 2], tf.float64)
    (found,) = processed([zero], [tf.Variable(zero)], OptimizerConfig(clip_norm=1.0))
    assert np.array_equal(found, np.zeros((2, 2)))


def test_a_gradient_that_is_not_finite_stays_so() -> None:
    bad = tf.constant([[np.inf, 1.0]], tf.float64)
    (found,) = processed([bad], [tf.Variable(tf.zeros([1, 2], tf.float64))], OptimizerConfig(clip_norm=1.0))
    assert np.isnan(found[0, 0])  # the guard of the loop sees it in the weights
