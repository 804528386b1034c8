"""What gradients go through before the optimizer: regularisation and clipping, dense or sparse.

The gradient of a table that is looked up in is sparse (`tf.IndexedSlices`): its rows are those that were
looked up, some more than once. Everything here is a function of the whole gradient, such rows summed up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from seqkit.training.optimizers import OptimizerConfig


def summed(gradient: Any) -> Any:
    """The gradient with each row at most once; a dense one as it is."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    indices, places = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, places, tf.size(indices))
    return tf.IndexedSlices(values, indices, gradient.dense_shape)


def dense(gradient: Any, variable: Any) -> Any:
    """The gradient as a tensor of the variable's shape."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    return tf.math.unsorted_segment_sum(gradient.values, gradient.indices, variable.shape[0])


def processed(gradients: Sequence[Any], variables: Sequence[Any], config: OptimizerConfig) -> list[Any]:
    """Regularised and clipped gradients, ready for the optimizer.

    They stay sparse for sgd without l1 and l2; all others update every row, with or without a gradient.

    Args:
        gradients: of the loss, tensors or `tf.IndexedSlices`.
        variables: that they are of, in the same order.
        config: what is done to them.
    """
    if config.name == "sgd" and not (config.l1 or config.l2):
        found = [summed(gradient) for gradient in gradients]
    else:
        found = [dense(*pair) for pair in zip(gradients, variables, strict=True)]
    found = [_regularised(*pair, config) for pair in zip(found, variables, strict=True)]
    if config.clip_value is not None:
        found = [tf.clip_by_value(each, -config.clip_value, config.clip_value) for each in found]
    return clipped_by_norm(found, config.clip_norm) if config.clip_norm is not None else found


def clipped_by_norm(gradients: Sequence[Any], limit: float) -> list[Any]:
    """The gradients times min(1, limit/‖g‖), ‖g‖ over the entries of all (Pascanu et al. 2013, algorithm 1).

    Args:
        gradients: dense, or sparse without rows that come twice.
        limit: above 0.
    """
    values = [each.values if isinstance(each, tf.IndexedSlices) else each for each in gradients]
    norm = tf.sqrt(tf.add_n([tf.reduce_sum(tf.square(tf.cast(each, tf.float32))) for each in values]))
    # A norm of 0 makes it 1. tf.clip_by_global_norm has limit · (1/limit) below the limit: not always 1.
    scale = tf.minimum(1.0, limit / norm)
    scaled = [each * tf.cast(scale, each.dtype) for each in values]
    return [
        tf.IndexedSlices(part, each.indices, each.dense_shape) if isinstance(each, tf.IndexedSlices) else part
        for part, each in zip(scaled, gradients, strict=True)
    ]


def _regularised(gradient: Any, variable: Any, config: OptimizerConfig) -> Any:
    if len(variable.shape) < 2:
        return gradient
    weights = tf.convert_to_tensor(variable)
    if config.l1:
        gradient += tf.cast(config.l1, weights.dtype) * tf.sign(weights)
    if config.l2:
        gradient += tf.cast(config.l2, weights.dtype) * weights
    return gradient
