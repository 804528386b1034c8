"""A cell along a sequence, as a Keras layer."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from seqkit.errors import UsageError
from seqkit.layers.serialisation import revived
from seqkit.layers.unroll import unroll

PROTOCOL = ("constants", "project_inputs", "zoneout_masks", "step", "project_outputs", "get_initial_state")


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


@keras.saving.register_keras_serializable(package="seqkit")
class Recurrent(keras.layers.Layer):  # type: ignore[misc]
    """Runs a cell over sequences, (batch, time, features).

    A masked step is left out: the state stays as it was and the output is that of the step before, 0 at
    first, as in Keras. Any step of any sequence may be masked, or all of them.

    Args:
        cell: of `seqkit.cells`, or any other layer that splits its step as they do (`seqkit.cells.Cell`).
        return_sequences: give out all outputs, (batch, time, size), in place of the last one, (batch, size).
        return_state: give out the state after the last step, too, by name: `output, state = layer(x)`,
            `state.hidden`.
        go_backwards: begin at the last step. The outputs are in the order in which they are computed, the one
            of the first step last, as in Keras.
        stateful: begin where the last batch ended, sequence by sequence, until `reset_state`. The state is
            carried in variables that are not trained, so the number of sequences is fixed. The cell's own
            weights are `layer.cell.weights`.
        zero_output_for_mask: the output of a masked step is 0, with `return_sequences`.
        options: Keras' own `name`, `dtype` (that of the cell by default) and `trainable`.

    Raises:
        UsageError: if the cell does not split its step.
    """

    def __init__(
        self,
        cell: Any,
        *,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        zero_output_for_mask: bool = False,
        **options: Any,
    ) -> None:
        check_cell(cell)
        super().__init__(**{"dtype": cell.dtype_policy, **options})
        self.cell = cell
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.stateful = go_backwards, stateful
        self.zero_output_for_mask = zero_output_for_mask
        self.supports_masking = True

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Makes the weights of the cell, and the variables of a carried state.

        Raises:
            UsageError: if a state is to be carried between batches of unknown size.
        """
        batch, _, features = check_shape(self, sequences_shape)
        if not self.cell.built:
            self.cell.build((batch, features))
        if not self.stateful:
            return
        if batch is None:
            raise UsageError(
                f"{self.name} is stateful and needs a fixed number of sequences: "
                "keras.Input(batch_shape=(batch, time, features))"
            )
        self._carried = [
            self.add_weight(name=f"carried_{part}", shape=(batch, size), initializer="zeros", trainable=False)
            for part, size in zip(self.cell.state_type._fields, self.cell.state_size, strict=True)
        ]
        self._begun = self.add_weight(
            name="begun", shape=(), initializer="zeros", trainable=False, dtype="int32"
        )

    def call(
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: bool | None = False,
        sequences_mask: Any = None,
    ) -> Any:
        """Runs the cell.

        Args:
            sequences: x, (batch, time, features).
            initial_state: the state before the first step, each part (batch, size), by name or in a list; by
                default that of the cell, or the carried one.
            mask: (batch, time), False for the steps to leave out.
            training: draw masks of dropout and zoneout.
            sequences_mask: what Keras names the mask if there is an initial state.
        """
        course = self.run(sequences, initial_state, sequences_mask if mask is None else mask, training)
        output = course.last
        if self.return_sequences:
            output = tf.reverse(course.outputs, [1]) if self.go_backwards else course.outputs
        return (output, course.state) if self.return_state else output

    def run(self, sequences: Any, initial_state: Any, mask: Any, training: bool | None) -> Course:
        """All that `call` may give out, outputs in the order of time; the layer must be built."""
        cell, mask = self.cell, checked_mask(self, mask)
        batch, time = tf.shape(sequences)[0], tf.shape(sequences)[1]
        state = self._first_state(sequences, initial_state)
        constants = cell.constants(batch, bool(training))
        zoneout = cell.zoneout_masks((time, batch), bool(training))
        projected = cell.project_inputs(sequences)
        hidden, state = unroll(cell, projected, state, constants, zoneout, mask, self.go_backwards)
        self._carry(state)
        outputs, last = cell.project_outputs(hidden), cell.project_outputs(state.hidden)
        outputs, last = self._without_masked(outputs, last, mask, time)
        return Course(*tf.nest.map_structure(self._cast, (outputs, last, state)))

    def _cast(self, value: Any) -> Any:
        return tf.cast(value, self.compute_dtype)

    def _first_state(self, sequences: Any, given: Any) -> Any:
        """The state before the first step, in the cell's dtype."""
        if self.stateful and sequences.shape[0] not in (None, size := self._carried[0].shape[0]):
            raise UsageError(
                f"{self.name} is stateful and carries the states of {size} sequences, "
                f"not of {sequences.shape[0]}"
            )
        if given is not None:
            state = as_state(self, self.cell.state_type, given)
        else:
            state = self.cell.get_initial_state(tf.shape(sequences)[0])
            if self.stateful:
                begun = tf.cast(self._begun, tf.bool)
                state = type(state)(
                    *(
                        tf.where(begun, tf.cast(carried, first.dtype), first)
                        for carried, first in zip(self._carried, state, strict=True)
                    )
                )
        return type(state)(*(tf.cast(part, self.cell.compute_dtype) for part in state))

    def _carry(self, state: Any) -> None:
        """Keeps the state for the next batch."""
        if self.stateful:
            for variable, part in zip(self._carried, state, strict=True):
                variable.assign(part)
            self._begun.assign(1)

    def reset_state(self) -> None:
        """Lets the next batch begin with the initial state."""
        if self.stateful and self.built:
            self._begun.assign(0)

    def _without_masked(self, outputs: Any, last: Any, mask: Any, time: Any) -> tuple[Any, Any]:
        """0 in place of the outputs of masked steps before which there is no other, or of all of them."""
        if mask is None:
            return outputs, tf.where(time > 0, last, tf.zeros_like(last))
        begun = tf.cumsum(tf.cast(mask, tf.int32), axis=1, reverse=self.go_backwards) > 0
        shown = mask if self.zero_output_for_mask else begun
        outputs = tf.where(shown[:, :, None], outputs, tf.zeros_like(outputs))
        return outputs, tf.where(tf.reduce_any(mask, axis=1)[:, None], last, tf.zeros_like(last))

    def compute_mask(self, sequences: Any, mask: Any = None) -> Any:
        """The mask of the inputs for a sequence of outputs, none for the rest."""
        output = mask if self.return_sequences else None
        return (
            (output, self.cell.state_type(*(None for _ in self.cell.state_size)))
            if self.return_state
            else output
        )

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        """The shapes of what `call` gives out."""
        batch, time, _ = check_shape(self, sequences_shape)
        size = self.cell.output_size
        output = (batch, time, size) if self.return_sequences else (batch, size)
        state = self.cell.state_type(*((batch, size) for size in self.cell.state_size))
        return (output, state) if self.return_state else output

    def get_config(self) -> dict[str, Any]:
        """The arguments, for Keras' serialisation."""
        return {
            **super().get_config(),
            "cell": keras.saving.serialize_keras_object(self.cell),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "zero_output_for_mask": self.zero_output_for_mask,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Recurrent:
        """The layer of a configuration."""
        return cls(**{**config, "cell": revived(config["cell"])})


def check_cell(cell: Any) -> None:
    """Raises UsageError unless a cell splits its step as this package needs it."""
    lacking = [name for name in PROTOCOL if not hasattr(cell, name)]
    if lacking or not isinstance(cell, keras.layers.Layer):
        raise UsageError(
            f"{type(cell).__name__} does not split its step as the cells of seqkit.cells do: "
            f"it has no {', '.join(lacking) or 'weights of Keras'}; "
            "a cell of Keras runs in keras.layers.RNN, or is converted by seqkit.cells.from_keras"
        )


def check_shape(layer: Any, shape: Any) -> tuple[int | None, int | None, int | None]:
    """The shape of sequences.

    Raises:
        UsageError: if it is not (batch, time, features).
    """
    if len(shape) != 3:
        raise UsageError(f"{layer.name} takes sequences of shape (batch, time, features), not {tuple(shape)}")
    batch, time, features = shape
    return batch, time, features


def checked_mask(layer: Any, mask: Any) -> Any:
    """A mask as booleans; None for none.

    Raises:
        UsageError: if it is not (batch, time).
    """
    if mask is None:
        return None
    mask = tf.cast(mask, tf.bool)
    if mask.shape.rank != 2:
        raise UsageError(f"{layer.name} takes a mask of shape (batch, time), not {tuple(mask.shape)}")
    return mask


def as_state(layer: Any, state_type: Any, given: Any) -> Any:
    """A state by its names.

    Raises:
        UsageError: if it has not as many parts as there are names.
    """
    parts = list(given) if isinstance(given, list | tuple) else [given]
    if len(parts) != len(state_type._fields):
        raise UsageError(
            f"the initial state of {layer.name} has the parts {', '.join(state_type._fields)}; "
            f"{len(parts)} were given"
        )
    return state_type(*parts)
