"""Recurrent layers: a cell along a sequence, in both directions, and in stacks.

To read it: `unroll` is the loop over time for any cell; `recurrent` is the layer around it, with masks and
states; `bidirectional` and `deep` put such layers together; `sequence` is what all three share.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqkit.layers.bidirectional import Bidirectional, BidirectionalState
    from seqkit.layers.deep import DeepRNN
    from seqkit.layers.explanation import explain_kernel
    from seqkit.layers.recurrent import Recurrent

__all__ = ["Bidirectional", "BidirectionalState", "DeepRNN", "Recurrent", "explain_kernel"]

# What needs TensorFlow is imported when it is first asked for.
_HOMES = {
    "Bidirectional": "seqkit.layers.bidirectional",
    "BidirectionalState": "seqkit.layers.bidirectional",
    "DeepRNN": "seqkit.layers.deep",
    "Recurrent": "seqkit.layers.recurrent",
    "explain_kernel": "seqkit.layers.explanation",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'seqkit.layers' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
