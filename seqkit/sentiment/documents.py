"""Texts as ids: what every classifier reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seqkit.sentiment.labels import Labels
from seqkit.text.forms import ranges

PAD, UNKNOWN = "<pad>", "<unk>"
SPECIALS = (PAD, UNKNOWN)
PAD_ID, UNKNOWN_ID = 0, 1

MISSING = -1
"""The target of a text without a label."""


@dataclass(frozen=True, eq=False)
class Documents:
    """Texts cut into tokens, one after the other.

    Args:
        texts: as they were given.
        ids: of all tokens, (tokens,), int32; never `PAD_ID`.
        starts: where each text begins in `ids`, and the end of the last, (texts + 1,), int64.
    """

    texts: Sequence[str]
    ids: NDArray[np.int32]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each text, (texts,)."""
        return np.diff(self.starts)

    def ids_of(self, number: int) -> NDArray[np.int32]:
        """The ids of one text."""
        return self.ids[self.starts[number] : self.starts[number + 1]]

    def take(self, numbers: NDArray[np.integer]) -> Documents:
        """Some of the texts, in the order of `numbers`."""
        lengths = self.lengths[numbers]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        places = ranges(self.starts[:-1][numbers], lengths)
        return Documents([self.texts[number] for number in numbers], self.ids[places], starts)


@dataclass(frozen=True, eq=False)
class Task:
    """Something that texts are labelled with.

    Args:
        labels: that there are.
        targets: the label of each text, (texts,), int32; `MISSING` where there is none.
    """

    labels: Labels
    targets: NDArray[np.int32]

    def take(self, numbers: NDArray[np.integer]) -> Task:
        """Of some of the texts."""
        return Task(self.labels, self.targets[numbers])


@dataclass(frozen=True, eq=False)
class Labelled:
    """What a classifier learns from.

    Args:
        documents: the texts.
        main: what `classify` is to answer; no target is missing.
        others: further tasks by name, which the same encoder learns.
    """

    documents: Documents
    main: Task
    others: Mapping[str, Task] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.documents)

    def take(self, numbers: NDArray[np.integer]) -> Labelled:
        """Some of the texts, in the order of `numbers`."""
        others = {name: task.take(numbers) for name, task in self.others.items()}
        return Labelled(self.documents.take(numbers), self.main.take(numbers), others)
