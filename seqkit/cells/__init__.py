"""Recurrent cells, one time step each: RNN, GRU (simplified, full, reset-after) and LSTM.

To read it: `lstm_reference`, `gru_reference` and `rnn_reference` have the equations and their gradients in
NumPy; `rnn`, `gru` and `lstm` are the same in TensorFlow, on `cell`, which holds what they share and how a
step is split from the loop around it; `conversion` exchanges weights with Keras.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqkit.cells.states import GRUState, LSTMState, RNNState
from seqkit.lazy import lazy_names

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

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
