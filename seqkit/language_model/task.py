"""What a language model is trained for: the loss of a batch, with the state carried from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from seqkit.language_model.network import LanguageNetwork
from seqkit.language_model.softmax import SoftmaxSample


class LanguageTask:
    """Teacher forcing: the mean surprisal of each token from those before it.

    A `seqkit.training.network.Network`.

    Args:
        network: that is trained.
        batch_size: sequences that are read side by side.
        activation: α of activation regularisation, α · mean (a^[L])² after dropout.
        slowness: β of temporal activation regularisation, β · mean (a⟨t+1⟩ - a⟨t⟩)², before dropout (both
            Merity et al. 2017, "Revisiting Activation Regularization").
        sample: draws the words that the softmax of a batch sums over; None for all.
    """

    def __init__(
        self,
        network: LanguageNetwork,
        batch_size: int,
        activation: float = 0.0,
        slowness: float = 0.0,
        sample: SoftmaxSample | None = None,
    ) -> None:
        self.network = network
        self._activation, self._slowness, self._sample = activation, slowness, sample
        self._carried = tf.nest.map_structure(
            lambda part: keras.Variable(part, trainable=False), network.initial_state(batch_size)
        )

    @property
    def trainable_variables(self) -> list[Any]:
        """What is learned."""
        return [weight for weight in self.network.weights.values() if weight.trainable]

    @property
    def variables(self) -> Sequence[Any]:
        """All that the next batch depends on."""
        carried = tf.nest.flatten(self._carried)
        return [*self.network.weights.values(), *self.network.generators, *carried]

    def begin_epoch(self, epoch: int) -> None:
        """Nothing: the first batch of an epoch begins anew by itself."""

    def loss(self, inputs: Any, targets: Any, fresh: Any, labels: Any = None) -> Any:
        """The mean surprisal of the targets, in nats, and what regularises the activations.

        Args:
            inputs: (batch, time), int32.
            targets: (batch, time), int32, negative where there is none.
            fresh: which sequences begin anew, (batch,).
            labels: of sequences that depend on one, (batch,).
        """
        old = tf.logical_not(fresh)[:, None]
        state = tf.nest.map_structure(lambda part: tf.where(old, part, tf.zeros_like(part)), self._carried)
        plain, dropped, state = self.network.run(inputs, state, training=True, label=labels)
        for variable, part in zip(tf.nest.flatten(self._carried), tf.nest.flatten(state), strict=True):
            variable.assign(part)
        counted = tf.maximum(tf.math.count_nonzero(targets >= 0, dtype=tf.float32), 1.0)
        loss = self.network.surprisal_sum(dropped, targets, self._sample) / counted
        if self._activation:
            loss += self._activation * tf.reduce_mean(tf.square(dropped))
        if self._slowness:
            changes = tf.square(plain[:, 1:] - plain[:, :-1])  # none in a piece of one token
            size = tf.cast(tf.size(changes), changes.dtype)
            loss += self._slowness * tf.math.divide_no_nan(tf.reduce_sum(changes), size)
        return loss
