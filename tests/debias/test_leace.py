"""LEACE, against the formula by other routines, and against what the theorem promises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seqkit.debias.biased import biased_words
from seqkit.debias.leace import LeaceConfig, eraser, leace
from seqkit.errors import DataError, UsageError


def labelled(seed: int = 0, n: int = 600, size: int = 6, kinds: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Correlated normal rows and one-hot classes, which their means tell."""
    rng = np.random.default_rng(seed)
    z = np.eye(kinds)[rng.integers(kinds, size=n)]
    rows = rng.normal(size=(n, size)) @ rng.normal(size=(size, size)) + z @ rng.normal(size=(kinds, size))
    return rows, z


def moments(rows: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    centred = rows - rows.mean(axis=0)
    covariance, cross = centred.T @ centred / len(rows), centred.T @ (z - z.mean(axis=0)) / len(rows)
    return rows.mean(axis=0), covariance, cross


@pytest.mark.parametrize("kinds", [2, 3, 4])
def test_it_is_the_theorems_formula(kinds: int) -> None:
    from scipy.linalg import pinv, sqrtm

    rows, z = labelled(kinds=kinds)
    mean, covariance, cross = moments(rows, z)
    w = pinv(np.real(sqrtm(covariance)))
    columns = w @ cross
    p = columns @ pinv(columns)
    expected = rows - (rows - mean) @ (pinv(w) @ p @ w).T
    np.testing.assert_allclose(eraser(mean, covariance, cross)(rows.copy()), expected, atol=1e-8)


@pytest.mark.parametrize("kinds", [2, 3, 4])
def test_nothing_linear_is_left(kinds: int) -> None:
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    rows, z = labelled(kinds=kinds)
    labels = z.argmax(axis=1)
    erase = eraser(*moments(rows, z))
    after = erase(rows.copy())
    assert len(erase.into) == kinds - 1
    assert np.abs(moments(after, z)[2]).max() < 1e-12
    means = np.stack([after[labels == kind].mean(axis=0) for kind in range(kinds)])
    np.testing.assert_allclose(means, np.broadcast_to(rows.mean(axis=0), means.shape), atol=1e-11)
    # The best logistic regression is a constant, and guesses the most frequent class.
    model = LogisticRegression(C=np.inf, tol=1e-7, max_iter=5000)
    majority = np.bincount(labels).max() / len(labels)
    with threadpool_limits(1):  # so few rows are slower on several cores
        assert model.fit(rows, labels).score(rows, labels) > majority + 0.1
        assert model.fit(after, labels).score(after, labels) == pytest.approx(majority)
    assert np.ptp(model.predict_proba(after), axis=0).max() < 1e-4


@pytest.mark.parametrize("seed", range(3))
def test_no_other_eraser_changes_less(seed: int) -> None:
    rows, z = labelled(seed)
    mean, covariance, cross = moments(rows, z)
    after = eraser(mean, covariance, cross)(rows.copy())

    def moved(other: np.ndarray, norm: np.ndarray) -> float:
        return float((((other - rows) @ norm) * (other - rows)).sum(axis=1).mean())

    # Every affine map that makes the cross-covariance 0 is x − (x − mean) Cᵀ with (I − C) cross = 0. The
    # orthogonal projection is one (Shao et al. 2023, SAL); others add what vanishes on the classes' span.
    u = np.linalg.svd(cross, full_matrices=False)[0][:, : np.linalg.matrix_rank(cross)]
    rng = np.random.default_rng(seed)
    norms = [np.eye(6), np.linalg.inv(covariance), np.diag(rng.uniform(0.1, 5, 6))]
    others = [u @ u.T]
    free = np.eye(6) - u @ u.T
    best = np.eye(6) - np.linalg.lstsq(rows - mean, after - mean, rcond=None)[0].T
    others += [u @ u.T + rng.normal(size=(6, 6)) @ free for _ in range(5)]
    others += [best + scale * rng.normal(size=(6, 6)) @ free for scale in (1e-3, 0.1) for _ in range(5)]
    for c in others:
        other = rows - (rows - mean) @ c.T
        assert np.abs(moments(other, z)[2]).max() < 1e-10
        for norm in norms:
            assert moved(after, norm) < moved(other, norm)


def test_twice_is_once_and_the_mean_stays() -> None:
    rows, z = labelled()
    erase = eraser(*moments(rows, z))
    once = erase(rows.copy())
    np.testing.assert_allclose(erase(once.copy()), once, atol=1e-10)
    np.testing.assert_allclose(once.mean(axis=0), rows.mean(axis=0), atol=1e-12)


def test_rows_that_span_less_than_the_space() -> None:
    rows, z = labelled(size=4)
    wide = np.concatenate([rows, rows[:, :2] - rows[:, 2:]], axis=1)
    erase = eraser(*moments(wide, z))
    after = erase(wide.copy())
    assert np.abs(moments(after, z)[2]).max() < 1e-10
    np.testing.assert_allclose(after[:, 4:], after[:, :2] - after[:, 2:4], atol=1e-9)


def test_directions_of_little_variance_are_erased_too() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 2
    rows, z = rng.normal(size=(400, 5)) * np.array([1, 1, 1, 1, 1e-3]), np.eye(2)[labels]
    rows[:, 4] += 1e-3 * labels
    after = eraser(*moments(rows, z))(rows.copy())
    assert np.abs(moments(after, z)[2]).max() < 1e-12


def test_a_class_that_is_told_a_little_is_erased_too() -> None:
    """Three classes: the first two far apart, the third near their mean."""
    rng = np.random.default_rng(0)
    labels = np.arange(600) % 3
    rows, z = rng.normal(size=(600, 4)), np.eye(3)[labels]
    for kind, mean in enumerate(([5, 0, 0, 0], [-5, 0, 0, 0], [0, 0.01, 0, 0])):
        rows[labels == kind] += mean - rows[labels == kind].mean(axis=0)
    after = eraser(*moments(rows, z))(rows.copy())
    assert np.abs(moments(after, z)[2]).max() < 1e-12


def test_neutral_words_lose_their_class_and_others_keep_every_bit(plant: Any) -> None:
    task = plant(seed=2).task
    done = leace(task, LeaceConfig(biased=50))
    assert done.details == {"neutralized": 400, "biased": 50, "rank": 2}
    z = np.zeros((len(task.matrix), 2))
    for kind, rows in enumerate(biased_words(task, 50)):
        z[rows, kind] = 1
    neutral, z = done.matrix[task.neutral].astype(np.float64), z[task.neutral]
    before = task.matrix[task.neutral].astype(np.float64)
    assert np.abs(moments(before, z)[2]).max() > 0.01
    assert np.abs(moments(neutral, z)[2]).max() < 1e-7
    assert done.matrix[~task.neutral].tobytes() == task.matrix[~task.neutral].tobytes()


def test_lengths_go_with_the_words(uneven: Any) -> None:
    task = uneven.task
    done = leace(task, LeaceConfig())
    lengths = np.linalg.norm(task.matrix, axis=1, keepdims=True).astype(np.float64)
    tensors, unit = done.tensors, task.matrix / lengths
    expected = unit - ((unit - tensors["mean"]) @ tensors["into"].T) @ tensors["out"]
    np.testing.assert_allclose(done.matrix[task.neutral], (expected * lengths)[task.neutral], atol=2e-6)


def test_settings(plant: Any) -> None:
    with pytest.raises(UsageError, match="biased must be at least 5"):
        LeaceConfig(biased=0)
    with pytest.raises(DataError, match="too few"):
        leace(plant(words=10).task, LeaceConfig())
