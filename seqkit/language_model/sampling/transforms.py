"""What is done to logits before a word is drawn: pure functions, each from a paper.

All take logits, float32 (batch, vocabulary), and give logits of that shape. A word that is out has -∞, and
stays out. Where several words tie for the last place, those with the smaller ids, the more frequent words,
have it. Only `banned` and `no_repeat_ngram` may leave a row without any word.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

NEVER = -float("inf")


def repetition_penalty(logits: Any, seen: Any, penalty: Any) -> Any:
    """Makes what was seen less likely (Keskar et al. 2019, section 4.1).

        x_i / θ for x_i > 0, x_i · θ for x_i < 0        for i in seen

    The paper divides all; that would raise a negative logit, so it is multiplied (as everybody does).

    Args:
        logits: x, (batch, vocabulary).
        seen: which words stand in prompt or text, bool (batch, vocabulary).
        penalty: θ, above 0; 1 changes nothing, the paper takes 1.2.
    """
    penalised = tf.where(logits > 0, logits / penalty, logits * penalty)
    return tf.where(seen, penalised, logits)


def no_repeat_ngram(logits: Any, history: Any, lengths: Any, n: int) -> Any:
    """Bans every word that would make an n-gram occur again (Paulus et al. 2018, section 2.5, with n = 3).

    Args:
        logits: (batch, vocabulary).
        history: words of prompt and text, int32 (batch, places), from the left.
        lengths: how many places are taken, int32 (batch,); what stands in the others does not matter.
        n: length of an n-gram, at least 1.
    """
    places, vocabulary = history.shape[1], logits.shape[-1]
    if places < n:
        return logits
    starts = tf.range(places - n + 1)
    match = starts + n <= lengths[:, None]
    for offset in range(n - 1):
        # The word at `offset` of the n-1 last ones; rows too short to have it have no match.
        own = tf.maximum(lengths - (n - 1) + offset, 0)
        last = tf.gather(history, own, batch_dims=1)
        match &= history[:, offset : places - n + 1 + offset] == last[:, None]
    following = tf.where(match, history[:, n - 1 :], vocabulary)
    rows = tf.range(tf.shape(logits)[0])[:, None] + tf.zeros_like(following)
    counts = tf.scatter_nd(
        tf.stack([rows, following], axis=-1),
        tf.ones_like(following),
        tf.stack([tf.shape(logits)[0], vocabulary + 1]),
    )
    return tf.where(counts[:, :vocabulary] > 0, NEVER, logits)


def banned(logits: Any, words: Any) -> Any:
    """Bans words.

    Args:
        logits: (batch, vocabulary).
        words: which, bool (vocabulary,).
    """
    return tf.where(words, NEVER, logits)


def temperature(logits: Any, value: Any) -> Any:
    """x / T: p^(1/T), normalised (Ackley et al. 1985).

    Args:
        logits: x, (batch, vocabulary).
        value: T, above 0; below 1 for safer words, above for bolder ones.
    """
    scaled = (logits - tf.reduce_max(logits, axis=-1, keepdims=True)) / value
    # A temperature close to 0 makes -∞ of large differences, and 0 / 0 of none at all.
    return tf.where(tf.math.is_nan(scaled), 0.0, scaled)


def top_k(logits: Any, k: int) -> Any:
    """The k likeliest words are left (Fan et al. 2018, section 5.1).

    Args:
        logits: (batch, vocabulary).
        k: at least 1; all words are left where there are fewer.
    """
    if k >= logits.shape[-1]:
        return logits
    return tf.where(_fewest(logits, tf.ones_like(logits), float(k)), logits, NEVER)


def top_p(logits: Any, p: Any) -> Any:
    """The nucleus: the fewest words that have probability p together (Holtzman et al. 2020, section 3.1).

    Args:
        logits: (batch, vocabulary).
        p: above 0; 1 leaves all words.
    """
    return tf.where(_fewest(logits, tf.nn.softmax(logits), p) | (p >= 1), logits, NEVER)


def min_p(logits: Any, p: Any) -> Any:
    """Words with P(w) ≥ p · max P are left (Nguyen et al. 2024, section 3).

    Args:
        logits: (batch, vocabulary).
        p: 0 to 1; 1 leaves the likeliest, 0 all.
    """
    bound = tf.reduce_max(logits, axis=-1, keepdims=True) + tf.math.log(p)
    return tf.where(logits >= bound, logits, NEVER)


def typical(logits: Any, mass: Any) -> Any:
    """The fewest words of probability `mass` whose surprisal is closest to the entropy.

        |H + log P(w)|,  H = -Σ P log P                (Meister et al. 2022, section 4, equation 6)

    Args:
        logits: (batch, vocabulary).
        mass: τ, above 0; 1 leaves all words.
    """
    log_p = tf.nn.log_softmax(logits)
    p = tf.exp(log_p)
    entropy = -tf.reduce_sum(tf.where(p > 0, p * log_p, 0.0), axis=-1, keepdims=True)
    close = _fewest(-tf.abs(entropy + log_p), p, mass)
    return tf.where(close | (mass >= 1), logits, NEVER)


def _fewest(scores: Any, weights: Any, target: Any) -> Any:
    """Which words have the highest scores, the fewest whose weights sum to the target; all if none do.

    The lowest of their scores is found bit by bit, from the highest: 32 sums take a tenth of the time in
    which XLA sorts 33,000 words.

    Args:
        scores: (batch, vocabulary).
        weights: 0 or above, (batch, vocabulary).
        target: above 0.
    """
    keys = _ordered(scores)

    def descend(bit: Any, lowest: Any) -> Any:
        higher = tf.bitwise.bitwise_or(lowest, tf.bitwise.left_shift(tf.constant(1, tf.uint32), bit))
        sums = tf.reduce_sum(tf.where(keys >= higher, weights, 0.0), axis=-1, keepdims=True)
        return bit - 1, tf.where(sums >= target, higher, lowest)

    start = (tf.constant(31, tf.uint32), tf.zeros_like(keys[:, :1]))
    _, lowest = tf.while_loop(lambda *_: True, descend, start, maximum_iterations=32)
    above, tied = keys > lowest, tf.where(keys == lowest, weights, 0.0)
    before = tf.reduce_sum(tf.where(above, weights, 0.0), axis=-1, keepdims=True)
    before += tf.cumsum(tied, axis=-1, exclusive=True)
    return above | ((keys == lowest) & (before < target))


def _ordered(values: Any) -> Any:
    """Unsigned whole numbers in the order of floats, equal for equal ones."""
    bits = tf.bitcast(tf.where(values == 0, 0.0, values), tf.uint32)  # -0 equals 0
    sign = tf.constant(2**31, tf.uint32)
    return tf.where(bits >= sign, tf.bitwise.invert(bits), tf.bitwise.bitwise_or(bits, sign))
