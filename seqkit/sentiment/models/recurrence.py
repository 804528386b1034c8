"""Many to one: recurrent layers over words, pooled to one vector."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras

from seqkit.language_model.network import CELLS
from seqkit.layers import Bidirectional, DeepRNN, Recurrent
from seqkit.sentiment.models.pooling import Pooling


@keras.saving.register_keras_serializable(package="seqkit")
class Recurrence(keras.layers.Layer):  # type: ignore[misc]
    """What the layers say at last, or the pool of what the top one says at each word.

    Args:
        cell: a name in `seqkit.language_model.network.CELLS`.
        units: of each layer and direction.
        layers: how many, one above the other.
        bidirectional: read each layer in both directions.
        pooling: "last", "mean", "max" or "attention".
        dropout: rate at which outputs are dropped between layers.
        weight_drop: rate at which recurrent weights are dropped.
        layer_norm: normalise the products of each gate.
        seed: of initial weights and masks.
        options: Keras' own.
    """

    def __init__(
        self,
        cell: str,
        units: int,
        *,
        layers: int = 1,
        bidirectional: bool = False,
        pooling: str = "max",
        dropout: float = 0.0,
        weight_drop: float = 0.0,
        layer_norm: bool = False,
        seed: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.supports_masking = True
        self.settings = {
            "cell": cell,
            "units": units,
            "layers": layers,
            "bidirectional": bidirectional,
            "pooling": pooling,
            "dropout": dropout,
            "weight_drop": weight_drop,
            "layer_norm": layer_norm,
            "seed": seed,
        }
        make: Callable[..., Any] = CELLS[cell]
        own = {"weight_drop": weight_drop, "layer_norm": layer_norm, "dtype": self.dtype_policy}
        stack = [
            Recurrent(make(units, seed=seed + number, **own), name=f"layer_{number}")
            for number in range(1, layers + 1)
        ]
        if bidirectional:
            stack = [Bidirectional(layer) for layer in stack]
        self.deep = DeepRNN(stack, dropout=dropout, seed=seed, name="deep")
        self.pooling = None if pooling == "last" else Pooling(pooling, seed, dtype=self.dtype_policy)

    @property
    def layers(self) -> list[Any]:
        """From below."""
        return list(self.deep.stack)

    def build(self, values_shape: Any, mask_shape: Any = None) -> None:
        """Makes the weights of all layers."""
        self.deep.build(values_shape)
        if self.pooling is not None:
            self.pooling.build((*values_shape[:2], self.deep.output_size))

    def call(self, values: Any, mask: Any = None, training: bool = False) -> Any:
        """One vector for each text, (batch, size).

        Args:
            values: x, (batch, time, size).
            mask: which steps are of the text, (batch, time); None for all.
            training: draw masks of dropout.
        """
        course = self.deep.run(values, None, mask, training)
        return course.last if self.pooling is None else self.pooling(course.outputs, mask=mask)

    def compute_mask(self, values: Any, mask: Any = None) -> None:
        """None: there are no steps any more."""

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {**super().get_config(), **self.settings}


@contextmanager
def products_in(policy: str, encoder: Any) -> Iterator[None]:
    """What the layer runs in the block, or traces into a graph, has its products in a type; weights stay."""
    layers = [encoder, *encoder._flatten_layers(include_self=False)]
    before = [layer.dtype_policy for layer in layers]
    for layer in layers:
        layer.dtype_policy = policy
    try:
        yield
    finally:
        for layer, own in zip(layers, before, strict=True):
            layer.dtype_policy = own
