"""Which sequence to write, from the distributions of its next token.

Each search runs a `step` from (tokens, state) to (logits, state): tokens (batch,) are those written last, 0
before the first; logits (batch, vocabulary). All sequences of a batch are written at once, in one loop of the
graph that ends when the last one has. What is given out is padded by 0 after the end token.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

Step = Callable[[Any, Any], tuple[Any, Any]]

LOWEST = -1e9
"""The logarithm of a probability that is as good as 0; unlike -∞ it can be added and multiplied."""


def greedy_search(step: Step, state: Any, batch: Any, *, max_length: int, end: int) -> Any:
    """Writes the most likely token, step by step.

    Args:
        step: from (tokens, state) to (logits, state).
        state: before the first step, tensors (batch, …).
        batch: number of sequences.
        max_length: number of tokens at most, the end token among them.
        end: the token that ends a sequence.

    Returns:
        Tokens, int32 (batch, max_length).
    """
    return _write(step, state, batch, max_length, end, lambda log_p, t: log_p)


def sample(
    step: Step, state: Any, batch: Any, *, max_length: int, end: int, temperature: float, seed: Any
) -> Any:
    """Draws each token from p^(1/temperature), normalised.

    By Gumbel's trick: the largest of log p / temperature + g, with g = -log(-log u) for u in 0..1, is a draw.
    The same seed gives the same tokens, compiled or not.

    Args:
        step: from (tokens, state) to (logits, state).
        state: before the first step, tensors (batch, …).
        batch: number of sequences.
        max_length: number of tokens at most, the end token among them.
        end: the token that ends a sequence.
        temperature: above 0; below 1 for safer tokens, above for bolder ones.
        seed: two integers.

    Returns:
        Tokens, int32 (batch, max_length).
    """

    def noisy(log_p: Any, t: Any) -> Any:
        own = tf.random.fold_in(tf.cast(seed, tf.int32), t, alg="philox")
        bits = tf.random.stateless_uniform(
            tf.shape(log_p), own, minval=None, maxval=None, dtype=tf.int32, alg="philox"
        )
        # 23 bits and a half are in 0..1 whatever makes floats of them; XLA's own uniform numbers differ.
        uniform = (tf.cast(tf.bitwise.right_shift(bits, 9) + 2**22, tf.float32) + 0.5) / 2**23
        return log_p / temperature - tf.math.log(-tf.math.log(uniform))

    return _write(step, state, batch, max_length, end, noisy)


def _write(step: Step, state: Any, batch: Any, max_length: int, end: int, scored: Any) -> Any:
    """The tokens with the highest scores, one after the other."""

    def advance(t: Any, last: Any, ended: Any, state: Any, written: Any) -> Any:
        logits, state = step(last, state)
        token = tf.argmax(scored(log_probabilities(logits), t), axis=-1, output_type=tf.int32)
        token = tf.where(ended, 0, token)
        return t + 1, token, ended | (token == end), state, written.write(t, token)

    nothing = tf.zeros([batch], tf.int32)
    loop = (
        0,
        nothing,
        tf.zeros([batch], tf.bool),
        state,
        tf.TensorArray(tf.int32, max_length, element_shape=nothing.shape),
    )
    *_, written = tf.while_loop(
        lambda t, last, ended, *_: ~tf.reduce_all(ended), advance, loop, maximum_iterations=max_length
    )
    return tf.transpose(written.stack())


class Beams(NamedTuple):
    """Sequences that are written side by side, (batch, width) each.

    Args:
        tokens: (batch, width, max_length).
        scores: log p of the tokens so far; of ended sequences by their length.
    """

    tokens: Any
    scores: Any


def beam_search(
    step: Step, state: Any, batch: Any, *, max_length: int, end: int, width: int, alpha: float
) -> tuple[Any, Any]:
    """Finds likely sequences: in each step the `width` most likely beginnings go on.

        score(y) = 1/T^α · Σ_t log p(y⟨t⟩ | y⟨1⟩ … y⟨t-1⟩),      T the number of tokens, the end among them

    Without the division short sequences would win, each further token being a factor below 1 (Wu et al.
    2016, section 7, with a similar divisor). A sequence that has not ended by `max_length` counts as it is.
    With a width as large as the number of all beginnings, nothing is missed.

    Args:
        step: from (tokens, state) to (logits, state).
        state: before the first step, tensors (batch, …).
        batch: number of sequences.
        max_length: number of tokens at most, the end token among them.
        end: the token that ends a sequence.
        width: number of beginnings that go on, and of sequences given out.
        alpha: α, from 0 for the likeliest sequence to 1 for the likeliest token on average.

    Returns:
        Tokens, int32 (batch, width, max_length), and scores (batch, width), best first; -∞ and padding where
        there are fewer sequences than `width`.
    """
    state = tf.nest.map_structure(lambda part: tf.repeat(part, width, axis=0), state)
    tokens = tf.zeros([batch, width, max_length], tf.int32)
    # Before the first token all beginnings are one.
    first = tf.tile(tf.constant([[0.0] + [LOWEST] * (width - 1)]), [batch, 1])
    alive, done = Beams(tokens, first), Beams(tokens, tf.fill([batch, width], LOWEST))

    def advance(t: Any, last: Any, state: Any, alive: Beams, done: Beams) -> Any:
        logits, state = step(tf.reshape(last, [-1]), state)
        log_p = tf.reshape(log_probabilities(logits), [batch, width, logits.shape[-1]])
        here = tf.one_hot(t, max_length, dtype=tf.int32)
        total = alive.scores[:, :, None] + log_p
        ended = _by_length(total[:, :, end], tf.cast(t + 1, tf.float32), alpha)
        done = _best(done, Beams(alive.tokens + end * here, ended))
        total += LOWEST * tf.one_hot(end, logits.shape[-1])
        scores, index = tf.math.top_k(tf.reshape(total, [batch, width * logits.shape[-1]]), width)
        parent, last = index // logits.shape[-1], index % logits.shape[-1]
        tokens = tf.gather(alive.tokens, parent, batch_dims=1) + last[:, :, None] * here
        rows = tf.reshape(tf.range(batch)[:, None] * width + parent, [-1])
        state = tf.nest.map_structure(lambda part: tf.ensure_shape(tf.gather(part, rows), part.shape), state)
        return t + 1, last, state, Beams(tokens, tf.maximum(scores, LOWEST)), done

    def may_improve(t: Any, last: Any, state: Any, alive: Beams, done: Beams) -> Any:
        """No beginning that goes on can end above its log p by the greatest length."""
        bound = _by_length(tf.reduce_max(alive.scores, axis=1), float(max_length), alpha)
        return tf.reduce_any(bound > tf.reduce_min(done.scores, axis=1))

    loop = (0, tf.zeros([batch, width], tf.int32), state, alive, done)
    *_, alive, done = tf.while_loop(may_improve, advance, loop, maximum_iterations=max_length)
    # After the last step they are as long as may be; if the loop ended before it, none of them is any better.
    done = _best(done, Beams(alive.tokens, _by_length(alive.scores, float(max_length), alpha)))
    there = done.scores > LOWEST / 2
    return tf.where(there[:, :, None], done.tokens, 0), tf.where(there, done.scores, -float("inf"))


def _by_length(scores: Any, length: Any, alpha: float) -> Any:
    """Scores by lengths; what is as good as impossible stays so."""
    return tf.where(scores > LOWEST / 2, scores / length**alpha, LOWEST)


def _best(one: Beams, other: Beams) -> Beams:
    """The best of two sets of sequences, as many as one has."""
    scores = tf.concat([one.scores, other.scores], axis=1)
    best, index = tf.math.top_k(scores, one.scores.shape[1])
    tokens = tf.gather(tf.concat([one.tokens, other.tokens], axis=1), index, batch_dims=1)
    return Beams(tokens, best)


def log_probabilities(logits: Any) -> Any:
    """Logarithms of the probabilities of the next token, in float32; padding has none."""
    logits = tf.cast(logits, tf.float32)
    return tf.nn.log_softmax(logits + LOWEST * tf.one_hot(0, logits.shape[-1]))
