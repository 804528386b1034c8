"""What all cells share: options, weights, and the split of a step from the loop around it.

A step is cut where a loop over time gains from it:

    constants(batch, training)        once a sequence: masks, and the weights that the steps use
    project_inputs(inputs)            all steps at once: W_x x⟨t⟩ + b, one large product
    zoneout_masks((time, batch), …)   all steps at once
    step(projected, state, constants, zoneout)  → state
                                      each step, with what depends on the state before it
    project_outputs(hidden)           all steps at once: ŷ⟨t⟩ where there is one, else a⟨t⟩ itself

`step` is a pure function: it reads its arguments and no variable, so a loop can be written around it with a
gradient of its own. `call`, the protocol of Keras' cells, is all of them for one step.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypedDict

import keras
import numpy as np
import tensorflow as tf

# Keras' RNN asks a cell for masks once a sequence only if it is of this class, which is not exported.
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell

from seqkit.cells.checks import checked_count, checked_rate, checked_seed
from seqkit.cells.letters import Arrays, assign_by_letter, gates_by_letter
from seqkit.cells.numerics import bernoulli, dropout_mask, initial_gates, layer_norm, product
from seqkit.cells.states import State
from seqkit.cells.tracking import track_items
from seqkit.errors import UsageError


class CellOptions(TypedDict, total=False):
    """The options of every cell; `Cell` describes them."""

    layer_norm: bool
    recurrent_dropout: float
    weight_drop: float
    learn_initial_state: bool
    kernel_initializer: Any
    recurrent_initializer: Any
    seed: int | None
    name: str | None
    dtype: Any
    trainable: bool


class Cell(keras.layers.Layer, DropoutRNNCell):  # type: ignore[misc]
    """One time step of a recurrent network, by the protocol of Keras' cells.

    The weights of all gates lie side by side, in the order of `gates`: `kernel` (features, gates · units),
    `recurrent_kernel` (hidden, gates · units), `bias` (gates · units,). By the letters of the equations,
    W_g and b_g of each gate, they are had from `equation_weights`.

    Args:
        units: length of the state, at least 1.
        layer_norm: normalises each gate's two products, LN(W_ga a⟨t-1⟩) + LN(W_gx x⟨t⟩) + b_g, with gains
            (Ba et al. 2016, equations 20 to 22; they normalise the gates of an LSTM together).
        recurrent_dropout: rate at which units of a⟨t-1⟩ are dropped from the products, the same units in
            every step of a sequence (Gal & Ghahramani 2016); 0 to below 1.
        weight_drop: rate at which recurrent weights are dropped, the same for a whole batch and in every
            step (Wan et al. 2013: DropConnect; Merity et al. 2018: weight-drop); 0 to below 1.
        learn_initial_state: learn the state before the first step, which is zero otherwise.
        kernel_initializer: of the weights of x⟨t⟩, "glorot_uniform", "he_normal" or another of Keras'; drawn
            for each gate by itself.
        recurrent_initializer: of the weights of a⟨t-1⟩, orthogonal for each gate by default
            (Saxe et al. 2014).
        seed: what initial weights and masks follow from, 0 to 2³¹-1; None for new ones in each run.
        options: Keras' own `name`, `dtype` (a policy: "float64", "mixed_bfloat16") and `trainable`.

    Raises:
        UsageError: for values out of their range.
    """

    gates: tuple[str, ...]
    letter: ClassVar[str] = "a"
    state_type: ClassVar[type[Any]]

    def __init__(
        self,
        units: int,
        *,
        layer_norm: bool = False,
        recurrent_dropout: float = 0.0,
        weight_drop: float = 0.0,
        learn_initial_state: bool = False,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.units, self.seed = checked_count("units", units), checked_seed(seed)
        self.layer_norm, self.learn_initial_state = bool(layer_norm), bool(learn_initial_state)
        self.recurrent_dropout = checked_rate("recurrent_dropout", recurrent_dropout)
        self.weight_drop = checked_rate("weight_drop", weight_drop)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        # Only a cell that draws has a generator: its state is a variable that has to be saved.
        self.seed_generator: Any = None
        if self.recurrent_dropout or self.weight_drop or any(self.zoneout_rates):
            self.seed_generator = keras.random.SeedGenerator(self.seed)
        self._sequence: Any = None

    # Sizes

    @property
    def hidden_size(self) -> int:
        """Length of a⟨t⟩, which goes back into the next step."""
        return self.units

    @property
    def state_size(self) -> list[int]:
        """The length of each part of the state, for Keras."""
        return [self.hidden_size if part == "hidden" else self.units for part in self.state_type._fields]

    @property
    def output_size(self) -> int:
        """The length of the output, for Keras."""
        return self.hidden_size

    @property
    @abstractmethod
    def zoneout_rates(self) -> Any:
        """The rate of zoneout of each part of the state."""

    # Weights

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights.

        Args:
            input_shape: (batch, features).
        """
        features, size = input_shape[-1], len(self.gates) * self.units
        self.kernel = self.add_weight(
            name="kernel",
            shape=(features, size),
            initializer=initial_gates(self.kernel_initializer, len(self.gates), self._own_seed(0)),
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.hidden_size, size),
            initializer=initial_gates(self.recurrent_initializer, len(self.gates), self._own_seed(1)),
        )
        self.bias = self.add_weight(name="bias", shape=(size,), initializer=self._initial_bias)
        self.input_gain = self.recurrent_gain = None
        if self.layer_norm:
            self.input_gain = self.add_weight(name="input_gain", shape=(size,), initializer="ones")
            self.recurrent_gain = self.add_weight(name="recurrent_gain", shape=(size,), initializer="ones")
        self._initial_state: Any = None
        if self.learn_initial_state:
            self._initial_state = [
                self.add_weight(name=f"initial_{part}", shape=(length,), initializer="zeros")
                for part, length in zip(self.state_type._fields, self.state_size, strict=True)
            ]
            track_items(self, "initial_state", self._initial_state)
        self._build_further()

    def _build_further(self) -> None:
        """Makes the weights that only this cell has."""

    def _initial_bias(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return keras.ops.zeros(shape, dtype)

    def _own_seed(self, purpose: int) -> int | None:
        """A seed for one purpose, from the cell's."""
        if self.seed is None:
            return None
        return int(np.random.SeedSequence([self.seed, purpose]).generate_state(1)[0])

    def check_built(self) -> None:
        """Raises UsageError unless the cell has its weights."""
        if not self.built:
            raise UsageError(f"{self.name} has no weights yet: build it first, cell.build((None, features))")

    def equation_weights(self, values: Sequence[Any] | None = None) -> Arrays:
        """The weights by the letters of the equations.

        Each gate g has W_g (hidden + features, units), which acts on [a⟨t-1⟩, x⟨t⟩], and b_g (units,); with
        layer normalisation also the gains of its two products, g_ga and g_gx.

        Args:
            values: what stands in place of the weights, in the order of `weights`: gradients, say.
        """
        self.check_built()
        given = self.weights if values is None else values
        named = {
            variable.name: np.asarray(value) for variable, value in zip(self.weights, given, strict=True)
        }
        of_gates, further = gates_by_letter(named, self.gates, self.letter)
        return of_gates | self._further_letters(further)

    def _further_letters(self, named: Arrays) -> Arrays:
        """The letters of the weights that only some cells have; their names if they have none."""
        return named

    def set_equation_weights(self, weights: Mapping[str, Any]) -> None:
        """Takes the weights by the letters of the equations, all of them; the cell must be built.

        Raises:
            UsageError: if a letter is missing or unknown, or a shape is not that of the cell.
        """
        self.check_built()
        assign_by_letter(self, weights)

    # The split of a step

    def constants(self, batch: Any, training: bool = False, seed: Any = None) -> Any:
        """What the steps of one sequence have in common: masks drawn once, weights cast to the compute dtype.

        Args:
            batch: number of sequences.
            training: draw the masks; without it there are none.
            seed: two integers that the masks follow from; by default the next of the cell's generator.

        Returns:
            A named tuple; None stands for an option that is off. A gradient by its weights is a gradient by
            the cell's.
        """
        self.check_built()
        kernel, mask = self._value(self.recurrent_kernel), None
        if training and (self.recurrent_dropout or self.weight_drop):
            of_units, of_weights = self._seeds(seed, range(2, 4))  # 0 and 1 are those of zoneout
            if self.recurrent_dropout:
                mask = dropout_mask([batch, self.hidden_size], self.recurrent_dropout, of_units, kernel.dtype)
            if self.weight_drop:
                kernel *= dropout_mask(kernel.shape, self.weight_drop, of_weights, kernel.dtype)
        return self._constants(kernel, mask)

    @abstractmethod
    def _constants(self, kernel: Any, mask: Any) -> Any:
        """The named tuple of `constants`.

        Args:
            kernel: the recurrent kernel, with weights dropped.
            mask: of recurrent dropout, (batch, hidden); None for none.
        """

    def project_inputs(self, inputs: Any) -> Any:
        """W_gx x⟨t⟩ + b_g of all gates, (…, gates · units).

        Args:
            inputs: x, (…, features): one step, or all steps of a sequence.
        """
        begun = self.begin_inputs(inputs)
        return self.finish_inputs(begun, **self.input_constants()) if self.layer_norm else begun

    def begin_inputs(self, inputs: Any) -> Any:
        """W_gx x⟨t⟩ of all gates, (…, gates · units): with b_g, or before layer normalisation without it."""
        self.check_built()
        bias = None if self.layer_norm else self._value(self.bias)
        return product(tf.cast(inputs, self.compute_dtype), self._value(self.kernel), bias)

    def finish_inputs(self, products: Any, input_gain: Any, input_bias: Any) -> Any:
        """LN(W_gx x⟨t⟩) + b_g: what `project_inputs` ends with, where there is layer normalisation.

        A loop can do it step by step, while the products are in the processor's cache.

        Args:
            products: of `begin_inputs`.
            input_gain: g_gx, (gates · units,), or of the shape of the products.
            input_bias: b_g, the same.
        """
        return layer_norm(products, input_gain, len(self.gates)) + input_bias

    def input_constants(self) -> dict[str, Any]:
        """The weights of `finish_inputs`, by its arguments; none without layer normalisation."""
        if not self.layer_norm:
            return {}
        return {"input_gain": self._value(self.input_gain), "input_bias": self._value(self.bias)}

    def zoneout_masks(self, shape: Sequence[Any], training: bool = False, seed: Any = None) -> Any:
        """Which units keep their value in a step: a named state of masks of 0 and 1.

        Without `training` it holds the rates themselves, and a step mixes both values by them.

        Args:
            shape: (batch,) for a step, (time, batch) for a sequence.
            training: draw masks.
            seed: two integers that the masks follow from; by default the next of the cell's generator.

        Returns:
            None for each part without zoneout, and for all where there is none.
        """
        rates = self.zoneout_rates
        if not any(rates):
            return None
        if not training:
            return self.state_type(*(rate or None for rate in rates))
        seeds = self._seeds(seed, range(len(rates)))
        return self.state_type(
            *(
                bernoulli([*shape, size], rate, own, self.compute_dtype) if rate else None
                for rate, size, own in zip(rates, self.state_size, seeds, strict=True)
            )
        )

    @abstractmethod
    def step(self, projected: Any, state: Any, constants: Any, zoneout: Any = None) -> Any:
        """One step.

        Args:
            projected: `project_inputs` of the step, (batch, gates · units).
            state: the state before it, of the type `state_type`.
            constants: of the sequence.
            zoneout: `zoneout_masks` of the step.

        Returns:
            The state after it; its `hidden` is a⟨t⟩.
        """

    def project_outputs(self, hidden: Any) -> Any:
        """The output of steps, (…, output_size).

        Args:
            hidden: a⟨t⟩, (…, hidden): of one step, or of all steps of a sequence.
        """
        return hidden

    # Keras' protocol

    def call(self, inputs: Any, states: Sequence[Any], training: bool | None = False) -> tuple[Any, State]:
        """One step with everything it needs.

        In `keras.layers.RNN` the masks of `constants` are the same over a sequence; called alone, a step is a
        sequence of its own.

        Args:
            inputs: x⟨t⟩, (batch, features).
            states: the state before the step, by name or in a list; of one part also by itself.
            training: draw masks.

        Returns:
            The output, (batch, output_size), and the state after the step.
        """
        training, batch = bool(training), tf.shape(inputs)[0]
        drawn = self._sequence if training else None
        parts = states if isinstance(states, list | tuple) else [states]
        if len(parts) != len(self.state_size):
            named = ", ".join(self.state_type._fields)
            raise UsageError(f"the state of {self.name} is {named}, not {len(parts)} parts")
        state = self.step(
            self.project_inputs(inputs),
            self.state_type(*parts),
            self.constants(batch, training) if drawn is None else drawn,
            self.zoneout_masks((batch,), training),
        )
        return self.project_outputs(state.hidden), state

    def get_initial_state(self, batch_size: Any = None) -> Any:
        """The state before the first step.

        Args:
            batch_size: number of sequences.

        Raises:
            UsageError: if it is learned and the cell not built yet.
        """
        if not self.learn_initial_state:
            return self.state_type(
                *(tf.zeros([batch_size, size], self.compute_dtype) for size in self.state_size)
            )
        self.check_built()
        return self.state_type(
            *(tf.repeat(self._value(value)[None], batch_size, axis=0) for value in self._initial_state)
        )

    def get_dropout_mask(self, step_input: Any) -> None:
        """Called by Keras' RNN before the first step of a sequence: draws what its steps have in common."""
        self._sequence = None
        if self.recurrent_dropout or self.weight_drop:
            self._sequence = self.constants(tf.shape(step_input)[0], training=True)

    def get_recurrent_dropout_mask(self, step_input: Any) -> None:
        """Called by Keras' RNN, too; there is nothing left to do."""

    def reset_dropout_mask(self) -> None:
        """Called by Keras' RNN after the last step of a sequence."""
        self._sequence = None

    def get_config(self) -> dict[str, Any]:
        """The arguments, for Keras' serialisation."""
        return {
            **super().get_config(),
            "units": self.units,
            "layer_norm": self.layer_norm,
            "recurrent_dropout": self.recurrent_dropout,
            "weight_drop": self.weight_drop,
            "learn_initial_state": self.learn_initial_state,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
            "seed": self.seed,
        }

    # For the cells

    def _value(self, variable: Any) -> Any:
        """A weight in the compute dtype; None for one that is not there."""
        return None if variable is None else tf.cast(variable, self.compute_dtype)

    def _seeds(self, seed: Any, purposes: Iterable[int]) -> list[Any]:
        """Independent seeds from one, for purposes of which no two have the same number."""
        given = self.seed_generator.next() if seed is None else seed
        base = tf.cast(tf.convert_to_tensor(given), tf.int32)
        return [tf.random.fold_in(base, purpose, alg="philox") for purpose in purposes]

    @staticmethod
    def _recurrent(hidden: Any, kernel: Any, mask: Any, gain: Any, gates: int) -> Any:
        """W_ga a⟨t-1⟩ of some gates, with units dropped and normalised where that is asked for."""
        recurrent = product(hidden if mask is None else mask * hidden, kernel)
        return recurrent if gain is None else layer_norm(recurrent, gain, gates)
