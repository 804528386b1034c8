"""How biased word vectors are, by the measures of the literature, each figure with its interval.

To read it: `lookup` takes words to vectors, `weighted` and `intervals` figures to their bootstrap intervals,
`permutation` and `corrections` tests to their p. Each of the others is a family of measures and its papers;
`audit` takes all of them together, `comparison` two audits, of which `verdict` says what follows.
"""

from seqkit.debias.measures.analogies import (
    AnalogyPair,
    Completion,
    Completions,
    analogy_pairs,
    complete_analogies,
)
from seqkit.debias.measures.audit import Audit, audit
from seqkit.debias.measures.comparison import Change, Comparison, compare
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
from seqkit.debias.measures.verdict import Verdict
from seqkit.debias.measures.weat import Association, single_category_weat, weat

__all__ = [
    "AnalogyPair",
    "Association",
    "Audit",
    "Change",
    "Comparison",
    "Completion",
    "Completions",
    "Figure",
    "MostBiased",
    "NegativeSentiment",
    "Ripa",
    "SemBias",
    "SemBiasLine",
    "Utility",
    "Verdict",
    "analogy_pairs",
    "audit",
    "benjamini_hochberg",
    "beta",
    "bootstrap",
    "classifier_accuracy",
    "cluster_accuracy",
    "compare",
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
