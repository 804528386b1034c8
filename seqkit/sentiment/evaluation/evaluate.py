"""What a model gets right on labelled texts: every figure with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import DataError
from seqkit.sentiment.dataset import Dataset
from seqkit.sentiment.evaluation.intervals import Figure, Statistic, bootstrap
from seqkit.sentiment.evaluation.metrics import (
    BINS,
    Array,
    Targets,
    calibration_gaps,
    chance_calibration_error,
    check,
    confusion,
    f1,
    precision,
    quadratic_kappa,
    recall,
    surprisals,
)
from seqkit.sentiment.labels import Labels

CALIBRATION = "calibration_error"
PER_LABEL = ("precision", "recall", "f1")


class Predictor(Protocol):
    """What can be evaluated: `SentimentModel`, for one."""

    @property
    def labels(self) -> Labels:
        """That texts can have."""

    def predict(self, texts: Sequence[str], /) -> Array:
        """Probabilities, (texts, labels), float64."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How well a model labels some texts.

    Args:
        labels: that there are.
        confusion: how many texts with label i are given label j, (labels, labels).
        figures: accuracy, macro_f1, calibration_error and log_loss; of ratings mean_absolute_error and
            quadratic_kappa, too.
        per_label: precision, recall and f1 of each label, by its name.
    """

    labels: Labels
    confusion: NDArray[np.int64] = field(repr=False)
    figures: Mapping[str, Figure]
    per_label: Mapping[str, Mapping[str, Figure]] = field(repr=False)

    @property
    def texts(self) -> int:
        """That it was evaluated on."""
        return int(self.confusion.sum())

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's types; the confusion has a row for the label that texts have."""
        support = self.confusion.sum(axis=1).tolist()
        return {
            "texts": self.texts,
            "labels": list(self.labels.names),
            **{name: figure.as_json() for name, figure in self.figures.items()},
            "per_label": {
                label: {name: figure.as_json() for name, figure in figures.items()} | {"support": count}
                for (label, figures), count in zip(self.per_label.items(), support, strict=True)
            },
            "confusion": self.confusion.tolist(),
        }


def evaluate(model: Predictor, dataset: Dataset, *, seed: int = 0) -> Evaluation:
    """Evaluates a model on labelled texts.

    Args:
        model: with the labels of the dataset.
        dataset: texts that it has not learned.
        seed: of the intervals.

    Raises:
        DataError: there is no text, or other labels than the model's.
    """
    if dataset.labels.names != model.labels.names:
        raise DataError(
            f"the labels of the texts ({', '.join(dataset.labels.names)}) are not those of the model "
            f"({', '.join(model.labels.names)})"
        )
    return evaluate_probabilities(model.predict(dataset.texts), dataset.targets, model.labels, seed=seed)


def evaluate_probabilities(
    probabilities: Array, targets: Targets, labels: Labels, *, seed: int = 0
) -> Evaluation:
    """Evaluates the probabilities that a model gave.

    The interval of the calibration error begins at 0 where it could be chance.

    Args:
        probabilities: (texts, labels), in the order of `labels`.
        targets: the label of each text, (texts,).
        labels: that there are.
        seed: of the intervals.

    Raises:
        DataError: there is no text, a probability for none of them, or no such label.
    """
    check(probabilities, targets)
    statistic = _statistic(probabilities, targets, labels)
    found = bootstrap(statistic, len(targets), seed=seed, biased=(CALIBRATION,))
    error = found[CALIBRATION]
    if error.value <= chance_calibration_error(probabilities, seed=seed):
        found[CALIBRATION] = replace(error, low=0.0)
    per_label = {
        label: {name: found.pop(f"{name} {index}") for name in PER_LABEL}
        for index, label in enumerate(labels.names)
    }
    return Evaluation(labels, confusion(probabilities, targets), found, per_label)


def _statistic(probabilities: Array, targets: Targets, labels: Labels) -> Statistic:
    """All figures of weighted texts: functions of sums over the texts."""
    from scipy.sparse import csr_array, vstack

    texts, given = np.arange(len(targets)), probabilities.argmax(axis=1)
    gaps, bins = calibration_gaps(probabilities, targets)

    def rows(index: Targets, count: int, values: Array) -> Any:
        return csr_array((values, (index, texts)), shape=(count, len(texts)))

    ones, size = np.ones(len(texts)), len(labels)
    means = np.stack([surprisals(probabilities, targets), *_ratings(targets, given, labels)])
    parts = [
        rows(targets, size, ones),
        rows(given, size, ones),
        rows(targets, size, (given == targets).astype(np.float64)),
        rows(bins, BINS, gaps),
    ]
    features = vstack(parts, format="csr")
    ends = np.cumsum([part.shape[0] for part in parts])[:-1]

    def statistic(weights: Array) -> dict[str, Array]:
        have, got, hits, gap = np.split((features @ weights.T).T, ends, axis=1)
        mean = (weights @ means.T / len(texts)).T
        scores = f1(hits, have, got)
        found = {
            "accuracy": hits.sum(axis=1) / len(texts),
            "macro_f1": np.nanmean(scores, axis=1),
            CALIBRATION: np.abs(gap).sum(axis=1) / len(texts),
            "log_loss": mean[0],
        }
        if labels.ordinal:
            found["mean_absolute_error"] = mean[1]
            found["quadratic_kappa"] = quadratic_kappa(mean[2], (mean[3], mean[4]), (mean[5], mean[6]))
        of_labels = zip(PER_LABEL, (precision(hits, got), recall(hits, have), scores), strict=True)
        for name, values in of_labels:
            found |= {f"{name} {index}": values[:, index] for index in range(size)}
        return found

    return statistic


def _ratings(targets: Targets, given: Targets, labels: Labels) -> list[Array]:
    """What mean absolute error and kappa are means of; of ratings about their middle, against rounding."""
    if not labels.ordinal:
        return []
    ratings = labels.ratings - labels.ratings.mean()
    have, got = ratings[targets], ratings[given]
    return [np.abs(have - got), (have - got) ** 2, have, have**2, got, got**2]
