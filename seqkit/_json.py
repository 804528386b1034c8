"""JSON from files that may be damaged or hostile."""

from __future__ import annotations

import json
import math
from typing import Any

MAX_DEPTH = 16


class JsonError(ValueError):
    """Not the JSON that seqkit writes; the caller adds which file."""


def parse_json(data: bytes) -> Any:
    """Parses JSON as RFC 8259 has it, and no more than a bundle needs.

    The caller bounds the length of `data`.

    Args:
        data: UTF-8 bytes, without a byte order mark.

    Returns:
        The value.

    Raises:
        JsonError: not UTF-8, not JSON, a key twice in one object, NaN or an infinity (also by overflow), a
            lone surrogate, or nesting deeper than 16.
    """
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except RecursionError as error:
        raise JsonError(f"JSON nested deeper than {MAX_DEPTH}") from error
    except JsonError:
        raise
    except ValueError as error:
        raise JsonError(f"not JSON: {error}") from error
    check_json(value)
    return value


def check_json(value: object, depth: int = 0) -> None:
    """Checks that a value is what `parse_json` would give back.

    Args:
        value: anything.
        depth: how deep it already lies.

    Raises:
        JsonError: a type that JSON lacks, a number that is not finite, a lone surrogate, or nesting deeper
            than 16.
    """
    if depth >= MAX_DEPTH and isinstance(value, dict | list | tuple):
        raise JsonError(f"JSON nested deeper than {MAX_DEPTH}")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise JsonError(f"key {key!r} is not a string")
            check_json(key, depth + 1)
            check_json(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            check_json(item, depth + 1)
    elif isinstance(value, str):
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise JsonError(f"a lone surrogate in {value[:80]!r}")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise JsonError(f"{value} is not a number that JSON has; use null")
    elif value is not None and not isinstance(value, bool | int):
        raise JsonError(f"{type(value).__name__} is not a type that JSON has")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise JsonError(f"key {twice[:80]!r} stands twice in one object")
    return result


def _refuse_constant(name: str) -> float:
    raise JsonError(f"{name} is not a number that JSON has")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise JsonError(f"{text[:40]} is too large for a number")
    return value
