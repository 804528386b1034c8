"""Sub-sampling against gensim's own figures; the alias table against the distribution that it was made of."""

from __future__ import annotations

import numpy as np
from gensim.models import Word2Vec
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from seqkit.embeddings.negative_sampling.draws import AliasTable, keep_probabilities

WEIGHTS = st.lists(st.one_of(st.just(0.0), st.floats(1e-3, 1e6)), min_size=1, max_size=40).filter(sum)


def probabilities(table: AliasTable) -> np.ndarray:
    """What the table draws: each cell, drawn with 1/n, is shared between its own index and its alias."""
    n = len(table.alias)
    share = table.threshold.astype(np.float64)
    return (share + np.bincount(table.alias, 1 - share, minlength=n)) / n


@given(WEIGHTS)
def test_an_alias_table_has_exactly_the_probabilities(weights: list[float]) -> None:
    expected = np.array(weights) / sum(weights)
    np.testing.assert_allclose(probabilities(AliasTable(np.array(weights))), expected, atol=1e-6)


def test_an_alias_table_of_a_zipf_vocabulary() -> None:
    weights = (1e6 / np.arange(1, 20_001)) ** 0.75
    np.testing.assert_allclose(
        probabilities(AliasTable(weights)) / (weights / weights.sum()), 1, atol=1e-3
    )  # the rarest has a share of 0.13 cells, and float32 knows a cell to 6e-8


@given(weights=WEIGHTS, draws=st.integers(1, 50), seed=st.integers(0, 100))
def test_draws_are_indices_of_possible_words(weights: list[float], draws: int, seed: int) -> None:
    drawn = AliasTable(np.array(weights)).stratified(np.random.default_rng(seed), 3, draws)
    assert drawn.shape == (3, draws)
    assert drawn.dtype == np.int32
    assert np.array(weights)[drawn].all()


def test_draws_of_a_row_come_from_equal_strata() -> None:
    # Of 12 equally likely words, 6 draws take one of the first two, one of the next two, and so on.
    drawn = AliasTable(np.ones(12)).stratified(np.random.default_rng(0), 500, 6)
    assert (drawn // 2 == np.arange(6)).all()
    assert 200 < (drawn % 2).sum(axis=0).min() < (drawn % 2).sum(axis=0).max() < 300


def test_stratified_draws_have_the_expectation_of_independent_ones_and_less_variance() -> None:
    rows, draws = 40_000, 24
    weights = 1 / np.arange(1, 61)
    p = weights / weights.sum()
    drawn = AliasTable(weights).stratified(np.random.default_rng(1), rows, draws)
    counts = np.stack([np.bincount(row, minlength=60) for row in drawn])
    independent = draws * p * (1 - p)
    error = (counts.mean(axis=0) - draws * p) / np.sqrt(independent / rows)
    assert np.abs(error).max() < 4  # standard errors, at most
    assert (counts.var(axis=0) <= independent * (1 + 4 * np.sqrt(2 / rows))).all()
    # So for any sum over a row: that of the words' own numbers, here.
    numbers = np.arange(60)
    spread = draws * (p @ numbers**2 - (p @ numbers) ** 2)
    assert numbers[drawn].sum(axis=1).var() < spread


def test_keep_probabilities_by_the_formula() -> None:
    # f = 0.5, 0.4, 0.1 at t = 0.1: √0.2 + 0.2; √0.25 + 0.25; √1 + 1, more than 1
    kept = keep_probabilities(np.array([50, 40, 10]), 0.1)
    np.testing.assert_allclose(kept, [0.2**0.5 + 0.2, 0.75, 1], rtol=1e-6)
    assert kept.dtype == np.float32


def test_keep_probabilities_of_gensim() -> None:
    counts = {f"w{i}": 1 + 100_000 // (i + 1) for i in range(2000)}
    model = Word2Vec(min_count=1, sample=1e-3)
    model.build_vocab_from_freq(counts)
    expected = [model.wv.get_vecattr(word, "sample_int") / (2**32 - 1) for word in counts]
    found = keep_probabilities(np.array(list(counts.values())), 1e-3)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found.min() < 0.2
    assert found.max() == 1


def test_sample_zero_keeps_everything() -> None:
    assert (keep_probabilities(np.array([10**9, 1, 0]), 0) == 1).all()


@given(
    counts=st.lists(st.integers(0, 10**10), min_size=2, max_size=30).filter(sum),
    sample=st.floats(1e-7, 1.0),
)
def test_rarer_words_are_kept_more_often(counts: list[int], sample: float) -> None:
    kept = keep_probabilities(np.sort(np.array(counts)), sample)
    assert (np.diff(kept) <= 0).all()
    assert (kept > 0).all()
    assert (kept <= 1).all()
    assert (keep_probabilities(np.sort(np.array(counts)), sample / 2) <= kept).all()


def test_independent_looking_draws_fit_the_distribution() -> None:
    weights = np.array([5.0, 1, 0, 3, 1])
    drawn = AliasTable(weights).stratified(np.random.default_rng(2), 20_000, 1)  # one stratum: plain draws
    found = np.bincount(drawn.ravel(), minlength=5)
    expected = 20_000 * weights / weights.sum()
    possible = expected > 0
    statistic = ((found - expected)[possible] ** 2 / expected[possible]).sum()
    assert found[2] == 0
    assert statistic < chi2.ppf(0.999, 3)
