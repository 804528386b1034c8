"""Integrated gradients: how much each input adds to an output, on the straight way from nothing to the text.

    (x - x₀) · ∫₀¹ ∂f/∂x (x₀ + t (x - x₀)) dt    sums to    f(x) - f(x₀)

Source: Sundararajan et al. 2017, Axiomatic attribution for deep networks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

STEPS = 64
"""Points at which slopes are taken."""


def integrated(
    slopes: Callable[[NDArray[Any]], NDArray[Any]], end: NDArray[Any], start: NDArray[Any], steps: int
) -> NDArray[Any]:
    """∫₀¹ of the slopes along the way, by the rule of Gauss and Legendre.

    Args:
        slopes: of a point.
        end: x.
        start: x₀.
        steps: points at which they are taken.
    """
    points, weights = np.polynomial.legendre.leggauss(steps)
    total = np.zeros(())
    for point, weight in zip(points, weights, strict=True):
        total = total + weight / 2 * slopes(start + (point + 1) / 2 * (end - start))
    return total


def completed(attributions: NDArray[Any], total: NDArray[Any]) -> NDArray[Any]:
    """Attributions that sum to what they explain; what an integral of few points lacks is shared by size.

    Args:
        attributions: (tokens, labels).
        total: f(x) - f(x₀), (labels,).
    """
    lacking = total - attributions.sum(axis=0)
    sizes = np.abs(attributions)
    sums = sizes.sum(axis=0)
    shares = np.where(sums > 0, sizes / np.where(sums > 0, sums, 1), 1 / max(1, len(attributions)))
    found: NDArray[Any] = attributions + shares * lacking
    return found
