"""From a sequence to one vector; steps after the end of a text count for nothing."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="seqkit")
class Pooling(keras.layers.Layer):  # type: ignore[misc]
    """One vector of the outputs of a sequence; 0 of a text without tokens.

        mean       1/T Σ_t a⟨t⟩
        max        max_t a⟨t⟩, number by number
        attention  Σ_t α⟨t⟩ a⟨t⟩,  α = softmax_t (v · tanh(W a⟨t⟩ + b))   (Yang et al. 2016, eq. 5 to 7)

    Args:
        kind: "mean", "max" or "attention".
        seed: of the initial W and v.
        options: Keras' own.
    """

    def __init__(self, kind: str, seed: int = 0, **options: Any) -> None:
        super().__init__(**options)
        self.supports_masking = True
        self.kind, self.seed = kind, seed

    def build(self, values_shape: Any, mask_shape: Any = None) -> None:
        """Makes W, b and v of attention."""
        if self.kind == "attention":
            size = values_shape[-1]
            draw = keras.initializers.GlorotUniform
            self.kernel = self.add_weight(name="kernel", shape=(size, size), initializer=draw(self.seed))
            self.bias = self.add_weight(name="bias", shape=(size,), initializer="zeros")
            self.context = self.add_weight(name="context", shape=(size, 1), initializer=draw(self.seed + 1))

    def call(self, values: Any, mask: Any = None) -> Any:
        """One vector for each text, (batch, size).

        Args:
            values: a, (batch, time, size).
            mask: which steps are of the text, (batch, time); None for all.
        """
        if mask is None:
            mask = tf.ones(tf.shape(values)[:2], tf.bool)
        there = tf.cast(mask, values.dtype)[:, :, None]
        if self.kind == "max":
            lowest = tf.constant(values.dtype.min, values.dtype)
            found = tf.reduce_max(tf.where(mask[:, :, None], values, lowest), axis=1)
            return tf.where(tf.reduce_any(mask, axis=1)[:, None], found, tf.zeros_like(found))
        if self.kind == "mean":
            weights = there / tf.maximum(tf.reduce_sum(there, axis=1, keepdims=True), 1)
        else:
            weights = self._attention(values, mask) * there
        return tf.reduce_sum(weights * values, axis=1)

    def _attention(self, values: Any, mask: Any) -> Any:
        kernel, bias, context = (
            tf.cast(each, values.dtype) for each in (self.kernel, self.bias, self.context)
        )
        scores = tf.tensordot(tf.tanh(tf.tensordot(values, kernel, 1) + bias), context, 1)
        lowest = tf.constant(values.dtype.min / 2, values.dtype)
        return tf.nn.softmax(tf.where(mask[:, :, None], scores, lowest), axis=1)

    def compute_mask(self, values: Any, mask: Any = None) -> None:
        """None: there are no steps any more."""

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), "kind": self.kind, "seed": self.seed}
