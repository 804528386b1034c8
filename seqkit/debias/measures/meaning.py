"""What each measure asks, in a few words that fit a table; docs/bias-measures.md has the rest.

>>> asks("weat.career-family")
'targets go with sides (d)'
"""

from __future__ import annotations

_ASKS = {
    "direct_bias": "share along the bias axis",
    "indirect_bias": "similarity due to the axis",
    "relative_norm_distance": "nearer to which side",
    "embedding_coherence": "one order from both sides",
    "mean_average_cosine": "distance from the sides",
    "ripa": "part that tells a pair",
    "negative_sentiment": "some look more negative",
    "unchanged_analogies": "he : word = she : word",
    "weat": "targets go with sides (d)",
    "weat_difference": "the same in cosines",
    "recovery.cluster_accuracy": "clusters find the sides",
    "recovery.classifier_accuracy": "classifier tells the sides",
    "recovery.linear_classifier_accuracy": "a linear one does",
    "recovery.neighbour_correlation": "neighbours tell the bias",
    "similarity": "pairs as people judge (rho)",
    "analogies": "analogies answered right",
}


def asks(name: str) -> str:
    """What a figure of an audit or a comparison says, by its name: "recovery.cluster_accuracy"."""
    return _ASKS[name] if name in _ASKS else _ASKS[name.partition(".")[0]]
