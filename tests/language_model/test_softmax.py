"""The loss of a large softmax: against NumPy in float64 and TensorFlow's own, in one piece and in several."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from seqkit.language_model import softmax
from seqkit.language_model.softmax import cross_entropy

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


def found(given: Any, bfloat16: bool = False, upstream: float = 1.0) -> tuple[float, list[Array]]:
    variables = [tf.Variable(each, dtype=tf.float32) for each in given[:3]]
    with tf.GradientTape() as tape:
        loss = upstream * cross_entropy(*variables, tf.constant(given[3]), bfloat16)
    return float(loss), [np.asarray(each, np.float64) for each in tape.gradient(loss, variables)]


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
