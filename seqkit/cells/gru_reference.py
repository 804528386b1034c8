"""The GRU in its three forms and its gradient in NumPy, to read and to test by.

Γ_u  = σ(W_u [c⟨t-1⟩, x⟨t⟩] + b_u)
Γ_r  = σ(W_r [c⟨t-1⟩, x⟨t⟩] + b_r)                              full and reset-after
c̃⟨t⟩ = tanh(W_c [c⟨t-1⟩, x⟨t⟩] + b_c)                           simplified
c̃⟨t⟩ = tanh(W_c [Γ_r ∘ c⟨t-1⟩, x⟨t⟩] + b_c)                     full
c̃⟨t⟩ = tanh(W_cx x⟨t⟩ + b_c + Γ_r ∘ (W_cc c⟨t-1⟩ + b_cc))       reset-after
c⟨t⟩ = Γ_u ∘ c̃⟨t⟩ + (1 - Γ_u) ∘ c⟨t-1⟩
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from seqkit.cells.reference import Array, Reference, Weights, added, sigmoid
from seqkit.cells.states import GRUState


class _Kept(NamedTuple):
    x: Array
    state: GRUState
    mask: Any
    gamma_u: Array
    gamma_r: Array | None
    c_tilde: Array


class GRUReference(Reference):
    """The GRU.

    Args:
        weights: W_g (units + features, units) and b_g (units,) for g = u, c and, where there is a relevance
            gate, r; b_cc for the reset-after form.
        variant: "simplified", "full" or "reset-after".
    """

    letter = "c"
    state_type = GRUState

    def __init__(self, weights: Weights, variant: str = "simplified") -> None:
        super().__init__(weights)
        self.variant = variant

    def step(self, x: Array, state: GRUState, mask: Any) -> tuple[GRUState, _Kept]:
        """c⟨t⟩."""
        c_previous = state.hidden
        seen = mask * c_previous  # by the products; what is carried on is whole
        gamma_u, gamma_r = sigmoid(self.affine("u", seen, x)), None
        if self.variant != "simplified":
            gamma_r = sigmoid(self.affine("r", seen, x))
        if gamma_r is None:
            c_tilde = np.tanh(self.affine("c", seen, x))
        elif self.variant == "full":
            c_tilde = np.tanh(self.affine("c", gamma_r * seen, x))
        else:
            inside = self.recurrent("c", seen) + self.weights["b_cc"]
            c_tilde = np.tanh(self.projected("c", x) + gamma_r * inside)
        c = gamma_u * c_tilde + (1 - gamma_u) * c_previous
        return GRUState(c), _Kept(x, state, mask, gamma_u, gamma_r, c_tilde)

    def step_backward(self, d_state: GRUState, kept: _Kept) -> tuple[Array, GRUState, dict[str, Array]]:
        """Through the mixing, the candidate, then the gates."""
        x, (c_previous,), mask, gamma_u, gamma_r, c_tilde = kept
        seen, dc = mask * c_previous, d_state.hidden
        d_gamma_u, d_c_tilde = dc * (c_tilde - c_previous), dc * gamma_u
        dz_c = d_c_tilde * (1 - c_tilde**2)
        d_seen, dx, d_gamma_r, by_c = self._candidate_backward(seen, x, gamma_r, dz_c)
        found = [by_c]
        for gate, gamma, d_gamma in (("u", gamma_u, d_gamma_u), ("r", gamma_r, d_gamma_r)):
            if gamma is not None and d_gamma is not None:
                dz = d_gamma * gamma * (1 - gamma)
                by_state, by_x, by_weights = self.affine_backward(gate, seen, x, dz)
                d_seen, dx = d_seen + by_state, dx + by_x
                found.append(by_weights)
        return dx, GRUState(dc * (1 - gamma_u) + mask * d_seen), added(*found)

    def _candidate_backward(
        self, seen: Array, x: Array, gamma_r: Array | None, dz: Array
    ) -> tuple[Array, Array, Array | None, dict[str, Array]]:
        """Derivatives by c⟨t-1⟩ as the product sees it, by x, by Γ_r and by the weights of c̃."""
        if gamma_r is None:
            d_seen, dx, by_weights = self.affine_backward("c", seen, x, dz)
            return d_seen, dx, None, by_weights
        if self.variant == "full":
            d_relevant, dx, by_weights = self.affine_backward("c", gamma_r * seen, x, dz)
            return gamma_r * d_relevant, dx, seen * d_relevant, by_weights
        dx, by_x = self.projected_backward("c", x, dz)
        inside = self.recurrent("c", seen) + self.weights["b_cc"]
        d_inside = gamma_r * dz
        d_seen, by_state = self.recurrent_backward("c", seen, d_inside)
        return d_seen, dx, inside * dz, added(by_x, by_state, {"b_cc": d_inside.sum(axis=0)})
