"""Least squares for a block of rows, in TensorFlow: `reference.py` has the equations.

The system of each row is solved by steps of conjugate gradients from where the row is, as Takács, Pilászy and
Tikk 2011 (RecSys) do for weighted matrices: it takes A_i only as a product with a direction,

    A_i p = Σ_j f_ij (p·ẽ_j) ẽ_j + Λ p

which for all rows of a tile is two matrix products, (F ∘ P Ẽᵀ) Ẽ. They are preconditioned with
m_i M + ridge, where m_i = Σ_j f_ij, and M is the mean of ẽ_j ẽ_jᵀ over all pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from seqkit.embeddings.glove.config import GloVeConfig
from seqkit.embeddings.glove.layout import COLUMNS, GROUP, PIECE, ROWS, Block
from seqkit.embeddings.glove.reference import BIAS_RIDGE
from seqkit.training.compiled import compiled

Floats = NDArray[np.float32]

CG_STEPS = 2
TINY = 1e-30
"""Makes 0 / 0 a 0: a row without a residual stays where it is."""


@dataclass(frozen=True, eq=False)
class Fixed:
    """The table that is held fixed while the rows of the other are solved for; W the width, see `width`.

    Args:
        table: [e_j, 1, 0 …], rows padded to whole tiles, shape (padded vocabulary, W).
        rounded: the same in the type of the products.
        bias: b'_j, shape (padded vocabulary,).
        axes: eigenvectors of M, shape (W, W).
        spread: eigenvalues of M, shape (W,).
    """

    table: Any
    rounded: Any
    bias: Any
    axes: Any
    spread: Any


def width(vector_size: int) -> int:
    """Length of a row in the products: vector, bias, and padding to a multiple of 8."""
    return -(-(vector_size + 1) // 8) * 8


class _Settings(NamedTuple):
    """Hyper-parameters as tensors, so that all runs share what is compiled.

    Args:
        ridge: Λ, shape (W,).
        learning_rate: share of the way to the solution.
        alpha: of the weight f.
        log_x_max: likewise.
    """

    ridge: Any
    learning_rate: Any
    alpha: Any
    log_x_max: Any


@dataclass(frozen=True)
class _Solver:
    """What a compiled `solve` depends on, beside its arguments."""

    vector_size: int
    precision: str
    iterations: int

    def tables(self) -> tuple[()]:
        return ()

    def plan(self) -> Any:
        """Types of the rows, of `Fixed`, of a block, and of the settings."""
        columns = width(self.vector_size)
        vector, groups, scalar = [None], [None, PIECE, GROUP], tf.TensorSpec([], tf.float32)
        fixed = (
            tf.TensorSpec([None, columns], tf.float32),
            tf.TensorSpec([None, columns], tf.as_dtype(self.precision)),
            tf.TensorSpec(vector, tf.float32),
            tf.TensorSpec([columns, columns], tf.float32),
            tf.TensorSpec([columns], tf.float32),
        )
        block = (
            tf.TensorSpec(vector, tf.int32),
            tf.TensorSpec([None, ROWS, COLUMNS], tf.float16),
            tf.TensorSpec(groups, tf.int32),
            tf.TensorSpec(groups, tf.float32),
            tf.TensorSpec(groups, tf.float32),
            tf.TensorSpec([None, PIECE], tf.int32),
            tf.TensorSpec([ROWS], tf.float32),
        )
        own, ridge = tf.TensorSpec([ROWS, columns], tf.float32), tf.TensorSpec([columns], tf.float32)
        return own, fixed, block, _Settings(ridge, scalar, scalar, scalar)

    def solve(self, tables: tuple[()], plan: Any) -> Any:
        """The rows after some steps of conjugate gradients, and the cost before."""
        own, fixed, block, settings = plan
        system = _System(self.vector_size, fixed, block, settings)
        residual, cost = system.residual(own)
        residual -= settings.ridge * own
        mass = block[-1][:, None]
        axes, scale = fixed[3], mass * fixed[4] + tf.reduce_max(settings.ridge) + TINY

        def precondition(vectors: Any) -> Any:
            return tf.matmul(tf.matmul(vectors, axes) / scale, axes, transpose_b=True)

        change = tf.zeros_like(own)
        direction = precondition(residual)
        slope = tf.reduce_sum(residual * direction, 1, keepdims=True)
        for step in range(self.iterations):
            product = system.product(direction) + settings.ridge * direction
            length = slope / (tf.reduce_sum(direction * product, 1, keepdims=True) + TINY)
            change += length * direction
            if step + 1 == self.iterations:
                break
            residual -= length * product
            conditioned = precondition(residual)
            before, slope = slope, tf.reduce_sum(residual * conditioned, 1, keepdims=True)
            direction = conditioned + slope / (before + TINY) * direction
        return own + settings.learning_rate * change, cost


class GloVeKernel:
    """What solves for rows.

    Args:
        config: the hyper-parameters.
    """

    def __init__(self, config: GloVeConfig) -> None:
        self._size, self._width = config.vector_size, width(config.vector_size)
        self._solver = _Solver(config.vector_size, config.precision, CG_STEPS)
        ridge = np.full(self._width, config.ridge, np.float32)
        ridge[self._size] = BIAS_RIDGE
        others = config.learning_rate, config.alpha, float(np.log(config.x_max))
        self._settings = _Settings(*(tf.constant(each, tf.float32) for each in (ridge, *others)))
        self._device = self._settings.ridge.device

    def place(self, block: Block) -> tuple[Any, ...]:
        """A block on the device, for `solve`."""
        arrays = (block.tiles, block.tile_logs, block.columns, block.logs, block.weights, block.group_rows)
        return tuple(tf.constant(array) for array in (*arrays, block.mass))

    def fix(self, vectors: Floats, bias: Floats, mass: Floats) -> Fixed:
        """The table to hold fixed.

        Args:
            vectors: shape (vocabulary, vector_size).
            bias: shape (vocabulary,).
            mass: Σ_i f_ij of each of its rows, shape (vocabulary,).
        """
        words = len(vectors)
        padded = -(-words // COLUMNS) * COLUMNS
        table = np.zeros((padded, self._width), np.float32)
        table[:words, : self._size], table[:words, self._size] = vectors, 1
        moment = (table[:words] * (mass / mass.sum())[:, None]).T @ table[:words]
        spread, axes = np.linalg.eigh(moment.astype(np.float64))
        return Fixed(
            tf.constant(table),
            tf.cast(table, self._solver.precision),
            tf.constant(np.pad(bias, (0, padded - words))),
            tf.constant(axes.astype(np.float32)),
            tf.constant(np.maximum(spread, 0).astype(np.float32)),
        )

    def solve(self, vectors: Floats, bias: Floats, fixed: Fixed, block: Any) -> tuple[Floats, Floats, float]:
        """Brings the rows of a block nearer to their solution.

        Args:
            vectors: θ_i, shape (rows, vector_size).
            bias: b_i, shape (rows,).
            fixed: from `fix`.
            block: from `place`.

        Returns:
            The new vectors and biases, and ½ Σ f (…)² of the rows before, without the ridge.
        """
        rows = len(vectors)
        own = np.zeros((ROWS, self._width), np.float32)
        own[:rows, : self._size], own[:rows, self._size] = vectors, bias
        plan = tf.constant(own), tuple(vars(fixed).values()), block, self._settings
        solved, cost = compiled(_Solver.solve, self._solver, self._device)((), plan)
        solved = solved.numpy()
        return solved[:rows, : self._size], solved[:rows, self._size], float(cost)


class _System:
    """The normal equations of the rows of one block, as far as the pairs decide them."""

    def __init__(self, size: int, fixed: Any, block: Any, settings: _Settings) -> None:
        self._size = size
        self._weighting = settings.alpha, settings.log_x_max
        self._table, self._rounded, self._bias = fixed[:3]
        self._tiles, self._tile_logs, self._columns, self._logs, self._weights, self._rows, _ = block
        self._gathered = tf.gather(self._table, self._columns)

    def residual(self, own: Any) -> tuple[Any, Any]:
        """Σ_j f_ij (log X_ij - score) ẽ_j, and the cost."""
        own_bias = own[:, self._size]
        is_vector = (np.arange(own.shape[1]) != self._size).astype(np.float32)
        vectors = tf.cast(own * is_vector, self._rounded.dtype)

        def tile(number: Any, total: Any, cost: Any) -> Any:
            table, bias = self._tile(number, self._rounded), self._tile(number, self._bias)
            scores = tf.matmul(vectors, table, transpose_b=True)
            logs = self._tile_logs[number]
            weighted, part = _tile_residuals(scores, logs, own_bias, bias, *self._weighting)
            return number + 1, total + tf.cast(tf.matmul(weighted, table), tf.float32), cost + part

        def piece(number: Any, total: Any, cost: Any) -> Any:
            columns, gathered = self._columns[number], self._gathered[number]
            scores = _dots(tf.gather(own, self._rows[number]), gathered)
            difference = self._logs[number] - scores - tf.gather(self._bias, columns)
            weighted = self._weights[number] * difference
            cost += 0.5 * tf.reduce_sum(weighted * difference)
            return number + 1, total + self._summed(number, weighted, gathered), cost

        total, cost = self._over(self._tiles, tile, tf.zeros_like(own), tf.constant(0.0))
        total, cost = self._over(self._rows, piece, total, cost)
        return total, cost

    def product(self, direction: Any) -> Any:
        """Σ_j f_ij (p_i·ẽ_j) ẽ_j."""
        rounded = tf.cast(direction, self._rounded.dtype)

        def tile(number: Any, total: Any) -> Any:
            table = self._tile(number, self._rounded)
            scores = tf.matmul(rounded, table, transpose_b=True)
            weighted = _tile_weights(scores, self._tile_logs[number], *self._weighting)
            return number + 1, total + tf.cast(tf.matmul(weighted, table), tf.float32)

        def piece(number: Any, total: Any) -> Any:
            gathered = self._gathered[number]
            scores = _dots(tf.gather(direction, self._rows[number]), gathered)
            return number + 1, total + self._summed(number, self._weights[number] * scores, gathered)

        (total,) = self._over(self._tiles, tile, tf.zeros_like(direction))
        (total,) = self._over(self._rows, piece, total)
        return total

    def _tile(self, number: Any, array: Any) -> Any:
        begin = self._tiles[number] * COLUMNS
        part = array[begin : begin + COLUMNS]
        return tf.ensure_shape(part, [COLUMNS, *array.shape[1:]])

    def _summed(self, number: Any, weights: Any, gathered: Any) -> Any:
        """Σ over the pairs of each row, shape (ROWS, W)."""
        sums = _combinations(weights, gathered)
        return tf.math.unsorted_segment_sum(sums, self._rows[number], ROWS)

    @staticmethod
    def _over(array: Any, body: Any, *state: Any) -> Any:
        """The state after the body for each number along the first axis of an array."""
        count = tf.shape(array)[0]
        _, *state = tf.while_loop(
            lambda number, *_: number < count, body, (tf.constant(0), *state), parallel_iterations=1
        )
        return state


_one_pass = partial(tf.function, autograph=False, jit_compile=True)
"""XLA makes one pass over the numbers of it."""


@_one_pass
def _tile_residuals(
    scores: Any, logs: Any, own_bias: Any, bias: Any, alpha: Any, log_x_max: Any
) -> tuple[Any, Any]:
    """F ∘ (log X - scores), shape (ROWS, COLUMNS), and the cost."""
    logs = tf.cast(logs, tf.float32)
    difference = logs - tf.cast(scores, tf.float32) - own_bias[:, None] - bias[None, :]
    weighted = _tile_f(logs, alpha, log_x_max) * difference
    return tf.cast(weighted, scores.dtype), 0.5 * tf.reduce_sum(weighted * difference)


@_one_pass
def _tile_weights(scores: Any, logs: Any, alpha: Any, log_x_max: Any) -> Any:
    """F ∘ scores."""
    weighted = _tile_f(tf.cast(logs, tf.float32), alpha, log_x_max) * tf.cast(scores, tf.float32)
    return tf.cast(weighted, scores.dtype)


def _tile_f(logs: Any, alpha: Any, log_x_max: Any) -> Any:
    return tf.exp(alpha * tf.minimum(logs - log_x_max, 0.0))


@_one_pass
def _dots(vectors: Any, gathered: Any) -> Any:
    """(PIECE, W) and (PIECE, GROUP, W) to (PIECE, GROUP)."""
    return tf.einsum("gw,gkw->gk", vectors, gathered)


@_one_pass
def _combinations(weights: Any, gathered: Any) -> Any:
    """(PIECE, GROUP) and (PIECE, GROUP, W) to (PIECE, W)."""
    return tf.einsum("gk,gkw->gw", weights, gathered)
