"""The distinct rows of a table that one step touches, in TensorFlow: read once, written once."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import tensorflow as tf


class Rows:
    """The distinct rows of a table that one step touches.

    Args:
        table: the variable.
        plan: the tensors of a `RowPlan`.
        step: which of its steps.
        lanes: parts into which the plan cuts the rows.
        product_type: of what is gathered.
    """

    def __init__(self, table: Any, plan: Any, step: Any, lanes: int, product_type: Any) -> None:
        self._table = table
        self._descents: list[tuple[int, Any]] = []
        self._inverse = plan["inverse"][step]
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
        self._rounded = tf.concat([tf.cast(values, product_type) for _, _, values, _, _ in self._parts], 0)

    def gather(self, places: slice, width: int) -> Any:
        """The rows of some places, in the type of the products.

        Args:
            places: a range of places.
            width: places that lie together.

        Returns:
            Shape (places / width, width, vector_size).
        """
        return tf.gather(self._rounded, tf.reshape(self._inverse[places], [-1, width]))

    def collect(self, places: slice, descent: Any) -> None:
        """Takes the descent at some places, η times the negative gradient; every place is taken once.

        Args:
            places: as for `gather`.
            descent: of as many rows; shape (…, vector_size).
        """
        self._descents.append((places.start, tf.reshape(descent, [-1, descent.shape[-1]])))

    def update(self, learning_rate: Any) -> None:
        """Adds to each row what its places collected, no faster than its mass allows."""
        descent = tf.concat([part for _, part in sorted(self._descents, key=itemgetter(0))], 0)
        # For all rows at once: the last digit of a division depends on where in the array it stands.
        share = tf.minimum(1.0, 1.0 / (learning_rate * self._mass))
        for part, rows, values, order, segments in self._parts:
            # A gather, a cast and a sum of neighbours are faster than SparseSegmentSum, which does all three.
            in_order = tf.cast(tf.gather(descent, order), tf.float32)
            total = tf.raw_ops.SegmentSum(data=in_order, segment_ids=segments)
            tf.raw_ops.ResourceScatterUpdate(
                resource=self._table.handle, indices=rows, updates=values + total * share[part]
            )
