"""What all formats of vectors share: opening, checking rows as they are added, words that can be written."""

from __future__ import annotations

import io
import os
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from seqkit.errors import CorpusError, FormatError, MissingInputError
from seqkit.storage import storage_errors
from seqkit.text.compression import MAGIC_BYTES, Readable, compression_of, decompressed

OnBad = Literal["error", "skip"]
Matrix = npt.NDArray[np.float32]

MAX_VECTOR_SIZE = 1 << 16


@dataclass(frozen=True)
class Table:
    """Words and their vectors, as files hold them.

    Args:
        words: distinct, not empty.
        matrix: (vocabulary, vector_size) float32, all finite.
        counts: how often each word was seen, int64; None where that is not known.
        skipped: bad rows that were left out.
        first_skipped: where and why the first of them was.
    """

    words: Sequence[str]
    matrix: Matrix
    counts: npt.NDArray[np.int64] | None = None
    skipped: int = 0
    first_skipped: str | None = None


class TableBuilder:
    """Collects rows, refusing or counting the bad ones; the matrix grows with what was really read.

    Args:
        path: the file, for messages.
        on_bad: "error" or "skip".
    """

    def __init__(self, path: Path, on_bad: OnBad) -> None:
        self.path = path
        self._on_bad = on_bad
        self._words: dict[str, None] = {}
        self._matrix: Matrix = np.empty((0, 0), np.float32)
        self._skipped = 0
        self._first_skipped: str | None = None
        self._counts: list[int] = []

    def bad(self, reason: str, *, line: int | None = None, byte: int | None = None, rows: int = 1) -> None:
        """Reports a bad row.

        Args:
            reason: what is wrong with it.
            line: its line.
            byte: its offset, in binary files.
            rows: how many rows it stands for.

        Raises:
            FormatError: unless bad rows are skipped.
        """
        error = FormatError(reason, path=self.path, line=line, byte=byte)
        if self._on_bad == "error":
            raise error
        self._skipped += rows
        self._first_skipped = self._first_skipped or str(error)

    def add(
        self,
        words: list[str],
        values: Matrix,
        where: Callable[[int], dict[str, int]],
        counts: Sequence[int] = (),
    ) -> None:
        """Adds a block of rows.

        Args:
            words: their words, checked for everything but being new.
            values: (len(words), vector_size), not yet checked.
            where: gives line= or byte= of the row with that index in the block.
            counts: how often each word was seen, in files that say so.
        """
        finite = np.array(np.isfinite(values).all(axis=1))
        before = len(self._words)
        if finite.all():
            self._words.update(dict.fromkeys(words))
            if len(self._words) == before + len(words):
                self._append(before, values)
                self._counts.extend(counts)
                return
            self._words = dict.fromkeys(list(self._words)[:before])
        kept = []
        for index, word in enumerate(words):
            if word in self._words:
                self.bad(f"the word {word!r} was there before", **where(index))
            elif not finite[index]:
                self.bad(f"the vector of {word!r} has NaN, an infinity or a number too large", **where(index))
            else:
                self._words[word] = None
                kept.append(index)
        self._append(before, values[kept])
        self._counts.extend(counts[index] for index in kept if counts)

    def _append(self, before: int, values: Matrix) -> None:
        if not self._matrix.size:
            self._matrix = np.empty((max(1024, len(values)), values.shape[1]), np.float32)
        while len(self._matrix) < before + len(values):
            # realloc, which moves pages instead of bytes; the array is ours alone
            self._matrix.resize((2 * len(self._matrix), self._matrix.shape[1]), refcheck=False)
        self._matrix[before : before + len(values)] = values

    def finish(self) -> Table:
        """The table.

        Raises:
            FormatError: there is no good row in the file.
        """
        rows = len(self._words)
        if not rows:
            hint = f" ({self._skipped:,} bad ones; the first: {self._first_skipped})" if self._skipped else ""
            raise FormatError(f"no vectors in the file{hint}", path=self.path)
        self._matrix.resize((rows, self._matrix.shape[1]), refcheck=False)
        counts = np.array(self._counts, np.int64) if self._counts else None
        return Table(list(self._words), self._matrix, counts, self._skipped, self._first_skipped)


class _Unpacked(io.RawIOBase):
    """What has only `read`, as a raw stream that can be buffered."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


@dataclass(frozen=True)
class Source:
    """A file of vectors being read.

    Args:
        stream: its plain bytes.
        size: how many there are, where the file is not compressed and that can be known.
    """

    stream: io.BufferedReader[_Unpacked]
    size: int | None


@contextmanager
def open_table(path: Path) -> Iterator[Source]:
    """Opens a file of vectors, unpacking it where its content is compressed.

    Args:
        path: the file.

    Raises:
        FormatError: the compressed data is damaged, or the file begins with a byte order mark.
        MissingInputError: there is no such file.
        StorageError: the system refused.
    """
    if path.is_dir():
        raise FormatError("is a directory; a file of vectors is needed here", path=path)
    if not path.exists():
        raise MissingInputError(f"{path}: no such file")
    try:
        with storage_errors(path, "read"), open(path, "rb") as file:
            kind = compression_of(file.peek(MAGIC_BYTES)[:MAGIC_BYTES], str(path))
            size = None if kind else os.fstat(file.fileno()).st_size
            unpacked = decompressed(file, kind, str(path)) if kind else file
            stream = io.BufferedReader(_Unpacked(unpacked), 1 << 18)
            if stream.peek(3)[:3] == BOM_UTF8:
                raise FormatError("begins with a byte order mark; remove it", path=path, line=1)
            yield Source(stream, size)
    except CorpusError as error:
        raise FormatError(error.reason, path=path) from error


def first_not_finite(matrix: Matrix) -> int | None:
    """The first row with a NaN or an infinity; looked for in pieces, so that a mapped matrix may be large.

    Args:
        matrix: (rows, vector_size).
    """
    step = max(1, (1 << 22) // matrix.shape[1])
    for start in range(0, len(matrix), step):
        finite = np.array(np.isfinite(matrix[start : start + step]).all(axis=1))
        if not finite.all():
            return start + int(np.argmin(finite))
    return None


def check_words(path: Path, words: Sequence[str], forbidden: re.Pattern[str], rule: str) -> None:
    """Refuses to write a word that could not be read back.

    Args:
        path: the file to be written, for the message.
        words: all words.
        forbidden: finds what the format cannot hold.
        rule: says what that is.

    Raises:
        FormatError: names the first such word.
    """
    for word in words:
        if not word or forbidden.search(word):
            raise FormatError(f"the word {word!r} cannot be written: {rule}; nothing was written", path=path)
