"""Embedding coherence test: do words stand in one order, seen from either group?

Dev and Phillips 2019, "Attenuating Bias in Word Vectors" (AISTATS, arXiv:1901.07656).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from seqkit.debias.measures import weighted
from seqkit.debias.measures.intervals import Figure, bootstrap
from seqkit.debias.measures.lookup import unit_rows_of
from seqkit.errors import DataError

if TYPE_CHECKING:
    from seqkit.embeddings.vectors import Vectors

Array = npt.NDArray[np.float64]

_DECIMALS = 6
"""Cosines of float32 vectors that differ by less are equal: they share a rank."""


def embedding_coherence(
    vectors: Vectors, words: Sequence[str], first: Sequence[str], second: Sequence[str], *, seed: int = 0
) -> Figure:
    """The rank correlation of words' similarities to two groups.

        ECT = Spearman(cos(m, w_1) … cos(m, w_n);  cos(s, w_1) … cos(s, w_n))

    with m and s the means of the groups' vectors, here of their unit vectors, so that no word of a group
    weighs more than another.

    Source: Dev and Phillips 2019, "Embedding Coherence Test".

    Args:
        vectors: the vectors.
        words: w, words that should be neutral; at least three with a vector.
        first: the words of one group, at least one.
        second: the words of the other.
        seed: of the interval.

    Returns:
        1, one order: neutral; 0, nothing in common; -1, opposite orders.

    Raises:
        DataError: too few words; all are as similar to a group.
    """
    unit = unit_rows_of(vectors, words, "neutral words", least=3)
    towards = [
        unit_rows_of(vectors, group, name).mean(axis=0)
        for group, name in ((first, "first group"), (second, "second group"))
    ]
    # Divided by the length of the mean only so that equal means equal: the order is the same without.
    cosines = [np.round(unit @ mean / (np.linalg.norm(mean) or 1.0), _DECIMALS) for mean in towards]
    for values, group in zip(cosines, ("first", "second"), strict=True):
        if np.ptp(values) == 0:
            raise DataError(f"all {len(unit)} neutral words are as similar to the {group} group; no order")

    def spearman(weights: Array) -> Array:
        one, other = (weighted.ranks(weights, values) for values in cosines)
        return weighted.correlation(weights, one, other)

    return bootstrap(spearman, len(unit), seed=seed)
