"""The loop over time of a cell, forwards and backwards, with the large products taken out of it.

The cell's own `step` is what both run. Forwards a loop keeps the states and the products W_a a⟨t-1⟩.
Backwards it goes through the steps again from what was kept, without the products, and differentiates each
step: that gives the gradient by every product, d⟨t⟩, and by the state before it, d⟨t⟩ W_aᵀ and what the step
itself passes on. The gradient by the weights is left to one product over all steps, Σ a⟨t-1⟩ᵀ d⟨t⟩.

What a loop writes for each step is moved through memory several times, which on long sequences of few units
takes as long as the products. So nothing is written twice: where a step sees the projected inputs and the
first product only as a sum, the sum is kept and has one gradient; and a⟨t-1⟩ is what the loop forwards kept.

Arrays here are (batch, time, size), as everywhere: a step that finds its rows apart in memory costs less than
to put all rows into the order of time first. Those of bfloat16 are given and kept as `WORDS`; a step
computes in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import tensorflow as tf

# An array that is written in place: TensorFlow exports none for XLA but TensorArray, and there the first axis
# is time.
from tensorflow.compiler.tf2xla.ops.gen_xla_ops import xla_dynamic_update_slice

WORDS = tf.uint16
"""What XLA gets arrays of bfloat16 as: as such it would copy a whole array to write a step's row."""


class Frame(NamedTuple):
    """What a sequence is run with, and no gradient goes to.

    Args:
        steps: how many steps there are; arrays may be longer.
        mask: (batch, time), False for the steps to leave out; None to leave out none.
        dropped: mask of recurrent dropout, (batch, hidden); None for none.
        zoneout: a mask, (batch, time, size), or a rate for each part of the state; None for no zoneout.
    """

    steps: Any
    mask: Any
    dropped: Any
    zoneout: Any


class Tape(NamedTuple):
    """What a loop forwards keeps.

    Args:
        states: each part of the state after every step, (batch, time, size).
        products: each product of a kernel, (batch, time, columns); the first with the projected inputs added,
            where the step is `Wiring.summed`.
    """

    states: list[Any]
    products: list[Any]


class Slopes(NamedTuple):
    """Gradients that a loop backwards gives.

    Args:
        projected: by the projected inputs, (batch, time, gates · units); none where the step is
            `Wiring.summed`, since it is that by the first product.
        state: by each part of the state before the first step, (batch, size).
        factors: what each kernel was multiplied with, (batch, time, rows); not for the first one where it is
            `Wiring.direct`.
        products: by each product, (batch, time, columns): the gradient by a kernel is Σ factorᵀ product.
        vectors: by each of the other constants.
    """

    projected: list[Any]
    state: list[Any]
    factors: list[Any]
    products: list[Any]
    vectors: list[Any]


class Wiring(NamedTuple):
    """What a step does with its first product.

    Args:
        summed: it is only used in a sum with the projected inputs.
        direct: it is that of a⟨t-1⟩ itself.
    """

    summed: bool
    direct: bool


