"""Schedules of the learning rate: each a pure function of where training stands.

A schedule gives a factor; the learning rate is α = factor · α₀. In the equations e is the number of complete
epochs (0 in the first one), E that of all epochs, and t = (e + p)/E the share of the run that is done, with p
the share of the epoch.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seqkit.errors import UsageError, name_hint


@dataclass(frozen=True)
class Moment:
    """Where training stands.

    Args:
        epoch: complete epochs, e.
        progress: share of the next one that is done, p, 0 to 1.
        epochs: of the run, E.
        losses: on held-out data, one of each complete epoch; only `plateau` needs them.
    """

    epoch: int
    progress: float
    epochs: int
    losses: Sequence[float] = ()


def constant(moment: Moment) -> float:
    """1."""
    return 1.0


def inverse(moment: Moment, decay: float = 1.0) -> float:
    """1 / (1 + decay · e)."""
    return 1 / (1 + decay * moment.epoch)


def exponential(moment: Moment, base: float = 0.95) -> float:
    """base^e."""
    return float(base**moment.epoch)


def root(moment: Moment, k: float = 1.0) -> float:
    """k / √(e + 1): the epochs under the root count from 1."""
    return k / math.sqrt(moment.epoch + 1)


def staircase(moment: Moment, factor: float = 0.5, every: int = 1, after: int | None = None) -> float:
    """factor^n, n = 0 for e < after, else 1 + ⌊(e - after)/every⌋; after = every unless given.

    With every = 1, after = m and factor = 1/d the rate is constant for m epochs, then divided by d in each
    (Zaremba et al. 2014, section 4.1).
    """
    begin = every if after is None else after
    steps = 0 if moment.epoch < begin else 1 + (moment.epoch - begin) // every
    return float(factor**steps)


def listed(moment: Moment, factors: Sequence[float]) -> float:
    """factors[e], the last one for all epochs after it."""
    return factors[min(moment.epoch, len(factors) - 1)]


def cosine(moment: Moment, warmup: float = 0.0, final: float = 0.0) -> float:
    """t/w for t < w, else final + (1 - final) · (1 + cos(π (t - w)/(1 - w)))/2, with w = warmup.

    Source: Loshchilov and Hutter 2017, SGDR (equation 5, without restarts); warm-up of Goyal et al. 2017.
    """
    done = (moment.epoch + moment.progress) / moment.epochs
    if done < warmup:
        return done / warmup
    return final + (1 - final) * (1 + math.cos(math.pi * (done - warmup) / (1 - warmup))) / 2


def plateau(moment: Moment, factor: float = 0.5, patience: int = 1) -> float:
    """factor^n, n how often `patience` epochs in a row brought no lower validation loss than any before."""
    best, waited, drops = math.inf, 0, 0
    for loss in moment.losses:
        waited = 0 if loss < best else waited + 1
        best = min(best, loss)
        if waited == patience:
            waited, drops = 0, drops + 1
    return float(factor**drops)


SCHEDULES: dict[str, Callable[..., float]] = {
    "constant": constant,
    "inverse": inverse,
    "exponential": exponential,
    "root": root,
    "staircase": staircase,
    "list": listed,
    "cosine": cosine,
    "plateau": plateau,
}

_WHOLE = {"every": 1, "after": 0, "patience": 1}  # the lowest value of each
_RANGES = {
    "decay": (0.0, 1e6),
    "base": (1e-6, 1.0),
    "k": (1e-6, 1e6),
    "factor": (1e-6, 1.0),
    "warmup": (0.0, 0.99),
    "final": (0.0, 1.0),
}


@dataclass(frozen=True)
class ScheduleConfig:
    """A schedule by name.

    Args:
        name: in `SCHEDULES`.
        settings: arguments of its function by name; defaults are filled in.

    Raises:
        UsageError: an unknown name or setting, or a value out of range.
    """

    name: str = "constant"
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name not in SCHEDULES:
            raise UsageError(f"no schedule {self.name!r}; {name_hint(self.name, SCHEDULES)}")
        defaults = _defaults(self.name)
        for key in self.settings:
            if key not in defaults:
                hint = name_hint(key, defaults) if defaults else "it has none"
                raise UsageError(f"schedule {self.name} has no setting {key!r}; {hint}")
        object.__setattr__(self, "settings", defaults | dict(self.settings))
        if self.name == "list":
            object.__setattr__(self, "settings", {"factors": _checked_factors(self.settings["factors"])})
        else:
            for key, value in self.settings.items():
                _check(self.name, key, value)

    @classmethod
    def parse(cls, text: str) -> ScheduleConfig:
        """A schedule as it stands on a command line.

        Args:
            text: "NAME", "NAME:SETTING=NUMBER,…" or "list:NUMBER,NUMBER,…".

        Raises:
            UsageError: as the class, or a number that is none.

        >>> ScheduleConfig.parse("plateau:factor=0.25").settings
        {'factor': 0.25, 'patience': 1}
        """
        name, _, rest = text.partition(":")
        parts = [part.strip() for part in rest.split(",")] if rest else []
        if name == "list":
            return cls(name, {"factors": [_number(text, part) for part in parts]})
        settings: dict[str, float] = {}
        for part in parts:
            key, equals, value = part.partition("=")
            if not equals:
                raise UsageError(f"schedule {text!r}: {part!r} should be SETTING=NUMBER")
            if key in settings:
                raise UsageError(f"schedule {text!r}: {key} is set twice")
            settings[key] = _number(text, value)
        return cls(name, settings)

    @property
    def needs_validation(self) -> bool:
        """Whether it goes by the losses on held-out data."""
        return self.name == "plateau"

    def factor(self, moment: Moment) -> float:
        """What the first learning rate is multiplied by."""
        return SCHEDULES[self.name](moment, **self.settings)


def _defaults(name: str) -> dict[str, Any]:
    parameters = list(inspect.signature(SCHEDULES[name]).parameters.values())[1:]
    return {each.name: () if each.default is each.empty else each.default for each in parameters}


def _number(text: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        raise UsageError(f"schedule {text!r}: {value!r} is not a number") from None
    return int(number) if number.is_integer() else number


def _check(name: str, key: str, value: Any) -> None:
    if key in _WHOLE:
        if value is None and key == "after":
            return
        if not isinstance(value, int) or not _WHOLE[key] <= value <= 1_000_000:
            raise UsageError(
                f"{key} of schedule {name} must be a whole number from {_WHOLE[key]}, not {value}"
            )
        return
    lowest, highest = _RANGES[key]
    if not isinstance(value, int | float) or not lowest <= value <= highest:
        raise UsageError(f"{key} of schedule {name} must be from {lowest:g} to {highest:g}, not {value}")


def _checked_factors(factors: Sequence[Any]) -> tuple[float, ...]:
    if not factors:
        raise UsageError("schedule list needs factors of the learning rate, one an epoch: list:1,0.5,0.25")
    for factor in factors:
        if not isinstance(factor, int | float) or not 0 <= factor <= 1e6:
            raise UsageError(f"a factor of schedule list must be from 0 to 1e6, not {factor}")
    return tuple(factors)
