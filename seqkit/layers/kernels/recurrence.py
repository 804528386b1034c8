"""The loop over time of a cell, forwards and backwards, with the large products taken out of it.

The cell's own `step` is what both run. Forwards a loop keeps the states and the products W_a a⟨t-1⟩.
Backwards it goes through the steps again from what was kept, without the products, and differentiates each
step: that gives the gradient by every product, d⟨t⟩, and by the state before it, d⟨t⟩ W_aᵀ and what the step
itself passes on. The gradient by the weights is left to one product over all steps, Σ a⟨t-1⟩ᵀ d⟨t⟩.

Arrays here are in the order of time, (time, batch, size).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import tensorflow as tf


class Frame(NamedTuple):
    """What a sequence is run with, and no gradient goes to.

    Args:
        steps: how many steps there are; arrays may be longer.
        mask: (time, batch), False for the steps to leave out; None to leave out none.
        dropped: mask of recurrent dropout, (batch, hidden); None for none.
        zoneout: a mask, (time, batch, size), or a rate for each part of the state; None for no zoneout.
    """

    steps: Any
    mask: Any
    dropped: Any
    zoneout: Any


class Tape(NamedTuple):
    """What a loop forwards keeps.

    Args:
        states: each part of the state after every step, (time, batch, size).
        products: each product of a kernel, (time, batch, columns).
    """

    states: list[Any]
    products: list[Any]


class Slopes(NamedTuple):
    """Gradients that a loop backwards gives.

    Args:
        projected: by the projected inputs, (time, batch, gates · units).
        state: by each part of the state before the first step, (batch, size).
        factors: what each kernel was multiplied with, (time, batch, rows).
        products: by each product, (time, batch, columns): the gradient by a kernel is Σ factorᵀ product.
        vectors: by each of the other constants.
    """

    projected: Any
    state: list[Any]
    factors: list[Any]
    products: list[Any]
    vectors: list[Any]


@dataclass(frozen=True)
class Recurrence:
    """The loops of one cell.

    Args:
        cell: of `seqkit.cells`.
        kernels: names of the constants that are multiplied with, in the order of their use.
        vectors: names of the other constants that are learned.
        constants: the type of the cell's constants.
        reverse: begin at the last step.
    """

    cell: Any
    kernels: tuple[str, ...]
    vectors: tuple[str, ...]
    constants: Any
    reverse: bool

    def forward(
        self,
        projected: Any,
        state: Sequence[Any],
        kernels: Sequence[Any],
        vectors: Sequence[Any],
        frame: Frame,
    ) -> Tape:
        """Runs all steps.

        Args:
            projected: the projected inputs, (time, batch, gates · units).
            state: each part of the state before the first step, (batch, size).
            kernels: each (rows, columns).
            vectors: the other constants.
            frame: what else there is.
        """
        time = tf.shape(projected)[0]
        widths = [*(part.shape[-1] for part in state), *(kernel.shape[-1] for kernel in kernels)]

        def advance(count: Any, state: list[Any], kept: list[Any]) -> tuple[Any, list[Any], list[Any]]:
            t, products = self._place(count, frame), []

            def keep(kernel: Any) -> Any:
                return lambda values: products.append(tf.matmul(values, kernel)) or products[-1]

            constants = self._constants([keep(kernel) for kernel in kernels], vectors, frame)
            new = self._step(projected[t], state, constants, frame, t)
            values = [*new, *products]
            return count + 1, new, [array.write(t, value) for array, value in zip(kept, values, strict=True)]

        kept = [_array(projected, time, width) for width in widths]
        _, _, kept = tf.while_loop(
            lambda count, *_: count < frame.steps, advance, (0, list(state), kept), maximum_iterations=time
        )
        arrays = [array.stack() for array in kept]
        return Tape(arrays[: len(state)], arrays[len(state) :])

    def backward(
        self,
        projected: Any,
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
            projected: as in `forward`.
            state: as in `forward`.
            kernels: as in `forward`.
            vectors: as in `forward`.
            frame: as in `forward`.
            tape: what `forward` gave.
            hidden: gradient by the hidden part of the state after every step, (time, batch, hidden).
            last: gradient by each part of the state after the last step, (batch, size).
        """
        time = tf.shape(projected)[0]
        transposed = [tf.transpose(kernel) for kernel in kernels]
        rows, columns = ([kernel.shape[k] for kernel in kernels] for k in (0, 1))

        def retreat(
            count: Any, slope: list[Any], sums: list[Any], kept: list[Any]
        ) -> tuple[Any, list[Any], list[Any], list[Any]]:
            t = self._place(count - 1, frame)
            before = self._before(count - 1, t, tape.states, state)
            here, products, factors = projected[t], [array[t] for array in tape.products], []

            def known(result: Any, kernel: Any) -> Any:
                def multiply(values: Any) -> Any:
                    factors.append(values)
                    return _known_product(values, result, kernel)

                return multiply

            known_kernels = [known(p, kernel) for p, kernel in zip(products, transposed, strict=True)]
            constants = self._constants(known_kernels, vectors, frame)
            new = self._step(here, before, constants, frame, t)
            wanted, slope = [here, *before, *products, *vectors], [slope[0] + hidden[t], *slope[1:]]
            found = tf.gradients(new, wanted, slope, unconnected_gradients="zero")
            at = (1, 1 + len(before), 1 + len(before) + len(products))
            values = [found[0], *factors, *found[at[1] : at[2]]]
            sums = [total + more for total, more in zip(sums, found[at[2] :], strict=True)]
            written = [array.write(t, value) for array, value in zip(kept, values, strict=True)]
            return count - 1, found[at[0] : at[1]], sums, written

        kept = [_array(projected, time, width) for width in (projected.shape[-1], *rows, *columns)]
        sums = [tf.zeros_like(vector) for vector in vectors]
        _, slope, sums, kept = tf.while_loop(
            lambda count, *_: count > 0,
            retreat,
            (frame.steps, list(last), sums, kept),
            maximum_iterations=time,
        )
        arrays = [array.stack() for array in kept]
        split = 1 + len(kernels)
        return Slopes(arrays[0], slope, arrays[1:split], arrays[split:], sums)

    def _place(self, count: Any, frame: Frame) -> Any:
        """Where in time a step is."""
        return frame.steps - 1 - count if self.reverse else count

    def _before(self, count: Any, t: Any, states: Sequence[Any], first: Sequence[Any]) -> list[Any]:
        """The state before a step."""
        place = tf.minimum(t + 1, tf.shape(states[0])[0] - 1) if self.reverse else tf.maximum(t - 1, 0)
        return [tf.where(count == 0, f, array[place]) for array, f in zip(states, first, strict=True)]

    def _constants(self, kernels: Sequence[Any], vectors: Sequence[Any], frame: Frame) -> Any:
        given = dict.fromkeys(self.constants._fields)
        given |= dict(zip((*self.kernels, *self.vectors), (*kernels, *vectors), strict=True))
        return self.constants(**given | {"mask": frame.dropped})

    def _step(self, here: Any, before: Sequence[Any], constants: Any, frame: Frame, t: Any) -> list[Any]:
        """The state after a step; that before it where the step is left out."""
        state_type, zoneout = self.cell.state_type, frame.zoneout
        if zoneout is not None:
            zoneout = state_type(*(part[t] if tf.is_tensor(part) else part for part in zoneout))
        new = self.cell.step(here, state_type(*before), constants, zoneout)
        if frame.mask is None:
            return list(new)
        there = frame.mask[t][:, None]
        return [tf.where(there, part, old) for part, old in zip(new, before, strict=True)]


@tf.custom_gradient
def _known_product(values: Any, product: Any, transposed: Any) -> Any:
    """A product that is known, with the gradient that it has; by the kernel it has none here."""
    return tf.identity(product), lambda slope: (tf.matmul(slope, transposed), slope, None)


def _array(like: Any, time: Any, width: int) -> Any:
    """An array for a value of each step."""
    array = tf.TensorArray(like.dtype, time, element_shape=[like.shape[1], width])
    # One without any element, for lack of steps, could not be stacked.
    return array.write(0, tf.zeros([tf.shape(like)[1], width], like.dtype))
