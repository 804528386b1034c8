"""Where the values of hyper-parameters are drawn from: ranges on a scale, and choices."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from seqkit.errors import UsageError

_COORDINATES: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "uniform": (float, float),
    "log": (math.log, math.exp),
    "one-minus-log": (lambda value: math.log(1 - value), lambda place: 1 - math.exp(place)),
}


class Scale(Protocol):
    """Where the values of a hyper-parameter are drawn from."""

    @property
    def ends(self) -> tuple[Any, ...]:
        """Values between which all others lie; of a choice all."""

    def value(self, share: float) -> Any:
        """The value at a share of the scale, 0 to below 1."""

    def narrowed(self, best: Any, share: float) -> Scale:
        """A share of the scale around a value."""


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, evenly on a scale.

    Args:
        low: least value.
        high: greatest value.
        scale: "uniform"; "log", of log x, for learning rates; "one-minus-log", of log(1 - x), for β, which
            averages over 1/(1 - β) steps.

    Raises:
        UsageError: an unknown scale, or a range that it cannot have.
    """

    low: float
    high: float
    scale: str = "uniform"

    def __post_init__(self) -> None:
        if self.scale not in _COORDINATES:
            raise UsageError(f"no scale {self.scale!r}; known: {', '.join(_COORDINATES)}, choice")
        if not -math.inf < self.low < self.high < math.inf:
            raise UsageError(f"a range goes from a lower to a higher number, not {self.low} to {self.high}")
        if self.scale == "log" and self.low <= 0:
            raise UsageError(f"a range on scale log lies above 0, not from {self.low}")
        if self.scale == "one-minus-log" and self.high >= 1:
            raise UsageError(f"a range on scale one-minus-log lies below 1, not to {self.high}")

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the greatest value."""
        return self.low, self.high

    def value(self, share: float) -> float:
        """The value at a share of the scale."""
        place, back = _COORDINATES[self.scale]
        low, high = place(self.low), place(self.high)
        return min(max(back(low + share * (high - low)), self.low), self.high)

    def narrowed(self, best: float, share: float) -> Scale:
        """The range of a share of the width around a value, cut at the ends; one value if it has no width."""
        place, back = _COORDINATES[self.scale]
        half = share * abs(place(self.high) - place(self.low)) / 2
        ends = sorted(back(place(best) + change) for change in (-half, half))
        low, high = max(self.low, ends[0]), min(self.high, ends[1])
        return Range(low, high, self.scale) if low < high else Choice((best,))


@dataclass(frozen=True)
class Choice:
    """Some values, each as likely as the others.

    Args:
        values: at least one.
    """

    values: tuple[Any, ...]

    @property
    def ends(self) -> tuple[Any, ...]:
        """All values."""
        return self.values

    def value(self, share: float) -> Any:
        """The value at a share of the list."""
        return self.values[int(share * len(self.values))]

    def narrowed(self, best: Any, share: float) -> Choice:
        """The value alone."""
        return Choice((best,))


def parse_scale(text: str) -> Scale:
    """A scale as it stands on a command line.

    Args:
        text: "uniform:LOW,HIGH", "log:LOW,HIGH", "one-minus-log:LOW,HIGH" or "choice:VALUE,VALUE,…".

    Raises:
        UsageError: it is none of these.

    >>> parse_scale("log:0.001,1")
    Range(low=0.001, high=1.0, scale='log')
    """
    name, _, rest = text.partition(":")
    values = tuple(_number(part.strip()) for part in rest.split(",") if part.strip())
    if name == "choice" and values:
        return Choice(values)
    if name == "choice" or len(values) != 2 or not all(isinstance(each, int | float) for each in values):
        raise UsageError(f"{text!r} should be SCALE:LOW,HIGH or choice:VALUE,VALUE,… (log:0.0001,0.1)")
    return Range(float(values[0]), float(values[1]), name)


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
