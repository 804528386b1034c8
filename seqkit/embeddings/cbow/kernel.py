"""The CBOW step as matrix products, in TensorFlow: `reference.py` has its equations.

For a step of N blocks of L words with K noise words each:

    Y = vectors[words]                   (N, L, D)
    O = contexts[words and noise]        (N, L + K, D)
    M: 1 where a word is in the context of another     (N, L, L)      c = row sums of M    (N, L)
    H = M Y / c                          (N, L, D)        the means
    S = H Oᵀ                             (N, L, L + K)
    G = η Ω (label - σ(S))               (N, L, L + K)    Ω: 1 of a word with itself, ν of noise, 0 elsewhere
    E = G O                              (N, L, D)        η times the errors
    vectors  += rows of Mᵀ E             contexts += rows of Gᵀ H

Of the scores of words only the diagonal is wanted; all of them are made, in
one product with those of the noise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from seqkit.embeddings.cbow.config import CBOWConfig, place_masses
from seqkit.embeddings.negative_sampling.kernel import BlockKernel, Lane, Matrix
from seqkit.embeddings.skipgram.config import Geometry


class CBOWKernel(BlockKernel):
    """The tables of CBOW and the compiled step that trains them.

    Its loss is Σ J_i, by the words with a context that of a word with its noise (`reference.py`). The
    arguments are those of `BlockKernel`, without the masses.
    """

    def __init__(
        self, vectors: Matrix, contexts: Matrix, config: CBOWConfig, geometry: Geometry, lanes: int
    ) -> None:
        self._predictions = _Predictions(geometry, config.negative)
        super().__init__(vectors, contexts, config, geometry, place_masses(config, geometry), lanes)

    def _train_lane(self, lane: Lane, learning_rate: Any) -> None:
        seen, counts, sums, rows, products = self._forward(lane)
        weights, shared = self._predictions.gradient(products, counts, learning_rate)
        errors = tf.matmul(weights, rows)
        lane.vectors.collect(tf.matmul(seen, errors, transpose_a=True))
        lane.contexts.collect(tf.matmul(shared, sums, transpose_a=True))

    def _lane_loss(self, lane: Lane) -> tuple[Any, Any]:
        _, counts, _, _, products = self._forward(lane)
        loss, words = self._predictions.loss(products, counts)
        return loss, words

    def _forward(self, lane: Lane) -> tuple[Any, ...]:
        """M, c, M Y, O and c S of a lane; the mean's division waits for the pass over the scores."""
        length, both = self._geometry.length, self._geometry.length + self._geometry.noise
        seen, counts = self._predictions.seen(lane.left, lane.right, self._product_type)
        sums = tf.matmul(seen, lane.vectors.gather(lane.blocks, length))
        rows = lane.contexts.gather(lane.blocks, both)
        return seen, counts, sums, rows, tf.matmul(sums, rows, transpose_b=True)


class _Predictions:
    """What becomes of products: the weights of gradients, and the loss; XLA makes one pass of it."""

    def __init__(self, geometry: Geometry, negative: int) -> None:
        place, noise = np.arange(geometry.length), geometry.noise
        self._distance = (place[None, :] - place[:, None]).astype(np.float32)  # j - i
        self._is_noise = np.arange(geometry.length + noise) >= geometry.length
        own = np.eye(geometry.length, geometry.length + noise)
        self._weights = np.where(self._is_noise, negative / noise, own).astype(np.float32)
        self.seen = tf.function(self._seen, autograph=False, jit_compile=True)
        self.gradient = tf.function(self._gradient, autograph=False, jit_compile=True)
        self.loss = tf.function(self._loss, autograph=False, jit_compile=True)

    def _seen(self, left: Any, right: Any, product_type: Any) -> tuple[Any, Any]:
        """M and c, shapes (n, L, L) and (n, L, 1)."""
        within = (self._distance >= -left[:, :, None]) & (self._distance <= right[:, :, None])
        return tf.cast(within & (self._distance != 0), product_type), (left + right)[:, :, None]

    def _gradient(self, products: Any, counts: Any, learning_rate: Any) -> tuple[Any, Any]:
        """G, and G / c, which is 0 where there is no context."""
        share = tf.math.divide_no_nan(1.0, counts)
        rate = tf.where(counts > 0, learning_rate, 0.0)
        # label - σ(s) = ±1/2 - tanh(s/2)/2: XLA's tanh is faster than its logistic.
        scores = share * tf.cast(products, tf.float32)
        half = tf.where(self._is_noise, -0.5, 0.5) - 0.5 * tf.tanh(0.5 * scores)
        weights = rate * self._weights * half
        return tf.cast(weights, products.dtype), tf.cast(share * weights, products.dtype)

    def _loss(self, products: Any, counts: Any) -> tuple[Any, Any]:
        scores = tf.math.divide_no_nan(1.0, counts) * tf.cast(products, tf.float32)
        predicted = tf.where(counts > 0, 1.0, 0.0)
        losses = predicted * self._weights * tf.nn.softplus(tf.where(self._is_noise, scores, -scores))
        return tf.reduce_sum(tf.cast(losses, tf.float64)), tf.reduce_sum(tf.cast(predicted, tf.float64))
