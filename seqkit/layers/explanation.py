"""Which kernel runs in a layer, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf

from seqkit.errors import UsageError
from seqkit.layers.bidirectional import Bidirectional
from seqkit.layers.deep import DeepRNN
from seqkit.layers.kernels.selection import choose, here
from seqkit.layers.recurrent import Recurrent


def explain_kernel(layer: Any, shape: Sequence[int | None], training: bool = True) -> str:
    """Says what runs the cells of a layer, and why, where this is called: mind `tf.device` around it.

    Args:
        layer: a `Recurrent`, `Bidirectional` or `DeepRNN`.
        shape: of the sequences, (batch, time, features); None for what is not known beforehand.
        training: whether it is in training.

    Returns:
        A line for each cell: the path of its layer, the kernel ("cudnn", "compiled", "sharded" or "loop"),
        the reason, and what would have to change to get a faster one.

    Raises:
        UsageError: for other layers and shapes.

    Example:
        >>> from seqkit.cells import LSTMCell
        >>> print(explain_kernel(Recurrent(LSTMCell(8), name="tags"), (32, None, 16)))  # doctest: +SKIP
        tags: compiled, because on CPU, XLA speeds up training and compiles once for each shape. ...
    """
    if not isinstance(shape, Sequence | tf.TensorShape) or len(shape) != 3:
        raise UsageError(f"the shape of sequences is (batch, time, features), not {shape!r:.80}")
    place, lines = here(training, shape[1]), []
    for path, cell in _cells(layer, ""):
        choice = choose(cell, place)
        faster = f" {choice.faster}." if choice.faster else ""
        lines.append(f"{path}: {choice.kernel}, because {choice.reason}.{faster}")
    return "\n".join(lines)


def _cells(layer: Any, above: str) -> Iterator[tuple[str, Any]]:
    """Each cell, with the names of the layers that it is in."""
    path = above + str(getattr(layer, "name", ""))
    if isinstance(layer, Recurrent):
        yield path, layer.cell
    elif isinstance(layer, Bidirectional | DeepRNN):
        inner = layer.stack if isinstance(layer, DeepRNN) else (layer.forward, layer.backward)
        for one in inner:
            yield from _cells(one, f"{path}/")
    else:
        raise UsageError(
            f"explain_kernel takes a Recurrent, a Bidirectional or a DeepRNN, not {type(layer).__name__}"
        )
