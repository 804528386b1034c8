"""Corrections of p for many tests: with twenty tests, one below 0.05 is what chance alone brings.

>>> holm([0.01, 0.04, 0.03])
[0.03, 0.06, 0.06]
>>> benjamini_hochberg([0.01, 0.04, 0.03])
[0.03, 0.04, 0.04]
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from seqkit.errors import UsageError


def holm(p_values: Sequence[float]) -> list[float]:
    """p so corrected that the chance of even one false alarm among all tests stays at its level.

        p'_(i) = max_{j <= i} min(1, (m - j + 1) p_(j)),   p_(1) <= … <= p_(m)

    Valid however the tests depend on each other.

    Source: Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure".

    Args:
        p_values: of all tests made, 0 to 1.

    Returns:
        In the same order.

    Raises:
        UsageError: a value outside 0 to 1.
    """
    p, order = _sorted(p_values)
    corrected = np.maximum.accumulate((len(p) - np.arange(len(p))) * p)
    return _restored(corrected, order)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """p so corrected that of the tests below a level at most that share are false alarms, in expectation.

        p'_(i) = min_{j >= i} min(1, m/j p_(j)),   p_(1) <= … <= p_(m)

    For tests that are independent or depend positively.

    Source: Benjamini and Hochberg 1995, "Controlling the False Discovery Rate".

    Args:
        p_values: of all tests made, 0 to 1.

    Returns:
        In the same order.

    Raises:
        UsageError: a value outside 0 to 1.
    """
    p, order = _sorted(p_values)
    scaled = len(p) / np.arange(1, len(p) + 1) * p
    return _restored(np.minimum.accumulate(scaled[::-1])[::-1], order)


def _sorted(p_values: Sequence[float]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    p = np.asarray(p_values, np.float64)
    for value in p.tolist():
        if not 0 <= value <= 1:
            raise UsageError(f"p is {value}; it must be between 0 and 1")
    order = np.argsort(p, kind="stable")
    return p[order], order


def _restored(corrected: npt.NDArray[np.float64], order: npt.NDArray[np.int64]) -> list[float]:
    result = np.empty(len(order))
    result[order] = np.minimum(corrected, 1)
    answer: list[float] = result.tolist()
    return answer
