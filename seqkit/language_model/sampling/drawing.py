"""Drawing words: random numbers by seed, text and draw, and the largest of logits with such noise.

The largest of log p + g, with g = -log(-log u) for u in 0..1, is a draw from p (Gumbel 1954). It hardly
depends on rounding, unlike the word at which cumulative probabilities exceed a random number: with 33,000
words, of which each logit changes by 10⁻⁶ of itself, that was another word in 4 of 1,000 draws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

_ROTATIONS = (13, 15, 26, 6), (17, 29, 16, 24)
_PARITY = 0x1BD11BDA
_PLACES = 2**12


def key_of(seed: int) -> Any:
    """A seed, 0 to 2⁶⁴-1, as the key of `gumbel`."""
    return tf.constant([seed >> 32, seed & 0xFFFFFFFF], tf.uint32)


def gumbel(key: Any, rows: Any, draws: Any, count: int) -> Any:
    """-log(-log u), a pure function of key, row and draw.

    A text depends neither on those beside it nor on the pieces in which it is written.

    Args:
        key: of the seed, uint32 (2,).
        rows: numbers of the texts, int32 (batch,).
        draws: how many words of each were drawn before, below 2²⁰, int32 (batch,).
        count: how many numbers each text needs, at most 2¹².

    Returns:
        float32 (batch, count).
    """
    places = tf.cast(tf.range(count), tf.uint32)[None]
    counter = tf.cast(draws, tf.uint32)[:, None] * tf.constant(_PLACES, tf.uint32) + places
    own = tf.cast(rows, tf.uint32)[:, None] + tf.zeros_like(places)
    bits, _ = threefry((key[0], key[1]), (own, counter))
    # 23 bits and a half are in 0..1, and exact in float32.
    uniform = (tf.cast(tf.bitwise.right_shift(bits, tf.constant(9, tf.uint32)), tf.float32) + 0.5) / 2**23
    return -tf.math.log(-tf.math.log(uniform))


def threefry(key: Sequence[Any], counter: Sequence[Any]) -> tuple[Any, Any]:
    """Threefry-2×32 with 20 rounds: random bits by a key and a counter (Salmon et al. 2011, section 3.3).

    Args:
        key: two of uint32.
        counter: two of uint32, of shapes that go together with those of the key.

    Returns:
        Two of uint32: of any other key or counter they are others, without a pattern.
    """
    schedule = [*key, key[0] ^ key[1] ^ tf.constant(_PARITY, tf.uint32)]
    left, right = counter[0] + schedule[0], counter[1] + schedule[1]
    for group in range(5):
        for rotation in _ROTATIONS[group % 2]:
            left += right
            up, down = tf.constant(rotation, tf.uint32), tf.constant(32 - rotation, tf.uint32)
            right = left ^ (tf.bitwise.left_shift(right, up) | tf.bitwise.right_shift(right, down))
        left += schedule[(group + 1) % 3]
        right += schedule[(group + 2) % 3] + tf.constant(group + 1, tf.uint32)
    return left, right


def blocks_of(vocabulary: int) -> tuple[int, int]:
    """How many blocks `draw` makes of a vocabulary, and how many words of each: about its square root.

    At least two. With one, nothing but the search for the largest of 16 words would need noise, so XLA would
    put Threefry into that loop; there LLVM looks for a CRC (TensorFlow 2.21), longer than anybody waits.
    """
    size = 16 * math.ceil(math.sqrt(vocabulary) / 16)
    return max(2, math.ceil(vocabulary / size)), size


def draw(logits: Any, noise: Any) -> Any:
    """Draws words from softmax(logits): a block by its probability, then a word of it.

    So each draw needs noise for about 2 √vocabulary places, not for all.

    Args:
        logits: (batch, vocabulary); a word with -∞ is never drawn, and no row may have that alone.
        noise: `gumbel`, (batch, blocks + words of a block).

    Returns:
        Ids, int32 (batch,).
    """
    vocabulary = logits.shape[-1]
    blocks, size = blocks_of(vocabulary)
    padded = tf.pad(logits, [[0, 0], [0, blocks * size - vocabulary]], constant_values=-np.inf)
    words = tf.reshape(padded - tf.reduce_max(logits, axis=-1, keepdims=True), [-1, blocks, size])
    masses = tf.math.log(tf.reduce_sum(tf.exp(words), axis=-1))
    block = tf.argmax(masses + noise[:, :blocks], axis=-1, output_type=tf.int32)
    inside = tf.gather(words, block, batch_dims=1)
    place = tf.argmax(inside + noise[:, blocks:], axis=-1, output_type=tf.int32)
    return tf.minimum(block * size + place, vocabulary - 1)  # where nothing is a number
