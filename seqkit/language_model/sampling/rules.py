"""The options of a `SamplingConfig` as tensors, what they remember of a text, and their order."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from seqkit.language_model.sampling import transforms
from seqkit.language_model.sampling.config import SamplingConfig
from seqkit.language_model.steps import EOS

Rules = dict[str, Any]
"""The options that are on, by name. A compiled loop is one of these names: numbers are tensors, so that their
values may change; those that shape the graph are Python's own."""

Memory = dict[str, Any]
"""What the rules remember of each text, tensors (batch, …); empty where they need nothing."""


def rules_of(config: SamplingConfig, vocabulary: int) -> Rules:
    """The options of a configuration that are on.

    Args:
        config: the configuration.
        vocabulary: number of words.
    """
    rules: Rules = {}
    if config.repetition_penalty != 1:
        rules["repetition_penalty"] = tf.constant(config.repetition_penalty, tf.float32)
    if config.banned:
        words = np.zeros(vocabulary, np.bool_)
        words[list(config.banned)] = True
        rules["banned"] = tf.constant(words)
    if config.temperature not in (0, 1):
        rules["temperature"] = tf.constant(config.temperature, tf.float32)
    for name in ("min_p", "eos_threshold"):
        if (value := getattr(config, name)) is not None:
            rules[name] = tf.constant(value, tf.float32)
    for name in ("top_p", "typical"):
        if (value := getattr(config, name)) is not None:
            # Of a mass that float32 takes for 0 one word is left.
            rules[name] = tf.constant(max(value, np.finfo(np.float32).tiny), tf.float32)
    for name in ("no_repeat_ngram", "top_k"):
        if (whole := getattr(config, name)) is not None:
            rules[name] = whole
    return rules | ({"greedy": True} if config.temperature == 0 else {})


def blank_memory(rules: Rules, batch: int, vocabulary: int, places: int) -> Memory:
    """The memory before the first word.

    Args:
        rules: the options that are on.
        batch: number of texts.
        vocabulary: number of words.
        places: words that a prompt and its text may have together.
    """
    memory: Memory = {}
    if "repetition_penalty" in rules:
        memory["seen"] = tf.zeros([batch, vocabulary], tf.bool)
    if "no_repeat_ngram" in rules:
        memory["history"] = tf.zeros([batch, places], tf.int32)
        memory["lengths"] = tf.zeros([batch], tf.int32)
    return memory


def remember(memory: Memory, words: Any) -> Memory:
    """The memory with one more word of each text; `<eos>`, which may always come, is not penalised.

    Args:
        memory: so far.
        words: int32 (batch,).
    """
    new = dict(memory)
    if "seen" in memory:
        ids = tf.range(memory["seen"].shape[-1])
        new["seen"] = memory["seen"] | ((ids == words[:, None]) & (ids != EOS))
    if "history" in memory:
        here = tf.range(memory["history"].shape[-1]) == memory["lengths"][:, None]
        new["history"] = tf.where(here, words[:, None], memory["history"])
        new["lengths"] = memory["lengths"] + 1
    return new


def permitted(logits: Any, memory: Memory, rules: Rules) -> Any:
    """The logits after penalty and bans. `<eos>` is in no n-gram; where nothing is left, the text ends.

    Args:
        logits: of the model, (batch, vocabulary).
        memory: of the texts so far.
        rules: the options that are on.
    """
    ends = tf.range(logits.shape[-1]) == EOS
    if "repetition_penalty" in rules:
        logits = transforms.repetition_penalty(logits, memory["seen"], rules["repetition_penalty"])
    if "no_repeat_ngram" in rules:
        free = transforms.no_repeat_ngram(
            logits, memory["history"], memory["lengths"], rules["no_repeat_ngram"]
        )
        logits = tf.where(ends, logits, free)
    if "banned" in rules:
        logits = transforms.banned(logits, rules["banned"])
    if "no_repeat_ngram" not in rules and "banned" not in rules:
        return logits
    left = tf.reduce_any(logits > transforms.NEVER, axis=-1, keepdims=True)
    return tf.where(left | ~ends, logits, 0.0)


def narrowed(logits: Any, rules: Rules) -> Any:
    """The logits after temperature and everything that takes words out by their probability.

    Args:
        logits: `permitted`, (batch, vocabulary).
        rules: the options that are on.
    """
    for name in ("temperature", "top_k", "top_p", "min_p", "typical"):
        if name in rules:
            logits = getattr(transforms, name)(logits, rules[name])
    return logits
