"""Labels: their names, their order, and what they are worth where they are numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import DataError, did_you_mean
from seqkit.text.columns import fault_of_label


@dataclass(frozen=True)
class Labels:
    """The labels that texts can have.

    Three and more labels that are all numbers are ordinal, ordered by value, and have an expected rating;
    others are ordered by name.

    >>> Labels.of(["positive", "negative", "positive"]).names
    ('negative', 'positive')
    >>> Labels.of(["10", "9", "1"]).names, Labels.of(["1", "0"]).ordinal
    (('1', '9', '10'), False)

    Args:
        names: of the labels; the position is the index.

    Raises:
        DataError: fewer than two labels, one twice, or one that is too long.
    """

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.names)) != len(self.names):
            raise DataError(f"a label stands twice in {', '.join(self.names)}")
        if fault := next(filter(None, map(fault_of_label, self.names)), None):
            raise DataError(fault)
        if len(self.names) < 2:
            told = f"the only one is {self.names[0]!r}" if self.names else "there is none"
            raise DataError(f"texts need two labels or more to be told apart, and {told}")

    @classmethod
    def of(cls, names: Iterable[str]) -> Labels:
        """The labels that occur, in their order.

        Raises:
            DataError: fewer than two.
        """
        found = sorted(set(names))
        if all(_is_number(name) for name in found):
            found.sort(key=lambda name: (float(name), name))
        return cls(tuple(found))

    def __len__(self) -> int:
        return len(self.names)

    @property
    def ordinal(self) -> bool:
        """Whether they are ratings."""
        return len(self.names) > 2 and all(_is_number(name) for name in self.names)

    @cached_property
    def ratings(self) -> NDArray[np.float64]:
        """What each ordinal label is worth, (labels,)."""
        return np.array([float(name) for name in self.names])

    def index(self, name: str) -> int:
        """The index of a label.

        Raises:
            DataError: there is no such label.
        """
        try:
            return self._indices[name]
        except KeyError:
            hint = did_you_mean(name, self.names) or f"known: {', '.join(self.names[:20])}"
            raise DataError(f"{name!r:.80} is no label of the model; {hint}") from None

    def names_of(self, indices: NDArray[np.int64]) -> list[str | None]:
        """The names at some indices, None for -1."""
        names = (*self.names, None)
        return [names[index] for index in indices.tolist()]

    @cached_property
    def _indices(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.names)}


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
