"""Exact look-up of byte strings by the million in NumPy: forms between white space to numbers.

A form of up to 16 bytes, padded with zeros, is two 64-bit integers (text has no NUL, so that is unambiguous).
They are looked up in a table with open addressing, a whole block at a time: its cache misses overlap, where
those of a dictionary come one after the other. Longer forms, one in a thousand, are in a dictionary.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

LINE_END = 0
r"""The number of "\n"; forms are numbered from 1."""

_SHORT = 16
_OTHER_SPACES = (b"\t", b"\x0b", b"\x0c", b"\r")  # with " " and "\n" what bytes.split takes for white space
_MASKS = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)  # keep the first n bytes
_SEVEN_BYTES = _MASKS[7]
_ONE, _REST = np.uint64(1), np.uint64(63)

Integers = NDArray[np.int64]
Keys = NDArray[np.uint64]
Scalar = TypeVar("Scalar", bound=np.generic)
Index = TypeVar("Index", np.int32, np.int64)


class Growing(Generic[Scalar]):
    """An array to which values are appended in amortised constant time.

    Args:
        first: what it holds at first; its type is that of the array.
    """

    def __init__(self, first: NDArray[Scalar]) -> None:
        self._space, self._length = first, len(first)

    def __len__(self) -> int:
        return self._length

    @property
    def values(self) -> NDArray[Scalar]:
        """What was appended so far."""
        return self._space[: self._length]

    def append(self, values: NDArray[Any]) -> None:
        """Adds values at the end."""
        end = self._length + len(values)
        if end > len(self._space):
            self._space = np.concatenate([self.values, np.empty(end, self._space.dtype)])
        self._space[self._length : end] = values
        self._length = end


class TokenLists:
    """The tokens of forms, in numbers: lists of any length, by the number of the form.

    Args:
        of_line_end: the list of `LINE_END`.
    """

    def __init__(self, of_line_end: Sequence[int]) -> None:
        self._codes = Growing(np.array(of_line_end, np.int32))  # of all forms, one after another
        self._starts = Growing(np.zeros(1, np.int32))  # of each form in there
        self._lengths = Growing(np.array([len(of_line_end)], np.int32))

    def append(self, codes: NDArray[np.int32]) -> None:
        """Adds the lists of the next forms, `LINE_END` after each."""
        ends = np.flatnonzero(codes == LINE_END)
        lengths = np.diff(ends, prepend=-1) - 1
        # The marks fall out: each form begins at its place less the marks before it.
        self._starts.append(len(self._codes) + ends - lengths - np.arange(len(ends)))
        self._lengths.append(lengths)
        self._codes.append(codes[codes != LINE_END])

    def take(self, forms: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The tokens of some forms, one form after the other, and how many each has, (forms,)."""
        lengths = np.take(self._lengths.values, forms)
        where = np.take(self._starts.values, forms)
        if not (lengths == 1).all():
            where = ranges(where, lengths)
        return np.take(self._codes.values, where), lengths