@dataclass(frozen=True)
class Recurrence:
    """The loops of one cell.

    Args:
        cell: of `seqkit.cells`.
        kernels: name and shape of each constant that is multiplied with, in the order of their use.
        vectors: names of the other constants that are learned, those of `Cell.input_constants` among them.
        constants: the type of the cell's constants.
        reverse: begin at the last step.
        wiring: of the cell's step.
        compiled: by XLA.
    """

    cell: Any
    kernels: tuple[tuple[str, tuple[int, int]], ...]
    vectors: tuple[str, ...]
    constants: Any
    reverse: bool
    wiring: Wiring
    compiled: bool

    def forward(
        self,
        projected: Any,
        state: Sequence[Any],
        kernels: Sequence[Any],
        vectors: Sequence[Any],
        frame: Frame,
        keep: bool,
    ) -> tuple[Tape, list[Any]]:
        """Runs all steps.

        Args:
            projected: `Cell.begin_inputs` of all steps, (batch, time, gates · units); with layer
                normalisation the loop finishes them.
            state: each part of the state before the first step, (batch, size).
            kernels: each (rows, columns).
            vectors: the other constants.
            frame: what else there is.
            keep: what a gradient needs; else of the tape there is only the hidden part of the states.

        Returns:
            The tape, and each part of the state after the last step, (batch, size).
        """
        time, parts = tf.shape(projected)[1], len(state)
        widths = [*(part.shape[-1] for part in state), *(kernel.shape[-1] for kernel in kernels)]
        kept = [_array(projected, width, self.compiled) for width in (widths if keep else widths[:1])]

        def advance(
            count: Any, ahead: list[Any], state: list[Any], kept: list[Any]
        ) -> tuple[Any, list[Any], list[Any], list[Any]]:
            t, products = self._place(count, frame), []
            inputs = ahead[0] if ahead else self._row(projected, t)

            def noted(kernel: Any) -> Any:
                def multiply(values: Any) -> Any:
                    products.append(_product(values, kernel))
                    return products[-1]

                return multiply

            here = self._inputs(inputs, vectors)
            constants = self._constants([noted(kernel) for kernel in kernels], vectors, frame)
            new = self._step(here, state, constants, frame, t)
            if self.wiring.summed:
                products[0] += here
            values = [*new, *products][: len(kept)]
            kept = [_write(array, t, value) for array, value in zip(kept, values, strict=True)]
            return count + 1, self._ahead(projected, count + 1, frame), new, kept

        _, _, last, kept = tf.while_loop(
            lambda count, *_: count < frame.steps,
            advance,
            (0, self._ahead(projected, 0, frame), list(state), kept),
            maximum_iterations=time,
        )
        arrays = [_whole(array) for array in kept]
        return Tape(arrays[:parts], arrays[parts:]), last

    def backward(
        self,
        projected: Sequence[Any],
        state: Sequence[Any],
        kernels: Sequence[Any],
        vectors: Sequence[Any],
        frame: Frame,
        tape: Tape,
        hidden: Any,
        last: Sequence[Any],
    ) -> Slopes:
        """Gradients, by those of the results.

        Args:
            projected: the projected inputs; none where the step is `Wiring.summed`.
            state: as in `forward`.
            kernels: each transposed, (columns, rows); but as in `forward` if steps compute in another type.
            vectors: as in `forward`.
            frame: as in `forward`.
            tape: what `forward` gave.
            hidden: gradient by the hidden part of the state after every step, (batch, time, hidden).
            last: gradient by each part of the state after the last step, (batch, size).
        """
        time, skipped = tf.shape(hidden)[1], int(self.wiring.direct)
        shapes, vectors = [vector.shape for vector in vectors], [_of_each(v, last[0]) for v in vectors]

        def retreat(
            count: Any, slope: list[Any], sums: list[Any], kept: list[Any]
        ) -> tuple[Any, list[Any], list[Any], list[Any]]:
            t = self._place(count - 1, frame)
            before = self._before(count - 1, t, tape.states, state)
            products, factors = [self._row(array, t) for array in tape.products], []
            inputs = [self._row(array, t) for array in projected]
            here = tf.zeros_like(products[0]) if self.wiring.summed else self._inputs(inputs[0], vectors)

            def known(result: Any, kernel: Any) -> Any:
                def multiply(values: Any) -> Any:
                    factors.append(values)
                    return _known_product(values, result, kernel)

                return multiply

            known_kernels = [known(p, kernel) for p, kernel in zip(products, kernels, strict=True)]
            constants = self._constants(known_kernels, vectors, frame)
            new = self._step(here, before, constants, frame, t)
            slope = [slope[0] + self._row(hidden, t), *slope[1:]]
            wanted = [before, inputs + products, list(vectors)]
            slope, slopes, more = _gradients(new, wanted, slope)
            values = [*slopes, *factors[skipped:]]
            sums = [total + part for total, part in zip(sums, more, strict=True)]
            kept = [_write(array, t, value) for array, value in zip(kept, values, strict=True)]
            return count - 1, slope, sums, kept

        widths = [array.shape[-1] for array in (*projected, *tape.products)]
        widths += [rows for _, (rows, _) in self.kernels[skipped:]]
        kept = [_array(hidden, width, self.compiled) for width in widths]
        sums = [tf.zeros_like(vector) for vector in vectors]
        _, slope, sums, kept = tf.while_loop(
            lambda count, *_: count > 0,
            retreat,
            (frame.steps, list(last), sums, kept),
            maximum_iterations=time,
        )
        arrays = [_whole(array) for array in kept]
        sums = [
            tf.reduce_sum(total, 0) if shape.rank == 1 else total
            for total, shape in zip(sums, shapes, strict=True)
        ]
        split = (len(projected), len(projected) + len(kernels))
        return Slopes(arrays[: split[0]], slope, arrays[split[1] :], arrays[split[0] : split[1]], sums)

    def _place(self, count: Any, frame: Frame) -> Any:
        """Where in time a step is."""
        return frame.steps - 1 - count if self.reverse else count

    def _ahead(self, array: Any, count: Any, frame: Frame) -> list[Any]:
        """What an array has for a step, or for the one next to it where there is no such step; if compiled.

        A compiled loop forwards that reads one step ahead, and hands on what it has read, takes a fifth to
        nearly half less time: of a row that lies still XLA takes the gates with the whole width of the
        processor, but number by number where it has to find the row, too.
        """
        if not self.compiled:
            return []
        place = tf.clip_by_value(self._place(count, frame), 0, tf.shape(array)[1] - 1)
        return [self._row(array, place)]

    def _row(self, array: Any, t: Any) -> Any:
        """What an array has for a step, in the type that steps compute in."""
        # A slice is four operations to TensorFlow, and one to XLA.
        row = array[:, t] if self.compiled else tf.gather(array, t, axis=1)
        return tf.cast(from_words(row), self.cell.compute_dtype)

    def _before(self, count: Any, t: Any, states: Sequence[Any], first: Sequence[Any]) -> list[Any]:
        """The state before a step."""
        place = tf.minimum(t + 1, tf.shape(states[0])[1] - 1) if self.reverse else tf.maximum(t - 1, 0)
        rows = [self._row(array, place) for array in states]
        return [tf.where(count == 0, part, row) for part, row in zip(first, rows, strict=True)]

    def _constants(self, kernels: Sequence[Any], vectors: Sequence[Any], frame: Frame) -> Any:
        multiplied = {name: kernel for (name, _), kernel in zip(self.kernels, kernels, strict=True)}
        given = self._named(vectors) | multiplied | {"mask": frame.dropped}
        return self.constants(**{name: given.get(name) for name in self.constants._fields})

    def _inputs(self, here: Any, vectors: Sequence[Any]) -> Any:
        """The projected inputs of a step."""
        if not self.cell.layer_norm:
            return here
        named = self._named(vectors)
        return self.cell.finish_inputs(here, named["input_gain"], named["input_bias"])

    def _named(self, vectors: Sequence[Any]) -> dict[str, Any]:
        return dict(zip(self.vectors, vectors, strict=True))

    def _step(self, here: Any, before: Sequence[Any], constants: Any, frame: Frame, t: Any) -> list[Any]:
        """The state after a step; that before it where the step is left out."""
        state_type, zoneout = self.cell.state_type, frame.zoneout
        if zoneout is not None:
            zoneout = state_type(*(self._row(part, t) if tf.is_tensor(part) else part for part in zoneout))
        new = self.cell.step(here, state_type(*before), constants, zoneout)
        if frame.mask is None:
            return list(new)
        there = frame.mask[:, t, None]
        return [tf.where(there, part, old) for part, old in zip(new, before, strict=True)]


