"""Which part of a text is held out: lines, and stretches of long ones, chosen by a hash of their number.

A *unit* is a line, or each successive `UNIT_TOKENS` tokens of a longer one (text8 is a single line). Units
are numbered in the order of the text, blank lines included. Whether one is held out depends on the seed and
its number alone, never on how the text was cut into blocks or spread over processes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import UsageError

UNIT_TOKENS = 1000
"""The longest stretch of a line that is held out, or not, as a whole."""

GOLDEN = 0x9E3779B97F4A7C15
"""What SplitMix64 (Steele, Lea and Flood 2014) adds to its state for each output."""


@dataclass(frozen=True)
class Split:
    """How much of a text is held out, and by which choice.

    Args:
        fraction: of the units, expected; at least 0 and below 1.
        seed: another one, another choice; 0 to 2^64 - 1.

    Raises:
        UsageError: an argument is out of its range.
    """

    fraction: float
    seed: int

    def __post_init__(self) -> None:
        if not 0 <= self.fraction < 1:
            raise UsageError(f"held_out must be from 0 to below 1, not {self.fraction}")
        if not 0 <= self.seed < 1 << 64:
            raise UsageError(f"seed must be from 0 to 2^64 - 1, not {self.seed}")

    def chosen(self, units: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Whether each unit is held out.

        Args:
            units: numbers of units, any shape.

        Returns:
            Of the same shape: for unit u, whether output u + 1 of SplitMix64, which begins at the mixed seed,
            is below the fraction of its range.
        """
        start = _mixed(np.array(self.seed, np.uint64).reshape(1))
        return uniform(start + (units + np.uint64(1)) * np.uint64(GOLDEN)) < self.fraction


def uniform(states: NDArray[np.uint64]) -> NDArray[np.float64]:
    """The outputs of SplitMix64 at states, any shape, as numbers on [0, 1)."""
    return (_mixed(states) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's output function."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


@dataclass(frozen=True)
class Part:
    """A slice of a text in which each number is held out or not.

    Args:
        numbers: tokens, and 0 at the end of each line; shape (numbers,).
        held_out: of each number, whether it is held out; shape (numbers,).
        starts: where units begin, rising; shape (units that begin in the slice,).
    """

    numbers: NDArray[np.int32]
    held_out: NDArray[np.bool_]
    starts: NDArray[np.int64]


def parts(slices: Iterable[NDArray[np.int32]], split: Split) -> Iterator[Part]:
    """Divides a text, slice by slice.

    Args:
        slices: the text from its beginning, in slices of any lengths above 0.
        split: the choice.
    """
    # units begun; tokens of the last one's line so far; is that one held out
    units, in_line, held = 0, 0, False
    for numbers in slices:
        starts, in_line = _unit_starts(numbers, in_line)
        chosen = split.chosen(np.arange(units, units + len(starts), dtype=np.uint64))
        states = np.concatenate([[held], chosen])
        lengths = np.diff(starts, prepend=0, append=len(numbers))
        units, held = units + len(starts), bool(states[-1])
        yield Part(numbers, np.repeat(states, lengths), starts)


def _unit_starts(numbers: NDArray[np.int32], before: int) -> tuple[NDArray[np.int64], int]:
    """Where units begin.

    Args:
        numbers: a slice of a text.
        before: how many tokens of the slice's first line came before it: 0 where the line begins with the
            slice, otherwise 1 to `UNIT_TOKENS`, any number of whole units left out.

    Returns:
        The positions, and `before` of the next slice.
    """
    stops = np.flatnonzero(numbers == 0)  # the end of a line belongs to the line's last unit
    ended = len(stops) > 0 and stops[-1] == len(numbers) - 1
    stops = stops if ended else np.append(stops, len(numbers))
    lines = np.concatenate([[0], stops[:-1] + 1])
    units = np.maximum(-(-(stops - lines) // UNIT_TOKENS), 1)  # a blank line is one, too
    first = lines.copy()
    if before:
        first[0] = UNIT_TOKENS - before
        units[0] = max(-(-(stops[0] - first[0]) // UNIT_TOKENS), 0)
    ordinal = np.arange(units.sum()) - np.repeat(np.cumsum(units) - units, units)
    starts = np.repeat(first, units) + UNIT_TOKENS * ordinal
    if ended:
        return starts, 0
    tokens = int(stops[-1] - lines[-1]) + (before if len(lines) == 1 else 0)
    return starts, (tokens - 1) % UNIT_TOKENS + 1
