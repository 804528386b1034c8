"""Labelled texts in memory: loaded, checked, divided.

>>> data = Dataset.of(["good", "bad", "so good", "so bad"], ["pos", "neg", "pos", "neg"])
>>> data.labels.names, data.targets.tolist()
(('neg', 'pos'), [1, 0, 1, 0])
>>> rest, held_out = data.split(0.5, seed=1)
>>> sorted(rest.targets.tolist()), sorted(held_out.targets.tolist())
([0, 1], [0, 1])
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import CorpusError, DataError, UsageError
from seqkit.progress import SILENT, Progress
from seqkit.sentiment.division import folds_of, groups_of, held_out
from seqkit.sentiment.documents import MISSING, Labelled, Task
from seqkit.sentiment.encoder import TextEncoder
from seqkit.sentiment.labels import Labels
from seqkit.text.columns import Columns, fault_of_label
from seqkit.text.labelled import Example, read_examples
from seqkit.text.streams import STDIN, Sources

MANY_LABELS = 100
"""More labels than this, and than half as many as texts, are taken for a wrong column."""

Origin = tuple[str, int]
"""A file, or the name of a corpus, and the line in it."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled texts.

    Args:
        texts: as they stand in the sources.
        targets: the label of each text, (texts,), int32; none is missing.
        labels: of the main task.
        others: further tasks by column; their targets may be `MISSING`.
        places: where each text is from.
    """

    texts: Sequence[str]
    targets: NDArray[np.int32]
    labels: Labels
    others: Mapping[str, Task] = field(default_factory=dict)
    places: Sequence[Origin] = ()

    @classmethod
    def of(
        cls,
        texts: Sequence[str],
        names: Sequence[str],
        *,
        labels: Labels | None = None,
        others: Mapping[str, Sequence[str | None]] | None = None,
    ) -> Dataset:
        """A data set of texts that are in memory.

        Args:
            texts: none of them blank.
            names: the label of each.
            labels: that there are; None for those that occur.
            others: the labels of each text in further tasks, None where one is missing.

        Raises:
            DataError: fewer than two labels occur, or one that is not among `labels`; a text is blank.
            UsageError: texts and labels differ in number.
        """
        columns = {"label": names, **(others or {})}
        if any(len(column) != len(texts) for column in columns.values()):
            sizes = ", ".join(f"{len(column)} of {name}" for name, column in columns.items())
            raise UsageError(f"{len(texts)} texts have {sizes}")
        examples = [
            Example(text, dict(zip(columns, row, strict=True)), "texts", number)
            for number, (text, *row) in enumerate(zip(texts, *columns.values(), strict=True), 1)
        ]
        blank = next((example for example in examples if not example.text.strip()), None)
        if blank:
            raise CorpusError("the text is empty", path=blank.path, line=blank.line)
        return cls._of_examples(examples, labels, {})

    @classmethod
    def load(
        cls,
        sources: Sources,
        columns: Columns | None = None,
        *,
        labels: Labels | None = None,
        other_labels: Mapping[str, Labels] | None = None,
        progress: Progress = SILENT,
    ) -> Dataset:
        """Reads everything that the sources have.

        Blank texts are left out, which is said.

        Args:
            sources: one source or several, as `seqkit.text.labelled.read_examples` takes them.
            columns: which columns are read; None to guess them.
            labels: of the main task, those of a model; None for those that occur.
            other_labels: of further tasks, by column; those that occur for the others.
            progress: told what was guessed or left out, and the bytes read.

        Raises:
            DataError: a text has no label, or one that is not among `labels`; fewer than two labels occur, or
                so many that they look like texts; no text is there.
            SeqkitError: as `read_examples`.
        """
        places = [sources] if isinstance(sources, str | PathLike) else list(sources)
        if not places or places.count(STDIN) > 1:
            raise UsageError("name one source of texts or more, - (stdin) once at most")
        examples: list[Example] = []
        blank: list[Example] = []
        for place in places:
            for example in read_examples(place, columns, progress=progress):
                (examples if example.text.strip() else blank).append(example)
        if blank:
            first = f"the first in {blank[0].path}, line {blank[0].line}"
            progress.message(f"{len(blank):,} empty texts are left out, {first}")
        if not examples:
            raise CorpusError("there is no text in it", path=", ".join(map(str, places)))
        return cls._of_examples(examples, labels, other_labels or {})

    @classmethod
    def _of_examples(
        cls, examples: list[Example], labels: Labels | None, other_labels: Mapping[str, Labels]
    ) -> Dataset:
        main = [_main_label(example) for example in examples]
        labels = labels or _labels(main, examples)
        others = {}
        for name in dict.fromkeys(name for example in examples for name in list(example.labels)[1:]):
            found = [example.labels.get(name) for example in examples]
            theirs = other_labels.get(name) or _other_labels(name, found)
            others[name] = Task(theirs, _targets(found, theirs, examples))
        return cls(
            [example.text for example in examples],
            _targets(main, labels, examples),
            labels,
            others,
            [(example.path, example.line) for example in examples],
        )

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def main(self) -> Task:
        """The main task."""
        return Task(self.labels, self.targets)

    @cached_property
    def groups(self) -> NDArray[np.int64]:
        """The group of equal texts, white space and case aside, that each text is in, (texts,)."""
        return groups_of(self.texts)

    def take(self, numbers: NDArray[np.integer]) -> Dataset:
        """Some of the texts, in the order of `numbers`."""
        chosen = numbers.tolist()
        return Dataset(
            [self.texts[number] for number in chosen],
            self.targets[numbers],
            self.labels,
            {name: task.take(numbers) for name, task in self.others.items()},
            [self.places[number] for number in chosen] if self.places else (),
        )

    def split(self, fraction: float, seed: int = 0) -> tuple[Dataset, Dataset]:
        """Holds texts out: of each label that share, equal texts on the same side.

        Args:
            fraction: that is held out, above 0 and below 1.
            seed: of the choice.

        Returns:
            The rest and what is held out, both in their order.

        Raises:
            UsageError: the fraction is out of range.
            DataError: nothing would be held out, or nothing left.
        """
        chosen = held_out(self.groups, self.targets, fraction, seed)
        return self.take(np.flatnonzero(~chosen)), self.take(np.flatnonzero(chosen))

    def folds(self, folds: int, seed: int = 0) -> Iterator[tuple[Dataset, Dataset]]:
        """For cross-validation: each text is tested once, by a model that learned all other folds.

        Args:
            folds: how many, stratified by label, equal texts in the same.
            seed: of the choice.

        Yields:
            What to learn and what to test, both in their order.

        Raises:
            UsageError: fewer than 2 folds, or more than different texts.
        """
        fold = folds_of(self.groups, self.targets, folds, seed)
        for number in range(folds):
            yield self.take(np.flatnonzero(fold != number)), self.take(np.flatnonzero(fold == number))

    def labelled(self, encoder: TextEncoder) -> Labelled:
        """The texts as ids, with their targets."""
        return Labelled(encoder.encode(self.texts), self.main, self.others)


def _main_label(example: Example) -> str:
    column, label = next(iter(example.labels.items()))
    if label is None:
        raise CorpusError(f"the text has no label in column {column!r}", path=example.path, line=example.line)
    if fault := fault_of_label(label):
        raise CorpusError(fault, path=example.path, line=example.line)
    return label


def _labels(names: list[str], examples: list[Example]) -> Labels:
    """The labels that occur.

    Raises:
        CorpusError: fewer than two, or so many that they look like texts.
    """
    found, path = set(names), examples[0].path
    if len(found) > max(MANY_LABELS, len(names) // 2):
        reason = f"{len(found):,} different labels on {len(names):,} texts, such as {names[0]!r:.40}"
        raise CorpusError(f"{reason}; is it the right column? (--label-column)", path=path)
    if len(found) < 2:
        reason = f"every text has the label {names[0]!r:.40}, and a classifier needs two or more"
        raise CorpusError(reason, path=path)
    return Labels.of(found)


def _other_labels(name: str, found: Sequence[str | None]) -> Labels:
    try:
        return Labels.of(label for label in found if label is not None)
    except DataError as error:
        raise DataError(f"column {name!r}: {error}") from None


def _targets(names: Sequence[str | None], labels: Labels, examples: list[Example]) -> NDArray[np.int32]:
    targets = np.full(len(names), MISSING, np.int32)
    try:
        for number, name in enumerate(names):
            if name is not None:
                targets[number] = labels.index(name)
    except DataError as error:
        at = examples[number]
        raise CorpusError(str(error), path=at.path, line=at.line) from None
    return targets
