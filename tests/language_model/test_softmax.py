"""The loss of a large softmax and of a sample of it: against NumPy in float64 and TensorFlow's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from seqkit.language_model import softmax
from seqkit.language_model.softmax import SoftmaxSample, cross_entropy

POSITIONS, SIZE, VOCABULARY = 7, 5, 11
Array = NDArray[np.float64]


@pytest.fixture
def given() -> tuple[Array, Array, Array, NDArray[np.int32]]:
    """h, W, b and y: three positions without a target, a target that stands twice."""
    rng = np.random.default_rng(3)
    targets = np.array([4, -1, 0, 4, -1, 10, -1], np.int32)
    return (
        rng.normal(size=(POSITIONS, SIZE)),
        rng.normal(size=(VOCABULARY, SIZE)),
        rng.normal(size=VOCABULARY),
        targets,
    )


def by_hand(h: Array, w: Array, b: Array, targets: NDArray[np.int32]) -> tuple[float, list[Array]]:
    """Σ -log ŷ_y, and by the logits ŷ - y."""
    logits = h @ w.T + b
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    counted = np.flatnonzero(targets >= 0)
    by_logits = np.zeros_like(logits)
    by_logits[counted] = probabilities[counted]
    by_logits[counted, targets[counted]] -= 1
    loss = -np.log(probabilities[counted, targets[counted]]).sum()
    return float(loss), [by_logits @ w, by_logits.T @ h, by_logits.sum(axis=0)]


def found(
    given: Any, bfloat16: bool = False, upstream: float = 1.0, sample: Any = None
) -> tuple[float, list[Array]]:
    variables = [tf.Variable(each, dtype=tf.float32) for each in given[:3]]
    with tf.GradientTape() as tape:
        loss = upstream * cross_entropy(*variables, tf.constant(given[3]), bfloat16, sample)
    gradients = [tf.convert_to_tensor(each) for each in tape.gradient(loss, variables)]
    return float(loss), [np.asarray(each, np.float64) for each in gradients]


# float32 has 24 bits; of sums of some ten products of numbers about 1 five decimal digits are left.
CLOSE = {"rtol": 1e-5, "atol": 1e-5}


@pytest.mark.parametrize("held", [1, 3 * VOCABULARY, 7 * VOCABULARY, 1 << 26])
def test_loss_and_gradient_against_numpy(given: Any, held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One position at a time, pieces of 3, 3 and 1, one piece exactly, and more room than that."""
    monkeypatch.setattr(softmax, "LOGITS", held)
    loss, gradients = found(given)
    expected, by_each = by_hand(*given)
    assert loss == pytest.approx(expected, rel=1e-6)
    for gradient, by in zip(gradients, by_each, strict=True):
        np.testing.assert_allclose(gradient, by, **CLOSE)
    assert not gradients[0][given[3] < 0].any()


def test_the_gradient_is_that_of_tensorflows_own(given: Any) -> None:
    h, w, b = (tf.Variable(each, dtype=tf.float32) for each in given[:3])
    counted = np.flatnonzero(given[3] >= 0)
    with tf.GradientTape() as tape:
        logits = tf.gather(tf.matmul(h, w, transpose_b=True) + b, counted)
        own = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(given[3][counted], logits))
    by_each = tape.gradient(own, [h, w, b])
    loss, gradients = found(given)
    assert loss == pytest.approx(float(own), rel=1e-6)
    for gradient, by in zip(gradients, by_each, strict=True):
        np.testing.assert_allclose(gradient, tf.convert_to_tensor(by), **CLOSE)


def test_what_comes_from_above_is_passed_on(given: Any) -> None:
    _, gradients = found(given, upstream=-0.25)
    for gradient, by in zip(gradients, by_hand(*given)[1], strict=True):
        np.testing.assert_allclose(gradient, -0.25 * by, **CLOSE)


def test_no_target_at_all(given: Any) -> None:
    loss, gradients = found((*given[:3], np.full(POSITIONS, -1, np.int32)))
    assert loss == 0
    assert not any(gradient.any() for gradient in gradients)


def test_logits_of_any_size(given: Any) -> None:
    """exp of a logit of 1000 is infinite in float32, its softmax is not."""
    h, w, b, _ = given
    moved, targets = b.copy(), np.array([4, -1, 7, 4, -1, 7, -1], np.int32)
    moved[4], moved[7] = 1000, 1001
    loss, gradients = found((h, w, moved, targets))
    expected = by_hand(h, w, moved - 1000, targets)  # the softmax is the same
    assert loss == pytest.approx(expected[0], rel=1e-5)
    for gradient, by in zip(gradients, expected[1], strict=True):
        np.testing.assert_allclose(
            gradient, by, rtol=1e-3, atol=1e-3
        )  # 1001 + z has 4 digits after the point


