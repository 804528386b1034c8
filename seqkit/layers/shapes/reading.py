"""The shapes that give out distributions: one-to-one, many-to-one, many-to-many of equal length."""

from __future__ import annotations

from typing import Any

import keras

from seqkit.cells.checks import checked_count
from seqkit.errors import UsageError
from seqkit.layers.recurrent import Recurrent
from seqkit.layers.sequence import SequenceLayer, derived_seed


def one_to_one(
    cell: Any, output_units: int, *, features: int, activation: str = "softmax", seed: int | None = None
) -> Any:
    """A vector in, a distribution out: one step of a cell from its initial state.

        ŷ = g_y(W_y a⟨1⟩ + b_y)

    Args:
        cell: a cell, or a layer over sequences.
        output_units: length of ŷ.
        features: length of the vector.
        activation: g_y, one of Keras'.
        seed: of the initial W_y.

    Returns:
        A Keras model from (batch, features) to (batch, output_units).
    """
    features, layer = checked_count("features", features), over_sequences(cell, return_sequences=False)
    policy = layer.dtype_policy
    entry = keras.Input((features,), dtype=policy.variable_dtype)
    step = keras.layers.Reshape((1, features), dtype=policy)(entry)
    hidden = layer(step)
    return keras.Model(entry, _distribution(hidden, layer, output_units, activation, seed), name="one_to_one")


def many_to_one(
    layer: Any,
    output_units: int,
    *,
    vocabulary_size: int,
    vector_size: int,
    activation: str = "softmax",
    seed: int | None = None,
) -> Any:
    """A sequence of tokens in, a distribution out, from what the layer gives out last.

        ŷ = g_y(W_y a⟨T⟩ + b_y)

    Args:
        layer: a cell, or a layer over sequences without `return_sequences`.
        output_units: length of ŷ.
        vocabulary_size: number of tokens, 0 being padding.
        vector_size: length of the vectors of tokens.
        activation: g_y, one of Keras'.
        seed: of the initial vectors and W_y.

    Returns:
        A Keras model from (batch, time) to (batch, output_units).
    """
    layer = over_sequences(layer, return_sequences=False)
    entry, vectors = _tokens(layer, vocabulary_size, vector_size, seed)
    hidden = layer(vectors)
    return keras.Model(
        entry, _distribution(hidden, layer, output_units, activation, seed), name="many_to_one"
    )


def many_to_many(
    layer: Any,
    output_units: int,
    *,
    vocabulary_size: int,
    vector_size: int,
    activation: str = "softmax",
    seed: int | None = None,
) -> Any:
    """A sequence of tokens in, a distribution for each token out.

        ŷ⟨t⟩ = g_y(W_y a⟨t⟩ + b_y)

    Args:
        layer: a cell, or a layer over sequences with `return_sequences`; a `Bidirectional` sees what comes
            after a token, too.
        output_units: length of ŷ.
        vocabulary_size: number of tokens, 0 being padding.
        vector_size: length of the vectors of tokens.
        activation: g_y, one of Keras'.
        seed: of the initial vectors and W_y.

    Returns:
        A Keras model from (batch, time) to (batch, time, output_units).
    """
    layer = over_sequences(layer, return_sequences=True)
    entry, vectors = _tokens(layer, vocabulary_size, vector_size, seed)
    hidden = layer(vectors)
    return keras.Model(
        entry, _distribution(hidden, layer, output_units, activation, seed), name="many_to_many"
    )


def over_sequences(layer: Any, *, return_sequences: bool) -> Any:
    """The layer that was given, or one around the cell that was.

    Raises:
        UsageError: if the layer gives out something else than is needed here.
    """
    if not isinstance(layer, SequenceLayer):
        return Recurrent(layer, return_sequences=return_sequences)
    if layer.return_sequences != return_sequences or not isinstance(layer.output_size, int):
        raise UsageError(f"{layer.name} must give out one tensor, with return_sequences={return_sequences}")
    if layer.return_state:
        raise UsageError(f"{layer.name} must not give out states here: return_state=False")
    return layer


def check_stateless(layer: Any) -> None:
    """Raises UsageError for a layer that would go on from the batch before: each text is one of its own."""
    if layer.stateful:
        raise UsageError(f"{layer.name} must begin every sequence anew here: stateful=False")


def embedding(layer: Any, vocabulary_size: int, vector_size: int, seed: int | None, purpose: str) -> Any:
    """Vectors for tokens, in the precision of a layer; token 0 is masked."""
    initial = keras.initializers.RandomUniform(seed=derived_seed(seed, purpose))
    return keras.layers.Embedding(
        checked_count("vocabulary_size", vocabulary_size),
        checked_count("vector_size", vector_size),
        initial,
        mask_zero=True,
        dtype=layer.dtype_policy,
        name=purpose,
    )


def _tokens(layer: Any, vocabulary_size: int, vector_size: int, seed: int | None) -> tuple[Any, Any]:
    entry = keras.Input((None,), dtype="int32")
    return entry, embedding(layer, vocabulary_size, vector_size, seed, "vectors")(entry)


def _distribution(hidden: Any, layer: Any, units: int, activation: str, seed: int | None) -> Any:
    """g_y(W_y a + b_y); g_y in the precision of the weights."""
    units = checked_count("output_units", units)
    initial = keras.initializers.GlorotUniform(derived_seed(seed, "output"))
    policy = layer.dtype_policy
    product = keras.layers.Dense(units, kernel_initializer=initial, dtype=policy, name="output")(hidden)
    return keras.layers.Activation(activation, dtype=policy.variable_dtype)(product)
