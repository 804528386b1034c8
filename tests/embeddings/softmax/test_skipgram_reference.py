"""The reference against differences of its loss, and a centre worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from seqkit.embeddings.softmax.skipgram_reference import gradients

WORDS = np.array([0, 1, 0, 3], np.int32)
NEIGHBOURS = np.array([[1, 2, 2], [0, 4, 0], [3, 0, 0], [3, 0, 0]], np.int32)
WEIGHTS = np.array([[1, 1, 1], [1, 1, 0], [1, 0, 0], [0, 0, 0]], np.float32)


def test_gradients_are_those_of_the_loss() -> None:
    rng = np.random.default_rng(0)
    tables = [rng.normal(size=(5, 3)), rng.normal(size=(5, 3))]
    _, *found = gradients(*tables, WORDS, NEIGHBOURS, WEIGHTS)
    change = 1e-6
    for which in (0, 1):
        expected = np.zeros((5, 3))
        for index in np.ndindex(5, 3):
            losses = []
            for sign in (1, -1):
                moved = [table.copy() for table in tables]
                moved[which][index] += sign * change
                losses.append(gradients(*moved, WORDS, NEIGHBOURS, WEIGHTS)[0])
            expected[index] = (losses[0] - losses[1]) / (2 * change)
        assert np.linalg.norm(expected) > 0.5
        assert np.linalg.norm(found[which] - expected) <= 1e-7 * np.linalg.norm(expected)
    assert not found[0][[2, 3, 4]].any()  # no centres, or without contexts


def test_a_centre_by_hand() -> None:
    # Scores log 2, 0, 0 of centre 0: p = 1/2, 1/4, 1/4; its contexts are word 0 once and word 1 twice.
    vectors, contexts = np.array([[1.0], [5], [5]]), np.array([[np.log(2)], [0.0], [0.0]])
    loss, vector_gradient, context_gradient = gradients(
        vectors,
        contexts,
        np.array([0], np.int32),
        np.array([[0, 1, 1, 2]], np.int32),
        np.array([[1, 1, 1, 0]], np.float32),
    )
    assert loss == pytest.approx(np.log(2) + 2 * np.log(4), rel=1e-12)
    # ∂J/∂s = 3 p - (1, 2, 0) = 1/2, -5/4, 3/4
    np.testing.assert_allclose(context_gradient.ravel(), [1 / 2, -5 / 4, 3 / 4], rtol=1e-12)
    np.testing.assert_allclose(vector_gradient.ravel(), [np.log(2) / 2, 0, 0], rtol=1e-12)
