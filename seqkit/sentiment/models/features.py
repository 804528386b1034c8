"""What an averaging model averages: the words and the hashed n-grams of texts, as rows of one table.

An n-gram of two or more words goes to one of 2^bits buckets, that of the highest bits of its key; buckets
that the training texts do not fill often enough have no row, and nor have words that nothing is known of.
What has no row counts for nothing, not even in the mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqkit.sentiment.documents import UNKNOWN_ID, Documents
from seqkit.sentiment.models.ngrams import leading_out, ngram_keys, ngrams_of

Rows = NDArray[np.int32]

NO_ROW = -1


@dataclass(frozen=True, eq=False)
class Features:
    """Which words and n-grams have which row.

    Args:
        order: the longest n-grams.
        words: the row of each word, (vocabulary,), or `NO_ROW`.
        buckets: the row of each bucket, (2^bits,), or `NO_ROW`; empty where there are no n-grams.
    """

    order: int
    words: Rows
    buckets: Rows

    @classmethod
    def of(
        cls, documents: Documents, known: NDArray[np.bool_], order: int, bits: int, least: int
    ) -> Features:
        """Those of training texts, words first.

        Args:
            documents: the texts.
            known: words that have a row even where the texts lack them, (vocabulary,).
            order: the longest n-grams.
            bits: of the number of a bucket.
            least: how often a bucket must be met.
        """
        seen = np.bincount(documents.ids, minlength=len(known)) > 0
        seen[: UNKNOWN_ID + 1] = False
        words = _numbered(seen | known, 0)
        if order == 1:
            return cls(order, words, np.zeros(0, np.int32))
        counts = np.zeros(1 << bits, np.int64)
        for ngrams in ngrams_of(documents, order):
            if ngrams.n > 1:
                counts += np.bincount(_bucket(ngrams.keys, bits), minlength=len(counts))
        return cls(order, words, _numbered(counts >= least, int(words.max()) + 1))

    @property
    def size(self) -> int:
        """How many rows there are."""
        return max(int(each.max(initial=NO_ROW)) for each in (self.words, self.buckets)) + 1

    def rows(self, documents: Documents) -> Iterator[Rows]:
        """The rows of the n-grams of each n.

        Yields:
            (tokens,); at i that of the n-gram that begins at token i, or `NO_ROW`.
        """
        for n, keys in enumerate(ngram_keys(documents.ids, self.order), 1):
            if n == 1:
                yield np.take(self.words, documents.ids)
                continue
            rows = np.full(len(documents.ids), NO_ROW, np.int32)
            rows[: len(keys)] = np.take(self.buckets, _bucket(keys, self._bits))
            rows[leading_out(documents, n)] = NO_ROW
            yield rows

    def by_text(self, documents: Documents) -> tuple[Rows, NDArray[np.int64]]:
        """The rows of each text, one text after the other, and where each begins, and the end of the last."""
        lengths = np.repeat(documents.lengths, documents.lengths)
        within = np.arange(len(lengths)) - np.repeat(documents.starts[:-1], documents.lengths)
        places = np.repeat(documents.starts[:-1] * self.order, documents.lengths) + within
        found = np.empty(len(lengths) * self.order, np.int32)
        for n, rows in enumerate(self.rows(documents)):  # of each text its words, then its pairs, …
            found[places + n * lengths] = rows
        kept = found != NO_ROW
        return found[kept], np.concatenate([[0], np.cumsum(kept)])[documents.starts * self.order]

    @property
    def _bits(self) -> int:
        return max(0, len(self.buckets).bit_length() - 1)


def _numbered(has: NDArray[np.bool_], first: int) -> Rows:
    """A row for each that has one, counted from `first`."""
    return np.where(has, np.cumsum(has) - 1 + first, NO_ROW).astype(np.int32)


def _bucket(keys: NDArray[np.uint64], bits: int) -> NDArray[np.int64]:
    return (keys >> np.uint64(64 - bits)).view(np.int64)