class FormTable:
    """Numbers forms in order of arrival, block by block."""

    def __init__(self) -> None:
        # Secret, so that no text can be written whose forms collide. Results do not depend on them.
        self._multipliers = np.frombuffer(os.urandom(24), np.uint64) | np.uint64(1)
        self._low, self._high = Growing(np.zeros(1, np.uint64)), Growing(np.zeros(1, np.uint64))  # by number
        self._long: dict[bytes, int] = {}
        self._bits = 12
        self._slots = np.zeros(1 << self._bits, np.int32)  # hash → number; 0: free

    def __len__(self) -> int:
        return len(self._low)

    def numbers(self, data: bytes) -> tuple[NDArray[np.int32], list[bytes]]:
        r"""The forms of a block.

        Args:
            data: text without NUL, its lines ended by "\n".

        Returns:
            The number of each form and `LINE_END` for each "\n", in their order; and the forms that got their
            numbers only now, by number.
        """
        text = prepared(data)
        return self.add(text, *spans(text))

    def add(self, text: bytes, starts: Integers, lengths: Integers) -> tuple[NDArray[np.int32], list[bytes]]:
        """As `numbers`, of any pieces of prepared text without a space; an empty one is a `LINE_END`."""
        low, high = _keys(text, starts, lengths)
        numbers, missing = self._look_up(low, high)
        long = np.flatnonzero(lengths > _SHORT)
        missing = missing[lengths[missing] <= _SHORT]
        new = []
        if len(missing):
            firsts, numbers[missing] = self._add(low[missing], high[missing])
            new = _cut(text, starts, lengths, missing[firsts])
        if len(long):
            numbers[long] = self._look_up_long(_cut(text, starts, lengths, long), new)
        return numbers, new

    def find(self, text: bytes, starts: Integers, lengths: Integers) -> NDArray[np.int32]:
        """The number of each of these pieces of prepared text, or -1; none is added."""
        numbers, missing = self._look_up(*_keys(text, starts, lengths))
        numbers[missing] = -1
        long = np.flatnonzero(lengths > _SHORT)
        if len(long):
            numbers[long] = [self._long.get(form, -1) for form in _cut(text, starts, lengths, long)]
        return numbers

    def _look_up(self, low: Keys, high: Keys) -> tuple[NDArray[np.int32], Integers]:
        """The number of each key, and the positions of those that have none."""
        places = self._hash(low, high)
        numbers = np.take(self._slots, places)
        is_end = low == 0
        numbers[is_end] = LINE_END
        unsure = np.flatnonzero(self._differ(numbers, low, high) & ~is_end)
        places = np.take(places, unsure)
        missing = [unsure[:0]]
        while len(unsure):
            taken = np.take(numbers, unsure) != 0
            missing.append(unsure[~taken])
            unsure, places = unsure[taken], (places[taken] + 1) & (len(self._slots) - 1)
            tried = np.take(self._slots, places)
            numbers[unsure] = tried
            rest = self._differ(tried, np.take(low, unsure), np.take(high, unsure))
            unsure, places = unsure[rest], places[rest]
        return numbers, np.concatenate(missing)

    def _differ(self, numbers: NDArray[np.int32], low: Keys, high: Keys) -> NDArray[np.bool_]:
        """Whether the form of each number has another key."""
        differ: NDArray[np.bool_] = np.take(self._low.values, numbers) != low
        long = np.flatnonzero(low > _SEVEN_BYTES)  # a shorter form has no second eight bytes
        differ[long] |= np.take(self._high.values, numbers[long]) != high[long]
        return differ

    def _add(self, low: Keys, high: Keys) -> tuple[Integers, Integers]:
        """Numbers keys that are not in the table, some of them equal to each other.

        Returns:
            For each new number the position of one key that has it, and the number of each key.
        """
        order = np.lexsort((high, low))
        is_first = np.ones(len(order), bool)
        is_first[1:] = (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)
        numbers = np.empty(len(order), np.int64)
        numbers[order] = len(self) + np.cumsum(is_first) - 1
        firsts = order[is_first]
        new = np.arange(len(self), len(self) + len(firsts))
        self._low.append(low[firsts])
        self._high.append(high[firsts])
        self._place(new)
        return firsts, numbers

    def _look_up_long(self, forms: list[bytes], new: list[bytes]) -> list[int]:
        """The numbers of long forms; those not seen before are appended to `new`."""
        known = len(new)
        for form in forms:
            if form not in self._long:
                self._long[form] = len(self) + len(new) - known
                new.append(form)
        # They keep their numbers free with a key that no short form has, since none begins with NUL.
        keys = np.zeros(len(new) - known, np.uint64)
        self._low.append(keys)
        self._high.append(keys)
        return [self._long[form] for form in forms]

    def _hash(self, low: Keys, high: Keys) -> Integers:
        first, second, third = self._multipliers
        mixed: Keys = ((low * first) ^ (high * second)) * third
        return (mixed >> np.uint64(64 - self._bits)).view(np.int64)

    def _place(self, numbers: Integers) -> None:
        """Enters numbers with their keys; all anew into a larger table when half of it would be taken."""
        if 2 * len(self) > len(self._slots):
            self._bits = (4 * len(self)).bit_length()
            self._slots = np.zeros(1 << self._bits, np.int32)
            numbers = np.flatnonzero(self._low.values)
        places = self._hash(self._low.values[numbers], self._high.values[numbers])
        while len(numbers):
            # Of several for a place the first gets it, for frequent forms mostly come first.
            free = np.flatnonzero(self._slots[places] == 0)[::-1]
            self._slots[places[free]] = numbers[free]
            rest = self._slots[places] != numbers
            numbers, places = numbers[rest], (places[rest] + 1) & (len(self._slots) - 1)


def prepared(data: bytes) -> bytes:
    """The text between spaces, a NUL for each line end, then zeros: to whole 64-bit integers and two more."""
    for space in _OTHER_SPACES:
        if space in data:
            data = data.replace(space, b" ")
    data = data.replace(b"\n", b" \0 ")
    return b"".join([b" ", data, b" ", bytes(16 + -(len(data) + 2) % 8)])


def spans(text: bytes) -> tuple[Integers, Integers]:
    """Start and length of each form in prepared text."""
    is_space = np.frombuffer(text, np.uint8) == ord(" ")
    edges = np.flatnonzero(is_space[1:] != is_space[:-1]) + 1  # the last is the start of the final zeros
    starts = np.ascontiguousarray(edges[:-1:2])
    return starts, edges[1::2] - starts


def _keys(text: bytes, starts: Integers, lengths: Integers) -> tuple[Keys, Keys]:
    """The first and the second eight bytes of each form, zero after its end."""
    words = np.frombuffer(text, "<u8")
    low = _eight_bytes(words, starts) & np.take(_MASKS, np.minimum(lengths, 8))
    high = np.zeros_like(low)
    longer = np.flatnonzero(lengths > 8)
    masks = np.take(_MASKS, np.minimum(lengths[longer] - 8, 8))
    high[longer] = _eight_bytes(words, starts[longer] + 8) & masks
    return low, high


def _eight_bytes(words: Keys, starts: Integers) -> Keys:
    """Eight bytes from any position, out of the two aligned integers that hold them."""
    shift = ((starts & 7) << 3).astype(np.uint64)
    index = starts >> 3
    # A shift by 64 is undefined, hence by 1 and by the rest.
    return (np.take(words, index) >> shift) | (np.take(words, index + 1) << _ONE) << (_REST - shift)


def _cut(text: bytes, starts: Integers, lengths: Integers, chosen: Integers) -> list[bytes]:
    """Some of the forms; none has a space."""
    sizes = lengths[chosen] + 1
    found = np.take(np.frombuffer(text, np.uint8), ranges(starts[chosen], sizes))
    found[np.cumsum(sizes) - 1] = ord(" ")
    return found.tobytes().split()


def ranges(starts: NDArray[Index], lengths: NDArray[Index]) -> NDArray[Index]:
    """The integers from each start on, as many as its length, one range after the other."""
    ends = np.cumsum(lengths, dtype=lengths.dtype)
    found = np.repeat(starts - (ends - lengths), lengths)
    found += np.arange(len(found), dtype=found.dtype)
    return found
