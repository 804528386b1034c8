"""Packs: arrays of a shard that are handed on as they lie in memory.

A MapDefun puts its results together from those of its calls, which copies them. An array that is only for
another MapDefun, as what a loop forwards keeps for its gradient, need not be put together: it goes in a pack,
a tensor list whose handle is all that is copied. A pack must not leave the graph that it is made in: a
SavedModel cannot hold one, nor has TensorFlow zeros for a vector of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

PACK = tf.TensorSpec([], tf.variant)
"""What a pack is."""


def pack(arrays: Sequence[Any]) -> Any:
    """A pack, (), of arrays of one type."""
    packed = tf.raw_ops.EmptyTensorList(
        element_dtype=arrays[0].dtype, element_shape=-1, max_num_elements=len(arrays)
    )
    for array in arrays:
        packed = tf.raw_ops.TensorListPushBack(input_handle=packed, tensor=array)
    return packed


def unpack(packed: Any, specs: Sequence[tf.TensorSpec]) -> list[Any]:
    """What is in a pack.

    Args:
        packed: the pack.
        specs: what each array is.
    """
    return [
        tf.raw_ops.TensorListGetItem(
            input_handle=packed,
            index=index,
            element_shape=tf.constant([-1 if size is None else size for size in spec.shape]),
            element_dtype=spec.dtype,
        )
        for index, spec in enumerate(specs)
    ]
