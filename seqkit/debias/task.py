"""What every method of removal is given, and what it gives back.

All methods work on vectors of length 1, as the measures do, and give each word a length that goes with the
one it had: vectors of length 1 are what the papers speak of, and the others are no worse for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from seqkit._processors import available_cores
from seqkit.debias.directions import Subspace
from seqkit.debias.word_sets import WordSets
from seqkit.embeddings.neighbours import lengths_of
from seqkit.embeddings.vectors import Vectors

Rows = npt.NDArray[Any]
"""Rows of float32 or float64."""
Array = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

BLOCK = 1024
"""Rows that are worked on at a time: with 300 numbers each they stay in a core's cache."""


@dataclass(frozen=True, eq=False)
class Task:
    """Vectors, and what to remove from which of them.

    Args:
        vectors: of any lengths.
        sets: in the spellings of the vectors (`WordSets.known_to`).
        subspace: the bias.
    """

    vectors: Vectors
    sets: WordSets
    subspace: Subspace

    @property
    def matrix(self) -> Matrix:
        """(vocabulary, vector_size), float32, as they were given."""
        return self.vectors.matrix

    @cached_property
    def neutral(self) -> npt.NDArray[np.bool_]:
        """(vocabulary,): the words that must lose the bias: those listed, or all but the protected."""
        listed = self.sets.neutral or self.sets.protected
        mask = np.full(len(self.vectors), not self.sets.neutral)
        mask[self.ids(listed)] = bool(self.sets.neutral)
        return mask

    @property
    def equalize(self) -> list[Ids]:
        """The rows of each equalize set."""
        return [self.ids(words) for words in self.sets.equalize]

    def ids(self, words: Iterable[str]) -> Ids:
        """The rows of words that the vocabulary has; of others nothing."""
        vocabulary = self.vectors.vocabulary
        return np.array([vocabulary[word] for word in words if word in vocabulary], np.int64)

    def unit(self, ids: Ids) -> Array:
        """Some rows at length 1, (ids, vector_size); zero vectors stay zero."""
        return to_unit(self.matrix[ids].astype(np.float64))[0]


@dataclass(frozen=True, eq=False)
class Removal:
    """What a method gives back.

    Args:
        matrix: (vocabulary, vector_size), float32, new.
        details: what was done, as JSON.
        tensors: what was computed for it and would be needed to do the same to other vectors, by name.
    """

    matrix: Matrix
    details: Mapping[str, Any]
    tensors: Mapping[str, Array] = field(default_factory=dict)


def to_unit(rows: Rows) -> tuple[Rows, Rows]:
    """Rows at length 1 and their lengths, (rows, 1); zero rows stay zero. The argument is overwritten."""
    lengths: Rows = lengths_of(rows)[:, None]
    rows /= np.where(lengths > 0, lengths, 1)
    return rows, lengths


def blocks(matrix: Matrix) -> Iterator[tuple[slice, Array]]:
    """The rows of a matrix in float64, `BLOCK` at a time, with where they are."""
    for part in _parts(len(matrix)):
        yield part, matrix[part].astype(np.float64)


def moments(matrix: Matrix, chosen: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """Mean, (vector_size,), and covariance, (vector_size, vector_size), of rows at length 1.

    Args:
        matrix: (vocabulary, vector_size).
        chosen: (vocabulary,), the rows.
    """
    size, count = matrix.shape[1], int(chosen.sum())
    total, products = np.zeros(size), np.zeros((size, size))
    for part, rows in blocks(matrix):
        unit, _ = to_unit(rows[chosen[part]])
        total += unit.sum(axis=0)
        products += unit.T @ unit
    mean = total / count
    return mean, products / count - np.outer(mean, mean)


def _parts(rows: int) -> list[slice]:
    return [slice(start, start + BLOCK) for start in range(0, rows, BLOCK)]


def transform(
    matrix: Matrix,
    chosen: npt.NDArray[np.bool_],
    function: Callable[[Rows], Rows],
    out: Matrix,
    dtype: type[np.floating[Any]] = np.float64,
) -> None:
    """Changes some unit vectors, and gives each back its length; the others are copied as they are.

    Blocks of rows are worked on side by side; the result is the same for any number of cores.

    Args:
        matrix: (vocabulary, vector_size).
        chosen: (vocabulary,), the rows to be changed.
        function: from rows of length 1 to what they become; may overwrite its argument. What is not of
            length 1 afterwards makes the word so much shorter or longer.
        out: for the result; may be `matrix`.
        dtype: in which it is computed.
    """

    def work(part: slice) -> None:
        mask = chosen[part]
        if out is not matrix and not mask.all():
            out[part] = matrix[part]
        if mask.any():
            rows = ... if mask.all() else mask
            unit, lengths = to_unit(matrix[part][rows].astype(dtype))
            np.multiply(function(unit), lengths, out=unit)
            out[part][rows] = unit

    side_by_side(work, len(matrix))


def side_by_side(work: Callable[[slice], None], rows: int) -> None:
    """Does blocks of rows on all cores, each of them on one, so that nothing depends on how many there are.

    Args:
        work: from where a block is.
        rows: in all.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(available_cores()) as pool:
        for _ in pool.map(work, _parts(rows)):
            pass  # raises what a block raised
