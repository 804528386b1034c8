"""The reference against differences of its loss, TensorFlow's losses, and where both softmaxes agree."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from seqkit.embeddings.window.reference import Tables, adagrad, gradients

VOCABULARY, SIZE, COLUMNS, HIDDEN = 7, 3, 2, 4
# Word 7 stands for none; words stand several times, word 6 not at all in a window.
CONTEXTS = np.array([[7, 7], [7, 0], [0, 0], [1, 2], [2, 1]], np.int32)
TARGETS = np.array([0, 1, 3, 3, 6], np.int32)
NOISE = np.array([3, 0, 3, 5, 1, 2], np.int32)
PROBABILITIES = np.array([0.3, 0.2, 0.1, 0.2, 0.1, 0.06, 0.04])


@pytest.fixture
def tables() -> Tables:
    rng = np.random.default_rng(0)
    shapes = {
        "vectors": (VOCABULARY, SIZE),
        "hidden_kernel": (COLUMNS * SIZE, HIDDEN),
        "hidden_bias": (HIDDEN,),
        "output_kernel": (VOCABULARY, HIDDEN),
        "output_bias": (VOCABULARY,),
    }
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("noise", [None, (NOISE, PROBABILITIES)], ids=["exact", "sampled"])
def test_gradients_are_those_of_the_loss(tables: Tables, noise: tuple | None) -> None:
    _, found = gradients(tables, CONTEXTS, TARGETS, noise)
    change = 1e-6
    for name, table in tables.items():
        expected = np.zeros_like(table)
        for index in np.ndindex(table.shape):
            losses = []
            for sign in (1, -1):
                moved = {**tables, name: table.copy()}
                moved[name][index] += sign * change
                losses.append(gradients(moved, CONTEXTS, TARGETS, noise)[0])
            expected[index] = (losses[0] - losses[1]) / (2 * change)
        assert np.linalg.norm(expected) > 0.1
        assert np.linalg.norm(found[name] - expected) <= 1e-7 * np.linalg.norm(expected)
    assert not found["vectors"][[3, 4, 5, 6]].any()


def hidden_layer(tables: Tables) -> np.ndarray:
    vectors = np.vstack([tables["vectors"], np.zeros(SIZE)])
    x = np.array([np.concatenate([vectors[word] for word in window]) for window in CONTEXTS])
    return np.tanh(x @ tables["hidden_kernel"] + tables["hidden_bias"])


def test_the_exact_loss_is_tensorflows(tables: Tables) -> None:
    logits = hidden_layer(tables) @ tables["output_kernel"].T + tables["output_bias"]
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(TARGETS, logits)
    assert gradients(tables, CONTEXTS, TARGETS)[0] == pytest.approx(float(tf.reduce_sum(losses)), rel=1e-12)


def test_the_sampled_loss_is_tensorflows(tables: Tables) -> None:
    noise = np.array([3, 0, 4, 5, 1, 2], np.int32)  # TensorFlow leaves out one of several that hit
    expected_counts = len(noise) * PROBABILITIES
    losses = tf.nn.sampled_softmax_loss(
        weights=tables["output_kernel"],
        biases=tables["output_bias"],
        labels=TARGETS[:, None].astype(np.int64),
        inputs=hidden_layer(tables),
        num_sampled=len(noise),
        num_classes=VOCABULARY,
        sampled_values=(
            noise.astype(np.int64),
            expected_counts[TARGETS][:, None],
            expected_counts[noise],
        ),
    )
    found = gradients(tables, CONTEXTS, TARGETS, (noise, PROBABILITIES))[0]
    assert found == pytest.approx(float(tf.reduce_sum(losses)), rel=1e-12)


def test_noise_that_is_every_word_once_gives_the_exact_softmax(tables: Tables) -> None:
    # All equally likely: each of 7 is expected once among 7 draws, and log 1 = 0.
    everything = np.arange(VOCABULARY, dtype=np.int32), np.full(VOCABULARY, 1 / VOCABULARY)
    loss, found = gradients(tables, CONTEXTS, TARGETS, everything)
    exact_loss, exact = gradients(tables, CONTEXTS, TARGETS)
    assert loss == pytest.approx(exact_loss, rel=1e-12)
    for name in tables:
        np.testing.assert_allclose(found[name], exact[name], rtol=1e-10, atol=1e-12)


def test_adagrad_by_hand() -> None:
    # a = 9 + 4² = 25, so the step is 0.5 · 4 / 5; where the gradient is 0 nothing moves.
    tables, squares = {"x": np.array([1.0, 2.0])}, {"x": np.array([9.0, 0.0])}
    moved, summed = adagrad(tables, squares, {"x": np.array([4.0, 0.0])}, 0.5)
    np.testing.assert_allclose(moved["x"], [0.6, 2.0], rtol=1e-7)
    assert summed["x"].tolist() == [25, 0]
