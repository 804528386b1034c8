"""Which way a cell is run along sequences, and why."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

# Whether a graph is compiled as a whole by XLA; TensorFlow exports nothing that tells.
from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext

from seqkit.layers.kernels.loops import CELLS
from seqkit.layers.kernels.passage import Passage
from seqkit.layers.kernels.sharded import run_sharded
from seqkit.layers.unroll import unroll


class Choice(NamedTuple):
    """How a cell is run, in words.

    Args:
        kernel: "compiled", "sharded" or "loop".
        reason: why this one.
    """

    kernel: str
    reason: str


def choose(cell: Any, training: bool) -> Choice:
    """How a cell is run where this is called.

    Args:
        cell: the cell.
        training: whether gradients are to be expected.
    """
    if type(cell) not in CELLS:
        return Choice("loop", f"{type(cell).__name__} is not one of seqkit.cells")
    if GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph()):
        return Choice("loop", "the model around it is compiled by XLA as a whole")
    if tf.config.list_logical_devices("GPU"):
        return Choice("loop", "there is a GPU")
    if cell.compute_dtype == "bfloat16" or not training:
        return Choice("sharded", "")
    return Choice("compiled", "")


def run(cell: Any, passage: Passage, training: bool) -> tuple[Any, Any]:
    """Runs a cell along sequences, the way that suits best.

    Args:
        cell: the cell.
        passage: what it is run along.
        training: whether gradients are to be expected.

    Returns:
        As `seqkit.layers.unroll.unroll`.
    """
    sequences, *rest = passage
    kernel = "loop" if sequences.shape[1] == 0 else choose(cell, training).kernel
    if kernel == "loop":
        return unroll(cell, cell.project_inputs(sequences), *rest)
    return run_sharded(cell, passage, kernel == "compiled")
