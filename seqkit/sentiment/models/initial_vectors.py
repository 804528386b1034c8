"""Word vectors that a classifier begins with, by the ids of its vocabulary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import DataError
from seqkit.sentiment.documents import SPECIALS
from seqkit.sentiment.models.contract import Fitting


@dataclass(frozen=True, eq=False)
class InitialVectors:
    """Vectors of the words of a vocabulary.

    Args:
        known: words that have one, (vocabulary,).
        matrix: (vocabulary, size), scaled so that the entries of known words have the root mean square 1;
            0 where there is none.
    """

    known: NDArray[np.bool_]
    matrix: NDArray[np.float32]

    @classmethod
    def of(cls, fitting: Fitting) -> InitialVectors | None:
        """Those of the resources; None where there are none.

        Raises:
            DataError: no word of the texts has a vector other than zero.
        """
        initial = fitting.resources.vectors
        if initial is None:
            return None
        vectors, vocabulary = initial.vectors, fitting.vocabulary
        found = [vectors.vocabulary.get(word) for word in vocabulary.words]
        known = np.array([row is not None for row in found])
        known[: len(SPECIALS)] = False
        rows = np.array([row for row, has in zip(found, known, strict=True) if has], np.int64)
        matrix = np.zeros((len(vocabulary), vectors.vector_size), np.float32)
        matrix[known] = vectors.matrix[rows]
        seen = known & (vocabulary.counts > 0)
        scale = float(np.sqrt(np.mean(np.square(matrix[seen], dtype=np.float64)))) if seen.any() else 0.0
        if not scale:
            raise DataError(
                f"{initial.name} has no vector for any word of the texts: are its words cut the same way?"
            )
        matrix /= np.float32(scale)
        share = vocabulary.counts[seen].sum() / max(1, vocabulary.counts[len(SPECIALS) :].sum())
        words = (vocabulary.counts[len(SPECIALS) :] > 0).sum()
        fitting.progress.message(
            f"{initial.name}: vectors for {seen.sum() / max(1, words):.1%} of the words, "
            f"which are {share:.1%} of the text"
        )
        return cls(known, matrix)

    @property
    def size(self) -> int:
        """Numbers of a vector."""
        return int(self.matrix.shape[1])
