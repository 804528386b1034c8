"""Cross-validation: every text is labelled once, by a model that has not learned it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seqkit.progress import SILENT, Progress
from seqkit.sentiment.dataset import Dataset
from seqkit.sentiment.evaluation.evaluate import Evaluation, Predictor, evaluate_probabilities
from seqkit.sentiment.evaluation.metrics import Array, accuracy, macro_f1

Fit = Callable[[Dataset, int], Predictor]
"""Trains on the texts given; called with the number of the fold, from 0."""


@dataclass(frozen=True)
class Fold:
    """One of the models.

    Args:
        learned: texts that it learned.
        tested: texts that it was tested on.
        accuracy: on them.
        macro_f1: on them.
        seconds: that the training took.
    """

    learned: int
    tested: int
    accuracy: float
    macro_f1: float
    seconds: float


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """What cross-validation found.

    Args:
        evaluation: of all texts, each by the model that has not learned it.
        folds: the models.
        probabilities: of all texts, (texts, labels), those of a fold after those of the fold before.
    """

    evaluation: Evaluation
    folds: list[Fold]
    probabilities: Array = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        """The keys of an evaluation, and each fold; `mean_accuracy` is that of the folds."""
        found = [fold.accuracy for fold in self.folds]
        return {
            **self.evaluation.as_json(),
            "mean_accuracy": float(np.mean(found)),
            "standard_deviation": float(np.std(found, ddof=1)),
            "folds": [vars(fold) for fold in self.folds],
        }


def cross_validate(
    fit: Fit, dataset: Dataset, folds: int = 10, *, seed: int = 0, progress: Progress = SILENT
) -> CrossValidation:
    """Trains a model for each fold, on all texts but those of the fold, and tests it on them.

    Args:
        fit: trains one.
        dataset: the texts.
        folds: stratified by label; equal texts are in the same.
        seed: of the folds and of the intervals.
        progress: told of each fold.

    Raises:
        UsageError: fewer than 2 folds, or more than different texts.
        SeqkitError: as `fit`.
    """
    found, done = [], []
    progress.start("cross-validating", folds, "folds")
    try:
        for number, (learned, tested) in enumerate(dataset.folds(folds, seed)):
            began = time.monotonic()
            model = fit(learned, number)
            seconds = time.monotonic() - began
            probabilities = model.predict(tested.texts)
            right, f1 = (score(probabilities, tested.targets) for score in (accuracy, macro_f1))
            done.append(Fold(len(learned), len(tested), right, f1, seconds))
            found.append((probabilities, tested.targets))
            progress.message(f"fold {number + 1}: accuracy {right:.4f}, trained in {seconds:.1f} s")
            progress.update(number + 1)
    finally:
        progress.finish()
    of_all, targets = (np.concatenate(parts) for parts in zip(*found, strict=True))
    evaluation = evaluate_probabilities(of_all, targets, dataset.labels, seed=seed)
    return CrossValidation(evaluation, done, of_all)
