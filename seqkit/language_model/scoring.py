"""How likely a text is: the surprisal of each token, read as a stream, or line by line."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from seqkit.language_model.batches import NO_TARGET, Ids, inputs_of, rounded_up
from seqkit.language_model.coding import END_ID
from seqkit.language_model.network import LanguageNetwork

LOGITS = 1 << 25
"""That are held at a time: 128 MiB."""

STEPS = 64
"""Of a piece, at most."""

PARTS, PART_TOKENS = 20, 1000
"""A stream to validate on is read in so many parts side by side, if each has so many tokens: each but the
first begins without what stands before it, as in the evaluation of Zaremba's and PyTorch's models."""


def perplexity(nats: float) -> float:
    """exp of nats a token; of more than a float can hold, the largest."""
    return math.exp(min(nats, 709.0))


def surprisals(logits: Any, targets: Any) -> Any:
    """-log ŷ of each target, 0 where there is none.

    Args:
        logits: (batch, time, vocabulary).
        targets: (batch, time), negative where there is none.
    """
    found = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(targets, 0), logits)
    return tf.where(targets >= 0, found, tf.zeros_like(found))


class Piece(NamedTuple):
    """What is known of each target of a piece, (batch, time).

    Args:
        surprisal: -log ŷ_y in nats, 0 where there is no target.
        entropy: -Σ ŷ log ŷ in nats; 0 where it was not asked for.
        hidden: the outputs that ŷ was made of, (batch, time, size).
    """

    surprisal: Any
    entropy: Any
    hidden: Any


class Scorer:
    """Scores with a network, compiled once.

    Args:
        network: as it is at each call.
        entropy: whether entropies are asked for; they are 0 otherwise.
    """

    def __init__(self, network: LanguageNetwork, *, entropy: bool = False) -> None:
        self.network, self._entropy = network, entropy
        self._piece = tf.function(self._traced, autograph=False)

    def _traced(self, inputs: Any, targets: Any, state: Any, label: Any = None) -> tuple[Piece, Any]:
        hidden, _, state = self.network.run(inputs, state, label=label)
        logits = self.network.logits(hidden)
        found = surprisals(logits, targets)
        entropy = tf.zeros_like(found)
        if self._entropy:
            log = tf.nn.log_softmax(logits)
            entropy = -tf.reduce_sum(tf.exp(log) * log, axis=-1)
        return Piece(found, entropy, hidden), state

    def pieces(self, parts: Ids, label: Any = None) -> Iterator[tuple[Ids, Piece]]:
        """Reads texts side by side, each from its beginning.

        Args:
            parts: targets, (batch, time), `NO_TARGET` where there is none.
            label: of each text, (batch,).

        Yields:
            Targets of a piece, and what is known of them.
        """
        batch, length = parts.shape
        steps = max(1, min(STEPS, rounded_up(length), LOGITS // (batch * self.network.vocabulary_size)))
        padded = np.full((batch, -(-length // steps) * steps), NO_TARGET, np.int32)
        padded[:, :length] = parts
        inputs = inputs_of(padded)
        state = self.network.initial_state(batch)
        for start in range(0, padded.shape[1], steps):
            targets = padded[:, start : start + steps]
            first = label if start == 0 else None
            piece, state = self._piece(inputs[:, start : start + steps], targets, state, first)
            yield targets, piece

    def mean_of_stream(self, ids: Ids) -> float:
        """Nats a token."""
        count = max(1, min(PARTS, len(ids) // PART_TOKENS))
        parts = np.full((count, -(-len(ids) // count)), NO_TARGET, np.int32)
        parts.reshape(-1)[: len(ids)] = ids
        return self._sum(parts) / len(ids)

    def mean_of_lines(self, ids: Ids, batch_size: int = 64) -> float:
        """Nats a token, each line from its beginning."""
        parts = np.split(ids, np.flatnonzero(ids == END_ID) + 1)
        lines = sorted((part for part in parts if len(part)), key=len)
        total = 0.0
        for start in range(0, len(lines), batch_size):
            total += self._sum(side_by_side(lines[start : start + batch_size], batch_size))
        return total / len(ids)

    def _sum(self, parts: Ids) -> float:
        return float(
            sum(np.sum(piece.surprisal.numpy(), dtype=np.float64) for _, piece in self.pieces(parts))
        )


def side_by_side(lines: list[Ids], rows: int) -> Ids:
    """Texts as rows, `NO_TARGET` after their ends."""
    longest = max(len(line) for line in lines)
    parts = np.full((rows, rounded_up(longest)), NO_TARGET, np.int32)
    for row, line in zip(parts, lines, strict=False):
        row[: len(line)] = line
    return parts
