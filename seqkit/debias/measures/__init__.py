"""How biased word vectors are, by every measure in use, each figure with its interval.

To read it: `lookup` takes words to vectors, `weighted` and `intervals` figures to their bootstrap intervals,
`permutation` and `corrections` tests to their p. Each of the others is a family of measures and its papers.
"""

from seqkit.debias.measures.analogies import (
    AnalogyPair,
    Completion,
    Completions,
    analogy_pairs,
    complete_analogies,
)
from seqkit.debias.measures.corrections import benjamini_hochberg, holm
from seqkit.debias.measures.direct import beta, direct_bias, indirect_bias
from seqkit.debias.measures.ect import embedding_coherence
from seqkit.debias.measures.intervals import Figure, bootstrap
from seqkit.debias.measures.mac import mean_average_cosine
from seqkit.debias.measures.recovery import (
    MostBiased,
    classifier_accuracy,
    cluster_accuracy,
    most_biased,
    neighbour_correlation,
)
from seqkit.debias.measures.ripa import Ripa, ripa
from seqkit.debias.measures.rnd import relative_norm_distance
from seqkit.debias.measures.rnsb import NegativeSentiment, negative_sentiment
from seqkit.debias.measures.sembias import SemBias, SemBiasLine, held_out, read_sembias, sembias
from seqkit.debias.measures.utility import Utility, utility
from seqkit.debias.measures.weat import Association, single_category_weat, weat

__all__ = [
    "AnalogyPair",
    "Association",
    "Completion",
    "Completions",
    "Figure",
    "MostBiased",
    "NegativeSentiment",
    "Ripa",
    "SemBias",
    "SemBiasLine",
    "Utility",
    "analogy_pairs",
    "benjamini_hochberg",
    "beta",
    "bootstrap",
    "classifier_accuracy",
    "cluster_accuracy",
    "complete_analogies",
    "direct_bias",
    "embedding_coherence",
    "held_out",
    "holm",
    "indirect_bias",
    "mean_average_cosine",
    "most_biased",
    "negative_sentiment",
    "neighbour_correlation",
    "read_sembias",
    "relative_norm_distance",
    "ripa",
    "sembias",
    "single_category_weat",
    "utility",
    "weat",
]
