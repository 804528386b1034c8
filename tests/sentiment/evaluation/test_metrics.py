"""Metrics of classification, against scikit-learn's and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from seqkit.errors import DataError
from seqkit.sentiment.evaluation import metrics
from seqkit.sentiment.evaluation.metrics import (
    accuracy,
    calibration_error,
    chance_calibration_error,
    confusion,
    f1,
    macro_f1,
    precision,
    quadratic_kappa,
    recall,
    surprisals,
)


def drawn(texts: int, labels: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(labels), texts), rng.integers(labels, size=texts)


@pytest.mark.parametrize(("texts", "labels"), [(40, 2), (200, 5), (3, 4)])
def test_against_scikit_learn(texts: int, labels: int) -> None:
    probabilities, targets = drawn(texts, labels)
    given = probabilities.argmax(axis=1)
    assert accuracy(probabilities, targets) == sklearn_metrics.accuracy_score(targets, given)
    expected = sklearn_metrics.f1_score(targets, given, average="macro", zero_division=0)
    assert macro_f1(probabilities, targets) == pytest.approx(expected)
    counts = sklearn_metrics.confusion_matrix(targets, given, labels=range(labels))
    assert confusion(probabilities, targets).tolist() == counts.tolist()
    loss = sklearn_metrics.log_loss(targets, probabilities, labels=range(labels))
    assert surprisals(probabilities, targets).mean() == pytest.approx(loss)


def test_scores_of_labels_against_scikit_learn() -> None:
    probabilities, targets = drawn(100, 3)
    expected = sklearn_metrics.precision_recall_fscore_support(targets, probabilities.argmax(axis=1))
    counts = confusion(probabilities, targets)
    hits, texts, given = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    assert precision(hits, given) == pytest.approx(expected[0])
    assert recall(hits, texts) == pytest.approx(expected[1])
    assert f1(hits, texts, given) == pytest.approx(expected[2])
    assert texts.tolist() == expected[3].tolist()


def test_labels_that_nothing_is() -> None:
    # The first is never given, no text has the second, the third is neither.
    assert precision([0, 0, 0], [0, 4, 0]).tolist() == [0, 0, 0]
    assert recall([0, 0, 0], [4, 0, 0]) == pytest.approx([0, np.nan, np.nan], nan_ok=True)
    assert f1([0, 0, 0], [4, 0, 0], [0, 4, 0]) == pytest.approx([0, 0, np.nan], nan_ok=True)
    # With three labels of which one is nowhere, the mean is of two: F1 1 and 2·1/(1 + 2) would need it.
    probabilities = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]])
    assert macro_f1(probabilities, np.array([0, 1])) == 1


def test_calibration_error_by_hand() -> None:
    # Bins of 1/15: 0.9 and 0.91 are in the 14th (0.8667 to 0.9333), 0.6 ends the 9th (0.5333 to 0.6).
    probabilities = np.array([[0.9, 0.1], [0.09, 0.91], [0.6, 0.4], [0.55, 0.45]])
    targets = np.array([0, 0, 0, 0])
    # 14th: probabilities 0.9 + 0.91, one right: |1.81 - 1|; 9th: 0.6 + 0.55, both right: |1.15 - 2|.
    assert calibration_error(probabilities, targets) == pytest.approx((0.81 + 0.85) / 4)


def test_the_end_of_a_bin_belongs_to_it() -> None:
    # Of 0.6, the end of the 9th bin, and 0.55 in it one is right: |0.6 + 0.55 - 1|. Apart they would sum to
    # 0.4 + 0.55.
    probabilities = np.array([[0.6, 0.4], [0.55, 0.45]])
    assert calibration_error(probabilities, np.array([0, 1])) == pytest.approx(0.15 / 2)


def test_a_calibrated_model_has_no_error() -> None:
    # Of ten texts at 0.8, eight are right.
    probabilities = np.tile([0.8, 0.2], (10, 1))
    targets = np.array([0] * 8 + [1] * 2)
    assert calibration_error(probabilities, targets) == pytest.approx(0)
    # Certain and right, at the upper end of the last bin.
    assert calibration_error(np.array([[1.0, 0.0]]), np.array([0])) == 0


def test_the_calibration_error_of_chance() -> None:
    """Against labels drawn by the probabilities themselves."""
    probabilities, _ = drawn(300, 2)
    rng = np.random.default_rng(2)
    errors = [
        calibration_error(probabilities, (rng.random(300) > probabilities[:, 0]).astype(int))
        for _ in range(2000)
    ]
    found = chance_calibration_error(probabilities, seed=0)
    # 2,000 draws tell the share above it to √(0.025 · 0.975 / 2000) = 0.0035; three of them.
    assert np.mean(np.array(errors) > found) == pytest.approx(0.025, abs=0.011)


def test_surprisals_are_finite() -> None:
    assert surprisals(np.array([[1.0, 0.0]]), np.array([1])) == pytest.approx(-np.log(metrics.SMALLEST))


def kappa(have: np.ndarray, got: np.ndarray) -> float:
    moments = [(each.mean(), (each**2).mean()) for each in (have, got)]
    return float(quadratic_kappa(((have - got) ** 2).mean(), *moments))


def test_kappa_against_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    have = rng.integers(1, 6, size=80).astype(float)
    got = np.clip(have + rng.integers(-1, 2, size=80), 1, 5)
    expected = sklearn_metrics.cohen_kappa_score(have, got, weights="quadratic")
    assert kappa(have, got) == pytest.approx(expected)


def test_kappa_does_not_depend_on_where_ratings_begin() -> None:
    have, got = np.array([1.0, 2, 3, 2]), np.array([1.0, 2, 2, 3])
    assert kappa(have + 1000, got + 1000) == pytest.approx(kappa(have, got))


def test_kappa_without_a_choice() -> None:
    same = np.full(7, 0.1)
    assert np.isnan(kappa(same, same))
    # Texts of two ratings that are all given one: no better than chance.
    assert kappa(np.array([1.0, 3.0]), np.array([1.0, 1.0])) == pytest.approx(0)


@pytest.mark.parametrize(
    ("probabilities", "targets", "message"),
    [
        (np.zeros((0, 2)), np.zeros(0, int), "no text"),
        (np.ones((2, 2)), np.array([0]), "are not"),
        (np.ones(2), np.array([0, 1]), "are not"),
        (np.ones((2, 2)), np.array([0, 2]), "from 0 to 1"),
        (np.ones((2, 2)), np.array([0, -1]), "label every text"),
    ],
)
def test_what_does_not_fit(probabilities: np.ndarray, targets: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        accuracy(probabilities, targets)
