"""Drawing words: random numbers by seed, row and step, and the word that a number stands for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

_AT_ONCE = 4
"""Numbers that Philox makes of one value of its counter."""


def uniforms(seed: int, row: int, start: int, count: int) -> NDArray[np.float32]:
    """The random numbers of one text, in 0..1 without 1: a pure function of seed, row and step.

    By a generator with a counter (Salmon et al. 2011): its key is (seed, row), the counter is the step. So a
    text depends neither on the texts beside it nor on the pieces in which it is written.

    Args:
        seed: 0 to 2⁶⁴-1.
        row: number of the text, from 0.
        start: the first step, from 0.
        count: number of steps.
    """
    skipped = start % _AT_ONCE
    key, counter = np.array([seed, row], np.uint64), [start // _AT_ONCE, 0, 0, 0]
    generator = np.random.Generator(np.random.Philox(key=key, counter=counter))
    # As 64 bits each, of which float32 keeps the 24 that it can: what is rounded to 1 would draw no word.
    numbers = generator.random(skipped + count)[skipped:]
    return (np.floor(numbers * 2**24) / 2**24).astype(np.float32)


def draw(logits: Any, uniform: Any) -> Any:
    """Draws words from softmax(logits): the first whose cumulative probability exceeds the number.

    The words lie in blocks of about √vocabulary; the number finds its block, then its word, so that sums are
    needed and no cumulative probabilities of the whole vocabulary. A word of probability 0 is never drawn;
    below 2⁻²⁴, the resolution of the numbers, probabilities are coarse.

    Args:
        logits: (batch, vocabulary); -∞ for words that are out, not in all of a row.
        uniform: in 0..1, without 1, float32 (batch,).

    Returns:
        Ids, int32 (batch,).
    """
    vocabulary = logits.shape[-1]
    size = 16 * math.ceil(math.sqrt(vocabulary) / 16)
    blocks = math.ceil(vocabulary / size)
    weights = tf.exp(logits - tf.reduce_max(logits, axis=-1, keepdims=True))
    weights = tf.pad(weights, [[0, 0], [0, blocks * size - vocabulary]])
    weights = tf.reshape(weights, [-1, blocks, size])
    masses = tf.reduce_sum(weights, axis=-1)
    below = tf.cumsum(masses, axis=-1)
    target = uniform * below[:, -1]
    block = _place(masses, below, target)
    before = tf.gather(below, block, batch_dims=1) - tf.gather(masses, block, batch_dims=1)
    inside = tf.gather(weights, block, batch_dims=1)
    word = block * size + _place(inside, tf.cumsum(inside, axis=-1), target - before)
    return tf.minimum(word, vocabulary - 1)  # where nothing is a number


def _place(masses: Any, below: Any, target: Any) -> Any:
    """The first place with a mass at which the sum exceeds the target; the last if rounding leaves none."""
    there = masses > 0
    hit = there & (below > target[:, None])
    first = tf.argmax(hit, axis=-1, output_type=tf.int32)
    last = masses.shape[-1] - 1 - tf.argmax(there[:, ::-1], axis=-1, output_type=tf.int32)
    return tf.where(tf.reduce_any(hit, axis=-1), first, last)
