"""What writes a sequence from a context: the half that one-to-many and encoder-decoder share."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from seqkit.cells.checks import checked_seed
from seqkit.cells.tracking import track_items
from seqkit.errors import UsageError
from seqkit.layers.sequence import check_inner, derived_seed
from seqkit.layers.serialisation import revived
from seqkit.layers.shapes.reading import check_stateless, embedding, over_sequences


@keras.saving.register_keras_serializable(package="seqkit")
class Decoder(keras.layers.Layer):  # type: ignore[misc]
    """Distributions of each token of a sequence, from those before it and from a context.

        a⟨0⟩ = tanh(V c)                           for each part of the state (Cho et al. 2014, appendix A.1)
        a⟨t⟩ from a⟨t-1⟩ and the vector of y⟨t-1⟩   that of y⟨0⟩ is zero
        p(y⟨t⟩ | y⟨1⟩ … y⟨t-1⟩, c) = softmax(W_y a⟨t⟩ + b_y)

    Args:
        layer: a cell, or a layer over sequences, forward, with `return_sequences`.
        vocabulary_size: number of tokens, 0 being padding.
        vector_size: length of the vectors of tokens.
        seed: of the initial vectors, V and W_y.
        options: Keras' own `name`, `dtype` (that of the layer by default) and `trainable`.

    Raises:
        UsageError: if the layer sees what comes after a token, which is what it has to tell.
    """

    def __init__(
        self,
        layer: Any,
        vocabulary_size: int,
        vector_size: int,
        *,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        layer = over_sequences(layer, return_sequences=True)
        check_inner([layer])
        check_stateless(layer)
        super().__init__(**{"dtype": layer.dtype_policy, **options})
        self.layer = layer
        if self.layer.looks_ahead:
            raise UsageError(
                f"{self.layer.name} must run forward: a token may not follow from those after it"
            )
        self.seed = checked_seed(seed)
        self.vectors = embedding(self, vocabulary_size, vector_size, self.seed, "vectors")
        self.vocabulary_size, self.vector_size = self.vectors.input_dim, self.vectors.output_dim
        self.bridges = [
            self._dense(size, f"bridge_{number}", activation="tanh")
            for number, size in enumerate(tf.nest.flatten(self.layer.state_size))
        ]
        track_items(self, "bridges", self.bridges)
        self.output_layer = self._dense(self.vocabulary_size, "output")

    def _dense(self, units: int, name: str, activation: str | None = None) -> Any:
        initial = keras.initializers.GlorotUniform(derived_seed(self.seed, name))
        return keras.layers.Dense(
            units, activation, kernel_initializer=initial, name=name, dtype=self.dtype_policy
        )

    def build(self, tokens_shape: Any, context_shape: Any) -> None:
        """Makes the weights."""
        self.vectors.build(tokens_shape)
        self.layer.build((*tokens_shape, self.vector_size))
        self.output_layer.build((*tokens_shape, self.layer.output_size))
        for bridge in self.bridges:
            bridge.build(context_shape)

    def call(self, tokens: Any, context: Any, training: bool | None = False) -> Any:
        """Logits of each token, (batch, time, vocabulary), in the precision of the weights.

        Args:
            tokens: y, (batch, time), padded by 0.
            context: c, (batch, size).
            training: draw masks of dropout and zoneout.
        """
        before = tf.pad(tokens[:, :-1], [[0, 0], [1, 0]])
        state, mask = self.first_state(context), self.compute_mask(tokens)
        course = self.layer.run(self._vectors(before), state, mask, bool(training))
        return self._logits(course.outputs)

    def first_state(self, context: Any) -> Any:
        """The state before the first token."""
        parts = [bridge(context) for bridge in self.bridges]
        return tf.nest.pack_sequence_as(self.layer.state_size, parts)

    def step(self, tokens: Any, state: Any) -> tuple[Any, Any]:
        """Logits of the next token, (batch, vocabulary), from the last one and the state before it."""
        course = self.layer.run(self._vectors(tokens[:, None]), state, None, False)
        return self._logits(course.last), course.state

    def _vectors(self, tokens: Any) -> Any:
        """Their vectors; the zero vector for 0."""
        vectors = self.vectors(tokens)
        return vectors * tf.cast(tokens != 0, vectors.dtype)[..., None]

    def _logits(self, hidden: Any) -> Any:
        return tf.cast(self.output_layer(hidden), self.variable_dtype)

    def compute_mask(self, tokens: Any, mask: Any = None) -> Any:
        """There is nothing to learn from padding."""
        return tf.not_equal(tokens, 0)

    def compute_output_shape(self, tokens_shape: Any, context_shape: Any) -> Any:
        """That of the logits."""
        return (*tokens_shape, self.vocabulary_size)

    def get_config(self) -> dict[str, Any]:
        """The arguments, for Keras' serialisation."""
        return {
            **super().get_config(),
            "layer": keras.saving.serialize_keras_object(self.layer),
            "vocabulary_size": self.vocabulary_size,
            "vector_size": self.vector_size,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Decoder:
        """The layer of a configuration."""
        return cls(**{**config, "layer": revived(config["layer"])})
