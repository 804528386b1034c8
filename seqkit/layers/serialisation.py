"""Layers inside of layers, from the configurations that Keras writes."""

from __future__ import annotations

from typing import Any

import keras

from seqkit.errors import UsageError


def revived(config: Any) -> Any:
    """The cell or layer of a configuration, if its class is registered with Keras; no other code is loaded.

    Args:
        config: what `keras.saving.serialize_keras_object` made.

    Raises:
        UsageError: if the class is not registered.
    """
    name = config.get("registered_name") or config["class_name"]
    kind = keras.saving.get_registered_object(name)
    if kind is None:
        raise UsageError(
            f"{name} is not known to Keras: decorate it with keras.saving.register_keras_serializable()"
        )
    return kind.from_config(config["config"])
