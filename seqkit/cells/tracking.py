"""What TensorFlow's checkpoints find of a layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def track_items(owner: Any, name: str, items: Sequence[Any]) -> None:
    """Has `tf.train.Checkpoint` save and restore what a list has; it follows attributes, no list of Keras.

    Args:
        owner: a layer or a cell.
        name: of its attribute.
        items: variables or layers; each goes by its place, since names differ from model to model.
    """
    for number, item in enumerate(items):
        owner._track_trackable(item, f"{name}_{number}")