def wiring_of(
    cell: Any,
    constants: Any,
    kernels: Sequence[tuple[str, Any]],
    vectors: Sequence[tuple[str, Any]],
    dropped: bool,
) -> Wiring:
    """The wiring of a cell's step, seen from a step that is built and never run.

    Args:
        cell: of `seqkit.cells`.
        constants: the type of the cell's constants.
        kernels: name and shape of each constant that is multiplied with, in the order of their use.
        vectors: name and shape of each other constant that is learned.
        dropped: whether there is a mask of recurrent dropout.
    """
    batch, dtype = 2, cell.compute_dtype
    with tf.Graph().as_default():
        # Of known shapes, so that the gradients by the parts of a sum are one and the same tensor.
        projected = tf.zeros([batch, cell.units * len(cell.gates)], dtype)
        state = cell.state_type(*(tf.zeros([batch, size], dtype) for size in cell.state_size))
        products = [tf.zeros([batch, shape[1]], dtype) for _, shape in kernels]
        factors: list[Any] = []
        given = dict.fromkeys(constants._fields)

        def known(result: Any) -> Any:
            def multiply(values: Any) -> Any:
                factors.append(values)
                return result

            return multiply

        given |= {name: known(result) for (name, _), result in zip(kernels, products, strict=True)}
        given |= {name: tf.zeros(shape, dtype) for name, shape in vectors if name in given}
        given["mask"] = tf.ones_like(state.hidden) if dropped else None
        new = cell.step(projected, state, constants(**given), None)
        summed = tf.gradients(list(new), [projected, products[0]])
        return Wiring(summed[0] is summed[1], factors[0] is state.hidden)


