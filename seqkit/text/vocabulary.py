r"""The vocabulary: which words there are, how often each occurs, and which id each has.

>>> vocabulary = Vocabulary.from_counts({"king": 2, "a": 5, "queen": 2, "rare": 1}, min_count=2)
>>> vocabulary.words
('a', 'king', 'queen')
>>> vocabulary["king"], vocabulary.word(2), "rare" in vocabulary
(1, 'queen', False)
>>> vocabulary.suggest("quen")
['queen']
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import BundleError, DataError, FormatError, Place, UnknownWordError, UsageError
from seqkit.storage import Bundle
from seqkit.text.spelling import nearest

VOCABULARY = "vocabulary.tsv"
"""The member of a bundle that has it."""

MAX_COUNT = 10**18 - 1
"""The greatest count that `to_tsv` writes and `from_tsv` reads."""

# json.dumps leaves these as they are; escaped, a row is one line in every editor and any str can be written.
_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")

# Rows of JSON, in which a TAB and a line end stand nowhere but where they belong. Only sets of characters are
# possessive: before Python 3.11.4 a possessive group may match what it should not.
_PLAIN = r'[^"\\\x00-\x1f]*+'
_ROWS = re.compile(
    rf'(?:"{_PLAIN}(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{{4}}){_PLAIN})*"\t(?:0|[1-9][0-9]{{0,17}})\n)*'
)


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Words with dense ids from 0: specials first, then by falling count, ties by code point.

    Args:
        words: the words; the position is the id.
        counts: occurrences in the training text, int64, shape (vocabulary,).

    Raises:
        DataError: words and counts differ in length, a word is no text or stands twice, a count is no whole
            number from 0 to `MAX_COUNT`.
    """

    words: tuple[str, ...]
    counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.counts.shape != (len(self.words),):
            raise DataError(f"{len(self.words)} words with counts of shape {self.counts.shape}")
        if not all(issubclass(kind, str) for kind in set(map(type, self.words))):
            wrong = next(word for word in self.words if not isinstance(word, str))
            raise DataError(f"a word must be a str, not {wrong!r:.80}; str() makes one of a number")
        if self.counts.size and not (self.counts.min() >= 0 and self.counts.max() <= MAX_COUNT):
            raise DataError(f"counts must be from 0 to {MAX_COUNT:,}")
        frozen = self.counts.view()
        frozen.flags.writeable = False
        object.__setattr__(self, "counts", frozen)

    @classmethod
    def from_counts(
        cls,
        counts: Mapping[str, int],
        *,
        min_count: int = 1,
        max_size: int | None = None,
        specials: Sequence[str] = (),
        keep: Collection[str] = (),
    ) -> Vocabulary:
        """Orders counted words and drops the rare ones.

        Args:
            counts: occurrences of each word.
            min_count: words that occur less often are left out.
            max_size: at most this many words are kept, the most frequent; specials are not counted.
            specials: words that get the first ids whatever their count, such as `<pad>`.
            keep: words that neither bound leaves out, even where they are not counted.

        Raises:
            UsageError: a bound below 1, or a special named twice.
        """
        if min_count < 1 or (max_size is not None and max_size < 1):
            raise UsageError(f"min_count {min_count} and max_size {max_size} must be at least 1")
        if len(set(specials)) != len(specials):
            raise UsageError(f"a special stands twice in {list(specials)}")
        special = set(specials)
        kept = _by_count(
            [w for w, count in counts.items() if count >= min_count and w not in special], counts
        )
        kept = kept[:max_size]
        if keep:
            kept = _by_count({*kept, *keep} - special, counts)
        words = (*specials, *kept)
        return cls(words, np.fromiter((counts.get(word, 0) for word in words), np.int64, len(words)))

    def __len__(self) -> int:
        return len(self.words)

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self._ids

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocabulary):
            return NotImplemented
        return self.words == other.words and np.array_equal(self.counts, other.counts)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Vocabulary({len(self):,} words, {int(self.counts.sum()):,} tokens)"

    def __getitem__(self, word: str) -> int:
        """The word's id.

        Raises:
            UnknownWordError: it is not here; the error has the nearest spellings that are.
        """
        found = self._ids.get(word)
        if found is None:
            raise UnknownWordError(word, self.suggest(word))
        return found

    def get(self, word: str) -> int | None:
        """The word's id, or None."""
        return self._ids.get(word)

    def word(self, index: int) -> str:
        """The word with that id.

        Raises:
            UsageError: there is no such id.
        """
        if not 0 <= index < len(self.words):
            raise UsageError(f"id {index} is outside 0 to {len(self.words) - 1}")
        return self.words[index]

    def suggest(self, word: str) -> list[str]:
        """The at most three words of nearest spelling, best first; more frequent ones first among equals."""
        return nearest(word, self.words, 3)

    @cached_property
    def _ids(self) -> dict[str, int]:
        ids = dict(zip(self.words, range(len(self.words)), strict=True))
        if len(ids) != len(self.words):
            twice = next(word for index, word in enumerate(self.words) if ids[word] != index)
            raise DataError(f"{twice!r} stands twice in the vocabulary")
        return ids

    def to_tsv(self) -> str:
        r"""The text of `vocabulary.tsv`: by id, the word as a JSON string, a TAB, its count, "\n"."""
        if not self.words:
            return ""
        # One call for all words; a line end inside a word is escaped, so each stays on its line.
        tokens = json.dumps(self.words, ensure_ascii=False, separators=("\n", ":"))[1:-1].split("\n")
        rows = [f"{token}\t{count}\n" for token, count in zip(tokens, self.counts.tolist(), strict=True)]
        return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", "".join(rows))

    @classmethod
    def from_tsv(cls, text: str, path: Place | None = None) -> Vocabulary:
        """The vocabulary that `to_tsv` wrote.

        Args:
            text: the whole text.
            path: what errors call it.

        Raises:
            FormatError: a row that is not a JSON string, a TAB and a count; a word that stands twice.
        """
        if _ROWS.fullmatch(text):
            fields = json.loads("[" + text[:-1].replace("\t", ",").replace("\n", ",") + "]")
        else:
            fields = _parsed_by_row(text, path)
        vocabulary = cls(tuple(fields[::2]), np.array(fields[1::2], np.int64))
        try:
            _ = vocabulary._ids
        except DataError as error:
            raise FormatError(str(error), path=path) from None
        return vocabulary

    @classmethod
    def from_bundle(cls, bundle: Bundle) -> Vocabulary:
        """The vocabulary of an open bundle.

        Args:
            bundle: of a kind that has the member `VOCABULARY`.

        Raises:
            BundleError: the member is damaged.
        """
        text = bundle.text(VOCABULARY)
        try:
            return cls.from_tsv(text)
        except DataError as error:
            raise BundleError(bundle.path, str(error), member=VOCABULARY) from error


def _by_count(words: Collection[str], counts: Mapping[str, int]) -> list[str]:
    """Words by falling count, ties by code point."""
    ordered = sorted(words)
    frequency = np.fromiter((counts.get(word, 0) for word in ordered), np.int64, len(ordered))
    return [ordered[i] for i in np.argsort(-frequency, kind="stable").tolist()]


def _parsed_by_row(text: str, path: Place | None) -> list[Any]:
    """The words, a count behind each, or the first fault; five times as slow as all rows at once."""
    *rows, end = text.split("\n")
    if end:
        raise FormatError("the last row is cut short", path=path, line=len(rows) + 1)
    fields: list[Any] = []
    for line, row in enumerate(rows, 1):
        token, _, count = row.partition("\t")
        if not (count.isascii() and count.isdigit() and len(count) < 19):
            raise FormatError(f"expected a word, a TAB and a count, not {row[:80]!r}", path=path, line=line)
        try:
            word = json.loads(token)
        except ValueError:
            word = None
        if not isinstance(word, str):
            raise FormatError(f"expected a word as a JSON string, not {token[:80]!r}", path=path, line=line)
        fields += [word, int(count)]
    return fields
