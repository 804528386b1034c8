"""The RNN and its gradient in NumPy, to read and to test by.

a⟨t⟩ = g(W_a [a⟨t-1⟩, x⟨t⟩] + b_a)
ŷ⟨t⟩ = g_y(W_y a⟨t⟩ + b_y)
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from seqkit.cells.reference import Array, Reference, Weights, product_backward, sigmoid
from seqkit.cells.states import RNNState


class _Kept(NamedTuple):
    x: Array
    state: RNNState
    mask: Any
    a: Array


class RNNReference(Reference):
    """The RNN.

    Args:
        weights: W_a (units + features, units) and b_a (units,); W_y and b_y where there is an output.
        activation: g, "tanh" or "relu".
        output_activation: g_y, "softmax", "sigmoid" or "linear".
    """

    state_type = RNNState

    def __init__(
        self, weights: Weights, activation: str = "tanh", output_activation: str = "softmax"
    ) -> None:
        super().__init__(weights)
        self.activation, self.output_activation = activation, output_activation

    def step(self, x: Array, state: RNNState, mask: Any) -> tuple[RNNState, _Kept]:
        """a⟨t⟩."""
        z = self.affine("a", mask * state.hidden, x)
        a = np.tanh(z) if self.activation == "tanh" else np.maximum(z, 0)
        return RNNState(a), _Kept(x, state, mask, a)

    def step_backward(self, d_state: RNNState, kept: _Kept) -> tuple[Array, RNNState, dict[str, Array]]:
        """Through g, then through the product."""
        x, state, mask, a = kept
        dz = d_state.hidden * (1 - a**2 if self.activation == "tanh" else a > 0)
        da_previous, dx, d_weights = self.affine_backward("a", mask * state.hidden, x, dz)
        return dx, RNNState(mask * da_previous), d_weights

    def output(self, a: Array) -> Array:
        """ŷ of any number of steps, (…, output_units)."""
        z = a @ self.weights["W_y"] + self.weights["b_y"]
        if self.output_activation == "softmax":
            exponential = np.exp(z - z.max(axis=-1, keepdims=True))
            return np.asarray(exponential / exponential.sum(axis=-1, keepdims=True))
        return sigmoid(z) if self.output_activation == "sigmoid" else z

    def output_backward(self, a: Array, dy: Array) -> tuple[Array, dict[str, Array]]:
        """Derivatives by a, (batch, time, units), and by W_y and b_y."""
        y = self.output(a)
        dz = dy
        if self.output_activation == "softmax":
            dz = y * (dy - (dy * y).sum(axis=-1, keepdims=True))  # ∂y_i/∂z_j = y_i ([i = j] - y_j)
        elif self.output_activation == "sigmoid":
            dz = dy * y * (1 - y)
        flat, rows = a.reshape(-1, a.shape[-1]), dz.reshape(-1, dz.shape[-1])
        da, d_weights, _ = product_backward(flat, self.weights["W_y"], None, rows)
        return da.reshape(a.shape), {"W_y": d_weights, "b_y": rows.sum(axis=0)}
