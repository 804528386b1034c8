"""A cell along a sequence in both directions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import keras
import tensorflow as tf

from seqkit.cells.checks import checked_choice, checked_count
from seqkit.cells.rnn import OUTPUT_ACTIVATIONS, OutputActivation
from seqkit.errors import UsageError
from seqkit.layers.recurrent import Recurrent
from seqkit.layers.sequence import Course, SequenceLayer, check_inner, derived_seed, hide_masked
from seqkit.layers.serialisation import revived

MergeMode = Literal["concat", "sum", "mul", "ave"]

MERGES: dict[str | None, Callable[[Any, Any], Any]] = {
    "concat": lambda forward, backward: tf.concat([forward, backward], axis=-1),
    "sum": lambda forward, backward: forward + backward,
    "mul": lambda forward, backward: forward * backward,
    "ave": lambda forward, backward: (forward + backward) / 2,
    None: lambda forward, backward: (forward, backward),
}


class BidirectionalState(NamedTuple):
    """The states of both directions.

    Args:
        forward: after the last step.
        backward: after the first step, where it ends.
    """

    forward: Any
    backward: Any


@keras.saving.register_keras_serializable(package="seqkit")
class Bidirectional(SequenceLayer):
    """Runs one cell forward and one backward over sequences (Schuster & Paliwal 1997).

        →a⟨t⟩ from →a⟨t-1⟩ and x⟨t⟩,    ←a⟨t⟩ from ←a⟨t+1⟩ and x⟨t⟩
        ŷ⟨t⟩ = g_y(W_y [→a⟨t⟩, ←a⟨t⟩] + b_y)           with `output_units`; else [→a⟨t⟩, ←a⟨t⟩]

    The last output joins what each direction computes last: →a of the last step, ←a of the first. In a
    sequence of outputs those of masked steps are 0 (with `output_units`, before W_y), as in Keras.

    Args:
        layer: a cell, or a `Recurrent`, which then says what is given out.
        merge_mode: how both are joined, "concat", "sum", "mul" or "ave"; None to give out a pair.
        backward: the cell of the other direction, or a `Recurrent` with `go_backwards`; by default one like
            the first, with initial weights of its own.
        output_units: length of ŷ; None for no W_y.
        output_activation: g_y, "softmax", "sigmoid" or "linear".
        return_sequences: as in `Recurrent`; only with cells.
        return_state: as in `Recurrent`; the state is a `BidirectionalState`; only with cells.
        stateful: as in `Recurrent`; each direction goes on where itself has ended; only with cells.
        options: Keras' own `name`, `dtype` (that of the cell by default) and `trainable`.

    Raises:
        UsageError: for values out of their range, and for layers that do not fit each other.
    """

    def __init__(
        self,
        layer: Any,
        merge_mode: MergeMode | None = "concat",
        *,
        backward: Any = None,
        output_units: int | None = None,
        output_activation: OutputActivation = "softmax",
        return_sequences: bool = False,
        return_state: bool = False,
        stateful: bool = False,
        **options: Any,
    ) -> None:
        flags = {"return_sequences": return_sequences, "return_state": return_state, "stateful": stateful}
        if isinstance(layer, Recurrent) and not any(flags.values()):
            flags = {name: getattr(layer, name) for name in flags}
        forward = _directed(layer, "forward", flags)
        other = _directed(_like(forward) if backward is None else backward, "backward", flags)
        _check(forward, other, merge_mode, output_units)
        del flags["stateful"]
        super().__init__(**flags, **{"dtype": forward.dtype_policy, **options})
        self.forward, self.backward, self.merge_mode = forward, other, merge_mode
        self.output_units = None if output_units is None else checked_count("output_units", output_units)
        self.output_activation = checked_choice("output_activation", output_activation, OUTPUT_ACTIVATIONS)
        self.output_layer: Any = None
        if self.output_units is not None:
            seed = derived_seed(getattr(forward.cell, "seed", None), "output")
            self.output_layer = keras.layers.Dense(
                self.output_units,
                self.output_activation,
                kernel_initializer=keras.initializers.GlorotUniform(seed),
                dtype=self.dtype_policy,
                name="output",
            )

    @property
    def output_size(self) -> Any:
        """The length of an output; that of both without a merge."""
        if self.output_units is not None:
            return self.output_units
        sizes = self.forward.output_size, self.backward.output_size
        return {"concat": sum(sizes), None: sizes}.get(self.merge_mode, sizes[0])

    @property
    def state_size(self) -> BidirectionalState:
        """The length of each part of the state, by name."""
        return BidirectionalState(self.forward.state_size, self.backward.state_size)

    @property
    def cells(self) -> tuple[Any, ...]:
        """The cells of both directions."""
        return (*self.forward.cells, *self.backward.cells)

    @property
    def stateful(self) -> bool:
        """Whether a direction begins where the last batch ended."""
        return bool(self.forward.stateful or self.backward.stateful)

    @property
    def looks_ahead(self) -> bool:
        """Whether the output of a step depends on inputs that come after it: always."""
        return True

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Makes the weights of both directions, W_y and b_y."""
        for layer in (self.forward, self.backward):
            if not layer.built:
                layer.build(sequences_shape)
        if self.output_layer is not None:
            joined = self.forward.output_size + self.backward.output_size
            self.output_layer.build((*sequences_shape[:2], joined))

    def run(self, sequences: Any, initial_state: Any, mask: Any, training: bool) -> Course:
        """All that may be given out; see `SequenceLayer`."""
        states = (None, None) if initial_state is None else self._both(initial_state)
        forward, backward = (
            self._cast(layer.run(sequences, state, mask, training))
            for layer, state in zip((self.forward, self.backward), states, strict=True)
        )
        merge = MERGES[self.merge_mode]
        outputs, last = merge(forward.outputs, backward.outputs), merge(forward.last, backward.last)
        if mask is not None:
            outputs = tf.nest.map_structure(lambda values: hide_masked(values, mask), outputs)
        if self.output_layer is not None:
            outputs, last = self.output_layer(outputs), self.output_layer(last)
        return Course(outputs, last, BidirectionalState(forward.state, backward.state))

    def _both(self, given: Any) -> tuple[Any, Any]:
        """An initial state, by directions: it may also be all parts in a list, as in Keras."""
        parts = len(self.forward.state_size)
        if not isinstance(given, list | tuple) or len(given) not in (2, 2 * parts):
            raise UsageError(f"the initial state of {self.name} is that of its two directions")
        half = len(given) // 2
        return (given[0], given[1]) if half == 1 else (given[:half], given[half:])

    def reset_state(self) -> None:
        """Lets the next batch begin with the initial state, where states are carried."""
        self.forward.reset_state()
        self.backward.reset_state()

    def get_config(self) -> dict[str, Any]:
        """The arguments, for Keras' serialisation; what is given out, its layers say."""
        flags = ("return_sequences", "return_state")
        return {
            **{name: value for name, value in super().get_config().items() if name not in flags},
            "layer": keras.saving.serialize_keras_object(self.forward),
            "backward": keras.saving.serialize_keras_object(self.backward),
            "merge_mode": self.merge_mode,
            "output_units": self.output_units,
            "output_activation": self.output_activation,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Bidirectional:
        """The layer of a configuration."""
        layers = {name: revived(config[name]) for name in ("layer", "backward")}
        return cls(**{**config, **layers})


def _directed(layer: Any, name: str, flags: dict[str, bool]) -> Recurrent:
    """The layer of a direction: the one that was given, or one around the cell that was."""
    back = name == "backward"
    if not isinstance(layer, Recurrent):
        return Recurrent(layer, go_backwards=back, name=name, **flags)
    if layer.go_backwards != back:
        raise UsageError(f"{layer.name} must have go_backwards={back} to be the {name} layer")
    if different := [flag for flag, value in flags.items() if getattr(layer, flag) is not value]:
        raise UsageError(f"the {name} layer {layer.name} has another {', '.join(different)}")
    return layer


def _like(forward: Recurrent) -> Recurrent:
    """A layer for the other direction, whose weights are drawn by themselves."""
    config = {**forward.get_config(), "go_backwards": True, "name": "backward"}
    cell = config["cell"]["config"]
    initialisers = (
        value["config"] for value in cell.values() if isinstance(value, dict) and "config" in value
    )
    for seeded in (cell, *initialisers):
        if isinstance(seeded, dict) and isinstance(seeded.get("seed"), int):
            seeded["seed"] = derived_seed(seeded["seed"] % 2**31, "backward")
    try:
        return Recurrent.from_config(config)
    except UsageError:
        raise
    except (TypeError, ValueError) as error:  # of Keras, with all of the configuration
        raise UsageError(
            f"{forward.cell.name} cannot be made again from its configuration: decorate its functions with "
            "keras.saving.register_keras_serializable(), or give the other cell, too (backward)"
        ) from error


def _check(forward: Recurrent, backward: Recurrent, merge_mode: Any, output_units: Any) -> None:
    """Raises UsageError for directions that cannot be joined."""
    check_inner([forward, backward])
    checked_choice("merge_mode", merge_mode, MERGES)
    if merge_mode in ("sum", "mul", "ave") and forward.output_size != backward.output_size:
        raise UsageError(
            f"merge_mode {merge_mode!r} needs outputs of one length, "
            f"not {forward.output_size} and {backward.output_size}"
        )
    if output_units is not None and merge_mode != "concat":
        raise UsageError(f"output_units needs merge_mode 'concat', not {merge_mode!r}")
