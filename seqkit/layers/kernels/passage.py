"""What a cell is run along."""

from __future__ import annotations

from typing import Any, NamedTuple


class Passage(NamedTuple):
    """Sequences, and what a cell needs beside them.

    Args:
        sequences: x, (batch, time, features).
        state: the state before the first step, of the type `cell.state_type`.
        constants: `cell.constants` of the sequences.
        zoneout: `cell.zoneout_masks` of (time, batch).
        mask: (batch, time), False for the steps to leave out; None to leave out none.
        reverse: begin at the end.
    """

    sequences: Any
    state: Any
    constants: Any
    zoneout: Any
    mask: Any
    reverse: bool
