"""The LSTM and its gradient in NumPy, to read and to test by.

c̃⟨t⟩ = tanh(W_c [a⟨t-1⟩, x⟨t⟩] + b_c)
Γ_u  = σ(W_u [a⟨t-1⟩, x⟨t⟩] + b_u + p_u ∘ c⟨t-1⟩)
Γ_f  = σ(W_f [a⟨t-1⟩, x⟨t⟩] + b_f + p_f ∘ c⟨t-1⟩)
Γ_o  = σ(W_o [a⟨t-1⟩, x⟨t⟩] + b_o + p_o ∘ c⟨t⟩)
c⟨t⟩ = Γ_u ∘ c̃⟨t⟩ + Γ_f ∘ c⟨t-1⟩
a⟨t⟩ = W_p (Γ_o ∘ tanh(LN c⟨t⟩))
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from seqkit.cells.reference import (
    Array,
    Reference,
    Weights,
    added,
    normalised,
    normalised_backward,
    product_backward,
    sigmoid,
)
from seqkit.cells.states import LSTMState


class _Kept(NamedTuple):
    x: Array
    state: LSTMState
    mask: Any
    c_tilde: Array
    gamma_u: Array
    gamma_f: Array
    gamma_o: Array
    c: Array
    inside: Any  # where c⟨t⟩ was not cut


class LSTMReference(Reference):
    """The LSTM.

    Args:
        weights: W_g (hidden + features, units) and b_g (units,) for g = u, f, c, o; p_u, p_f, p_o (units,)
            for peepholes; W_p (units, hidden) for a projection; g_cell and b_cell (units,) for layer
            normalisation.
        cell_clip: the bound of c⟨t⟩; None for none.
    """

    state_type = LSTMState

    def __init__(self, weights: Weights, cell_clip: float | None = None) -> None:
        super().__init__(weights)
        self.cell_clip = np.inf if cell_clip is None else cell_clip

    def step(self, x: Array, state: LSTMState, mask: Any) -> tuple[LSTMState, _Kept]:
        """a⟨t⟩ and c⟨t⟩."""
        seen, c_previous = mask * state.hidden, state.cell
        c_tilde = np.tanh(self.affine("c", seen, x))
        gamma_u = sigmoid(self.affine("u", seen, x) + self._peephole("u") * c_previous)
        gamma_f = sigmoid(self.affine("f", seen, x) + self._peephole("f") * c_previous)
        uncut = gamma_u * c_tilde + gamma_f * c_previous
        c = np.clip(uncut, -self.cell_clip, self.cell_clip)
        gamma_o = sigmoid(self.affine("o", seen, x) + self._peephole("o") * c)
        a = gamma_o * np.tanh(self._normal(c))
        if "W_p" in self.weights:
            a = a @ self.weights["W_p"]
        return LSTMState(a, c), _Kept(x, state, mask, c_tilde, gamma_u, gamma_f, gamma_o, c, uncut == c)

    def step_backward(self, d_state: LSTMState, kept: _Kept) -> tuple[Array, LSTMState, dict[str, Array]]:
        """From a⟨t⟩ to Γ_o and c⟨t⟩, from there to c̃, Γ_u, Γ_f and c⟨t-1⟩, at last through the products."""
        c_previous, c = kept.state.cell, kept.c
        dz_o, dc_by_a, found = self._output_backward(d_state.hidden, kept)
        dc = (d_state.cell + dc_by_a + self._peephole("o") * dz_o) * kept.inside
        dz = {
            "o": dz_o,
            "c": dc * kept.gamma_u * (1 - kept.c_tilde**2),
            "u": dc * kept.c_tilde * kept.gamma_u * (1 - kept.gamma_u),
            "f": dc * c_previous * kept.gamma_f * (1 - kept.gamma_f),
        }
        dc_previous = dc * kept.gamma_f + self._peephole("u") * dz["u"] + self._peephole("f") * dz["f"]
        if "p_u" in self.weights:
            seen_cells = {"u": c_previous, "f": c_previous, "o": c}
            found |= {f"p_{gate}": (dz[gate] * cell).sum(axis=0) for gate, cell in seen_cells.items()}
        seen = kept.mask * kept.state.hidden
        d_seen, dx = np.zeros_like(seen), np.zeros_like(kept.x)
        for gate, dz_gate in dz.items():
            by_seen, by_x, by_weights = self.affine_backward(gate, seen, kept.x, dz_gate)
            d_seen, dx, found = d_seen + by_seen, dx + by_x, added(found, by_weights)
        return dx, LSTMState(kept.mask * d_seen, dc_previous), found

    def _output_backward(self, da: Array, kept: _Kept) -> tuple[Array, Array, dict[str, Array]]:
        """Derivatives by the pre-activation of Γ_o, by c⟨t⟩, and by the weights on the way to a⟨t⟩."""
        bent, found = np.tanh(self._normal(kept.c)), {}
        if "W_p" in self.weights:
            da, found["W_p"], _ = product_backward(kept.gamma_o * bent, self.weights["W_p"], None, da)
        dz_o = da * bent * kept.gamma_o * (1 - kept.gamma_o)
        dc = da * kept.gamma_o * (1 - bent**2)
        if "g_cell" in self.weights:
            found |= {"g_cell": (dc * normalised(kept.c)).sum(axis=0), "b_cell": dc.sum(axis=0)}
            dc = normalised_backward(kept.c, self.weights["g_cell"] * dc)
        return dz_o, dc, found

    def _normal(self, c: Array) -> Array:
        """LN c⟨t⟩, where there are gains; c⟨t⟩ itself where not."""
        if "g_cell" not in self.weights:
            return c
        return self.weights["g_cell"] * normalised(c) + self.weights["b_cell"]

    def _peephole(self, gate: str) -> Any:
        return self.weights.get(f"p_{gate}", 0.0)
