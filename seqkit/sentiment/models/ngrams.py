"""Word n-grams: a 64-bit key for each, and a table that finds keys by hashing.

The key of an n-gram is made of the key of its first n - 1 words and the id of the last, by steps that can be
undone: n-grams that differ in the last word alone never have the same key, and any two of N others with a
probability of about N² / 2⁶⁵, one in a million for five million n-grams.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from seqkit._settings import check_numbers
from seqkit.errors import DataError
from seqkit.sentiment.documents import Documents
from seqkit.text.forms import ranges

EMPTY = 0
"""What a slot without an n-gram holds; no n-gram that `ngram_keys` gives has it."""

MAX_ORDER = 5
MAX_PROBES = 64

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / the golden ratio, odd: Knuth, TAOCP 3, 6.4
_HALF = np.uint64(32)
_END = np.uint64(1) << _HALF  # above all ids
_TOKENS_AT_ONCE = 200_000  # what a step works on stays in the cache


def ngram_keys(ids: NDArray[np.int32], order: int) -> Iterator[NDArray[np.uint64]]:
    """The keys of the n-grams at each place, for n from 1 to `order`.

    key(w_1 … w_n) = (f(key(w_1 … w_{n-1})) + id(w_n) + 1) · 0x9E3779B97F4A7C15 mod 2⁶⁴, with
    f(k) = k xor (k >> 32), and 0 for no word.

    Args:
        ids: of tokens, (tokens,), not negative.
        order: the longest n-grams.

    Yields:
        (tokens - n + 1,); at i stands the n-gram that begins at token i.
    """
    words = ids.astype(np.uint64) + np.uint64(1)
    keys = words * _MULTIPLIER
    yield keys
    for n in range(2, order + 1):
        keys = _followed(keys[:-1], words[n - 1 :])
        yield keys


def ending_keys(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The keys of n-grams where they stand at the end of a text: those of a word more, which no text has."""
    return _followed(keys, _END)


def _followed(keys: NDArray[np.uint64], words: NDArray[np.uint64] | np.uint64) -> NDArray[np.uint64]:
    """The keys of n-grams with a word more; words are ids + 1."""
    return ((keys ^ (keys >> _HALF)) + words) * _MULTIPLIER


@dataclass(frozen=True, eq=False)
class Ngrams:
    """Where n-grams stand.

    Args:
        keys: uint64, (n-grams,).
        texts: the text each stands in, (n-grams,).
        places: its first token, counted over all texts, (n-grams,).
        n: how many words they have.
    """

    keys: NDArray[np.uint64]
    texts: NDArray[np.int64]
    places: NDArray[np.int64]
    n: int


def ngrams_of(documents: Documents, order: int) -> Iterator[Ngrams]:
    """All n-grams of 1 to `order` words that lie within a text, one n after the other."""
    texts = np.repeat(np.arange(len(documents)), documents.lengths)
    for n, keys in enumerate(ngram_keys(documents.ids, order), 1):
        whole = np.flatnonzero(texts[n - 1 :] == texts[: len(texts) - n + 1])
        yield Ngrams(keys[whole], texts[whole], whole, n)


def leading_out(documents: Documents, n: int) -> NDArray[np.int64]:
    """The tokens at which n words begin that are not all of one text, of the tokens that n - 1 follow."""
    places = (documents.starts[1:, None] - np.arange(1, n)).ravel()
    return places[(places >= 0) & (places <= len(documents.ids) - n)]


def in_endings(documents: Documents, length: int) -> NDArray[np.int64]:
    """The tokens that are among the last `length` of their text."""
    first = np.maximum(documents.starts[1:] - length, documents.starts[:-1])
    return ranges(first, documents.starts[1:] - first)


def parts(documents: Documents, tokens: int = _TOKENS_AT_ONCE) -> Iterator[Documents]:
    """The documents without their texts, some at a time, in order, of about `tokens` tokens or one text."""
    first = 0
    while first < len(documents):
        last = int(np.searchsorted(documents.starts, documents.starts[first] + tokens, "right")) - 1
        last = min(max(last, first + 1), len(documents))
        starts = documents.starts[first : last + 1]
        ids = documents.ids[starts[0] : starts[-1]]
        yield Documents((), ids, starts - starts[0])
        first = last


@dataclass(frozen=True, eq=False)
class NgramTable:
    """A set of keys, each with a slot: open addressing, linear probing.

    A key begins to be looked for at the slot that its highest bits name.

    Args:
        slots: the key in each, or `EMPTY`; int64 with the bits of a uint64, (slots,), a power of two.

    Raises:
        DataError: the number of slots is no power of two.
    """

    slots: NDArray[np.int64]

    def __post_init__(self) -> None:
        check_numbers(self)
        size = self.slots.size
        if self.slots.shape != (size,) or self.slots.dtype != np.int64 or size < 2 or size & (size - 1):
            raise DataError(f"a table of n-grams has a power of two of slots, not {self.slots.shape}")

    @classmethod
    def of(cls, keys: NDArray[np.uint64]) -> NgramTable:
        """The table of distinct keys, half full at most."""
        size = 1 << max(1, int(2 * len(keys) - 1).bit_length())
        while True:
            slots = np.zeros(size, np.uint64)
            if _insert(slots, keys):
                return cls(slots.view(np.int64))
            size *= 2

    @cached_property
    def keys(self) -> NDArray[np.uint64]:
        """What the slots hold."""
        return np.asarray(self.slots).view(np.uint64)

    def find(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """The slot of each key, or -1 where the table lacks it."""
        table, last = self.keys, self.slots.size - 1
        slots = _first_slots(keys, table.size)
        held = np.take(table, slots)
        hit = held == keys
        found = np.where(hit, slots, -1)
        waiting = np.flatnonzero(~hit & (held != EMPTY))
        slots, keys = np.take(slots, waiting), np.take(keys, waiting)
        for _ in range(MAX_PROBES):
            if not len(waiting):
                break
            slots = (slots + 1) & last
            held = np.take(table, slots)
            hit = held == keys
            found[waiting[hit]] = slots[hit]
            more = np.flatnonzero(~hit & (held != EMPTY))
            waiting, slots, keys = waiting[more], slots[more], keys[more]
        return found


def _first_slots(keys: NDArray[np.uint64], size: int) -> NDArray[np.int64]:
    shift = np.uint64(64 - (size.bit_length() - 1))
    return (keys >> shift).view(np.int64)


def _insert(table: NDArray[np.uint64], keys: NDArray[np.uint64]) -> bool:
    """Puts distinct keys into a table; False where one would lie farther than `MAX_PROBES` from its place."""
    waiting, slots = keys, _first_slots(keys, table.size)
    for _ in range(MAX_PROBES):
        if not len(waiting):
            return True
        free = table[slots] == EMPTY
        table[slots[free]] = waiting[free]  # of several that want a slot the last gets it
        left = table[slots] != waiting
        waiting, slots = waiting[left], (slots[left] + 1) & (table.size - 1)
    return not len(waiting)
