"""The reference against a step worked by hand, and gensim's update of one word."""

from __future__ import annotations

import numpy as np
import pytest

from seqkit.embeddings.cbow.reference import step
from seqkit.embeddings.negative_sampling.plan import Masses

VOCABULARY, SIZE = 6, 3
BLOCKS, LENGTH, NOISE, NEGATIVE = 2, 7, 4, 3

# Words and noise stand several times in the step, word 5 not at all.
WORDS = np.array([[0, 1, 0, 2, 3, 3, 3], [4, 0, 1, 0, 0, 2, 1]], np.int32)
NOISE_WORDS = np.array([[1, 1, 3, 4], [0, 2, 2, 1]], np.int32)

Tables = tuple[np.ndarray, np.ndarray]


@pytest.fixture
def tables() -> Tables:
    vectors, contexts = np.random.default_rng(0).normal(size=(2, VOCABULARY, SIZE))
    return vectors, contexts


def test_a_step_by_hand() -> None:
    # Words 0 1 2 0. Word 1 sees words 0 and 2: h = (1 + 5) / 2 = 3; nobody else sees anything.
    # Two noise places, both of word 3, for 3 noise words: weight 3/2 each.
    words, noise = np.array([[0, 1, 2, 0]], np.int32), np.array([[3, 3]], np.int32)
    left, right = np.array([[0, 1, 0, 0]], np.float32), np.array([[0, 1, 0, 0]], np.float32)
    vectors = np.array([[1.0], [7.0], [5.0], [9.0]])
    contexts = np.array([[0.25], [np.log(3) / 3], [0.5], [-np.log(3) / 3]])
    masses = Masses(np.full(4, 10, np.float32), np.array([1, 1, 1, 1, 50, 50], np.float32))
    result = step(
        vectors, contexts, words, (left, right), noise, masses=masses, negative=3, learning_rate=0.075
    )
    # The score of word 1 is log 3, σ = 3/4; of the noise -log 3, σ = 1/4: each costs log 4/3, noise 3 times.
    assert result.loss == pytest.approx(4 * np.log(4 / 3), rel=1e-12)
    assert result.vector_loss == pytest.approx(2 * 4 * np.log(4 / 3), rel=1e-12)
    assert result.words == 1
    # ε = 1/4 · log(3)/3 + 3 · 1/4 · log(3)/3 = log(3)/3, whole for both. Word 0 has mass 20, word 2 mass 10.
    error = np.log(3) / 3
    np.testing.assert_allclose(result.vectors.ravel(), [1 + error / 20, 7, 5 + 0.075 * error, 9], rtol=1e-12)
    # o_1 gets 1/4 h = 3/4, z loses 3/2 · 1/4 · 3 in two places, at mass 100.
    np.testing.assert_allclose(
        result.contexts.ravel(),
        [0.25, np.log(3) / 3 + 0.075 * 0.75, 0.5, -np.log(3) / 3 - 2 * 9 / 8 / 100],
        rtol=1e-12,
    )


def test_no_word_sees_beyond_its_span(tables: Tables) -> None:
    # Blocks of two spans, by which every reach is cut, are learned as blocks of one whose reaches end there.
    words, noise = WORDS[:, :6], NOISE_WORDS
    settings = {"masses": Masses(np.ones(12, np.float32), np.ones(20, np.float32)), "negative": NEGATIVE}
    reach, place = np.full((BLOCKS, 6), 9, np.float32), np.arange(6, dtype=np.float32) % 3
    cut = np.minimum(reach, place), np.minimum(reach, 2 - place)
    whole = step(*tables, words, cut, noise, learning_rate=1.0, **settings)
    spans = step(*tables, words, (reach, reach), noise, learning_rate=1.0, span=3, **settings)
    assert spans.words == 12
    assert spans.loss == whole.loss
    np.testing.assert_array_equal(spans.vectors, whole.vectors)
    np.testing.assert_array_equal(spans.contexts, whole.contexts)


