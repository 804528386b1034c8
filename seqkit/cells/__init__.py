"""Recurrent cells, one time step each: RNN, GRU (simplified, full, reset-after) and LSTM.

To read it: `lstm_reference`, `gru_reference` and `rnn_reference` have the equations and their gradients in
NumPy; `rnn`, `gru` and `lstm` are the same in TensorFlow, on `cell`, which holds what they share and how a
step is split from the loop around it; `conversion` exchanges weights with Keras.
"""

from __future__ import annotations

from seqkit.cells.cell import Cell
from seqkit.cells.conversion import from_keras, to_keras
from seqkit.cells.gru import GRUCell
from seqkit.cells.lstm import LSTMCell
from seqkit.cells.rnn import RNNCell
from seqkit.cells.states import GRUState, LSTMState, RNNState

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
