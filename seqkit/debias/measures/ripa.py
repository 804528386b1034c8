"""Relational inner product association: what part of a word's vector tells two words apart?

Ethayarajh, Duvenaud and Hirst 2019, "Understanding Undesirable Word Embedding Associations" (ACL,
arXiv:1908.06361).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqkit.debias.measures.intervals import Figure, mean_figure
from seqkit.debias.measures.lookup import known_words, rows_of
from seqkit.errors import DataError

if TYPE_CHECKING:
    from seqkit.embeddings.vectors import Vectors

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ripa:
    """Association of words with one side of a relation.

    Args:
        values: by word; above 0 it goes with the first words of the pairs.
        mean: their mean.
        magnitude: the mean of their absolute values.
    """

    values: dict[str, float]
    mean: Figure
    magnitude: Figure

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's types."""
        return {
            "values": self.values,
            "mean": self.mean.as_json(),
            "magnitude": self.magnitude.as_json(),
        }


def ripa(vectors: Vectors, words: Sequence[str], pairs: Sequence[tuple[str, str]], *, seed: int = 0) -> Ripa:
    """The inner products of words with the relation vector of pairs.

        RIPA(w; b) = ⟨w, b⟩,   b the first principal component of {x - y | (x, y) ∈ S}, ‖b‖ = 1

    Vectors keep their lengths: the paper's point is that for skip-gram with negative sampling (and, up to
    constants, GloVe) this is what the corpus says about the words, which cosines are not. The component is of
    the differences as they are: centred, they would lose what they have in common. Its sign is that of
    their mean.

    Source: Ethayarajh et al. 2019, the definition of RIPA.

    Args:
        vectors: the vectors, as they were trained.
        words: at least two with a vector.
        pairs: S, of which at least one has both vectors.
        seed: of the intervals.

    Returns:
        The association of each word with a vector; 0 is neutral, and the scale is that of the vectors.

    Raises:
        DataError: too few words or pairs; pairs of equal vectors.
    """
    known = known_words(vectors, words, "words", least=2)
    values = rows_of(vectors, known) @ relation_vector(vectors, pairs)
    mean, magnitude = (mean_figure(part, seed=seed) for part in (values, np.abs(values)))
    return Ripa(dict(zip(known, values.tolist(), strict=True)), mean, magnitude)


def relation_vector(vectors: Vectors, pairs: Sequence[tuple[str, str]]) -> Array:
    """The unit vector b that `ripa` takes products with, (vector_size,).

    Raises:
        DataError: no pair with both vectors; the vectors of every pair are equal.
    """
    known = [pair for pair in pairs if all(word in vectors for word in pair)]
    if not known:
        raise DataError(f"none of the {len(pairs)} pairs has vectors for both words; at least one must")
    first, second = (rows_of(vectors, words) for words in zip(*known, strict=True))
    differences = first - second
    if not differences.any():
        raise DataError(f"the two words of each of {len(known)} pairs have equal vectors: no relation")
    component: Array = np.linalg.svd(differences, full_matrices=False)[2][0]
    # The mean difference may be orthogonal to it; any sign is right then.
    return component * (-1.0 if differences.mean(axis=0) @ component < 0 else 1.0)
