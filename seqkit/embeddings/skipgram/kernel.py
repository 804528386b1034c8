"""The skip-gram step as matrix products, in TensorFlow: `reference.py` has its equations.

For a step of N blocks of L words with K noise words each:

    X = vectors[words]                   (N, L, D)
    Y = contexts[words and noise]        (N, L + K, D)
    S = X Yᵀ                             (N, L, L + K)
    G = η Ω (label - σ(S))               (N, L, L + K)   Ω: ω of each pair, ν of each noise word, 0 elsewhere
    vectors  += rows of G Y              contexts += rows of Gᵀ X

The steps of a whole chunk run inside one compiled call. The work of a step is cut into lanes that share
nothing, for TensorFlow to run at the same time, each on one thread: operations as small as these get slower
when a single one is spread over threads. How many lanes there are changes no bit of the outcome.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from seqkit.embeddings.skipgram.chunks import Chunk
from seqkit.embeddings.skipgram.config import Geometry, SkipGramConfig
from seqkit.embeddings.skipgram.plan import place_masses, plan_rows

Matrix = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class PlannedChunk:
    """A chunk on the device, with the rows that its steps touch.

    Args:
        vector_rows: the plan for the table of vectors, by the names of `RowPlan`.
        context_rows: likewise for the table of contexts.
        left: as in `Chunk`, cut at the ends of the block, which no pair crosses.
        right: likewise.
        steps: steps of the chunk, S.
    """

    vector_rows: dict[str, Any]
    context_rows: dict[str, Any]
    left: Any
    right: Any
    steps: int

    @property
    def tensors(self) -> tuple[Any, ...]:
        """What the compiled functions take."""
        return self.vector_rows, self.context_rows, self.left, self.right


class SkipGramKernel:
    """Two tables and the compiled step that trains them.

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
        self.vectors, self.contexts = tf.Variable(vectors), tf.Variable(contexts)
        self._geometry = geometry
        self._masses = place_masses(config, geometry)
        self._vocabulary = len(vectors)
        self._lanes = _divisor(geometry.blocks, lanes)
        self._product_type = tf.as_dtype(config.precision)
        self._weights = _PairWeights(geometry, config.negative)
        plan, scalar = self._signature(), tf.TensorSpec([], tf.float32)
        count = tf.TensorSpec([], tf.int32)
        self._train = tf.function(self._steps, autograph=False, input_signature=(*plan, scalar, scalar))
        self._evaluate = tf.function(self._losses, autograph=False, input_signature=(*plan, count))

    def plan(self, chunk: Chunk) -> PlannedChunk:
        """What `train` and `loss` take; another thread may plan the next chunk meanwhile."""
        steps = len(chunk.words)
        contexts = np.concatenate([chunk.words, chunk.noise], axis=2)
        plans = [
            plan_rows(ids.reshape(steps, -1), masses, self._vocabulary, self._lanes)
            for ids, masses in ((chunk.words, self._masses.vectors), (contexts, self._masses.contexts))
        ]
        vector_rows, context_rows = (
            {name: tf.constant(array) for name, array in vars(plan).items()} for plan in plans
        )
        place = np.arange(self._geometry.length, dtype=np.float32)
        left, right = np.minimum(chunk.left, place), np.minimum(chunk.right, place[::-1])
        return PlannedChunk(vector_rows, context_rows, tf.constant(left), tf.constant(right), steps)

    def train(self, chunk: PlannedChunk, learning_rates: tuple[float, float]) -> None:
        """Trains all steps of a chunk.

        Args:
            chunk: from `plan`.
            learning_rates: at its beginning and its end, linear between.
        """
        begin, end = learning_rates
        self._train(*chunk.tensors, tf.constant(begin), tf.constant(end))

    def loss(self, chunk: PlannedChunk, steps: int | None = None) -> tuple[float, float]:
        """The loss of a chunk's first steps at the present tables, which it leaves as they are.

        Args:
            chunk: from `plan`.
            steps: how many; None for all.

        Returns:
            J and Σ ω: their quotient is the loss of a pair with its noise, in nats.
        """
        count = chunk.steps if steps is None else min(steps, chunk.steps)
        loss, pairs = self._evaluate(*chunk.tensors, tf.constant(count))
        return float(loss), float(pairs)

    def _signature(self) -> tuple[Any, ...]:
        """Types and shapes of `PlannedChunk.tensors`, for any number of steps.

        A graph for each number of steps would round differently (a division by a constant becomes a product),
        and which one a chunk meets would depend on where its run was interrupted.
        """
        shape = self._geometry

        def integers(*sizes: int) -> Any:
            return tf.TensorSpec([None, *sizes], tf.int32)

        def rows(places: int) -> dict[str, Any]:
            specs = {"rows": integers(), "offsets": integers(), "mass": tf.TensorSpec([None, 1], tf.float32)}
            specs |= {name: integers(places) for name in ("inverse", "order", "segments")}
            return specs | {name: integers(self._lanes + 1) for name in ("place_bounds", "row_bounds")}

        reach = tf.TensorSpec([None, shape.blocks, shape.length], tf.float32)
        return rows(shape.words), rows(shape.words + shape.blocks * shape.noise), reach, reach

    def _steps(self, vector_plan: Any, context_plan: Any, left: Any, right: Any, begin: Any, end: Any) -> Any:
        steps = tf.shape(left)[0]
        slope = (end - begin) / tf.cast(steps, tf.float32)

        def body(step: Any) -> Any:
            rate = begin + slope * tf.cast(step, tf.float32)
            self._step(step, vector_plan, context_plan, left[step], right[step], rate)
            return step + 1

        return tf.while_loop(lambda step: step < steps, body, [tf.constant(0)])

    def _step(
        self, step: Any, vector_plan: Any, context_plan: Any, left: Any, right: Any, learning_rate: Any
    ) -> None:
        vectors = _Rows(self.vectors, vector_plan, step, self._lanes, self._product_type)
        contexts = _Rows(self.contexts, context_plan, step, self._lanes, self._product_type)
        for lane in self._lanes_of(vectors, contexts, left, right):
            weights = self._weights.gradient(lane.scores, lane.left, lane.right, learning_rate)
            vectors.collect(tf.matmul(weights, lane.y))
            contexts.collect(tf.matmul(weights, lane.x, transpose_a=True))
        vectors.update(learning_rate)
        contexts.update(learning_rate)

    def _losses(self, vector_plan: Any, context_plan: Any, left: Any, right: Any, steps: Any) -> Any:
        def body(step: Any, loss: Any, pairs: Any) -> Any:
            vectors = _Rows(self.vectors, vector_plan, step, self._lanes, self._product_type)
            contexts = _Rows(self.contexts, context_plan, step, self._lanes, self._product_type)
            for lane in self._lanes_of(vectors, contexts, left[step], right[step]):
                lane_loss, lane_pairs = self._weights.loss(lane.scores, lane.left, lane.right)
                loss, pairs = loss + lane_loss, pairs + lane_pairs
            return step + 1, loss, pairs

        zero = tf.constant(0.0, tf.float64)
        _, loss, pairs = tf.while_loop(
            lambda step, loss, pairs: step < steps, body, [tf.constant(0), zero, zero]
        )
        return loss, pairs

    def _lanes_of(self, vectors: _Rows, contexts: _Rows, left: Any, right: Any) -> Iterator[_Lane]:
        shape = self._geometry
        x_index = tf.reshape(vectors.inverse, [shape.blocks, shape.length])
        y_index = tf.reshape(contexts.inverse, [shape.blocks, shape.length + shape.noise])
        size = shape.blocks // self._lanes
        for lane in range(self._lanes):
            part = slice(lane * size, (lane + 1) * size)
            x, y = tf.gather(vectors.rounded, x_index[part]), tf.gather(contexts.rounded, y_index[part])
            scores = tf.ensure_shape(
                tf.matmul(x, y, transpose_b=True), [size, shape.length, shape.length + shape.noise]
            )
            reaches = (tf.ensure_shape(reach[part], [size, shape.length]) for reach in (left, right))
            yield _Lane(x, y, scores, *reaches)


