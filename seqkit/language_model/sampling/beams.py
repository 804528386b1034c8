"""Beam search for the likeliest text after a prompt, by the search of `seqkit.layers.shapes`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from seqkit.language_model.sampling.loop import Progress
from seqkit.language_model.sampling.rules import Rules, permitted, remember
from seqkit.language_model.steps import EOS, StepModel
from seqkit.layers.shapes.decoding import LOWEST, beam_search


def compiled_beams(steps: StepModel) -> Callable[..., Any]:
    """`search` of a model, compiled by XLA: once for each set of options and size.

    Args:
        steps: the model.
    """

    def beams(progress: Progress, rules: Rules, alpha: Any, max_length: int, width: int) -> Any:
        return search(steps, progress, rules, alpha, max_length=max_length, width=width)

    compiled: Callable[..., Any] = tf.function(beams, autograph=False, jit_compile=True)
    return compiled


def search(
    steps: StepModel, progress: Progress, rules: Rules, alpha: Any, *, max_length: int, width: int
) -> Any:
    """The likeliest texts that a beam of some width finds.

    With bans or a penalty, P is that of the model that keeps to them: they change the logits, and P is their
    softmax, as in sampling.

    Args:
        steps: the model.
        progress: after the prompt, (1, …).
        rules: the options that are on.
        alpha: texts are compared by log P / lengthᵅ.
        max_length: words of a text at most, `<eos>` among them.
        width: number of beginnings that go on, and of texts.

    Returns:
        Ids, int32 (width, max_length), -1 after `<eos>`, best first; and scores (width,), -∞ where there are
        fewer texts.
    """

    def step(tokens: Any, carried: Any) -> Any:
        # The search's tokens are ids + 1, as its 0 is padding: nothing written yet, or a text's end.
        first = carried["first"]
        last = tf.where(first, carried["last"], tf.maximum(tokens - 1, 0))
        memory = carried["memory"]
        if memory:
            new = remember(memory, last)
            memory = {
                name: tf.where(tf.reshape(first, [-1] + [1] * (new[name].shape.rank - 1)), old, new[name])
                for name, old in memory.items()
            }
        logits, state = steps.step(last, carried["state"])
        logits = permitted(tf.cast(logits, tf.float32), memory, rules)
        after = {"first": tf.zeros_like(first), "last": last, "state": state, "memory": memory}
        return tf.pad(logits, [[0, 0], [1, 0]], constant_values=LOWEST), after

    carried = {
        "first": tf.ones([1], tf.bool),
        "last": progress.last,
        "state": progress.state,
        "memory": progress.memory,
    }
    tokens, scores = beam_search(
        step, carried, 1, max_length=max_length, end=EOS + 1, width=width, alpha=alpha
    )
    return tokens[0] - 1, scores[0]
