"""A recurrence on CPU: the sequences of a batch shared out over the cores, each of which runs its own loop.

A step's product is small, and two cores that share it spend their time on waiting for each other. So each
core takes a part of the batch. In training the loops are compiled by XLA, which fuses what a step does
besides its product; a loop is compiled in under a second, once for each shape.

In shards, arrays are (shards, batch / shards, time, size), or (shards, batch / shards, size): they lie in
memory as those of the batch do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from seqkit._processors import available_cores
from seqkit.cells.numerics import slope_by_kernel
from seqkit.layers.kernels.loops import Form, form_of, learned_of, loops_of, take
from seqkit.layers.kernels.passage import Passage

LEAST = 4
"""Sequences that a core takes at least: with fewer a step is a product of a matrix with hardly any rows."""


def run_sharded(cell: Any, passage: Passage, compiled: bool) -> tuple[Any, Any]:
    """Runs a cell along sequences.

    Args:
        cell: of `seqkit.layers.kernels.loops.CELLS`.
        passage: what it is run along.
        compiled: compile the loops by XLA.

    Returns:
        As `seqkit.layers.unroll.unroll`.
    """
    sequences, state, constants, zoneout, mask, reverse = passage
    form = form_of(cell, constants, zoneout, mask is not None, reverse, compiled)
    layout = Layout.of(sequences)
    extras = [] if mask is None else [layout.share_steps(mask)]
    floats = [] if constants.mask is None else [layout.share(constants.mask)]
    if zoneout is not None:
        masks = [part for part in zoneout if tf.is_tensor(part)]
        floats += [layout.share_steps(tf.transpose(part, [1, 0, 2])) for part in masks]
    learned = learned_of(cell, constants)
    hidden, *last = _recur(
        form,
        layout,
        layout.share_steps(cell.begin_inputs(sequences)),
        [layout.share(part) for part in state],
        [learned[name] for name, _ in form.kernels + form.vectors],
        extras + floats,
    )
    parts = zip(map(layout.gather, last), state, strict=True)
    new = type(state)(*(tf.ensure_shape(part, old.shape) for part, old in parts))
    hidden = layout.gather(hidden)[:, : layout.steps]
    return tf.ensure_shape(hidden, [*sequences.shape[:2], state.hidden.shape[1]]), new


@dataclass(frozen=True)
class Layout:
    """How a batch of sequences lies in shards.

    Args:
        batch: number of sequences.
        steps: number of steps.
        shards: how many parts the batch is in.
        room: length of the arrays in time, at least `steps`.
    """

    batch: Any
    steps: Any
    shards: Any
    room: Any

    @classmethod
    def of(cls, sequences: Any) -> Layout:
        """That of sequences, (batch, time, …): a shard for each core where the batch can be shared evenly."""
        batch, steps = tf.unstack(tf.shape(sequences)[:2])
        cores = tf.range(1, available_cores() + 1)
        fit = tf.logical_and(batch % cores == 0, batch // cores >= LEAST)
        shards = tf.maximum(tf.reduce_max(tf.where(fit, cores, 1)), 1)
        room = steps
        if sequences.shape[1] is None:
            # Loops are compiled for a length, so lengths that vary are rounded up.
            unit = tf.where(steps <= 128, 8, tf.where(steps <= 1024, 64, 512))
            room = tf.maximum((steps + unit - 1) // unit, 1) * unit
        return cls(batch, steps, shards, room)

    def share(self, values: Any) -> Any:
        """(batch, …) → (shards, batch / shards, …)."""
        first = [self.shards, self.batch // self.shards]  # -1 cannot be told where there are no steps
        return tf.reshape(values, tf.concat([first, tf.shape(values)[1:]], axis=0))

    def gather(self, values: Any) -> Any:
        """(shards, batch / shards, …) → (batch, …)."""
        return tf.reshape(values, tf.concat([[self.batch], tf.shape(values)[2:]], axis=0))

    def share_steps(self, values: Any) -> Any:
        """(batch, time, …) → (shards, batch / shards, room, …)."""
        if self.room is not self.steps:
            further = [[0, 0]] * (values.shape.rank - 2)
            values = tf.pad(values, [[0, 0], [0, self.room - self.steps], *further])
        return self.share(values)

    def before(self, states: Any, first: Any, reverse: bool) -> Any:
        """The states before each step, (batch, room, …), from those after it and the one before the first."""
        states, first = self.gather(states), self.gather(first)[:, None]
        if reverse:
            return tf.concat(
                [states[:, 1 : self.steps], first, states[:, tf.maximum(self.steps, 1) :]], axis=1
            )
        return tf.concat([first, states[:, :-1]], axis=1)


def _recur(
    form: Form,
    layout: Layout,
    projected: Any,
    state: list[Any],
    weights: list[Any],
    extras: list[Any],
) -> Any:
    """The hidden part of the state after every step, and each part of it after the last one, with a gradient.

    Args:
        form: of the loops.
        layout: of the shards.
        projected: projected inputs.
        state: each part of the state before the first step.
        weights: kernels and vectors.
        extras: what `Form` says of mask, mask of recurrent dropout and zoneout.
    """
    loops, parts, kernels = loops_of(form), len(form.sizes), len(form.kernels)
    wiring = loops.wiring
    end = tf.constant(0) if form.reverse else tf.maximum(layout.steps - 1, 0)

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def recur(projected: Any, *learned: Any) -> Any:
        state, weights = learned[:parts], learned[parts:]
        given, constants = [*state, *extras], [layout.steps, *weights]
        tape = _each_shard(loops.forward, [projected, *given], constants)
        last = [states[:, :, end] for states in tape[:parts]]
        last = [tf.where(layout.steps > 0, new, old) for new, old in zip(last, state, strict=True)]

        def slopes(hidden: Any, *last: Any) -> list[Any]:
            inputs = [] if wiring.summed else [projected]
            multiplied = list(weights[:kernels])
            if form.transposed:  # once, by all cores: XLA would do it number by number, for each shard
                multiplied = [tf.transpose(kernel) for kernel in multiplied]
            constants = [layout.steps, *multiplied, *weights[kernels:]]
            found = iter(_each_shard(loops.backward, [*inputs, *given, *tape, hidden, *last], constants))
            by_inputs, by_state = take(found, len(inputs)), take(found, parts)
            factors = [layout.before(tape[0], state[0], form.reverse)] if wiring.direct else []
            factors += take(found, kernels - len(factors))
            products = take(found, kernels)
            by_kernels = [_sum_of_products(f, p) for f, p in zip(factors, products, strict=True)]
            by_vectors = [tf.reduce_sum(vector, axis=0) for vector in found]
            return [*(by_inputs or products[:1]), *by_state, *by_kernels, *by_vectors]

        return (tape[0], *last), slopes

    return recur(projected, *state, *weights)


def _each_shard(loop: Any, arrays: list[Any], constants: list[Any]) -> list[Any]:
    """A loop over each shard, all at once. TensorFlow shares out no more; XLA does, to a core that waits."""
    return list(
        tf.raw_ops.MapDefun(
            arguments=arrays,
            captured_inputs=constants,
            output_types=[output.dtype for output in loop.outputs],
            output_shapes=[output.shape for output in loop.outputs],
            f=loop,
            max_intra_op_parallelism=1,
        )
    )


def _sum_of_products(factors: Any, products: Any) -> Any:
    """Σ factorᵀ product over shards, time and batch."""
    flat = [tf.reshape(values, [-1, values.shape[-1]]) for values in (factors, products)]
    return slope_by_kernel(*flat)
