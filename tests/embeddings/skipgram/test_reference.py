"""The reference against a step worked by hand, and the loss of the paper."""

from __future__ import annotations

import numpy as np
import pytest

from seqkit.embeddings.negative_sampling.plan import Masses
from seqkit.embeddings.skipgram.reference import sigmoid, step


def test_a_step_by_hand() -> None:
    # Words 0 1 0 0, of which only the first two see each other, at distance 1: ω = 1 / (1 - 1/4) = 4/3.
    # Two noise places, both of word 2, for 3 noise words a pair: ν = 4/3 · 3/2 = 2.
    words, noise = np.array([[0, 1, 0, 0]], np.int32), np.array([[2, 2]], np.int32)
    left, right = np.array([[0, 1, 0, 0]], np.float32), np.array([[1, 0, 0, 0]], np.float32)
    vectors = np.array([[1.0], [2.0], [7.0]])
    contexts = np.array([[np.log(3) / 2], [np.log(3)], [0.0]])
    masses = Masses(
        np.full(4, 10, np.float32),
        np.array([1, 1, 1, 1, 100, 100], np.float32),
    )
    result = step(
        vectors, contexts, words, (left, right), noise, masses=masses, negative=3, learning_rate=0.05
    )
    # Both pairs have score log 3, σ = 3/4; both words see noise twice at score 0, σ = 1/2.
    assert result.loss == pytest.approx(2 * 4 / 3 * np.log(4 / 3) + 2 * 2 * 2 * np.log(2), rel=1e-12)
    assert result.pairs == pytest.approx(8 / 3, rel=1e-12)
    # ∂J/∂x = -4/3 · 1/4 · y. Word 0 stands in 3 places, mass 30, below η; word 1 has mass 10, above it.
    np.testing.assert_allclose(
        result.vectors.ravel(), [1 + np.log(3) / 3 / 30, 2 + 0.05 * np.log(3) / 6, 7], rtol=1e-12
    )
    # ∂J/∂y_0 = -1/3 x_1, ∂J/∂y_1 = -1/3 x_0; ∂J/∂z = 2 places · 2 · 1/2 · (x_0 + x_1) = 6, mass 200.
    np.testing.assert_allclose(
        result.contexts.ravel(), [np.log(3) / 2 + 0.05 * 2 / 3, np.log(3) + 0.05 / 3, -6 / 200], rtol=1e-9
    )


def test_in_a_long_block_the_loss_is_that_of_the_paper() -> None:
    # Equation 4 of Mikolov et al. 2013 for each pair, with K = negative: ω is 1 / (1 - d/L), almost 1.
    rng = np.random.default_rng(2)
    length, negative, reach = 4000, 5, 3
    vectors, contexts = rng.normal(size=(2, 8, 3))
    words = np.zeros((1, length), np.int32)
    words[0, :12] = rng.integers(0, 8, 12)
    noise = rng.integers(0, 8, (1, negative), dtype=np.int32)
    left, right = np.zeros((2, 1, length), np.float32)
    left[0, :12], right[0, :12] = reach, np.minimum(reach, 11 - np.arange(12))
    masses = Masses(np.ones(length, np.float32), np.ones(length + negative, np.float32))
    result = step(
        vectors, contexts, words, (left, right), noise, masses=masses, negative=negative, learning_rate=0.1
    )
    textbook, pairs = 0.0, 0
    for i in range(12):
        for j in range(12):
            if 0 < abs(i - j) <= reach:
                x = vectors[words[0, i]]
                textbook -= np.log(1 / (1 + np.exp(-x @ contexts[words[0, j]])))
                textbook -= sum(np.log(1 / (1 + np.exp(x @ contexts[word]))) for word in noise[0])
                pairs += 1
    assert textbook < result.loss < textbook / (1 - reach / length)
    assert pairs < result.pairs < pairs / (1 - reach / length)
    assert pairs == 12 * 2 * reach - 2 * (1 + 2 + 3)  # all, but those beyond the ends


def sum_of_weights(length: int, place: int, reach: int) -> float:
    """Σ ω in a block where one word reaches to the right."""
    right = np.zeros((1, length), np.float32)
    right[0, place] = reach
    zeros, words, noise = np.zeros((1, 1)), np.zeros((1, length), np.int32), np.zeros((1, 1), np.int32)
    masses = Masses(np.ones(length, np.float32), np.ones(length + 1, np.float32))
    return step(
        zeros, zeros, words, (0 * right, right), noise, masses=masses, negative=1, learning_rate=0.1
    ).pairs


def test_weights_make_up_for_the_ends_of_blocks() -> None:
    # Where a block begins is random: a word is at each of the L places alike, and reaches all its words once.
    length, reach = 8, 3
    mean = np.mean([sum_of_weights(length, place, reach) for place in range(length)])
    assert mean == pytest.approx(reach, rel=1e-12)


def test_sigmoid() -> None:
    np.testing.assert_allclose(sigmoid(np.array([0, np.log(3), -np.log(3)])), [0.5, 0.75, 0.25], rtol=1e-15)
