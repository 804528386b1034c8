"""A network as a `StepModel`, prepared for many steps: what does not change between them is done once."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from seqkit.language_model.network import LanguageNetwork
from seqkit.language_model.steps import EOS

TABLE = 2**22
"""The first layer's products are kept for all words where that makes at most so many numbers, 16 MiB."""


class NetworkSteps:
    """The steps of a network with the weights that it has now.

        W_x x⟨t⟩ + b of the first layer is a row of a table, for small vocabularies
        ŷ⟨t⟩ from W_yᵀ, whose product with one row takes XLA less than half the time of that with W_y

    Args:
        network: what is stepped.
        label: that texts begin with, by its number, in place of zero; None for none.
    """

    def __init__(self, network: LanguageNetwork, label: int | None = None) -> None:
        self._network, self._cells = network, [layer.cell for layer in network.layers]
        self._kernel = tf.transpose(tf.convert_to_tensor(network.kernel))
        self._bias = tf.convert_to_tensor(network.bias)
        vectors = tf.convert_to_tensor(network.embeddings)
        first = tf.zeros_like(vectors[0]) if label is None else tf.convert_to_tensor(network.labels)[label]
        self._rows = tf.tensor_scatter_nd_update(vectors, [[EOS]], first[None])
        lowest = self._cells[0]
        self._has_table = len(vectors) * lowest.kernel.shape[1] <= TABLE
        if self._has_table:
            self._rows = lowest.project_inputs(self._rows)

    @property
    def vocabulary_size(self) -> int:
        """Number of words."""
        return self._network.vocabulary_size

    def initial_state(self, batch: int) -> Any:
        """The zero state of all layers."""
        return self._network.initial_state(batch)

    def step(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """The logits of what follows, (batch, vocabulary), and the state after the step.

        Args:
            inputs: the words before, int32 (batch,).
            state: of each layer.
        """
        values, after = tf.gather(self._rows, inputs), []
        for number, (cell, before) in enumerate(zip(self._cells, state, strict=True)):
            projected = values if self._has_table and number == 0 else cell.project_inputs(values)
            batch = tf.shape(inputs)[0]
            new = cell.step(projected, before, cell.constants(batch), cell.zoneout_masks((batch,)))
            values = cell.project_outputs(new.hidden)
            after.append(new)
        return tf.matmul(values, self._kernel) + self._bias, tuple(after)
