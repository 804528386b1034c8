"""Weights from Keras' recurrent layers and back.

| here | Keras |
|---|---|
| `RNNCell` | `SimpleRNN` |
| `GRUCell(variant="full")` | `GRU(reset_after=False)` |
| `GRUCell(variant="reset-after")` | `GRU(reset_after=True)`, Keras' default |
| `LSTMCell` | `LSTM` |

Keras' update gate is z = 1 - Γ_u = σ(-(W_u [c, x] + b_u)), so the weights of Γ_u change their sign. With
`reset_after` Keras adds two biases where one is enough: their sums are taken, and what goes back has zeros
in the second one's place, except for b_cc.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from seqkit.cells.cell import Cell
from seqkit.cells.gru import GRUCell
from seqkit.cells.letters import Arrays
from seqkit.cells.lstm import LSTMCell
from seqkit.cells.rnn import RNNCell
from seqkit.errors import UsageError

# The gates in Keras' order; only its z has the other sign.
_ORDER = {"SimpleRNNCell": "a", "GRUCell": "urc", "LSTMCell": "ufco"}


def from_keras(layer: Any) -> Cell:
    """The cell with the weights of a layer or cell of Keras.

    Weights only: Keras drops its own mask for each gate, so its dropout has no counterpart here.

    Args:
        layer: a built `keras.layers.SimpleRNN`, `GRU` or `LSTM`, or a cell of theirs.

    Raises:
        UsageError: if it is none of them, has no weights yet, or has other activations than the cell here.
    """
    theirs = getattr(layer, "cell", layer)
    kind = type(theirs).__name__
    if kind not in _ORDER or not isinstance(theirs, getattr(keras.layers, kind)):
        raise UsageError(f"only SimpleRNN, GRU and LSTM of Keras can be converted, not {kind}")
    if not theirs.built:
        raise UsageError(f"{theirs.name} has no weights yet: build it first, or call its layer")
    _check_activations(theirs, kind)
    cell = _cell_like(theirs, kind)
    kernel, recurrent = np.asarray(theirs.kernel), np.asarray(theirs.recurrent_kernel)
    cell.build((None, kernel.shape[0]))
    count = len(_ORDER[kind])
    bias = np.zeros(kernel.shape[1]) if theirs.bias is None else np.asarray(theirs.bias)
    letters: Arrays = {}
    if cell.letter == "c" and bias.ndim == 2:  # input and recurrent bias
        letters["b_cc"] = bias[1, 2 * cell.units :]
        bias = bias[0] + np.where(np.arange(3 * cell.units) < 2 * cell.units, bias[1], 0)
    elif kind == "GRUCell" and theirs.reset_after:
        letters["b_cc"] = np.zeros(cell.units)
    parts = zip(
        _ORDER[kind],
        np.split(np.concatenate([recurrent, kernel]), count, axis=1),
        np.split(bias, count),
        strict=True,
    )
    for gate, weights, offsets in parts:
        sign = _sign(kind, gate)
        letters |= {f"W_{gate}": sign * weights, f"b_{gate}": sign * offsets}
    cell.set_equation_weights(letters)
    return cell


def to_keras(cell: Any) -> Any:
    """The cell of Keras with the same weights, for `keras.layers.RNN` or to take the weights from.

    Args:
        cell: a built cell whose options Keras has, too, or a layer around it.

    Raises:
        UsageError: if Keras has no such cell, or there are no weights yet.
    """
    cell = getattr(cell, "cell", cell)
    if type(cell) not in (RNNCell, GRUCell, LSTMCell):
        raise UsageError(f"only RNNCell, GRUCell and LSTMCell can be converted, not {type(cell).__name__}")
    cell.check_built()
    if lacking := _lacking_in_keras(cell):
        raise UsageError(f"Keras' cells have no {', '.join(lacking)}: {cell.name} cannot be converted")
    theirs = _keras_cell(cell)
    theirs.build((None, cell.kernel.shape[0]))
    letters = cell.equation_weights()
    kind = type(theirs).__name__
    order = _ORDER[kind]
    joined = np.concatenate([_sign(kind, gate) * letters[f"W_{gate}"] for gate in order], axis=1)
    bias = np.concatenate([_sign(kind, gate) * letters[f"b_{gate}"] for gate in order])
    if "b_cc" in letters:
        bias = np.stack([bias, np.concatenate([np.zeros(2 * cell.units), letters["b_cc"]])])
    theirs.set_weights([joined[cell.units :], joined[: cell.units], bias])
    return theirs


def _sign(kind: str, gate: str) -> int:
    return -1 if (kind, gate) == ("GRUCell", "u") else 1


def _check_activations(theirs: Any, kind: str) -> None:
    allowed = {"activation": {"tanh", "relu"} if kind == "SimpleRNNCell" else {"tanh"}}
    if kind != "SimpleRNNCell":
        allowed["recurrent_activation"] = {"sigmoid"}
    for name, names in allowed.items():
        function = getattr(theirs, name)
        if not any(function is keras.activations.get(known) for known in names):
            found = getattr(function, "__name__", function)
            found = f"another {found}" if found in names else found
            raise UsageError(f"the {name} of {theirs.name} must be {' or '.join(sorted(names))}, not {found}")


def _cell_like(theirs: Any, kind: str) -> Cell:
    """A cell of the kind and size of one of Keras'."""
    options: Any = {"name": theirs.name, "dtype": theirs.dtype_policy}
    if kind == "SimpleRNNCell":
        activation = keras.activations.serialize(theirs.activation)
        return RNNCell(theirs.units, activation=activation, **options)
    if kind == "GRUCell":
        variant: Any = "reset-after" if theirs.reset_after else "full"
        return GRUCell(theirs.units, variant=variant, **options)
    return LSTMCell(theirs.units, **options)


def _keras_cell(cell: Cell) -> Any:
    """A cell of Keras of the kind and size of one here."""
    options: Any = {"name": cell.name, "dtype": cell.dtype_policy}
    if isinstance(cell, RNNCell):
        return keras.layers.SimpleRNNCell(cell.units, activation=cell.activation, **options)
    if isinstance(cell, GRUCell):
        return keras.layers.GRUCell(cell.units, reset_after=cell.variant == "reset-after", **options)
    return keras.layers.LSTMCell(cell.units, **options)


def _lacking_in_keras(cell: Cell) -> list[str]:
    """The options of a cell that change what it computes after training, and that Keras does not have."""
    config = cell.get_config()
    names = ("layer_norm", "learn_initial_state", "output_units", "peepholes", "projection", "cell_clip")
    lacking = [name for name in names if config.get(name)]
    lacking += [name for name in config if name.startswith("zoneout") and config[name]]
    if config.get("variant") == "simplified":
        lacking.append("variant 'simplified'")
    return lacking
