"""The weights by the letters of the equations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seqkit.cells import LSTMCell, RNNCell
from seqkit.cells.letters import gates_by_letter
from seqkit.errors import UsageError


def test_each_gate_has_its_columns_and_the_rows_of_the_state_come_first() -> None:
    named = {
        "kernel": np.array([[1, 2]]),
        "recurrent_kernel": np.array([[3, 4]]),
        "bias": np.array([5, 6]),
        "input_gain": np.array([7, 8]),
        "recurrent_gain": np.array([9, 10]),
        "peepholes": np.array([11]),
    }
    of_gates, further = gates_by_letter(named, ("u", "r"), "c")
    assert {letter: part.tolist() for letter, part in of_gates.items()} == {
        "W_u": [[3], [1]],
        "W_r": [[4], [2]],
        "b_u": [5],
        "b_r": [6],
        "g_uc": [9],
        "g_rc": [10],
        "g_ux": [7],
        "g_rx": [8],
    }
    assert further == {"peepholes": 11}


def test_letters_go_in_and_out(helpers: Any, any_case: str) -> None:
    cell, other = helpers.built(any_case), helpers.built(any_case, random=False)
    letters = cell.equation_weights()
    units, rows = cell.units, cell.hidden_size + 2
    assert all(letters[f"W_{gate}"].shape == (rows, units) for gate in cell.gates)
    other.set_equation_weights(letters)
    for one, two in zip(cell.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    with pytest.raises(UsageError, match=r"missing or unknown: .*'W_z'"):
        other.set_equation_weights({**letters, "W_z": 0})
    with pytest.raises(UsageError, match="has shape"):
        other.set_equation_weights({**letters, f"W_{cell.gates[0]}": np.zeros((1, 1))})


def test_a_cell_without_weights_has_none_to_give() -> None:
    with pytest.raises(UsageError, match="has no weights yet: build it first"):
        LSTMCell(3).equation_weights()


def test_a_cell_that_is_not_trained_keeps_its_letters() -> None:
    cell = RNNCell(3, trainable=False)
    cell.build((None, 2))
    assert set(cell.equation_weights()) == {"W_a", "b_a"}


def test_a_letter_that_is_missing() -> None:
    cell = RNNCell(3)
    cell.build((None, 2))
    letters = cell.equation_weights()
    del letters["b_a"]
    with pytest.raises(UsageError, match=r"missing or unknown: \['b_a'\]"):
        cell.set_equation_weights(letters)