@dataclass(frozen=True, eq=False)
class _Lane:
    """The part of a step that one thread computes: n blocks.

    Args:
        x: vectors of the words, shape (n, L, D).
        y: contexts of the words and of the noise, shape (n, L + K, D).
        scores: x yᵀ, shape (n, L, L + K).
        left: shape (n, L).
        right: shape (n, L).
    """

    x: Any
    y: Any
    scores: Any
    left: Any
    right: Any


class _Rows:
    """The distinct rows of a table that one step touches: read once, written once."""

    def __init__(self, table: Any, plan: Any, step: Any, lanes: int, product_type: Any) -> None:
        self._table = table
        self._descents: list[Any] = []
        self.inverse = plan["inverse"][step]
        order, segments = plan["order"][step], plan["segments"][step]
        place, row = plan["place_bounds"][step], plan["row_bounds"][step]
        offset = plan["offsets"][step]
        self._mass = plan["mass"][offset : offset + row[lanes]]
        self._parts = []
        for lane in range(lanes):
            part, places = slice(row[lane], row[lane + 1]), slice(place[lane], place[lane + 1])
            rows = plan["rows"][offset + row[lane] : offset + row[lane + 1]]
            gathered = tf.gather(table, rows)
            self._parts.append((part, rows, gathered, order[places], segments[places] - row[lane]))
        self.rounded = tf.concat([tf.cast(values, product_type) for _, _, values, _, _ in self._parts], 0)

    def collect(self, descent: Any) -> None:
        """Takes the descent at the places of a lane, η times the negative gradient, shape (n, places, D)."""
        self._descents.append(tf.reshape(descent, [-1, descent.shape[-1]]))

    def update(self, learning_rate: Any) -> None:
        """Adds to each row what its places collected, no faster than its mass allows."""
        descent = tf.concat(self._descents, 0)
        # For all rows at once: the last digit of a division depends on where in the array it stands.
        share = tf.minimum(1.0, 1.0 / (learning_rate * self._mass))
        for part, rows, values, order, segments in self._parts:
            # A gather, a cast and a sum of neighbours are faster than SparseSegmentSum, which does all three.
            in_order = tf.cast(tf.gather(descent, order), tf.float32)
            total = tf.raw_ops.SegmentSum(data=in_order, segment_ids=segments)
            tf.raw_ops.ResourceScatterUpdate(
                resource=self._table.handle, indices=rows, updates=values + total * share[part]
            )


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


def _divisor(blocks: int, lanes: int) -> int:
    """The greatest number of lanes, up to the one asked for, that divides the blocks evenly."""
    return next(n for n in range(min(blocks, lanes), 0, -1) if blocks % n == 0)
