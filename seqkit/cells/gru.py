"""The gated recurrent unit, in its three forms."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Unpack

import keras
import tensorflow as tf

from seqkit.cells.cell import Cell, CellOptions
from seqkit.cells.checks import checked_choice, checked_rate
from seqkit.cells.letters import Arrays
from seqkit.cells.numerics import zoned
from seqkit.cells.states import GRUState

GATES = {"simplified": ("u", "c"), "full": ("u", "r", "c"), "reset-after": ("u", "r", "c")}

Variant = Literal["simplified", "full", "reset-after"]


class GRUConstants(NamedTuple):
    """What the steps of a sequence have in common.

    Args:
        recurrent_kernel: what multiplies c⟨t-1⟩: W_uc, W_rc, W_cc side by side, (units, gates · units);
            without W_cc in the full form.
        candidate_kernel: W_cc of the full form, which multiplies Γ_r ∘ c⟨t-1⟩; None in the others.
        candidate_bias: b_cc of the reset-after form, (units,); None in the others.
        mask: of recurrent dropout, (batch, units).
        recurrent_gain: gains of layer normalisation, those of `recurrent_kernel`.
        candidate_gain: that of `candidate_kernel`.
    """

    recurrent_kernel: Any
    candidate_kernel: Any
    candidate_bias: Any
    mask: Any
    recurrent_gain: Any
    candidate_gain: Any


@keras.saving.register_keras_serializable(package="seqkit")
class GRUCell(Cell):
    """The gated recurrent unit (Cho et al. 2014; Chung et al. 2014).

    Simplified, with the update gate alone:

        c̃⟨t⟩ = tanh(W_c [c⟨t-1⟩, x⟨t⟩] + b_c)
        Γ_u  = σ(W_u [c⟨t-1⟩, x⟨t⟩] + b_u)
        c⟨t⟩ = Γ_u ∘ c̃⟨t⟩ + (1 - Γ_u) ∘ c⟨t-1⟩              a⟨t⟩ = c⟨t⟩

    Full, with the relevance gate before the product (Cho et al. 2014; Keras' `reset_after=False`):

        Γ_r  = σ(W_r [c⟨t-1⟩, x⟨t⟩] + b_r)
        c̃⟨t⟩ = tanh(W_c [Γ_r ∘ c⟨t-1⟩, x⟨t⟩] + b_c)

    Reset-after, with the relevance gate after the product (the form of cuDNN, PyTorch and Keras' default):

        c̃⟨t⟩ = tanh(W_cx x⟨t⟩ + b_c + Γ_r ∘ (W_cc c⟨t-1⟩ + b_cc))     W_c = [W_cc, W_cx]

    Γ_u is how much is new, as in Chung et al.; Keras' and PyTorch's update gate is z = 1 - Γ_u.

    Shapes: x (batch, features), c and each gate (batch, units); each W (units + features, units), each b
    (units,); vectors are rows, so the code multiplies from the left. Gates are in 0..1, c in -1..1.

    Args:
        units: length of c.
        variant: "simplified", "full" or "reset-after".
        zoneout: probability that a unit keeps its value in a step of training, and the share it keeps
            otherwise (Krueger et al. 2017); 0 to below 1.
        options: those of every cell, see `seqkit.cells.cell.Cell`.

    Raises:
        UsageError: for values out of their range.
    """

    letter = "c"
    state_type = GRUState

    def __init__(
        self,
        units: int,
        *,
        variant: Variant = "simplified",
        zoneout: float = 0.0,
        **options: Unpack[CellOptions],
    ) -> None:
        self._zoneout = checked_rate("zoneout", zoneout)
        super().__init__(units, **options)
        self.variant = checked_choice("variant", variant, GATES)
        self.gates = GATES[self.variant]

    @property
    def zoneout_rates(self) -> GRUState:
        """The rate of zoneout."""
        return GRUState(self._zoneout)

    def _build_further(self) -> None:
        self.candidate_bias = None
        if self.variant == "reset-after":
            self.candidate_bias = self.add_weight(
                name="candidate_bias", shape=(self.units,), initializer="zeros"
            )

    def _further_letters(self, named: Arrays) -> Arrays:
        return {"b_cc" if name == "candidate_bias" else name: value for name, value in named.items()}

    def _constants(self, kernel: Any, mask: Any) -> GRUConstants:
        gain, candidate_kernel, candidate_gain = self._value(self.recurrent_gain), None, None
        if self.variant == "full":
            both = 2 * self.units
            kernel, candidate_kernel = kernel[:, :both], kernel[:, both:]
            gain, candidate_gain = (None, None) if gain is None else (gain[:both], gain[both:])
        bias = self._value(self.candidate_bias)
        return GRUConstants(kernel, candidate_kernel, bias, mask, gain, candidate_gain)

    def step(
        self, projected: Any, state: GRUState, constants: GRUConstants, zoneout: GRUState | None = None
    ) -> GRUState:
        """One step: c⟨t⟩ from c⟨t-1⟩."""
        c_previous = state.hidden
        form = {"simplified": self._simplified, "full": self._full, "reset-after": self._reset_after}
        gamma_u, c_tilde = form[self.variant](projected, c_previous, constants)
        c = gamma_u * c_tilde + (1 - gamma_u) * c_previous
        keep = zoneout or GRUState(None)
        return GRUState(zoned(keep.hidden, c_previous, c))

    def _simplified(self, projected: Any, c_previous: Any, constants: GRUConstants) -> tuple[Any, Any]:
        """Γ_u and c̃."""
        recurrent = self._products(c_previous, constants, 2)
        u, c = tf.split(projected + recurrent, 2, axis=-1)
        return tf.sigmoid(u), tf.tanh(c)

    def _full(self, projected: Any, c_previous: Any, constants: GRUConstants) -> tuple[Any, Any]:
        """Γ_u and c̃, whose product sees Γ_r ∘ c⟨t-1⟩."""
        x_gates, x_c = tf.split(projected, [2 * self.units, self.units], axis=-1)
        gamma_u, gamma_r = tf.split(
            tf.sigmoid(x_gates + self._products(c_previous, constants, 2)), 2, axis=-1
        )
        kernel, mask, gain = constants.candidate_kernel, constants.mask, constants.candidate_gain
        c_tilde = tf.tanh(x_c + self._recurrent(gamma_r * c_previous, kernel, mask, gain, 1))
        return gamma_u, c_tilde

    def _reset_after(self, projected: Any, c_previous: Any, constants: GRUConstants) -> tuple[Any, Any]:
        """Γ_u and c̃, with Γ_r on the product."""
        sizes = [2 * self.units, self.units]
        x_gates, x_c = tf.split(projected, sizes, axis=-1)
        c_gates, c_c = tf.split(self._products(c_previous, constants, 3), sizes, axis=-1)
        gamma_u, gamma_r = tf.split(tf.sigmoid(x_gates + c_gates), 2, axis=-1)
        c_tilde = tf.tanh(x_c + gamma_r * (c_c + constants.candidate_bias))
        return gamma_u, c_tilde

    def _products(self, c_previous: Any, constants: GRUConstants, gates: int) -> Any:
        kernel, mask, gain = constants.recurrent_kernel, constants.mask, constants.recurrent_gain
        return self._recurrent(c_previous, kernel, mask, gain, gates)

    def get_config(self) -> dict[str, Any]:
        """The arguments, for Keras' serialisation."""
        return {**super().get_config(), "variant": self.variant, "zoneout": self._zoneout}
