"""The shapes that write sequences: one-to-many, and encoder-decoder, many-to-many of unequal length."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from seqkit.cells.checks import checked_count, checked_number, checked_seed, is_whole
from seqkit.errors import UsageError
from seqkit.layers.recurrent import Recurrent
from seqkit.layers.sequence import SequenceLayer, check_inner
from seqkit.layers.serialisation import revived
from seqkit.layers.shapes.decoder import Decoder
from seqkit.layers.shapes.decoding import beam_search, greedy_search, sample
from seqkit.layers.shapes.reading import check_stateless, embedding

COLDEST = 1e-6
"""The lowest temperature: logits are divided by it in float32."""


@keras.saving.register_keras_serializable(package="seqkit")
class Writer(keras.Model):  # type: ignore[misc]
    """Writes a sequence of tokens from a vector: one-to-many.

    It is trained on vectors and tokens with the tokens as targets, too, `fit((x, y), y)`, and a loss of
    logits, `keras.losses.SparseCategoricalCrossentropy(from_logits=True)`. In training a token sees the true
    ones before it, in writing those that were written (teacher forcing, Williams & Zipser 1989).

    Args:
        decoder: what writes; its context is the vector.
        end: the token that ends a sequence, at least 1; tokens after it are 0.
        options: Keras' own `name`, `dtype` (that of the decoder by default) and `trainable`.

    Raises:
        UsageError: if `end` is no token.
    """

    def __init__(self, decoder: Decoder, end: int, **options: Any) -> None:
        super().__init__(**{"dtype": decoder.dtype_policy, **options})
        if not is_whole(end) or not 0 < end < decoder.vocabulary_size:
            raise UsageError(f"end must be a token from 1 to {decoder.vocabulary_size - 1}, not {end!r}")
        self.decoder, self.end = decoder, int(end)

    def build(self, inputs_shape: Any) -> None:
        """Makes the weights, from the shapes of what is written about and of the tokens."""
        given, tokens = inputs_shape
        self.decoder.build(tokens, self._build_context(given))

    def _build_context(self, shape: Any) -> Any:
        """Makes the weights that the context needs.

        Returns:
            Its shape, (batch, size).
        """
        return shape

    def context(self, given: Any, training: bool = False) -> Any:
        """What the decoder writes about, (batch, size)."""
        return tf.cast(given, self.compute_dtype)

    def call(self, inputs: Any, training: bool | None = False) -> Any:
        """Logits of each token, (batch, time, vocabulary).

        Args:
            inputs: what is written about, and the tokens, (batch, time).
            training: draw masks of dropout and zoneout.
        """
        given, tokens = inputs
        return self.decoder(tokens, self.context(given, bool(training)), training=training)

    def greedy(self, given: Any, *, max_length: int) -> Any:
        """Writes the most likely token, step by step.

        Args:
            given: what is written about.
            max_length: number of tokens at most, the end among them.

        Returns:
            Tokens, int32 (batch, max_length), 0 after the end.
        """
        length = checked_count("max_length", max_length)
        return self._greedy(self._ready(given), length)

    def sample(self, given: Any, *, max_length: int, temperature: float = 1.0, seed: int | None = 0) -> Any:
        """Draws each token from p^(1/temperature), normalised.

        Args:
            given: what is written about.
            max_length: number of tokens at most, the end among them.
            temperature: at least 1e-6; `greedy` is what it comes to for less.
            seed: what the tokens follow from, 0 to 2³¹-1; None for others in each call.

        Returns:
            Tokens, int32 (batch, max_length), 0 after the end.
        """
        length = checked_count("max_length", max_length)
        heat = checked_number("temperature", temperature, positive=True)
        if heat < COLDEST:
            raise UsageError(f"temperature must be at least {COLDEST:g}, not {heat:g}: greedy draws nothing")
        own = int(np.random.default_rng().integers(2**31)) if seed is None else checked_seed(seed)
        return self._sample(
            self._ready(given), length, tf.constant(heat, tf.float32), tf.constant([own, 0], tf.int32)
        )

    def beam(self, given: Any, *, max_length: int, width: int = 4, alpha: float = 0.7) -> tuple[Any, Any]:
        """Writes the sequences with the highest log p / T^α that beam search finds.

        Args:
            given: what is written about.
            max_length: number of tokens at most, the end among them.
            width: number of beginnings that go on, and of sequences given out.
            alpha: α, 0 to 1.

        Returns:
            Tokens, int32 (batch, width, max_length), 0 after the end, and scores (batch, width), best first.
        """
        length, width = checked_count("max_length", max_length), checked_count("width", width)
        alpha = checked_number("alpha", alpha)
        if not 0 <= alpha <= 1:
            raise UsageError(f"alpha must be from 0 to 1, not {alpha}")
        tokens, scores = self._beam(self._ready(given), length, width, alpha)
        return tokens, scores

    def _ready(self, given: Any) -> Any:
        """What is written about, as a tensor; the model is built."""
        given = tf.convert_to_tensor(given)
        if not self.built:
            self.build([given.shape, (None, None)])
        return given

    @tf.function(autograph=False, reduce_retracing=True)  # type: ignore[untyped-decorator]
    def _greedy(self, given: Any, max_length: int) -> Any:
        return greedy_search(*self._start(given), max_length=max_length, end=self.end)

    @tf.function(autograph=False, reduce_retracing=True)  # type: ignore[untyped-decorator]
    def _sample(self, given: Any, max_length: int, temperature: Any, seed: Any) -> Any:
        return sample(
            *self._start(given), max_length=max_length, end=self.end, temperature=temperature, seed=seed
        )

    @tf.function(autograph=False, reduce_retracing=True)  # type: ignore[untyped-decorator]
    def _beam(self, given: Any, max_length: int, width: int, alpha: float) -> Any:
        return beam_search(*self._start(given), max_length=max_length, end=self.end, width=width, alpha=alpha)

    def _start(self, given: Any) -> tuple[Any, Any, Any]:
        """The step, the state before the first one, and the number of sequences."""
        return self.decoder.step, self.decoder.first_state(self.context(given)), tf.shape(given)[0]

    def get_config(self) -> dict[str, Any]:
        """The arguments, for Keras' serialisation."""
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": keras.saving.serialize_keras_object(self.dtype_policy),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "end": self.end,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Writer:
        """The model of a configuration."""
        layers: Any = {name: revived(config[name]) for name in ("decoder", "encoder") if name in config}
        return cls(**{**config, **layers})


