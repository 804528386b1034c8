"""Back-propagation through time in NumPy, float64: the loop, and the parts that all cells share.

A cell's reference has one step forward and the same step backward, written by hand; `Reference` runs it
along a sequence and, in `backward`, the other way. Weights go by the letters of the equations; an option is
on if its letters are there: the gains `g_ua`, `g_ux` of layer normalisation, the peepholes `p_u`, a
projection `W_p`.

For a product z = v W and the derivatives dz of the loss by it, dv = dz Wᵀ and dW = vᵀ dz; for y = f(z),
dz = df/dz ∘ dy.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqkit.cells.states import State

Array = NDArray[np.float64]
Weights = Mapping[str, Array]

EPSILON = 1e-5
"""Added to the variance in layer normalisation."""


class Gradients(NamedTuple):
    """Derivatives of the loss.

    Args:
        inputs: by x, (batch, time, features).
        state: by the state before the first step.
        weights: by each weight, under its letters.
    """

    inputs: Array
    state: Any
    weights: dict[str, Array]


class Reference(ABC):
    """A cell, its steps along a sequence, and its gradient.

    Args:
        weights: by their letters, as `Cell.equation_weights` gives them.
    """

    letter: ClassVar[str] = "a"
    state_type: ClassVar[type[Any]]

    def __init__(self, weights: Weights) -> None:
        self.weights = {name: np.asarray(value, np.float64) for name, value in weights.items()}

    def forward(
        self, inputs: Array, state: State, *, mask: Any = 1.0, zoneout: State | None = None
    ) -> tuple[Array, Any]:
        """All steps.

        Args:
            inputs: x, (batch, time, features).
            state: before the first step.
            mask: of recurrent dropout, (batch, hidden), the same in all steps.
            zoneout: what each part of the state keeps of its value: a rate, or masks (time, batch, size).

        Returns:
            a⟨t⟩ of all steps, (batch, time, hidden), and the last state.
        """
        self._steps: list[Any] = []
        self._keeps: list[Any] = []
        hidden = []
        for t in range(inputs.shape[1]):
            new, kept = self.step(inputs[:, t], state, mask)
            keep = [_at(part, t) for part in zoneout or [None] * len(state)]
            state = self.state_type(
                *(k * old + (1 - k) * n for k, old, n in zip(keep, state, new, strict=True))
            )
            self._steps.append(kept)
            self._keeps.append(keep)
            hidden.append(state.hidden)
        return np.stack(hidden, axis=1), state

    def backward(self, d_hidden: Array) -> Gradients:
        """The gradient, from the last step to the first; after `forward`.

        Args:
            d_hidden: derivatives of the loss by a⟨t⟩ of all steps, (batch, time, hidden).
        """
        sums = {name: np.zeros_like(value) for name, value in self.weights.items()}
        d_inputs = []
        d_state: Any = None
        for t in reversed(range(len(self._steps))):
            # a⟨t⟩ moves the loss by itself, and by the steps after it.
            d_state = self._zero_state(t) if d_state is None else d_state
            d_state = d_state._replace(hidden=d_state.hidden + d_hidden[:, t])
            keep = self._keeps[t]
            d_new = self.state_type(*((1 - k) * d for k, d in zip(keep, d_state, strict=True)))
            d_x, d_previous, d_weights = self.step_backward(d_new, self._steps[t])
            d_state = self.state_type(
                *(k * d + before for k, d, before in zip(keep, d_state, d_previous, strict=True))
            )
            d_inputs.append(d_x)
            for name, value in d_weights.items():
                sums[name] += value
        return Gradients(np.stack(d_inputs[::-1], axis=1), d_state, sums)

    def _zero_state(self, t: int) -> Any:
        return self.state_type(*(np.zeros_like(part) for part in self._steps[t].state))

    @abstractmethod
    def step(self, x: Array, state: Any, mask: Any) -> tuple[Any, Any]:
        """The state after a step, without zoneout, and what the way back needs, `state` among it."""

    @abstractmethod
    def step_backward(self, d_state: Any, kept: Any) -> tuple[Array, Any, dict[str, Array]]:
        """Derivatives by x, by the state before and by the weights, from those by the state after."""

    # z_g = W_g [a, x] + b_g, in its two halves

    def recurrent(self, gate: str, a: Array) -> Array:
        """W_ga a, or LN(W_ga a)."""
        return product(a, self.weights[f"W_{gate}"][: a.shape[1]], self.weights.get(f"g_{gate}{self.letter}"))

    def recurrent_backward(self, gate: str, a: Array, dz: Array) -> tuple[Array, dict[str, Array]]:
        """Derivatives by a and by the weights, those of x being 0 here."""
        weights, gain = self.weights[f"W_{gate}"], f"g_{gate}{self.letter}"
        da, d_weights, d_gain = product_backward(a, weights[: a.shape[1]], self.weights.get(gain), dz)
        found = {f"W_{gate}": np.concatenate([d_weights, np.zeros_like(weights[a.shape[1] :])])}
        return da, found if d_gain is None else found | {gain: d_gain}

    def projected(self, gate: str, x: Array) -> Array:
        """W_gx x + b_g, or LN(W_gx x) + b_g."""
        weights = self.weights[f"W_{gate}"][-x.shape[1] :]
        return product(x, weights, self.weights.get(f"g_{gate}x")) + self.weights[f"b_{gate}"]

    def projected_backward(self, gate: str, x: Array, dz: Array) -> tuple[Array, dict[str, Array]]:
        """Derivatives by x and by the weights, those of a being 0 here."""
        weights, gain = self.weights[f"W_{gate}"], f"g_{gate}x"
        dx, d_weights, d_gain = product_backward(x, weights[-x.shape[1] :], self.weights.get(gain), dz)
        above = np.zeros_like(weights[: -x.shape[1]])
        found = {f"W_{gate}": np.concatenate([above, d_weights]), f"b_{gate}": dz.sum(axis=0)}
        return dx, found if d_gain is None else found | {gain: d_gain}

    def affine(self, gate: str, a: Array, x: Array) -> Array:
        """W_g [a, x] + b_g."""
        return self.recurrent(gate, a) + self.projected(gate, x)

    def affine_backward(
        self, gate: str, a: Array, x: Array, dz: Array
    ) -> tuple[Array, Array, dict[str, Array]]:
        """Derivatives by a, by x, and by the weights."""
        da, by_a = self.recurrent_backward(gate, a, dz)
        dx, by_x = self.projected_backward(gate, x, dz)
        return da, dx, added(by_a, by_x)


def _at(keep: Any, t: int) -> Any:
    """What is kept at a step, from a rate, masks of all steps, or None."""
    return 0.0 if keep is None else keep if np.ndim(keep) == 0 else keep[t]


def added(*gradients: Mapping[str, Array]) -> dict[str, Array]:
    """The sum of gradients by weights, each of which may lack some."""
    total: dict[str, Array] = {}
    for gradient in gradients:
        for name, value in gradient.items():
            total[name] = total[name] + value if name in total else value
    return total


def sigmoid(z: Array) -> Array:
    """σ(z) = 1 / (1 + e^-z); its derivative is σ (1 - σ), that of the tanh 1 - tanh²."""
    return np.asarray(0.5 * (1 + np.tanh(z / 2)))  # no overflow for any z


def product(v: Array, weights: Array, gain: Array | None) -> Array:
    """The product v W, or LN(v W) with a gain."""
    z = v @ weights
    return z if gain is None else gain * normalised(z)


def product_backward(
    v: Array, weights: Array, gain: Array | None, dy: Array
) -> tuple[Array, Array, Array | None]:
    """Derivatives by v, by W and by the gain."""
    d_gain, dz = None, dy
    if gain is not None:
        z = v @ weights
        d_gain, dz = (dy * normalised(z)).sum(axis=0), normalised_backward(z, gain * dy)
    return dz @ weights.T, v.T @ dz, d_gain


def normalised(z: Array) -> Array:
    """n = (z - mean z) / √(var z + ε), row by row."""
    return np.asarray((z - z.mean(axis=1, keepdims=True)) / deviation(z))


def normalised_backward(z: Array, dn: Array) -> Array:
    """dz = (dn - mean dn - n mean(n ∘ dn)) / √(var z + ε): z moves its mean and its variance, too."""
    n = normalised(z)
    along = n * (n * dn).mean(axis=1, keepdims=True)
    return np.asarray((dn - dn.mean(axis=1, keepdims=True) - along) / deviation(z))


def deviation(z: Array) -> Array:
    """√(var z + ε) of each row."""
    return np.asarray(np.sqrt(z.var(axis=1, keepdims=True) + EPSILON))
