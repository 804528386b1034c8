"""Two tables and the compiled steps that train them; the mathematics of a step is in the subclasses.

`skipgram/kernel.py` and `cbow/kernel.py` have it.

A step is N blocks of L words with K noise words each, which all see the same tables. The steps of a whole
chunk run inside one compiled call. The work of a step is cut into lanes that share nothing, for TensorFlow to
run at the same time, each on one thread: operations as small as these get slower when a single one is spread
over threads. How many lanes there are changes no bit of the outcome.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from seqkit.embeddings.negative_sampling.chunks import Chunk, Ints
from seqkit.embeddings.negative_sampling.plan import Masses, plan_rows
from seqkit.embeddings.negative_sampling.rows import Rows
from seqkit.embeddings.skipgram.config import Geometry
from seqkit.training.compiled import compiled, stand_in

Matrix = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class PlannedChunk:
    """A chunk on the device, with the rows that its steps touch.

    Args:
        vector_rows: the plan for the table of vectors, by the names of `RowPlan`.
        context_rows: likewise for the table of contexts.
        left: as in `Chunk`, cut at the ends of the span, beyond which no word sees.
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


@dataclass(frozen=True, eq=False)
class Lane:
    """The part of a step that one thread computes: n blocks.

    Args:
        blocks: which ones.
        vectors: the rows of the table of vectors that the step touches.
        contexts: likewise of the table of contexts.
        left: shape (n, L).
        right: shape (n, L).
    """

    blocks: slice
    vectors: Rows
    contexts: Rows
    left: Any
    right: Any

    def places(self, width: int, begin: int = 0) -> slice:
        """The places of its blocks in the step, where each has `width` and the first begins at `begin`."""
        return slice(begin + self.blocks.start * width, begin + self.blocks.stop * width)


@dataclass(frozen=True)
class BlockSteps(ABC):
    """The steps of a chunk, of any tables; kernels of equal ones share what is compiled.

    Args:
        vector_size: D.
        negative: noise words of a word.
        precision: type of the products.
        geometry: of a step.
        lanes: parts of a step that run at the same time, a divisor of its blocks.
    """

    vector_size: int
    negative: int
    precision: str
    geometry: Geometry
    lanes: int

    @abstractmethod
    def context_places(self, chunk: Chunk) -> Ints:
        """Whose rows of contexts each step touches, in the order of its places, shape (S, N·(L + K))."""

    @abstractmethod
    def train_lane(self, lane: Lane, learning_rate: Any) -> None:
        """Gives to the rows of a lane what they learn."""

    @abstractmethod
    def lane_loss(self, lane: Lane) -> tuple[Any, Any]:
        """The loss of a lane and what to divide it by, both float64."""

    def tables(self) -> Any:
        """Like vectors and contexts."""
        return stand_in(self.vector_size), stand_in(self.vector_size)

    def plan(self) -> tuple[Any, ...]:
        """Types and shapes of `PlannedChunk.tensors`, for any number of steps."""
        shape = self.geometry

        def integers(*sizes: int) -> Any:
            return tf.TensorSpec([None, *sizes], tf.int32)

        def rows(places: int) -> dict[str, Any]:
            specs = {"rows": integers(), "offsets": integers(), "mass": tf.TensorSpec([None, 1], tf.float32)}
            specs |= {name: integers(places) for name in ("inverse", "order", "segments")}
            return specs | {name: integers(self.lanes + 1) for name in ("place_bounds", "row_bounds")}

        reach = tf.TensorSpec([None, shape.blocks, shape.length], tf.float32)
        return rows(shape.words), rows(shape.words + shape.blocks * shape.noise), reach, reach

    def train(self, tables: Any, plan: Any, begin: Any, end: Any) -> Any:
        """Trains all steps, at learning rates that go from one to the other."""
        steps = tf.shape(plan[-1])[0]
        slope = (end - begin) / tf.cast(steps, tf.float32)

        def body(step: Any) -> Any:
            rate = begin + slope * tf.cast(step, tf.float32)
            lanes = self._lanes_of(step, tables, plan)
            for lane in lanes:
                self.train_lane(lane, rate)
            lanes[0].vectors.update(rate)
            lanes[0].contexts.update(rate)
            return step + 1

        return tf.while_loop(lambda step: step < steps, body, [tf.constant(0)])

    def losses(self, tables: Any, plan: Any, steps: Any) -> Any:
        """The summed loss of the first steps and what to divide it by."""

        def body(step: Any, loss: Any, divisor: Any) -> Any:
            for lane in self._lanes_of(step, tables, plan):
                lane_loss, lane_divisor = self.lane_loss(lane)
                loss, divisor = loss + lane_loss, divisor + lane_divisor
            return step + 1, loss, divisor

        zero = tf.constant(0.0, tf.float64)
        _, loss, divisor = tf.while_loop(
            lambda step, loss, divisor: step < steps, body, [tf.constant(0), zero, zero]
        )
        return loss, divisor

    def _lanes_of(self, step: Any, tables: Any, plan: Any) -> list[Lane]:
        *row_plans, left, right = plan
        vectors, contexts = (
            Rows(table, rows, step, self.lanes, tf.as_dtype(self.precision))
            for table, rows in zip(tables, row_plans, strict=True)
        )
        size = self.geometry.blocks // self.lanes
        parts = [slice(lane * size, (lane + 1) * size) for lane in range(self.lanes)]

        def reach(sides: Any, part: slice) -> Any:
            return tf.ensure_shape(sides[step, part], [size, self.geometry.length])

        return [Lane(part, vectors, contexts, reach(left, part), reach(right, part)) for part in parts]


