"""The textbook's loop, compiled: feed a word, draw the next from ŷ, feed it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from seqkit.language_model.sampling.drawing import blocks_of, draw, gumbel
from seqkit.language_model.sampling.rules import (
    Memory,
    Rules,
    blank_memory,
    narrowed,
    permitted,
    remember,
)
from seqkit.language_model.steps import EOS, StepModel

DRAW, NOTHING = -1, -2
"""What a plan has where no word is given: draw one, or leave the text as it is."""


class Progress(NamedTuple):
    """Texts that are being written, side by side.

    Args:
        last: the words written last, int32 (batch,).
        ended: whether `<eos>` was drawn, bool (batch,).
        draws: how many words were drawn, int32 (batch,).
        state: of the model.
        memory: of the rules.
    """

    last: Any
    ended: Any
    draws: Any
    state: Any
    memory: Memory


def beginning(steps: StepModel, rules: Rules, batch: int, places: int) -> Progress:
    """Texts without any word: a zero state, and the zero vector to come in.

    Args:
        steps: the model.
        rules: the options that are on.
        batch: number of texts.
        places: words that a prompt and its text may have together.
    """
    return Progress(
        last=tf.fill([batch], EOS),
        ended=tf.zeros([batch], tf.bool),
        draws=tf.zeros([batch], tf.int32),
        state=steps.initial_state(batch),
        memory=blank_memory(rules, batch, steps.vocabulary_size, places),
    )


def compiled_loop(steps: StepModel) -> Callable[..., Any]:
    """`write` of a model, compiled by XLA: once for each set of options, batch and number of steps.

    Args:
        steps: the model.
    """

    def loop(progress: Progress, plan: Any, key: Any, rows: Any, rules: Rules) -> Any:
        return write(steps, progress, plan, key, rows, rules)

    compiled: Callable[..., Any] = tf.function(loop, autograph=False, jit_compile=True)
    return compiled


def write(steps: StepModel, progress: Progress, plan: Any, key: Any, rows: Any, rules: Rules) -> Any:
    """Goes on with texts for some steps, or until all have ended.

    A prompt is a plan that gives words: the state is taken through them by teacher forcing, each text by its
    own, so prompts of different lengths may stand side by side.

    Args:
        steps: the model.
        progress: of the texts.
        plan: for each step the word that is given, `DRAW` or `NOTHING`, int32 (batch, steps).
        key: of the seed.
        rows: numbers of the texts, which their draws follow from, int32 (batch,).
        rules: the options that are on.

    Returns:
        The progress after it; the words, int32 (batch, steps), `NOTHING` after the end; and
        log P(word | words before it) of the model as it is, without any option, float32 (batch, steps).
    """
    places = tf.range(plan.shape[1])

    def busy(t: Any, progress: Progress, words: Any, log_p: Any) -> Any:
        # Asked after the last step, too.
        return tf.reduce_any(~progress.ended & (plan[:, tf.minimum(t, plan.shape[1] - 1)] != NOTHING))

    def advance(t: Any, progress: Progress, words: Any, log_p: Any) -> Any:
        logits, state = steps.step(progress.last, progress.state)
        logits = tf.cast(logits, tf.float32)
        planned = plan[:, t]
        noise = None
        if "greedy" not in rules:
            noise = gumbel(key, rows, progress.draws, sum(blocks_of(steps.vocabulary_size)))
        drawn = _chosen(logits, progress.memory, noise, rules)
        word = tf.where(planned >= 0, planned, drawn)
        idle = progress.ended | (planned == NOTHING)
        here = (places == t) & ~idle[:, None]
        own = tf.gather(logits, word, batch_dims=1) - tf.reduce_logsumexp(logits, axis=-1)
        after = Progress(
            last=word,
            ended=progress.ended | ((planned == DRAW) & (word == EOS)),
            draws=progress.draws + tf.cast(planned == DRAW, tf.int32),
            state=state,
            memory=remember(progress.memory, word),
        )
        return t + 1, after, tf.where(here, word[:, None], words), tf.where(here, own[:, None], log_p)

    start = (0, progress, tf.fill(plan.shape, NOTHING), tf.zeros(plan.shape, tf.float32))
    _, progress, words, log_p = tf.while_loop(busy, advance, start, maximum_iterations=plan.shape[1])
    return progress, words, log_p


def _chosen(logits: Any, memory: Memory, noise: Any, rules: Rules) -> Any:
    """The words that are drawn, or the likeliest; `<eos>` where its probability exceeds the threshold."""
    left = narrowed(permitted(logits, memory, rules), rules)
    word = tf.argmax(left, axis=-1, output_type=tf.int32) if noise is None else draw(left, noise)
    if "eos_threshold" in rules:
        p_eos = tf.nn.softmax(logits)[:, EOS]
        word = tf.where(p_eos > rules["eos_threshold"], EOS, word)
    return word
