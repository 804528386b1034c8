"""Random numbers that depend on seed, row and step only, and the words that they stand for."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from seqkit.language_model.sampling.drawing import draw, uniforms


def test_numbers_are_a_function_of_seed_row_and_step() -> None:
    whole = uniforms(7, 3, 0, 50)
    for start, count in ((0, 1), (1, 1), (4, 3), (5, 20), (49, 1)):
        np.testing.assert_array_equal(uniforms(7, 3, start, count), whole[start : start + count])
    assert len({uniforms(seed, row, 0, 4).tobytes() for seed in range(20) for row in range(20)}) == 400
    assert uniforms(2**64 - 1, 0, 0, 1).dtype == np.float32


def test_numbers_are_uniform() -> None:
    # The mean of 40,000 has a standard deviation of √(1/12 / 40,000) = 0.00144.
    rows = np.stack([uniforms(0, row, 0, 40) for row in range(1000)])
    assert rows.min() >= 0
    assert rows.max() < 1
    assert rows.mean() == pytest.approx(0.5, abs=4 * 0.00144)
    # Neighbours, in a row and in a column, know nothing of each other: a correlation of 0 ± 0.005.
    for one, other in ((rows[:, 1:], rows[:, :-1]), (rows[1:], rows[:-1])):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 4 * 0.005


def test_a_number_finds_its_word() -> None:
    # Cumulative: 0.25, 0.25, 0.75, 1, 1.
    logits = tf.constant([[0.25, 0, 0.5, 0.25, 0]])
    numbers = {0.0: 0, 0.24: 0, 0.25: 2, 0.74: 2, 0.75: 3, 1 - 2**-24: 3}
    for number, word in numbers.items():
        assert draw(tf.math.log(logits), tf.constant([number])).numpy().tolist() == [word]


@pytest.mark.parametrize("vocabulary", [1, 2, 16, 17, 100, 3000])
def test_all_sizes_of_vocabularies(vocabulary: int) -> None:
    # Powers of two times whole numbers, so that float32 adds them exactly in any order.
    rng = np.random.default_rng(vocabulary)
    weights = rng.integers(0, 3, [50, vocabulary]).astype(np.float32)
    weights[:, rng.integers(vocabulary)] = 4
    numbers = np.append(rng.random(48), [0, 1 - 2**-24]).astype(np.float32)
    with np.errstate(divide="ignore"):
        found = draw(tf.constant(np.log(weights)), tf.constant(numbers)).numpy()
    sums = weights.astype(np.float64).cumsum(axis=1)
    wanted = (sums <= numbers[:, None] * sums[:, -1:]).sum(axis=1)
    np.testing.assert_array_equal(found, wanted)


def test_what_is_out_is_never_drawn() -> None:
    logits = np.full([2000, 70], -np.inf, np.float32)
    logits[:, [5, 69]] = 3, -4
    numbers = np.linspace(0, 1, 2000, endpoint=False, dtype=np.float32)
    assert set(draw(tf.constant(logits), tf.constant(numbers)).numpy().tolist()) == {5, 69}
