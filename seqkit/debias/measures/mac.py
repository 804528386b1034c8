"""Mean average cosine distance: how far are the words of classes from sets of attributes?

Manzini, Lim, Tsvetkov and Black 2019, "Black is to Criminal as Caucasian is to Police: Detecting and Removing
Multiclass Bias in Word Embeddings" (NAACL, arXiv:1904.04047).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from seqkit.debias.measures.intervals import Figure, mean_figure
from seqkit.debias.measures.lookup import unit_rows_of
from seqkit.errors import UsageError

if TYPE_CHECKING:
    from seqkit.embeddings.vectors import Vectors


def mean_average_cosine(
    vectors: Vectors, targets: Sequence[str], attribute_sets: Sequence[Sequence[str]], *, seed: int = 0
) -> Figure:
    """The mean cosine distance between targets and attribute sets; for any number of classes.

        S(t, A_j) = 1/|A_j| Σ_{a ∈ A_j} (1 - cos(t, a))
        MAC(T, A) = 1/(|T| |A|) Σ_{t ∈ T} Σ_{A_j ∈ A} S(t, A_j)

    Nearness to the one class and farness from the other cancel here, so MAC can be 1 of biased vectors.

    Source: Manzini et al. 2019, on evaluating removal by the mean average cosine.

    Args:
        vectors: the vectors.
        targets: T, the words of all classes; at least two with a vector.
        attribute_sets: A, lists of words, each with at least one that has a vector.
        seed: of the interval.

    Returns:
        1 neutral, on average; 0, targets and attributes are one; 2, opposite.

    Raises:
        DataError: too few words.
        UsageError: no attribute set.
    """
    if not attribute_sets:
        raise UsageError("give at least one set of attributes")
    unit = unit_rows_of(vectors, targets, "targets", least=2)
    means = [
        unit_rows_of(vectors, words, f"attribute set {number}").mean(axis=0)
        for number, words in enumerate(attribute_sets, 1)
    ]
    distances = 1 - (unit @ np.array(means).T).mean(axis=1)  # of each target to all sets
    return mean_figure(distances, seed=seed)