def test_the_masses_of_noise_come_after_those_of_words(tables: Tables) -> None:
    # Word 5 stands nowhere but in the noise of the first block, word 4 in the text of the second.
    noise = np.array([[5, 1, 3, 3], [0, 2, 2, 1]], np.int32)
    reaches = np.ones((2, BLOCKS, LENGTH), np.float32)
    masses = np.full(BLOCKS * (LENGTH + NOISE), 1e-9, np.float32)
    first = step(
        *tables,
        WORDS,
        tuple(reaches),
        noise,
        masses=Masses(masses[:14], masses),
        negative=3,
        learning_rate=1.0,
    )
    masses[14], masses[7] = 4, 2
    limited = step(
        *tables,
        WORDS,
        tuple(reaches),
        noise,
        masses=Masses(masses[:14], masses),
        negative=3,
        learning_rate=1.0,
    )
    moved, slower = first.contexts - tables[1], limited.contexts - tables[1]
    np.testing.assert_allclose(slower[5], moved[5] / 4, rtol=1e-9)
    np.testing.assert_allclose(slower[4], moved[4] / 2, rtol=1e-9)
    np.testing.assert_allclose(slower[:4], moved[:4], rtol=1e-9)


def test_a_word_is_learned_as_gensim_learns_it() -> None:
    # One line "a c b" of which only c has a context that both have: gensim's windows are made whole by
    # shrink_windows=False, and its noise is all one word.
    from gensim.models import Word2Vec

    model = Word2Vec(
        vector_size=SIZE, window=1, min_count=1, sg=0, cbow_mean=1, negative=4, sample=0, workers=1,
        alpha=0.5, min_alpha=0.5, shrink_windows=False, sorted_vocab=0,
    )  # fmt: skip
    model.build_vocab([["a", "c", "b", "noise"]])
    places = [model.wv.key_to_index[word] for word in ("a", "c", "b", "noise")]
    rng = np.random.default_rng(3)
    vectors, contexts = rng.normal(size=(2, 4, SIZE)).astype(np.float32)
    model.wv.vectors[:], model.syn1neg[:] = vectors, contexts
    model.cum_table[:] = 0
    model.cum_table[places[3] :] = 2**31 - 1
    model.train([["a", "c", "b"]], total_examples=1, epochs=1)

    # gensim goes from word to word, each seeing what the one before did.
    now, noise = (vectors.astype(float), contexts.astype(float)), np.array([[places[3]]], np.int32)
    words = np.array([places[:3]], np.int32)
    for place, (to_left, to_right) in enumerate([(0, 1), (1, 1), (1, 0)]):
        left, right = np.zeros((2, 1, 3), np.float32)
        left[0, place], right[0, place] = to_left, to_right
        masses = Masses(np.full(3, 1e-9, np.float32), np.full(4, 1e-9, np.float32))
        now = one_word(now, words, left, right, noise, masses)
    # gensim looks σ up in a table of 1000 values on ±6.
    np.testing.assert_allclose(model.wv.vectors, now[0], atol=0.02)
    np.testing.assert_allclose(model.syn1neg, now[1], atol=0.02)
    assert np.abs(now[0] - vectors).max() > 0.2
    assert np.abs(now[1] - contexts).max() > 0.2


def one_word(
    tables: Tables,
    words: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    noise: np.ndarray,
    masses: Masses,
) -> Tables:
    """What the only word with a context teaches, its four noise words one after another, as gensim has it."""
    place = int((left + right).argmax())
    h_words = [words[0, j] for j in range(place - int(left[0, place]), place + int(right[0, place]) + 1)]
    h_words.remove(words[0, place])
    first = step(*tables, words, (left, right), noise, masses=masses, negative=1, learning_rate=0.5)
    vectors, contexts = first.vectors.copy(), first.contexts.copy()
    h = tables[0][h_words].mean(axis=0)
    for _ in range(3):  # the other three noise words meet a row of contexts that has moved
        z = contexts[noise[0, 0]].copy()
        probability = 1 / (1 + np.exp(-h @ z))
        vectors[h_words] -= 0.5 * probability * z
        contexts[noise[0, 0]] -= 0.5 * probability * h
    return vectors, contexts
