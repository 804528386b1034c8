"""Least squares for a block of rows, in TensorFlow: `reference.py` has the equations.

The system of each row is solved by steps of conjugate gradients from where the row is, as Takács, Pilászy and
Tikk 2011 (RecSys) do for weighted matrices: it takes A_i only as a product with a direction,

    A_i p = Σ_j f_ij (p·ẽ_j) ẽ_j + Λ p

which for all rows of a tile is two matrix products, (F ∘ P Ẽᵀ) Ẽ. They are preconditioned with
m_i M + ridge, where m_i = Σ_j f_ij, and M is the mean of ẽ_j ẽ_jᵀ over all pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from seqkit.embeddings.glove.config import GloVeConfig
from seqkit.embeddings.glove.layout import COLUMNS, GROUP, PIECE, ROWS, Block
from seqkit.embeddings.glove.reference import BIAS_RIDGE

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


class GloVeKernel:
    """The compiled functions of a run.

    Args:
        config: the hyper-parameters.
    """

    def __init__(self, config: GloVeConfig) -> None:
        self._size, self._width = config.vector_size, width(config.vector_size)
        self._type = tf.as_dtype(config.precision)
        self._ridge = np.full(self._width, config.ridge, np.float32)
        self._ridge[self._size] = BIAS_RIDGE
        self._rate = config.learning_rate
        self._alpha, self._log_x_max = config.alpha, float(np.log(config.x_max))
        table = tf.TensorSpec([None, self._width], tf.float32)
        vector, groups = tf.TensorSpec([None], tf.float32), [None, PIECE, GROUP]
        fixed = (
            table,
            tf.TensorSpec([None, self._width], self._type),
            vector,
            tf.TensorSpec([self._width, self._width], tf.float32),
            tf.TensorSpec([self._width], tf.float32),
        )
        block = (
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([None, ROWS, COLUMNS], tf.float16),
            tf.TensorSpec(groups, tf.int32),
            tf.TensorSpec(groups, tf.float32),
            tf.TensorSpec(groups, tf.float32),
            tf.TensorSpec([None, PIECE], tf.int32),
            tf.TensorSpec([ROWS], tf.float32),
        )
        own = tf.TensorSpec([ROWS, self._width], tf.float32)
        self._solve = tf.function(self._solved, autograph=False, input_signature=(own, fixed, block))
        self._tile_residual = tf.function(self._tile_residuals, autograph=False, jit_compile=True)
        self._tile_weighted = tf.function(self._tile_weights, autograph=False, jit_compile=True)
        self._dot = tf.function(_dots, autograph=False, jit_compile=True)
        self._combine = tf.function(_combinations, autograph=False, jit_compile=True)

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
            tf.cast(table, self._type),
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
        solved, cost = self._solve(tf.constant(own), tuple(vars(fixed).values()), block)
        solved = solved.numpy()
        return solved[:rows, : self._size], solved[:rows, self._size], float(cost)

    def _solved(self, own: Any, fixed: Any, block: Any) -> Any:
        system = _System(self, fixed, block)
        residual, cost = system.residual(own)
        residual -= self._ridge * own
        mass = block[-1][:, None]
        axes, scale = fixed[3], mass * fixed[4] + float(self._ridge.max()) + TINY

        def precondition(vectors: Any) -> Any:
            return tf.matmul(tf.matmul(vectors, axes) / scale, axes, transpose_b=True)

        change = tf.zeros_like(own)
        direction = precondition(residual)
        slope = tf.reduce_sum(residual * direction, 1, keepdims=True)
        for step in range(CG_STEPS):
            product = system.product(direction) + self._ridge * direction
            length = slope / (tf.reduce_sum(direction * product, 1, keepdims=True) + TINY)
            change += length * direction
            if step + 1 == CG_STEPS:
                break
            residual -= length * product
            conditioned = precondition(residual)
            before, slope = slope, tf.reduce_sum(residual * conditioned, 1, keepdims=True)
            direction = conditioned + slope / (before + TINY) * direction
        return own + self._rate * change, cost

    def _tile_residuals(self, scores: Any, logs: Any, own_bias: Any, bias: Any) -> Any:
        """F ∘ (log X - scores), shape (ROWS, COLUMNS), and the cost."""
        logs = tf.cast(logs, tf.float32)
        difference = logs - tf.cast(scores, tf.float32) - own_bias[:, None] - bias[None, :]
        weighted = self._tile_f(logs) * difference
        return tf.cast(weighted, self._type), 0.5 * tf.reduce_sum(weighted * difference)

    def _tile_weights(self, scores: Any, logs: Any) -> Any:
        """F ∘ scores."""
        return tf.cast(self._tile_f(tf.cast(logs, tf.float32)) * tf.cast(scores, tf.float32), self._type)

    def _tile_f(self, logs: Any) -> Any:
        return tf.exp(self._alpha * tf.minimum(logs - self._log_x_max, 0.0))


class _System:
    """The normal equations of the rows of one block, as far as the pairs decide them."""

    def __init__(self, kernel: GloVeKernel, fixed: Any, block: Any) -> None:
        self._kernel = kernel
        self._table, self._rounded, self._bias = fixed[:3]
        self._tiles, self._tile_logs, self._columns, self._logs, self._weights, self._rows, _ = block
        self._gathered = tf.gather(self._table, self._columns)

    def residual(self, own: Any) -> tuple[Any, Any]:
        """Σ_j f_ij (log X_ij - score) ẽ_j, and the cost."""
        size = self._kernel._size
        own_bias = own[:, size]
        vectors = tf.cast(own * (np.arange(own.shape[1]) != size).astype(np.float32), self._rounded.dtype)

        def tile(number: Any, total: Any, cost: Any) -> Any:
            table, bias = self._tile(number, self._rounded), self._tile(number, self._bias)
            scores = tf.matmul(vectors, table, transpose_b=True)
            weighted, part = self._kernel._tile_residual(scores, self._tile_logs[number], own_bias, bias)
            return number + 1, total + tf.cast(tf.matmul(weighted, table), tf.float32), cost + part

        def piece(number: Any, total: Any, cost: Any) -> Any:
            columns, gathered = self._columns[number], self._gathered[number]
            scores = self._kernel._dot(tf.gather(own, self._rows[number]), gathered)
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
            weighted = self._kernel._tile_weighted(scores, self._tile_logs[number])
            return number + 1, total + tf.cast(tf.matmul(weighted, table), tf.float32)

        def piece(number: Any, total: Any) -> Any:
            gathered = self._gathered[number]
            scores = self._kernel._dot(tf.gather(direction, self._rows[number]), gathered)
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
        sums = self._kernel._combine(weights, gathered)
        return tf.math.unsorted_segment_sum(sums, self._rows[number], ROWS)

    @staticmethod
    def _over(array: Any, body: Any, *state: Any) -> Any:
        """The state after the body for each number along the first axis of an array."""
        count = tf.shape(array)[0]
        _, *state = tf.while_loop(
            lambda number, *_: number < count, body, (tf.constant(0), *state), parallel_iterations=1
        )
        return state


def _dots(vectors: Any, gathered: Any) -> Any:
    """(PIECE, W) and (PIECE, GROUP, W) to (PIECE, GROUP)."""
    return tf.einsum("gw,gkw->gk", vectors, gathered)


def _combinations(weights: Any, gathered: Any) -> Any:
    """(PIECE, GROUP) and (PIECE, GROUP, W) to (PIECE, W)."""
    return tf.einsum("gk,gkw->gw", weights, gathered)
