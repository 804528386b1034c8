"""What the cost of GloVe leaves open, settled.

For any invertible A, vectors θ A with contexts e A⁻ᵀ have the same scores, but not the same cosines. Trained
by small steps from small values both tables keep alike (Du, Hu and Lee 2018, NeurIPS); least squares solves
for one with the other as it happens to be. So after each sweep A is chosen such that θᵀθ = eᵀe: that is also
where the ridge is smallest, and nothing else of the cost changes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def balance(words: Floats, contexts: Floats) -> tuple[Floats, Floats]:
    """Two tables with the same products words · contextsᵀ, and wordsᵀ words = contextsᵀ contexts, diagonal.

    Args:
        words: shape (vocabulary, vector_size).
        contexts: the same shape.
    """
    rows, size = words.shape
    q_words, r_words = np.linalg.qr(words.astype(np.float64))
    q_contexts, r_contexts = np.linalg.qr(contexts.astype(np.float64))
    left, values, right = np.linalg.svd(r_words @ r_contexts.T)
    root = np.sqrt(values)
    pad = ((0, 0), (0, size - min(rows, size)))
    return (
        np.pad(q_words @ (left * root), pad).astype(np.float32),
        np.pad(q_contexts @ (right.T * root), pad).astype(np.float32),
    )
