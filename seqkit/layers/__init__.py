"""Recurrent layers: a cell along a sequence, in both directions, and in stacks.

To read it: `unroll` is the loop over time for any cell; `recurrent` is the layer around it, with masks,
states and Keras' protocol; `bidirectional` and `deep` put such layers together.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqkit.layers.recurrent import Recurrent

__all__ = ["Recurrent"]

# What needs TensorFlow is imported when it is first asked for.
_HOMES = {"Recurrent": "seqkit.layers.recurrent"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'seqkit.layers' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
