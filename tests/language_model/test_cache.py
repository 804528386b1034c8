"""The continuous cache against its equation, word by word."""

from __future__ import annotations

import numpy as np
import pytest

from seqkit.errors import UsageError
from seqkit.language_model.cache import Cache, CacheConfig


def test_by_hand() -> None:
    """h = 1, 0, 2 in one dimension, θ = 1, λ = 0.25, tokens 5, 5, 7 of which ŷ gives 0.5 to each.

    t = 0: nothing is cached, P = 0.5. t = 1: only h⟨0⟩ with token 5: P = 0.75 · 0.5 + 0.25 · 1 = 0.625.
    t = 2: both cached are 5, the target is 7: P = 0.75 · 0.5 = 0.375.
    """
    cache = Cache(CacheConfig(size=10, flatness=1.0, share=0.25))
    hidden = np.array([[1.0], [0.0], [2.0]], np.float32)
    half = np.full(3, np.log(2), np.float32)
    found = cache.surprisals(np.array([5, 5, 7], np.int32), half, hidden)
    np.testing.assert_allclose(np.exp(-found), [0.5, 0.625, 0.375], rtol=1e-6)
    # Next, h = 1: weights e^{1·1}, e^{1·0}, e^{1·2} of 5, 5, 7.
    share = np.e**2 / (np.e + 1 + np.e**2)
    found = cache.surprisals(np.array([7], np.int32), half[:1], np.array([[1.0]], np.float32))
    np.testing.assert_allclose(np.exp(-found), [0.75 * 0.5 + 0.25 * share], rtol=1e-6)


@pytest.mark.parametrize("size", [1, 3, 50])
def test_probabilities_of_all_words_sum_to_one_and_pieces_do_not_matter(size: int) -> None:
    rng = np.random.default_rng(0)
    tokens, hidden = rng.integers(4, size=12).astype(np.int32), rng.normal(size=(12, 3)).astype(np.float32)
    model = rng.dirichlet(np.ones(4), size=12).astype(np.float32)
    config = CacheConfig(size=size, flatness=0.7, share=0.3)

    def surprisals(last: int, cuts: list[int]) -> np.ndarray:
        cache, targets = Cache(config), np.append(tokens[:-1], np.int32(last))
        own = -np.log(model[np.arange(12), targets])
        parts = zip(*(np.split(array, cuts) for array in (targets, own, hidden)), strict=True)
        return np.concatenate([cache.surprisals(*part) for part in parts])

    last = [np.exp(-surprisals(word, [])[-1]) for word in range(4)]
    np.testing.assert_allclose(sum(last), 1, rtol=1e-5)
    np.testing.assert_allclose(surprisals(1, [5]), surprisals(1, []), rtol=1e-5)
    np.testing.assert_allclose(surprisals(1, [1, 2, 11]), surprisals(1, []), rtol=1e-5)


def test_the_oldest_is_forgotten() -> None:
    """Of size 2: before the fourth token it holds the second and the third, not the first."""
    cache = Cache(CacheConfig(size=2, flatness=0.0, share=0.5))
    tokens, half = np.array([7, 5, 6, 5, 7], np.int32), np.full(5, np.log(2), np.float32)
    found = cache.surprisals(tokens, half, np.zeros((5, 1), np.float32))
    np.testing.assert_allclose(np.exp(-found), [0.5, 0.25, 0.25, 0.5, 0.25], rtol=1e-6)


@pytest.mark.parametrize("surprisal", [110.0, 800.0])
def test_a_surprisal_whose_probability_no_float_holds(surprisal: float) -> None:
    config, tokens = CacheConfig(), np.array([5, 6], np.int32)
    own = np.array([1, surprisal], np.float32)
    found = Cache(config).surprisals(tokens, own, np.ones((2, 3), np.float32))
    np.testing.assert_allclose(found, [1, surprisal - np.log(1 - config.share)], rtol=1e-6)


@pytest.mark.parametrize("wrong", [{"size": 0}, {"flatness": -1.0}, {"share": 0.0}, {"share": 1.0}])
def test_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        CacheConfig(**wrong)  # type: ignore[arg-type]
