"""Relative norm distance: to which of two groups are words nearer?

Garg, Schiebinger, Jurafsky and Zou 2018, "Word embeddings quantify 100 years of gender and ethnic
stereotypes" (PNAS 115:16, arXiv:1711.08412), Materials and Methods.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from seqkit.debias.measures.intervals import Figure, mean_figure
from seqkit.debias.measures.lookup import unit_rows_of

if TYPE_CHECKING:
    from seqkit.embeddings.vectors import Vectors


def relative_norm_distance(
    vectors: Vectors, words: Sequence[str], first: Sequence[str], second: Sequence[str], *, seed: int = 0
) -> Figure:
    """How much farther words are from the first group than from the second, on average.

        RND = 1/|M| Σ_{m ∈ M} (‖m - v_1‖ - ‖m - v_2‖),   v_g the mean of group g's unit vectors

    The paper has the sum; the mean does not grow with the number of words.

    Source: Garg et al. 2018, Materials and Methods.

    Args:
        vectors: the vectors.
        words: M, words that should be neutral; at least two with a vector.
        first: the words of one group, at least one.
        second: the words of the other.
        seed: of the interval.

    Returns:
        0 where the words are as near to both; above 0 they are nearer to the second group, below to the
        first. At most the distance between the groups' means, in size.

    Raises:
        DataError: too few words.
    """
    unit = unit_rows_of(vectors, words, "neutral words", least=2)
    to_first, to_second = (
        np.linalg.norm(unit - unit_rows_of(vectors, group, name).mean(axis=0), axis=1)
        for group, name in ((first, "first group"), (second, "second group"))
    )
    differences = to_first - to_second
    return mean_figure(differences, seed=seed)
