"""Rows of counts, in units: sparse, and what belongs to one pair added up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Rows:
    """Some rows of a matrix of counts.

    Args:
        offsets: row r has the entries from offsets[r] to before offsets[r + 1]; int64, shape (rows + 1,).
        columns: word ids, int32, shape (entries,).
        sums: units, int64, shape (entries,).
    """

    offsets: NDArray[np.int64]
    columns: NDArray[np.int32]
    sums: NDArray[np.int64]


def add_up(parts: Sequence[Rows], vocabulary: int) -> Rows:
    """The sum of some rows: each column once in a row, in rising order; column `vocabulary` is left out.

    SciPy multiplies sparse matrices row by row into a dense row (Gustavson 1978): adding up is a product with
    a matrix that says which rows belong together. The product's columns are in no order; transposing twice
    sorts them in linear time.

    Args:
        parts: the same rows, one or more times; what stands in a row may be in any order, and repeated.
        vocabulary: number of words; one above their ids stands for no word.
    """
    from scipy.sparse import csr_array

    rows, width = len(parts[0].offsets) - 1, vocabulary + 1
    if len(parts) == 1:
        part = parts[0]
        entries = csr_array((part.sums, part.columns, _small(part.offsets)), shape=(rows, width))
        product = entries @ _identity(width)
    else:
        begins = np.cumsum([0, *(len(part.columns) for part in parts)])
        offsets = [part.offsets[:-1] + begin for part, begin in zip(parts, begins[:-1], strict=True)]
        stacked = csr_array(
            (
                np.concatenate([part.sums for part in parts]),
                np.concatenate([part.columns for part in parts]),
                _small(np.concatenate([*offsets, begins[-1:]])),
            ),
            shape=(len(parts) * rows, width),
        )
        product = _selection(rows, len(parts)) @ stacked
    return _sorted(product, vocabulary)


def _sorted(product: Any, vocabulary: int) -> Rows:
    from scipy.sparse import csc_array

    by_column = product.tocsc()
    words = by_column.indptr[: vocabulary + 1]  # without the last column, which is no word
    entries = slice(words[-1])
    columns = (by_column.data[entries], by_column.indices[entries], words)
    ordered = csc_array(columns, shape=(product.shape[0], vocabulary)).tocsr()
    return Rows(ordered.indptr.astype(np.int64), ordered.indices, ordered.data)


def _small(offsets: NDArray[np.int64]) -> NDArray[Any]:
    """Offsets as SciPy wants them: of the type of the columns wherever they fit."""
    return offsets.astype(np.int32) if offsets[-1] < 1 << 31 else offsets


@lru_cache(maxsize=2)
def _identity(size: int) -> Any:
    from scipy.sparse import csr_array

    ids = np.arange(size + 1, dtype=np.int32)
    return csr_array((np.ones(size, np.int64), ids[:-1], ids), shape=(size, size))


def _selection(rows: int, parts: int) -> Any:
    """The matrix that adds row r of each part to row r of the sum."""
    from scipy.sparse import csr_array

    chosen = np.arange(rows * parts, dtype=np.int32).reshape(parts, rows).T.reshape(-1)
    offsets = np.arange(0, rows * parts + 1, parts, dtype=np.int32)
    return csr_array((np.ones(len(chosen), np.int64), chosen, offsets), shape=(rows, rows * parts))
