"""A recurrence on CPU: the sequences of a batch shared out over the cores, each of which runs its own loop.

A step's product is small, and two cores that share it spend their time on waiting for each other. So each
core takes a part of the batch. Where it pays (`seqkit.layers.kernels.selection.choose`) the loops are
compiled by XLA, which fuses what a step does besides its product; that takes under a second for each shape.

In shards, arrays are (shards, batch / shards, time, size), or (shards, batch / shards, size): they lie in
memory as those of the batch do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from seqkit._processors import available_cores
from seqkit.cells.numerics import slope_by_kernel
from seqkit.layers.kernels.loops import Form, Loops, form_of, learned_of, loops_of, take
from seqkit.layers.kernels.passage import Passage

LEAST = 4
"""Sequences that a core takes at least: with fewer a step is a product of a matrix with hardly any rows."""


def run_sharded(cell: Any, passage: Passage, compiled: bool, keep: bool) -> tuple[Any, Any]:
    """Runs a cell along sequences.

    Args:
        cell: of `seqkit.layers.kernels.loops.CELLS`.
        passage: what it is run along.
        compiled: compile the loops by XLA.
        keep: what a gradient needs; one that is taken without it runs the loops forwards again.

    Returns:
        As `seqkit.layers.unroll.unroll`.
    """
    sequences, state, constants, zoneout, mask, reverse = passage
    form = form_of(cell, constants, zoneout, mask is not None, reverse, compiled)
    layout = Layout.of(sequences, compiled)
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
        keep,
    )
    parts = zip(map(layout.gather, last), state, strict=True)
    new = type(state)(*(tf.ensure_shape(part, old.shape) for part, old in parts))
    hidden = layout.gather(hidden)
    if layout.room is not layout.steps:
        hidden = hidden[:, : layout.steps]
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
    def of(cls, sequences: Any, compiled: bool) -> Layout:
        """That of sequences, (batch, time, …): a shard for each core where the batch can be shared evenly."""
        batch, steps = tf.unstack(tf.shape(sequences)[:2])
        cores = tf.range(1, available_cores() + 1)
        fit = tf.logical_and(batch % cores == 0, batch // cores >= LEAST)
        shards = tf.maximum(tf.reduce_max(tf.where(fit, cores, 1)), 1)
        room = steps
        if sequences.shape[1] is None or (compiled and tf.executing_eagerly()):
            # Loops are compiled for a length, so lengths that may vary are rounded up.
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
    keep: bool,
) -> Any:
    """The hidden part of the state after every step, and each part of it after the last one, with a gradient.

    A gradient in another graph than this, as in a SavedModel, runs the loops forwards again: what is kept is
    in packs, which stay in theirs.

    Args:
        form: of the loops.
        layout: of the shards.
        projected: projected inputs.
        state: each part of the state before the first step.
        weights: kernels and vectors.
        extras: what `Form` says of mask, mask of recurrent dropout and zoneout.
        keep: what a gradient needs.
    """
    parts = len(form.sizes)

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def recur(projected: Any, *learned: Any) -> Any:
        shards = _Shards(form, layout, projected, learned[:parts], learned[parts:], extras)
        home = _graph()
        if keep:
            states, packs, *last = shards.forward()
        else:
            states, *last = shards.run()

        def slopes(hidden: Any, *last: Any) -> list[Any]:
            kept = packs if keep and _graph() is home else shards.forward()[1]
            return shards.backward(states, kept, hidden, last)

        return (states, *last), slopes

    return recur(projected, *state, *weights)


def _graph() -> Any:
    """The graph that operations are put in; None if they are run at once."""
    return None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()


@dataclass(frozen=True)
class _Shards:
    """The loops of a batch, as in `_recur`."""

    form: Form
    layout: Layout
    projected: Any
    state: Sequence[Any]
    weights: Sequence[Any]
    extras: list[Any]

    @property
    def _loops(self) -> Loops:
        return loops_of(self.form)

    @property
    def _given(self) -> list[Any]:
        return [*self.state, *self.extras]

    def run(self) -> list[Any]:
        """The hidden part of the state after every step, and each part of the state after the last step."""
        return self._forwards(self._loops.run)

    def forward(self) -> list[Any]:
        """As `run`, and second the packs of what `backward` needs."""
        return self._forwards(self._loops.forward)

    def _forwards(self, loop: Any) -> list[Any]:
        return _each_shard(loop, [self.projected, *self._given], [self.layout.steps, *self.weights])

    def backward(self, states: Any, packs: Any, hidden: Any, last: Sequence[Any]) -> list[Any]:
        """The gradients by projected inputs, state and weights.

        Args:
            states: from `forward` or `run`.
            packs: from `forward`.
            hidden: gradient by the hidden part of the state after every step.
            last: gradient by each part of the state after the last step.
        """
        loops, count = self._loops, len(self.form.kernels)
        inputs = [] if loops.wiring.summed else [self.projected]
        kernels, vectors = self.weights[:count], self.weights[count:]
        if self.form.transposed:  # once, by all cores: XLA would do it number by number, for each shard
            with tf.control_dependencies([hidden]):  # beside the products forwards it would delay them
                kernels = [tf.transpose(kernel) for kernel in kernels]
        arrays = [*inputs, *self._given, states, packs, hidden, *last]
        found, *more = _each_shard(loops.backward, arrays, [self.layout.steps, *kernels, *vectors])
        with tf.control_dependencies([found]):  # when there is room: the packs are not needed any more
            slopes = iter(_each_shard(loops.arrays, [found], []))
            factors = [self._before(states)] if loops.wiring.direct else []
        by_inputs = take(slopes, len(inputs))
        factors += take(slopes, count - len(factors))
        products = list(slopes)
        by_kernels = [_sum_of_products(f, p) for f, p in zip(factors, products, strict=True)]
        by_state, by_vectors = more[: len(self.state)], more[len(self.state) :]
        by_vectors = [tf.reduce_sum(vector, axis=0) for vector in by_vectors]
        return [*(by_inputs or products[:1]), *by_state, *by_kernels, *by_vectors]

    def _before(self, states: Any) -> Any:
        return self.layout.before(states, self.state[0], self.form.reverse)


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
