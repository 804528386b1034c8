"""The loss of a batch and its gradient, what it carries to the next batch, and regularised activations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from seqkit.language_model.coding import END_ID
from seqkit.language_model.config import NetworkConfig
from seqkit.language_model.network import LanguageNetwork
from seqkit.language_model.softmax import SoftmaxSample
from seqkit.language_model.task import LanguageTask

VOCABULARY = 6
INPUTS = np.array([[END_ID, 3, 5, END_ID], [END_ID, 0, 4, 4]], np.int32)
TARGETS = np.array([[3, 5, END_ID, 2], [0, 4, 4, -1]], np.int32)
FRESH = np.array([True, True])


def task(activation: float = 0.0, slowness: float = 0.0, **config: Any) -> LanguageTask:
    settings = {"units": 3, "layers": 1, **config}
    network = LanguageNetwork(NetworkConfig(**settings), VOCABULARY, seed=2)
    return LanguageTask(network, 2, activation, slowness)


def expected_loss(
    of: LanguageTask, values: Any, by_numpy: Any, activation: float = 0.0, slowness: float = 0.0
) -> float:
    hidden, logs = by_numpy(of.network, values, INPUTS)
    counted = np.nonzero(TARGETS >= 0)
    loss = -logs[(*counted, TARGETS[counted])].mean()
    loss += activation * np.square(hidden).mean()
    return float(loss + slowness * np.square(np.diff(hidden, axis=1)).mean())


@pytest.mark.parametrize(
    ("cell", "layers", "tied", "weights"),
    [("lstm", 2, False, (0.7, 0.4)), ("gru", 1, True, (0.0, 0.0)), ("rnn", 1, False, (0.0, 0.0))],
)
def test_the_gradient_is_that_of_two_sided_differences(
    cell: str, layers: int, tied: bool, weights: tuple[float, float], by_numpy: Any, weights_of: Any
) -> None:
    """Of the loss in NumPy and float64, entry by entry; the network itself has but float32."""
    of = task(*weights, cell=cell, layers=layers, tied=tied)
    # initial embeddings are small: larger ones have larger derivatives
    of.network.embeddings.assign(np.random.default_rng(1).normal(size=(VOCABULARY, 3)))
    values = weights_of(of.network)
    with tf.GradientTape() as tape:
        loss = of.loss(*map(tf.constant, (INPUTS, TARGETS, FRESH)))
    gradients = tape.gradient(loss, [variable.value for variable in of.trainable_variables])
    assert float(loss) == pytest.approx(expected_loss(of, values, by_numpy, *weights), rel=1e-5)
    rng, change = np.random.default_rng(0), 1e-5
    for name, gradient in zip(of.network.weights, gradients, strict=True):
        found = tf.convert_to_tensor(gradient).numpy().ravel()
        assert found.shape == values[name].ravel().shape
        for place in rng.choice(found.size, min(8, found.size), replace=False):
            losses = []
            for sign in (1, -1):
                moved = {**values, name: values[name].copy()}
                moved[name].flat[place] += sign * change
                losses.append(expected_loss(of, moved, by_numpy, *weights))
            difference = (losses[0] - losses[1]) / (2 * change)
            assert found[place] == pytest.approx(difference, rel=1e-4, abs=1e-6), (name, place)


def test_the_state_is_carried_but_where_a_sequence_begins_anew() -> None:
    of = task(layers=2)
    inputs, targets = tf.constant(INPUTS), tf.constant(TARGETS)
    of.loss(inputs, targets, tf.constant(FRESH))
    zero = of.network.initial_state(2)
    _, _, after = of.network.run(inputs, zero)
    carried = of.variables[-4:]  # a and c of two layers
    for variable, part in zip(carried, tf.nest.flatten(after), strict=True):
        np.testing.assert_allclose(variable, part, rtol=1e-5, atol=1e-6)
    begun = tf.nest.map_structure(lambda old, new: tf.stack([old[0], new[1]]), after, zero)
    _, _, expected = of.network.run(inputs, begun)
    of.loss(inputs, targets, tf.constant([False, True]))
    for variable, part in zip(carried, tf.nest.flatten(expected), strict=True):
        np.testing.assert_allclose(variable, part, rtol=1e-5, atol=1e-6)


def test_without_targets_there_is_no_loss() -> None:
    of = task()
    assert float(of.loss(tf.constant(INPUTS), tf.fill(INPUTS.shape, -1), tf.constant(FRESH))) == 0


def test_activations_are_regularised_as_dropped_slowness_as_they_are() -> None:
    """Merity et al. 2017: AR after dropout, TAR before it."""
    of = task(activation=2.0, dropout_output=0.5)
    plain = task(dropout_output=0.5)
    slow = task(slowness=3.0, dropout_output=0.5)
    batch = [tf.constant(each) for each in (INPUTS, TARGETS, FRESH)]
    base = float(plain.loss(*batch))
    hidden, dropped, _ = task(dropout_output=0.5).network.run(
        batch[0], plain.network.initial_state(2), training=True
    )
    assert (hidden.numpy() != dropped.numpy()).any()
    assert float(of.loss(*batch)) == pytest.approx(base + 2 * np.square(dropped).mean(), rel=1e-5)
    changes = np.square(np.diff(hidden, axis=1)).mean()
    assert float(slow.loss(*batch)) == pytest.approx(base + 3 * changes, rel=1e-5)


def test_a_piece_of_one_token_has_no_slowness() -> None:
    batch = [tf.constant(each) for each in (INPUTS[:, :1], TARGETS[:, :1], FRESH)]
    assert float(task(slowness=1.0).loss(*batch)) == float(task().loss(*batch)) > 0


def test_the_loss_over_a_sample_is_about_that_over_all_words() -> None:
    """Drawn anew each time; the mean of a logarithm is below the logarithm of the mean, which is exact."""
    whole = task()
    network = whole.network
    network.embeddings.assign(np.random.default_rng(1).normal(size=(VOCABULARY, 3)))
    network.kernel.assign(np.random.default_rng(2).normal(size=(VOCABULARY, 3)))
    sampled = LanguageTask(network, 2, sample=SoftmaxSample(np.array([9, 7, 3, 2, 1, 0]), 4))
    batch = [tf.constant(each) for each in (INPUTS, TARGETS, FRESH)]
    loss = tf.function(sampled.loss)
    exact, losses = float(whole.loss(*batch)), [float(loss(*batch)) for _ in range(100)]
    assert len({round(loss, 6) for loss in losses}) > 1
    assert 0.95 * exact < np.mean(losses) < exact


def test_what_is_trained_and_what_is_kept() -> None:
    of = task(dropout=0.5, weight_drop=0.5)
    assert len(of.trainable_variables) == 6
    # the weights, the generators of the network and of the layer, and a and c
    assert len(of.variables) == 6 + 2 + 2
    frozen = LanguageNetwork(NetworkConfig(units=3, layers=1), VOCABULARY, frozen=True)
    assert all(each is not frozen.embeddings for each in LanguageTask(frozen, 2).trainable_variables)
