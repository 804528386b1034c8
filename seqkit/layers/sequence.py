"""What all layers over sequences share: what goes in, what is given out, and Keras' protocol."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from seqkit.cells.checks import checked_seed
from seqkit.errors import UsageError


class Course(NamedTuple):
    """What a layer has computed along sequences.

    Args:
        outputs: of all steps in the order of time, (batch, time, size).
        last: of the last step that is not masked, (batch, size); 0 where there is none.
        state: after the last step, by name.
    """

    outputs: Any
    last: Any
    state: Any


class SequenceLayer(keras.layers.Layer):  # type: ignore[misc]
    """A layer over sequences, (batch, time, features).

    Args:
        return_sequences: give out all outputs, (batch, time, size), in place of the last one, (batch, size).
        return_state: give out the state after the last step, too, by name: `output, state = layer(x)`.
        options: Keras' own `name`, `dtype` and `trainable`.
    """

    go_backwards = False

    def __init__(self, *, return_sequences: bool = False, return_state: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.return_sequences, self.return_state = bool(return_sequences), bool(return_state)
        self.supports_masking = True
        # Keras' "auto" would compile the whole model by XLA, where only the loop over all steps is left.
        self.supports_jit = False

    @property
    @abstractmethod
    def output_size(self) -> Any:
        """The length of an output; a tuple of lengths if there are several."""

    @property
    @abstractmethod
    def state_size(self) -> Any:
        """The length of each part of the state, by name."""

    @property
    @abstractmethod
    def cells(self) -> tuple[Any, ...]:
        """The cells that run in it, from below, forward first."""

    @property
    @abstractmethod
    def looks_ahead(self) -> bool:
        """Whether the output of a step depends on inputs that come after it."""

    @abstractmethod
    def run(self, sequences: Any, initial_state: Any, mask: Any, training: bool) -> Course:
        """All that may be given out; the layer must be built.

        Args:
            sequences: x, (batch, time, features).
            initial_state: the state before the first step; None for that of the layer.
            mask: (batch, time), booleans, False for the steps to leave out; None to leave out none.
            training: draw masks of dropout and zoneout.
        """

    @abstractmethod
    def reset_state(self) -> None:
        """Lets the next batch begin with the initial state, where states are carried."""

    def reset_states(self) -> None:
        """`reset_state` by the other name that it has in Keras."""
        self.reset_state()

    def call(
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: bool | None = False,
        sequences_mask: Any = None,
    ) -> Any:
        """Runs along the sequences.

        Args:
            sequences: x, (batch, time, features).
            initial_state: the state before the first step, each part (batch, size), by name or in a list; by
                default that of the cell, or the carried one.
            mask: (batch, time), False for the steps to leave out.
            training: draw masks of dropout and zoneout.
            sequences_mask: what Keras calls the mask of `sequences` when there is an initial state.
        """
        if getattr(getattr(sequences, "shape", None), "rank", None) != 3:
            raise self._not_sequences(getattr(sequences, "shape", f"a {type(sequences).__name__}"))
        mask = self._checked(sequences_mask if mask is None else mask, sequences)
        course = self.run(sequences, initial_state, mask, bool(training))
        output = course.last
        if self.return_sequences:
            output = tf.reverse(course.outputs, [1]) if self.go_backwards else course.outputs
        return (output, course.state) if self.return_state else output

    def _checked(self, mask: Any, sequences: Any) -> Any:
        """A mask of sequences as booleans."""
        if mask is None:
            return None
        mask, shape = tf.cast(mask, tf.bool), sequences.shape[:2]
        if not shape.is_compatible_with(mask.shape):
            raise UsageError(
                f"the mask of {self.name} must be (batch, time), {tuple(shape)}, not {tuple(mask.shape)}"
            )
        if not (shape.is_fully_defined() and mask.shape.is_fully_defined()):
            told = f"the mask of {self.name} must be (batch, time), as the sequences are"
            mask = checked_tensor(mask, tf.shape(mask), tf.shape(sequences)[:2], told)
        return tf.ensure_shape(mask, shape)

    def _cast(self, values: Any) -> Any:
        """Tensors in the dtype that the layer gives out."""
        return tf.nest.map_structure(lambda value: tf.cast(value, self.compute_dtype), values)

    def compute_mask(self, sequences: Any, mask: Any = None) -> Any:
        """The mask of the inputs for each sequence of outputs, in their order; none for the rest."""
        kept = mask if self.return_sequences else None
        if kept is not None and self.go_backwards:
            kept = keras.ops.flip(kept, axis=1)
        output = tf.nest.map_structure(lambda size: kept, self.output_size)
        state = tf.nest.map_structure(lambda size: None, self.state_size)
        return (output, state) if self.return_state else output

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """The shapes of what `call` gives out."""
        batch, time, _ = self._dimensions(sequences_shape)
        steps = (batch, time) if self.return_sequences else (batch,)
        output = tf.nest.map_structure(lambda size: (*steps, size), self.output_size)
        state = tf.nest.map_structure(lambda size: (batch, size), self.state_size)
        return (output, state) if self.return_state else output

    def _dimensions(self, shape: Any) -> tuple[int | None, int | None, int]:
        """Batch, time and features."""
        if len(shape) != 3 or not isinstance(shape[2], int):
            raise self._not_sequences(tuple(shape))
        batch, time, features = shape
        return batch, time, features

    def _not_sequences(self, found: Any) -> UsageError:
        told = f"{self.name} takes sequences of shape (batch, time, features), not {found}"
        return UsageError(f"{told}; states are given by initial_state=")

    def get_config(self) -> dict[str, Any]:
        """The arguments, for Keras' serialisation."""
        return {
            **super().get_config(),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
        }


def check_inner(layers: Sequence[SequenceLayer]) -> None:
    """Makes sure that layers can run inside of another one.

    Raises:
        UsageError: one has an `activity_regularizer`, which Keras asks for only where a layer is called
            itself; or a cell is in two, which Keras would save once and not find again.
    """
    for layer in layers:
        if layer.activity_regularizer is not None:
            raise UsageError(f"the activity_regularizer of {layer.name} belongs to the layer around it")
    seen = set[int]()
    for cell in (cell for layer in layers for cell in layer.cells):
        if id(cell) in seen:
            raise UsageError(f"{cell.name} is there twice: each layer and direction needs a cell of its own")
        seen.add(id(cell))


def checked_tensor(tensor: Any, found: Any, expected: Any, message: str) -> Any:
    """A tensor that is there only if what was found, when the graph runs, is what was expected."""
    with tf.control_dependencies([tf.debugging.assert_equal(found, expected, message)]):
        return tf.identity(tensor)


def hide_masked(outputs: Any, shown: Any) -> Any:
    """0 in place of the outputs (batch, time, size) that are not shown (batch, time)."""
    return tf.where(shown[:, :, None], outputs, tf.zeros_like(outputs))


def derived_seed(seed: int | None, purpose: str) -> int | None:
    """A seed for one purpose, 0 to 2³¹-1; None from None.

    Raises:
        UsageError: if the seed is not in that range itself.
    """
    seed = checked_seed(seed)
    if seed is None:
        return None
    return int(np.random.SeedSequence([seed, *purpose.encode()]).generate_state(1)[0] >> 1)
