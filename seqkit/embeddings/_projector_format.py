"""The TensorBoard projector's pair of files: vectors as tab-separated numbers, and their words beside them.

A single column of words has no header line, several columns have one (https://projector.tensorflow.org).
`tensorboard --logdir` finds the pair through `projector_config.pbtxt` beside it, a protocol buffer in text
format (tensorboard/plugins/projector/projector_config.proto).
"""

from __future__ import annotations

import os
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from pathlib import Path

import numpy as np

from seqkit.embeddings._table import (
    MAX_VECTOR_SIZE,
    Matrix,
    Table,
    TableBuilder,
    check_words,
    open_table,
)
from seqkit.embeddings._text_format import format_rows, numbered_lines, parse_block, parse_numbers
from seqkit.errors import FormatError, MissingInputError, UsageError
from seqkit.storage import atomic_file, storage_errors

_BLOCK_NUMBERS = 1 << 18
_MAX_CONFIG_BYTES = 1 << 20
# Whatever any reader may take for the end of a cell or of a line.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")
_RULE = "in the projector's metadata a word has no tab, no line end and no control characters"


def metadata_path(path: Path) -> Path:
    """Where the words of a file of vectors are: `vectors` or `tensor` in its name becomes `metadata`.

    Args:
        path: the file of vectors; "wiki.tsv", with neither in its name, goes with "wiki_metadata.tsv".
    """
    for name in ("vectors", "tensors", "tensor"):
        if name in path.name:
            return path.with_name("metadata".join(path.name.rsplit(name, 1)))
    stem, dot, ending = path.name.partition(".")
    return path.with_name(f"{stem}_metadata{dot}{ending}")


