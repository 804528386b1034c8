"""The loops of a cell as compiled functions, made once for all layers whose cells have the same step."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from seqkit.cells import GRUCell, LSTMCell, RNNCell
from seqkit.layers.kernels.packs import PACK, pack, unpack
from seqkit.layers.kernels.recurrence import WORDS, Frame, Recurrence, Tape, from_words, wiring_of

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


class Loops:
    """The loops of a form over one shard: concrete functions of flat lists, each made when it is asked for.

    Forwards the arguments are the projected inputs, the state, what `Form` says of mask, dropped and zoneout;
    then the number of steps, kernels and vectors.

    Args:
        form: of the loops.

    Attributes:
        wiring: of the cell's step.
    """

    def __init__(self, form: Form) -> None:
        # A cell without weights: a step takes all that it needs as arguments.
        cell = form.cell(**json.loads(form.config), dtype=form.inner)
        self.wiring = wiring_of(cell, form.constants, form.kernels, form.vectors, form.dropped)
        vectors = tuple(name for name, _ in form.vectors)
        self._recurrence = Recurrence(
            cell, form.kernels, vectors, form.constants, form.reverse, self.wiring, form.compiled
        )
        self._form = form
        inputs = [form.gates] * (not self.wiring.summed)
        factors = [rows for _, (rows, _) in form.kernels[int(self.wiring.direct) :]]
        columns = [columns for _, (_, columns) in form.kernels]
        self._inputs = _of_steps(form, inputs)
        self._tape = _of_steps(form, [*form.sizes, *columns])
        self._slopes = _of_steps(form, [*inputs, *factors, *columns])
        self._state = _specs(form.dtype, [[None, size] for size in form.sizes])
        self._given = [*_of_steps(form, [form.gates]), *self._state, *_frame_specs(form), *_end_specs(form)]

    @functools.cached_property
    def run(self) -> Any:
        """Forwards for no gradient: the hidden part of the state after every step, and the last state."""
        return _concrete(self._loop(self._run, self._given), self._given)

    @functools.cached_property
    def forward(self) -> Any:
        """As `run`, but between its results a pack (`seqkit.layers.kernels.packs`) of the rest of `Tape`."""
        loop = self._loop(self._forward, self._given)

        def forward(*given: Any) -> list[Any]:
            found = iter(loop(*given))
            hidden, *kept = take(found, len(self._tape))
            return [hidden, pack(kept), *found]

        return _concrete(forward, self._given)

    @functools.cached_property
    def backward(self) -> Any:
        """Backwards: a pack of the arrays of all steps in `Slopes`, and the slopes by state and vectors.

        The arguments are those forwards, but with hidden and pack that `forward` gave, and the slopes of
        hidden and last state, before the number of steps; without projected inputs if the wiring is `summed`;
        and kernels as `Recurrence.backward` says.
        """
        hidden, *kept = self._tape
        before = [*self._inputs, *self._state, *_frame_specs(self._form), hidden]
        after = [hidden, *self._state, *_end_specs(self._form, self._form.transposed)]
        loop = self._loop(self._backward, [*before, *kept, *after])

        def backward(*given: Any) -> list[Any]:
            first, (packed, *rest) = given[: len(before)], given[len(before) :]
            found = iter(loop(*first, *unpack(packed, kept), *rest))
            return [pack(take(found, len(self._slopes))), *found]

        return _concrete(backward, [*before, PACK, *after])

    @functools.cached_property
    def arrays(self) -> Any:
        """The arrays of the pack that `backward` gives."""
        return _concrete(lambda packed: unpack(packed, self._slopes), [PACK])

    def _loop(self, loop: Callable[..., Any], signature: list[Any]) -> Callable[..., Any]:
        """A loop, compiled if it is to be."""
        return _compiled(loop, signature) if self._form.compiled else loop

    def _run(self, *given: Any) -> list[Any]:
        return self._forwards(given, keep=False)

    def _forward(self, *given: Any) -> list[Any]:
        return self._forwards(given, keep=True)

    def _forwards(self, given: Sequence[Any], keep: bool) -> list[Any]:
        """`Recurrence.forward` of flat lists."""
        arrays = iter(given)
        projected = next(arrays)
        state, frame = _begin(self._form, arrays)
        steps, kernels, vectors = _end(self._form, arrays)
        tape, last = self._recurrence.forward(projected, state, kernels, vectors, frame(steps), keep)
        return self._outside([*tape.states, *tape.products, *last])

    def _backward(self, *given: Any) -> list[Any]:
        """`Recurrence.backward` of flat lists."""
        form, arrays = self._form, iter(given)
        projected = take(arrays, len(self._inputs))
        state, frame = _begin(form, arrays)
        tape = Tape(take(arrays, len(form.sizes)), take(arrays, len(form.kernels)))
        hidden, last = next(arrays), _cast(take(arrays, len(form.sizes)), form.inner)
        steps, kernels, vectors = _end(form, arrays)
        found = self._recurrence.backward(
            projected, state, kernels, vectors, frame(steps), tape, hidden, last
        )
        of_steps = [*found.projected, *found.factors, *found.products]
        return self._outside([*of_steps, *found.state, *found.vectors])

    def _outside(self, arrays: list[Any]) -> list[Any]:
        return [array if array.dtype == WORDS else tf.cast(array, self._form.dtype) for array in arrays]


@functools.lru_cache(maxsize=128)
def loops_of(form: Form) -> Loops:
    """The loops of a form."""
    with tf.init_scope():  # they outlive the function that is being traced
        return Loops(form)


def _concrete(function: Callable[..., Any], signature: list[Any]) -> Any:
    with tf.init_scope():
        return tf.function(function, input_signature=signature, autograph=False).get_concrete_function()


def _compiled(loop: Callable[..., Any], signature: list[Any]) -> Callable[..., Any]:
    """A loop that XLA compiles."""
    given = [tf.TensorSpec(spec.shape, WORDS) if _in_words(spec) else spec for spec in signature]
    inner = tf.function(loop, input_signature=given, jit_compile=True, autograph=False)

    # XLA's attribute is on the call of a function, so there has to be a call.
    def whole(*arrays: Any) -> list[Any]:
        results = inner(*(tf.bitcast(a, WORDS) if _in_words(a) else a for a in arrays))
        return list(map(from_words, results))

    return whole


def _in_words(array: Any) -> bool:
    """Whether XLA gets an array as words: one of all steps, in bfloat16."""
    return bool(array.dtype == tf.bfloat16 and array.shape.rank == 3)


def _specs(dtype: Any, shapes: Iterable[Any]) -> list[Any]:
    return [tf.TensorSpec(shape, dtype) for shape in shapes]


def _of_steps(form: Form, widths: Iterable[int]) -> list[Any]:
    return _specs(form.dtype, [[None, None, width] for width in widths])


def _end_specs(form: Form, transposed: bool = False) -> list[Any]:
    """Those of the number of steps, kernels and vectors."""
    kernels = [shape[::-1] if transposed else shape for _, shape in form.kernels]
    return [tf.TensorSpec([], tf.int32), *_specs(form.dtype, kernels + [shape for _, shape in form.vectors])]


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
