"""The simple recurrent network: one tanh or ReLU layer that sees its last output."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Unpack

import keras
import tensorflow as tf

from seqkit.cells.cell import Cell, CellOptions
from seqkit.cells.checks import checked_choice, checked_count, checked_rate
from seqkit.cells.letters import Arrays
from seqkit.cells.numerics import initial_gates, product, zoned
from seqkit.cells.states import RNNState

ACTIVATIONS = {"tanh": tf.tanh, "relu": tf.nn.relu}
OUTPUT_ACTIVATIONS = {"softmax": tf.nn.softmax, "sigmoid": tf.sigmoid, "linear": tf.identity}

Activation = Literal["tanh", "relu"]
OutputActivation = Literal["softmax", "sigmoid", "linear"]


class RNNConstants(NamedTuple):
    """What the steps of a sequence have in common.

    Args:
        recurrent_kernel: W_aa, (units, units).
        mask: of recurrent dropout, (batch, units).
        recurrent_gain: g_aa of layer normalisation, (units,).
    """

    recurrent_kernel: Any
    mask: Any
    recurrent_gain: Any


@keras.saving.register_keras_serializable(package="seqkit")
class RNNCell(Cell):
    """The simple recurrent network (Elman 1990).

        a⟨t⟩ = g(W_a [a⟨t-1⟩, x⟨t⟩] + b_a)
        ŷ⟨t⟩ = g_y(W_y a⟨t⟩ + b_y)             only with `output_units`

    Shapes: x (batch, features), a (batch, units), ŷ (batch, output_units); W_a (units + features, units),
    W_y (units, output_units); vectors are rows, so the code multiplies from the left.

    Args:
        units: length of a.
        activation: g, "tanh" or "relu" (with He's initial weights: `kernel_initializer="he_normal"`).
        output_units: length of ŷ; None to give out a.
        output_activation: g_y, "softmax", "sigmoid" or "linear".
        zoneout: probability that a unit keeps its value in a step of training, and the share it keeps
            otherwise (Krueger et al. 2017); 0 to below 1.
        options: those of every cell, see `seqkit.cells.cell.Cell`.

    Raises:
        UsageError: for values out of their range.
    """

    gates = ("a",)
    state_type = RNNState

    def __init__(
        self,
        units: int,
        *,
        activation: Activation = "tanh",
        output_units: int | None = None,
        output_activation: OutputActivation = "softmax",
        zoneout: float = 0.0,
        **options: Unpack[CellOptions],
    ) -> None:
        self._zoneout = checked_rate("zoneout", zoneout)
        super().__init__(units, **options)
        self.activation = checked_choice("activation", activation, ACTIVATIONS)
        self.output_units = None if output_units is None else checked_count("output_units", output_units)
        self.output_activation = checked_choice("output_activation", output_activation, OUTPUT_ACTIVATIONS)

    @property
    def output_size(self) -> int:
        """The length of the output."""
        return self.output_units or self.units

    @property
    def zoneout_rates(self) -> RNNState:
        """The rate of zoneout."""
        return RNNState(self._zoneout)

    def _build_further(self) -> None:
        if self.output_units is not None:
            self.output_kernel = self.add_weight(
                name="output_kernel",
                shape=(self.units, self.output_units),
                initializer=initial_gates(self.kernel_initializer, 1, self._own_seed(2)),
            )
            self.output_bias = self.add_weight(
                name="output_bias", shape=(self.output_units,), initializer="zeros"
            )

    def _further_letters(self, named: Arrays) -> Arrays:
        letters = {"output_kernel": "W_y", "output_bias": "b_y"}
        return {letters.get(name, name): value for name, value in named.items()}

    def _constants(self, kernel: Any, mask: Any) -> RNNConstants:
        return RNNConstants(kernel, mask, self._value(self.recurrent_gain))

    def step(
        self, projected: Any, state: RNNState, constants: RNNConstants, zoneout: RNNState | None = None
    ) -> RNNState:
        """One step: a⟨t⟩ from a⟨t-1⟩."""
        a_previous = state.hidden
        kernel, mask, gain = constants
        a = ACTIVATIONS[self.activation](projected + self._recurrent(a_previous, kernel, mask, gain, 1))
        keep = zoneout or RNNState(None)
        return RNNState(zoned(keep.hidden, a_previous, a))

    def project_outputs(self, hidden: Any) -> Any:
        """ŷ = g_y(W_y a + b_y), or a."""
        if self.output_units is None:
            return hidden
        y = product(hidden, self._value(self.output_kernel), self._value(self.output_bias))
        return OUTPUT_ACTIVATIONS[self.output_activation](y)

    def get_config(self) -> dict[str, Any]:
        """The arguments, for Keras' serialisation."""
        return {
            **super().get_config(),
            "activation": self.activation,
            "output_units": self.output_units,
            "output_activation": self.output_activation,
            "zoneout": self._zoneout,
        }
