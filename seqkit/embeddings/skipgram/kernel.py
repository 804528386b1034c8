"""The skip-gram step as matrix products, in TensorFlow: `reference.py` has its equations.

For a step of N blocks of L words with K noise words each:

    X = vectors[words]                   (N, L, D)
    Y = contexts[words and noise]        (N, L + K, D)
    S = X Yᵀ                             (N, L, L + K)
    G = η Ω (label - σ(S))               (N, L, L + K)   Ω: ω of each pair, ν of each noise word, 0 elsewhere
    vectors  += rows of G Y              contexts += rows of Gᵀ X
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from seqkit.embeddings.negative_sampling.chunks import Chunk, Ints
from seqkit.embeddings.negative_sampling.kernel import BlockKernel, BlockSteps, Lane, Matrix, divisor
from seqkit.embeddings.negative_sampling.plan import place_masses
from seqkit.embeddings.skipgram.config import Geometry, SkipGramConfig


class SkipGramKernel(BlockKernel):
    """The tables of skip-gram and the compiled step that trains them.

    Its loss is J, by Σ ω that of a pair with its noise (`reference.py`).

    Args:
        vectors: initial table of vectors, shape (vocabulary, vector_size).
        contexts: initial table of contexts, the same shape.
        config: negative and precision.
        geometry: of a step.
        lanes: parts of a step that run at the same time; cut to what the blocks can be divided into.
    """

    def __init__(
        self, vectors: Matrix, contexts: Matrix, config: SkipGramConfig, geometry: Geometry, lanes: int
    ) -> None:
        steps = _Steps(
            vectors.shape[1], config.negative, config.precision, geometry, divisor(geometry.blocks, lanes)
        )
        super().__init__(vectors, contexts, steps, place_masses(config, geometry))


class _Steps(BlockSteps):
    @cached_property
    def _weights(self) -> _PairWeights:
        return _PairWeights(self.geometry, self.negative)

    def context_places(self, chunk: Chunk) -> Ints:
        return np.concatenate([chunk.words, chunk.noise], axis=2).reshape(len(chunk.words), -1)

    def train_lane(self, lane: Lane, learning_rate: Any) -> None:
        x, y, scores = self._scores(lane)
        weights = self._weights.gradient(scores, lane.left, lane.right, learning_rate)
        length, both = self.geometry.length, self.geometry.length + self.geometry.noise
        lane.vectors.collect(lane.places(length), tf.matmul(weights, y))
        lane.contexts.collect(lane.places(both), tf.matmul(weights, x, transpose_a=True))

    def lane_loss(self, lane: Lane) -> tuple[Any, Any]:
        _, _, scores = self._scores(lane)
        loss, pairs = self._weights.loss(scores, lane.left, lane.right)
        return loss, pairs

    def _scores(self, lane: Lane) -> tuple[Any, Any, Any]:
        """X, Y and S of a lane."""
        length, both = self.geometry.length, self.geometry.length + self.geometry.noise
        x = lane.vectors.gather(lane.places(length), length)
        y = lane.contexts.gather(lane.places(both), both)
        size = lane.blocks.stop - lane.blocks.start
        return x, y, tf.ensure_shape(tf.matmul(x, y, transpose_b=True), [size, length, both])


class _PairWeights:
    """What becomes of the scores: the weight of each gradient, and the loss; XLA makes one pass of it."""

    def __init__(self, geometry: Geometry, negative: int) -> None:
        length, noise = geometry.length, geometry.noise
        distance = np.arange(length)[None, :] - np.arange(length)[:, None]  # j - i
        self._distance = np.pad(distance, ((0, 0), (0, noise))).astype(np.float32)
        self._is_noise = np.arange(length + noise) >= length
        self._omega = np.where(distance == 0, 0, 1 / (1 - np.abs(distance) / length))
        self._omega = np.pad(self._omega, ((0, 0), (0, noise))).astype(np.float32)
        # Σ_j ω_ij over the words within reach r on one side, r = 0..length.
        self._within = np.append(0, np.cumsum(1 / (1 - np.arange(1, length) / length))).astype(np.float32)
        self._ratio = negative / noise
        self.gradient = tf.function(self._gradient, autograph=False, jit_compile=True)
        self.loss = tf.function(self._loss, autograph=False, jit_compile=True)

    def _weights(self, left: Any, right: Any) -> Any:
        """Ω and Σ_j ω_ij, shapes (n, L, L + K) and (n, L)."""
        within = (self._distance >= -left[:, :, None]) & (self._distance <= right[:, :, None])
        pairs = tf.gather(self._within, tf.cast(left, tf.int32)) + tf.gather(
            self._within, tf.cast(right, tf.int32)
        )
        noise = (self._ratio * pairs)[:, :, None]
        return tf.where(self._is_noise, noise, tf.where(within, self._omega, 0.0)), pairs

    def _gradient(self, scores: Any, left: Any, right: Any, learning_rate: Any) -> Any:
        weights, _ = self._weights(left, right)
        # label - σ(s) = ±1/2 - tanh(s/2)/2: XLA's tanh is faster than its logistic.
        half = tf.where(self._is_noise, -0.5, 0.5) - 0.5 * tf.tanh(0.5 * tf.cast(scores, tf.float32))
        return tf.cast(learning_rate * weights * half, scores.dtype)

    def _loss(self, scores: Any, left: Any, right: Any) -> Any:
        weights, pairs = self._weights(left, right)
        scores = tf.cast(scores, tf.float32)
        losses = weights * tf.nn.softplus(tf.where(self._is_noise, scores, -scores))
        return tf.reduce_sum(tf.cast(losses, tf.float64)), tf.reduce_sum(tf.cast(pairs, tf.float64))
