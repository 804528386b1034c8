"""The loss of a large softmax and its gradient, in one passage over the logits."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

LOGITS = 1 << 26
"""Logits that are held at a time: 128 MiB in bfloat16."""


def cross_entropy(hidden: Any, weights: Any, bias: Any, targets: Any, bfloat16: bool = False) -> Any:
    """Σ -log softmax(W h + b)_y over all positions whose target is not negative.

    The gradient is made along with the loss, from the same exponentials, which are never divided by their
    sums: with e = exp(l - max l) and s = Σ e, ∂/∂h = W e / s - w_y, and ∂/∂W is one product of e with h / s.
    (Computing the gradient before it is asked for: Hsu et al. 2024, "Liger Kernel", section 3.2.)

    Args:
        hidden: h, (positions, size), float32.
        weights: W, (vocabulary, size), float32.
        bias: b, (vocabulary,), float32.
        targets: y, (positions,), int32; negative ones are left out.
        bfloat16: take the products in bfloat16. Sums over the vocabulary are of float32.

    Returns:
        A scalar, in nats.
    """

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def loss(hidden: Any, weights: Any, bias: Any) -> Any:
        dtype = tf.bfloat16 if bfloat16 else hidden.dtype
        kernel = tf.cast(weights, dtype)
        rows = max(1, LOGITS // weights.shape[0])
        pieces = [
            _piece(hidden[start : start + rows], kernel, weights, bias, targets[start : start + rows])
            for start in range(0, hidden.shape[0], rows)
        ]
        totals, by_hidden, by_weights, by_bias = zip(*pieces, strict=True)
        gradients = tf.concat(by_hidden, axis=0), tf.add_n(by_weights), tf.add_n(by_bias)
        return tf.add_n(totals), lambda upstream: tuple(upstream * gradient for gradient in gradients)

    return loss(hidden, weights, bias)


def _piece(hidden: Any, kernel: Any, weights: Any, bias: Any, targets: Any) -> tuple[Any, Any, Any, Any]:
    """The loss of some positions, and its gradient by `hidden`, `weights` and `bias`."""
    logits = tf.matmul(tf.cast(hidden, kernel.dtype), kernel, transpose_b=True)
    counted, known = tf.cast(targets >= 0, hidden.dtype), tf.maximum(targets, 0)
    exponentials, sums, largest = _exponentials(logits, bias)
    of_target = tf.gather(weights, known)
    at_target = tf.reduce_sum(hidden * of_target, axis=1) + tf.gather(bias, known)
    loss = tf.reduce_sum(counted * (tf.math.log(sums) + largest - at_target))
    share = (counted / sums)[:, None]
    by_hidden = tf.cast(tf.matmul(exponentials, kernel), hidden.dtype) * share - counted[:, None] * of_target
    by_weights, by_bias = (
        tf.tensor_scatter_nd_sub(
            tf.cast(
                tf.matmul(exponentials, tf.cast(each * share, kernel.dtype), transpose_a=True), each.dtype
            ),
            known[:, None],
            each * counted[:, None],
        )
        for each in (hidden, tf.ones_like(share))
    )
    return loss, by_hidden, by_weights, by_bias[:, 0]


@tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
def _exponentials(logits: Any, bias: Any) -> tuple[Any, Any, Any]:
    """exp(l - max l) in the dtype of the logits, its sums, and max l; each row by itself."""
    precise = tf.cast(logits, bias.dtype) + bias
    largest = tf.reduce_max(precise, axis=1, keepdims=True)
    exponentials = tf.exp(precise - largest)
    return tf.cast(exponentials, logits.dtype), tf.reduce_sum(exponentials, axis=1), largest[:, 0]
