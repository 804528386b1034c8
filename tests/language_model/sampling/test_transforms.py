"""Each transform against arithmetic by hand, ties and extreme values, and plain NumPy in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from seqkit.language_model.sampling import transforms
from seqkit.language_model.sampling.config import SamplingConfig
from seqkit.language_model.sampling.rules import narrowed, rules_of

OUT = -np.inf


def logs(*p: float) -> tf.Tensor:
    """Logits of one row with these probabilities; the offset must not matter."""
    with np.errstate(divide="ignore"):
        return tf.constant([np.log(p) + 2], tf.float32)


def left(logits: Any) -> list[int]:
    """The words of the first row that are not out."""
    return np.flatnonzero(logits[0].numpy() > OUT).tolist()


def test_the_temperature_divides() -> None:
    # p^(1/2) of 0.64 and 0.36 are 0.8 and 0.6: 4/7 and 3/7 of their sum.
    found = tf.nn.softmax(transforms.temperature(logs(0.64, 0.36), 2.0))
    np.testing.assert_allclose(found, [[4 / 7, 3 / 7]], rtol=1e-6)
    # p² of 0.75 and 0.25 are as 9 to 1.
    found = tf.nn.softmax(transforms.temperature(logs(0.75, 0.25), 0.5))
    np.testing.assert_allclose(found, [[0.9, 0.1]], rtol=1e-6)


@pytest.mark.parametrize("value", [1e-40, 1e-30, 1e30])
def test_extreme_temperatures_stay_numbers(value: float) -> None:
    found = tf.nn.softmax(transforms.temperature(logs(0.6, 0.4, 0.0), tf.constant(value))).numpy()
    np.testing.assert_allclose(found, [[0.5, 0.5, 0]] if value > 1 else [[1, 0, 0]], atol=1e-6)


def test_top_k_leaves_k() -> None:
    logits = logs(0.1, 0.4, 0.2, 0.3)
    assert left(transforms.top_k(logits, 1)) == [1]
    assert left(transforms.top_k(logits, 3)) == [1, 2, 3]
    np.testing.assert_array_equal(transforms.top_k(logits, 4), logits)
    np.testing.assert_array_equal(transforms.top_k(logits, 99), logits)
    np.testing.assert_array_equal(transforms.top_k(logits, 2)[0, 1::2], logits[0, 1::2])


def test_ties_go_to_the_smaller_ids() -> None:
    logits = logs(0.2, 0.3, 0.2, 0.3, 0.0)
    assert left(transforms.top_k(logits, 1)) == [1]
    assert left(transforms.top_k(logits, 3)) == [0, 1, 3]
    # 0.3 + 0.3 is less than 0.7, with one of the words of 0.2 it is not.
    assert left(transforms.top_p(logits, 0.7)) == [0, 1, 3]
    assert left(transforms.top_p(logs(0.25, 0.25, 0.25, 0.25), 0.5)) == [0, 1]
    assert left(transforms.top_k(tf.constant([[-0.0, 0.0, -1.0]]), 1)) == [0]


def test_the_nucleus_is_the_smallest_set_of_that_mass() -> None:
    logits = logs(0.125, 0.5, 0.125, 0.25)  # sums that float32 has exactly: 0.5, 0.75, 0.875, 1
    for p, words in ((1e-9, [1]), (0.49, [1]), (0.51, [1, 3]), (0.74, [1, 3]), (0.76, [0, 1, 3])):
        assert left(transforms.top_p(logits, p)) == words
    np.testing.assert_array_equal(transforms.top_p(logits, 1.0), logits)


@pytest.mark.parametrize("option", ["top_p", "typical"])
def test_of_a_mass_too_small_for_float32_one_word_is_left(option: str) -> None:
    """As of one that is small; typical words are those near the entropy, here 1.75 bits."""
    logits = logs(0.125, 0.5, 0.125, 0.25)
    config: dict[str, Any] = {option: 1e-50}
    found = left(narrowed(logits, rules_of(SamplingConfig(**config), 4)))
    assert found == ([1] if option == "top_p" else [3])
    assert found == left(getattr(transforms, option)(logits, 1e-9))


def test_min_p_is_a_share_of_the_likeliest() -> None:
    logits = logs(0.5, 0.3, 0.15, 0.05)  # 1, 0.6, 0.3, 0.1 of the likeliest
    for p, words in ((1.0, [0]), (0.59, [0, 1]), (0.31, [0, 1]), (0.29, [0, 1, 2]), (0.0, [0, 1, 2, 3])):
        assert left(transforms.min_p(logits, p)) == words


def test_typical_words_have_the_surprisal_of_the_entropy() -> None:
    # H = 0.5 ln 2 + 2 · 0.2 ln 5 + 0.1 ln 10 = 1.2206; distances from H: |ln 2 - H| = 0.527,
    # |ln 5 - H| = 0.389 (twice), |ln 10 - H| = 1.082. So the words of 0.2 come first, the likeliest then.
    logits = logs(0.5, 0.2, 0.2, 0.1)
    for mass, words in ((0.1, [1]), (0.39, [1, 2]), (0.41, [0, 1, 2]), (0.95, [0, 1, 2, 3])):
        assert left(transforms.typical(logits, mass)) == words
    np.testing.assert_array_equal(transforms.typical(logits, 1.0), logits)
    assert left(transforms.typical(logs(0.5, 0.5, 0.0), 0.9)) == [0, 1]


@pytest.mark.parametrize("transform", [transforms.top_p, transforms.typical])
def test_a_mass_of_one_leaves_words_that_rounding_has_lost(transform: Callable[[Any, float], Any]) -> None:
    logits = tf.constant([[0.0, -50.0, -60.0]])
    np.testing.assert_array_equal(transform(logits, 1.0), logits)


def test_the_penalty_lowers_logits_of_either_sign() -> None:
    logits = tf.constant([[2.0, -2.0, 0.0, 3.0]])
    seen = tf.constant([[True, True, True, False]])
    np.testing.assert_allclose(transforms.repetition_penalty(logits, seen, 1.25), [[1.6, -2.5, 0, 3]])
    np.testing.assert_array_equal(transforms.repetition_penalty(logits, seen, 1.0), logits)


def test_bans_are_infinite() -> None:
    found = transforms.banned(tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.constant([False, True]))
    np.testing.assert_array_equal(found, [[1, OUT], [3, OUT]])


@pytest.mark.parametrize(
    ("n", "history", "words"),
    [
        (1, [4, 2, 4], [2, 4]),  # every word
        (2, [4, 2, 3, 4], [2]),  # after 4 came 2
        (2, [4, 2, 4, 3, 4], [2, 3]),
        (2, [4, 4], [4]),  # an n-gram may lie over itself
        (3, [0, 2, 3, 4, 0, 2], [3]),  # after 0 2 came 3
        (3, [0, 2, 3, 4, 1, 2], []),
        (3, [2], []),  # too short to repeat anything
        (2, [], []),
        (9, [2, 2, 2], []),  # longer than there are places
    ],
)
def test_ngrams_that_were_there_are_banned(n: int, history: list[int], words: list[int]) -> None:
    # What stands behind the history must not matter: 3 3 3 would ban 3.
    padded = tf.constant([history + [3] * (7 - len(history)), [0] * 7], tf.int32)
    found = transforms.no_repeat_ngram(tf.zeros([2, 5]), padded, tf.constant([len(history), 0]), n)
    assert np.flatnonzero(found[0].numpy() == OUT).tolist() == words
    assert not found[1].numpy().any()


def plain(scores: np.ndarray, p: np.ndarray, mass: float) -> np.ndarray:
    """The words of one row that are left, one after the other."""
    kept, total = np.zeros(len(p), bool), 0.0
    for word in np.argsort(-scores, kind="stable"):
        if total < mass:
            kept[word] = True
            total += p[word]
    return kept


ROWS = np.random.default_rng(5).normal(size=(40, 37)).astype(np.float32) * 3
REFERENCES: dict[str, tuple[Callable[[Any], Any], Callable[[np.ndarray, np.ndarray], np.ndarray]]] = {
    "top_k": (lambda x: transforms.top_k(x, 7), lambda log_p, p: log_p >= np.sort(log_p)[-7]),
    "top_p": (lambda x: transforms.top_p(x, 0.83), lambda log_p, p: plain(log_p, p, 0.83)),
    "min_p": (lambda x: transforms.min_p(x, 0.03), lambda log_p, p: p >= 0.03 * p.max()),
    "typical": (
        lambda x: transforms.typical(x, 0.61),
        lambda log_p, p: plain(-np.abs(log_p - p @ log_p), p, 0.61),
    ),
}


@pytest.mark.parametrize("mode", ["eager", "xla"])
@pytest.mark.parametrize("name", REFERENCES)
def test_random_rows_against_plain_numpy(name: str, mode: str) -> None:
    transform, reference = REFERENCES[name]
    if mode == "xla":
        transform = tf.function(transform, jit_compile=True, autograph=False)
    found = transform(tf.constant(ROWS)).numpy()
    for row, logits in zip(found, ROWS.astype(np.float64), strict=True):
        log_p = logits - np.logaddexp.reduce(logits)
        np.testing.assert_array_equal(row > OUT, reference(log_p, np.exp(log_p)))
    np.testing.assert_array_equal(found[found > OUT], ROWS[found > OUT])
