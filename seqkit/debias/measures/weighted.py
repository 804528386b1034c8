"""Means and correlations of weighted words, for many weightings at a time.

A weight is how often a word was drawn; `weights` is (draws, words) everywhere, results are (draws,).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def mean(weights: Array, values: Array) -> Array:
    """Means of values, (words,) or (draws, words); NaN where all weights are 0."""
    total = weights.sum(axis=1)
    products: Array = weights @ values if values.ndim == 1 else np.einsum("dw,dw->d", weights, values)
    return products / np.where(total > 0, total, np.nan)


def correlation(weights: Array, first: Array, second: Array) -> Array:
    """Pearson's correlations.

    Args:
        weights: (draws, words).
        first: (words,) or (draws, words).
        second: the same.

    Returns:
        (draws,); NaN where either is constant.
    """
    one, other = (values - mean(weights, values)[:, None] for values in (first, second))
    covariance, variance_one, variance_other = (
        mean(weights, products) for products in (one * other, one**2, other**2)
    )
    tiny = np.finfo(np.float64).eps ** 2
    defined = (variance_one > tiny * np.max(first**2, initial=0)) & (
        variance_other > tiny * np.max(second**2, initial=0)
    )
    scale = np.sqrt(np.where(defined, variance_one * variance_other, np.nan))
    result: Array = np.clip(covariance / scale, -1, 1)
    return result


def ranks(weights: Array, values: Array) -> Array:
    """Ranks of values within each draw, equals sharing their mean rank.

    Args:
        weights: (draws, words).
        values: (words,).

    Returns:
        (draws, words); what a word of weight 0 gets has no meaning.
    """
    _, starts, place = np.unique(np.sort(values), return_index=True, return_inverse=True)
    order = np.argsort(values, kind="stable")
    at = np.add.reduceat(weights[:, order], starts, axis=1)  # the weight of each distinct value
    below = np.cumsum(at, axis=1) - at
    result = np.empty_like(weights)
    result[:, order] = (below + (at + 1) / 2)[:, place]
    return result
