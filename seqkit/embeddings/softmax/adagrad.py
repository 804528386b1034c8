"""Tables of parameters trained by AdaGrad (Duchi et al. 2011, JMLR 12), whole or by rows.

    a ← a + g²        θ ← θ - η g / (√a + ε)        elementwise, ε = 1e-7, a = 0 at first

A gradient of 0 changes nothing, so to update the rows of a step is to update the whole table.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from seqkit.embeddings.negative_sampling.plan import plan_rows
from seqkit.training.compiled import stand_in

EPSILON = 1e-7


class AdagradTable(NamedTuple):
    """A variable and the sum of its squared gradients.

    Args:
        value: θ, a variable of float32.
        squares: a, likewise.
    """

    value: Any
    squares: Any

    @classmethod
    def of(cls, value: NDArray[np.float32]) -> AdagradTable:
        """A table at its beginning."""
        return cls(tf.Variable(value), tf.Variable(tf.zeros_like(value)))

    @classmethod
    def stand_in(cls, *columns: int) -> AdagradTable:
        """A table in the place of those of any number of rows, for compiling."""
        return cls(stand_in(*columns), stand_in(*columns))

    def update(self, gradient: Any, learning_rate: Any) -> None:
        """Descends along a gradient of the whole table."""
        tf.raw_ops.ResourceApplyAdagradV2(
            var=self.value.handle,
            accum=self.squares.handle,
            lr=learning_rate,
            epsilon=EPSILON,
            grad=gradient,
        )

    def update_rows(self, rows: Any, gradient: Any, learning_rate: Any) -> None:
        """Descends along a gradient of some rows.

        Args:
            rows: distinct indices, shape (r,).
            gradient: of these rows, shape (r, ...).
            learning_rate: η.
        """
        tf.raw_ops.ResourceSparseApplyAdagradV2(
            var=self.value.handle,
            accum=self.squares.handle,
            lr=learning_rate,
            epsilon=EPSILON,
            grad=gradient,
            indices=rows,
        )


ROW_PLAN = {
    "rows": tf.TensorSpec([None], tf.int32),
    "offsets": tf.TensorSpec([None], tf.int32),
    "order": tf.TensorSpec([None, None], tf.int32),
    "segments": tf.TensorSpec([None, None], tf.int32),
}
"""Types of what `planned_rows` returns."""


def planned_rows(ids: NDArray[np.int32], vocabulary: int) -> dict[str, Any]:
    """Which rows each step touches, by the names of `RowPlan`.

    Args:
        ids: row of each place, shape (steps, places).
        vocabulary: rows of the table.
    """
    plan = plan_rows(ids, np.ones(ids.shape[1], np.float32), vocabulary, lanes=1)
    return {name: tf.constant(getattr(plan, name)) for name in ROW_PLAN}


def summed_rows(plan: dict[str, Any], step: Any, gradient: Any) -> tuple[Any, Any]:
    """The rows of one step, and the sums over their places, in an order that threads do not change.

    Args:
        plan: from `planned_rows`.
        step: number of the step.
        gradient: of each place, shape (places, columns).

    Returns:
        Distinct rows, ascending, shape (r,), and their gradients, shape (r, columns).
    """
    rows = plan["rows"][plan["offsets"][step] : plan["offsets"][step + 1]]
    in_order = tf.gather(gradient, plan["order"][step])
    return rows, tf.raw_ops.SegmentSum(data=in_order, segment_ids=plan["segments"][step])
