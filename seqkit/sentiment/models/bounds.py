"""Bounds of settings."""

from __future__ import annotations

from seqkit.errors import UsageError


def within(settings: object, name: str, low: int, high: int) -> None:
    """Raises UsageError unless a setting is from `low` to `high`."""
    value = getattr(settings, name)
    if not low <= value <= high:
        raise UsageError(f"{name} must be {low:,} to {high:,}, not {value}")


def rate(settings: object, name: str) -> None:
    """Raises UsageError unless a setting is from 0 to below 1."""
    if not 0 <= getattr(settings, name) < 1:
        raise UsageError(f"{name} must be from 0 to below 1, not {getattr(settings, name)}")
