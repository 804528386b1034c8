"""Which way a cell is run along sequences, and why."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import tensorflow as tf
from tensorflow.python.eager import context

# Whether operations are looked at, whether a graph is compiled as a whole by XLA, and in which scope of a
# device: TensorFlow exports none of it.
from tensorflow.python.framework.op_callbacks import should_invoke_op_callbacks
from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext

from seqkit.errors import UsageError
from seqkit.layers.kernels.cudnn import MODES, run_cudnn
from seqkit.layers.kernels.loops import CELLS
from seqkit.layers.kernels.passage import Passage
from seqkit.layers.kernels.sharded import run_sharded
from seqkit.layers.unroll import unroll

CUDNN_DTYPES = ("float32", "float16", "float64")

LONG, LONG_NORMALISED = 100, 25
"""Steps from which on compiling, a quarter of a second, is won back outside training by 110 batches at most;
and those with layer normalisation.

A loop that is not compiled takes 20 to 35 µs more for a step, however much there is to compute in it, with
layer normalisation 100.
"""

Kernel = Literal["cudnn", "compiled", "sharded", "loop"]


class Place(NamedTuple):
    """Where and how a cell is to be run: all that the choice depends on beside the cell's options.

    Args:
        gpu: whether there is a GPU.
        on_cpu: whether the CPU is asked for, by a scope of its own.
        in_xla: whether what is around is compiled by XLA as a whole.
        training: whether gradients are to be expected, and masks drawn.
        steps: number of steps; None if it is not known yet.
        watched: whether every operation is looked at, as by `tf.debugging.enable_check_numerics`.
    """

    gpu: bool
    on_cpu: bool
    in_xla: bool
    training: bool
    steps: int | None
    watched: bool = False


class Choice(NamedTuple):
    """How a cell is run, in words.

    Args:
        kernel: "cudnn", "compiled", "sharded" or "loop".
        reason: why this one, in a sentence.
        faster: what would have to change to get a faster one, in a sentence; empty if nothing would help.
    """

    kernel: Kernel
    reason: str
    faster: str


def choose(cell: Any, place: Place) -> Choice:
    """How a cell is run; a function of its arguments alone.

    Args:
        cell: the cell, of which only its type and its options are asked for.
        place: where and how it is run.
    """
    if type(cell) not in CELLS:
        reason = f"{type(cell).__name__} is none of seqkit.cells itself, and any step can run in a loop"
        return Choice("loop", reason, "")
    if place.steps == 0:
        return Choice("loop", "there are no steps", "")
    if place.in_xla:
        return Choice(
            "loop",
            "what is around it is compiled by XLA as a whole, which takes nothing else",
            "Without jit_compile=True around it, it would have kernels of its own",
        )
    if place.watched:
        reason = "tf.debugging looks at every operation, which it can in a plain loop"
        return Choice("loop", reason, "Without tf.debugging it would have kernels of its own")
    lacking = lacking_for_cudnn(cell, place.training)
    if place.gpu and not place.on_cpu:
        if lacking:
            return Choice("loop", _not_in_cudnn(lacking), _with_cudnn(lacking.values()))
        return Choice("cudnn", "there is a GPU, and cuDNN has all that the cell does", "")
    changes = ["outside the scope of the CPU" if place.gpu else "on a GPU", *lacking.values()]
    long = LONG_NORMALISED if cell.layer_norm else LONG
    if place.training:
        gain = "XLA speeds up training"
    elif cell.compute_dtype == "bfloat16":
        gain = "XLA halves the time of bfloat16"
    elif place.steps is not None and place.steps >= long:
        gain = f"XLA speeds up {long} steps and more"
    else:
        few = f"fewer than {long} steps" + (", or an unknown number," if place.steps is None else "")
        reason = f"on CPU, to compile {few} is not worth while without training"
        return Choice("sharded", reason, _with_cudnn(changes))
    return Choice("compiled", f"on CPU, {gain} and compiles once for each shape", _with_cudnn(changes))


def lacking_for_cudnn(cell: Any, training: bool) -> dict[str, str]:
    """What keeps a cell from cuDNN, and what it would have to be instead.

    Args:
        cell: of `seqkit.layers.kernels.loops.CELLS`.
        training: whether masks are drawn.
    """
    config, lacking = cell.get_config(), {}
    if type(cell) not in MODES:
        lacking[type(cell).__name__] = "with an LSTMCell or a reset-after GRUCell"
    elif config.get("variant", "reset-after") != "reset-after":
        lacking[f"variant {cell.variant!r}"] = "with variant='reset-after'"
    names = ["layer_norm", "peepholes", "projection", "cell_clip"]
    names += [name for name in config if name.startswith("zoneout")]
    names += ["recurrent_dropout"] if training else []
    # An option that is off is False, None or 0; cell_clip=0 and projection=0 are refused by the cell.
    lacking |= {name: f"without {name}" for name in names if config.get(name)}
    if cell.compute_dtype not in CUDNN_DTYPES:
        lacking[cell.compute_dtype] = "in float32 or float16"
    return lacking


def _not_in_cudnn(lacking: dict[str, str]) -> str:
    names = list(lacking)
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f"{listed} {'are' if len(names) > 1 else 'is'} not in what cuDNN runs here"


def _with_cudnn(changes: Any) -> str:
    return f"By cuDNN it would run {', '.join(changes)}"


def here(training: bool, steps: int | None) -> Place:
    """The place of the code that calls this.

    Args:
        training: whether gradients are to be expected.
        steps: number of steps; None if it is not known yet.
    """
    # Within a graph the scopes begin anew; that around its tracing is left to it.
    scope = ("" if tf.executing_eagerly() else tf.no_op().device) or context.context().device_name or ""
    return Place(
        gpu=bool(tf.config.list_logical_devices("GPU")),
        on_cpu=tf.DeviceSpec.from_string(scope).device_type == "CPU",
        in_xla=GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph()),
        training=training,
        steps=steps,
        watched=bool(should_invoke_op_callbacks()),
    )


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
    kernel = choose(cell, here(training, sequences.shape[1])).kernel
    if kernel == "loop":
        return unroll(cell, cell.project_inputs(sequences), *rest)
    if kernel == "cudnn":
        return run_cudnn(cell, passage)
    return run_sharded(cell, passage, kernel == "compiled", training)


def _no_second_gradient(operation: Any, *slopes: Any) -> None:
    """Raises UsageError, where TensorFlow would name the operation that has no gradient."""
    raise UsageError(
        "the kernels of seqkit.layers have no gradient of a gradient, and none in forward mode: "
        "a subclass of the cell, class Plain(LSTMCell), runs in a plain loop that has both"
    )


# What the loops of shards run in, and what the gradient of cuDNN runs in.
for _name in ("MapDefun", "CudnnRNNBackpropV3"):
    tf.RegisterGradient(_name)(_no_second_gradient)
