"""Recurrent layers: a cell along a sequence, in both directions, and in stacks.

To read it: `unroll` is the loop over time for any cell; `recurrent` is the layer around it, with masks and
states; `bidirectional` and `deep` put such layers together; `sequence` is what all three share; `shapes` has
networks.

To import the package registers all classes with Keras, so that it can load what they were saved in.
"""

from __future__ import annotations

from seqkit.layers import shapes
from seqkit.layers.bidirectional import Bidirectional, BidirectionalState
from seqkit.layers.deep import DeepRNN
from seqkit.layers.explanation import explain_kernel
from seqkit.layers.recurrent import Recurrent

__all__ = ["Bidirectional", "BidirectionalState", "DeepRNN", "Recurrent", "explain_kernel", "shapes"]
