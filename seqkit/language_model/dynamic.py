"""Dynamic evaluation: the network goes on learning from the text that it scores (Krause et al. 2018)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from seqkit._settings import check_numbers
from seqkit.errors import UsageError
from seqkit.language_model.batches import NO_TARGET, Ids, inputs_of
from seqkit.language_model.network import LanguageNetwork
from seqkit.language_model.scoring import Piece, surprisals


@dataclass(frozen=True, kw_only=True)
class DynamicConfig:
    """How fast the network learns.

    Args:
        steps: tokens that are scored before they are learned, at least 1.
        learning_rate: η, above 0.
        decay: ρ, the share of the way back to the trained weights with each update, 0 to 1.
        clip_norm: greatest norm of a gradient.
    """

    steps: int = 20
    learning_rate: float = 0.1
    decay: float = 0.002
    clip_norm: float = 1.0

    def __post_init__(self) -> None:
        check_numbers(self)
        if self.steps < 1 or not self.learning_rate > 0 or not 0 <= self.decay <= 1 or not self.clip_norm > 0:
            raise UsageError(
                f"dynamic evaluation needs steps {self.steps} >= 1, learning_rate {self.learning_rate} > 0, "
                f"decay {self.decay} in 0..1, clip_norm {self.clip_norm} > 0"
            )


class DynamicScorer:
    """Scores a text piece by piece, and learns each piece once it is scored.

        w ← w - η g + ρ (w₀ - w)

    with g the gradient of the piece's mean surprisal and w₀ the trained weights (Krause et al. 2018, "Dynamic
    evaluation of neural sequence models", section 4, with plain gradients in the place of normalised ones).
    Nothing is kept of it: afterwards the weights are as they were.

    Args:
        network: that scores.
        config: how fast it learns.
    """

    def __init__(self, network: LanguageNetwork, config: DynamicConfig) -> None:
        self._network, self._config = network, config
        self._weights = [weight.value for weight in network.weights.values()]
        self._scored = tf.function(self._traced, autograph=False)

    def pieces(self, text: Ids) -> Iterator[tuple[Ids, Piece]]:
        """Reads one text from its beginning.

        Args:
            text: targets, (time,).

        Yields:
            As `seqkit.language_model.scoring.Scorer.pieces`, without entropy.
        """
        steps = self._config.steps
        trained = [weight.numpy() for weight in self._weights]
        padded = np.full((1, -(-len(text) // steps) * steps), NO_TARGET, np.int32)
        padded[0, : len(text)] = text
        inputs = inputs_of(padded)
        state = self._network.initial_state(1)
        try:
            for start in range(0, padded.shape[1], steps):
                targets = padded[:, start : start + steps]
                piece, state = self._scored(inputs[:, start : start + steps], targets, state, trained)
                yield targets, piece
        finally:
            for weight, value in zip(self._weights, trained, strict=True):
                weight.assign(value)

    def _traced(self, inputs: Any, targets: Any, state: Any, trained: Any) -> tuple[Piece, Any]:
        with tf.GradientTape() as tape:
            hidden, _, after = self._network.run(inputs, state)
            found = surprisals(self._network.logits(hidden), targets)
            loss = tf.reduce_sum(found) / tf.math.count_nonzero(targets >= 0, dtype=tf.float32)
        gradients = [tf.convert_to_tensor(each) for each in tape.gradient(loss, self._weights)]
        gradients, _ = tf.clip_by_global_norm(gradients, self._config.clip_norm)
        with tf.control_dependencies([found]):
            for weight, gradient, first in zip(self._weights, gradients, trained, strict=True):
                change = self._config.learning_rate * gradient - self._config.decay * (first - weight)
                weight.assign_sub(change)
        return Piece(found, tf.zeros_like(found), hidden), after
