"""Texts to documents: each form between white space is cut and looked up once, however often it stands.

>>> cutter = Cutter()
>>> vocabulary = vocabulary_of(cutter, ["good film", "good fun"], also=["superb"])
>>> vocabulary.words
('<pad>', '<unk>', 'good', 'film', 'fun', 'superb')
>>> documents = TextEncoder(cutter, vocabulary).encode(["Superb fun!", "", "good"])
>>> documents.ids.tolist(), documents.starts.tolist()
([5, 4, 1, 2], [0, 3, 3, 4])
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from seqkit.sentiment.cutting import Cutter
from seqkit.sentiment.documents import SPECIALS, UNKNOWN_ID, Documents
from seqkit.text.forms import LINE_END, FormTable, Growing
from seqkit.text.vocabulary import Vocabulary

BLOCK_CHARACTERS = 1 << 20
"""Aimed size of what is cut at once; its numbers then stay in the cache."""

MAX_FORMS, MAX_FORM_BYTES = 1 << 20, 1 << 26
"""Above these, what is known of forms is forgotten, so that memory stays flat over any number of texts."""

_END = 0
r"""The number of "\n", the end of a form; that of `PAD`, which no document holds."""


class TextEncoder:
    """Makes documents of texts; threads may share one.

    Args:
        cutter: what cuts the texts.
        vocabulary: what has the ids, `SPECIALS` first; tokens outside it are `UNKNOWN_ID`.
    """

    def __init__(self, cutter: Cutter, vocabulary: Vocabulary) -> None:
        self.cutter, self.vocabulary = cutter, vocabulary
        self._numbers, self._lock = _TokenNumbers(cutter, _Ids(vocabulary)), Lock()

    def encode(self, texts: Sequence[str]) -> Documents:
        """The documents, in the order of the texts."""
        with self._lock:
            blocks = [self._numbers.of(block) for block in _blocks(texts)]
        ids = [np.zeros(0, np.int32), *(ids for ids, _ in blocks)]
        lengths = [np.zeros(1, np.int64), *(lengths for _, lengths in blocks)]
        return Documents(texts, np.concatenate(ids), np.cumsum(np.concatenate(lengths)))


def vocabulary_of(cutter: Cutter, texts: Iterable[str], also: Iterable[str] = ()) -> Vocabulary:
    """The words of texts: `SPECIALS`, then by falling count, ties by code point.

    Args:
        cutter: what cuts the texts.
        texts: those that are learned, and no others.
        also: words that are there, too, such as those of pretrained vectors; those that no text has come
            last, in their own order, with the count 0.
    """
    seen: defaultdict[str, int] = defaultdict(lambda: len(seen), {"\n": _END})
    coder = _TokenNumbers(cutter, seen)
    counts = Growing(np.zeros(1, np.int64))
    for block in _blocks(texts):
        numbers, _ = coder.of(block)
        counts.append(np.zeros(len(seen) - len(counts), np.int64))
        counts.values[:] += np.bincount(numbers, minlength=len(seen))
    del seen["\n"]
    of_words = dict(zip(seen, counts.values[1:].tolist(), strict=True))
    found = Vocabulary.from_counts(of_words, specials=SPECIALS)
    more = [word for word in dict.fromkeys(also) if word not in found]
    return Vocabulary((*found.words, *more), np.concatenate([found.counts, np.zeros(len(more), np.int64)]))


def _blocks(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts in blocks of about `BLOCK_CHARACTERS`."""
    block, size = [], 0
    for text in texts:
        block.append(text)
        size += len(text)
        if size >= BLOCK_CHARACTERS:
            yield block
            block, size = [], 0
    if block:
        yield block


class _Ids(dict[str, int]):
    """The id of each token of a vocabulary; all others are unknown."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__(zip(vocabulary.words, range(len(vocabulary)), strict=True))
        self["\n"] = _END

    def __missing__(self, token: str) -> int:
        return UNKNOWN_ID


class _TokenNumbers:
    """The numbers of the tokens of texts, remembered by form.

    As in `seqkit.text.coding`: text is cut at ASCII white space, which no token holds, into forms; those not
    seen before are cut into tokens.

    Args:
        cutter: what cuts.
        numbers: of tokens, and of "\n" `_END`.
    """

    def __init__(self, cutter: Cutter, numbers: Mapping[str, int]) -> None:
        self._cutter, self._number = cutter, numbers.__getitem__
        self._forget()

    def _forget(self) -> None:
        self._table, self._form_bytes = FormTable(), 0
        self._numbers = Growing(np.zeros(0, np.int32))  # of the tokens of all forms, one form after another
        self._starts = Growing(np.zeros(1, np.int32))  # of each form in there
        self._lengths = Growing(np.zeros(1, np.int32))  # in tokens; the end of a text, `LINE_END`, has none

    def of(self, texts: list[str]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The numbers of all tokens, and how many each text has, (texts,)."""
        if len(self._table) > MAX_FORMS or self._form_bytes > MAX_FORM_BYTES:
            self._forget()
        lines = self._cutter.lines(texts).replace("\0", " ")
        forms, new = self._table.numbers(lines.encode(errors="replace"))
        if new:
            self._learn(new)
        lengths = np.take(self._lengths.values, forms)
        ends = np.cumsum(lengths, dtype=np.int32)
        # Token t of the block, of the form f that begins at b in it, is at starts[f] + (t - b).
        where = np.repeat(np.take(self._starts.values, forms) - (ends - lengths), lengths)
        where += np.arange(len(where), dtype=np.int32)
        of_texts = np.diff(ends[forms == LINE_END], prepend=np.int32(0))
        return np.take(self._numbers.values, where), of_texts.astype(np.int64)

    def _learn(self, forms: list[bytes]) -> None:
        """Takes in forms, which follow those known."""
        plain = np.fromiter(map(bytes.isascii, forms), np.bool_, len(forms))
        tokens: list[str] = []
        for kind in (True, False):  # what is not ASCII is cut more slowly
            lines = b"\n".join([*compress(forms, plain == kind), b""])
            tokens += self._cutter.cut(lines.decode())
            self._form_bytes += len(lines)
        numbers = np.fromiter(map(self._number, tokens), np.int32, len(tokens))
        ends = np.flatnonzero(numbers == _END)  # they stay among the numbers, between those of the forms
        starts = np.append(0, ends[:-1] + 1)
        order = np.argsort(np.argsort(~plain, kind="stable"))
        self._starts.append(len(self._numbers) + starts[order])
        self._lengths.append((ends - starts)[order])
        self._numbers.append(numbers)
