"""Counts of co-occurrences, and the bundle that holds them.

X_ij says how often word j stands in the window of word i, weighted by distance: row i has its entries at
`offsets[i]` to `offsets[i + 1]` of `columns` (the j, rising) and `values` (X_ij > 0).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit._manifest import TENSORS
from seqkit.errors import BundleError, Place
from seqkit.storage import Bundle, BundleWriter, Tensors, is_bundle, read_again
from seqkit.text.vocabulary import VOCABULARY, Vocabulary

KIND = "cooccurrence"
_DTYPES = {"offsets": np.int64, "columns": np.int32, "values": np.float32}

CHECKED_AT_ONCE = 1 << 22
"""Entries that are in memory at a time while all are gone through."""


@dataclass(frozen=True, eq=False)
class Cooccurrences:
    """A sparse matrix of counts, its rows compressed (CSR); all of both triangles where it is symmetric.

    Args:
        vocabulary: the words, in the order of rows and columns.
        offsets: where each row begins, and where the last ends; int64, shape (vocabulary + 1,).
        columns: word ids, rising within a row; int32, shape (pairs,).
        values: X_ij, finite and above 0; float32, shape (pairs,).
        total: the sum of X, exact until it was rounded once.
        settings: how the counts were made, as JSON; empty until they are saved.
        fingerprint: SHA-256 of the text, in hex; None until they are saved.
    """

    vocabulary: Vocabulary
    offsets: NDArray[np.int64]
    columns: NDArray[np.int32]
    values: NDArray[np.float32]
    total: float
    settings: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str | None = None

    def __len__(self) -> int:
        return len(self.vocabulary)

    @property
    def pairs(self) -> int:
        """How many X_ij are above 0."""
        return len(self.columns)

    def __repr__(self) -> str:
        return f"<Cooccurrences: {len(self):,} words, {self.pairs:,} pairs>"

    def row(self, word: str) -> dict[str, float]:
        """The contexts of a word and their counts.

        Raises:
            UnknownWordError: the word is not in the vocabulary.
        """
        index = self.vocabulary[word]
        entries = slice(self.offsets[index], self.offsets[index + 1])
        words = map(self.vocabulary.word, self.columns[entries].tolist())
        return dict(zip(words, self.values[entries].tolist(), strict=True))

    def entries(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]]:
        """The pairs, some rows at a time: i, j and X_ij, each of shape (pairs of these rows,)."""
        cuts = np.searchsorted(self.offsets, np.arange(CHECKED_AT_ONCE, self.pairs, CHECKED_AT_ONCE))
        rows = np.unique([0, *cuts, len(self)])
        for begin, end in pairwise(rows.tolist()):
            offsets = np.asarray(self.offsets[begin : end + 1])
            part = slice(offsets[0], offsets[-1])
            i = np.repeat(np.arange(begin, end), np.diff(offsets))
            yield i, np.asarray(self.columns[part]), np.asarray(self.values[part])

    def transposed(self) -> Cooccurrences:
        """X_ji as row j, in memory; columns of row j rise."""
        from scipy.sparse import csr_matrix

        shape = len(self), len(self)
        turned = csr_matrix((self.values, self.columns, self.offsets), shape=shape).tocsc()
        return replace(
            self,
            offsets=turned.indptr.astype(np.int64),
            columns=turned.indices.astype(np.int32),
            values=turned.data,
        )

    def widened(self, words: Sequence[str]) -> Cooccurrences:
        """The same counts with a row and a column, both empty, for each word that has none yet.

        Args:
            words: any words.
        """
        surplus = sorted(set(words).difference(self.vocabulary))
        wide = Vocabulary(
            (*self.vocabulary.words, *surplus),
            np.append(self.vocabulary.counts, np.zeros(len(surplus), np.int64)),
        )
        offsets = np.append(self.offsets, np.full(len(surplus), self.offsets[-1]))
        return replace(self, vocabulary=wide, offsets=offsets)

    @classmethod
    @read_again
    def load(cls, place: Place) -> Cooccurrences:
        """Opens a bundle of counts; columns and values are memory-mapped, and not read here (see `check`).

        Args:
            place: the bundle's directory.

        Raises:
            BundleError: a damaged bundle, or one of another kind.
            MissingInputError: there is nothing of that name.
            StorageError: the system refused.
        """
        return cls.from_bundle(Bundle.open(place, kind=KIND))

    @classmethod
    def from_bundle(cls, bundle: Bundle) -> Cooccurrences:
        """The counts of an open bundle, memory-mapped.

        Args:
            bundle: of kind "cooccurrence".

        Raises:
            BundleError: the members do not fit together.
        """
        vocabulary = Vocabulary.from_bundle(bundle)
        tensors, manifest = bundle.tensors(TENSORS), bundle.manifest
        if fault := _fault(tensors, len(vocabulary)):
            raise BundleError(bundle.path, fault, member=TENSORS)
        total = manifest.metrics.get("total")
        if not isinstance(total, float) or not total > 0:
            raise BundleError(bundle.path, f"the total of the counts is {total!r}", member="manifest.json")
        return cls(
            vocabulary, **tensors, total=total, settings=manifest.config, fingerprint=manifest.fingerprint
        )

    def write_members(self, writer: BundleWriter) -> None:
        """Writes vocabulary and counts to a bundle that somebody else commits, with `total` in its metrics.

        Args:
            writer: of kind "cooccurrence", entered.

        Raises:
            StorageError: the system refused.
        """
        writer.write_text(VOCABULARY, self.vocabulary.to_tsv())
        writer.write_tensors(TENSORS, {name: getattr(self, name) for name in _DTYPES})

    def check(self, place: Place) -> None:
        """Reads every entry: columns are words and rise within a row, values are finite and above 0.

        Args:
            place: what errors call the bundle.

        Raises:
            BundleError: the first row that is wrong.
        """
        for begin in range(0, self.pairs, CHECKED_AT_ONCE):
            # With the last entry of the piece before, whose column may have to be below the first one here.
            before = max(0, begin - 1)
            columns = self.columns[before : begin + CHECKED_AT_ONCE]
            values = self.values[before : begin + CHECKED_AT_ONCE]
            good = (columns >= 0) & (columns < len(self)) & (values > 0) & np.isfinite(values)
            rises = columns[1:] > columns[:-1]
            starts = self.offsets[np.searchsorted(self.offsets, before + 1) :]
            starts = starts[: np.searchsorted(starts, before + len(columns))]
            rises[starts - before - 1] = True
            good[1:] &= rises
            if not good.all():
                entry = before + int(np.argmin(good))
                row = int(np.searchsorted(self.offsets, entry, side="right")) - 1
                reason = (
                    f"entry {entry:,}, in the row of {self.vocabulary.word(row)!r}, is column "
                    f"{self.columns[entry]} with {self.values[entry]}; columns must rise from 0 to below "
                    f"{len(self):,}, values be finite and above 0"
                )
                raise BundleError(place, reason, member=TENSORS)


def is_counts(place: Place) -> bool:
    """Whether a path is a bundle of counts: reads its manifest, nothing else.

    Raises:
        BundleError: it is a bundle, of whatever kind, and damaged.
    """
    return is_bundle(place) and Bundle.open(place).manifest.kind == KIND


def _fault(tensors: Tensors, words: int) -> str | None:
    """What is wrong with the arrays, as far as can be told without reading columns and values."""
    if tensors.keys() != _DTYPES.keys():
        return f"holds {sorted(tensors)}; it must hold {sorted(_DTYPES)}"
    for name, tensor in tensors.items():
        if tensor.dtype != _DTYPES[name] or tensor.ndim != 1:
            return (
                f"{name} is {tensor.dtype} {tensor.shape}; it must be {np.dtype(_DTYPES[name])}, of one axis"
            )
    offsets, pairs = tensors["offsets"], len(tensors["columns"])
    if len(offsets) != words + 1 or len(tensors["values"]) != pairs or not pairs:
        return (
            f"{len(offsets):,} offsets, {pairs:,} columns and {len(tensors['values']):,} values for "
            f"{words:,} words"
        )
    if offsets[0] != 0 or offsets[-1] != pairs or (np.diff(offsets) < 0).any():
        return f"offsets must rise from 0 to {pairs:,}"
    return None
