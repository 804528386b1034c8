"""Settings that were saved as JSON, made the dataclass again that they were."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from seqkit._manifest import MANIFEST
from seqkit.errors import BundleError, SeqkitError


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
