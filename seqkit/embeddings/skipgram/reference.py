"""Skip-gram with negative sampling, pair by pair in NumPy float64: the definition the kernel is held to.

A block is L consecutive words w_1 … w_L with reaches; its words share K noise words n_1 … n_K. x_i is the row
of w_i in the table of vectors, y_j the row of w_j in the table of contexts, z_k that of n_k in the latter.

    pairs            P = {(i, j): i ≠ j, -left_i ≤ j - i ≤ right_i}
    weight           ω_ij = 1 / (1 - |i - j| / L)
    noise weight     ν_i = (negative / K) Σ_j ω_ij
    loss             J = - Σ_(i,j)∈P ω_ij log σ(x_i·y_j)  -  Σ_i ν_i Σ_k log σ(-x_i·z_k)

With ω = 1 and K = negative noise words for each pair by itself this is equation 4 of Mikolov et al. 2013
(NeurIPS). Two things differ, neither of which changes what is expected. The words of a block share their
noise words, weighted so that each pair has `negative` of them in sum: so the products become matrix products
(Ji et al. 2016, arXiv:1604.04661). And where a block begins is random, so a pair at distance d lies in one
block with probability 1 - d/L; ω makes up for those that do not.

    ∂J/∂x_i = - Σ_j ω_ij (1 - σ(x_i·y_j)) y_j  +  ν_i Σ_k σ(x_i·z_k) z_k
    ∂J/∂y_j = - Σ_i ω_ij (1 - σ(x_i·y_j)) x_i
    ∂J/∂z_k =   Σ_i ν_i σ(x_i·z_k) x_i

A step adds up the gradients of all its blocks at one state of the tables. With g_r their sum at row r, m_r
the mass of that row in the step (see `plan.py`) and η the learning rate:

    r ← r - min(η, 1 / m_r) g_r
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqkit.embeddings.negative_sampling.plan import Masses

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class StepResult:
    """A step's outcome.

    Args:
        vectors: the table of vectors after the step, shape (vocabulary, vector_size).
        contexts: the table of contexts after the step.
        loss: J, summed over the blocks.
        pairs: Σ ω.
    """

    vectors: Floats
    contexts: Floats
    loss: float
    pairs: float


def step(
    vectors: Floats,
    contexts: Floats,
    words: Ints,
    reaches: tuple[NDArray[np.float32], NDArray[np.float32]],
    noise: Ints,
    *,
    masses: Masses,
    negative: int,
    learning_rate: float,
) -> StepResult:
    """One step, by the equations at the top of this module.

    Args:
        vectors: shape (vocabulary, vector_size).
        contexts: the same shape.
        words: ids, shape (N, L).
        reaches: left and right, each of shape (N, L).
        noise: ids, shape (N, K).
        masses: of the places of the step.
        negative: noise words for each pair.
        learning_rate: η.
    """
    vector_gradient, context_gradient = np.zeros_like(vectors), np.zeros_like(contexts)
    loss = pairs = 0.0
    length, shared = words.shape[1], noise.shape[1]
    for block, noise_words, left, right in zip(words, noise, *reaches, strict=True):
        for i, centre in enumerate(block):
            x = vectors[centre]
            weight_sum = 0.0
            for j in range(max(0, i - int(left[i])), min(length, i + int(right[i]) + 1)):
                if j == i:
                    continue
                weight = 1 / (1 - abs(i - j) / length)
                y = contexts[block[j]]
                probability = sigmoid(x @ y)
                loss -= weight * np.log(probability)
                vector_gradient[centre] -= weight * (1 - probability) * y
                context_gradient[block[j]] -= weight * (1 - probability) * x
                weight_sum += weight
            noise_weight = weight_sum * negative / shared
            for word in noise_words:
                z = contexts[word]
                probability = sigmoid(x @ z)
                loss -= noise_weight * np.log(1 - probability)
                vector_gradient[centre] += noise_weight * probability * z
                context_gradient[word] += noise_weight * probability * x
            pairs += weight_sum
    context_places = np.concatenate([words, noise], axis=1)
    return StepResult(
        vectors - limited_rates(words, masses.vectors, len(vectors), learning_rate) * vector_gradient,
        contexts
        - limited_rates(context_places, masses.contexts, len(contexts), learning_rate) * context_gradient,
        float(loss),
        float(pairs),
    )


def sigmoid(x: Floats | float) -> Floats:
    """σ(x) = 1 / (1 + exp(-x))."""
    return np.asarray(1 / (1 + np.exp(-np.asarray(x, np.float64))))


def limited_rates(places: Ints, masses: NDArray[np.float32], rows: int, learning_rate: float) -> Floats:
    """min(η, 1 / m_r) for each row, shape (rows, 1)."""
    mass = np.bincount(places.ravel(), masses, minlength=rows)
    return np.minimum(learning_rate, 1 / np.maximum(mass, 1e-300))[:, None]
