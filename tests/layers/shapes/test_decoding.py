"""Searches, against all sequences there are and against plain Python."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from seqkit.layers.shapes import beam_search, greedy_search, sample

END, VOCABULARY, LENGTH, BATCH = 1, 4, 4, 3
RNG = np.random.default_rng(0)
# A model with a memory: the next token depends on the sequence, on the last token, and on a running sum.
ROWS = RNG.normal(size=(BATCH, VOCABULARY)).astype("float32")
LAST = RNG.normal(size=(VOCABULARY, VOCABULARY)).astype("float32") * 2
SUMS = RNG.normal(size=(7, VOCABULARY)).astype("float32")
STATE = {"row": tf.range(BATCH), "sum": tf.zeros([BATCH], tf.int32)}


def step(tokens: Any, state: Any) -> Any:
    total = (2 * state["sum"] + tokens) % 7
    logits = tf.gather(ROWS, state["row"]) + tf.gather(LAST, tokens) + tf.gather(SUMS, total)
    return logits, {"row": state["row"], "sum": total}


def log_p(row: int, tokens: tuple[int, ...]) -> float:
    """Of a sequence, token by token; padding is impossible."""
    total, last, found = 0, 0, 0.0
    for token in tokens:
        total = (2 * total + last) % 7
        logits = (ROWS[row] + LAST[last] + SUMS[total])[1:].astype("float64")
        found += logits[token - 1] - np.log(np.exp(logits).sum())
        last = token
    return found


def all_sequences() -> list[tuple[int, ...]]:
    """Every sequence that ends, or is as long as may be."""
    going_on = range(2, VOCABULARY)
    return [
        (*beginning, last)
        for length in range(LENGTH)
        for beginning in product(going_on, repeat=length)
        for last in ([END] if length < LENGTH - 1 else range(1, VOCABULARY))
    ]


def padded(tokens: tuple[int, ...]) -> list[int]:
    return [*tokens, *[0] * (LENGTH - len(tokens))]


def run(search: Any, mode: str = "graph", **options: Any) -> Any:
    def call() -> Any:
        return search(step, STATE, BATCH, max_length=LENGTH, end=END, **options)

    if mode != "eager":
        call = tf.function(call, jit_compile=mode == "xla", autograph=False)
    return tf.nest.map_structure(lambda value: value.numpy(), call())


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
@pytest.mark.parametrize("alpha", [0.0, 0.7, 1.0])
def test_a_wide_beam_finds_what_an_exhaustive_search_finds(alpha: float, mode: str) -> None:
    # Two tokens go on: 1 + 2 + 4 sequences end before the last step, 3 · 8 are as long as may be, and there
    # are never more than 2⁴ beginnings.
    tokens, scores = run(beam_search, mode, width=16, alpha=alpha)
    sequences = all_sequences()
    assert len(sequences) == 31
    for row in range(BATCH):
        ranked = sorted(sequences, key=lambda one: -log_p(row, one) / len(one) ** alpha)
        assert tokens[row].tolist() == [padded(one) for one in ranked[:16]]
        wanted = [log_p(row, one) / len(one) ** alpha for one in ranked[:16]]
        np.testing.assert_allclose(scores[row], wanted, rtol=1e-5)


def plain_beam(row: int, width: int, alpha: float) -> list[tuple[float, tuple[int, ...]]]:
    """The same search, one beginning after the other."""
    alive: list[tuple[int, ...]] = [()]
    done: list[tuple[int, ...]] = []
    for _ in range(LENGTH):
        longer = [(*one, token) for one in alive for token in range(1, VOCABULARY)]
        done += [one for one in longer if one[-1] == END]
        alive = sorted((one for one in longer if one[-1] != END), key=lambda one: -log_p(row, one))[:width]
    scored = [(log_p(row, one) / len(one) ** alpha, one) for one in done + alive]
    return sorted(scored, reverse=True)[:width]


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("alpha", [0.0, 0.7])
def test_a_narrow_beam_is_that_of_plain_python(width: int, alpha: float) -> None:
    tokens, scores = run(beam_search, width=width, alpha=alpha)
    for row in range(BATCH):
        wanted = plain_beam(row, width, alpha)
        assert tokens[row].tolist() == [padded(one) for _, one in wanted]
        np.testing.assert_allclose(scores[row], [score for score, _ in wanted], rtol=1e-5)


def test_the_length_counts() -> None:
    """p = 0.4 for the end at once, 0.6 · 0.9 · 0.7 = 0.378 for three tokens: by the token that one wins."""
    chain = np.log(np.array([[1, 0.4, 0.6, 1e-9], [1, 1e-9, 0.1, 0.9], [1, 0.7, 0.3, 1e-9]], "float32"))

    def steps(tokens: Any, state: Any) -> Any:
        return tf.gather(chain, state), state + 1

    state = tf.zeros([1], tf.int32)
    for alpha, wanted in ((0.0, [1, 0, 0]), (1.0, [2, 3, 1])):
        tokens, scores = beam_search(steps, state, 1, max_length=3, end=1, width=2, alpha=alpha)
        assert tokens[0, 0].numpy().tolist() == wanted
        share = 0.4 if alpha == 0 else (0.6 * 0.9 * 0.7) ** (1 / 3)
        assert np.exp(scores[0, 0]) == pytest.approx(share, rel=1e-5)


def test_a_beam_wider_than_there_are_sequences() -> None:
    tokens, scores = beam_search(step, STATE, BATCH, max_length=1, end=END, width=5, alpha=0.7)
    assert (scores.numpy()[:, 3:] == -np.inf).all()
    assert not tokens.numpy()[:, 3:].any()
    assert np.exp(scores.numpy()[:, :3]).sum(axis=1) == pytest.approx(np.ones(BATCH), rel=1e-5)
    assert sorted(tokens.numpy()[0, :3, 0].tolist()) == [1, 2, 3]


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
def test_greedy_takes_the_likeliest_token(mode: str) -> None:
    tokens = run(greedy_search, mode)
    assert tokens.dtype == np.int32
    for row in range(BATCH):
        written: tuple[int, ...] = ()
        while len(written) < LENGTH and (not written or written[-1] != END):
            written = max(((*written, token) for token in range(1, 4)), key=lambda one: log_p(row, one))
        assert tokens[row].tolist() == padded(written)


def test_samples_have_their_probabilities() -> None:
    many = 20_000
    state = {"row": tf.ones([many], tf.int32), "sum": tf.zeros([many], tf.int32)}

    def draw(temperature: float, seed: int = 0) -> np.ndarray:
        options: Any = {"max_length": 2, "end": END, "temperature": temperature, "seed": [seed, 0]}
        return sample(step, state, many, **options).numpy()

    found = draw(1.0)
    for one in [(1,), *product((2, 3), (1, 2, 3))]:
        share = (found == [*one, *[0] * (2 - len(one))]).all(axis=1).mean()
        # Three standard deviations of a share are at most 3 · √(0.25 / 20,000) = 0.011.
        assert share == pytest.approx(np.exp(log_p(1, one)), abs=0.011)
    p = np.exp([log_p(1, (token,)) for token in (1, 2, 3)])
    for temperature in (0.5, 2.0):
        wanted = p ** (1 / temperature) / (p ** (1 / temperature)).sum()
        firsts = [(draw(temperature)[:, 0] == token).mean() for token in (1, 2, 3)]
        assert firsts == pytest.approx(wanted, abs=0.011)
    np.testing.assert_array_equal(draw(1.0), found)
    assert (draw(1.0, seed=1) != found).any()


def test_samples_are_the_same_in_every_mode() -> None:
    found = [run(sample, mode, temperature=1.0, seed=[5, 6]) for mode in ("eager", "graph", "xla")]
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_no_sequences_at_all() -> None:
    state = {"row": tf.zeros([0], tf.int32), "sum": tf.zeros([0], tf.int32)}
    assert greedy_search(step, state, 0, max_length=3, end=END).shape == (0, 3)
    tokens, scores = beam_search(step, state, 0, max_length=3, end=END, width=2, alpha=1.0)
    assert tokens.shape == (0, 2, 3)
    assert scores.shape == (0, 2)


def test_a_long_beam_wider_than_there_are_sequences() -> None:
    """One token goes on, so there are 4 sequences of up to 3 tokens: divided by their length, too."""
    logits = tf.constant([[0.0, 1.0, 2.0]])

    def step(tokens: Any, state: Any) -> Any:
        return tf.repeat(logits, tf.shape(tokens)[0], axis=0), state

    tokens, scores = beam_search(step, tf.zeros([1]), 1, max_length=3, end=1, width=6, alpha=1.0)
    assert sorted(tokens.numpy()[0, :4].tolist()) == [[1, 0, 0], [2, 1, 0], [2, 2, 1], [2, 2, 2]]
    assert np.isfinite(scores.numpy()[0, :4]).all()
    assert (scores.numpy()[0, 4:] == -np.inf).all()
    assert not tokens.numpy()[0, 4:].any()
