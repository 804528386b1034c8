"""Arguments of cells and layers: given back as values of plain Python, or UsageError says what is wrong.

A configuration is saved as JSON, which has no numbers of NumPy; who searches over settings draws such.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from numbers import Integral, Real
from typing import Any

from seqkit.errors import UsageError


def checked_count(name: str, value: Any) -> int:
    """A whole number above 0."""
    if not is_whole(value) or value < 1:
        raise UsageError(f"{name} must be a whole number above 0, not {value!r}")
    return int(value)


def checked_rate(name: str, value: Any) -> float:
    """A number from 0 to below 1."""
    if not isinstance(value, Real) or not 0 <= float(value) < 1:
        raise UsageError(f"{name} must be from 0 to below 1, not {value!r}")
    return float(value)


def checked_number(name: str, value: Any, *, positive: bool = False) -> float:
    """A finite number; above 0 if `positive`."""
    if not isinstance(value, Real) or not math.isfinite(value) or (positive and value <= 0):
        raise UsageError(f"{name} must be a finite number{' above 0' if positive else ''}, not {value!r}")
    return float(value)


def checked_seed(value: Any) -> int | None:
    """A seed, 0 to 2³¹-1; None stays None."""
    if value is None:
        return None
    if not is_whole(value) or not 0 <= value < 2**31:
        raise UsageError(f"seed must be from 0 to 2147483647, not {value!r}")
    return int(value)


def checked_choice(name: str, value: Any, known: Collection[str | None]) -> Any:
    """One of the values that are known."""
    if not (value is None or isinstance(value, str)) or value not in known:
        raise UsageError(f"{name} must be one of {', '.join(map(str, known))}, not {value!r}")
    return value


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number; True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)