def test_bfloat16(given: Any) -> None:
    """bfloat16 has 8 bits: a product of two numbers is off by up to 2⁻⁸ of it, and rounded once more; a logit
    of five products of about 1 by some 2⁻⁷·√5, the gradient by as much again."""
    loss, gradients = found(given, bfloat16=True)
    expected, by_each = by_hand(*given)
    exact, _ = found(given)
    assert loss == pytest.approx(expected, abs=4 * 2**-7 * 5**0.5)  # four targets
    assert loss != exact
    for gradient, by in zip(gradients, by_each, strict=True):
        np.testing.assert_allclose(gradient, by, atol=2**-4)
        assert np.linalg.norm(gradient - by) < 2**-5 * np.linalg.norm(by)


@pytest.mark.parametrize("held", [1, 1 << 26])
def test_a_sample_against_numpy(given: Any, held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Targets 4 and 0 are in the sample, 10 is not; only a word that is not y has its weight, 1/π."""
    monkeypatch.setattr(softmax, "LOGITS", held)
    h, w, b, targets = given
    ids, inclusion = np.array([0, 2, 4, 9]), np.array([1.0, 0.5, 0.25, 0.125])
    loss, by_logits = 0.0, np.zeros((POSITIONS, VOCABULARY))
    for place in np.flatnonzero(targets >= 0):
        target, own = targets[place], np.zeros(VOCABULARY)
        own[ids] = 1 / inclusion
        own[target] = 1
        shares = own * np.exp(h[place] @ w.T + b)
        shares /= shares.sum()
        loss -= np.log(shares[target])
        by_logits[place] = shares
        by_logits[place, target] -= 1
    sample = tf.constant(ids, tf.int32), tf.constant(np.log(inclusion), tf.float32)
    value, gradients = found(given, sample=sample)
    assert value == pytest.approx(loss, rel=1e-6)
    for gradient, by in zip(gradients, (by_logits @ w, by_logits.T @ h, by_logits.sum(0)), strict=True):
        np.testing.assert_allclose(gradient, by, **CLOSE)


def test_a_sample_of_all_words_is_the_softmax(given: Any) -> None:
    whole = tf.range(VOCABULARY), tf.zeros(VOCABULARY)
    (loss, gradients), (expected, by_each) = found(given, sample=whole), found(given)
    assert loss == pytest.approx(expected, rel=1e-6)
    for gradient, by in zip(gradients, by_each, strict=True):
        np.testing.assert_allclose(gradient, by, **CLOSE)


def test_frequent_words_are_always_in_the_sample() -> None:
    """Shares of 8, 2, 1 and 1 in 12: twice 8/12 is above 1, the one word left goes by 2 : 1 : 1."""
    np.testing.assert_allclose(SoftmaxSample([7, 1, 0, 0], 2).inclusion, [1, 0.5, 0.25, 0.25])
    # Shares of 16, 8, 1, 1, 1 and 1 in 28: 3 · 16/28; then 2 · 8/12; then one of four.
    np.testing.assert_allclose(SoftmaxSample([15, 7, 0, 0, 0, 0], 3).inclusion, [1, 1, *[0.25] * 4])


def test_words_are_drawn_with_their_probability() -> None:
    counts, draws = [40, 9, 9, 5, 3, 2, 1, 0, 0, 0, 0], 4000
    sample = SoftmaxSample(counts, 4)
    draw = tf.function(sample.draw)
    seen = np.zeros(VOCABULARY)
    for number in range(draws):
        ids, logarithms = (each.numpy() for each in draw(tf.constant([7, number])))
        assert len(set(ids)) == 4
        np.testing.assert_allclose(logarithms, np.log(sample.inclusion[ids]), rtol=1e-6)
        seen[ids] += 1
    # A share of n draws that has probability π is off by 5 √(π (1 - π) / n) once in two million times.
    error = np.abs(seen / draws - sample.inclusion)
    assert (error <= 5 * np.sqrt(sample.inclusion * (1 - sample.inclusion) / draws)).all()
    assert sample.inclusion.sum() == pytest.approx(4)


def test_the_sum_over_a_sample_has_the_mean_of_the_whole_sum() -> None:
    rng = np.random.default_rng(5)
    sample, values = SoftmaxSample(rng.integers(0, 50, 40), 10), np.exp(rng.normal(size=40))
    draw, sums = tf.function(sample.draw), []
    for number in range(2000):
        ids, logarithms = (each.numpy() for each in draw(tf.constant([number, 3])))
        sums.append((values[ids] * np.exp(-logarithms)).sum())
    error = np.std(sums) / np.sqrt(len(sums))
    assert abs(np.mean(sums) - values.sum()) < 5 * error < 0.05 * values.sum()
