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
