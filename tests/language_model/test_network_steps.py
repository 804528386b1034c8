"""Prepared steps against those of the network itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from seqkit.language_model import network_steps
from seqkit.language_model.config import NetworkConfig
from seqkit.language_model.network import CELLS, LanguageNetwork
from seqkit.language_model.network_steps import NetworkSteps
from seqkit.language_model.steps import EOS


@pytest.mark.parametrize("table", [2**22, 0], ids=["table", "no table"])
@pytest.mark.parametrize(
    "options",
    [
        *({"cell": cell} for cell in CELLS),
        {"layer_norm": True},
        {"tied": True},
        {"layers": 1, "embedding_size": 3},
    ],
    ids=str,
)
def test_they_are_the_steps_of_the_network(
    options: dict[str, Any], table: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_steps, "TABLE", table)
    network = LanguageNetwork(NetworkConfig(**{"units": 4, **options}), 7, seed=1)
    for variable in network.weights.values():
        variable.assign(np.random.default_rng(0).normal(size=variable.shape))
    steps = NetworkSteps(network)
    assert steps.vocabulary_size == 7
    state = wanted_state = steps.initial_state(3)
    for words in ([EOS, EOS, EOS], [2, EOS, 0], [6, 6, EOS], [EOS, 3, 5]):
        logits, state = steps.step(tf.constant(words), state)
        hidden, _, wanted_state = network.run(tf.constant(words)[:, None], wanted_state)
        np.testing.assert_allclose(logits, network.logits(hidden)[:, 0], rtol=1e-5, atol=1e-5)
        tf.nest.assert_same_structure(state, wanted_state)
        for one, other in zip(tf.nest.flatten(state), tf.nest.flatten(wanted_state), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("table", [0, 1000])
def test_texts_begin_with_their_label(table: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_steps, "TABLE", table)
    network = LanguageNetwork(NetworkConfig(units=4, layers=1), 7, labels=3, seed=1)
    for variable in network.weights.values():
        variable.assign(np.random.default_rng(0).normal(size=variable.shape))
    steps = NetworkSteps(network, label=2)
    logits, state = steps.step(tf.constant([EOS, EOS]), steps.initial_state(2))
    hidden, _, _ = network.run(
        tf.constant([[EOS, 3]] * 2), network.initial_state(2), label=tf.constant([2, 2])
    )
    np.testing.assert_allclose(logits, network.logits(hidden)[:, 0], rtol=1e-5, atol=1e-5)
    logits, _ = steps.step(tf.constant([3, 3]), state)
    np.testing.assert_allclose(logits, network.logits(hidden)[:, 1], rtol=1e-5, atol=1e-5)
    plain, _ = NetworkSteps(network).step(tf.constant([EOS, EOS]), steps.initial_state(2))
    assert not np.allclose(plain, network.logits(hidden)[:, 0])
