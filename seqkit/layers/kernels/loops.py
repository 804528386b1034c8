"""The loops of a cell as compiled functions, made once for all layers whose cells have the same step."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from seqkit.cells import GRUCell, LSTMCell, RNNCell
from seqkit.layers.kernels.recurrence import Frame, Recurrence, Tape, Wiring, wiring_of

CELLS = (RNNCell, GRUCell, LSTMCell)
"""Cells whose step takes functions for kernels (`seqkit.cells.numerics.product`)."""

PASSIVE = ("name", "seed", "trainable", "dtype", "kernel_initializer", "recurrent_initializer")
"""Options of a cell that its step does not depend on."""


@dataclass(frozen=True)
class Form:
    """What sequences have in common if the same loops do for all of them.

    Args:
        cell: type of the cell.
        config: the options that its step depends on, as JSON.
        constants: type of the cell's constants.
        dtype: of the arrays; that of the cell, but float32 for bfloat16 that is compiled.
        gates: length of the projected inputs.
        sizes: length of each part of the state.
        kernels: name and shape of each constant that is multiplied with, in the order of their use.
        vectors: name and shape of each other constant that is learned.
        mask: whether steps are left out.
        dropped: whether there is a mask of recurrent dropout.
        zoneout: for each part of the state True for masks, a rate, or None; None for no zoneout.
        reverse: begin at the last step.
        compiled: by XLA.
    """

    cell: type[Any]
    config: str
    constants: type[Any]
    dtype: str
    gates: int
    sizes: tuple[int, ...]
    kernels: tuple[tuple[str, tuple[int, int]], ...]
    vectors: tuple[tuple[str, tuple[int, ...]], ...]
    mask: bool
    dropped: bool
    zoneout: tuple[Any, ...] | None
    reverse: bool
    compiled: bool


def learned_of(cell: Any, constants: Any) -> dict[str, Any]:
    """What is learned of what all steps have in common, by name.

    Args:
        cell: of `CELLS`.
        constants: those of a sequence.
    """
    given = constants._asdict() | cell.input_constants()
    return {name: value for name, value in given.items() if value is not None and name != "mask"}


def form_of(cell: Any, constants: Any, zoneout: Any, mask: bool, reverse: bool, compiled: bool) -> Form:
    """The form of sequences.

    Args:
        cell: of `CELLS`.
        constants: those of a sequence.
        zoneout: masks or rates; None for no zoneout.
        mask: whether steps are left out.
        reverse: begin at the last step.
        compiled: by XLA.
    """
    config = {name: value for name, value in cell.get_config().items() if name not in PASSIVE}
    shapes = {name: tuple(value.shape) for name, value in learned_of(cell, constants).items()}
    return Form(
        cell=type(cell),
        config=json.dumps(config, sort_keys=True),
        constants=type(constants),
        # XLA multiplies bfloat16 by converting it, in each step: a third slower at 650 units.
        dtype="float32" if compiled and cell.compute_dtype == "bfloat16" else cell.compute_dtype,
        gates=cell.units * len(cell.gates),
        sizes=tuple(cell.state_size),
        kernels=tuple(item for item in shapes.items() if item[0].endswith("kernel")),
        vectors=tuple(item for item in shapes.items() if not item[0].endswith("kernel")),
        mask=mask,
        dropped=constants.mask is not None,
        zoneout=None if zoneout is None else tuple(True if tf.is_tensor(part) else part for part in zoneout),
        reverse=reverse,
        compiled=compiled,
    )


@dataclass(frozen=True)
class Loops:
    """Both loops of a form over one shard, as concrete functions of flat lists.

    Forwards the arguments are the projected inputs, the state, what `Form` says of mask, dropped and zoneout;
    then the number of steps, kernels and vectors. The results are those of `Tape`.
    Backwards the tape and the slopes of the results, hidden and the last state, come before the number of
    steps, and kernels are transposed; there are no projected inputs if the wiring is `summed`. The results
    are those of `Slopes`.
    """

    forward: Any
    backward: Any
    wiring: Wiring


@functools.lru_cache(maxsize=128)
def loops_of(form: Form) -> Loops:
    """The loops of a form."""
    with tf.init_scope():  # they outlive the function that is being traced
        # A cell without weights: a step takes all that it needs as arguments.
        cell = form.cell(**json.loads(form.config), dtype=form.dtype)
        kernels, vectors = (tuple(name for name, _ in named) for named in (form.kernels, form.vectors))
        wiring = wiring_of(cell, form.constants, form.kernels, form.vectors, form.dropped)
        recurrence = Recurrence(cell, kernels, vectors, form.constants, form.reverse, wiring, form.compiled)
        parts, products = len(form.sizes), len(kernels)

        def forward(*given: Any) -> list[Any]:
            arrays = iter(given)
            projected = next(arrays)
            state, frame = _begin(form, arrays)
            steps, weights, others = _end(form, arrays)
            tape = recurrence.forward(projected, state, weights, others, frame(steps))
            return [*tape.states, *tape.products]

        def backward(*given: Any) -> list[Any]:
            arrays = iter(given)
            projected = take(arrays, int(not wiring.summed))
            state, frame = _begin(form, arrays)
            tape = Tape(take(arrays, parts), take(arrays, products))
            hidden, last = next(arrays), take(arrays, parts)
            steps, weights, others = _end(form, arrays)
            found = recurrence.backward(projected, state, weights, others, frame(steps), tape, hidden, last)
            return [*found.projected, *found.state, *found.factors, *found.products, *found.vectors]

        dtype, sizes = form.dtype, form.sizes
        projected = _specs(dtype, [[None, None, form.gates]])
        begin = _specs(dtype, [[None, size] for size in sizes]) + _frame_specs(form)
        tape = _specs(dtype, [[None, None, n] for n in (*sizes, *(shape[1] for _, shape in form.kernels))])
        slopes = _specs(dtype, [[None, None, sizes[0]], *([None, size] for size in sizes)])
        steps = [tf.TensorSpec([], tf.int32)]
        others = [shape for _, shape in form.vectors]
        forwards = projected + begin + steps
        forwards += _specs(dtype, [shape for _, shape in form.kernels] + others)
        backwards = projected * (not wiring.summed) + begin + tape + slopes + steps
        backwards += _specs(dtype, [shape[::-1] for _, shape in form.kernels] + others)
        return Loops(
            _function(forward, forwards, form.compiled), _function(backward, backwards, form.compiled), wiring
        )


def _function(loop: Callable[..., Any], signature: list[Any], compiled: bool) -> Any:
    """A concrete function, compiled by XLA or not."""
    if compiled:
        loop = tf.function(loop, input_signature=signature, jit_compile=True, autograph=False)
    # XLA's attribute is on the call of a function, so there has to be a call.
    whole = tf.function(lambda *given: loop(*given), input_signature=signature, autograph=False)
    return whole.get_concrete_function()


def _specs(dtype: Any, shapes: Iterable[Any]) -> list[Any]:
    return [tf.TensorSpec(shape, dtype) for shape in shapes]


def _frame_specs(form: Form) -> list[Any]:
    """Those of mask, mask of recurrent dropout, and masks of zoneout, as far as there are any."""
    mask = [tf.TensorSpec([None, None], tf.bool)] if form.mask else []
    dropped = _specs(form.dtype, [[None, form.sizes[0]]] if form.dropped else [])
    masks = [size for size, part in zip(form.sizes, form.zoneout or (), strict=False) if part is True]
    return mask + dropped + _specs(form.dtype, [[None, None, size] for size in masks])


def _begin(form: Form, arrays: Iterator[Any]) -> tuple[list[Any], Callable[[Any], Frame]]:
    """The state, and the frame of so many steps."""
    state = take(arrays, len(form.sizes))
    mask = next(arrays) if form.mask else None
    dropped = next(arrays) if form.dropped else None
    zoneout = form.zoneout and [next(arrays) if part is True else part for part in form.zoneout]
    return state, lambda steps: Frame(steps, mask, dropped, zoneout)


def _end(form: Form, arrays: Iterator[Any]) -> tuple[Any, list[Any], list[Any]]:
    """The number of steps, kernels and vectors."""
    return next(arrays), take(arrays, len(form.kernels)), take(arrays, len(form.vectors))


def take(arrays: Iterator[Any], count: int) -> list[Any]:
    """The next so many."""
    return list(itertools.islice(arrays, count))
