"""A network over words: vectors, an encoder that makes one vector of a text, a softmax for each task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from seqkit.cells.numerics import dropout_mask
from seqkit.sentiment.documents import MISSING, PAD_ID
from seqkit.sentiment.models.network_settings import NetworkSettings
from seqkit.sentiment.models.recurrence import products_in

Array = NDArray[np.float32]

MOMENTUM = 0.9
"""Of the means of batch normalisation: small sets have few batches."""


class TextNetwork:
    """z = V ê + a of each task, ê what the encoder makes of the vectors of a text.

    A `seqkit.training.network.Network`.

    Args:
        settings: of the network.
        encoder: a layer of Keras: `encoder(vectors, mask=mask, training=training)` gives (batch, size).
        vectors: of the words that are learned, the first ids, (words, vector_size).
        further: of the words after these, which texts may have but training texts have not.
        label_weights: what each label counts, for each task, the main one first.
        seed: of initial weights and masks.
        bfloat16: take the products of the encoder in bfloat16, in training.

    Attributes:
        embeddings: (words, vector_size).
        encoder: as given, with its weights.
        norm: batch normalisation; None without.
        heads: V (size, labels) and a (labels,) of each task.
    """

    def __init__(
        self,
        settings: NetworkSettings,
        encoder: Any,
        vectors: Array,
        label_weights: Sequence[Array],
        *,
        further: Array | None = None,
        seed: int = 0,
        bfloat16: bool = False,
    ) -> None:
        self.settings, self.encoder, self.bfloat16 = settings, encoder, bfloat16
        self.embeddings = keras.Variable(vectors, trainable=not settings.frozen, name="embeddings")
        self._further = None if further is None or not len(further) else tf.constant(further)
        size = vectors.shape[1]
        shape = (None, None, size)
        encoder.build(shape)
        width = encoder(tf.zeros((1, 1, size)), mask=tf.ones((1, 1), tf.bool)).shape[-1]
        self.norm = None
        if settings.batch_norm:
            self.norm = keras.layers.BatchNormalization(momentum=MOMENTUM, name="norm")
            self.norm.build((None, width))
        self._label_weights = [tf.constant(weights) for weights in label_weights]
        self.heads = []
        for number, weights in enumerate(label_weights):
            draw = keras.initializers.GlorotUniform(seed + number)
            kernel = keras.Variable(draw((width, len(weights))), name=f"kernel_{number}")
            bias = keras.Variable(np.zeros(len(weights), np.float32), name=f"bias_{number}")
            self.heads.append((kernel, bias))
        self.seeds = keras.random.SeedGenerator(seed)
        self._scored = tf.function(
            lambda ids: self.logits(self.vectors_of(ids), ids != PAD_ID)[0],
            input_signature=[tf.TensorSpec([None, None], tf.int32)],
            autograph=False,
        )

    # Variables

    @property
    def trainable_variables(self) -> list[Any]:
        """What is learned."""
        return [*([self.embeddings] if self.embeddings.trainable else []), *self.above]

    @property
    def above(self) -> list[Any]:
        """What is learned above the vectors."""
        norm = self.norm.trainable_variables if self.norm is not None else []
        return [*self.encoder.trainable_variables, *norm, *(each for head in self.heads for each in head)]

    @property
    def variables(self) -> list[Any]:
        """All that the next batch depends on; vectors that are not learned are always the same."""
        learned = self.trainable_variables
        others = [*self.encoder.variables, *(self.norm.variables if self.norm is not None else [])]
        kept = {id(variable) for variable in learned}
        return [*learned, *(each for each in others if id(each) not in kept), self.seeds.state]

    @property
    def depths(self) -> list[int]:
        """How far below the softmax each of `trainable_variables` is: 1 for the top layer of the encoder."""
        layers = getattr(self.encoder, "layers", [self.encoder])
        depth_of = {
            id(variable): len(layers) - number
            for number, layer in enumerate(layers)
            for variable in layer.trainable_variables
        }
        depth_of[id(self.embeddings)] = len(layers) + 1
        return [depth_of.get(id(variable), 0) for variable in self.trainable_variables]

    @property
    def weights(self) -> dict[str, Any]:
        """What answers the main task above the vectors, by its name in a bundle."""
        named = {
            f"encoder_{number}.{variable.name}": variable
            for number, variable in enumerate(self.encoder.trainable_variables)
        }
        if self.norm is not None:
            named |= {f"norm.{variable.name}": variable for variable in self.norm.variables}
        return named | {"kernel": self.heads[0][0], "bias": self.heads[0][1]}

    @property
    def all_vectors(self) -> Array:
        """The vectors of all words, (vocabulary, vector_size)."""
        own: Array = self.embeddings.numpy()
        return own if self._further is None else np.concatenate([own, self._further.numpy()])

    # Forward

    def vectors_of(self, ids: Any) -> Any:
        """The vectors of words of any text, (…, vector_size), 0 after its end."""
        own = tf.convert_to_tensor(self.embeddings)
        count = own.shape[0]
        found = tf.gather(own, tf.minimum(ids, count - 1))
        if self._further is not None:
            others = tf.gather(self._further, tf.maximum(ids - count, 0))
            found = tf.where((ids < count)[..., None], found, others)
        return found * tf.cast(ids != PAD_ID, found.dtype)[..., None]

    def logits(self, vectors: Any, mask: Any, training: bool = False) -> list[Any]:
        """The logits of each task, (batch, labels).

        Args:
            vectors: (batch, time, vector_size).
            mask: which steps are of the text, (batch, time).
            training: draw masks of dropout.
        """
        settings = self.settings
        base = self._next_seed() if training else None
        vectors = self._dropped(vectors, settings.vector_dropout, base, 0)
        policy = "mixed_bfloat16" if training and self.bfloat16 else "float32"
        with products_in(policy, self.encoder):
            found = self.encoder(vectors, mask=mask, training=training)
        values = tf.cast(found, tf.float32)
        if self.norm is not None:
            values = self.norm(values, training=training)
        values = self._dropped(values, settings.dropout, base, 1)
        return [
            tf.matmul(values, tf.convert_to_tensor(kernel)) + tf.convert_to_tensor(bias)
            for kernel, bias in self.heads
        ]

    def _next_seed(self) -> Any:
        return tf.cast(tf.convert_to_tensor(self.seeds.next()), tf.int32)

    def _dropped(self, values: Any, rate: float, base: Any, place: int) -> Any:
        if base is None or not rate:
            return values
        seed = tf.random.fold_in(base, place, alg="philox")
        return values * dropout_mask(tf.unstack(tf.shape(values)), rate, seed, values.dtype)

    # Training

    def loss(self, ids: Any, targets: Any) -> Any:
        """The sum over tasks of the mean loss of the texts that have a label; see `heads`.

        Args:
            ids: of words that are learned, (batch, time), padded.
            targets: (batch, tasks), `MISSING` where there is none.
        """
        mask = ids != PAD_ID
        vectors = tf.gather(tf.convert_to_tensor(self.embeddings), ids)
        vectors *= tf.cast(mask, vectors.dtype)[..., None]
        losses = [
            self._loss_of(logits, targets[:, number], number)
            for number, logits in enumerate(self.logits(vectors, mask, training=True))
        ]
        return tf.add_n(losses)

    def _loss_of(self, logits: Any, targets: Any, number: int) -> Any:
        labels, smoothing = logits.shape[-1], self.settings.label_smoothing
        there = tf.cast(targets != MISSING, logits.dtype)
        known = tf.maximum(targets, 0)
        wanted = tf.one_hot(known, labels) * (1 - smoothing) + smoothing / labels
        surprisal = tf.nn.softmax_cross_entropy_with_logits(wanted, logits)
        weights = tf.gather(self._label_weights[number], known) * there
        return tf.reduce_sum(weights * surprisal) / tf.maximum(tf.reduce_sum(there), 1)

    def begin_epoch(self, epoch: int) -> None:
        """Nothing is carried from text to text."""

    # Scoring

    def scored(self, ids: NDArray[np.int32]) -> Array:
        """The logits of the main task of padded texts, (texts, labels)."""
        found: Array = self._scored(tf.constant(ids)).numpy()
        return found

    def slopes(self, ids: NDArray[np.int32], shares: NDArray[np.float64]) -> tuple[Array, Array]:
        """The slope of each logit of one text by its vectors, where these are a share of what they are.

        Args:
            ids: (time,).
            shares: of the vectors, (points,).

        Returns:
            The vectors, (time, vector_size), and the slopes, (labels, points, time, vector_size).
        """
        vectors = self.vectors_of(tf.constant(ids)[None])
        points = vectors * tf.cast(shares, tf.float32)[:, None, None]
        mask = tf.ones(tf.shape(points)[:2], tf.bool)
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch(points)
            logits = tf.unstack(self.logits(points, mask)[0], axis=1)
        found = np.stack([tape.gradient(each, points).numpy() for each in logits])
        return vectors[0].numpy(), found
