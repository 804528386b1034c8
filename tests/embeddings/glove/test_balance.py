"""Balancing changes how products are shared between the tables, and no product."""

from __future__ import annotations

import numpy as np
import pytest

from seqkit.embeddings.glove.balance import balance


def tables(words: int, size: int, rank: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Two tables that are far from alike: contexts a hundred times longer, and stretched along one axis."""
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, words, size))
    if rank is not None:
        first = first[:, :rank] @ rng.normal(size=(rank, size))
    return first.astype(np.float32), (100 * second * np.geomspace(1, 5, size)).astype(np.float32)


@pytest.mark.parametrize(
    ("words", "size", "rank"), [(40, 6, None), (6, 6, None), (4, 9, None), (1, 3, None), (40, 6, 2)]
)
def test_products_stay_and_gram_matrices_become_equal_and_diagonal(
    words: int, size: int, rank: int | None
) -> None:
    before = tables(words, size, rank)
    after = balance(*before)
    assert [table.shape for table in after] == [(words, size)] * 2
    assert {table.dtype for table in after} == {np.dtype(np.float32)}
    products = [first.astype(np.float64) @ second.T for first, second in (before, after)]
    scale = np.abs(products[0]).max()
    np.testing.assert_allclose(products[1], products[0], atol=2e-6 * scale)
    grams = [table.T.astype(np.float64) @ table for table in after]
    largest = grams[0].max()
    np.testing.assert_allclose(grams[0], grams[1], atol=1e-5 * largest)
    np.testing.assert_allclose(grams[0], np.diag(np.diag(grams[0])), atol=1e-5 * largest)
    # Both have the singular values of the products: σ = √σ √σ, falling.
    values = np.linalg.svd(products[0], compute_uv=False)[:size]
    np.testing.assert_allclose(np.diag(grams[0])[: len(values)], values, atol=1e-5 * largest)
    # The sum of squared lengths is twice their sum; by the inequality of means none can be smaller.
    assert sum((table.astype(np.float64) ** 2).sum() for table in after) == pytest.approx(
        2 * values.sum(), rel=1e-5
    )


def test_balanced_tables_stay_as_they_are() -> None:
    once = balance(*tables(40, 6))
    for first, second in zip(once, balance(*once), strict=True):
        signs = np.sign((first * second).sum(0))  # an axis may turn round, in both tables
        np.testing.assert_allclose(first * signs, second, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("zero", [(0,), (1,), (0, 1)])
def test_tables_of_zeros(zero: tuple[int, ...]) -> None:
    before = list(tables(10, 4))
    for table in zero:
        before[table] = np.zeros_like(before[table])
    for table in balance(*before):
        np.testing.assert_array_equal(table, 0)
