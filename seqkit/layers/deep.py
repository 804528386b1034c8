"""Layers over sequences, one above the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from seqkit.cells.checks import checked_rate, checked_seed
from seqkit.cells.numerics import dropout_mask
from seqkit.cells.tracking import track_items
from seqkit.errors import UsageError
from seqkit.layers.recurrent import Recurrent
from seqkit.layers.sequence import Course, SequenceLayer, check_inner, hide_masked
from seqkit.layers.serialisation import revived


@keras.saving.register_keras_serializable(package="seqkit")
class DeepRNN(SequenceLayer):
    """Stacks layers, each of which runs over the outputs of the one below.

        a^[l]⟨t⟩ from a^[l]⟨t-1⟩ and a^[l-1]⟨t⟩,    a^[0]⟨t⟩ = x⟨t⟩

    Each layer is computed for the whole sequence before the next one, so directions may be mixed. A residual
    connection adds the input of a layer, before dropout, to its output (Wu et al. 2016, section 3.1); the
    first layer has none. The last output of a layer is then the sum of what both have computed last.

    Args:
        layers: from below, each a cell, a `Recurrent` or a `Bidirectional`; what these say about
            `return_sequences` and `return_state` is not asked for.
        dropout: rate at which outputs are dropped between layers, each step by itself (Zaremba et al. 2014);
            0 to below 1.
        residual: connect above the first layer.
        return_all: give out a tuple of the outputs of all layers in place of the last one's.
        return_sequences: give out sequences of outputs in place of last ones.
        return_state: give out a tuple of the states of all layers, too.
        stateful: as in `Recurrent`, for layers that were given as cells.
        zero_output_for_mask: the outputs of masked steps are 0, with `return_sequences`.
        seed: what masks of dropout follow from, 0 to 2³¹-1; None for new ones in each run.
        options: Keras' own `name`, `dtype` (that of the first cell by default) and `trainable`.

    Raises:
        UsageError: for values out of their range, and for layers that do not fit each other.
    """

    def __init__(
        self,
        layers: Sequence[Any],
        *,
        dropout: float = 0.0,
        residual: bool = False,
        return_all: bool = False,
        return_sequences: bool = False,
        return_state: bool = False,
        stateful: bool = False,
        zero_output_for_mask: bool = False,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        if not isinstance(layers, list | tuple) or not layers:
            raise UsageError(f"a DeepRNN needs a list of layers, at least one, not {layers!r:.80}")
        stack = [
            layer
            if isinstance(layer, SequenceLayer)
            else Recurrent(layer, stateful=stateful, name=f"layer_{number}")
            for number, layer in enumerate(layers, 1)
        ]
        _check(stack, residual)
        options = {"dtype": stack[0].dtype_policy, **options}
        super().__init__(return_sequences=return_sequences, return_state=return_state, **options)
        self.stack, self.residual, self.return_all = stack, bool(residual), bool(return_all)
        track_items(self, "stack", self.stack)
        self.dropout, self.seed = checked_rate("dropout", dropout), checked_seed(seed)
        self.zero_output_for_mask = bool(zero_output_for_mask)
        self.seed_generator = keras.random.SeedGenerator(self.seed) if self.dropout else None

    @property
    def output_size(self) -> Any:
        """The length of an output; that of all layers with `return_all`."""
        sizes = tuple(layer.output_size for layer in self.stack)
        return sizes if self.return_all else sizes[-1]

    @property
    def state_size(self) -> Any:
        """The length of each part of the state, layer by layer."""
        return tuple(layer.state_size for layer in self.stack)

    @property
    def cells(self) -> tuple[Any, ...]:
        """The cells of all layers."""
        return tuple(cell for layer in self.stack for cell in layer.cells)

    @property
    def stateful(self) -> bool:
        """Whether a layer begins where the last batch ended."""
        return any(layer.stateful for layer in self.stack)

    @property
    def looks_ahead(self) -> bool:
        """Whether the output of a step depends on inputs that come after it."""
        return any(layer.looks_ahead for layer in self.stack)

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Makes the weights of all layers."""
        batch, time, size = self._dimensions(sequences_shape)
        for layer in self.stack:
            if not layer.built:
                layer.build((batch, time, size))
            size = layer.output_size

    def run(self, sequences: Any, initial_state: Any, mask: Any, training: bool) -> Course:
        """All that may be given out; see `SequenceLayer`."""
        given = [None] * len(self.stack) if initial_state is None else list(initial_state)
        if len(given) != len(self.stack):
            raise UsageError(f"the initial state of {self.name} is that of its {len(self.stack)} layers")
        drop = self._dropping(training)
        outputs: list[Any] = []
        lasts: list[Any] = []
        states: list[Any] = []
        for number, (layer, state) in enumerate(zip(self.stack, given, strict=True)):
            below = outputs[-1] if outputs else sequences
            course = self._cast(layer.run(drop(below, number) if number else below, state, mask, training))
            connected = self.residual and number
            outputs.append(course.outputs + below if connected else course.outputs)
            lasts.append(course.last + lasts[-1] if connected else course.last)
            states.append(course.state)
        if mask is not None and self.zero_output_for_mask:
            outputs = [hide_masked(values, mask) for values in outputs]
        if self.return_all:
            return Course(tuple(outputs), tuple(lasts), tuple(states))
        return Course(outputs[-1], lasts[-1], tuple(states))

    def _dropping(self, training: bool) -> Any:
        """What drops the inputs of a layer, by the layer's number."""
        if not training or self.seed_generator is None:
            return lambda values, number: values
        base = tf.cast(tf.convert_to_tensor(self.seed_generator.next()), tf.int32)

        def drop(values: Any, number: int) -> Any:
            seed = tf.random.fold_in(base, number, alg="philox")
            return values * dropout_mask(tf.unstack(tf.shape(values)), self.dropout, seed, values.dtype)

        return drop

    def reset_state(self) -> None:
        """Lets the next batch begin with the initial state, where states are carried."""
        for layer in self.stack:
            layer.reset_state()

    def get_config(self) -> dict[str, Any]:
        """The arguments, for Keras' serialisation."""
        return {
            **super().get_config(),
            "layers": [keras.saving.serialize_keras_object(layer) for layer in self.stack],
            "dropout": self.dropout,
            "residual": self.residual,
            "return_all": self.return_all,
            "zero_output_for_mask": self.zero_output_for_mask,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DeepRNN:
        """The layer of a configuration."""
        return cls(**{**config, "layers": [revived(layer) for layer in config["layers"]]})


def _check(stack: Sequence[SequenceLayer], residual: bool) -> None:
    """Raises UsageError unless each layer can run over the outputs of the one below."""
    check_inner(stack)
    for number, layer in enumerate(stack, 1):
        if not isinstance(layer.output_size, int):
            raise UsageError(f"layer {number}, {layer.name}, must give out one sequence to be in a stack")
    sizes = [layer.output_size for layer in stack]
    if residual and len(set(sizes)) > 1:
        raise UsageError(f"residual connections need layers of one length, not {sizes}")
