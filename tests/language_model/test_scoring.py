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
from seqkit.language_model.scoring import Scorer, perplexity, side_by_side

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


ROWS = {"ROW_TOKENS": 40, "STEPS": 8, "ROWS": 5}
"""For texts of a few hundred tokens."""


@pytest.mark.parametrize("lines", [1, 13, 60])
def test_a_stream_in_rows_is_the_stream(
    network: Any, lines: int, by_numpy: Any, weights_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ROWS.items():
        monkeypatch.setattr(scoring, name, value)
    ids = text(lines)
    found = Scorer(network, entropy=True).stream(ids)
    _, logs = by_numpy(network, weights_of(network), np.array([[END_ID, *ids[:-1]]]))
    np.testing.assert_allclose(found.surprisal, -logs[0, np.arange(len(ids)), ids], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found.entropy, -(np.exp(logs) * logs).sum(axis=-1)[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("memory", [0.5, 1.0])
def test_what_no_row_forgets_is_carried_through_all(
    memory: float, by_numpy: Any, weights_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """a⟨t⟩ = tanh(W a⟨t-1⟩ + x⟨t⟩) with W = 0.5 forgets in twenty steps; with 3 it stays on its side of 0.

    The first word puts it above 0, where rows that begin with zero do not come. Pieces are counted: 4 rows of
    8 pieces, run again for a piece or three where all is forgotten, else row after row; scored once.
    """
    for name, value in (ROWS | {"ROWS": 4}).items():
        monkeypatch.setattr(scoring, name, value)
    lasting = LanguageNetwork(NetworkConfig(cell="rnn", units=1, layers=1), VOCABULARY)
    values = {"recurrent_kernel": [[3.0 if memory == 1 else 0.5]], "kernel": [[1.0]], "bias": [0.0]}
    for name, weight in lasting.weights.items():
        if name.startswith("layer_1"):
            weight.assign(values[name.removeprefix("layer_1.")])
    lasting.embeddings.assign(np.array([[5.0 if word == 2 else -0.01 * word] for word in range(VOCABULARY)]))
    lasting.kernel.assign(np.linspace(-2, 2, VOCABULARY)[:, None])
    ids = np.array([2, *np.random.default_rng(1).integers(3, VOCABULARY, 255)], np.int32)
    scorer, runs, pieces = Scorer(lasting), [], []
    run, piece = scorer._run, scorer._piece
    scorer._run = lambda *of: runs.append(1) or run(*of)  # type: ignore[func-returns-value]
    scorer._piece = lambda *of: pieces.append(1) or piece(*of)  # type: ignore[func-returns-value]
    found = scorer.stream(ids)
    expected = surprisals(lasting, ids, by_numpy, weights_of)
    np.testing.assert_allclose(found.surprisal, expected, rtol=1e-4, atol=1e-4)
    assert len(pieces) == 8
    assert len(runs) > 16 if memory == 1 else 8 < len(runs) <= 12


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
        found = Scorer(network).mean_of_lines(ids, batch_size=batch_size)
        assert found == pytest.approx(total / len(ids), rel=1e-5)
    # without its end, the last line is still one of its own
    total -= surprisals(network, lines[-1], by_numpy, weights_of)[-1]
    assert Scorer(network).mean_of_lines(ids[:-1]) == pytest.approx(total / (len(ids) - 1), rel=1e-5)


def test_lines_keep_their_order_and_labels(network: Any) -> None:
    """Lines are read by length, and told in their order; a label is the first input of its own line."""
    lines = [part for part in np.split(text(9), np.flatnonzero(text(9) == END_ID) + 1) if len(part)]
    together = Scorer(network).lines(lines, rows=4).surprisal
    alone = [Scorer(network).lines([line]).surprisal for line in lines]
    np.testing.assert_allclose(together, np.concatenate(alone), rtol=1e-5, atol=1e-6)
    labelled = LanguageNetwork(NetworkConfig(units=5, layers=1), VOCABULARY, labels=3, seed=3)
    labelled.labels.assign(np.random.default_rng(4).normal(size=(3, 5)))
    labels = np.arange(len(lines)) % 3
    together = Scorer(labelled).lines(lines, labels, rows=4).surprisal
    alone = [Scorer(labelled).lines([line], labels[n : n + 1]).surprisal for n, line in enumerate(lines)]
    np.testing.assert_allclose(together, np.concatenate(alone), rtol=1e-5, atol=1e-6)
    assert not np.allclose(together, Scorer(labelled).lines(lines, labels[::-1].copy(), rows=4).surprisal)


def test_side_by_side() -> None:
    rows = side_by_side([np.array([3, 4, 1], np.int32), np.array([1], np.int32)], 3)
    none = [NO_TARGET]
    assert rows.tolist() == [[3, 4, 1, *none * 5], [1, *none * 7], none * 8]


def test_perplexities_are_finite() -> None:
    assert perplexity(709.0) == math.exp(709)
    assert perplexity(1e6) == math.exp(709)
