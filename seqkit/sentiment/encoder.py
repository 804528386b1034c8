"""Texts to documents: tokens of plain text are found in NumPy, all other forms are cut once and remembered.

>>> cutter = Cutter()
>>> vocabulary = vocabulary_of(cutter, ["good film", "good fun"], also=["superb"])
>>> vocabulary.words
('<pad>', '<unk>', 'good', 'film', 'fun', 'superb')
>>> documents = TextEncoder(cutter, vocabulary).encode(["Superb fun!", "", "good"])
>>> documents.ids.tolist(), documents.starts.tolist()
([5, 4, 1, 2], [0, 3, 3, 4])
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from threading import Lock
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seqkit.sentiment.cutting import Cutter
from seqkit.sentiment.documents import SPECIALS, UNKNOWN_ID, Documents
from seqkit.sentiment.lines import Lines, decoded, encoded
from seqkit.sentiment.plain_text import token_spans
from seqkit.text.forms import LINE_END, FormTable, Growing, Integers, TokenLists, prepared, ranges, spans
from seqkit.text.vocabulary import Vocabulary

BLOCK_CHARACTERS = 1 << 20
"""Aimed size of what is cut at once; its numbers then stay in the cache."""

MAX_FORMS, MAX_FORM_BYTES = 1 << 20, 1 << 26
"""Above these, what is known of forms is forgotten, so that memory stays flat over any number of texts."""


class TextEncoder:
    """Makes documents of texts; threads may share one.

    Args:
        cutter: what cuts the texts.
        vocabulary: what has the ids, `SPECIALS` first; tokens outside it are `UNKNOWN_ID`.
    """

    def __init__(self, cutter: Cutter, vocabulary: Vocabulary) -> None:
        self.cutter, self.vocabulary = cutter, vocabulary
        self._numbers, self._lock = _TokenNumbers(cutter, _Known(vocabulary)), Lock()

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
    seen = _Seen()
    coder = _TokenNumbers(cutter, seen)
    counts = Growing(np.zeros(1, np.int64))
    for block in _blocks(texts):
        numbers, _ = coder.of(block)
        counts.append(np.zeros(1 + len(seen.tokens) - len(counts), np.int64))
        counts.values[:] += np.bincount(numbers, minlength=len(counts))
    of_words = dict(zip(seen.tokens, counts.values[1:].tolist(), strict=True))
    found = Vocabulary.from_counts(of_words, specials=SPECIALS)
    more = [word for word in dict.fromkeys(also) if word not in found]
    return Vocabulary((*found.words, *more), np.concatenate([found.counts, np.zeros(len(more), np.int64)]))


def _blocks(texts: Iterable[str]) -> Iterator[Lines]:
    """The texts in blocks of about `BLOCK_CHARACTERS`."""
    if isinstance(texts, Lines):
        yield from texts.blocks(BLOCK_CHARACTERS)
        return
    block, size = [], 0
    for text in texts:
        block.append(text)
        size += len(text)
        if size >= BLOCK_CHARACTERS:
            yield Lines.of(block)
            block, size = [], 0
    if block:
        yield Lines.of(block)


class _Numbering(Protocol):
    """Gives tokens numbers, and the end of a line `LINE_END`: that of `PAD`, which no document holds."""

    def of(self, text: bytes, starts: Integers, lengths: Integers) -> NDArray[np.int32]:
        """The numbers of the tokens that lie there in prepared text, in their order."""


class _Known:
    """The ids of a vocabulary; all other tokens are unknown."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._table = FormTable()
        words = vocabulary.words
        ids = [id_ for id_, word in enumerate(words) if word.split() == [word] and "\0" not in word]
        spelt = encoded(" ".join([words[id_] for id_ in ids]))
        numbers, _ = self._table.numbers(spelt)
        self._ids = np.full(len(self._table) + 1, UNKNOWN_ID, np.int32)  # the last is that of number -1
        self._ids[numbers] = ids
        self._ids[LINE_END] = LINE_END

    def of(self, text: bytes, starts: Integers, lengths: Integers) -> NDArray[np.int32]:
        return np.take(self._ids, self._table.find(text, starts, lengths))


class _Seen:
    """Numbers from 1 in order of arrival.

    Attributes:
        tokens: by number, from 1.
    """

    def __init__(self) -> None:
        self._table, self.tokens = FormTable(), list[str]()

    def of(self, text: bytes, starts: Integers, lengths: Integers) -> NDArray[np.int32]:
        numbers, new = self._table.add(text, starts, lengths)
        self.tokens += [decoded(token) for token in new]
        return numbers


class _TokenNumbers:
    """The numbers of the tokens of texts; those of forms that are not plain are remembered.

    Args:
        cutter: what cuts.
        numbering: of tokens.
    """

    def __init__(self, cutter: Cutter, numbering: _Numbering) -> None:
        self._cutter, self._numbering = cutter, numbering
        self._forget()

    def _forget(self) -> None:
        self._table, self._lists, self._form_bytes = FormTable(), TokenLists([]), 0

    def of(self, texts: Lines) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The numbers of all tokens, and how many each text has, (texts,)."""
        text = prepared(self._cutter.lines(texts).replace(b"\0", b" "))
        cased = text.lower() if self._cutter.lowercase else text
        starts, lengths, others = token_spans(text)
        forms = self._forms(text, starts[others], lengths[others])
        of_forms, of_each = self._lists.take(forms)
        lengths[others] = 0
        found = self._numbering.of(cased, starts, lengths)
        found[others] = UNKNOWN_ID  # any but `LINE_END`, until those of the forms take its place
        of_lines = np.flatnonzero(found == LINE_END)
        counts = np.ones(len(found), np.int64)
        counts[of_lines], counts[others] = 0, of_each
        numbers, ends = np.repeat(found, counts), np.cumsum(counts)
        firsts: Integers = ends[others] - of_each
        numbers[ranges(firsts, counts[others])] = of_forms
        return numbers, np.diff(ends[of_lines], prepend=0)

    def _forms(self, text: bytes, starts: Integers, lengths: Integers) -> NDArray[np.int32]:
        """The numbers of forms; those that were not known are taken in."""
        if len(self._table) > MAX_FORMS or self._form_bytes > MAX_FORM_BYTES:
            self._forget()
        forms, new = self._table.add(text, starts, lengths)
        if new:
            lines = b"\n".join([*new, b""])
            self._form_bytes += len(lines)
            tokens = prepared(encoded(" ".join(self._cutter.cut(decoded(lines)))))
            self._lists.append(self._numbering.of(tokens, *spans(tokens)))
        return forms
