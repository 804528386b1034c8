"""Neighbours of many words at a time, against one word at a time in float64."""

from __future__ import annotations

import numpy as np
import pytest

from seqkit.embeddings import neighbours
from seqkit.embeddings.neighbours import lengths_of, nearest_rows, unit_rows
from seqkit.embeddings.vectors import Vectors


def test_unit_rows() -> None:
    rows = unit_rows(np.array([[3, 4], [0, 0]], np.float32))
    assert rows.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 0]]
    assert rows.dtype == np.float32


@pytest.mark.parametrize("scale", [1e-30, 1e-22, 1e-18, 1.0, 1e18, 1e30, 1e37])
def test_rows_whose_squares_float32_cannot_hold(scale: float) -> None:
    rows = np.random.default_rng(0).normal(size=(20, 30))
    expected = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    scaled = (rows * scale).astype(np.float32)
    np.testing.assert_allclose(unit_rows(scaled), expected, rtol=1e-5, atol=1e-6)
    lengths = lengths_of(scaled)
    assert lengths.dtype == np.float32
    np.testing.assert_allclose(lengths, np.linalg.norm(rows * scale, axis=1), rtol=1e-5)
    assert lengths_of(np.zeros((2, 3), np.float32)).tolist() == [0, 0]


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_similarities_do_not_depend_on_the_scale(scale: float) -> None:
    matrix = np.array([[1, 0], [1, 1], [0, 1]], np.float32)
    vectors = Vectors(["a", "b", "c"], matrix * np.float32(scale))
    assert vectors.most_similar("a", 2) == [("b", pytest.approx(0.5**0.5)), ("c", pytest.approx(0))]
    assert vectors.similarity("a", "b") == pytest.approx(0.5**0.5)
    assert all(
        cosine <= 1
        for _, cosine in Vectors(["a", "b"], np.full((2, 7), 0.3, np.float32)).most_similar("a", 1)
    )


@pytest.mark.parametrize("held", [1, 100, 1 << 24])
@pytest.mark.parametrize("k", [1, 7, 49])
def test_against_one_at_a_time(monkeypatch: pytest.MonkeyPatch, held: int, k: int) -> None:
    monkeypatch.setattr(neighbours, "_SIMILARITIES", held)
    matrix = np.random.default_rng(0).normal(size=(50, 9))
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    queries = np.array([3, 3, 49, 0, 20])
    found = nearest_rows(unit.astype(np.float32), queries, k)
    for query, row in zip(queries.tolist(), found.tolist(), strict=True):
        cosines = unit @ unit[query]
        others = sorted((i for i in range(50) if i != query), key=lambda i: -cosines[i])
        assert row == others[:k]


def test_of_equals_the_lowest_rows_are_nearest() -> None:
    assert nearest_rows(unit_rows(np.ones((50, 4), np.float32)), np.array([0]), 5).tolist() == [
        [1, 2, 3, 4, 5]
    ]


@pytest.mark.parametrize("k", [1, 5, 30, 59])
def test_ties_against_a_stable_sort(k: int) -> None:
    # Small whole numbers, of which no product or sum is rounded: many cosines are equal, all of them exactly.
    rows = np.random.default_rng(0).integers(-1, 2, (60, 3)).astype(np.float32)
    products = rows @ rows.T
    np.fill_diagonal(products, -np.inf)
    expected = np.argsort(-products, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(nearest_rows(rows, np.arange(60), k), expected)