def read_projector(path: Path, builder: TableBuilder) -> None:
    """Reads a file of vectors and the metadata beside it.

    Args:
        path: the file of vectors.
        builder: receives the rows, and the counts where there is a column of that name.

    Raises:
        FormatError: see `seqkit.embeddings.formats.read_table`.
        MissingInputError: one of the two files is not there.
    """
    metadata = metadata_path(path)
    if path.exists() and not metadata.exists():
        raise MissingInputError(f"{metadata}: no such file; it should hold the words of {path.name}")
    with open_table(path) as vectors, open_table(metadata) as words:
        labels = _Labels(metadata, numbered_lines(words.stream, metadata))
        rows: Iterator[_Row] = zip_longest(numbered_lines(vectors.stream, path), labels)
        first = next(rows, None)
        if first is None:
            return
        vector_size = len(first[0][1].split(b"\t")) if first[0] else 0
        if vector_size > MAX_VECTOR_SIZE:
            raise FormatError(
                f"{vector_size:,} numbers in a row, at most {MAX_VECTOR_SIZE:,} are possible",
                path=path,
                line=1,
            )
        block_rows = max(1, _BLOCK_NUMBERS // max(1, vector_size))
        rows = chain([first], rows)
        while block := list(islice(rows, block_rows)):
            _add_block(block, builder, vector_size)


@dataclass(frozen=True)
class _Label:
    """A row of the metadata; `wrong` says why it cannot be used."""

    word: str
    count: int | None
    wrong: str | None = None


_Row = tuple[tuple[int, bytes] | None, _Label | None]
"""A numbered line of the vectors and the label of the same row; None where that file has ended."""


class _Labels:
    """Reads the rows of the metadata, below their header line where there is one."""

    def __init__(self, path: Path, lines: Iterator[tuple[int, bytes]]) -> None:
        first = next(lines, None)
        self._path, self._word, self._count, self._columns = path, 0, -1, 1
        if first is not None and b"\t" in first[1]:
            names = [name.decode(errors="replace").lower() for name in first[1].split(b"\t")]
            self._columns = len(names)
            self._word = next((names.index(name) for name in ("word", "label", "name") if name in names), 0)
            self._count = names.index("count") if "count" in names else -1
        elif first is not None:
            lines = chain([first], lines)
        self._lines = lines

    def __iter__(self) -> Iterator[_Label]:
        for number, line in self._lines:
            try:
                yield self._parse(line)
            except ValueError as error:
                yield _Label("", None, f"{self._path.name}, line {number}: {error}")

    def _parse(self, line: bytes) -> _Label:
        cells = line.split(b"\t")
        if len(cells) != self._columns:
            raise ValueError(f"{len(cells)} columns instead of {self._columns}")
        try:
            word = cells[self._word].decode()
        except UnicodeDecodeError:
            raise ValueError(f"the word {cells[self._word][:80]!r} is not UTF-8") from None
        if not word or _FORBIDDEN.search(word):
            raise ValueError(f"the word {word[:80]!r}: {_RULE}")
        if self._count < 0:
            return _Label(word, None)
        if not re.fullmatch(rb"\d{1,18}", cells[self._count]):
            raise ValueError(
                f"the count {cells[self._count][:40].decode(errors='replace')!r} is not a whole number"
            )
        return _Label(word, int(cells[self._count]))


def _add_block(block: list[_Row], builder: TableBuilder, vector_size: int) -> None:
    rows = _parse_block(block, vector_size)
    if rows is not None:
        builder.add(*rows)
        return
    words, values, numbers, counts = [], [], [], []
    for line, label in block:
        try:
            row, word, count = _parse_row(line, label, vector_size)
        except ValueError as error:
            builder.bad(str(error), line=line[0] if line else None)
            continue
        words.append(word)
        values.append(row)
        numbers.append(line[0] if line else 0)
        if count is not None:
            counts.append(count)
    matrix = np.array(values, np.float32).reshape(len(words), vector_size)
    builder.add(words, matrix, lambda index: {"line": numbers[index]}, counts)


def _parse_block(
    block: list[_Row], vector_size: int
) -> tuple[list[str], Matrix, Callable[[int], dict[str, int]], list[int]] | None:
    """All rows at once; None where any of them is not in order."""
    words, lines, counts, numbers = [], [], [], []
    for line, label in block:
        if line is None or label is None or label.wrong is not None:
            return None
        words.append(label.word)
        lines.append(line[1])
        numbers.append(line[0])
        if label.count is not None:
            counts.append(label.count)
    values = parse_block(lines, vector_size, "\t")
    return None if values is None else (words, values, lambda index: {"line": numbers[index]}, counts)


def _parse_row(
    line: tuple[int, bytes] | None, label: _Label | None, vector_size: int
) -> tuple[Matrix, str, int | None]:
    if label is None:
        raise ValueError("no word for this vector: the metadata have fewer rows")
    if line is None:
        raise ValueError(f"no vector for the word {label.word!r}: the metadata have more rows")
    if label.wrong is not None:
        raise ValueError(label.wrong)
    fields = line[1].split(b"\t")
    if len(fields) != vector_size:
        raise ValueError(f"{len(fields):,} numbers instead of {vector_size:,}")
    return parse_numbers(fields), label.word, label.count


def write_projector(path: Path, table: Table) -> None:
    """Writes a file of vectors and the metadata beside it, with a column of counts where they are known.

    TensorBoard's configuration of the folder gets an entry for the pair; what else it holds stays.

    Args:
        path: the file of vectors.
        table: the rows.

    Raises:
        FormatError: a word that the format cannot hold; TensorBoard's configuration is too long.
        UsageError: the file has the name of that configuration.
        StorageError: the system refused.
    """
    check_words(path, table.words, _FORBIDDEN, _RULE)
    if table.words[0].encode().startswith(BOM_UTF8) and table.counts is None:
        reason = (
            f"the first word, {table.words[0]!r}, would be taken for a byte order mark; nothing was written"
        )
        raise FormatError(reason, path=path)
    _known_entries(path)  # refused before anything is written
    # Both are whole before either takes its place: words beside the vectors of others would be believed.
    with atomic_file(metadata_path(path)) as labels, atomic_file(path) as file:
        if table.counts is None:
            labels.write("".join([f"{word}\n" for word in table.words]).encode())
        else:
            labels.write(b"word\tcount\n")
            rows = zip(table.words, table.counts.tolist(), strict=True)
            labels.write("".join([f"{word}\t{count}\n" for word, count in rows]).encode())
        step = max(1, _BLOCK_NUMBERS // table.matrix.shape[1])
        for start in range(0, len(table.words), step):
            lines = format_rows(table.matrix[start : start + step], "\t")
            file.write(("\n".join(lines) + "\n").encode())
        labels.sync()
    _list_in_config(path)


def config_path(path: Path) -> Path:
    """Where TensorBoard looks for the names of the files that belong to a file of vectors."""
    return path.with_name("projector_config.pbtxt")


def _known_entries(path: Path) -> bytes:
    """TensorBoard's configuration of the folder that a file is to be written to."""
    place = config_path(path)
    if path.name == place.name:
        raise UsageError(f"{place}: is the name of TensorBoard's list of such files; choose another")
    if not place.exists():
        return b""
    with storage_errors(place, "read"), open(place, "rb") as file:
        known = file.read(_MAX_CONFIG_BYTES + 1)
    if len(known) > _MAX_CONFIG_BYTES:
        raise FormatError(f"more than {_MAX_CONFIG_BYTES:,} bytes; remove it", path=place)
    return known


def _list_in_config(path: Path) -> None:
    known = _known_entries(path)
    tensor, metadata = _quoted(path.name), _quoted(metadata_path(path).name)
    # TensorBoard itself gives a name to the first entry only.
    entry = (
        f"embeddings {{\n  tensor_name: {tensor}\n  tensor_path: {tensor}\n  metadata_path: {metadata}\n}}\n"
    ).encode()
    if entry in known:
        return
    if known and not known.endswith(b"\n"):
        known += b"\n"
    with atomic_file(config_path(path)) as file:
        file.write(known + entry)  # a repeated field may go on anywhere


def _quoted(text: str) -> str:
    """A string of the text format: bytes that are not plain ASCII as octal escapes."""
    plain = set(range(32, 127)) - set(b'"\\')
    return '"' + "".join(chr(b) if b in plain else f"\\{b:03o}" for b in os.fsencode(text)) + '"'
