"""What the tests of kernels share: what a cell is run along, and cuDNN's operation in other operations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from seqkit.layers.kernels.passage import Passage

GATES = {"lstm": 4, "gru": 3}


def passage(
    cell: Any,
    x: Any,
    *,
    mask: Any = None,
    reverse: bool = False,
    training: bool = True,
    state: Any = None,
    seed: Any = (5, 6),
) -> Passage:
    """What a cell is run along; masks follow from the seed alone, so every kernel is given the same ones."""
    batch, time = tf.unstack(tf.shape(x)[:2])
    constants = cell.constants(batch, training, seed)
    zoneout = cell.zoneout_masks((time, batch), training, seed)
    if mask is not None:
        mask = tf.convert_to_tensor(mask)
    state = cell.get_initial_state(batch) if state is None else state
    return Passage(x, state, constants, zoneout, mask, reverse)


def first_state(cell: Any, batch: int, seed: int = 2) -> Any:
    """A state that is not zero."""
    rng = np.random.default_rng(seed)
    return cell.state_type(
        *(tf.constant(rng.normal(size=(batch, size)), cell.compute_dtype) for size in cell.state_size)
    )


def cudnn_rnn_v3(
    *,
    input: Any,
    input_h: Any,
    input_c: Any,
    params: Any,
    sequence_lengths: Any,
    rnn_mode: str,
    is_training: bool,
    time_major: bool,
) -> tuple[Any, ...]:
    """`tf.raw_ops.CudnnRNNV3` by the equations of cuDNN's guide, in operations that run on a CPU.

        LSTM: i, f, c', o      c = f c + i c',      h = o tanh c          each gate W x + R h + b_W + b_R
        GRU:  r, i, h'         h' = tanh(W x + b_W + r (R h + b_R)),      h = (1 - i) h' + i h

    Outputs are 0 after the end of a sequence, whose length is at least 1.
    """
    assert is_training  # TensorFlow refuses the gradient otherwise
    if not time_major:
        input, input_h = tf.transpose(input, [1, 0, 2]), tf.transpose(input_h, [1, 0, 2])
        input_c = tf.transpose(input_c, [1, 0, 2]) if rnn_mode == "lstm" else input_c
    count, units, features = GATES[rnn_mode], input_h.shape[2], input.shape[2]
    assert input_h.shape[0] == 1
    shapes = [(units, features)] * count + [(units, units)] * count + [(units,)] * 2 * count
    sizes = [int(np.prod(shape)) for shape in shapes]
    parts = tf.split(tf.ensure_shape(params, [sum(sizes)]), sizes)
    whole = [tf.reshape(part, shape) for part, shape in zip(parts, shapes, strict=True)]
    w, r, b_w, b_r = (whole[k * count : (k + 1) * count] for k in range(4))
    time = tf.shape(input)[0]
    with tf.control_dependencies(
        [
            tf.debugging.assert_greater_equal(sequence_lengths, 1),
            tf.debugging.assert_less_equal(sequence_lengths, time),
        ]
    ):
        lengths = tf.identity(sequence_lengths)[:, None]

    def step(state: Any, given: Any) -> Any:
        (h, c), (x, t) = state, given
        by_x = [tf.matmul(x, weights, transpose_b=True) + b for weights, b in zip(w, b_w, strict=True)]
        by_h = [tf.matmul(h, weights, transpose_b=True) + b for weights, b in zip(r, b_r, strict=True)]
        if rnn_mode == "lstm":
            i, f, new, o = (one + other for one, other in zip(by_x, by_h, strict=True))
            cell = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(new)
            hidden = tf.sigmoid(o) * tf.tanh(cell)
        else:
            reset, i = (tf.sigmoid(by_x[k] + by_h[k]) for k in (0, 1))
            cell, hidden = c, (1 - i) * tf.tanh(by_x[2] + reset * by_h[2]) + i * h
        return tf.where(t < lengths, hidden, h), tf.where(t < lengths, cell, c)

    first = (input_h[0], input_c[0] if rnn_mode == "lstm" else tf.zeros_like(input_h[0]))
    hidden, cell = tf.scan(step, (input, tf.range(time)), first)
    output = tf.where(tf.range(time)[:, None, None] < lengths, hidden, tf.zeros_like(hidden))
    last = [hidden[-1][None], cell[-1][None]]
    if not time_major:
        output, last = tf.transpose(output, [1, 0, 2]), [tf.transpose(part, [1, 0, 2]) for part in last]
    return output, *last, tf.zeros([]), tf.zeros([])


class Kernels:
    """For tests, which have no modules to import from each other."""

    passage = staticmethod(passage)
    first_state = staticmethod(first_state)


@pytest.fixture(scope="session")
def kernels() -> type[Kernels]:
    return Kernels


@pytest.fixture
def cudnn_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """cuDNN's operation, on a machine that has none."""
    monkeypatch.setattr(tf.raw_ops, "CudnnRNNV3", cudnn_rnn_v3)
