"""How alike two sets of word vectors are: two seeds, two methods, two corpora.

Nothing here depends on the axes, which differ from run to run.

Neighbour overlap: of a word's k nearest in one set, how many are among its k nearest in the other (Wendlandt,
Kummerfeld and Mihalcea 2018, "Factors Influencing the Surprising Instability of Word Embeddings").

Movement: the cosine distance of a word's two vectors after the rotation that brings all words together best,
orthogonal Procrustes on unit rows, centred (Hamilton, Leskovec and Jurafsky 2016, "Diachronic Word Embeddings
Reveal Statistical Laws of Semantic Change").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqkit.embeddings.neighbours import nearest_rows, unit_rows
from seqkit.errors import DataError, UsageError

if TYPE_CHECKING:
    from seqkit.embeddings.vectors import Vectors

Matrix = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

_BAND = 100
"""The first band has so many words; each further one reaches ten times as far."""


@dataclass(frozen=True)
class Band:
    """Words of similar frequency.

    Args:
        first: rank of its first word, from 1.
        last: rank of its last word.
        overlap: mean share of the k neighbours that both sets have, 0 to 1.
        jaccard: mean of shared neighbours over all neighbours of either set, 0 to 1.
        distance: mean cosine distance after alignment, 0 to 2.
    """

    first: int
    last: int
    overlap: float
    jaccard: float
    distance: float


@dataclass(frozen=True)
class Moved:
    """A word whose two vectors stay apart.

    Args:
        word: the word.
        distance: cosine distance after alignment, 0 to 2.
        neighbours_a: its k nearest in the first set, among the words compared.
        neighbours_b: the same in the second.
    """

    word: str
    distance: float
    neighbours_a: list[str]
    neighbours_b: list[str]


@dataclass(frozen=True)
class Comparison:
    """What two sets of vectors have in common.

    Args:
        common: words that both have.
        compared: those that were compared, the most frequent.
        k: neighbours of each.
        whole: means over all words compared.
        bands: the same by frequency.
        moved: the words that moved most, the farthest first.
    """

    common: int
    compared: int
    k: int
    whole: Band
    bands: list[Band]
    moved: list[Moved]

    def to_json(self) -> dict[str, Any]:
        """The same in JSON's types."""
        return {
            **vars(self),
            "whole": vars(self.whole),
            "bands": [vars(band) for band in self.bands],
            "moved": [vars(moved) for moved in self.moved],
        }


def compare(a: Vectors, b: Vectors, *, k: int = 10, n: int = 20, most_frequent: int = 20_000) -> Comparison:
    """Compares two sets of vectors on their common words.

    Neighbours are looked for among the words compared. The smaller vectors are extended with zeros for the
    alignment, which keeps all their cosines; what they cannot express counts as movement, so with different
    sizes the distances tell which words moved more, not how far.

    Args:
        a: one set.
        b: the other.
        k: neighbours of each word, at least 1 and fewer than there are common words.
        n: how many of the words that moved most to list.
        most_frequent: compare so many of the common words, those of the lowest mean rank in the two sets.

    Returns:
        The same for (b, a), but for the order of the two.

    Raises:
        DataError: fewer than two common words.
        UsageError: a number out of range.
    """
    for name, value, least in (("k", k, 1), ("n", n, 0), ("most_frequent", most_frequent, 2)):
        if value < least:
            raise UsageError(f"{name} is {value}; it must be at least {least}")
    ids_a, ids_b = _common(a, b)
    common = len(ids_a)
    ids_a, ids_b = ids_a[:most_frequent], ids_b[:most_frequent]
    if k >= len(ids_a):
        raise UsageError(f"k is {k}; with {len(ids_a):,} common words it can be at most {len(ids_a) - 1:,}")
    unit_a, unit_b = unit_rows(a.matrix[ids_a]), unit_rows(b.matrix[ids_b])
    queries = np.arange(len(ids_a))
    near_a, near_b = nearest_rows(unit_a, queries, k), nearest_rows(unit_b, queries, k)
    overlap = _shared(near_a, near_b) / k
    distance = _movement(unit_a, unit_b)

    def band(first: int, last: int) -> Band:
        part = slice(first - 1, last)
        share = overlap[part]
        jaccard = share / (2 - share)  # s / (2k - s) of the s neighbours that are shared
        return Band(first, last, float(share.mean()), float(jaccard.mean()), float(distance[part].mean()))

    words = [a.words[index] for index in ids_a.tolist()]
    farthest = np.argsort(-distance, kind="stable")[:n].tolist()
    return Comparison(
        common=common,
        compared=len(words),
        k=k,
        whole=band(1, len(words)),
        bands=[band(first, last) for first, last in _bands(len(words))],
        moved=[
            Moved(words[i], float(distance[i]), *([words[j] for j in near[i]] for near in (near_a, near_b)))
            for i in farthest
        ],
    )


def _common(a: Vectors, b: Vectors) -> tuple[Ids, Ids]:
    """Rows of the common words in both, by their mean rank, equals by the better rank, then by word."""
    places = {word: index for index, word in enumerate(b.words)}
    rows = np.array(
        [(index, places[word]) for index, word in enumerate(a.words) if word in places], np.int64
    ).reshape(-1, 2)
    if len(rows) < 2:
        raise DataError(f"{len(rows)} words are in both; nothing can be compared")
    ranks = rows.sum(axis=1), rows.min(axis=1)
    rows, ranks = rows[order := np.lexsort(ranks[::-1])], tuple(rank[order] for rank in ranks)
    # at most two words have both the same: one's ranks are the other's, exchanged
    for i in np.flatnonzero((np.diff(ranks[0]) == 0) & (np.diff(ranks[1]) == 0)).tolist():
        if a.words[rows[i, 0]] > a.words[rows[i + 1, 0]]:
            rows[[i, i + 1]] = rows[[i + 1, i]]
    return rows[:, 0], rows[:, 1]


def _bands(words: int) -> list[tuple[int, int]]:
    """Ranks 1 to 100, 101 to 1,000, 1,001 to 10,000, and so on."""
    bands, first, last = [], 1, _BAND
    while first <= words:
        bands.append((first, min(last, words)))
        first, last = last + 1, last * 10
    return bands


def _shared(near_a: Ids, near_b: Ids) -> npt.NDArray[np.float64]:
    """How many numbers each row of one matrix shares with the same row of the other; none stands twice."""
    both = np.sort(np.concatenate([near_a, near_b], axis=1), axis=1)
    counts: npt.NDArray[np.float64] = (both[:, 1:] == both[:, :-1]).sum(axis=1).astype(np.float64)
    return counts


def _movement(unit_a: Matrix, unit_b: Matrix) -> npt.NDArray[np.float64]:
    """Cosine distances between the rows of A and of B R, R orthogonal and |A - B R| the least."""
    from scipy.linalg import orthogonal_procrustes

    size = max(unit_a.shape[1], unit_b.shape[1])
    first, second = (_centred(unit, size) for unit in (unit_a, unit_b))
    rotation, _ = orthogonal_procrustes(second, first)
    second = second @ rotation
    norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    cosines = np.einsum("ij,ij->i", first, second) / np.where(norms > 0, norms, 1)
    distances: npt.NDArray[np.float64] = 1 - np.clip(cosines, -1, 1)
    return distances


def _centred(unit: Matrix, size: int) -> npt.NDArray[np.float64]:
    rows = unit.astype(np.float64)
    return np.pad(rows - rows.mean(axis=0), ((0, 0), (0, size - rows.shape[1])))
