"""The CBOW step as matrix products, in TensorFlow: `reference.py` has its equations.

For a step of N blocks of L words, in spans of T words each, with K noise words a block:

    Y = vectors[words]                   (N·L/T, T, D)
    O = contexts[words]                  (N·L/T, T, D)
    Z = contexts[noise]                  (N, K, D)
    M: 1 where a word is in the context of another     (N·L/T, T, T)      c = row sums of M
    H = M Y / c                          (N, L, D)        the means
    s, S = H·O row by row, H Zᵀ          (N, L), (N, L, K)
    g = η (1 - σ(s))                     (N, L)
    G = -η ν σ(S)                        (N, L, K)        ν = negative / K
    E = g O + G Z                        (N, L, D)        η times the errors
    vectors  += rows of Mᵀ E             contexts += rows of g H, and of Gᵀ H

Y, O, H and E are the same numbers in the order of the text whether they are seen as spans or as blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from seqkit.embeddings.cbow.config import CBOWConfig, place_masses
from seqkit.embeddings.negative_sampling.chunks import Chunk, Ints
from seqkit.embeddings.negative_sampling.kernel import BlockKernel, BlockSteps, Lane, Matrix, divisor
from seqkit.embeddings.skipgram.config import Geometry


class CBOWKernel(BlockKernel):
    """The tables of CBOW and the compiled step that trains them.

    Its loss is Σ J_i, by the words with a context that of a word with its noise (`reference.py`).

    Args:
        vectors: initial table of vectors, shape (vocabulary, vector_size).
        contexts: initial table of contexts, the same shape.
        config: negative and precision.
        geometry: of a step.
        lanes: parts of a step that run at the same time; cut to what the blocks can be divided into.
    """

    def __init__(
        self, vectors: Matrix, contexts: Matrix, config: CBOWConfig, geometry: Geometry, lanes: int
    ) -> None:
        steps = _Steps(
            vectors.shape[1], config.negative, config.precision, geometry, divisor(geometry.blocks, lanes)
        )
        super().__init__(vectors, contexts, steps, place_masses(config, geometry))


class _Steps(BlockSteps):
    @cached_property
    def _predictions(self) -> _Predictions:
        return _Predictions(self.geometry, self.negative)

    def context_places(self, chunk: Chunk) -> Ints:
        """The words of all blocks, then their noise: each is gathered by itself."""
        steps = len(chunk.words)
        return np.concatenate([ids.reshape(steps, -1) for ids in (chunk.words, chunk.noise)], axis=1)

    def train_lane(self, lane: Lane, learning_rate: Any) -> None:
        shape, sees = self.geometry, self._forward(lane)
        words, noise = lane.places(shape.length), lane.places(shape.noise, shape.words)
        gradients, shared = self._predictions.noise_gradient(sees.noise_products, sees.counts, learning_rate)
        errors, own = self._predictions.own_gradient(
            tf.matmul(gradients, sees.noise),
            sees.own,
            sees.sums,
            sees.own_products,
            sees.counts,
            learning_rate,
        )
        errors = tf.reshape(errors, [-1, shape.span, errors.shape[-1]])
        lane.vectors.collect(words, tf.matmul(sees.context, errors, transpose_a=True))
        lane.contexts.collect(words, own)
        lane.contexts.collect(noise, tf.matmul(shared, sees.sums, transpose_a=True))

    def lane_loss(self, lane: Lane) -> tuple[Any, Any]:
        sees = self._forward(lane)
        loss, words = self._predictions.loss(sees.own_products, sees.noise_products, sees.counts)
        return loss, words

    def _forward(self, lane: Lane) -> _Forward:
        shape, blocks = self.geometry, lane.blocks.stop - lane.blocks.start
        words, noise = lane.places(shape.length), lane.places(shape.noise, shape.words)
        context, counts = self._predictions.context(lane.left, lane.right, tf.as_dtype(self.precision))
        sums = tf.matmul(context, lane.vectors.gather(words, shape.span))
        sums = tf.reshape(sums, [blocks, shape.length, self.vector_size])
        own = lane.contexts.gather(words, shape.length)
        rows = lane.contexts.gather(noise, shape.noise)
        return _Forward(
            context=context,
            counts=counts,
            sums=sums,
            own=own,
            noise=rows,
            own_products=tf.reduce_sum(tf.cast(sums * own, tf.float32), -1, keepdims=True),
            noise_products=tf.matmul(sums, rows, transpose_b=True),
        )


@dataclass(frozen=True, eq=False)
class _Forward:
    """What a lane of n blocks sees; the mean's division waits for the pass over the products.

    Args:
        context: M, shape (n·L/T, T, T).
        counts: c, shape (n, L, 1).
        sums: M Y, shape (n, L, D).
        own: O, shape (n, L, D).
        noise: Z, shape (n, K, D).
        own_products: c s, shape (n, L, 1).
        noise_products: c S, shape (n, L, K).
    """

    context: Any
    counts: Any
    sums: Any
    own: Any
    noise: Any
    own_products: Any
    noise_products: Any


class _Predictions:
    """What becomes of products: gradients and the loss; XLA makes one pass of each."""

    def __init__(self, geometry: Geometry, negative: int) -> None:
        place = np.arange(geometry.span)
        self._distance = (place[None, :] - place[:, None]).astype(np.float32)  # j - i
        self._span, self._share = geometry.span, negative / geometry.noise
        self.context = tf.function(self._context, autograph=False, jit_compile=True)
        self.noise_gradient = tf.function(self._noise_gradient, autograph=False, jit_compile=True)
        self.own_gradient = tf.function(self._own_gradient, autograph=False, jit_compile=True)
        self.loss = tf.function(self._loss, autograph=False, jit_compile=True)

    def _context(self, left: Any, right: Any, product_type: Any) -> tuple[Any, Any]:
        """M and c."""
        to_left, to_right = (tf.reshape(reach, [-1, self._span, 1]) for reach in (left, right))
        within = (self._distance >= -to_left) & (self._distance <= to_right)
        return tf.cast(within & (self._distance != 0), product_type), (left + right)[:, :, None]

    def _noise_gradient(self, products: Any, counts: Any, learning_rate: Any) -> tuple[Any, Any]:
        """G, and G / c, which is 0 where there is no context."""
        share, rate = self._rates(counts, learning_rate)
        # σ(s) = 1/2 + tanh(s/2)/2: XLA's tanh is faster than its logistic.
        scores = share * tf.cast(products, tf.float32)
        weights = rate * self._share * (-0.5 - 0.5 * tf.tanh(0.5 * scores))
        return tf.cast(weights, products.dtype), tf.cast(share * weights, products.dtype)

    def _own_gradient(
        self, errors: Any, own: Any, sums: Any, products: Any, counts: Any, learning_rate: Any
    ) -> tuple[Any, Any]:
        """E and g H, from G Z."""
        share, rate = self._rates(counts, learning_rate)
        weights = rate * (0.5 - 0.5 * tf.tanh(0.5 * share * products))
        whole = tf.cast(errors, tf.float32) + weights * tf.cast(own, tf.float32)
        return tf.cast(whole, own.dtype), tf.cast(share * weights * tf.cast(sums, tf.float32), own.dtype)

    def _rates(self, counts: Any, learning_rate: Any) -> tuple[Any, Any]:
        """1 / c and η, both 0 where there is no context."""
        return tf.math.divide_no_nan(1.0, counts), tf.where(counts > 0, learning_rate, 0.0)

    def _loss(self, own_products: Any, noise_products: Any, counts: Any) -> tuple[Any, Any]:
        share, predicted = self._rates(counts, 1.0)
        own = tf.nn.softplus(-share * own_products)
        noise = self._share * tf.nn.softplus(share * tf.cast(noise_products, tf.float32))
        losses = predicted * (own + tf.reduce_sum(noise, -1, keepdims=True))
        return tf.reduce_sum(tf.cast(losses, tf.float64)), tf.reduce_sum(tf.cast(predicted, tf.float64))
