"""The weights of a cell by the letters of its equations.

Keras' weights hold all gates side by side, and those of a⟨t-1⟩ apart from those of x⟨t⟩. The equations have
for each gate g one matrix W_g, which acts on [a⟨t-1⟩, x⟨t⟩], a bias b_g, and gains g_ga and g_gx.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import UsageError

Arrays = dict[str, NDArray[Any]]

OF_GATES = frozenset({"kernel", "recurrent_kernel", "bias", "input_gain", "recurrent_gain"})
"""The weights that have a part for each gate."""


def gates_by_letter(named: Arrays, gates: Sequence[str], state: str) -> tuple[Arrays, Arrays]:
    """Those of the gates by their letters, and by their names all that no gate has.

    Args:
        named: the weights of a cell.
        gates: in their order in the weights.
        state: the letter of the state.
    """
    rows = [named["recurrent_kernel"], named["kernel"]]
    letters = {"W_{}": np.concatenate(rows), "b_{}": named["bias"]}
    if "input_gain" in named:
        letters |= {"g_{}" + state: named["recurrent_gain"], "g_{}x": named["input_gain"]}
    of_gates = {
        letter.format(gate): part
        for letter, array in letters.items()
        for gate, part in zip(gates, np.split(array, len(gates), axis=-1), strict=True)
    }
    return of_gates, {name: value for name, value in named.items() if name not in OF_GATES}


def assign_by_letter(cell: Any, weights: Mapping[str, Any]) -> None:
    """`Cell.set_equation_weights` of a cell that is built."""
    places = [np.arange(np.prod(v.shape)).reshape(v.shape) for v in cell.weights]
    starts = np.cumsum([0, *(place.size for place in places)])
    letters = cell.equation_weights([place + start for place, start in zip(places, starts, strict=False)])
    if wrong := sorted(set(letters) ^ set(weights)):
        raise UsageError(f"the weights of {cell.name} are {', '.join(letters)}; missing or unknown: {wrong}")
    flat = np.empty(starts[-1])
    for letter, place in letters.items():
        array = np.asarray(weights[letter])
        if array.shape != place.shape:
            raise UsageError(f"{letter} of {cell.name} has shape {place.shape}, not {array.shape}")
        flat[place] = array
    for variable, begin, end in zip(cell.weights, starts, starts[1:], strict=False):
        variable.assign(flat[begin:end].reshape(variable.shape))
