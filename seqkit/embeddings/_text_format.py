"""Vectors as lines `word number …`, below a line `rows numbers` (word2vec, fastText) or not (GloVe)."""

from __future__ import annotations

import io
import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from seqkit.embeddings._table import (
    MAX_VECTOR_SIZE,
    Matrix,
    Table,
    TableBuilder,
    check_words,
    open_table,
)
from seqkit.errors import FormatError
from seqkit.storage import HashedFile, atomic_file

MAX_LINE_BYTES = 1 << 22
_BLOCK_NUMBERS = 1 << 18
_LINE_END = b" \r\n"  # word2vec.c and fastText leave a space at the end of each line

# ASCII white space ends a word or a line for one reader or another, the rest ends a line for some.
_FORBIDDEN = re.compile("[\x00-\x20\x7f\x85\u2028\u2029\ud800-\udfff]")
_RULE = "in a text file a word has no white space and no control characters"
_HEADER = re.compile(rb"(\d{1,18}) (\d{1,18})\s*")


def read_headed(path: Path, builder: TableBuilder) -> None:
    """Reads word2vec text or fastText `.vec`.

    Args:
        path: the file.
        builder: receives the rows.

    Raises:
        FormatError: see `seqkit.embeddings.formats.read_table`.
    """
    with open_table(path) as source:
        header = _HEADER.fullmatch(source.stream.readline(MAX_LINE_BYTES))
        if header is None:
            raise FormatError("the first line must be `rows numbers`, two whole numbers", path=path, line=1)
        rows, vector_size = int(header[1]), int(header[2])
        check_header(path, source.size, rows, vector_size, row_bytes=2 * vector_size + 2)
        lines = numbered_lines(source.stream, path, first=2, strip=_LINE_END)
        surplus = _add_rows(lines, builder, vector_size, limit=rows)
    if surplus < 0:
        reason = f"the file ends {-surplus:,} rows early: the first line promises {rows:,}"
        builder.bad(reason, rows=-surplus)


def check_header(path: Path, size: int | None, rows: int, vector_size: int, *, row_bytes: int) -> None:
    """Compares what a first line promises with what the file can hold, before anything is allocated.

    Args:
        path: the file.
        size: its bytes, where they are known.
        rows: rows promised.
        vector_size: numbers per row promised.
        row_bytes: the least that such a row takes.

    Raises:
        FormatError: no rows, no numbers, more numbers than 65,536, or more than the file has bytes for.
    """
    promise = f"the first line promises {rows:,} rows of {vector_size:,} numbers"
    if not 1 <= vector_size <= MAX_VECTOR_SIZE or rows < 1:
        reason = f"{promise}; a row has 1 to {MAX_VECTOR_SIZE:,} numbers"
        raise FormatError(reason, path=path, line=1)
    # The last line may do without its line end.
    if size is not None and rows * row_bytes - 1 > size:
        raise FormatError(f"{promise}, the file has only {size:,} bytes", path=path, line=1)


def read_headless(path: Path, builder: TableBuilder) -> None:
    """Reads GloVe text.

    Args:
        path: the file.
        builder: receives the rows.

    Raises:
        FormatError: see `seqkit.embeddings.formats.read_table`.
    """
    with open_table(path) as source:
        lines = numbered_lines(source.stream, path, strip=_LINE_END)
        first = next(lines, None)
        if first is None:
            return
        vector_size = len(first[1].split(b" ")) - 1
        if not 1 <= vector_size <= MAX_VECTOR_SIZE:
            reason = f"a word and {vector_size:,} numbers; 1 to {MAX_VECTOR_SIZE:,} are possible"
            raise FormatError(reason, path=path, line=1)
        _add_rows(chain([first], lines), builder, vector_size)


def numbered_lines(
    stream: io.BufferedReader[Any], path: Path, *, first: int = 1, strip: bytes = b"\r\n"
) -> Iterator[tuple[int, bytes]]:
    """Lines without their ends, with their numbers.

    Args:
        stream: at the beginning of a line.
        path: the file, for the message.
        first: that line's number.
        strip: bytes taken off the end of each line.

    Raises:
        FormatError: a line of more than 4 MB: how much memory is spent is not for the file to say.
    """
    number = first
    while line := stream.readline(MAX_LINE_BYTES):
        if len(line) == MAX_LINE_BYTES and line[-1:] != b"\n":
            raise FormatError(f"a line of more than {MAX_LINE_BYTES:,} bytes", path=path, line=number)
        yield number, line.rstrip(strip)
        number += 1


