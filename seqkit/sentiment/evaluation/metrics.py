"""How well probabilities fit the labels that texts have: numbers of one set of texts.

Probabilities are (texts, labels), float64, rows summing to 1; targets (texts,), indices of labels. The label
that a model gives is the likeliest, of equals the first.

>>> import numpy as np
>>> probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
>>> targets = np.array([0, 0, 1, 1])
>>> accuracy(probabilities, targets)
0.75
>>> confusion(probabilities, targets).tolist()
[[2, 0], [1, 1]]
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import DataError
from seqkit.resampling import tails

Array = NDArray[np.float64]
Targets = NDArray[np.integer[Any]]

BINS = 15
"""Of equal width from 0 to 1, for the calibration error (Guo et al. 2017, section 2)."""

SMALLEST = 1e-12
"""A probability below it costs as much as this one."""


def accuracy(probabilities: Array, targets: Targets) -> float:
    """The share of the texts whose label is the likeliest.

    Raises:
        DataError: as `check`.
    """
    check(probabilities, targets)
    return float((probabilities.argmax(axis=1) == targets).mean())


def macro_f1(probabilities: Array, targets: Targets) -> float:
    """The mean F1 of the labels that a text has or is given.

    Raises:
        DataError: as `check`.
    """
    counts = confusion(probabilities, targets)
    return float(np.nanmean(f1(counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0))))


def confusion(probabilities: Array, targets: Targets) -> NDArray[np.int64]:
    """How many texts with label i are given label j, (labels, labels).

    Raises:
        DataError: as `check`.
    """
    check(probabilities, targets)
    labels = probabilities.shape[1]
    cells = targets.astype(np.int64) * labels + probabilities.argmax(axis=1)
    return np.bincount(cells, minlength=labels**2).reshape(labels, labels)


def check(probabilities: Array, targets: Targets) -> None:
    """Checks that probabilities and targets fit each other.

    Raises:
        DataError: there is no text, a probability for none of them, or no such label.
    """
    if probabilities.ndim != 2 or targets.shape != probabilities.shape[:1]:
        raise DataError(
            f"probabilities {probabilities.shape} are not (texts, labels) of {len(targets)} texts"
        )
    if not len(targets):
        raise DataError("there is no text to evaluate on")
    if not 0 <= targets.min() <= targets.max() < probabilities.shape[1]:
        raise DataError(f"targets must be from 0 to {probabilities.shape[1] - 1}: label every text")


def precision(hits: Any, given: Any) -> Array:
    """hits / given: the share right of the texts given a label; 0 where it is never given."""
    return _share(hits, given, undefined=0.0)


def recall(hits: Any, texts: Any) -> Array:
    """hits / texts: the share found of the texts that have a label; NaN where none has it."""
    return _share(hits, texts, undefined=np.nan)


def f1(hits: Any, texts: Any, given: Any) -> Array:
    """2 hits / (texts + given), the harmonic mean of both; NaN for a label that no text has or is given.

    Args:
        hits: texts that have a label and are given it, (..., labels).
        texts: that have it.
        given: that are given it.
    """
    return _share(2 * np.asarray(hits, np.float64), np.add(texts, given), undefined=np.nan)


def calibration_gaps(probabilities: Array, targets: Targets) -> tuple[Array, NDArray[np.int64]]:
    """What the calibration error is the sum of.

    Returns:
        The likeliest label's probability, less 1 where it is right, (texts,); the bin that the probability
        is in, (texts,).
    """
    sure = probabilities.max(axis=1)
    return sure - (probabilities.argmax(axis=1) == targets), _bins(sure)


def _bins(sure: Array) -> NDArray[np.int64]:
    return np.clip(np.ceil(sure * BINS).astype(np.int64) - 1, 0, BINS - 1)


def calibration_error(probabilities: Array, targets: Targets) -> float:
    """How far the probability of the likeliest label is from the share of the texts where it is right.

    With B_m the texts whose likeliest label has a probability above (m - 1)/15, up to m/15:

        ECE = Σ_m |B_m| / n · |mean probability in B_m - accuracy in B_m|

    Source: Naeini et al. 2015; Guo et al. 2017, equation 3.

    Raises:
        DataError: as `check`.
    """
    check(probabilities, targets)
    gaps, bins = calibration_gaps(probabilities, targets)
    return float(np.abs(np.bincount(bins, weights=gaps)).sum() / len(targets))


def chance_calibration_error(probabilities: Array, *, seed: int) -> float:
    """The calibration error that true probabilities would exceed on one sample in forty.

    In a bin, the texts that are right then vary about their number with variance Σ p (1 - p); normal draws.
    Of true probabilities the error is never 0 on a sample, and a bootstrap around it cannot tell.

    Source: Bröcker and Smith 2007, "Increasing the reliability of reliability diagrams".
    """
    sure = probabilities.max(axis=1)
    spread = np.sqrt(np.bincount(_bins(sure), weights=sure * (1 - sure), minlength=BINS).clip(0))
    errors = np.abs(np.random.default_rng(seed).normal(size=(10_000, BINS)) * spread).sum(axis=1) / len(sure)
    return float(np.quantile(errors, tails()[1]))


def surprisals(probabilities: Array, targets: Targets) -> Array:
    """-ln of the probability of each text's label, (texts,), in nats."""
    found: Array = -np.log(np.maximum(probabilities[np.arange(len(targets)), targets], SMALLEST))
    return found


def quadratic_kappa(square: Any, have: tuple[Any, Any], given: tuple[Any, Any]) -> Array:
    """Agreement of ratings beyond chance, weighted by squared distance; 1 is perfect, 0 chance.

    With t the rating that a text has and p the one that it is given, the expectation below taken over both
    independently,

        κ = 1 - mean (t - p)² / E (t - p)²,   E (t - p)² = mean t² + mean p² - 2 mean t mean p

    NaN where all have one rating and are given it. Source: Cohen 1968.

    Args:
        square: mean (t - p)², (...).
        have: mean t and mean t².
        given: mean p and mean p².
    """
    chance = have[1] + given[1] - 2 * np.asarray(have[0]) * given[0]
    # Ratings that are all equal leave a rest of rounding.
    tiny = 1e-12 * np.maximum(have[1], given[1])
    return 1 - _share(square, np.where(chance > tiny, chance, 0.0), undefined=np.nan)


def _share(part: Any, whole: Any, *, undefined: float) -> Array:
    part, whole = np.broadcast_arrays(np.asarray(part, np.float64), np.asarray(whole, np.float64))
    found: Array = np.full(whole.shape, undefined)
    np.divide(part, whole, out=found, where=whole > 0)
    return found
