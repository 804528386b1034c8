"""`tf.train.Checkpoint` saves and restores every variable, those in lists, too, which Keras hides from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqkit.cells import GRUCell, LSTMCell, RNNCell
from seqkit.layers import Bidirectional, DeepRNN, Recurrent
from seqkit.layers.shapes import encoder_decoder, many_to_many, one_to_many

INPUTS = keras.random.normal((2, 3, 4), seed=1)
WORDS = np.ones((2, 3), np.int32)


def every_option() -> Recurrent:
    return Recurrent(
        LSTMCell(
            3, peepholes=True, projection=2, layer_norm=True, learn_initial_state=True, recurrent_dropout=0.1
        ),
        stateful=True,
    )


def deep() -> DeepRNN:
    cells = [GRUCell(3, variant="reset-after"), RNNCell(3, output_units=2)]
    return DeepRNN([*cells, Bidirectional(LSTMCell(2), output_units=5), LSTMCell(2)], dropout=0.5)


MODELS: dict[str, tuple[Callable[[], Any], Any]] = {
    "every option": (every_option, INPUTS),
    "both directions": (lambda: Bidirectional(GRUCell(3, learn_initial_state=True)), INPUTS),
    "deep": (deep, INPUTS),
    "deep and stateful": (lambda: DeepRNN([LSTMCell(2), LSTMCell(2)], stateful=True), INPUTS),
    "in a model": (lambda: keras.Sequential([keras.Input((None, 4)), deep(), keras.layers.Dense(2)]), INPUTS),
    "in Keras' RNN": (lambda: keras.layers.RNN(LSTMCell(3, learn_initial_state=True)), INPUTS),
    "many to many": (lambda: many_to_many(LSTMCell(3), 5, vocabulary_size=9, vector_size=4), WORDS),
    "one to many": (
        lambda: one_to_many(LSTMCell(3), vocabulary_size=9, vector_size=4, end=5),
        (INPUTS[:, 0], WORDS),
    ),
    "encoder and decoder": (
        lambda: encoder_decoder(
            GRUCell(3),
            DeepRNN([LSTMCell(3)], return_sequences=True),
            source_size=9,
            target_size=9,
            vector_size=4,
            end=5,
        ),
        (WORDS, WORDS),
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_all_of_it_comes_back(name: str, tmp_path: Path) -> None:
    make, inputs = MODELS[name]
    first, again = make(), make()
    for model in (first, again):
        model(inputs)
    for number, variable in enumerate(first.variables):
        variable.assign(keras.ops.full(variable.shape, number + 2, variable.dtype))
    path = tf.train.Checkpoint(model=first).save(str(tmp_path / "c"))
    tf.train.Checkpoint(model=again).restore(path).assert_consumed()
    weights = [(one, two) for one, two in zip(first.weights, again.weights, strict=True)]
    assert weights
    for one, two in weights:
        np.testing.assert_array_equal(one, two, err_msg=one.path)
