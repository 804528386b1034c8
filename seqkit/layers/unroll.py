"""The loop over time, for any cell of the split protocol."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def unroll(
    cell: Any, projected: Any, state: Any, constants: Any, zoneout: Any, mask: Any, reverse: bool
) -> tuple[Any, Any]:
    """Runs the steps of a sequence, one after the other.

        state⟨t⟩ = step(projected⟨t⟩, state⟨t-1⟩)     where mask⟨t⟩, else state⟨t-1⟩

    Everything is indexed by its place in time, in both directions: in `reverse` the step at the last place is
    the first one, and state⟨t⟩ follows from state⟨t+1⟩. The gradient comes from that of the loop.

    Args:
        cell: what has the `step`.
        projected: `cell.project_inputs` of all steps, (batch, time, gates · units).
        state: the state before the first step, of the type `cell.state_type`.
        constants: `cell.constants` of the sequence.
        zoneout: `cell.zoneout_masks` of (time, batch): None, or a state whose parts are None, a rate, or
            masks (time, batch, size).
        mask: (batch, time), False for the steps to leave out; None to leave out none.
        reverse: begin at the end.

    Returns:
        The hidden part of state⟨t⟩ at every place, (batch, time, hidden), and the state after the last step.
        At a place that is left out it is that of the step before, at first the one that was given.
    """
    static = projected.shape[1]
    if static == 0:
        return tf.zeros([tf.shape(projected)[0], 0, state.hidden.shape[-1]], state.hidden.dtype), state
    time = tf.shape(projected)[1] if static is None else static
    inputs = tf.TensorArray(projected.dtype, time, element_shape=projected.shape[:1] + projected.shape[2:])
    inputs = inputs.unstack(tf.transpose(projected, [1, 0, 2]))
    there = None if mask is None else tf.transpose(mask)[:, :, None]

    def advance(count: Any, state: Any, outputs: Any) -> tuple[Any, Any, Any]:
        t = time - 1 - count if reverse else count
        new = cell.step(inputs.read(t), state, constants, _at(zoneout, t))
        if there is not None:
            new = type(state)(*(tf.where(there[t], n, old) for n, old in zip(new, state, strict=True)))
        return count + 1, new, outputs.write(t, new.hidden)

    # An array of no elements cannot be stacked where the number of sequences is unknown, so it has one.
    size = tf.maximum(time, 1) if static is None else time
    outputs = tf.TensorArray(state.hidden.dtype, size, element_shape=state.hidden.shape)
    if static is None:
        outputs = outputs.write(0, state.hidden)
    _, state, outputs = tf.while_loop(
        lambda count, *_: count < time, advance, (0, state, outputs), maximum_iterations=time
    )
    hidden = tf.transpose(outputs.stack(), [1, 0, 2])
    return (hidden[:, :time] if static is None else hidden), state


def _at(zoneout: Any, t: Any) -> Any:
    """The zoneout of one step."""
    if zoneout is None:
        return None
    return type(zoneout)(*(part[t] if tf.is_tensor(part) and part.shape.rank else part for part in zoneout))
