"""What each measure asks, in a line; the table of docs/bias-measures.md has the rest.

>>> asks("weat.career-family")
'do the targets go with one side each: effect size'
"""

from __future__ import annotations

_ASKS = {
    "direct_bias": "how much of a word that should be neutral lies in the bias direction",
    "indirect_bias": "which share of two neutral words' similarity the direction brings",
    "relative_norm_distance": "are neutral words nearer to one side",
    "embedding_coherence": "do neutral words stand in one order, seen from either side",
    "mean_average_cosine": "how far are neutral words from the sides",
    "ripa": "how much of a neutral word tells the words of a pair apart",
    "unchanged_analogies": "does a word stay itself when he becomes she",
    "weat": "do the targets go with one side each: effect size",
    "weat_difference": "the same as a difference of cosines",
    "recovery.cluster_accuracy": "do two clusters find the sides of the most biased words",
    "recovery.classifier_accuracy": "does a classifier learn the sides",
    "recovery.linear_classifier_accuracy": "does a linear classifier learn the sides",
    "recovery.neighbour_correlation": "do a word's neighbours tell its bias",
    "similarity": "are word pairs as similar as people say (Spearman)",
    "analogies": "the share of analogies answered right",
}


def asks(name: str) -> str:
    """What a figure of an audit or a comparison says, by its name: "recovery.cluster_accuracy"."""
    return _ASKS[name] if name in _ASKS else _ASKS[name.partition(".")[0]]
