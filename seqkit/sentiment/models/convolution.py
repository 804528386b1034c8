"""Convolutions over words and the largest answer of each filter (Kim 2014)."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from seqkit.sentiment.models.pooling import Pooling


@keras.saving.register_keras_serializable(package="seqkit")
class Convolution(keras.layers.Layer):  # type: ignore[misc]
    """ĉ = max_i max(0, w · x_{i:i+h-1} + b) of each filter of each width h.

    A window begins at each word of a text; where it reaches over the end, there are zeros, however far
    the batch is padded.

    Args:
        widths: of the windows, in words.
        filters: of each width.
        seed: of the initial weights.
        options: Keras' own.
    """

    def __init__(self, widths: list[int], filters: int, seed: int = 0, **options: Any) -> None:
        super().__init__(**options)
        self.supports_masking = True
        self.widths, self.filters, self.seed = list(widths), filters, seed
        self.pooling = Pooling("max", dtype=self.dtype_policy)

    def build(self, values_shape: Any, mask_shape: Any = None) -> None:
        """Makes the filters."""
        self.kernels, self.biases = [], []
        for number, width in enumerate(self.widths):
            draw = keras.initializers.GlorotUniform(self.seed + number)
            kernel = self.add_weight(
                name=f"kernel_{width}", shape=(width, values_shape[-1], self.filters), initializer=draw
            )
            self.kernels.append(kernel)
            self.biases.append(
                self.add_weight(name=f"bias_{width}", shape=(self.filters,), initializer="zeros")
            )

    def call(self, values: Any, mask: Any = None, training: bool = False) -> Any:
        """One vector for each text, (batch, widths · filters).

        Args:
            values: x, (batch, time, size).
            mask: which steps are of the text, (batch, time); None for all.
            training: changes nothing.
        """
        values = tf.cast(values, self.compute_dtype)
        if mask is not None:
            values *= tf.cast(mask, values.dtype)[:, :, None]
        found = []
        for width, kernel, bias in zip(self.widths, self.kernels, self.biases, strict=True):
            longer = tf.pad(values, [[0, 0], [0, width - 1], [0, 0]])
            answers = tf.nn.conv1d(longer, tf.cast(kernel, values.dtype), 1, "VALID")
            largest = self.pooling(answers, mask=mask) + tf.cast(bias, values.dtype)
            found.append(tf.nn.relu(largest))
        together = tf.concat(found, axis=1)
        if mask is not None:
            together *= tf.cast(tf.reduce_any(mask, axis=1), together.dtype)[:, None]
        return together

    def compute_mask(self, values: Any, mask: Any = None) -> None:
        """None: there are no steps any more."""

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        own = {"widths": self.widths, "filters": self.filters, "seed": self.seed}
        return {**super().get_config(), **own}
