"""Cross-validation: each text is tested once, by a model that has not learned it."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from seqkit.errors import UsageError
from seqkit.sentiment.dataset import Dataset
from seqkit.sentiment.evaluation.cross_validation import cross_validate
from seqkit.sentiment.evaluation.evaluate import Evaluation

DATA = Dataset.of([f"text {number}" for number in range(40)], ["a", "b", "b", "b"] * 10)


def most_frequent(learned: Dataset, number: int) -> Any:
    """Gives every text the label that most of the learned texts have."""
    shares = np.bincount(learned.targets, minlength=2) / len(learned)
    return SimpleNamespace(labels=learned.labels, predict=lambda texts: np.tile(shares, (len(texts), 1)))


def test_every_text_is_tested_once_and_not_learned() -> None:
    tested: Counter[str] = Counter()
    numbers = []

    def fit(learned: Dataset, number: int) -> Any:
        numbers.append(number)
        known = set(learned.texts)

        def predict(texts: list[str]) -> np.ndarray:
            tested.update(texts)
            assert not known & set(texts)
            return most_frequent(learned, number).predict(texts)

        return SimpleNamespace(labels=learned.labels, predict=predict)

    found = cross_validate(fit, DATA, 5, seed=1)
    assert numbers == [0, 1, 2, 3, 4]
    assert tested == Counter(DATA.texts)
    assert [(fold.learned, fold.tested) for fold in found.folds] == [(32, 8)] * 5
    # Stratified: two texts of each fold of eight have the rarer label, which no model ever gives.
    assert [fold.accuracy for fold in found.folds] == [0.75] * 5
    assert found.evaluation.confusion.tolist() == [[0, 10], [0, 30]]
    assert found.probabilities == pytest.approx(np.tile([0.25, 0.75], (40, 1)))


def test_the_answer_has_the_keys_of_an_evaluation() -> None:
    def fit(learned: Dataset, number: int) -> Any:
        # The first model of four is always wrong.
        wrong = np.array([0.9, 0.1]) if number == 0 else np.array([0.1, 0.9])
        return SimpleNamespace(labels=learned.labels, predict=lambda texts: np.tile(wrong, (len(texts), 1)))

    found = cross_validate(fit, DATA, 4, seed=1)
    answer = found.as_json()
    assert isinstance(found.evaluation, Evaluation)
    assert set(found.evaluation.as_json()) <= set(answer)
    assert len(answer["folds"]) == 4
    accuracies = [fold["accuracy"] for fold in answer["folds"]]
    assert answer["mean_accuracy"] == pytest.approx(np.mean(accuracies))
    assert answer["standard_deviation"] == pytest.approx(np.std(accuracies, ddof=1))
    # Folds of equal size: the accuracy of all texts is the mean.
    assert answer["accuracy"]["value"] == pytest.approx(np.mean(accuracies))
    assert answer["accuracy"]["low"] < answer["accuracy"]["value"] < answer["accuracy"]["high"]


def test_the_seed_decides_the_folds() -> None:
    def tested(seed: int) -> list[list[str]]:
        return [list(part.texts) for _, part in DATA.folds(4, seed)]

    assert tested(1) == tested(1) != tested(2)
    first, again = (cross_validate(most_frequent, DATA, 4, seed=1).as_json() for _ in range(2))
    for answer in (first, again):
        answer.pop("folds")
    assert first == again


def test_too_many_folds() -> None:
    with pytest.raises(UsageError, match="folds must be 2 to 40"):
        cross_validate(most_frequent, DATA, 41)
