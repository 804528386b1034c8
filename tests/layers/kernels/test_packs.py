"""Packs: what goes in comes out, and a MapDefun hands it on without a copy."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from seqkit.layers.kernels.packs import PACK, pack, unpack

ARRAYS = [np.arange(6, dtype=np.float32).reshape(2, 3), np.ones((1, 4), np.float32)]
SPECS = [tf.TensorSpec([None, 3]), tf.TensorSpec([1, None])]


def test_what_goes_in_comes_out() -> None:
    packed = pack([tf.constant(array) for array in ARRAYS])
    assert (packed.shape, packed.dtype) == ([], tf.variant)
    for found, array in zip(unpack(packed, SPECS), ARRAYS, strict=True):
        np.testing.assert_array_equal(found, array)


def test_what_is_known_of_shapes_stays_known() -> None:
    @tf.function(input_signature=[PACK], autograph=False)
    def shapes(packed: Any) -> Any:
        found = unpack(packed, SPECS)
        assert [array.shape.as_list() for array in found] == [[None, 3], [1, None]]
        return found

    assert len(shapes(pack([tf.constant(array) for array in ARRAYS]))) == 2


def test_an_array_of_a_pack_lies_where_it_lay() -> None:
    """A pack of each of two shards, made by one MapDefun and taken apart by itself."""
    shards = tf.constant(np.arange(64, dtype=np.float32).reshape(2, 32))

    @tf.function(input_signature=[tf.TensorSpec([32])], autograph=False)
    def packing(row: Any) -> Any:
        return pack([row])

    packs = tf.raw_ops.MapDefun(
        arguments=[shards],
        captured_inputs=[],
        output_types=[tf.variant],
        output_shapes=[[]],
        f=packing.get_concrete_function(),
    )[0]
    rows = [unpack(packed, [tf.TensorSpec([32])])[0] for packed in packs]
    for row, shard in zip(rows, shards, strict=True):
        np.testing.assert_array_equal(row, shard)
    start = np.asarray(memoryview(shards)).ctypes.data  # TensorFlow lends its memory, read only
    places = [np.asarray(memoryview(row)).ctypes.data - start for row in rows]
    assert places == [0, 32 * 4]