def _gradients(results: Sequence[Any], wanted: Sequence[list[Any]], slopes: Sequence[Any]) -> list[list[Any]]:
    """The gradients by each list of what is wanted, by those of the results."""
    flat = [tensor for part in wanted for tensor in part]
    found = iter(tf.gradients(results, flat, slopes, unconnected_gradients="zero"))
    return [[next(found) for _ in part] for part in wanted]


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _known_product(values: Any, product: Any, kernel: Any) -> Any:
    """A product that is known, with the gradient that it has; by the kernel it has none here.

    The kernel is as `Recurrence.backward` is given it.
    """
    return tf.identity(product), lambda slope: (_product(slope, kernel, adj_y=True), slope, None)


def _product(values: Any, kernel: Any, adj_y: bool = False) -> Any:
    """values · kernel. Of a kernel of another type the factors are in that one, the sums are not.

    Args:
        values: (batch, rows).
        kernel: (rows, columns).
        adj_y: transpose a kernel of another type.
    """
    if values.dtype == kernel.dtype:
        return tf.matmul(values, kernel)
    factors = tf.cast(values, kernel.dtype)
    return tf.raw_ops.BatchMatMulV3(x=factors, y=kernel, Tout=values.dtype, adj_y=adj_y)


def from_words(array: Any) -> Any:
    """An array of bfloat16 where it is `WORDS`, else the array as it is."""
    return tf.bitcast(array, tf.bfloat16) if array.dtype == WORDS else array


def _of_each(vector: Any, like: Any) -> Any:
    """A vector for each sequence by itself, so that its gradient is summed over the batch once, at the end.

    XLA is slow to sum over a batch: 150 µs a step for 32 sequences of 1024 numbers, as long as their product.
    """
    if vector.shape.rank > 1:
        return vector
    return tf.broadcast_to(vector, [tf.shape(like)[0], vector.shape[0]])


def _array(like: Any, width: int, compiled: bool) -> Any:
    """Room for a value of each step: XLA's own is filled in place, in the order of the batch."""
    batch, time = tf.unstack(tf.shape(like)[:2])
    if compiled:
        return tf.zeros([batch, time, width], like.dtype)
    array = tf.TensorArray(like.dtype, time, element_shape=[like.shape[0], width])
    # One without any element, for lack of steps, could not be stacked.
    return array.write(0, tf.zeros([batch, width], like.dtype))


def _write(array: Any, t: Any, value: Any) -> Any:
    """The array with the value of a step."""
    if isinstance(array, tf.TensorArray):
        return array.write(t, value)
    if array.dtype == WORDS:
        value = tf.bitcast(tf.cast(value, tf.bfloat16), WORDS)
    return tf.ensure_shape(xla_dynamic_update_slice(array, value[:, None], [0, t, 0]), array.shape)


def _whole(array: Any) -> Any:
    """The values of all steps, (batch, time, size)."""
    return tf.transpose(array.stack(), [1, 0, 2]) if isinstance(array, tf.TensorArray) else array
