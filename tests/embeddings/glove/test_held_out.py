"""Pairs that are held out: which, how many, and what their loss is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from seqkit.embeddings.cooccurrence import counts as counts_module
from seqkit.embeddings.cooccurrence.counts import Cooccurrences
from seqkit.embeddings.glove import held_out as module
from seqkit.embeddings.glove.config import GloVeConfig
from seqkit.embeddings.glove.held_out import HeldOutPairs, hold_out
from seqkit.errors import CorpusError

Counted = Callable[[np.ndarray], Cooccurrences]

CONFIG = GloVeConfig(x_max=10, alpha=0.5)


def full(counts: Cooccurrences) -> np.ndarray:
    matrix = np.zeros((len(counts), len(counts)), np.float32)
    for rows, columns, values in counts.entries():
        matrix[rows, columns] = values
    return matrix


def held(pairs: HeldOutPairs, words: int) -> np.ndarray:
    matrix = np.zeros((words, words), np.float32)
    matrix[pairs.rows, pairs.columns] = np.exp(pairs.logs)
    return matrix


@pytest.fixture(scope="module")
def counts(counted: Counted) -> Cooccurrences:
    """Not symmetric, but for where it has pairs; 300 words, 45 thousand pairs."""
    rng = np.random.default_rng(0)
    here = rng.random((300, 300)) < 0.3
    return counted(np.where(here | here.T, rng.uniform(0.1, 50, here.shape), 0))


def test_kept_and_held_out_are_all_and_both_directions_go_together(counts: Cooccurrences) -> None:
    kept, out = hold_out(counts, 0.1, CONFIG)
    both = full(kept), held(out, len(counts))
    assert not ((both[0] > 0) & (both[1] > 0)).any()
    assert kept.pairs + len(out.rows) == counts.pairs
    np.testing.assert_allclose(both[0] + both[1], full(counts), rtol=1e-5)
    np.testing.assert_array_equal(both[1] > 0, both[1].T > 0)
    assert (kept.columns.dtype, kept.values.dtype) == (np.int32, np.float32)
    # Draws are of 22,500 pairs of words or so: three standard deviations of a share are 3 √(.1 .9 / 22,500).
    assert len(out.rows) / counts.pairs == pytest.approx(0.1, abs=0.006)


def test_the_draw_depends_on_the_seed_alone(counts: Cooccurrences, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, other = (
        held(hold_out(counts, 0.5, GloVeConfig(seed=seed))[1], len(counts)) > 0 for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, second)
    # Half of half: independent of each other.
    drawn = full(counts) > 0
    assert (first & other)[drawn].mean() == pytest.approx(0.25, abs=0.02)
    monkeypatch.setattr(counts_module, "CHECKED_AT_ONCE", 1000)
    np.testing.assert_array_equal(held(hold_out(counts, 0.5, GloVeConfig(seed=1))[1], len(counts)) > 0, first)
    less = held(hold_out(counts, 0.2, GloVeConfig(seed=1))[1], len(counts)) > 0
    assert not (less & ~first).any()  # a share is part of any larger one


def test_draws_are_uniform_over_neighbouring_pairs() -> None:
    """A thousand times a thousand pairs, in 16 bins: within five standard deviations, √(n p q)."""
    low, high = np.divmod(np.arange(1_000_000), 1000)
    for seed in (0, 1, 2**63 - 1):
        draws = module._draw(low, high, seed)
        found = np.bincount((draws * 16).astype(int), minlength=16)
        assert np.abs(found - 62_500).max() < 5 * np.sqrt(1e6 / 16 * 15 / 16)
        assert len(np.unique(draws)) > 999_990


@pytest.mark.parametrize("at_once", [3, 1 << 20])
def test_loss(counted: Counted, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(module, "PART", at_once)
    rng = np.random.default_rng(0)
    matrix = np.where(np.eye(8), 0, rng.uniform(1, 20, (8, 8)))
    _, out = hold_out(counted(matrix), 0.5, CONFIG)
    assert len(out.rows) > 3
    words, contexts = rng.normal(size=(2, 8, 3)).astype(np.float32)
    biases = rng.normal(size=(2, 8)).astype(np.float32)
    costs = [
        # ½ f (θ·e + b + b' - log X)² with f = min(1, √(X / 10)).
        0.5
        * min(1, (matrix[i, j] / 10) ** 0.5)
        * (words[i] @ contexts[j] + biases[0, i] + biases[1, j] - np.log(matrix[i, j])) ** 2
        for i, j in zip(out.rows, out.columns, strict=True)
    ]
    assert out.loss(words, contexts, *biases) == pytest.approx(np.mean(costs), rel=1e-5)


@pytest.mark.parametrize(("fraction", "shown"), [(1e-9, "1e-09"), (1 - 1e-9, "1")])
def test_shares_that_leave_nothing(counted: Counted, fraction: float, shown: str) -> None:
    counts = counted(np.ones((3, 3)))
    with pytest.raises(
        CorpusError, match=rf"^{shown} of 9 pairs cannot be held out: take another share \(--validation\)$"
    ):
        hold_out(counts, fraction, CONFIG)
