"""The whole network in NumPy, float64: by the references of its cells, which tests of their own hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from seqkit.cells.gru_reference import GRUReference
from seqkit.cells.lstm_reference import LSTMReference
from seqkit.cells.rnn_reference import RNNReference
from seqkit.language_model.coding import END_ID

Values = dict[str, NDArray[np.float64]]


def _reference(cell: Any, weights: Any) -> Any:
    if hasattr(cell, "variant"):
        return GRUReference(weights, cell.variant)
    if len(cell.state_size) == 2:
        return LSTMReference(weights)
    return RNNReference(weights, "tanh", None)


def _outputs(network: Any, values: Values, inputs: Any) -> tuple[Any, Any]:
    vectors = values["embeddings"][inputs] * (np.asarray(inputs) != END_ID)[..., None]
    for layer in network.layers:
        cell = layer.cell
        letters = cell.equation_weights([values[f"{layer.name}.{weight.name}"] for weight in cell.weights])
        zero = cell.state_type(*(np.zeros((len(inputs), size)) for size in cell.state_size))
        vectors, _ = _reference(cell, letters).forward(vectors, zero)
    kernel = values.get("kernel", values["embeddings"])
    logits = vectors @ kernel.T + values["bias"]
    return vectors, logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


@pytest.fixture
def by_numpy() -> Callable[..., tuple[Any, Any]]:
    """From a network, its weights by name and inputs, (batch, time): the outputs and log ŷ."""
    return _outputs


@pytest.fixture
def weights_of() -> Callable[[Any], Values]:
    """The weights of a network by name, in float64."""
    return lambda network: {name: np.asarray(w, np.float64) for name, w in network.weights.items()}
