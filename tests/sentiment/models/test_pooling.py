from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqkit.sentiment.models.pooling import Pooling
from seqkit.training.gradient_check import gradient_check

VALUES = np.random.default_rng(0).normal(size=(3, 5, 4)).astype(np.float32)
LENGTHS = np.array([5, 2, 0])
MASK = np.arange(5) < LENGTHS[:, None]


@pytest.mark.parametrize(
    ("kind", "oracle"),
    [("mean", keras.layers.GlobalAveragePooling1D), ("max", keras.layers.GlobalMaxPooling1D)],
)
def test_each_text_is_pooled_as_keras_pools_it_without_padding(kind: str, oracle: type) -> None:
    found = Pooling(kind)(VALUES, mask=MASK).numpy()
    for text, length in enumerate(LENGTHS[:2]):
        np.testing.assert_allclose(found[text], oracle()(VALUES[text : text + 1, :length])[0], rtol=1e-5)
    assert not found[2].any()  # no token, no answer


def test_attention_is_the_mean_by_its_weights() -> None:
    pooling = Pooling("attention", seed=3)
    pooling.build((None, None, 4))
    pooling.bias.assign([0.1, -0.2, 0.3, 0.4])
    found = pooling(VALUES, mask=MASK).numpy()
    kernel, bias, context = (np.array(weight, np.float64) for weight in pooling.get_weights())
    for text, length in enumerate(LENGTHS[:2]):
        values = VALUES[text, :length].astype(np.float64)
        scores = np.tanh(values @ kernel + bias) @ context[:, 0]
        weights = np.exp(scores) / np.exp(scores).sum()
        np.testing.assert_allclose(found[text], weights @ values, rtol=1e-5)
    assert not found[2].any()


@pytest.mark.parametrize("kind", ["mean", "max", "attention"])
def test_padding_changes_nothing(kind: str) -> None:
    pooling = Pooling(kind)
    longer = np.pad(VALUES, ((0, 0), (0, 3), (0, 0)), constant_values=9)
    mask = np.pad(MASK, ((0, 0), (0, 3)))
    np.testing.assert_allclose(pooling(VALUES, mask=MASK), pooling(longer, mask=mask), atol=1e-6)


def test_the_gradient_of_attention_is_that_of_differences() -> None:
    mask = tf.constant(MASK)

    class Masked(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(dtype="float64")
            self.below = keras.layers.Dense(4, dtype="float64")
            self.pooling = Pooling("attention", dtype="float64")

        def call(self, inputs: object, training: bool = False) -> object:
            return self.pooling(self.below(inputs), mask=mask)

    model, inputs = Masked(), tf.constant(VALUES, tf.float64)
    model(inputs)
    targets = tf.constant(np.random.default_rng(1).normal(size=(3, 4)))
    assert gradient_check(model, inputs, targets, "mse").largest < 1e-7