def _add_rows(
    lines: Iterator[tuple[int, bytes]], builder: TableBuilder, vector_size: int, limit: int | None = None
) -> int:
    """Adds all rows.

    Returns:
        Rows found minus `limit`; 0 without a limit.
    """
    block: list[tuple[int, bytes]] = []
    block_rows = max(1, _BLOCK_NUMBERS // vector_size)
    found = 0
    for number, line in lines:
        if not line.strip():
            builder.bad("a blank line", line=number)
            continue
        found += 1
        if limit is not None and found > limit:
            builder.bad(f"one row more than the {limit:,} that the first line promises", line=number)
            continue
        block.append((number, line))
        if len(block) == block_rows:
            _add_block(block, builder, vector_size)
            block = []
    if block:
        _add_block(block, builder, vector_size)
    return 0 if limit is None else found - limit


def _add_block(block: list[tuple[int, bytes]], builder: TableBuilder, vector_size: int) -> None:
    rows = [line.partition(b" ") for _, line in block]
    numbers = [number for number, _ in block]
    words = _words_in_order([word for word, _, _ in rows])
    values = None if words is None else parse_block([rest for _, _, rest in rows], vector_size, " ")
    if words is None or values is None:
        words, values, numbers = _parse_one_by_one(block, builder, vector_size)
    builder.add(words, values, lambda index: {"line": numbers[index]})


def _words_in_order(words: list[bytes]) -> list[str] | None:
    """The words, if there is nothing wrong with any of them."""
    try:
        decoded = b"\n".join(words).decode().split("\n")
    except UnicodeDecodeError:
        return None
    return None if "" in decoded or _FORBIDDEN.search("".join(decoded)) else decoded


def parse_block(lines: list[bytes], vector_size: int, delimiter: str) -> Matrix | None:
    """Rows of numbers, by NumPy's C parser.

    Args:
        lines: the rows.
        vector_size: numbers in each.
        delimiter: what stands between them.

    Returns:
        (len(lines), vector_size), not checked for infinities; None where any row is not in order.
    """
    if not all(lines):  # NumPy would leave them out
        return None
    try:
        values = np.loadtxt(lines, np.float32, delimiter=delimiter, comments=None, ndmin=2, encoding="ascii")
    except ValueError:
        return None
    return values if values.shape == (len(lines), vector_size) else None


def _parse_one_by_one(
    block: list[tuple[int, bytes]], builder: TableBuilder, vector_size: int
) -> tuple[list[str], Matrix, list[int]]:
    """The rows that are in order, each other one reported with its line."""
    words, values, numbers = [], [], []
    for number, line in block:
        try:
            word, row = parse_row(line, vector_size)
        except ValueError as error:
            builder.bad(str(error), line=number)
            continue
        words.append(word)
        values.append(row)
        numbers.append(number)
    return words, np.array(values, np.float32).reshape(len(words), vector_size), numbers


def parse_row(line: bytes, vector_size: int) -> tuple[str, Matrix]:
    """One row, without its line end.

    Raises:
        ValueError: says what is wrong with it.
    """
    fields = line.split(b" ")
    if len(fields) != vector_size + 1:
        hint = "numbers are parted by spaces, not TABs" if b"\t" in line else "a word must not hold spaces"
        raise ValueError(f"{len(fields) - 1:,} numbers instead of {vector_size:,} ({hint})")
    try:
        word = fields[0].decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"the word {fields[0]!r} is not UTF-8") from error
    if not word or _FORBIDDEN.search(word):
        raise ValueError(f"the word {word!r}: {_RULE}")
    return word, parse_numbers(fields[1:])


def parse_numbers(fields: list[bytes]) -> Matrix:
    """Numbers as text, to 32 bits.

    Raises:
        ValueError: names the first field that is not a number.
    """
    values = []
    for field in fields:
        try:
            if b"_" in field:  # Python's own grouping of digits: float(b"1_000") is 1000
                raise ValueError
            values.append(float(field))
        except ValueError:
            raise ValueError(f"{field[:40].decode(errors='replace')!r} is not a number") from None
    with np.errstate(over="ignore"):  # an overflow becomes an infinity, which is refused as such
        return np.array(values).astype(np.float32)


def write_headed(path: Path, table: Table) -> None:
    """Writes word2vec text, which is fastText's `.vec` too.

    Args:
        path: the file.
        table: the rows.

    Raises:
        FormatError: a word that the format cannot hold.
    """
    _check(path, table)
    with atomic_file(path) as file:
        rows, vector_size = table.matrix.shape
        file.write(f"{rows} {vector_size}\n".encode())
        _write_rows(file, table)


def write_headless(path: Path, table: Table) -> None:
    """Writes GloVe text.

    Args:
        path: the file.
        table: the rows.

    Raises:
        FormatError: a word that the format cannot hold.
    """
    _check(path, table)
    if table.words[0].encode().startswith(BOM_UTF8):
        reason = (
            f"the first word, {table.words[0]!r}, would be taken for a byte order mark; nothing was written"
        )
        raise FormatError(reason, path=path)
    with atomic_file(path) as file:
        _write_rows(file, table)


def _check(path: Path, table: Table) -> None:
    check_words(path, table.words, _FORBIDDEN, _RULE)


def _write_rows(file: HashedFile, table: Table) -> None:
    step = max(1, _BLOCK_NUMBERS // table.matrix.shape[1])
    for start in range(0, len(table.words), step):
        words = table.words[start : start + step]
        lines = format_rows(table.matrix[start : start + step], " ")
        file.write("".join([f"{word} {line}\n" for word, line in zip(words, lines, strict=True)]).encode())


def format_rows(matrix: Matrix, separator: str) -> list[str]:
    """Rows as text; nine significant digits bring every float32 back to the bit."""
    pattern = separator.join(["%.9g"] * matrix.shape[1])
    return [pattern % tuple(row) for row in matrix.tolist()]
