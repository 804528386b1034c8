"""The network: against NumPy, step by step, its zero vector, its tied weights and its masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from seqkit.language_model import config as configs
from seqkit.language_model.coding import END_ID
from seqkit.language_model.config import NetworkConfig
from seqkit.language_model.network import CELLS, EMBEDDING_RANGE, LanguageNetwork

VOCABULARY = 7
INPUTS = np.array([[END_ID, 3, 5, END_ID, 2], [4, 0, 6, 6, END_ID]], np.int32)
CLOSE = {"rtol": 1e-5, "atol": 1e-6}  # float32


def network(seed: int = 1, vocabulary: int = VOCABULARY, **config: Any) -> LanguageNetwork:
    return LanguageNetwork(NetworkConfig(**{"units": 4, **config}), vocabulary, seed=seed)


def run(of: LanguageNetwork, inputs: Any = INPUTS, **options: Any) -> tuple[Any, Any, Any]:
    inputs = tf.constant(inputs)
    return of.run(inputs, of.initial_state(inputs.shape[0]), **options)


def test_the_names_of_cells_are_those_of_the_settings() -> None:
    assert tuple(CELLS) == configs.CELLS


# --- forward


@pytest.mark.parametrize("cell", CELLS)
def test_the_forward_pass_is_that_of_numpy(cell: str, by_numpy: Any, weights_of: Any) -> None:
    of = network(cell=cell, embedding_size=3)
    for layer in of.layers:
        layer.cell.bias.assign(np.random.default_rng(0).normal(size=layer.cell.bias.shape))
    hidden, _, _ = run(of)
    expected, logs = by_numpy(of, weights_of(of), INPUTS)
    np.testing.assert_allclose(hidden, expected, **CLOSE)
    np.testing.assert_allclose(tf.nn.log_softmax(of.logits(hidden)), logs, **CLOSE)
    assert np.abs(expected).max() > 0.05


@pytest.mark.parametrize(
    "options", [*({"cell": cell} for cell in CELLS), {"layer_norm": True}, {"tied": True}]
)
def test_step_by_step_as_in_one_go(options: Any) -> None:
    of = network(**options)
    hidden, _, last = run(of)
    state = of.initial_state(2)
    for time in range(INPUTS.shape[1]):
        found, _, state = of.run(INPUTS[:, time : time + 1], state)
        np.testing.assert_allclose(found[:, 0], hidden[:, time], **CLOSE)
    assert [type(part) for part in state] == [type(part) for part in last]
    for left, right in zip(tf.nest.flatten(state), tf.nest.flatten(last), strict=True):
        np.testing.assert_allclose(left, right, **CLOSE)


def test_the_input_eos_is_the_zero_vector() -> None:
    """Its embedding is nowhere in the output; were it, the outputs after it would change."""
    of = network()
    before = run(of)[0].numpy()
    table = of.embeddings.numpy()
    table[END_ID] += 100
    of.embeddings.assign(table)
    np.testing.assert_array_equal(run(of)[0], before)
    table[END_ID] = 0
    of.embeddings.assign(table)
    np.testing.assert_array_equal(run(of)[0], before)


def test_the_state_goes_on_from_piece_to_piece() -> None:
    of = network()
    whole, _, last = run(of)
    state, pieces = of.initial_state(2), []
    for begin, end in ((0, 2), (2, 5)):
        hidden, _, state = of.run(tf.constant(INPUTS[:, begin:end]), state)
        pieces.append(hidden)
    np.testing.assert_allclose(tf.concat(pieces, axis=1), whole, **CLOSE)
    for left, right in zip(tf.nest.flatten(state), tf.nest.flatten(last), strict=True):
        np.testing.assert_allclose(left, right, **CLOSE)


def test_a_label_is_the_first_input() -> None:
    of = LanguageNetwork(NetworkConfig(units=4), VOCABULARY, labels=2, seed=1)
    of.labels.assign(of.embeddings.numpy()[[5, 2]])
    first = INPUTS.copy()
    first[:, 0] = [2, 5]
    labelled = run(of, label=tf.constant([1, 0]))[0]
    np.testing.assert_allclose(labelled, run(of, first)[0], **CLOSE)
    assert of.weights["labels"].shape == (2, 4)


# --- weights


def test_names_and_shapes() -> None:
    of = network(layers=2, units=5, embedding_size=3)
    assert {name: tuple(weight.shape) for name, weight in of.weights.items()} == {
        "embeddings": (VOCABULARY, 3),
        "bias": (VOCABULARY,),
        "kernel": (VOCABULARY, 5),
        "layer_1.kernel": (3, 20),
        "layer_1.recurrent_kernel": (5, 20),
        "layer_1.bias": (20,),
        "layer_2.kernel": (5, 20),
        "layer_2.recurrent_kernel": (5, 20),
        "layer_2.bias": (20,),
    }
    assert not of.bias.numpy().any()


def test_tied_weights_are_one_variable() -> None:
    of = network(layers=2, units=5, embedding_size=3, tied=True)
    assert of.kernel is of.embeddings
    assert "kernel" not in of.weights
    assert of.weights["layer_2.recurrent_kernel"].shape == (
        3,
        12,
    )  # the last layer is as long as an embedding
    hidden = run(of)[0]
    of.embeddings.assign(2 * of.embeddings.numpy())
    doubled = 2 * hidden.numpy() @ (of.embeddings.numpy() / 2).T
    np.testing.assert_allclose(of.logits(hidden), doubled, **CLOSE)


def test_initial_weights_follow_from_the_seed() -> None:
    first, again, other = (weights.weights for weights in (network(), network(), network(seed=2)))
    for name, weight in first.items():
        np.testing.assert_array_equal(weight, again[name])
        assert not np.array_equal(weight, other[name]) or name.endswith("bias")
    assert not np.array_equal(first["layer_1.kernel"], first["layer_2.kernel"])
    table = network(vocabulary=2000).embeddings.numpy()
    assert 0.99 * EMBEDDING_RANGE < np.abs(table).max() <= EMBEDDING_RANGE
    assert np.abs(table.mean()) < 0.005  # 8000 of sd .058: sd of the mean .0006


def test_given_embeddings_frozen_or_not() -> None:
    given = np.random.default_rng(0).normal(size=(VOCABULARY, 4)).astype(np.float32)
    for frozen in (True, False):
        of = LanguageNetwork(NetworkConfig(units=4), VOCABULARY, embeddings=given, frozen=frozen)
        np.testing.assert_array_equal(of.embeddings, given)
        assert of.embeddings.trainable != frozen


# --- masks


def test_no_masks_outside_training() -> None:
    rates = {"dropout": 0.5, "dropout_embedding": 0.5, "weight_drop": 0.5}
    of, plain = network(**rates), network()
    for name, weight in of.weights.items():
        weight.assign(plain.weights[name].numpy())
    without, with_, _ = run(of)
    np.testing.assert_array_equal(without, with_)
    np.testing.assert_array_equal(without, run(plain)[0])
    assert [len(each.generators) for each in (of, plain)] == [3, 1]


@pytest.mark.parametrize("locked", [True, False])
def test_masks_of_the_output(locked: bool) -> None:
    """At a rate of .5 what is kept is doubled; locked masks are the same in all steps of a sequence."""
    of = network(units=50, layers=1, dropout_output=0.5, locked=locked)
    words = np.full((2, 5), 3, np.int32)  # after <eos> outputs would be 0, with any mask
    plain, dropped = (np.asarray(each) for each in run(of, words, training=True)[:2])
    mask = dropped / plain
    assert set(np.unique(np.round(mask, 5))) == {0, 2}
    assert mask.mean() == pytest.approx(1, abs=0.3 if locked else 0.2)  # 100 or 500 draws: sd .1 or .045
    assert (mask == mask[:, :1]).all() == locked
    assert (mask[0] != mask[1]).any()
    again = np.asarray(run(of, words, training=True)[1]) / plain
    assert (again != mask).any()


def test_dropout_at_its_three_places() -> None:
    """A rate of its own replaces the common one; inputs that are all dropped are the zero vector."""
    base = NetworkConfig(dropout=0.5, dropout_hidden=0.0)
    assert [base.rate(place) for place in ("input", "hidden", "output")] == [0.5, 0.0, 0.5]
    of = network(dropout_input=0.999999)
    nothing = run(of, np.full_like(INPUTS, END_ID))[0]
    np.testing.assert_allclose(run(of, training=True)[0], nothing, **CLOSE)


def test_dropped_words_are_the_same_in_all_of_a_batch() -> None:
    """Each word stands twice, as the only input of a sequence."""
    words = np.tile(np.setdiff1d(np.arange(60), [END_ID]), 2).astype(np.int32)[:, None]
    of = network(vocabulary=60, dropout_embedding=0.5)
    hidden = run(of, words, training=True)[0].numpy()[:, 0]
    first, second = np.split(hidden, 2)
    np.testing.assert_array_equal(first, second)
    zero = run(of, [[END_ID]])[0].numpy()[0]
    dropped = np.abs(first - zero).max(axis=1) < 1e-7
    assert 15 < dropped.sum() < 45  # of 59: sd 3.8
    again = run(of, words, training=True)[0].numpy()[:59, 0]
    assert (again != first).any()


def test_weight_drop_draws_once_a_batch() -> None:
    of = network(weight_drop=0.5)
    first, second = (run(of, training=True)[0].numpy() for _ in range(2))
    np.testing.assert_allclose(
        first[:, 0][INPUTS[:, 0] == END_ID], second[:, 0][INPUTS[:, 0] == END_ID], **CLOSE
    )
    assert np.abs(first[:, 1:] - second[:, 1:]).max() > 1e-4


@pytest.mark.parametrize("bfloat16", [False, True])
def test_the_sum_of_surprisals(bfloat16: bool, by_numpy: Any, weights_of: Any) -> None:
    of = LanguageNetwork(NetworkConfig(units=4), VOCABULARY, seed=1, bfloat16=bfloat16)
    targets = np.array([[3, 5, -1, 2, 1], [0, 6, 6, -1, -1]], np.int32)
    _, logs = by_numpy(of, weights_of(of), INPUTS)
    expected = -sum(logs[place][targets[place]] for place in zip(*np.nonzero(targets >= 0), strict=True))
    found = float(of.surprisal_sum(run(of)[0], tf.constant(targets)))
    # in bfloat16 a logit, below 1 here, is off by less than 2⁻⁸
    assert found == pytest.approx(expected, abs=7 * 2**-8 if bfloat16 else 1e-5)
