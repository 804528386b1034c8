from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqkit.sentiment.models.convolution import Convolution
from seqkit.training.gradient_check import gradient_check

VALUES = np.random.default_rng(0).normal(size=(3, 6, 4)).astype(np.float32)
LENGTHS = np.array([6, 2, 0])
MASK = np.arange(6) < LENGTHS[:, None]


def layer(dtype: str = "float32") -> Convolution:
    found = Convolution([2, 3], 5, seed=1, dtype=dtype)
    found.build((None, None, 4))
    for bias in found.biases:
        bias.assign(np.linspace(-0.5, 0.5, 5))
    return found


@pytest.mark.parametrize("number", [0, 1])
def test_filters_are_those_of_keras_over_each_text_and_zeros_after_it(number: int) -> None:
    own = layer()
    width = own.widths[number]
    oracle = keras.layers.Conv1D(5, width, activation="relu")
    oracle.build((None, None, 4))
    oracle.set_weights([own.kernels[number].numpy(), own.biases[number].numpy()])
    found = own(VALUES, mask=MASK).numpy()[:, 5 * number : 5 * (number + 1)]
    for text, length in enumerate(LENGTHS[:2]):
        alone = np.pad(VALUES[text, :length], ((0, width - 1), (0, 0)))[None]
        largest = keras.layers.GlobalMaxPooling1D()(oracle(alone))[0]
        np.testing.assert_allclose(found[text], largest, rtol=1e-4, atol=1e-6)
    assert not found[2].any()


def test_padding_changes_nothing() -> None:
    own = layer()
    longer = np.pad(VALUES, ((0, 0), (0, 3), (0, 0)), constant_values=9)
    np.testing.assert_allclose(
        own(VALUES, mask=MASK), own(longer, mask=np.pad(MASK, ((0, 0), (0, 3)))), atol=1e-5
    )


def test_its_gradient_is_that_of_differences() -> None:
    own = layer("float64")
    inputs = tf.constant(VALUES, tf.float64)
    targets = tf.constant(np.random.default_rng(1).normal(size=(3, 10)))
    assert gradient_check(own, inputs, targets, "mse").largest < 1e-7
