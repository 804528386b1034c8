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
    words_root, words_inverse = _roots(words)
    contexts_root, contexts_inverse = _roots(contexts)
    left, values, right = np.linalg.svd(words_root @ contexts_root.T)
    scale = np.sqrt(values)
    return (
        words @ (words_inverse @ (left * scale)).astype(np.float32),
        contexts @ (contexts_inverse @ (right.T * scale)).astype(np.float32),
    )


def _roots(table: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """R with RᵀR = tableᵀ table, and its inverse, 0 along axes that the table does not reach."""
    wide = table.astype(np.float64)
    squares, axes = np.linalg.eigh(wide.T @ wide)
    reached = squares > squares[-1] * 1e-14
    lengths = np.sqrt(squares, where=reached, out=np.zeros_like(squares))
    inverse = np.divide(1, lengths, where=reached, out=np.zeros_like(squares))
    return lengths[:, None] * axes.T, axes * inverse
