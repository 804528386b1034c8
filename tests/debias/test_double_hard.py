"""Double-hard debiasing: hard debiasing without the mean and one component, the best of those tried."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from seqkit.debias.biased import biased_words, labelled
from seqkit.debias.directions import bias_subspace
from seqkit.debias.double_hard import DoubleHardConfig, cluster_accuracy, double_hard
from seqkit.debias.hard import HardConfig, hard, neutralize
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import UsageError


def without(task: Any, component: int) -> np.ndarray:
    """All words at length 1, without their mean and a principal component (from 1), by NumPy's SVD."""
    rows = task.matrix.astype(np.float64)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    centred = unit - unit.mean(axis=0)
    axis = np.linalg.svd(centred, full_matrices=False)[2][component - 1]
    return centred - np.outer(centred @ axis, axis)


def test_it_is_hard_debiasing_of_what_is_left(uneven: Any) -> None:
    task = uneven.task
    done = double_hard(task, DoubleHardConfig(candidates=2))
    lengths = np.linalg.norm(task.matrix, axis=1, keepdims=True)
    rows = (without(task, done.details["component"]) * lengths).astype(np.float32)
    vectors = Vectors(task.vectors.vocabulary, rows)
    subspace = bias_subspace(vectors, uneven.sets.pairs)
    expected = hard(replace(task, vectors=vectors, subspace=subspace), HardConfig())
    np.testing.assert_allclose(done.matrix, expected.matrix, atol=2e-5)
    np.testing.assert_allclose(np.abs(done.tensors["basis"]), np.abs(subspace.basis), atol=1e-5)
    assert done.details["equalized"] == expected.details["equalized"]


def test_what_hard_promises_holds(uneven: Any) -> None:
    task = uneven.task
    done = double_hard(task, DoubleHardConfig(candidates=2))
    neutral = done.matrix[task.neutral].astype(np.float64)
    assert np.abs(neutral @ done.tensors["basis"].T).max() < 1e-6 * np.linalg.norm(neutral, axis=1).max()
    for ids in task.equalize:
        assert np.ptp(neutral @ done.matrix[ids].T.astype(np.float64), axis=1).max() < 1e-5
    removed = done.tensors["removed"]
    assert np.abs(neutral @ removed.T).max() < 1e-4  # hard debiasing does not bring the component back
    np.testing.assert_allclose(np.linalg.norm(removed), 1)


def test_the_component_is_that_without_which_clusters_agree_least(plant: Any) -> None:
    task = plant(seed=4, words=300).task
    config = DoubleHardConfig(candidates=5, biased=40)
    rows, labels = labelled(biased_words(task, 40))
    accuracies = []
    for component in range(1, 6):
        vectors = Vectors(task.vectors.vocabulary, without(task, component).astype(np.float32))
        basis = bias_subspace(vectors, task.sets.pairs).basis
        left = vectors.matrix[rows] / np.linalg.norm(vectors.matrix[rows], axis=1, keepdims=True)
        accuracies.append(cluster_accuracy(neutralize(left.astype(np.float64), basis), labels, config.seed))
    details = double_hard(task, config).details
    np.testing.assert_allclose(details["cluster_accuracies"], accuracies, atol=0.03)
    assert details["component"] == 1 + int(np.argmin(details["cluster_accuracies"]))
    # The second axis goes with the bias and varies most: it is the first component, and hides the bias.
    assert details["component"] == 1
    assert details["cluster_accuracies"][0] < 0.75 < min(details["cluster_accuracies"][1:])


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([0, 0, 0, 1, 1, 1], 1.0),
        ([1, 1, 1, 0, 0, 0], 1.0),  # clusters have no names
        ([0, 0, 1, 1, 1, 1], 5 / 6),
        ([0, 1, 0, 1, 0, 1], 4 / 6),  # two of a and one of b here, one and two there
        ([0, 1, 1, 2, 2, 2], None),
    ],
)
def test_cluster_accuracy(labels: list[int], expected: float | None) -> None:
    rows = np.array([[0, 0.0], [0, 0.1], [0.1, 0], [5, 5], [5, 5.1], [5.1, 5]])
    if expected is None:
        rows = np.array([[9, 0.0], [0, 0.1], [0.1, 0], [5, 5], [5, 5.1], [5.1, 5]])
        expected = 1.0  # three clusters, {0}, {1, 2}, {3, 4, 5}, are the three classes
    assert cluster_accuracy(rows, np.array(labels), seed=0) == pytest.approx(expected)


def test_two_dimensions_are_left(plant: Any) -> None:
    done = double_hard(plant(size=4).task, DoubleHardConfig(biased=40))
    assert len(done.details["cluster_accuracies"]) == 2


def test_the_same_seed_gives_the_same_bytes(uneven: Any) -> None:
    config = DoubleHardConfig(candidates=2, seed=7)
    first, second = (double_hard(uneven.task, config) for _ in range(2))
    assert first.matrix.tobytes() == second.matrix.tobytes()
    assert first.details == second.details


def test_zero_vectors_stay_zero(planted: Any) -> None:
    matrix = planted.vectors.matrix.copy()
    row = planted.vectors.vocabulary["n5"]
    matrix[row] = 0
    task = replace(planted.task, vectors=Vectors(planted.vectors.vocabulary, matrix))
    done = double_hard(task, DoubleHardConfig(candidates=2))
    assert not done.matrix[row].any()
    assert np.isfinite(done.matrix).all()


def test_settings() -> None:
    with pytest.raises(UsageError, match="candidates must be at least 1, not 0"):
        DoubleHardConfig(candidates=0)
    with pytest.raises(UsageError, match="biased must be at least 5"):
        DoubleHardConfig(biased=1)
