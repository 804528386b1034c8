"""Dynamic evaluation against its update by hand; that nothing of it stays."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from seqkit.errors import UsageError
from seqkit.language_model.config import NetworkConfig
from seqkit.language_model.dynamic import DynamicConfig, DynamicScorer
from seqkit.language_model.network import LanguageNetwork

VOCABULARY = 6


@pytest.fixture
def network() -> LanguageNetwork:
    return LanguageNetwork(NetworkConfig(cell="rnn", layers=1, units=4), VOCABULARY, seed=3)


def test_each_piece_is_scored_by_what_the_pieces_before_it_taught(network: LanguageNetwork) -> None:
    """w ← w - η g + ρ (w₀ - w) after each piece, g of the mean surprisal, cut at the norm."""
    text = np.random.default_rng(0).integers(2, VOCABULARY, size=7).astype(np.int32)
    config = DynamicConfig(steps=3, learning_rate=0.4, decay=0.1, clip_norm=0.5)
    trained = [weight.numpy() for weight in network.weights.values()]
    found = np.concatenate(
        [
            np.asarray(piece.surprisal)[targets >= 0]
            for targets, piece in DynamicScorer(network, config).pieces(text)
        ]
    )
    for weight, before in zip(network.weights.values(), trained, strict=True):
        np.testing.assert_array_equal(weight.numpy(), before)

    variables = [weight.value for weight in network.weights.values()]
    inputs, state, expected = np.concatenate([[1], text[:-1]]).astype(np.int32), network.initial_state(1), []
    for start in (0, 3, 6):
        with tf.GradientTape() as tape:
            logits = []
            for word in inputs[start : start + 3]:
                hidden, _, state = network.run(tf.constant([[word]]), state)
                logits.append(network.logits(hidden)[0, 0])
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(text[start : start + 3], tf.stack(logits))
            loss = tf.reduce_mean(losses)
        expected += losses.numpy().tolist()
        gradients = [np.array(tf.convert_to_tensor(each)) for each in tape.gradient(loss, variables)]
        norm = np.sqrt(sum(np.sum(np.square(each, dtype=np.float64)) for each in gradients))
        for variable, gradient, first in zip(variables, gradients, trained, strict=True):
            now = variable.numpy()
            variable.assign(now - 0.4 * gradient * min(1, 0.5 / norm) + 0.1 * (first - now))
    np.testing.assert_allclose(found, expected, rtol=2e-5)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"learning_rate": 0.0}, {"decay": 2.0}, {"clip_norm": 0.0}])
def test_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        DynamicConfig(**wrong)  # type: ignore[arg-type]
