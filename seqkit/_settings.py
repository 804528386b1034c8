"""Settings as dataclasses: which numbers they take, and how they are made again from saved JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from numbers import Integral, Real
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np

from seqkit._manifest import MANIFEST
from seqkit.errors import BundleError, SeqkitError, UsageError

_NUMBERS: dict[type, tuple[tuple[type, ...], str]] = {
    bool: ((bool, np.bool_), "True or False"),
    float: ((Real,), "a number"),
    int: ((Integral,), "a whole number"),
}


def check_numbers(config: Any) -> None:
    """Makes the numbers in a dataclass plain Python's, by the types of its fields; for its `__post_init__`.

    Settings are saved as JSON, which has no numbers of NumPy; who loops over `np.arange` sets such.

    Args:
        config: the dataclass, frozen or not.

    Raises:
        UsageError: a field of type int that is no whole number, one of type float that is no number, one of
            type bool that is neither True nor False; None is a value where the type allows it.
    """
    types = get_type_hints(type(config))
    for each in fields(config):
        hint, value = types[each.name], getattr(config, each.name)
        kinds = set(get_args(hint)) if get_origin(hint) is UnionType else {hint}
        kind, *further = kinds - {type(None)}
        if further or kind not in _NUMBERS or type(value) is kind or (value is None and len(kinds) > 1):
            continue
        allowed, rule = _NUMBERS[kind]
        if not isinstance(value, allowed) or (kind is not bool and isinstance(value, bool)):
            raise UsageError(f"{each.name} must be {rule}, not {value!r:.80}")
        if type(value) is not int:  # a whole number is a float, too
            object.__setattr__(config, each.name, kind(value))


def check_ranges(config: object, /, **bounds: tuple[float, float]) -> None:
    """Raises UsageError for a setting below its lowest or above its highest value; None is let through."""
    for name, (low, high) in bounds.items():
        value = getattr(config, name)
        if value is not None and not low <= value <= high:
            raise UsageError(f"{name} must be from {low:,} to {high:,}, not {value}")


def check_positive(config: object, /, **highest: float) -> None:
    """Raises UsageError for a setting not above 0, or above its highest value; None is let through."""
    for name, high in highest.items():
        value = getattr(config, name)
        if value is not None and not 0 < value <= high:
            raise UsageError(f"{name} must be above 0, at most {high:,}, not {value}")


def check_rates(config: object, /, *names: str) -> None:
    """Raises UsageError for a setting that is not from 0 to below 1; None is let through."""
    for name in names:
        value = getattr(config, name)
        if value is not None and not 0 <= value < 1:
            raise UsageError(f"{name} must be from 0 to below 1, not {value}")


def check_choices(config: object, /, **known: Sequence[str]) -> None:
    """Raises UsageError for a setting that is none of those that are known."""
    for name, choices in known.items():
        if getattr(config, name) not in choices:
            raise UsageError(f"{name} must be one of {', '.join(choices)}, not {getattr(config, name)!r}")


def check_several(texts: object) -> None:
    """Raises UsageError for one text where several are asked for: a str would be read letter by letter."""
    if isinstance(texts, str):
        raise UsageError(f"texts come in a list: [{texts!r:.40}], not {texts!r:.40} by itself")


def checked_settings(bundle: Path, kind: Any, values: object) -> Any:
    """Settings of a manifest, each known, of its type and in its range.

    Args:
        bundle: what errors name.
        kind: the dataclass, which checks the ranges; its fields are numbers, texts, choices, None, or tuples.
        values: what the manifest has.

    Raises:
        BundleError: a setting is missing, unknown, of another type or out of range.
    """
    types = get_type_hints(kind)
    hints = {each.name: types[each.name] for each in fields(kind)}  # variables of the class are no settings
    if not isinstance(values, dict) or values.keys() != hints.keys():
        reason = f"expected the settings {', '.join(sorted(hints))}"
        raise BundleError(bundle, reason, member=MANIFEST)
    for name, hint in hints.items():
        if not _fits(values[name], hint):
            raise BundleError(bundle, f"{name} is {values[name]!r:.80}", member=MANIFEST)
    try:
        return kind(**{name: _restored(value) for name, value in values.items()})
    except SeqkitError as error:
        raise BundleError(bundle, str(error), member=MANIFEST) from error


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value of JSON is of a type; a whole number is a float, too, and a choice a text."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return any(_fits(value, each) for each in arguments)
    if origin is Literal:
        return type(value) is str
    if origin is tuple:
        return isinstance(value, list | tuple) and all(_fits(each, arguments[0]) for each in value)
    return type(value) in ((int, float) if hint is float else (hint,))


def _restored(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
