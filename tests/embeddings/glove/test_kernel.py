"""The compiled solver against the reference: cost, solution, descent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from seqkit.embeddings.cooccurrence.counts import Cooccurrences
from seqkit.embeddings.glove import kernel as module
from seqkit.embeddings.glove import reference
from seqkit.embeddings.glove.config import GloVeConfig
from seqkit.embeddings.glove.kernel import Fixed, GloVeKernel, width
from seqkit.embeddings.glove.layout import COLUMNS, DENSE, ROWS, make_block
from seqkit.embeddings.glove.reference import BIAS_RIDGE

SIZE, RIDGE, X_MAX, ALPHA = 6, 0.3, 50.0, 0.75
WORDS = ROWS + 90  # rows of the block that is solved, and some more; the second tile begins at COLUMNS
CONTEXTS = COLUMNS + 90

Counted = Callable[[np.ndarray], Cooccurrences]
Pairs = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def config(precision: str = "float32", **settings: Any) -> GloVeConfig:
    settings = {"vector_size": SIZE, "x_max": X_MAX, "alpha": ALPHA, "ridge": RIDGE} | settings
    return GloVeConfig(precision=precision, **settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def counts(counted: Counted) -> Cooccurrences:
    """Rows of three kinds of pairs: in a dense tile, in groups, and none at all.

    Logarithms are eighths, which float16 has exactly, so that the reference may take the same counts.
    """
    rng = np.random.default_rng(0)
    here = rng.random((WORDS, CONTEXTS)) < 0.01
    here[:ROWS, :COLUMNS] |= rng.random((ROWS, COLUMNS)) < 2 * DENSE
    here[[3, WORDS - 2]] = False
    rows, columns = np.nonzero(here)
    matrix = np.zeros((CONTEXTS, CONTEXTS), np.float32)  # square; the rows below are empty
    matrix[rows, columns] = np.exp(rng.integers(-16, 49, len(rows)) / 8)
    return counted(matrix)


def pairs_of(counts: Cooccurrences, begin: int, end: int) -> Pairs:
    """Those of some rows, counted from the first of them."""
    part = slice(counts.offsets[begin], counts.offsets[end])
    rows = np.repeat(np.arange(end - begin), np.diff(counts.offsets[begin : end + 1]))
    x = counts.values[part].astype(np.float64)
    return rows, counts.columns[part], x, reference.weight(x, X_MAX, ALPHA)


def tables(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """[θ, b] of some rows and [e, b'] of all contexts, of a size that leaves no term of the equations out."""
    rng = np.random.default_rng(1)
    own = rng.normal(size=(rows, SIZE + 1)) / 2
    other = rng.normal(size=(CONTEXTS, SIZE + 1)) / 2 + np.linspace(0, 0.5, SIZE + 1)
    return own.astype(np.float32), other.astype(np.float32)


def mass_of(counts: Cooccurrences) -> np.ndarray:
    f = reference.weight(counts.values.astype(np.float64), X_MAX, ALPHA)
    return np.bincount(counts.columns, f, minlength=CONTEXTS).astype(np.float32)


def solve(
    of: GloVeConfig, counts: Cooccurrences, number: int, own: np.ndarray, other: np.ndarray
) -> tuple[np.ndarray, float]:
    """The rows of a block after the kernel's `solve`, and the cost before."""
    kernel = GloVeKernel(of)
    fixed: Fixed = kernel.fix(other[:, :SIZE], other[:, SIZE], mass_of(counts))
    block = kernel.place(make_block(counts, number, X_MAX, ALPHA))
    vectors, bias, cost = kernel.solve(own[:, :SIZE], own[:, SIZE], fixed, block)
    return np.column_stack([vectors, bias]), cost


BLOCKS = {"dense and groups": (0, 0, ROWS), "groups alone": (1, ROWS, WORDS)}


def test_the_blocks_are_what_they_are_called(counts: Cooccurrences) -> None:
    dense, groups = (make_block(counts, number, X_MAX, ALPHA) for number in (0, 1))
    assert len(dense.tiles) == 1
    assert (dense.weights > 0).sum() > 100
    assert len(groups.tiles) == 0


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize("ridge", [RIDGE, 3.0])
def test_enough_steps_reach_the_least_squares_solution(
    counts: Cooccurrences, monkeypatch: pytest.MonkeyPatch, kind: str, ridge: float
) -> None:
    monkeypatch.setattr(module, "CG_STEPS", 14)  # twice as many as there are unknowns
    number, begin, end = BLOCKS[kind]
    own, other = tables(end - begin)
    pairs = pairs_of(counts, begin, end)
    found, cost = solve(config(ridge=ridge), counts, number, own, other)
    wide, wider = own.astype(np.float64), other.astype(np.float64)
    assert cost == pytest.approx(reference.pair_cost(wide, wider, *pairs), rel=1e-5)
    expected = reference.solve(wider, *pairs, ridge)[: end - begin]
    assert np.abs(expected - wide).max() > 1
    np.testing.assert_allclose(found, expected, atol=2e-4)
    empty = {0: 3, 1: WORDS - 2 - ROWS}[number]
    np.testing.assert_allclose(found[empty], 0, atol=1e-6)  # only the ridge is left of its cost


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_usual_steps_go_down(counts: Cooccurrences, kind: str, precision: str) -> None:
    """In every row, along the gradient's other side, and most of the way to the solution."""
    number, begin, end = BLOCKS[kind]
    own, other = tables(end - begin)
    rows, columns, x, f = pairs_of(counts, begin, end)
    found, cost = solve(config(precision), counts, number, own, other)
    wide, wider, after = (table.astype(np.float64) for table in (own, other, found))
    best = reference.solve(wider, rows, columns, x, f, RIDGE)[: end - begin]
    # bfloat16 has 8 places: scores of about 2 are off by 2^-8 each, at random.
    assert cost == pytest.approx(
        reference.pair_cost(wide, wider, rows, columns, x, f), rel=1e-5 if precision == "float32" else 2**-8
    )
    costs = [row_costs(table, wider, (rows, columns, x, f)) for table in (wide, after, best)]
    assert (costs[1] < costs[0]).all()
    assert costs[1].sum() - costs[2].sum() < 0.1 * (costs[0].sum() - costs[2].sum())
    slope = reference.gradient(wide, wider, rows, columns, x, f, RIDGE)
    assert ((slope * (after - wide)).sum(1) < 0).all()


def row_costs(own: np.ndarray, other: np.ndarray, pairs: Pairs) -> np.ndarray:
    """J of each row, ridge and all."""
    rows, columns, x, f = pairs
    scores = (own[rows, :SIZE] * other[columns, :SIZE]).sum(1) + own[rows, SIZE] + other[columns, SIZE]
    cost = np.bincount(rows, 0.5 * f * (scores - np.log(x)) ** 2, minlength=len(own))
    return np.asarray(cost + 0.5 * (np.array([RIDGE] * SIZE + [BIAS_RIDGE]) * own**2).sum(1))


def test_the_learning_rate_is_the_share_of_the_way(counts: Cooccurrences) -> None:
    own, other = tables(ROWS)
    whole, _ = solve(config(), counts, 0, own, other)
    half, _ = solve(config(learning_rate=0.5), counts, 0, own, other)
    assert np.abs(whole - own).max() > 1
    np.testing.assert_allclose(half, (whole + own) / 2, atol=1e-5)


def test_a_ridge_of_0_and_contexts_that_are_0(counts: Cooccurrences) -> None:
    """Then vectors have no effect and stay as they are; biases are means of what is left."""
    own, other = tables(ROWS)
    other[:, :SIZE] = 0
    found, _ = solve(config(ridge=0.0), counts, 0, own, other)
    np.testing.assert_allclose(found[:, :SIZE], own[:, :SIZE], atol=1e-6)
    rows, columns, x, f = pairs_of(counts, 0, ROWS)
    sums = np.bincount(rows, f * (np.log(x) - other[columns, SIZE]), minlength=ROWS)
    np.testing.assert_allclose(
        found[:, SIZE], sums / (np.bincount(rows, f, minlength=ROWS) + BIAS_RIDGE), atol=1e-4
    )


@pytest.mark.parametrize(("size", "expected"), [(1, 8), (7, 8), (8, 16), (100, 104)])
def test_width(size: int, expected: int) -> None:
    """Room for the bias, in multiples of 8."""
    assert width(size) == expected
