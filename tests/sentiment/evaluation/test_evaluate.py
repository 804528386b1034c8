"""Evaluation: the keys that are promised, figures against scikit-learn's, intervals that cover."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from seqkit.errors import DataError
from seqkit.sentiment.evaluation.evaluate import Evaluation, evaluate, evaluate_probabilities
from seqkit.sentiment.evaluation.metrics import calibration_error
from seqkit.sentiment.labels import Labels

POLARITY = Labels(("negative", "neutral", "positive"))
STARS = Labels(("1", "2", "3", "4", "5"))


def drawn(texts: int, labels: Labels, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that are right on average, and labels drawn by them."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(len(labels), 0.5), texts)
    targets = (rng.random((texts, 1)) > probabilities.cumsum(axis=1)).sum(axis=1)
    return probabilities, np.minimum(targets, len(labels) - 1)


def evaluated(texts: int, labels: Labels, seed: int = 0) -> Evaluation:
    return evaluate_probabilities(*drawn(texts, labels, seed), labels)


def test_the_answer_in_json() -> None:
    probabilities, targets = drawn(300, POLARITY)
    answer = json.loads(json.dumps(evaluate_probabilities(probabilities, targets, POLARITY).as_json()))
    assert list(answer) == [
        *("texts", "labels", "accuracy", "macro_f1", "calibration_error", "log_loss"),
        *("per_label", "confusion"),
    ]
    given = probabilities.argmax(axis=1)
    expected = sklearn_metrics.precision_recall_fscore_support(targets, given)
    for index, label in enumerate(POLARITY.names):
        scores = answer["per_label"][label]
        assert list(scores) == ["precision", "recall", "f1", "support"]
        assert scores.pop("support") == expected[3][index]
        values = [scores[name]["value"] for name in ("precision", "recall", "f1")]
        assert values == pytest.approx([part[index] for part in expected[:3]])
    assert answer["confusion"] == sklearn_metrics.confusion_matrix(targets, given).tolist()
    assert answer["accuracy"]["value"] == pytest.approx(sklearn_metrics.accuracy_score(targets, given))
    assert answer["macro_f1"]["value"] == pytest.approx(expected[2].mean())
    assert answer["log_loss"]["value"] == pytest.approx(sklearn_metrics.log_loss(targets, probabilities))
    assert answer["calibration_error"]["value"] == pytest.approx(calibration_error(probabilities, targets))
    for figure in (answer["accuracy"], answer["macro_f1"], *answer["per_label"]["neutral"].values()):
        if isinstance(figure, dict):
            assert figure["low"] < figure["value"] < figure["high"]


def test_ratings_have_an_order() -> None:
    probabilities, targets = drawn(300, STARS)
    figures = evaluate_probabilities(probabilities, targets, STARS).figures
    given = probabilities.argmax(axis=1)
    kappa = sklearn_metrics.cohen_kappa_score(targets, given, weights="quadratic")
    assert figures["quadratic_kappa"].value == pytest.approx(kappa)
    assert figures["mean_absolute_error"].value == pytest.approx(np.abs(targets - given).mean())


def test_ratings_count_by_their_value() -> None:
    # One text of rating 1 is given 10: |1 - 10| / 2.
    labels = Labels(("1", "2", "10"))
    found = evaluate_probabilities(np.array([[0.0, 0.1, 0.9], [0.1, 0.8, 0.1]]), np.array([0, 1]), labels)
    assert found.figures["mean_absolute_error"].value == pytest.approx(4.5)


def test_intervals_are_those_of_resampled_texts() -> None:
    """The same resamples, each evaluated by itself."""
    probabilities, targets = drawn(120, POLARITY)
    found = evaluate_probabilities(probabilities, targets, POLARITY, seed=7)
    given = probabilities.argmax(axis=1)
    generator = np.random.default_rng([7, 0])
    draws = []
    for _ in range(1000):
        chosen = (120 * generator.random(120)).astype(int)
        have, got = targets[chosen], given[chosen]
        hits = have == got
        f1 = [
            2 * (hits & (have == label)).sum() / ((have == label).sum() + (got == label).sum())
            for label in range(3)
        ]
        error = calibration_error(probabilities[chosen], have)
        draws.append([hits.mean(), np.mean(f1), hits[have == 2].mean(), error])
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    for place, figure in enumerate(
        (found.figures["accuracy"], found.figures["macro_f1"], found.per_label["positive"]["recall"])
    ):
        assert (figure.low, figure.high) == pytest.approx((low[place], high[place]))
    # Labels drawn by the probabilities: they are calibrated, up to chance.
    error = found.figures["calibration_error"]
    assert (error.low, error.high) == pytest.approx((0, max(error.value, 2 * error.value - low[3])))


def test_intervals_cover() -> None:
    """95% of 100 samples hold the accuracy of all texts, and 0, the calibration error of true chances."""
    probabilities, targets = drawn(200_000, POLARITY)
    truth = (probabilities.argmax(axis=1) == targets).mean()
    right = calibrated = 0
    for number in range(100):
        part = slice(150 * number, 150 * (number + 1))
        figures = evaluate_probabilities(probabilities[part], targets[part], POLARITY).figures
        right += figures["accuracy"].low <= truth <= figures["accuracy"].high
        calibrated += figures["calibration_error"].low == 0
    # 95 of 100, within four standard deviations of √(100 · 0.95 · 0.05) = 2.2.
    assert right >= 86
    assert calibrated >= 86


def test_intervals_cover_overconfidence() -> None:
    probabilities, targets = drawn(200_000, POLARITY)
    sharper = probabilities**3 / (probabilities**3).sum(axis=1, keepdims=True)
    truth = calibration_error(sharper, targets)
    covered = 0
    for number in range(60):
        part = slice(400 * number, 400 * (number + 1))
        error = evaluate_probabilities(sharper[part], targets[part], POLARITY).figures["calibration_error"]
        covered += 0.05 < error.low <= truth <= error.high
    # 57 of 60, less four standard deviations of √(60 · 0.95 · 0.05) = 1.7.
    assert covered >= 50


def test_a_label_that_no_text_has() -> None:
    found = evaluate_probabilities(np.array([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]]), np.array([0, 2]), POLARITY)
    assert found.figures["macro_f1"].value == 1
    assert found.per_label["neutral"]["precision"].value == 0
    assert np.isnan(found.per_label["neutral"]["recall"].value)


def test_twenty_five_thousand_texts_take_seconds_at_most() -> None:
    probabilities, targets = drawn(25_000, STARS)
    began = time.process_time()
    evaluate_probabilities(probabilities, targets, STARS)
    assert time.process_time() - began < 8  # about 1 on a quiet machine


def model(labels: Labels) -> Any:
    return SimpleNamespace(labels=labels, predict=lambda texts: np.tile([0.2, 0.8], (len(texts), 1)))


def test_a_model_on_a_dataset() -> None:
    labels = Labels(("no", "yes"))
    dataset: Any = SimpleNamespace(texts=["a", "b", "c", "d"], targets=np.array([1, 1, 1, 0]), labels=labels)
    found = evaluate(model(labels), dataset)
    assert found.figures["accuracy"].value == 0.75
    assert found.texts == 4
    assert found.as_json() == evaluate(model(labels), dataset, seed=0).as_json()
    with pytest.raises(DataError, match=r"no, yes\) are not those of the model \(negative, positive"):
        evaluate(model(Labels(("negative", "positive"))), dataset)
