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
from seqkit.layers.kernels.recurrence import (
    WORDS,
    Frame,
    Recurrence,
    Tape,
    Wiring,
    from_words,
    wiring_of,
)

CELLS = (RNNCell, GRUCell, LSTMCell)
"""Cells whose step takes functions for kernels (`seqkit.cells.numerics.product`)."""

PASSIVE = ("name", "seed", "trainable", "dtype", "kernel_initializer", "recurrent_initializer")
"""Options of a cell that its step does not depend on."""

SMALL = 2**12
"""Numbers in the largest kernel below which a loop in bfloat16 multiplies in float32.

XLA makes a loop over less than about a kilobyte one function, in which it has no product of bfloat16.
"""


@dataclass(frozen=True)
class Form:
    """What sequences have in common if the same loops do for all of them.

    Args:
        cell: type of the cell.
        config: the options that its step depends on, as JSON.
        constants: type of the cell's constants.
        dtype: of the arrays, that of the cell.
        inner: what a step computes in; that of the cell, but float32 for bfloat16 that is compiled.
        factors: what a step's products multiply.
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
    inner: str
    factors: str
    gates: int
    sizes: tuple[int, ...]
    kernels: tuple[tuple[str, tuple[int, int]], ...]
    vectors: tuple[tuple[str, tuple[int, ...]], ...]
    mask: bool
    dropped: bool
    zoneout: tuple[Any, ...] | None
    reverse: bool
    compiled: bool

    @property
    def transposed(self) -> bool:
        """Whether loops backwards are given kernels transposed."""
        return self.factors == self.inner


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
    kernels = tuple(item for item in shapes.items() if item[0].endswith("kernel"))
    # XLA multiplies bfloat16 if sums are float32; for sums of bfloat16 it converts a kernel each time.
    inner = "float32" if compiled and cell.compute_dtype == "bfloat16" else cell.compute_dtype
    small = max(rows * columns for _, (rows, columns) in kernels) < SMALL
    return Form(
        cell=type(cell),
        config=json.dumps(config, sort_keys=True),
        constants=type(constants),
        dtype=cell.compute_dtype,
        inner=inner,
        factors=inner if small else cell.compute_dtype,
        gates=cell.units * len(cell.gates),
        sizes=tuple(cell.state_size),
        kernels=kernels,
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
    steps, and kernels are as `Recurrence.backward` says; there are no projected inputs if the wiring is
    `summed`. The results are those of `Slopes`.
    """

    forward: Any
    backward: Any
    wiring: Wiring


@functools.lru_cache(maxsize=128)
def loops_of(form: Form) -> Loops:
    """The loops of a form."""
    with tf.init_scope():  # they outlive the function that is being traced
        # A cell without weights: a step takes all that it needs as arguments.
        cell = form.cell(**json.loads(form.config), dtype=form.inner)
        wiring = wiring_of(cell, form.constants, form.kernels, form.vectors, form.dropped)
        vectors = tuple(name for name, _ in form.vectors)
        recurrence = Recurrence(
            cell, form.kernels, vectors, form.constants, form.reverse, wiring, form.compiled
        )
        parts, products = len(form.sizes), len(form.kernels)

        def outside(arrays: list[Any]) -> list[Any]:
            return [array if array.dtype == WORDS else tf.cast(array, form.dtype) for array in arrays]

        def forward(*given: Any) -> list[Any]:
            arrays = iter(given)
            projected = next(arrays)
            state, frame = _begin(form, arrays)
            steps, weights, others = _end(form, arrays)
            tape = recurrence.forward(projected, state, weights, others, frame(steps))
            return outside([*tape.states, *tape.products])

        def backward(*given: Any) -> list[Any]:
            arrays = iter(given)
            projected = take(arrays, int(not wiring.summed))
            state, frame = _begin(form, arrays)
            tape = Tape(take(arrays, parts), take(arrays, products))
            hidden, last = next(arrays), _cast(take(arrays, parts), form.inner)
            steps, weights, others = _end(form, arrays)
            found = recurrence.backward(projected, state, weights, others, frame(steps), tape, hidden, last)
            return outside([*found.projected, *found.state, *found.factors, *found.products, *found.vectors])

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
        kernels = [shape[::-1] if form.transposed else shape for _, shape in form.kernels]
        backwards += _specs(dtype, kernels + others)
        return Loops(
            _function(forward, forwards, form.compiled), _function(backward, backwards, form.compiled), wiring
        )


def _function(loop: Callable[..., Any], signature: list[Any], compiled: bool) -> Any:
    """A concrete function, compiled by XLA or not."""
    whole = loop
    if compiled:
        given = [tf.TensorSpec(spec.shape, WORDS) if _in_words(spec) else spec for spec in signature]
        inner = tf.function(loop, input_signature=given, jit_compile=True, autograph=False)

        # XLA's attribute is on the call of a function, so there has to be a call.
        def whole(*arrays: Any) -> list[Any]:
            results = inner(*(tf.bitcast(a, WORDS) if _in_words(a) else a for a in arrays))
            return list(map(from_words, results))

    return tf.function(whole, input_signature=signature, autograph=False).get_concrete_function()


def _in_words(array: Any) -> bool:
    """Whether XLA gets an array as words: one of all steps, in bfloat16."""
    return bool(array.dtype == tf.bfloat16 and array.shape.rank == 3)


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
    state = _cast(take(arrays, len(form.sizes)), form.inner)
    mask = next(arrays) if form.mask else None
    dropped = tf.cast(next(arrays), form.inner) if form.dropped else None
    zoneout = form.zoneout and [next(arrays) if part is True else part for part in form.zoneout]
    return state, lambda steps: Frame(steps, mask, dropped, zoneout)


def _end(form: Form, arrays: Iterator[Any]) -> tuple[Any, list[Any], list[Any]]:
    """The number of steps, kernels and vectors."""
    steps, kernels = next(arrays), _cast(take(arrays, len(form.kernels)), form.factors)
    return steps, kernels, _cast(take(arrays, len(form.vectors)), form.inner)


def _cast(arrays: list[Any], dtype: str) -> list[Any]:
    return [tf.cast(array, dtype) for array in arrays]


def take(arrays: Iterator[Any], count: int) -> list[Any]:
    """The next so many."""
    return list(itertools.islice(arrays, count))
