"""The loss of a large softmax, over all words or a sample, and its gradient, from one pass over logits."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

LOGITS = 1 << 26
"""Logits that are held at a time: 128 MiB in bfloat16."""


class SoftmaxSample:
    """Draws the words that a sampled softmax sums over, K of V: word w is among them with probability π_w.

        π_w = min(1, c (n_w + 1)),      Σ π_w = K

    So frequent words always are, and Σ_(w in the sample) e^l_w / π_w has the mean Σ_w e^l_w (Horvitz and
    Thompson 1952, equation 5). Drawn are the words that cover u, u + 1, …, u + K - 1 on a line on which each
    word covers π_w: systematic sampling (Madow 1949), which draws no word twice and always K.

    Args:
        counts: n, of the words in the training text, (V,).
        size: K, below V.
    """

    def __init__(self, counts: Any, size: int) -> None:
        shares = np.asarray(counts, np.float64) + 1
        inclusion = np.minimum(1.0, size * shares / shares.sum())
        while abs(inclusion.sum() - size) > 1e-9 * size:
            open_ = inclusion < 1
            factor = (size - np.count_nonzero(~open_)) / inclusion[open_].sum()
            inclusion[open_] = np.minimum(1.0, factor * inclusion[open_])
        self.size, self.inclusion = size, inclusion
        self._ends = tf.constant(np.cumsum(inclusion))
        self._logarithms = tf.constant(np.log(inclusion), tf.float32)

    def draw(self, seed: Any) -> tuple[Any, Any]:
        """Ids of the words, int32 (K,), and ln π of each, float32 (K,).

        Args:
            seed: two int32.
        """
        start = tf.random.stateless_uniform([], seed, dtype=tf.float64)
        places = start + tf.range(self.size, dtype=tf.float64)
        ids = tf.searchsorted(self._ends, places, side="right")
        ids = tf.minimum(ids, len(self.inclusion) - 1)  # the last end may be rounded below K
        return ids, tf.gather(self._logarithms, ids)


def cross_entropy(
    hidden: Any,
    weights: Any,
    bias: Any,
    targets: Any,
    bfloat16: bool = False,
    sample: tuple[Any, Any] | None = None,
) -> Any:
    """Σ -log softmax(W h + b)_y over all positions whose target is not negative.

    The gradient is made along with the loss, from the same exponentials, which are never divided by their
    sums: with e = exp(l - max l), but 0 for y, and s = e_y + Σ e, ∂/∂h = W e / s - (1 - ŷ_y) w_y, and ∂/∂W is
    one product of e with h / s. (Computing the gradient before it is asked for: Hsu et al. 2024, "Liger
    Kernel", section 3.2.) With a sample, l_w - ln π_w of its words stands for l of all (Jean et al. 2015,
    section 3.1, with importance weights).

    Args:
        hidden: h, (positions, size), float32.
        weights: W, (vocabulary, size), float32.
        bias: b, (vocabulary,), float32.
        targets: y, (positions,), int32; negative ones are left out.
        bfloat16: take the products in bfloat16. Sums over the vocabulary are of float32.
        sample: words to sum over in place of all, as `SoftmaxSample.draw` returns them.

    Returns:
        A scalar, in nats.
    """

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def loss(hidden: Any, weights: Any, bias: Any) -> Any:
        if sample is None:
            ids, kernel, offsets = tf.range(weights.shape[0]), weights, bias
        else:
            ids, logarithms = sample
            kernel, offsets = tf.gather(weights, ids), tf.gather(bias, ids) - logarithms
        kernel = tf.cast(kernel, tf.bfloat16 if bfloat16 else hidden.dtype)
        counted, known = tf.cast(targets >= 0, hidden.dtype), tf.maximum(targets, 0)
        of_target = tf.gather(weights, known)
        at_target = tf.reduce_sum(hidden * of_target, axis=1) + tf.gather(bias, known)
        rows = max(1, LOGITS // kernel.shape[0])
        parts = [slice(start, start + rows) for start in range(0, hidden.shape[0], rows)]
        pieces = [
            _piece(hidden[part], kernel, offsets, ids, known[part], at_target[part], counted[part])
            for part in parts
        ]
        totals, by_hidden, by_target, by_kernel, by_offsets = zip(*pieces, strict=True)
        at = tf.concat(by_target, axis=0)[:, None]
        gradients = [tf.concat(by_hidden, axis=0) + at * of_target]
        for whole, by_words, values in (
            (weights, by_kernel, hidden),
            (bias[:, None], by_offsets, tf.ones_like(at)),
        ):
            gradient = tf.add_n(by_words)
            if sample is not None:
                gradient = tf.scatter_nd(ids[:, None], gradient, whole.shape)
            gradients.append(tf.tensor_scatter_nd_add(gradient, known[:, None], at * values))
        gradients[2] = gradients[2][:, 0]
        return tf.add_n(totals), lambda upstream: tuple(upstream * gradient for gradient in gradients)

    return loss(hidden, weights, bias)


def _piece(
    hidden: Any, kernel: Any, offsets: Any, ids: Any, known: Any, at_target: Any, counted: Any
) -> tuple[Any, Any, Any, Any, Any]:
    """The loss of some positions; its gradients by `hidden`, l_y, `kernel` and `offsets`.

    All but that by l_y are of the words beside y.
    """
    logits = tf.matmul(tf.cast(hidden, kernel.dtype), kernel, transpose_b=True)
    exponentials, sums, probability, loss = _exponentials(logits, offsets, ids, known, at_target)
    share = (counted / sums)[:, None]
    by_hidden = tf.cast(tf.matmul(exponentials, kernel), hidden.dtype) * share
    by_kernel, by_offsets = (
        tf.cast(tf.matmul(exponentials, tf.cast(each, kernel.dtype), transpose_a=True), hidden.dtype)
        for each in (hidden * share, share)
    )
    return tf.reduce_sum(counted * loss), by_hidden, counted * (probability - 1), by_kernel, by_offsets


@tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
def _exponentials(logits: Any, offsets: Any, ids: Any, targets: Any, at_target: Any) -> tuple[Any, ...]:
    """e in the dtype of the logits, s, ŷ_y and -log ŷ_y; each row by itself."""
    others = tf.where(ids == targets[:, None], -np.inf, tf.cast(logits, offsets.dtype) + offsets)
    largest = tf.maximum(tf.reduce_max(others, axis=1), at_target)
    exponentials = tf.exp(others - largest[:, None])
    at_target = at_target - largest
    own = tf.exp(at_target)
    sums = tf.reduce_sum(exponentials, axis=1) + own
    return tf.cast(exponentials, logits.dtype), sums, own / sums, tf.math.log(sums) - at_target
