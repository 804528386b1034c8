"""The CBOW step as matrix products, in TensorFlow: `reference.py` has its equations.

For a step of N blocks of L words with K noise words each:

    Y = vectors[words]     O = contexts[words]     (N, L, D)      Z = contexts[noise]      (N, K, D)
    M: 1 where a word is in the context of another (N, L, L)      c = row sums of M        (N, L)
    H = M Y / c                                    (N, L, D)      the means
    s = rows of H · O       g = η (1 - σ(s))       (N, L)
    R = H Zᵀ                G = -η ν σ(R)          (N, L, K)      ν = negative / K
    E = g O + G Z                                  (N, L, D)      η times the errors
    vectors  += rows of Mᵀ E                       contexts += rows of g H, and of Gᵀ H
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from seqkit.embeddings.block_kernel import BlockKernel, Lane, Matrix
from seqkit.embeddings.cbow.config import CBOWConfig, place_masses
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

    @staticmethod
    def _context_places(words: NDArray[np.int32], noise: NDArray[np.int32]) -> NDArray[np.int32]:
        """The words of all blocks, then their noise: so the two are gathered apart, and joined once."""
        steps = len(words)
        return np.concatenate([words.reshape(steps, -1), noise.reshape(steps, -1)], axis=1)

    def _train_lane(self, lane: Lane, learning_rate: Any) -> None:
        seen, counts, sums, own, noise, products = self._forward(lane)
        g_noise, g_noise_shared, own_descent, own_error = self._predictions.gradient(
            sums, own, products, counts, learning_rate
        )
        errors = tf.matmul(g_noise, noise) + own_error
        lane.vectors.collect(tf.matmul(seen, errors, transpose_a=True))
        lane.contexts.collect(own_descent, tf.matmul(g_noise_shared, sums, transpose_a=True))

    def _lane_loss(self, lane: Lane) -> tuple[Any, Any]:
        _, counts, sums, own, _, products = self._forward(lane)
        loss, words = self._predictions.loss(sums, own, products, counts)
        return loss, words

    def _forward(self, lane: Lane) -> tuple[Any, ...]:
        """M, c, M Y, O, Z and (M Y) Zᵀ of a lane; the mean's division waits for the pass over the scores."""
        shape = self._geometry
        seen, counts = self._predictions.seen(lane.left, lane.right, self._product_type)
        sums = tf.matmul(seen, lane.vectors.gather(lane.blocks, shape.length))
        own = lane.contexts.gather(lane.blocks, shape.length)
        noise = lane.contexts.gather(lane.blocks, shape.noise, first=shape.words)
        return seen, counts, sums, own, noise, tf.matmul(sums, noise, transpose_b=True)


class _Predictions:
    """What becomes of sums and products: weights of gradients, and the loss; XLA makes one pass of it."""

    def __init__(self, geometry: Geometry, negative: int) -> None:
        place = np.arange(geometry.length)
        self._distance = (place[None, :] - place[:, None]).astype(np.float32)  # j - i
        self._ratio = negative / geometry.noise
        self.seen = tf.function(self._seen, autograph=False, jit_compile=True)
        self.gradient = tf.function(self._gradient, autograph=False, jit_compile=True)
        self.loss = tf.function(self._loss, autograph=False, jit_compile=True)

    def _seen(self, left: Any, right: Any, product_type: Any) -> tuple[Any, Any]:
        """M and c, shapes (n, L, L) and (n, L, 1)."""
        within = (self._distance >= -left[:, :, None]) & (self._distance <= right[:, :, None])
        return tf.cast(within & (self._distance != 0), product_type), (left + right)[:, :, None]

    def _scores(self, sums: Any, own: Any, products: Any, counts: Any) -> tuple[Any, Any, Any]:
        """1/c (0 where there is no context), s and R; shapes (n, L, 1), (n, L, 1) and (n, L, K)."""
        share = tf.math.divide_no_nan(1.0, counts)
        dot = tf.reduce_sum(tf.cast(sums, tf.float32) * tf.cast(own, tf.float32), -1, keepdims=True)
        return share, share * dot, share * tf.cast(products, tf.float32)

    def _gradient(
        self, sums: Any, own: Any, products: Any, counts: Any, learning_rate: Any
    ) -> tuple[Any, Any, Any, Any]:
        """G, G / c, g H and g O."""
        share, score, noise_scores = self._scores(sums, own, products, counts)
        rate = tf.where(counts > 0, learning_rate, 0.0)
        # σ(x) = 1/2 + tanh(x/2)/2: XLA's tanh is faster than its logistic.
        g = rate * (0.5 - 0.5 * tf.tanh(0.5 * score))
        g_noise = -self._ratio * rate * (0.5 + 0.5 * tf.tanh(0.5 * noise_scores))
        outcome = (
            g_noise,
            g_noise * share,
            g * share * tf.cast(sums, tf.float32),
            g * tf.cast(own, tf.float32),
        )
        weights, shared, descent, error = (tf.cast(array, sums.dtype) for array in outcome)
        return weights, shared, descent, error

    def _loss(self, sums: Any, own: Any, products: Any, counts: Any) -> tuple[Any, Any]:
        _, score, noise_scores = self._scores(sums, own, products, counts)
        predicted = tf.where(counts > 0, 1.0, 0.0)
        noise_loss = self._ratio * tf.reduce_sum(tf.nn.softplus(noise_scores), -1, keepdims=True)
        losses = predicted * (tf.nn.softplus(-score) + noise_loss)
        return tf.reduce_sum(tf.cast(losses, tf.float64)), tf.reduce_sum(tf.cast(predicted, tf.float64))
