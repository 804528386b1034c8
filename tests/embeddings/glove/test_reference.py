"""The reference itself: by hand, by two-sided differences, and where its gradient has to vanish."""

from __future__ import annotations

import numpy as np
import pytest

from seqkit.embeddings.glove import reference
from seqkit.embeddings.glove.reference import BIAS_RIDGE

WORDS, SIZE, RIDGE = 7, 4, 0.3


def random_pairs() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """i, j, X_ij and f; word 6 has no pair."""
    rng = np.random.default_rng(0)
    rows, columns = np.nonzero(rng.random((WORDS - 1, WORDS)) < 0.6)
    x = rng.uniform(0.1, 300, len(rows))
    return rows, columns, x, reference.weight(x, 100, 0.75)


def random_tables() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(WORDS, SIZE + 1)), rng.normal(size=(WORDS, SIZE + 1))


def test_weights() -> None:
    # (1 / 16)^0.75 = 1 / 8; from x_max on 1.
    np.testing.assert_allclose(reference.weight(np.array([1, 16, 17.0]), 16, 0.75), [1 / 8, 1, 1])


def test_by_hand() -> None:
    """Word 0 with two contexts, vectors of one number; word 1 has no pair.

    X = (e, e³), so log X = (1, 3), f = 1; contexts' vectors (1, -1), biases (0, 1).
    At θ = 2, b = 0: scores 2 + 0 and -2 + 1, differences 1 and -4: ½ (1 + 16) = 8.5.
    Gradient, ridge 0.5: θ: 1·1 + (-4)·(-1) + 0.5·2 = 6, b: 1 - 4 = -3.
    Solved, ridge 2: the vectors add up to 0, so θ and b have an equation each:
    (1 + 1 + 2) θ = 1·1 + (3 - 1)·(-1) and (2 + BIAS_RIDGE) b = 1 + (3 - 1).
    """
    own, other = np.array([[2.0, 0], [0, 0]]), np.array([[1.0, 0], [-1, 1]])
    rows, columns, x, f = np.array([0, 0]), np.array([0, 1]), np.exp([1.0, 3.0]), np.ones(2)
    assert reference.pair_cost(own, other, rows, columns, x, f) == pytest.approx(8.5)
    found = reference.gradient(own, other, rows, columns, x, f, ridge=0.5)
    np.testing.assert_allclose(found, [[6, -3], [0, 0]])
    solved = reference.solve(other, rows, columns, x, f, ridge=2.0)
    np.testing.assert_allclose(solved, [[-1 / 4, 3 / (2 + BIAS_RIDGE)], [0, 0]], atol=1e-15)


def test_gradient_is_that_of_the_cost() -> None:
    (own, other), pairs = random_tables(), random_pairs()
    ridges = np.array([RIDGE] * SIZE + [BIAS_RIDGE])

    def cost(table: np.ndarray) -> float:
        return reference.pair_cost(table, other, *pairs) + 0.5 * float((ridges * table**2).sum())

    expected, h = np.zeros_like(own), 1e-5
    for place in np.ndindex(*own.shape):
        step = np.zeros_like(own)
        step[place] = h
        expected[place] = (cost(own + step) - cost(own - step)) / (2 * h)
    found = reference.gradient(own, other, *pairs, RIDGE)
    assert np.abs(found).max() > 1
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_gradient_vanishes_where_it_is_solved() -> None:
    (own, other), pairs = random_tables(), random_pairs()
    solved = reference.solve(other, *pairs, RIDGE)
    assert np.abs(reference.gradient(own, other, *pairs, RIDGE)).max() > 1
    np.testing.assert_allclose(reference.gradient(solved, other, *pairs, RIDGE), 0, atol=1e-12)
    np.testing.assert_array_equal(solved[WORDS - 1], 0)