@keras.saving.register_keras_serializable(package="seqkit")
class EncoderDecoder(Writer):
    """Reads a sequence of tokens, then writes another (Cho et al. 2014; Sutskever et al. 2014).

    The context is the state in which the encoder ends, all of its parts end to end.

    Args:
        encoder: a layer over sequences; what it says about what is given out is not asked for.
        decoder: what writes.
        source_size: number of tokens of what is read, 0 being padding.
        end: the token that ends a sequence, at least 1; tokens after it are 0.
        options: Keras' own `name`, `dtype` (that of the decoder by default) and `trainable`.
    """

    def __init__(
        self, encoder: SequenceLayer, decoder: Decoder, source_size: int, end: int, **options: Any
    ) -> None:
        check_inner([encoder, decoder.layer])
        check_stateless(encoder)
        super().__init__(decoder, end, **options)
        self.encoder = encoder
        self.source_vectors = embedding(
            encoder, source_size, decoder.vector_size, decoder.seed, "source_vectors"
        )
        self.source_size = self.source_vectors.input_dim

    def _build_context(self, shape: Any) -> Any:
        self.source_vectors.build(shape)
        self.encoder.build((*shape, self.decoder.vector_size))
        return (shape[0], sum(tf.nest.flatten(self.encoder.state_size)))

    def context(self, given: Any, training: bool = False) -> Any:
        """The state in which the encoder ends, (batch, size)."""
        course = self.encoder.run(self.source_vectors(given), None, tf.not_equal(given, 0), training)
        return tf.concat(tf.nest.flatten(course.state), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The arguments, for Keras' serialisation."""
        encoder = keras.saving.serialize_keras_object(self.encoder)
        return {**super().get_config(), "encoder": encoder, "source_size": self.source_size}


def one_to_many(
    layer: Any, *, vocabulary_size: int, vector_size: int, end: int, seed: int | None = None
) -> Writer:
    """A vector in, a sequence of tokens out, each of which follows from those before it.

    Args:
        layer: a cell, or a layer over sequences with `return_sequences`.
        vocabulary_size: number of tokens, 0 being padding.
        vector_size: length of the vectors of tokens.
        end: the token that ends a sequence.
        seed: of the initial weights beside those of the layer.

    Returns:
        A Keras model: `fit((x, y), y)`, then `greedy(x)`, `sample(x)` or `beam(x)`.
    """
    return Writer(Decoder(layer, vocabulary_size, vector_size, seed=seed), end)


def encoder_decoder(
    encoder: Any,
    decoder: Any,
    *,
    source_size: int,
    target_size: int,
    vector_size: int,
    end: int,
    seed: int | None = None,
) -> EncoderDecoder:
    """A sequence of tokens in, one of another length out.

    Args:
        encoder: a cell, or a layer over sequences, in any direction.
        decoder: a cell, or a layer over sequences with `return_sequences`, forward.
        source_size: number of tokens of what is read, 0 being padding.
        target_size: number of tokens of what is written, 0 being padding.
        vector_size: length of the vectors of tokens, of either kind.
        end: the token that ends a sequence that is written.
        seed: of the initial weights beside those of the layers.

    Returns:
        A Keras model: `fit((x, y), y)`, then `greedy(x)`, `sample(x)` or `beam(x)`.
    """
    reader = encoder if isinstance(encoder, SequenceLayer) else Recurrent(encoder, name="encoder")
    return EncoderDecoder(
        reader, Decoder(decoder, target_size, vector_size, seed=seed), source_size=source_size, end=end
    )
