"""Direct and indirect bias: how much of a word, and of a similarity, lies in the bias direction.

Bolukbasi, Chang, Zou, Saligrama and Kalai 2016, "Man is to Computer Programmer as Woman is to Homemaker?
Debiasing Word Embeddings" (arXiv:1607.06520), §§5.2 and 5.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from seqkit.debias.measures.intervals import Figure, mean_figure
from seqkit.debias.measures.lookup import unit_rows_of
from seqkit.errors import DataError, UsageError

if TYPE_CHECKING:
    from seqkit.embeddings.vectors import Vectors

Array = npt.NDArray[np.float64]


def direct_bias(
    vectors: Vectors, words: Sequence[str], direction: npt.ArrayLike, *, c: float = 1.0, seed: int = 0
) -> Figure:
    """The mean share of words that should be neutral which lies in the bias direction.

        DirectBias_c = 1/|N| Σ_{w ∈ N} |cos(w, g)|^c

    For a subspace B, |cos(w, g)| is the length of the projection of the unit vector w on B. A random
    direction is not at 0 but near sqrt(2 / (π vector_size)) for c = 1: 0.08 of 100 numbers, 0.05 of 300.

    Source: Bolukbasi et al. 2016, §5.2.

    Args:
        vectors: the vectors.
        words: N, words that should be neutral; at least two with a vector.
        direction: g, (vector_size,), or (k, vector_size) rows that span B; of any length.
        c: how strict: the larger, the less small shares count; 0 counts every word that is not exactly
            orthogonal.
        seed: of the interval.

    Returns:
        0, all orthogonal to the direction, to 1, all in it.

    Raises:
        DataError: too few words; a direction that is zero.
        UsageError: c below 0; a direction of another size.
    """
    if not c >= 0:
        raise UsageError(f"c is {c}; it must be at least 0")
    unit = unit_rows_of(vectors, words, "neutral words", least=2)
    # A projection is at most 1; c = 0 counts, by 0^0 = 0 here.
    lengths = np.minimum(np.linalg.norm(unit @ subspace(direction, vectors.vector_size).T, axis=1), 1)
    shares = np.where(lengths > 0, lengths**c, 0.0)
    return mean_figure(shares, seed=seed)


def beta(first: Array, second: Array, direction: npt.ArrayLike) -> Array:
    """Indirect bias: the share of two words' similarity that the bias direction brings.

        β(w, v) = (w·v - cos(w⊥, v⊥)) / w·v,   w⊥ = w - w_B, of unit vectors w and v

    Where w⊥ or v⊥ is zero, the two have nothing but the direction in common, and β is 1.

    Source: Bolukbasi et al. 2016, §5.3.

    Args:
        first: w, (pairs, vector_size), of any lengths but 0.
        second: v, the same shape.
        direction: as for `direct_bias`.

    Returns:
        (pairs,); at most 1 where w·v > 0 and the rest is no opposite; NaN where w·v = 0.
    """
    first, second = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (first, second))
    basis = subspace(direction, first.shape[1])
    similarity = np.einsum("ij,ij->i", first, second)
    rests = [rows - rows @ basis.T @ basis for rows in (first, second)]
    norms = np.prod([np.linalg.norm(rest, axis=1) for rest in rests], axis=0)
    tiny = np.finfo(np.float64).eps
    left = np.einsum("ij,ij->i", *rests) / np.where(norms > tiny, norms, np.inf)
    result: Array = (similarity - left) / np.where(similarity == 0, np.nan, similarity)
    return result


def indirect_bias(
    vectors: Vectors, words: Sequence[str], direction: npt.ArrayLike, *, seed: int = 0
) -> Figure:
    """The mean of `beta` over words that should be neutral, each with the nearest of the others.

    The paper looks at single pairs; β is a share of their similarity, so only near pairs make it meaningful.

    Source: Bolukbasi et al. 2016, §5.3.

    Args:
        vectors: the vectors.
        words: at least three with a vector.
        direction: as for `direct_bias`.
        seed: of the interval.

    Returns:
        0 where no similarity comes from the direction, 1 where all of it does.

    Raises:
        DataError: too few words, or none that is near another (at a cosine above 0).
        UsageError: a direction of another size.
    """
    unit = unit_rows_of(vectors, words, "neutral words", least=3)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)
    nearest = cosines.argmax(axis=1)
    near = cosines.max(axis=1) > 0
    if near.sum() < 3:
        raise DataError(f"{int(near.sum())} of {len(unit)} neutral words have another near them; 3 must")
    shares = beta(unit[near], unit[nearest[near]], direction)
    return mean_figure(shares, seed=seed)


def subspace(direction: npt.ArrayLike, vector_size: int) -> Array:
    """An orthonormal basis of what a direction, or several, span.

    Args:
        direction: (vector_size,) or (k, vector_size).
        vector_size: numbers per vector.

    Returns:
        (rank, vector_size).

    Raises:
        DataError: it is zero, or not finite.
        UsageError: another shape.
    """
    rows = np.atleast_2d(np.asarray(direction, np.float64))
    if rows.ndim != 2 or rows.shape[1] != vector_size:
        raise UsageError(f"a direction of shape {rows.shape} does not fit vectors of {vector_size} numbers")
    if not np.isfinite(rows).all() or not rows.any():
        raise DataError("the bias direction is zero or not finite: do the two words of its pairs differ?")
    _, scales, basis = np.linalg.svd(rows, full_matrices=False)
    spanned: Array = basis[scales > scales[0] * max(rows.shape) * np.finfo(np.float64).eps]
    return spanned
