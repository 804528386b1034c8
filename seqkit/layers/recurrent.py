"""A cell along a sequence, as a Keras layer."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from seqkit.cells import Cell
from seqkit.cells.tracking import track_items
from seqkit.errors import UsageError
from seqkit.layers.kernels.passage import Passage
from seqkit.layers.kernels.selection import run
from seqkit.layers.sequence import Course, SequenceLayer, checked_tensor, hide_masked
from seqkit.layers.serialisation import revived

PROTOCOL = ("constants", "project_inputs", "zoneout_masks", "step", "project_outputs", "get_initial_state")
"""What a cell must have, beside `state_type`, `state_size` and `output_size`."""


@keras.saving.register_keras_serializable(package="seqkit")
class Recurrent(SequenceLayer):
    """Runs a cell over sequences, (batch, time, features).

    A masked step is left out: the state stays as it was and the output is that of the step before, 0 at
    first, as in Keras. Any step of any sequence may be masked, or all of them.

    Args:
        cell: of `seqkit.cells`, or any other layer that splits its step as they do (`seqkit.cells.Cell`).
        return_sequences: give out all outputs, (batch, time, size), in place of the last one, (batch, size).
        return_state: give out the state after the last step, too, by name: `output, state = layer(x)`,
            `state.hidden`.
        go_backwards: begin at the last step. The outputs are in the order in which they are computed, that of
            the first step last, as in Keras.
        stateful: begin where the last batch ended, sequence by sequence, until `reset_state`. The states are
            carried in variables that are not trained, so the number of sequences is fixed.
        zero_output_for_mask: the output of a masked step is 0, with `return_sequences`.
        options: Keras' own `name`, `dtype` (that of the cell by default) and `trainable`.

    Raises:
        UsageError: if the cell does not split its step, or has an `activity_regularizer`.
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
        _check_cell(cell)
        options = {"dtype": cell.dtype_policy, **options}
        super().__init__(return_sequences=return_sequences, return_state=return_state, **options)
        self.cell = cell
        self.go_backwards, self.stateful = bool(go_backwards), bool(stateful)
        self.zero_output_for_mask = bool(zero_output_for_mask)

    @property
    def output_size(self) -> int:
        """The length of an output."""
        return int(self.cell.output_size)

    @property
    def state_size(self) -> Any:
        """The length of each part of the state, by name."""
        return self.cell.state_type(*self.cell.state_size)

    @property
    def cells(self) -> tuple[Any, ...]:
        """The cell."""
        return (self.cell,)

    @property
    def looks_ahead(self) -> bool:
        """Whether the output of a step depends on inputs that come after it."""
        return self.go_backwards

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Makes the weights of the cell, and the variables of carried states.

        Raises:
            UsageError: if states are to be carried between batches of unknown size.
        """
        batch, _, features = self._dimensions(sequences_shape)
        if not self.cell.built:
            self.cell.build((batch, features))
        if not self.stateful:
            return
        if batch is None:
            raise UsageError(
                f"{self.name} is stateful and needs a fixed number of sequences: "
                "keras.Input(batch_shape=(batch, time, features))"
            )
        fixed: Any = {"initializer": "zeros", "trainable": False}
        self._carried = [
            self.add_weight(name=f"carried_{part}", shape=(batch, size), **fixed)
            for part, size in self.state_size._asdict().items()
        ]
        track_items(self, "carried", self._carried)
        # Not only zeros in `carried`: an initial state that is learned has to be seen by the gradient.
        self._begun = self.add_weight(name="begun", shape=(), dtype="int32", **fixed)

    def run(self, sequences: Any, initial_state: Any, mask: Any, training: bool) -> Course:
        """All that may be given out; see `SequenceLayer`."""
        cell = self.cell
        if isinstance(cell, Cell) and sequences.shape[2] not in (None, cell.kernel.shape[0]):
            raise UsageError(f"{self.name} takes {cell.kernel.shape[0]} features, not {sequences.shape[2]}")
        batch, time = (
            size if static is None else static
            for static, size in zip(sequences.shape[:2], tf.unstack(tf.shape(sequences)[:2]), strict=True)
        )
        state = self._first_state(sequences.shape[0], batch, initial_state)
        constants = cell.constants(batch, training)
        zoneout = cell.zoneout_masks((time, batch), training)
        passage = Passage(sequences, state, constants, zoneout, mask, self.go_backwards)
        hidden, state = run(cell, passage, training)
        if self.stateful:
            for variable, part in zip([*self._carried, self._begun], [*state, 1], strict=True):
                variable.assign(part)
        outputs, last = cell.project_outputs(hidden), cell.project_outputs(state.hidden)
        return Course(*self._cast((*self._without_masked(outputs, last, mask), state)))

    def _first_state(self, static: int | None, batch: Any, given: Any) -> Any:
        """The state before the first step, in the cell's dtype.

        Args:
            static: number of sequences, as far as it is known before they come.
            batch: number of sequences.
            given: the state that was given; None if there was none.
        """
        if self.stateful:
            carried = self._carried[0].shape[0]
            told = f"{self.name} carries the states of {carried} sequences, not of"
            if static not in (None, carried):
                raise UsageError(f"{told} {static}")
            if static is None:
                batch = checked_tensor(batch, batch, carried, f"{told} as many as there are")
        if given is not None:
            state = self._named(given, static)
        else:
            state = self.cell.get_initial_state(batch)
            if self.stateful:
                state = self._carried_on(state)
        return type(state)(
            *(
                tf.ensure_shape(tf.cast(part, self.cell.compute_dtype), [static, size])
                for part, size in zip(state, self.state_size, strict=True)
            )
        )

    def _carried_on(self, initial: Any) -> Any:
        """The state that the last batch has left; the initial one if there was none."""
        begun = tf.cast(self._begun, tf.bool)
        carried = (tf.cast(variable, initial.hidden.dtype) for variable in self._carried)
        return type(initial)(*(tf.where(begun, c, first) for c, first in zip(carried, initial, strict=True)))

    def _named(self, given: Any, batch: int | None) -> Any:
        """An initial state by its names.

        Raises:
            UsageError: if it has other parts or shapes.
        """
        parts = list(given) if isinstance(given, list | tuple) else [given]
        sizes = self.state_size
        if len(parts) != len(sizes):
            raise UsageError(
                f"the initial state of {self.name} is {', '.join(sizes._fields)}, not {len(parts)} parts"
            )
        parts = [part if hasattr(part, "shape") else np.asarray(part) for part in parts]
        for (name, size), part in zip(sizes._asdict().items(), parts, strict=True):
            if not tf.TensorShape([batch, size]).is_compatible_with(part.shape):
                raise UsageError(
                    f"the initial {name} of {self.name} must be ({batch}, {size}), not {tuple(part.shape)}"
                )
        return type(sizes)(*parts)

    def _without_masked(self, outputs: Any, last: Any, mask: Any) -> tuple[Any, Any]:
        """0 where there is no output: before the first step that is not masked, or at all masked steps."""
        if mask is None and outputs.shape[1]:
            return outputs, last
        if mask is None:
            any_step = tf.shape(outputs)[1] > 0
        else:
            begun = tf.cumsum(tf.cast(mask, tf.int32), axis=1, reverse=self.go_backwards) > 0
            outputs = hide_masked(outputs, mask if self.zero_output_for_mask else begun)
            any_step = tf.reduce_any(mask, axis=1)[:, None]
        return outputs, tf.where(any_step, last, tf.zeros_like(last))

    def load_own_variables(self, store: Any) -> None:
        """Takes back carried states; where those are of another number of sequences, they begin anew.

        So weights that were trained on many sequences can serve one.
        """
        own = [*self._carried, self._begun] if self.stateful else []
        saved = [store[str(number)] for number in range(len(store.keys()))]
        if [tuple(each.shape) for each in saved] == [tuple(each.shape) for each in own]:
            super().load_own_variables(store)
        else:
            self.reset_state()

    def reset_state(self) -> None:
        """Lets the next batch begin with the initial state, where states are carried."""
        if self.stateful and self.built:
            self._begun.assign(0)

    def get_config(self) -> dict[str, Any]:
        """The arguments, for Keras' serialisation."""
        return {
            **super().get_config(),
            "cell": keras.saving.serialize_keras_object(self.cell),
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "zero_output_for_mask": self.zero_output_for_mask,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Recurrent:
        """The layer of a configuration."""
        return cls(**{**config, "cell": revived(config["cell"])})


def _check_cell(cell: Any) -> None:
    """Raises UsageError unless a cell splits its step as this layer needs it."""
    lacking = [name for name in PROTOCOL if not hasattr(cell, name)]
    if lacking or not isinstance(cell, keras.layers.Layer):
        raise UsageError(
            f"{type(cell).__name__} does not split its step as the cells of seqkit.cells do: "
            f"it has no {', '.join(lacking) or 'weights of Keras'}; "
            "a cell of Keras runs in keras.layers.RNN, or is converted by seqkit.cells.from_keras"
        )
    if cell.activity_regularizer is not None:  # of a cell that is called; here only its parts are
        raise UsageError(f"the activity_regularizer of {cell.name} belongs to the layer around it")
