"""Recurrent cells, one time step each: RNN, GRU (simplified, full, reset-after) and LSTM.

To read it: `lstm_reference`, `gru_reference` and `rnn_reference` have the equations and their gradients in
NumPy; `rnn`, `gru` and `lstm` are the same in TensorFlow, on `cell`, which holds what they share and how a
step is split from the loop around it; `conversion` exchanges weights with Keras.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from seqkit.cells.states import GRUState, LSTMState, RNNState

if TYPE_CHECKING:
    from seqkit.cells.cell import Cell
    from seqkit.cells.conversion import from_keras, to_keras
    from seqkit.cells.gru import GRUCell
    from seqkit.cells.lstm import LSTMCell
    from seqkit.cells.rnn import RNNCell

__all__ = [
    "Cell",
    "GRUCell",
    "GRUState",
    "LSTMCell",
    "LSTMState",
    "RNNCell",
    "RNNState",
    "from_keras",
    "to_keras",
]

# What needs TensorFlow is imported when it is first asked for.
_HOMES = {
    "Cell": "seqkit.cells.cell",
    "GRUCell": "seqkit.cells.gru",
    "LSTMCell": "seqkit.cells.lstm",
    "RNNCell": "seqkit.cells.rnn",
    "from_keras": "seqkit.cells.conversion",
    "to_keras": "seqkit.cells.conversion",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'seqkit.cells' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
