"""One step of a language model: what samplers, beams and scorers need, and all that they know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import tensorflow as tf

UNKNOWN, EOS = 0, 1
"""The ids of `<unk>` and `<eos>`, which every model has; words follow by falling count."""


class StepModel(Protocol):
    """A model, step by step.

        ŷ⟨t⟩, a⟨t⟩ from x⟨t⟩ and a⟨t-1⟩,      x⟨1⟩ = 0 and a⟨0⟩ = `initial_state`

    The input `EOS` stands for the zero vector: before the first word, and after `<eos>` in a stream.
    """

    @property
    def vocabulary_size(self) -> int:
        """Number of words, `<unk>` and `<eos>` among them."""

    def initial_state(self, batch: int) -> Any:
        """a⟨0⟩: a structure of tensors, (batch, …) each.

        Args:
            batch: number of sequences.
        """

    def step(self, inputs: tf.Tensor, state: Any) -> tuple[tf.Tensor, Any]:
        """One step, of which `tf.function` can make a graph and XLA machine code.

        Args:
            inputs: the last word of each sequence, int32 (batch,).
            state: the state before the step.

        Returns:
            The logits of the next word, float32 (batch, vocabulary), and the state after the step, of the
            same structure and shapes.
        """
