"""GloVe, pair by pair in NumPy float64: the definition that the kernel is held to.

For the pairs (i, j) with X_ij > 0, words' vectors θ and biases b, contexts' vectors e and biases b':

    weight      f(x) = min(1, (x / x_max)^alpha)
    cost        J = ½ Σ f(X_ij) (θ_i·e_j + b_i + b'_j - log X_ij)²  +  ½ ridge (Σ ‖θ_i‖² + Σ ‖e_j‖²)

The first term is equation 8 of Pennington et al. 2014, halved as in their program. With e and b' held fixed,
J is a weighted least-squares problem for each word by itself. With ẽ_j = [e_j, 1] and Λ = ridge on the
vector's axes, `BIAS_RIDGE` on the bias's:

    A_i [θ_i, b_i] = Σ_j f(X_ij) (log X_ij - b'_j) ẽ_j      A_i = Σ_j f(X_ij) ẽ_j ẽ_jᵀ + Λ

and the same for contexts with θ and b held fixed: alternating least squares, as Hu, Koren and Volinsky 2008
(ICDM) factorise weighted matrices. No step is too long, so nothing diverges, at no learning rate.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BIAS_RIDGE = 1e-3
"""Keeps the bias of a word with hardly any weight from growing without bounds."""


def weight(x: Floats, x_max: float, alpha: float) -> Floats:
    """f(x)."""
    return np.asarray(np.minimum(1.0, (x / x_max) ** alpha))


def pair_cost(
    own: Floats, other: Floats, rows: NDArray[np.int64], columns: NDArray[np.int64], x: Floats, f: Floats
) -> float:
    """½ Σ f (θ_i·e_j + b_i + b'_j - log X_ij)².

    Args:
        own: [θ_i, b_i], shape (vocabulary, vector_size + 1).
        other: [e_j, b'_j], the same shape.
        rows: i of each pair.
        columns: j of each pair.
        x: X_ij of each pair.
        f: f(X_ij) of each pair.
    """
    cost = 0.0
    for i, j, count, f_ij in zip(rows, columns, x, f, strict=True):
        difference = own[i, :-1] @ other[j, :-1] + own[i, -1] + other[j, -1] - np.log(count)
        cost += 0.5 * f_ij * difference**2
    return float(cost)


def gradient(
    own: Floats,
    other: Floats,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    x: Floats,
    f: Floats,
    ridge: float,
) -> Floats:
    """The gradient of J with respect to [θ_i, b_i], shape (vocabulary, vector_size + 1); as `pair_cost`."""
    result = own * _ridges(own.shape[1], ridge)
    for i, j, count, f_ij in zip(rows, columns, x, f, strict=True):
        difference = own[i, :-1] @ other[j, :-1] + own[i, -1] + other[j, -1] - np.log(count)
        result[i] += f_ij * difference * np.append(other[j, :-1], 1.0)
    return result


def solve(
    other: Floats,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    x: Floats,
    f: Floats,
    ridge: float,
) -> Floats:
    """[θ_i, b_i] where that gradient is 0, shape (vocabulary, vector_size + 1); as `pair_cost`."""
    words, size = other.shape
    matrices = np.tile(np.diag(_ridges(size, ridge)), (words, 1, 1))
    sides = np.zeros((words, size))
    for i, j, count, f_ij in zip(rows, columns, x, f, strict=True):
        e = np.append(other[j, :-1], 1.0)
        matrices[i] += f_ij * np.outer(e, e)
        sides[i] += f_ij * (np.log(count) - other[j, -1]) * e
    return np.asarray(np.linalg.solve(matrices, sides[:, :, None])[:, :, 0], np.float64)


def _ridges(size: int, ridge: float) -> Floats:
    return np.append(np.full(size - 1, ridge), BIAS_RIDGE)
