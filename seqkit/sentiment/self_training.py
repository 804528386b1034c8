"""Self-training: a model labels texts without labels, and those that it is sure of are learned, too.

Pseudo-labels (Lee 2013, Pseudo-label: the simple and efficient semi-supervised learning method) teach words
and n-grams that no labelled text has.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from seqkit._settings import check_numbers
from seqkit.errors import CorpusError, DataError, UsageError
from seqkit.progress import SILENT, Progress
from seqkit.sentiment.dataset import Dataset
from seqkit.sentiment.division import key_of
from seqkit.sentiment.documents import MISSING, Task
from seqkit.sentiment.evaluation.evaluate import Predictor
from seqkit.text.sources import iter_lines
from seqkit.text.streams import Sources

CONFIDENCE = 0.7
"""Least probability of a label that is learned; on held-out films of IMDb 0.7 taught no less than 0.9."""

TEXTS_AT_ONCE = 1000

ORIGIN = "without a label"


@dataclass(frozen=True, eq=False)
class Unlabelled:
    """Texts without labels, for a model to learn from.

    Args:
        texts: blank ones do not count.
        confidence: least probability of the label of those that are learned, 0 to 1.

    Raises:
        UsageError: the confidence is out of range.
        DataError: there is no text.
    """

    texts: Sequence[str]
    confidence: float = CONFIDENCE

    def __post_init__(self) -> None:
        check_numbers(self)
        if not 0 <= self.confidence <= 1:
            raise UsageError(f"confidence must be 0 to 1, not {self.confidence:g}")
        if not any(text.strip() for text in self.texts):
            raise DataError("there is no text among those without labels")

    @classmethod
    def load(
        cls, sources: Sources, confidence: float = CONFIDENCE, *, progress: Progress = SILENT
    ) -> Unlabelled:
        """The lines of sources, as `seqkit.text.sources.iter_lines` takes them.

        Raises:
            UsageError: the confidence is out of range.
            SeqkitError: as `iter_lines`; no line has a text.
        """
        texts = [line for line in iter_lines(sources, progress=progress) if line.strip()]
        if not texts:
            named = sources if isinstance(sources, Sequence) and not isinstance(sources, str) else [sources]
            raise CorpusError("there is no text in it", path=", ".join(map(str, named)))
        return cls(texts, confidence)

    def without(self, known: Iterable[str]) -> Unlabelled:
        """Those that equal none of some texts, white space and case aside, such as texts that are held out.

        Raises:
            DataError: none is left.
        """
        keys = {key_of(text) for text in known}
        texts = [text for text in self.texts if text.strip() and key_of(text) not in keys]
        if not texts:
            raise DataError("all texts without labels are among those with labels: there is nothing to learn")
        return replace(self, texts=texts)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the texts, in hex."""
        digest = hashlib.sha256()
        for text in self.texts:
            digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
        return digest.hexdigest()


@dataclass(frozen=True)
class SelfTraining:
    """What self-training did.

    Args:
        unlabelled: texts without labels that there were.
        learned: those of them that were learned.
        confidence: least probability of their labels.
        teacher_accuracy: of the model that labelled them, on the validation texts.
        teacher_seconds: of its training.
    """

    unlabelled: int
    learned: int
    confidence: float
    teacher_accuracy: float
    teacher_seconds: float


@dataclass(frozen=True, eq=False)
class PseudoLabelled:
    """Texts with the labels that a model gave them.

    Args:
        texts: in their order.
        targets: the number of each label, (texts,), int32.
    """

    texts: Sequence[str]
    targets: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.texts)

    def behind(self, dataset: Dataset) -> Dataset:
        """Labelled texts, and these after them; they lack all further tasks."""
        missing = np.full(len(self), MISSING, np.int32)
        origins = [(ORIGIN, number) for number in range(1, len(self) + 1)]
        return Dataset(
            [*dataset.texts, *self.texts],
            np.concatenate([dataset.targets, self.targets]),
            dataset.labels,
            {
                name: Task(task.labels, np.concatenate([task.targets, missing]))
                for name, task in dataset.others.items()
            },
            [*dataset.places, *origins] if dataset.places else (),
        )


def pseudo_labelled(
    teacher: Predictor, unlabelled: Unlabelled, *, progress: Progress = SILENT
) -> PseudoLabelled:
    """The texts whose label a model is sure of.

    Args:
        teacher: calibrated.
        unlabelled: the texts.
        progress: told how many texts there are, and of how many the model is sure.

    Raises:
        DataError: the model is sure of none.
    """
    texts = [text for text in unlabelled.texts if text.strip()]
    found: list[str] = []
    targets: list[int] = []
    surest = 0.0
    progress.start("labelling", len(texts), "texts")
    try:
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            some = texts[start : start + TEXTS_AT_ONCE]
            probabilities = teacher.predict(some)
            highest = probabilities.max(axis=1)
            surest = max(surest, float(highest.max()))
            sure = np.flatnonzero(highest >= unlabelled.confidence)
            found += [some[number] for number in sure]
            targets += probabilities[sure].argmax(axis=1).tolist()
            progress.update(start + len(some))
    finally:
        progress.finish()
    if not found:
        raise DataError(
            f"of {len(texts):,} texts without labels the model is sure of none: it gives no label more than "
            f"{surest:.3f}, and {unlabelled.confidence:g} is asked for; ask for less, or do without them"
        )
    counts = np.bincount(targets, minlength=len(teacher.labels)).tolist()
    told = ", ".join(f"{count:,} {name}" for name, count in zip(teacher.labels.names, counts, strict=True))
    progress.message(
        f"of {len(texts):,} texts without labels the model is sure of {len(found):,}: {told:.200}"
    )
    return PseudoLabelled(found, np.array(targets, np.int32))
