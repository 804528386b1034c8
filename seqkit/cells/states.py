"""What a cell hands from one step to the next, by name.

The same tuples hold what belongs to each part of a state: its size, its zoneout mask, its gradient.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class RNNState(NamedTuple):
    """The state of an RNN.

    Args:
        hidden: a⟨t⟩, (batch, units).
    """

    hidden: Any


class GRUState(NamedTuple):
    """The state of a GRU, which is its output, too.

    Args:
        hidden: c⟨t⟩ = a⟨t⟩, (batch, units).
    """

    hidden: Any


class LSTMState(NamedTuple):
    """The state of an LSTM.

    Args:
        hidden: a⟨t⟩, (batch, units), or (batch, projection) with a projection.
        cell: c⟨t⟩, (batch, units).
    """

    hidden: Any
    cell: Any


State = RNNState | GRUState | LSTMState
