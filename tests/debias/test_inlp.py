"""INLP: projections, and classifiers that end at chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seqkit.debias.inlp import InlpConfig, inlp, nullspace
from seqkit.errors import DataError, UsageError

CONFIG = InlpConfig(biased=100)


def classes(seed: int, n: int, size: int, shift: float) -> tuple[np.ndarray, np.ndarray]:
    """Two normal clouds whose means differ along the first two axes."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    rows = rng.normal(size=(n, size)) / np.sqrt(size)
    rows[:, :2] += shift * (labels[:, None] - 0.5)
    return rows, labels


def held_out_accuracy(model: Any, rows: np.ndarray, labels: np.ndarray) -> float:
    half = len(rows) // 2
    return float(model.fit(rows[:half], labels[:half]).score(rows[half:], labels[half:]))


def test_directions_are_orthonormal_and_the_first_is_the_classifiers() -> None:
    from sklearn.linear_model import LogisticRegression

    rows, labels = classes(0, 2000, 10, 1.0)
    q, accuracies = nullspace(rows, labels, iterations=5)
    np.testing.assert_allclose(q @ q.T, np.eye(len(q)), atol=1e-9)
    projection = np.eye(10) - q.T @ q
    np.testing.assert_allclose(projection, projection.T)
    np.testing.assert_allclose(projection @ projection, projection, atol=1e-9)
    # All rows in place of 70% of them: nearly the same direction.
    model = LogisticRegression(max_iter=1000).fit(rows, labels)
    assert abs(model.coef_[0] @ q[0]) / np.linalg.norm(model.coef_) > 0.98
    assert accuracies[0] > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_other_linear_classifiers_fall_to_chance_too(seed: int) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    rows, labels = classes(seed, 4000, 10, 1.0)
    q, accuracies = nullspace(rows, labels, iterations=8, seed=seed)
    after = rows - (rows @ q.T) @ q
    fresh_rows, fresh_labels = classes(seed + 100, 4000, 10, 1.0)
    fresh = fresh_rows - (fresh_rows @ q.T) @ q
    # Two standard errors of a fair coin on 1,200 and 2,000 words: .029 and .022; the rest is for a trace.
    assert accuracies[-1] <= 0.5 + 0.029
    for model in (LogisticRegression(C=100), LinearSVC(dual=False)):
        assert held_out_accuracy(model, rows, labels) > 0.9
        assert held_out_accuracy(model, after, labels) < 0.56
        assert held_out_accuracy(model, fresh, fresh_labels) < 0.56


def test_it_ends_where_it_must() -> None:
    rows, labels = classes(0, 1000, 10, 1.0)
    q, accuracies = nullspace(rows, labels, iterations=1)
    assert len(q) == 1
    assert len(accuracies) == 2
    mixed = np.random.default_rng(0).permutation(labels)
    q, accuracies = nullspace(rows, mixed, iterations=5)
    assert len(q) == 0  # nothing to be found, nothing to be removed
    assert len(accuracies) == 1
    line, labels = classes(0, 200, 2, 9.0)
    line[:, 1] = line[:, 0]
    q, _ = nullspace(line, labels, iterations=50)
    assert len(q) <= 1  # one dimension of two is left


def test_three_classes_fall_to_a_third() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(3000) % 3
    rows = rng.normal(size=(3000, 8)) / np.sqrt(8)
    rows[np.arange(3000), labels] += 1.0
    q, accuracies = nullspace(rows, labels, iterations=6)
    assert accuracies[0] > 0.7
    assert accuracies[-1] <= 1 / 3 + 2 * np.sqrt(2 / 9 / 900)
    assert len(q) % 2 == 0  # the differences of three means span a plane


def test_neutral_words_lose_the_directions_and_others_keep_every_bit(uneven: Any) -> None:
    task = uneven.task
    done = inlp(task, CONFIG)
    q = done.tensors["removed"]
    assert len(q) == done.details["directions"] >= 1
    rows = task.matrix.astype(np.float64)
    expected = np.where(task.neutral[:, None], rows - (rows @ q.T) @ q, rows)
    np.testing.assert_allclose(done.matrix, expected, atol=1e-6)
    assert np.abs(done.matrix[task.neutral] @ q.T).max() < 1e-6
    assert done.matrix[~task.neutral].tobytes() == task.matrix[~task.neutral].tobytes()
    assert done.details["biased"] == 100
    assert done.details["accuracies"][0] > 0.95
    assert done.details["accuracies"][-1] < 0.7


def test_the_same_seed_gives_the_same_bytes(uneven: Any) -> None:
    assert inlp(uneven.task, CONFIG).matrix.tobytes() == inlp(uneven.task, CONFIG).matrix.tobytes()


def test_settings(plant: Any) -> None:
    with pytest.raises(UsageError, match="iterations must be at least 1, not 0"):
        InlpConfig(iterations=0)
    with pytest.raises(UsageError, match="biased must be at least 5"):
        InlpConfig(biased=4)
    with pytest.raises(DataError, match="too few"):
        inlp(plant(words=10).task, InlpConfig())
