"""Labels that look wrong: those that a model which did not learn them is sure to be others.

Brodley & Friedl 1999, Identifying mislabeled training data: each fold of the texts is labelled by a model of
the others. The model is weak and strongly regularised, so that it is sure only of what many texts agree on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqkit.progress import SILENT, Progress
from seqkit.sentiment.cutting import Cutter
from seqkit.sentiment.dataset import Dataset
from seqkit.sentiment.division import folds_of
from seqkit.sentiment.encoder import TextEncoder, vocabulary_of

FOLDS = 5
SURE = 0.9
"""Probability from which on a model contradicts a label."""

L2 = 1e-3


@dataclass(frozen=True)
class Suspect:
    """A label that looks wrong.

    Args:
        number: of the text.
        label: that the text has.
        likely: what a model says instead.
        probability: of that, at least `SURE`.
    """

    number: int
    label: str
    likely: str
    probability: float


def suspects(dataset: Dataset, *, seed: int = 0, progress: Progress = SILENT) -> list[Suspect]:
    """The labels that look wrong, the surest first.

    Args:
        dataset: of `FOLDS` different texts or more.
        seed: of the folds.
        progress: told the folds that are done.

    Raises:
        UsageError: there are too few texts.
    """
    found = _out_of_fold(dataset, seed, progress)
    likely, sure = found.argmax(axis=1), found.max(axis=1)
    wrong = np.flatnonzero((likely != dataset.targets) & (sure >= SURE))
    names = dataset.labels.names
    return [
        Suspect(number, names[dataset.targets[number]], names[likely[number]], float(sure[number]))
        for number in wrong[np.argsort(-sure[wrong], kind="stable")].tolist()
    ]


def _out_of_fold(dataset: Dataset, seed: int, progress: Progress) -> NDArray[np.float64]:
    """The probability of each label, by a model that did not learn the text, (texts, labels)."""
    from scipy.special import softmax

    from seqkit.sentiment.models.contract import Fitting
    from seqkit.sentiment.models.linear import LinearConfig, fit

    fold = folds_of(dataset.groups, dataset.targets, FOLDS, seed)
    cutter = Cutter()
    encoder = TextEncoder(cutter, vocabulary_of(cutter, dataset.texts))
    labelled = dataset.labelled(encoder)
    found = np.zeros((len(dataset), len(dataset.labels)))
    progress.start("looking for wrong labels", FOLDS, "folds")
    try:
        for number in range(FOLDS):
            rest, tested = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
            learned = labelled.take(rest)
            model = fit(LinearConfig(ngrams=1, l2=L2), Fitting(learned, learned, encoder.vocabulary))
            logits = model.logits(labelled.documents.take(tested))
            found[tested] = softmax(logits.astype(np.float64), axis=1)
            progress.update(number + 1)
    finally:
        progress.finish()
    return found
