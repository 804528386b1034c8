"""Bias in word vectors: find it, remove it; NumPy, SciPy and scikit-learn alone, no TensorFlow.

To read it: `word_sets` says which words a bias is about, `directions` finds its direction among vectors,
`removal` takes it out by one of the methods `hard`, `soft`, `double_hard`, `inlp` and `leace`, each of which
is given a `task`; three of them learn from `biased` words. `specific` learns which words should keep it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqkit.lazy import lazy_names

if TYPE_CHECKING:
    from seqkit.debias.directions import Subspace, bias_subspace
    from seqkit.debias.double_hard import DoubleHardConfig
    from seqkit.debias.hard import HardConfig
    from seqkit.debias.inlp import InlpConfig
    from seqkit.debias.leace import LeaceConfig
    from seqkit.debias.removal import METHODS, Debiased, apply, stored_subspace
    from seqkit.debias.soft import SoftConfig
    from seqkit.debias.specific import learn_specific_words
    from seqkit.debias.word_sets import WordSets, built_in_names, coverage

__all__ = [
    "METHODS",
    "Debiased",
    "DoubleHardConfig",
    "HardConfig",
    "InlpConfig",
    "LeaceConfig",
    "SoftConfig",
    "Subspace",
    "WordSets",
    "apply",
    "bias_subspace",
    "built_in_names",
    "coverage",
    "learn_specific_words",
    "stored_subspace",
]

# Not the functions that are called like their module: `word_sets.word_sets`, `hard.hard`.
_HOMES = {
    "METHODS": "seqkit.debias.removal",
    "Debiased": "seqkit.debias.removal",
    "DoubleHardConfig": "seqkit.debias.double_hard",
    "HardConfig": "seqkit.debias.hard",
    "InlpConfig": "seqkit.debias.inlp",
    "LeaceConfig": "seqkit.debias.leace",
    "SoftConfig": "seqkit.debias.soft",
    "Subspace": "seqkit.debias.directions",
    "WordSets": "seqkit.debias.word_sets",
    "apply": "seqkit.debias.removal",
    "bias_subspace": "seqkit.debias.directions",
    "built_in_names": "seqkit.debias.word_sets",
    "coverage": "seqkit.debias.word_sets",
    "learn_specific_words": "seqkit.debias.specific",
    "stored_subspace": "seqkit.debias.removal",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
