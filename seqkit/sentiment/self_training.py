"""Self-training: a model labels texts without labels, and those that it is sure of are learned, too.

Pseudo-labels (Lee 2013, Pseudo-label: the simple and efficient semi-supervised learning method) teach words
and n-grams that no labelled text has.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import numpy as np

from seqkit.errors import UsageError
from seqkit.progress import SILENT, Progress
from seqkit.sentiment.dataset import Dataset
from seqkit.sentiment.documents import MISSING, Task
from seqkit.sentiment.evaluation.evaluate import Predictor

CONFIDENCE = 0.7
"""Least probability of a label that is learned; on held-out IMDb reviews 0.7 and 0.9 did the same."""

TEXTS_AT_ONCE = 1000


def with_pseudo_labels(
    dataset: Dataset,
    teacher: Predictor,
    texts: Iterable[str],
    *,
    confidence: float = CONFIDENCE,
    progress: Progress = SILENT,
) -> Dataset:
    """The labelled texts, and behind them those of others whose label a model is sure of.

    Args:
        dataset: labelled texts.
        teacher: trained on them, calibrated.
        texts: without labels; blank ones are left out. They lack all further tasks.
        confidence: least probability of the label, 0 to 1.
        progress: told how many texts there are and were sure.

    Raises:
        UsageError: the confidence is out of range.
    """
    if not 0 <= confidence <= 1:
        raise UsageError(f"confidence must be 0 to 1, not {confidence:g}")
    found: list[str] = []
    targets: list[int] = []
    seen = 0
    waiting = (text for text in texts if text.strip())
    while some := list(islice(waiting, TEXTS_AT_ONCE)):
        seen += len(some)
        probabilities = teacher.predict(some)
        sure = np.flatnonzero(probabilities.max(axis=1) >= confidence)
        found += [some[number] for number in sure]
        targets += probabilities[sure].argmax(axis=1).tolist()
    progress.message(f"of {seen:,} texts without a label the model is sure of {len(found):,}")
    missing = np.full(len(found), MISSING, np.int32)
    return Dataset(
        [*dataset.texts, *found],
        np.concatenate([dataset.targets, np.array(targets, np.int32)]),
        dataset.labels,
        {
            name: Task(task.labels, np.concatenate([task.targets, missing]))
            for name, task in dataset.others.items()
        },
        [*dataset.places, *(("without a label", number) for number in range(1, len(found) + 1))]
        if dataset.places
        else (),
    )
