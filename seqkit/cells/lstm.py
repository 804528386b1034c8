"""Long short-term memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Unpack

import keras
import tensorflow as tf

from seqkit.cells.cell import Cell, CellOptions
from seqkit.cells.checks import checked_count, checked_number, checked_rate
from seqkit.cells.letters import Arrays
from seqkit.cells.numerics import initial_gates, layer_norm, product, zoned
from seqkit.cells.states import LSTMState


class LSTMConstants(NamedTuple):
    """What the steps of a sequence have in common; None where an option is off.

    Args:
        recurrent_kernel: W_ua, W_fa, W_ca, W_oa side by side, (hidden, 4 · units).
        mask: of recurrent dropout, (batch, hidden).
        peepholes: p_u, p_f, p_o, (3, units).
        projection_kernel: W_p, (units, projection).
        recurrent_gain: gains of the recurrent products, (4 · units,).
        cell_gain: g of the cell's own normalisation, (units,).
        cell_offset: b of it, (units,).
    """

    recurrent_kernel: Any
    mask: Any
    peepholes: Any
    projection_kernel: Any
    recurrent_gain: Any
    cell_gain: Any
    cell_offset: Any


@keras.saving.register_keras_serializable(package="seqkit")
class LSTMCell(Cell):
    """Long short-term memory (Hochreiter & Schmidhuber 1997), with a forget gate (Gers et al. 2000).

        c̃⟨t⟩ = tanh(W_c [a⟨t-1⟩, x⟨t⟩] + b_c)
        Γ_u  = σ(W_u [a⟨t-1⟩, x⟨t⟩] + b_u)                update
        Γ_f  = σ(W_f [a⟨t-1⟩, x⟨t⟩] + b_f)                forget
        Γ_o  = σ(W_o [a⟨t-1⟩, x⟨t⟩] + b_o)                output
        c⟨t⟩ = Γ_u ∘ c̃⟨t⟩ + Γ_f ∘ c⟨t-1⟩
        a⟨t⟩ = Γ_o ∘ tanh c⟨t⟩

    With peepholes p_u ∘ c⟨t-1⟩, p_f ∘ c⟨t-1⟩ and p_o ∘ c⟨t⟩ are added inside the three gates (Gers &
    Schmidhuber 2000); with a projection a⟨t⟩ = W_p (Γ_o ∘ tanh c⟨t⟩) (Sak et al. 2014); with layer
    normalisation a⟨t⟩ = Γ_o ∘ tanh(LN c⟨t⟩) (Ba et al. 2016, equation 22).

    Shapes: x (batch, features), c and each gate (batch, units), a (batch, units) or (batch, projection); each
    W (a + features, units), each b (units,); vectors are rows, so the code multiplies from the left. Gates
    are in 0..1, a in -1..1 without a projection; c has no bound of its own.

    Args:
        units: length of c.
        peepholes: let the gates see the cell.
        projection: length of a, where it is not that of c; None for no projection.
        cell_clip: c⟨t⟩ is cut to ± this (Sak et al. 2014 used 50); None for no bound.
        forget_bias: b_f at the start; 1, so that the cell remembers before it has learned to (Gers et al.
            2000; Jozefowicz et al. 2015).
        zoneout_hidden: probability that a unit of a⟨t⟩ keeps its value in a step of training, and the share
            it keeps otherwise (Krueger et al. 2017); 0 to below 1.
        zoneout_cell: the same for c⟨t⟩; a⟨t⟩ is computed from c⟨t⟩ before it.
        options: those of every cell, see `seqkit.cells.cell.Cell`.

    Raises:
        UsageError: for values out of their range.
    """

    gates = ("u", "f", "c", "o")  # cuDNN's and Keras' order: i, f, c, o
    state_type = LSTMState

    def __init__(
        self,
        units: int,
        *,
        peepholes: bool = False,
        projection: int | None = None,
        cell_clip: float | None = None,
        forget_bias: float = 1.0,
        zoneout_hidden: float = 0.0,
        zoneout_cell: float = 0.0,
        **options: Unpack[CellOptions],
    ) -> None:
        self._zoneout_hidden = checked_rate("zoneout_hidden", zoneout_hidden)
        self._zoneout_cell = checked_rate("zoneout_cell", zoneout_cell)
        super().__init__(units, **options)
        self.peepholes = bool(peepholes)
        self.projection = None if projection is None else checked_count("projection", projection)
        self.cell_clip = None if cell_clip is None else checked_number("cell_clip", cell_clip, positive=True)
        self.forget_bias = checked_number("forget_bias", forget_bias)

    @property
    def hidden_size(self) -> int:
        """Length of a⟨t⟩."""
        return self.projection or self.units

    @property
    def zoneout_rates(self) -> LSTMState:
        """The rate of zoneout of each part of the state."""
        return LSTMState(self._zoneout_hidden, self._zoneout_cell)

    def _initial_bias(self, shape: Sequence[int], dtype: Any = None) -> Any:
        ones = tf.repeat([gate == "f" for gate in self.gates], self.units)
        return self.forget_bias * tf.cast(ones, dtype)

    def _build_further(self) -> None:
        self.peephole_weights = self.projection_kernel = self.cell_gain = self.cell_offset = None
        if self.peepholes:
            # Gers & Schmidhuber start them small; from 0 the cell starts as one without.
            self.peephole_weights = self.add_weight(
                name="peepholes", shape=(3, self.units), initializer="zeros"
            )
        if self.projection is not None:
            self.projection_kernel = self.add_weight(
                name="projection_kernel",
                shape=(self.units, self.projection),
                initializer=initial_gates(self.kernel_initializer, 1, self._own_seed(2)),
            )
        if self.layer_norm:
            self.cell_gain = self.add_weight(name="cell_gain", shape=(self.units,), initializer="ones")
            self.cell_offset = self.add_weight(name="cell_offset", shape=(self.units,), initializer="zeros")

    def _further_letters(self, named: Arrays) -> Arrays:
        letters = {"projection_kernel": "W_p", "cell_gain": "g_cell", "cell_offset": "b_cell"}
        found = {letters.get(name, name): value for name, value in named.items() if name != "peepholes"}
        if self.peepholes:
            found |= dict(zip(("p_u", "p_f", "p_o"), named["peepholes"], strict=True))
        return found

    def _constants(self, kernel: Any, mask: Any) -> LSTMConstants:
        return LSTMConstants(
            recurrent_kernel=kernel,
            mask=mask,
            peepholes=self._value(self.peephole_weights),
            projection_kernel=self._value(self.projection_kernel),
            recurrent_gain=self._value(self.recurrent_gain),
            cell_gain=self._value(self.cell_gain),
            cell_offset=self._value(self.cell_offset),
        )

    def step(
        self, projected: Any, state: LSTMState, constants: LSTMConstants, zoneout: LSTMState | None = None
    ) -> LSTMState:
        """One step: a⟨t⟩ and c⟨t⟩ from a⟨t-1⟩ and c⟨t-1⟩."""
        a_previous, c_previous = state
        kernel, mask, gain = constants.recurrent_kernel, constants.mask, constants.recurrent_gain
        p_u, p_f, p_o = [None] * 3 if constants.peepholes is None else tf.unstack(constants.peepholes)
        gates = projected + self._recurrent(a_previous, kernel, mask, gain, 4)
        u, f, c, o = tf.split(gates, 4, axis=-1)
        gamma_u = tf.sigmoid(_peeping(u, p_u, c_previous))
        gamma_f = tf.sigmoid(_peeping(f, p_f, c_previous))
        c_tilde = tf.tanh(c)
        c = gamma_u * c_tilde + gamma_f * c_previous
        if self.cell_clip is not None:
            c = tf.clip_by_value(c, -self.cell_clip, self.cell_clip)
        gamma_o = tf.sigmoid(_peeping(o, p_o, c))
        a = gamma_o * tf.tanh(self._normal(c, constants))
        if self.projection is not None:
            a = product(a, constants.projection_kernel)
        keep = zoneout or LSTMState(None, None)
        return LSTMState(zoned(keep.hidden, a_previous, a), zoned(keep.cell, c_previous, c))

    @staticmethod
    def _normal(c: Any, constants: LSTMConstants) -> Any:
        """LN c⟨t⟩, with gain and offset; c⟨t⟩ itself without layer normalisation."""
        if constants.cell_gain is None:
            return c
        return layer_norm(c, constants.cell_gain) + constants.cell_offset

    def get_config(self) -> dict[str, Any]:
        """The arguments, for Keras' serialisation."""
        return {
            **super().get_config(),
            "peepholes": self.peepholes,
            "projection": self.projection,
            "cell_clip": self.cell_clip,
            "forget_bias": self.forget_bias,
            "zoneout_hidden": self._zoneout_hidden,
            "zoneout_cell": self._zoneout_cell,
        }


def _peeping(gate: Any, weights: Any, c: Any) -> Any:
    """gate + p ∘ c, where there are peepholes."""
    return gate if weights is None else gate + weights * c
