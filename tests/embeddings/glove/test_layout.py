"""Every count lies in exactly one place, with its weight."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from seqkit.embeddings.cooccurrence.counts import Cooccurrences
from seqkit.embeddings.glove.layout import (
    COLUMNS,
    DENSE,
    GAP,
    GROUP,
    ROWS,
    Block,
    blocks_of,
    make_block,
    weights,
)

Counted = Callable[[np.ndarray], Cooccurrences]

X_MAX, ALPHA = 50.0, 0.75
WORDS = 4 * ROWS + 76  # five blocks, two tiles each; the last of both are cut off


@pytest.fixture(scope="module")
def matrix() -> np.ndarray:
    """Dense and sparse tiles, rows without pairs, and one of thousands of groups' pairs.

    Their logarithms are eighths from -2 to 6, which float16 has exactly.
    """
    rng = np.random.default_rng(0)
    x = np.exp(rng.integers(-16, 49, (WORDS, WORDS)) / 8)
    share = np.full((WORDS, WORDS), DENSE / 3)
    share[:ROWS, :COLUMNS] = 3 * DENSE
    share[ROWS : 2 * ROWS, COLUMNS:] = 0.5  # 76 of 1024 columns: still more than DENSE of the tile
    share[2 * ROWS : 3 * ROWS, :] = 0.1
    share[3 * ROWS, :] = 1
    share[4 * ROWS :, :] = 0.01
    x[rng.random(x.shape) >= share] = 0
    x[[5, 3 * ROWS + 1, WORDS - 1]] = 0
    return x


def unpacked(block: Block) -> list[tuple[int, int, float, float]]:
    """Row, column, log X and f(X) of every place that has a weight, as the kernel computes it."""
    found = []
    log_x_max = np.log(X_MAX)
    for tile, logs in zip(block.tiles, block.tile_logs.astype(np.float32), strict=True):
        f = np.exp(np.float32(ALPHA) * np.minimum(logs - np.float32(log_x_max), 0))
        for i, j in zip(*np.nonzero(f), strict=True):
            found.append((block.begin + i, tile * COLUMNS + j, logs[i, j], f[i, j]))
    for place in zip(*np.nonzero(block.weights), strict=True):
        row = block.begin + block.group_rows[place[:2]]
        found.append((row, block.columns[place], block.logs[place], block.weights[place]))
    return found


def test_every_pair_is_in_one_place(counted: Counted, matrix: np.ndarray) -> None:
    counts, dense = counted(matrix), []
    assert blocks_of(WORDS) == 5
    for number in range(5):
        block = make_block(counts, number, X_MAX, ALPHA)
        assert (block.begin, block.end) == (number * ROWS, min(WORDS, (number + 1) * ROWS))
        here = matrix[block.begin : block.end]
        found = unpacked(block)
        places = [(int(i), int(j)) for i, j, _, _ in found]
        assert len(set(places)) == len(places) == block.pairs == np.count_nonzero(here)
        i, j, logs, f = map(np.array, zip(*found, strict=True))
        np.testing.assert_allclose(np.exp(logs), matrix[i, j], rtol=1e-6)
        np.testing.assert_allclose(f, np.minimum(1, matrix[i, j] / X_MAX) ** ALPHA, rtol=1e-5)
        sums = np.where(here > 0, np.minimum(1, here / X_MAX) ** ALPHA, 0).sum(1)
        np.testing.assert_allclose(block.mass, np.pad(sums, (0, ROWS - len(here))), rtol=1e-5)
        assert (np.diff(block.group_rows, axis=1) >= 0).all()
        dense.append(block.tiles.tolist())
    # Above DENSE: the first tile of block 0, the second of block 1 (which holds 10 thousand pairs), the
    # first of block 2 (the second: 10% of 76 columns, 0.7% of a tile), none of the others.
    assert dense == [[0], [1], [0], [], []]


def test_rows_of_many_pairs_and_of_none(counted: Counted, matrix: np.ndarray) -> None:
    block = make_block(counted(matrix), 3, X_MAX, ALPHA)
    groups = np.bincount(block.group_rows.ravel()[(block.weights > 0).any(2).ravel()], minlength=ROWS)
    assert groups[0] == -(-WORDS // GROUP)  # the row that is full
    assert groups[1] == 0
    assert block.mass[1] == 0


def test_gaps_weigh_nothing_at_any_setting() -> None:
    """exp(alpha (GAP - log x_max)) is below the least float32, e^-104, even where alpha is 0.01."""
    for x_max in (1e-6, 1e12):
        gap = np.float32(GAP) - np.float32(np.log(x_max))
        assert np.exp(np.float32(0.01) * np.minimum(gap, 0)) == 0


def test_weights() -> None:
    # (1 / 16)^0.75 = 1 / 8; from x_max on 1; float32 throughout.
    found = weights(np.array([1, 16, 1e9], np.float32), 16, 0.75)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [1 / 8, 1, 1], rtol=1e-6)


def test_logarithms_of_tiles_are_rounded_to_float16(counted: Counted) -> None:
    """Half a unit in the last of 11 places: 2^-9 where logarithms are from 4 to 8."""
    rng = np.random.default_rng(1)
    matrix = np.exp(rng.uniform(4, 8, (ROWS, COLUMNS)))
    block = make_block(counted(np.pad(matrix, ((0, COLUMNS - ROWS), (0, 0)))), 0, X_MAX, ALPHA)
    assert block.tiles.tolist() == [0]
    errors = np.abs(block.tile_logs[0].astype(np.float64) - np.log(matrix))
    assert 2**-10 < errors.max() <= 2**-9 * 1.001
