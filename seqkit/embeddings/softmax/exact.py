"""The softmax over a whole vocabulary with its gradients, as matrix products in TensorFlow.

    s_i = Y x_i + b                             scores of centre i, one a word
    J   = Σ_i (n_i log Σ_j exp s_ij - Σ_c ω_ic s_i,t_ic)        n_i = Σ_c ω_ic
    G   = n_i softmax(s_i) - Σ_c ω_ic e_t_ic    ∂J/∂s_i
    ∂J/∂X = G Y       ∂J/∂Y = Gᵀ X       ∂J/∂b = Σ_i G_i

The scores of a row are computed once, however many targets it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

LANES = 4
"""Parts of a step that run at the same time, each on one thread. Fixed: the last bits depend on it."""


@dataclass(frozen=True, eq=False)
class SoftmaxGradients:
    """What a step learns.

    Args:
        loss: J, float64.
        inputs: ∂J/∂X, shape (B, D).
        table: ∂J/∂Y, shape (vocabulary, D).
        bias: ∂J/∂b, shape (vocabulary,).
    """

    loss: Any
    inputs: Any
    table: Any
    bias: Any


def exact_softmax(
    inputs: Any, table: Any, bias: Any, targets: Any, weights: Any, product_type: Any
) -> SoftmaxGradients:
    """Loss and gradients of one step.

    Args:
        inputs: X, shape (B, D); B is known when tracing, a multiple of `LANES`.
        table: Y, shape (vocabulary, D).
        bias: b, shape (vocabulary,); None for 0.
        targets: t, shape (B, C).
        weights: ω, 1 or 0, shape (B, C).
        product_type: of the matrix products.
    """
    table, inputs = tf.cast(table, product_type), tf.cast(inputs, product_type)
    size = inputs.shape[0] // LANES
    losses, input_gradients, table_gradients, bias_gradients = [], [], [], []
    for lane in range(LANES):
        part = slice(lane * size, (lane + 1) * size)
        x = inputs[part]
        scores = tf.cast(tf.matmul(x, table, transpose_b=True), tf.float32)
        if bias is not None:
            scores += bias
        loss, gradient = _loss_and_gradient(scores, targets[part], weights[part])
        rounded = tf.cast(gradient, product_type)
        losses.append(loss)
        input_gradients.append(tf.cast(tf.matmul(rounded, table), tf.float32))
        table_gradients.append(tf.cast(tf.matmul(rounded, x, transpose_a=True), tf.float32))
        bias_gradients.append(tf.reduce_sum(gradient, 0))
    return SoftmaxGradients(
        tf.add_n(losses),
        tf.concat(input_gradients, 0),
        tf.add_n(table_gradients),
        tf.add_n(bias_gradients),
    )


def _loss_and_gradient(scores: Any, targets: Any, weights: Any) -> tuple[Any, Any]:
    """J and G of some rows; scores (n, vocabulary), targets and weights (n, C)."""
    count = tf.reduce_sum(weights, 1, keepdims=True)
    highest = tf.reduce_max(scores, 1, keepdims=True)
    exponentials = tf.exp(scores - highest)
    total = tf.reduce_sum(exponentials, 1, keepdims=True)
    chosen = tf.gather(scores, targets, batch_dims=1)
    losses = weights * (highest + tf.math.log(total) - chosen)
    rows = tf.broadcast_to(tf.range(tf.shape(targets)[0])[:, None], tf.shape(targets))
    # Taking 1 away several times gives the same bits in any order.
    gradient = tf.tensor_scatter_nd_sub(exponentials * (count / total), tf.stack([rows, targets], 2), weights)
    return tf.reduce_sum(tf.cast(losses, tf.float64)), gradient
