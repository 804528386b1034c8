r"""Texts as lines of UTF-8: how they are cut, and how they are sent to other processes.

>>> lines = Lines.of(["one\ntwo", ""])
>>> lines.data, len(lines), lines[0]
(b'one two\n\n', 2, 'one two')
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import overload

import numpy as np


def encoded(text: str) -> bytes:
    """Any text in UTF-8, lone surrogates included."""
    return text.encode("utf-8", "surrogatepass")


def decoded(data: bytes) -> str:
    """What `encoded` encoded."""
    return data.decode("utf-8", "surrogatepass")


class Lines(Sequence[str]):
    r"""Texts of one line each, decoded only when one is asked for.

    Args:
        data: of `encoded`, "\n" after each text.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data

    @classmethod
    def of(cls, texts: Sequence[str]) -> Lines:
        """The texts, a space for each line end in them: to every model that is white space."""
        if isinstance(texts, Lines):
            return texts
        # One by one: joined, texts in ASCII would be copied as wide as the widest character of any.
        data = b"\n".join([*map(encoded, texts), b""])
        if data.count(b"\n") > len(texts):
            data = b"\n".join([*[encoded(text.replace("\n", " ")) for text in texts], b""])
        return cls(data)

    def __len__(self) -> int:
        return self.data.count(b"\n")

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        return self._texts[index]

    def blocks(self, size: int) -> Iterator[Lines]:
        """Whole lines, of `size` bytes or more, but for the last."""
        first = 0
        while first < len(self.data):
            last = self.data.find(b"\n", first + size - 1) + 1 or len(self.data)
            yield Lines(self.data[first:last])
            first = last

    def batches(self, most: int) -> Iterator[Lines]:
        """So many texts at a time, the last ones those that are left."""
        ends = np.flatnonzero(np.frombuffer(self.data, np.uint8) == ord("\n")) + 1
        first = 0
        for last in np.append(ends[most - 1 : -1 : most], ends[-1:]).tolist():
            yield Lines(self.data[first:last])
            first = last

    @cached_property
    def _texts(self) -> list[str]:
        return decoded(self.data).split("\n")[:-1]
