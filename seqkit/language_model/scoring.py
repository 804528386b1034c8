"""How likely a text is: the surprisal of each token, read as a stream, or line by line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from seqkit.language_model.batches import NO_TARGET, Ids, inputs_of, lines_of, rounded_up
from seqkit.language_model.coding import END_ID
from seqkit.language_model.network import LanguageNetwork

LOGITS = 1 << 25
"""That are held at a time: 128 MiB."""

STEPS = 64
"""Of a piece, at most."""

ROWS, ROW_TOKENS = 32, 512
"""A stream is scored in so many rows side by side, if each has so many tokens."""

CLOSE = 1e-5
"""States that differ by less, absolutely or relatively, are the same."""

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


class Known(NamedTuple):
    """What is known of each token of a text, (tokens,), in its order; as `Piece` has it."""

    surprisal: NDArray[np.float32]
    entropy: NDArray[np.float32]


class Scorer:
    """Scores with a network, compiled once.

    Args:
        network: as it is at each call.
        entropy: whether entropies are asked for; they are 0 otherwise.
    """

    def __init__(self, network: LanguageNetwork, *, entropy: bool = False) -> None:
        self.network, self._entropy = network, entropy
        self._piece = tf.function(self._traced, autograph=False)
        self._run = tf.function(lambda inputs, state: network.run(inputs, state)[-1], autograph=False)

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
        steps = self._steps(batch, length)
        padded = np.full((batch, -(-length // steps) * steps), NO_TARGET, np.int32)
        padded[:, :length] = parts
        inputs = inputs_of(padded)
        state = self.network.initial_state(batch)
        for start in range(0, padded.shape[1], steps):
            targets = padded[:, start : start + steps]
            first = label if start == 0 else None
            piece, state = self._piece(inputs[:, start : start + steps], targets, state, first)
            yield targets, piece

    def _steps(self, batch: int, length: int) -> int:
        """Of a piece."""
        return max(1, min(STEPS, rounded_up(length), LOGITS // (batch * self.network.vocabulary_size)))

    def stream(self, ids: Ids) -> Known:
        """Reads one text from its beginning, in rows side by side.

        Rows begin with states of zero, then with those in which the rows before them end, until that changes
        nothing more: a network forgets its first state, mostly within some hundred tokens, and only so many
        are read again. What it does not forget is read as often as there are rows.

        Args:
            ids: (tokens,).
        """
        rows = max(1, min(ROWS, len(ids) // ROW_TOKENS))
        steps = self._steps(rows, -(-len(ids) // rows))
        shape = rows, steps * -(-len(ids) // (rows * steps))  # no row but the last ends before its last piece
        targets, inputs = np.full(shape, NO_TARGET, np.int32), np.zeros(shape, np.int32)
        targets.reshape(-1)[: len(ids)] = ids
        inputs.reshape(-1)[: len(ids)] = [END_ID, *ids[:-1]]
        found = Known(np.empty(shape, np.float32), np.empty(shape, np.float32))
        state = self._first_states(inputs, steps)
        for start in range(0, shape[1], steps):
            place = np.s_[:, start : start + steps]
            piece, state = self._piece(inputs[place], targets[place], state)
            found.surprisal[place], found.entropy[place] = piece.surprisal, piece.entropy
        known = targets >= 0
        return Known(found.surprisal[known], found.entropy[known])

    def _first_states(self, inputs: Ids, steps: int) -> Any:
        """The states in which the rows of a stream begin; only the layers are run to find them.

        Args:
            inputs: (rows, time).
            steps: of a piece, which divide the time.
        """
        pieces = np.split(inputs, inputs.shape[1] // steps, axis=1)
        state = self.network.initial_state(len(inputs))
        ends = [None] * len(pieces)
        while len(inputs) > 1:
            first = state
            for number, piece in enumerate(pieces):
                state = self._run(piece, state)
                if ends[number] is not None and _close(state, ends[number]):
                    return first
                ends[number] = state
            state = tf.nest.map_structure(_moved_on, state)
        return state

    def lines(self, lines: Sequence[Ids], labels: Ids | None = None, rows: int = 64) -> Known:
        """Reads texts each from its beginning, those of similar length side by side.

        Args:
            lines: texts.
            labels: of each.
            rows: how many are read at a time.

        Returns:
            What is known of the tokens, in the order of the texts.
        """
        order = np.argsort([len(line) for line in lines], kind="stable")
        found: dict[int, Known] = {}
        for start in range(0, len(lines), rows):
            numbers = order[start : start + rows]
            parts = side_by_side([lines[number] for number in numbers], rows)
            label = None if labels is None else np.resize(labels[numbers], rows)
            pieces = [piece for _, piece in self.pieces(parts, label)]
            tables = [np.concatenate(each, axis=1) for each in list(zip(*pieces, strict=True))[:2]]
            for row, number in enumerate(numbers):
                found[number] = Known(*(table[row, : len(lines[number])] for table in tables))
        parted = zip(*(found[number] for number in range(len(lines))), strict=True)
        return Known(*(np.concatenate(each) for each in parted))

    def mean_of_stream(self, ids: Ids) -> float:
        """Nats a token."""
        count = max(1, min(PARTS, len(ids) // PART_TOKENS))
        parts = np.full((count, -(-len(ids) // count)), NO_TARGET, np.int32)
        parts.reshape(-1)[: len(ids)] = ids
        sums = (np.sum(piece.surprisal.numpy(), dtype=np.float64) for _, piece in self.pieces(parts))
        return float(sum(sums)) / len(ids)

    def mean_of_lines(self, ids: Ids, labels: Ids | None = None, batch_size: int = 64) -> float:
        """Nats a token, each line from its beginning, by its label, if lines have any."""
        return float(np.mean(self.lines(lines_of(ids), labels, batch_size).surprisal, dtype=np.float64))


def _close(state: Any, other: Any) -> bool:
    pairs = zip(tf.nest.flatten(state), tf.nest.flatten(other), strict=True)
    return all(np.allclose(one, two, rtol=CLOSE, atol=CLOSE) for one, two in pairs)


def _moved_on(part: Any) -> Any:
    """What one row ends with, for the next to begin with; the first begins with zeros."""
    return tf.concat([tf.zeros_like(part[:1]), part[:-1]], axis=0)


def side_by_side(lines: list[Ids], rows: int) -> Ids:
    """Texts as rows, `NO_TARGET` after their ends."""
    longest = max(len(line) for line in lines)
    parts = np.full((rows, rounded_up(longest)), NO_TARGET, np.int32)
    for row, line in zip(parts, lines, strict=False):
        row[: len(line)] = line
    return parts
