"""Skip-gram with the exact softmax in NumPy float64, pair by pair: the definition the kernel is held to.

x_i is the row of centre i in the table of vectors, y_j the row of word j in the table of contexts, V words:

    J = - Σ_i Σ_c log p_i(w_c)        p_i = softmax(Y x_i), c over the contexts of centre i
    ∂J/∂x_i = - Σ_c (y_c - Σ_j p_i(j) y_j)
    ∂J/∂y_j = - Σ_i Σ_c (1{w_c = j} - p_i(j)) x_i

Equations 1 and 2 of Mikolov et al. 2013 (NeurIPS), which negative sampling stands in for. A step adds up J
over its centres and takes one step of AdaGrad (`seqkit.embeddings.softmax.adagrad`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def gradients(
    vectors: Floats,
    contexts: Floats,
    words: NDArray[np.int32],
    neighbours: NDArray[np.int32],
    weights: NDArray[np.float32],
) -> tuple[float, Floats, Floats]:
    """J and its gradients, by the equations at the top of this module.

    Args:
        vectors: shape (vocabulary, vector_size).
        contexts: the same shape.
        words: ids of the centres, shape (B,).
        neighbours: ids of their contexts, shape (B, C).
        weights: 1 for a context, 0 for a place without one, shape (B, C).

    Returns:
        J, ∂J/∂X and ∂J/∂Y.
    """
    vector_gradient, context_gradient = np.zeros_like(vectors), np.zeros_like(contexts)
    loss = 0.0
    for word, its_neighbours, its_weights in zip(words, neighbours, weights, strict=True):
        x = vectors[word]
        scores = contexts @ x
        log_probabilities = scores - np.logaddexp.reduce(scores)
        for neighbour in its_neighbours[its_weights > 0]:
            loss -= float(log_probabilities[neighbour])
            delta = np.exp(log_probabilities)
            delta[neighbour] -= 1
            vector_gradient[word] += delta @ contexts
            context_gradient += np.outer(delta, x)
    return loss, vector_gradient, context_gradient