class BlockKernel:
    """Two tables and the compiled steps that train them.

    Args:
        vectors: initial table of vectors, shape (vocabulary, vector_size).
        contexts: initial table of contexts, the same shape.
        steps: of a chunk.
        masses: of the places of a step.
    """

    def __init__(self, vectors: Matrix, contexts: Matrix, steps: BlockSteps, masses: Masses) -> None:
        self.vectors, self.contexts = tf.Variable(vectors), tf.Variable(contexts)
        self._steps, self._masses = steps, masses

    def plan(self, chunk: Chunk) -> PlannedChunk:
        """What `train` and `loss` take; another thread may plan the next chunk meanwhile."""
        steps, shape = len(chunk.words), self._steps.geometry
        words, contexts = chunk.words.reshape(steps, -1), self._steps.context_places(chunk)
        plans = [
            plan_rows(ids, masses, self.vectors.shape[0], self._steps.lanes)
            for ids, masses in ((words, self._masses.vectors), (contexts, self._masses.contexts))
        ]
        vector_rows, context_rows = (
            {name: tf.constant(array) for name, array in vars(plan).items()} for plan in plans
        )
        place = (np.arange(shape.length) % shape.span).astype(np.float32)
        left, right = np.minimum(chunk.left, place), np.minimum(chunk.right, place[::-1])
        return PlannedChunk(vector_rows, context_rows, tf.constant(left), tf.constant(right), steps)

    def train(self, chunk: PlannedChunk, learning_rates: tuple[float, float]) -> None:
        """Trains all steps of a chunk.

        Args:
            chunk: from `plan`.
            learning_rates: at its beginning and its end, linear between.
        """
        begin, end = learning_rates
        train = compiled(BlockSteps.train, self._steps, self.vectors.device, tf.float32, tf.float32)
        train((self.vectors, self.contexts), chunk.tensors, tf.constant(begin), tf.constant(end))

    def loss(self, chunk: PlannedChunk, steps: int | None = None) -> tuple[float, float]:
        """The loss of a chunk's first steps at the present tables, which it leaves as they are.

        Args:
            chunk: from `plan`.
            steps: how many; None for all.

        Returns:
            The summed loss and what to divide it by, for a mean in nats.
        """
        count = tf.constant(chunk.steps if steps is None else min(steps, chunk.steps))
        losses = compiled(BlockSteps.losses, self._steps, self.vectors.device, tf.int32)
        loss, divisor = losses((self.vectors, self.contexts), chunk.tensors, count)
        return float(loss), float(divisor)


def divisor(blocks: int, lanes: int) -> int:
    """The greatest number of lanes, up to the one asked for, that divides the blocks evenly."""
    return next(n for n in range(min(blocks, lanes), 0, -1) if blocks % n == 0)
