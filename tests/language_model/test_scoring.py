"""Surprisals and entropies: by arithmetic, in pieces and whole, as a stream and line by line."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from seqkit.language_model import scoring
from seqkit.language_model.batches import NO_TARGET
from seqkit.language_model.coding import END_ID
from seqkit.language_model.config import NetworkConfig
from seqkit.language_model.network import LanguageNetwork
from seqkit.language_model.scoring import Scorer, side_by_side

VOCABULARY = 9


@pytest.fixture(scope="module")
def network() -> LanguageNetwork:
    of = LanguageNetwork(NetworkConfig(units=5, layers=1), VOCABULARY, seed=3)
    rng = np.random.default_rng(0)
    of.embeddings.assign(rng.normal(size=(VOCABULARY, 5)))
    of.kernel.assign(rng.normal(size=(VOCABULARY, 5)))
    return of


def text(lines: int, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    parts = [[*rng.integers(2, VOCABULARY, rng.integers(1, 12)), END_ID] for _ in range(lines)]
    return np.concatenate(parts).astype(np.int32)


def surprisals(network: LanguageNetwork, ids: Any, by_numpy: Any, weights_of: Any) -> Any:
    """Of each token of a stream, in NumPy."""
    inputs = np.array([[END_ID, *ids[:-1]]])
    _, logs = by_numpy(network, weights_of(network), inputs)
    return -logs[0, np.arange(len(ids)), ids]


def test_a_network_of_zeros_knows_nothing() -> None:
    """Every token has probability 1/V: surprisal and entropy are ln V."""
    zeros = LanguageNetwork(NetworkConfig(units=2, layers=1), VOCABULARY)
    for weight in zeros.weights.values():
        weight.assign(np.zeros(weight.shape))
    parts = np.array([[3, 4, 5, NO_TARGET], [END_ID, NO_TARGET, NO_TARGET, NO_TARGET]], np.int32)
    ((targets, piece),) = Scorer(zeros, entropy=True).pieces(parts)
    known = targets >= 0
    assert known.sum() == 4
    np.testing.assert_allclose(piece.surprisal.numpy()[known], math.log(VOCABULARY), rtol=1e-6)
    np.testing.assert_allclose(piece.entropy, math.log(VOCABULARY), rtol=1e-6)
    assert not piece.surprisal.numpy()[~known].any()
    assert Scorer(zeros).mean_of_stream(text(5)) == pytest.approx(math.log(VOCABULARY), rel=1e-6)


@pytest.mark.parametrize("steps", [1, 4, 64])
def test_a_stream_in_pieces_is_the_stream(
    network: Any, steps: int, by_numpy: Any, weights_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "STEPS", steps)
    ids = text(3)
    expected = surprisals(network, ids, by_numpy, weights_of)
    found = [(targets, piece.surprisal.numpy()) for targets, piece in Scorer(network).pieces(ids[None])]
    targets, values = (np.concatenate(each, axis=1)[0] for each in zip(*found, strict=True))
    np.testing.assert_array_equal(targets[targets >= 0], ids)
    np.testing.assert_allclose(values[targets >= 0], expected, rtol=1e-5, atol=1e-5)
    assert not values[targets < 0].any()


def test_logits_are_bounded(network: Any, by_numpy: Any, weights_of: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(scoring, "LOGITS", 2 * VOCABULARY + 1)
    ids = text(2)
    pieces = list(Scorer(network).pieces(ids[None]))
    assert {targets.shape for targets, _ in pieces} == {(1, 2)}
    total = sum(piece.surprisal.numpy().sum() for _, piece in pieces)
    assert total == pytest.approx(surprisals(network, ids, by_numpy, weights_of).sum(), rel=1e-5)


def test_few_lengths_are_compiled(network: Any) -> None:
    scorer = Scorer(network)
    for length in (1, 3, 7, 8, 9, 15, 100, 101, 300):
        list(scorer.pieces(np.full((1, length), 2, np.int32)))
    assert scorer._piece.experimental_get_tracing_count() == 3  # of 8, 16 and 64 steps


def test_entropies(network: Any, by_numpy: Any, weights_of: Any) -> None:
    ids = text(2)
    _, logs = by_numpy(network, weights_of(network), np.array([[END_ID, *ids[:-1]]]))
    expected = -(np.exp(logs) * logs).sum(axis=-1)[0]
    ((targets, piece),) = Scorer(network, entropy=True).pieces(ids[None])
    np.testing.assert_allclose(piece.entropy.numpy()[targets >= 0], expected, rtol=1e-5)
    ((_, piece),) = Scorer(network).pieces(ids[None])
    assert not piece.entropy.numpy().any()


def test_the_mean_of_a_stream_is_of_its_parts(
    network: Any, by_numpy: Any, weights_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three parts of at least ten tokens, each read from its beginning; the last is shorter."""
    monkeypatch.setattr(scoring, "PART_TOKENS", 10)
    ids = text(40)[:32]
    parts = ids[:11], ids[11:22], ids[22:]
    expected = np.concatenate([surprisals(network, part, by_numpy, weights_of) for part in parts]).mean()
    assert Scorer(network).mean_of_stream(ids) == pytest.approx(expected, rel=1e-5)


def test_the_mean_of_lines_is_of_each_by_itself(network: Any, by_numpy: Any, weights_of: Any) -> None:
    ids = text(11)
    lines = np.split(ids, np.flatnonzero(ids == END_ID)[:-1] + 1)
    assert len(lines) == 11
    total = sum(surprisals(network, line, by_numpy, weights_of).sum() for line in lines)
    for batch_size in (4, 64):
        found = Scorer(network).mean_of_lines(ids, batch_size)
        assert found == pytest.approx(total / len(ids), rel=1e-5)
    # without its end, the last line is still one of its own
    total -= surprisals(network, lines[-1], by_numpy, weights_of)[-1]
    assert Scorer(network).mean_of_lines(ids[:-1]) == pytest.approx(total / (len(ids) - 1), rel=1e-5)


def test_side_by_side() -> None:
    rows = side_by_side([np.array([3, 4, 1], np.int32), np.array([1], np.int32)], 3)
    none = [NO_TARGET]
    assert rows.tolist() == [[3, 4, 1, *none * 5], [1, *none * 7], none * 8]
