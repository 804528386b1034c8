"""The nearest words of many words at a time: products of blocks, in bounded memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.floating[Any]]

_SAFE = 1e-15
"""The shortest row whose squares in float32 are all right but for what does not count beside them."""

_SIMILARITIES = 1 << 24
"""Similarities held at a time: 64 MB."""


def lengths_of(matrix: Rows) -> Rows:
    """The lengths of rows, (words,), also where float32 has no room for their squares."""
    with np.errstate(over="ignore"):
        lengths: Rows = np.sqrt(np.einsum("ij,ij->i", matrix, matrix))
    if matrix.dtype == np.float32:
        beyond = np.flatnonzero(~((lengths > _SAFE) & (lengths < np.inf)))
        lengths[beyond] = np.linalg.norm(matrix[beyond].astype(np.float64), axis=1)
    return lengths


def unit_rows(matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The rows at length 1; a zero row stays zero, and is at cosine 0 to everything.

    Args:
        matrix: (words, vector_size).
    """
    norms = lengths_of(matrix)[:, None]
    rows: npt.NDArray[np.float32] = (matrix / np.where(norms > 0, norms, 1)).astype(np.float32, copy=False)
    return rows


def nearest_rows(
    unit: npt.NDArray[np.float32], queries: npt.NDArray[np.int64], k: int
) -> npt.NDArray[np.int64]:
    """The `k` rows of highest cosine to each of some rows, itself left out.

    Args:
        unit: (words, vector_size), rows of length 1.
        queries: (n,), row numbers.
        k: 1 to words - 1.

    Returns:
        (n, k), row numbers, the nearest first; equals by row number.
    """
    batch = max(1, _SIMILARITIES // len(unit))
    found = np.empty((len(queries), k), np.int64)
    for start in range(0, len(queries), batch):
        rows = queries[start : start + batch]
        cosines = unit[rows] @ unit.T  # (batch, words)
        cosines[np.arange(len(rows)), rows] = -np.inf
        last = np.partition(cosines, -k, axis=1)[:, -k, None]
        above, tied = cosines > last, cosines == last
        tied &= np.cumsum(tied, axis=1) <= k - above.sum(axis=1, keepdims=True)
        best = np.nonzero(above | tied)[1].reshape(len(rows), k)
        order = np.argsort(-np.take_along_axis(cosines, best, axis=1), axis=1, kind="stable")
        found[start : start + batch] = np.take_along_axis(best, order, axis=1)
    return found
