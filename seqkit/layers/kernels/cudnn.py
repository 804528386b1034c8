"""The plain LSTM and the reset-after GRU on a GPU, by cuDNN.

cuDNN runs a whole sequence in one operation, but only from a first step on, for lengths of at least 1. So
the steps that are not masked are moved to the front of each sequence, and what they give is put back where
they were. Weights go in as one vector, gate after gate (cuDNN's developer guide, cudnnRNNForward).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from seqkit.cells import GRUCell, LSTMCell
from seqkit.layers.kernels.passage import Passage

MODES: dict[type[Any], str] = {LSTMCell: "lstm", GRUCell: "gru"}

# cuDNN's i f c o are u f c o here; its i of the GRU, z = 1 - Γ_u, comes after r.
_ORDER = {"lstm": "ufco", "gru": "ruc"}

Engine = Callable[[Any, Any, Any], tuple[Any, Any]]
"""Runs sequences, (batch, time, features), from a state on; the third argument is the length of each,
(batch,), at least 1, or None for all steps. As `seqkit.layers.unroll.unroll` it gives out the hidden part of
the state at every place, which may be anything after the end of a sequence, and the state after its end."""


def run_cudnn(cell: Any, passage: Passage) -> tuple[Any, Any]:
    """Runs a cell along sequences.

    Args:
        cell: of `MODES`, without what `seqkit.layers.kernels.selection` says is not in cuDNN.
        passage: what it is run along; without masks of recurrent dropout and zoneout.

    Returns:
        As `seqkit.layers.unroll.unroll`.
    """
    state, mode = passage.state, MODES[type(cell)]
    sequences = tf.cast(passage.sequences, cell.compute_dtype)
    parameters = packed(cell, passage.constants)

    def engine(sequences: Any, state: Any, lengths: Any) -> tuple[Any, Any]:
        return _fused(mode, sequences, state, parameters, lengths)

    def found() -> list[Any]:
        hidden, last = compacted(engine, sequences, state, passage.mask, passage.reverse)
        return [hidden, *last]

    def nothing() -> list[Any]:
        return [tf.zeros([*tf.unstack(tf.shape(sequences)[:2]), cell.units], sequences.dtype), *state]

    known = all(sequences.shape[:2])
    hidden, *last = found() if known else tf.cond(tf.size(sequences) > 0, found, nothing)
    last = [tf.ensure_shape(new, old.shape) for new, old in zip(last, state, strict=True)]
    return tf.ensure_shape(hidden, [*sequences.shape[:2], cell.units]), type(state)(*last)


def packed(cell: Any, constants: Any) -> Any:
    """The weights in cuDNN's order, one vector.

        W_gx ᵀ of each gate, W_ga ᵀ of each gate, b_g of each gate, recurrent biases of each gate

    cuDNN's update gate of the GRU is z = σ(-(W_u [c, x] + b_u)), so what is Γ_u's changes its sign. The only
    recurrent bias is b_cc of the GRU.

    Args:
        cell: of `MODES`.
        constants: of a sequence, the recurrent kernel among them: where weights are dropped, without them.
    """
    mode, count = MODES[type(cell)], len(cell.gates)
    bias = tf.cast(cell.bias, cell.compute_dtype)
    zeros = tf.zeros([cell.units], bias.dtype)
    recurrent = dict.fromkeys(cell.gates, zeros)
    if mode == "gru":
        recurrent["c"] = constants.candidate_bias
    kernels = (tf.cast(cell.kernel, cell.compute_dtype), constants.recurrent_kernel)
    by_gate = [dict(zip(cell.gates, tf.split(kernel, count, axis=1), strict=True)) for kernel in kernels]
    by_gate += [dict(zip(cell.gates, tf.split(bias, count), strict=True)), recurrent]
    signs = {gate: -1 if (mode, gate) == ("gru", "u") else 1 for gate in cell.gates}
    return tf.concat(
        [
            tf.reshape(signs[gate] * tf.transpose(part[gate]), [-1])
            for part in by_gate
            for gate in _ORDER[mode]
        ],
        axis=0,
    )


def compacted(engine: Engine, sequences: Any, state: Any, mask: Any, reverse: bool) -> tuple[Any, Any]:
    """Runs masked sequences, in either direction, by an engine that knows neither.

    A masked step leaves the state as it is. So the others can be run one after the other, and the state at
    a place is that after as many steps as are there up to it.

    Args:
        engine: what runs them.
        sequences: x, (batch, time, features), of at least one sequence and one step.
        state: the state before the first step.
        mask: (batch, time), False for the steps to leave out; None to leave out none.
        reverse: begin at the end.

    Returns:
        As `seqkit.layers.unroll.unroll`.
    """
    if mask is None:
        if not reverse:
            return engine(sequences, state, None)
        hidden, last = engine(tf.reverse(sequences, [1]), state, None)
        return tf.reverse(hidden, [1]), last
    there = tf.cast(mask, tf.int32)
    count, time = tf.reduce_sum(there, axis=1), tf.shape(mask)[1]
    steps = tf.range(time)
    # Those that are left out come last; no two numbers are equal, so any way of sorting will do.
    order = tf.argsort((time - 1 - steps if reverse else steps) + time * (1 - there), axis=1)
    hidden, last = engine(tf.gather(sequences, order, batch_dims=1), state, tf.maximum(count, 1))
    place = tf.cumsum(there, axis=1, reverse=reverse) - 1
    hidden = tf.gather(hidden, tf.maximum(place, 0), batch_dims=1)
    hidden = tf.where(place[:, :, None] >= 0, hidden, state.hidden[:, None])
    parts = zip(last, state, strict=True)
    return hidden, type(state)(*(tf.where(count[:, None] > 0, new, old) for new, old in parts))


def _fused(mode: str, sequences: Any, state: Any, parameters: Any, lengths: Any) -> tuple[Any, Any]:
    """The engine of cuDNN.

    Args:
        mode: "lstm" or "gru".
        sequences: x, (batch, time, features).
        state: the state before the first step.
        parameters: `packed`.
        lengths: of the sequences, (batch,); None for all steps.
    """
    batch, time = tf.unstack(tf.shape(sequences)[:2])
    # In the order of time, and with full lengths, cuDNN takes the faster of its ways.
    hidden, *last, _, _ = tf.raw_ops.CudnnRNNV3(
        input=tf.transpose(sequences, [1, 0, 2]),
        input_h=state.hidden[None],
        input_c=state.cell[None] if mode == "lstm" else tf.zeros([], sequences.dtype),
        params=parameters,
        sequence_lengths=tf.fill([batch], time) if lengths is None else lengths,
        rnn_mode=mode,
        is_training=True,  # else there would be no gradient, which may be asked for outside training, too
        time_major=True,
    )
    return tf.transpose(hidden, [1, 0, 2]), type(state)(*(part[0] for part in last[: len(state)]))
