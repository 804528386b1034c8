"""word2vec's binary files: a line `rows numbers`, then rows of a word, a space and little-endian float32."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np

from seqkit.embeddings._table import Table, TableBuilder, check_words, open_table
from seqkit.embeddings._text_format import check_header
from seqkit.errors import FormatError
from seqkit.storage import atomic_file

_CHUNK_BYTES = 1 << 22
_MAX_WORD_BYTES = 1 << 12
_HEADER = re.compile(rb"(\d{1,18}) (\d{1,18})\s*")
_FORBIDDEN = re.compile("[\x00\n \ud800-\udfff]")
_RULE = "in a binary file a word has no space, no line end and no NUL"


def read_binary(path: Path, builder: TableBuilder) -> None:
    """Reads word2vec binary, with or without the line end after each row.

    Args:
        path: the file.
        builder: receives the rows.

    Raises:
        FormatError: see `seqkit.embeddings.formats.read_table`. A row whose word has no end is an error even
            where bad rows are skipped: nothing says where the next one begins.
    """
    with open_table(path) as source:
        line = source.stream.readline(64)
        header = _HEADER.fullmatch(line)
        if header is None:
            raise FormatError("the first line must be `rows numbers`, two whole numbers", path=path, line=1)
        rows, vector_size = int(header[1]), int(header[2])
        check_header(path, source.size, rows, vector_size, row_bytes=4 * vector_size + 2)
        _RowReader(source.stream, builder, vector_size, len(line)).read(rows)


class _RowReader:
    """Takes rows off a stream, a chunk at a time."""

    def __init__(
        self, stream: io.BufferedReader[Any], builder: TableBuilder, vector_size: int, offset: int
    ) -> None:
        self._stream, self._builder = stream, builder
        self._vector_bytes = 4 * vector_size
        self._chunk_bytes = max(_CHUNK_BYTES, 2 * (self._vector_bytes + _MAX_WORD_BYTES))
        self._offset = offset  # of the buffer's first byte in the file
        self._buffer = b""

    def read(self, rows: int) -> None:
        found = 0
        while self._fill():
            found += self._add_block(rows - found)
            if found == rows:
                break
            if len(self._buffer) < self._chunk_bytes and not self._stream.peek(1):
                break
        if found < rows:
            self._builder.bad(
                f"the file ends in row {found + 1:,} of the {rows:,} that the first line promises",
                byte=self._offset + len(self._buffer),
                rows=rows - found,
            )
        elif (self._buffer + self._stream.read(2)) not in (b"", b"\n"):
            reason = f"more bytes follow after the {rows:,} rows that the first line promises"
            self._builder.bad(reason, byte=self._offset)

    def _fill(self) -> bool:
        piece = self._stream.read(self._chunk_bytes)
        self._buffer += piece
        return bool(piece)

    def _add_block(self, limit: int) -> int:
        """Adds the buffer's whole rows, at most `limit`; returns how many there were, bad ones included."""
        data, start, found = self._buffer, 0, 0
        words: list[str] = []
        vectors: list[bytes] = []
        offsets: list[int] = []
        while found < limit:
            begin = start + 1 if data[start : start + 1] == b"\n" else start
            space = data.find(b" ", begin, begin + _MAX_WORD_BYTES + 1)
            if space < 0 and len(data) - begin > _MAX_WORD_BYTES:
                reason = (
                    f"a word of more than {_MAX_WORD_BYTES:,} bytes: the file is not what its first line says"
                )
                raise FormatError(reason, path=self._builder.path, byte=self._offset + start)
            end = space + 1 + self._vector_bytes
            if space < 0 or end > len(data):
                break
            word = self._word(data[begin:space], self._offset + begin)
            if word is not None:
                words.append(word)
                vectors.append(data[space + 1 : end])
                offsets.append(self._offset + begin)
            found += 1
            start = end
        values = np.frombuffer(b"".join(vectors), "<f4").reshape(len(words), self._vector_bytes // 4)
        self._builder.add(words, values, lambda index: {"byte": offsets[index]})
        self._buffer = data[start:]
        self._offset += start
        return found

    def _word(self, data: bytes, offset: int) -> str | None:
        try:
            word = data.decode()
        except UnicodeDecodeError:
            self._builder.bad(f"the word {data[:80]!r} is not UTF-8", byte=offset)
            return None
        if not word or _FORBIDDEN.search(word):
            self._builder.bad(f"the word {word[:80]!r}: {_RULE}", byte=offset)
            return None
        return word


def write_binary(path: Path, table: Table) -> None:
    """Writes word2vec binary, with a line end after each row as word2vec.c does.

    Args:
        path: the file.
        table: the rows.

    Raises:
        FormatError: a word that the format cannot hold.
    """
    check_words(path, table.words, _FORBIDDEN, _RULE)
    too_long = next((word for word in table.words if len(word.encode()) > _MAX_WORD_BYTES), None)
    if too_long is not None:
        raise FormatError(f"the word {too_long[:40]!r}… has more than {_MAX_WORD_BYTES:,} bytes", path=path)
    rows, vector_size = table.matrix.shape
    step = max(1, _CHUNK_BYTES // (4 * vector_size))
    with atomic_file(path) as file:
        file.write(f"{rows} {vector_size}\n".encode())
        for start in range(0, rows, step):
            data = table.matrix[start : start + step].astype("<f4").tobytes()
            words = table.words[start : start + step]
            pieces = [
                word.encode() + b" " + data[index * 4 * vector_size : (index + 1) * 4 * vector_size] + b"\n"
                for index, word in enumerate(words)
            ]
            file.write(b"".join(pieces))
