"""Adding up rows, against dense matrices."""

from __future__ import annotations

import numpy as np
import pytest

from seqkit.embeddings.cooccurrence.rows import Rows, add_up

WORDS = 7


def random_rows(seed: int, rows: int = 4, blanks: bool = True) -> Rows:
    """Rows with repeated columns, in no order, and blanks."""
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(0, 12, rows))])
    columns = rng.integers(0, WORDS + blanks, offsets[-1]).astype(np.int32)
    return Rows(offsets, columns, rng.integers(1, 1 << 40, offsets[-1]))


def dense(rows: Rows) -> np.ndarray:
    matrix = np.zeros((len(rows.offsets) - 1, WORDS + 1), np.int64)
    places = np.repeat(np.arange(len(matrix)), np.diff(rows.offsets))
    np.add.at(matrix, (places, rows.columns), rows.sums)
    return matrix[:, :WORDS]


@pytest.mark.parametrize("parts", [1, 2, 5])
@pytest.mark.parametrize("seed", range(20))
def test_against_dense_sums(parts: int, seed: int) -> None:
    given = [random_rows(100 * seed + part) for part in range(parts)]
    total = add_up(given, WORDS)
    assert (dense(total) == sum(dense(rows) for rows in given)).all()
    assert len(total.columns) == np.count_nonzero(dense(total))  # each pair once
    for first, last in zip(total.offsets[:-1], total.offsets[1:], strict=True):
        assert (np.diff(total.columns[first:last]) > 0).all()
    assert total.columns.dtype == np.int32
    assert total.offsets.dtype == total.sums.dtype == np.int64


def test_nothing_but_blanks() -> None:
    nothing = Rows(np.array([0, 2, 2]), np.full(2, WORDS, np.int32), np.array([1, 0]))
    total = add_up([nothing], WORDS)
    assert total.offsets.tolist() == [0, 0, 0]
    assert total.columns.size == total.sums.size == 0


def test_sums_that_float64_cannot_hold() -> None:
    # 2^53 + 1 is the first whole number without a float64.
    rows = Rows(np.array([0, 2]), np.zeros(2, np.int32), np.array([1 << 53, 1]))
    assert add_up([rows], WORDS).sums.tolist() == [(1 << 53) + 1]
