"""The network of a language model: embedding, recurrent layers, softmax; and its loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from seqkit.cells import GRUCell, LSTMCell, RNNCell
from seqkit.cells.numerics import dropout_mask
from seqkit.language_model.coding import END_ID
from seqkit.language_model.config import EMBEDDING_RANGE, NetworkConfig
from seqkit.language_model.softmax import SoftmaxSample, cross_entropy
from seqkit.layers import Recurrent

CELLS: dict[str, Callable[..., Any]] = {
    "lstm": LSTMCell,
    "gru": lambda units, **options: GRUCell(units, variant="reset-after", **options),
    "gru-full": lambda units, **options: GRUCell(units, variant="full", **options),
    "gru-simplified": lambda units, **options: GRUCell(units, variant="simplified", **options),
    "rnn": RNNCell,
}

UNSEEN = 0.5
"""What is added to the count of each word, so that none is impossible."""


@contextmanager
def _products_in(policy: str, layer: Recurrent) -> Iterator[None]:
    """What the layer runs in the block, or traces into a graph, has its products in a type; weights stay."""
    layer.dtype_policy = layer.cell.dtype_policy = policy
    try:
        yield
    finally:
        layer.dtype_policy = layer.cell.dtype_policy = "float32"


class LanguageNetwork:
    """ŷ⟨t⟩ = softmax(W_y a^[L]⟨t⟩ + b_y).

    x⟨t⟩ is the embedding of y⟨t-1⟩, and the zero vector at first and after `<eos>`.

    Args:
        config: of the network.
        vocabulary_size: words.
        labels: that a text may depend on: the first input is the embedding of its label; 0 for none.
        seed: of the initial weights and the masks.
        bfloat16: take the products of layers and softmax in bfloat16, in training.
        embeddings: initial ones, (vocabulary_size, vector_size); None to draw them.
        counts: of the words in the training text, (vocabulary_size,), whose shares are the first prediction;
            None for one that is the same for all.
        frozen: do not train the embeddings.

    Attributes:
        layers: the recurrent layers, from below.
        embeddings: (vocabulary_size, vector_size).
        kernel: W_y, (vocabulary_size, units of the last layer); the embeddings, where they are tied.
        bias: b_y, (vocabulary_size,).
    """

    def __init__(
        self,
        config: NetworkConfig,
        vocabulary_size: int,
        *,
        labels: int = 0,
        seed: int = 0,
        bfloat16: bool = False,
        embeddings: Any = None,
        counts: Any = None,
        frozen: bool = False,
    ) -> None:
        self.config, self.vocabulary_size, self.bfloat16 = config, vocabulary_size, bfloat16
        seeds = [
            int(number) >> 1 for number in np.random.SeedSequence(seed).generate_state(config.layers + 3)
        ]
        options: dict[str, Any] = {"weight_drop": config.weight_drop, "layer_norm": config.layer_norm}
        self.layers = []
        size = config.vector_size
        for number, units in enumerate(config.sizes):
            cell = CELLS[config.cell](units, seed=seeds[number], **options)
            layer = Recurrent(cell, return_sequences=True, return_state=True, name=f"layer_{number + 1}")
            layer.build((None, None, size))
            self.layers.append(layer)
            size = units
        draw = keras.initializers.RandomUniform(-EMBEDDING_RANGE, EMBEDDING_RANGE, seed=seeds[-3])
        shape = (vocabulary_size, config.vector_size)
        first = draw(shape) if embeddings is None else embeddings
        self.embeddings = keras.Variable(first, trainable=not frozen, name="embeddings")
        self.kernel = self.embeddings
        if not config.tied:
            glorot = keras.initializers.GlorotUniform(seed=seeds[-2])
            self.kernel = keras.Variable(glorot((vocabulary_size, size)), name="kernel")
        bias = (
            np.zeros(vocabulary_size)
            if counts is None
            else np.log((counts + UNSEEN) / np.sum(counts + UNSEEN))
        )
        self.bias = keras.Variable(bias.astype(np.float32), name="bias")
        self.labels = (
            keras.Variable(np.zeros((labels, shape[1]), np.float32), name="labels") if labels else None
        )
        self.seeds = keras.random.SeedGenerator(seeds[-1])

    # Variables

    @property
    def weights(self) -> dict[str, Any]:
        """What is learned, by its name in a bundle."""
        named = {"embeddings": self.embeddings, "bias": self.bias}
        if not self.config.tied:
            named["kernel"] = self.kernel
        if self.labels is not None:
            named["labels"] = self.labels
        for layer in self.layers:
            named |= {f"{layer.name}.{weight.name}": weight for weight in layer.cell.trainable_weights}
        return named

    @property
    def generators(self) -> list[Any]:
        """The states of what draws masks."""
        own = [layer.cell.seed_generator for layer in self.layers]
        return [each.state for each in [self.seeds, *own] if each is not None]

    # Forward

    def initial_state(self, batch: Any) -> tuple[Any, ...]:
        """The zero state of all layers."""
        return tuple(layer.cell.get_initial_state(batch) for layer in self.layers)

    def run(self, inputs: Any, state: Any, training: bool = False, label: Any = None) -> tuple[Any, Any, Any]:
        """Outputs of the last layer.

        Args:
            inputs: y⟨t-1⟩, (batch, time), int32.
            state: of each layer before the first step.
            training: draw masks of dropout.
            label: of each text, (batch,), where it begins with this piece; None for none.

        Returns:
            The outputs without and with dropout, (batch, time, size), and the state after the last step.
        """
        config, drop = self.config, self._dropping(training)
        policy = "mixed_bfloat16" if training and self.bfloat16 else "float32"
        values = drop(self._embedded(inputs, training, label), config.rate("input"), 0)
        states = []
        for number, (layer, before) in enumerate(zip(self.layers, state, strict=True), 1):
            with _products_in(policy, layer):
                found = layer(values, initial_state=before, training=training)
            plain, after = tf.nest.map_structure(lambda part: tf.cast(part, tf.float32), found)
            states.append(after)
            values = drop(plain, config.rate("hidden" if number < config.layers else "output"), number)
        return plain, values, tuple(states)

    def _embedded(self, inputs: Any, training: bool, label: Any) -> Any:
        table = tf.convert_to_tensor(self.embeddings)
        values = tf.gather(table, inputs)
        known = tf.cast(inputs != END_ID, values.dtype)
        rate = self.config.dropout_embedding
        if training and rate:
            known *= tf.gather(
                dropout_mask([self.vocabulary_size], rate, self._next_seed(), values.dtype), inputs
            )
        values *= known[..., None]
        if label is not None:
            first = tf.gather(tf.convert_to_tensor(self.labels), label)[:, None]
            values = tf.concat([first, values[:, 1:]], axis=1)
        return values

    def _dropping(self, training: bool) -> Callable[[Any, float, int], Any]:
        """What drops values at a place, by the place's number."""
        if not training:
            return lambda values, rate, place: values
        base = self._next_seed()

        def drop(values: Any, rate: float, place: int) -> Any:
            if not rate:
                return values
            batch, time, size = tf.unstack(tf.shape(values))
            shape = [batch, 1 if self.config.locked else time, size]
            seed = tf.random.fold_in(base, place, alg="philox")
            return values * dropout_mask(shape, rate, seed, values.dtype)

        return drop

    def _next_seed(self) -> Any:
        return tf.cast(tf.convert_to_tensor(self.seeds.next()), tf.int32)

    def logits(self, hidden: Any) -> Any:
        """W_y a + b_y of outputs of the last layer, (…, vocabulary)."""
        kernel, bias = tf.convert_to_tensor(self.kernel), tf.convert_to_tensor(self.bias)
        return tf.matmul(hidden, kernel, transpose_b=True) + bias

    def surprisal_sum(self, hidden: Any, targets: Any, sample: SoftmaxSample | None = None) -> Any:
        """Σ -log ŷ of the targets that are not negative, for training; over words drawn anew, about that."""
        size = hidden.shape[-1]
        return cross_entropy(
            tf.reshape(hidden, [-1, size]),
            tf.convert_to_tensor(self.kernel),
            tf.convert_to_tensor(self.bias),
            tf.reshape(targets, [-1]),
            self.bfloat16,
            sample.draw(self._next_seed()) if sample else None,
        )
