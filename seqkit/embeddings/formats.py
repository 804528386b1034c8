"""Files of word vectors that other tools read and write; docs/formats.md describes each.

One place that knows them all: which format a file is in, and which reader and writer belong to it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seqkit.embeddings._binary_format import read_binary, write_binary
from seqkit.embeddings._projector_format import config_path, metadata_path, read_projector, write_projector
from seqkit.embeddings._table import OnBad, Table, TableBuilder, first_not_finite, open_table
from seqkit.embeddings._text_format import read_headed, read_headless, write_headed, write_headless
from seqkit.errors import FormatError, Place, UsageError

__all__ = [
    "FORMATS",
    "Format",
    "OnBad",
    "Table",
    "detect_format",
    "format_of_name",
    "read_table",
    "write_table",
]


@dataclass(frozen=True)
class Format:
    """A file format.

    Args:
        read: fills a builder from the file at a path.
        write: writes a table to a path, each file atomically.
        extensions: endings of file names that mean this format.
    """

    read: Callable[[Path, TableBuilder], None]
    write: Callable[[Path, Table], None]
    extensions: tuple[str, ...]


FORMATS: dict[str, Format] = {
    "word2vec": Format(read_headed, write_headed, (".txt", ".w2v", ".word2vec")),
    "word2vec-binary": Format(read_binary, write_binary, (".bin",)),
    "glove": Format(read_headless, write_headless, (".glove",)),
    "fasttext": Format(read_headed, write_headed, (".vec",)),
    "projector": Format(read_projector, write_projector, (".tsv",)),
}
"""Every format by the name that commands and functions take."""

_HEADER = re.compile(rb"\d+ \d+\s*")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_SAMPLE_BYTES = 1 << 16
_FASTTEXT = (793712314).to_bytes(4, "little")  # src/fasttext.cc, FASTTEXT_FILEFORMAT_MAGIC_INT32


def format_of_name(path: Place) -> str:
    """The format that the ending of a file name stands for.

    Args:
        path: a file name; "wiki.glove.txt" counts as GloVe.

    Returns:
        A key of `FORMATS`.

    Raises:
        UsageError: an ending that stands for none.
    """
    name = Path(path).name.lower()
    if ".glove" in name or name.startswith("glove."):
        return "glove"
    for key, known in FORMATS.items():
        if name.endswith(known.extensions):
            return key
    if name.endswith((".gz", ".bz2", ".xz", ".zst")):
        raise UsageError(
            f"{os.fspath(path)}: vectors are written uncompressed; leave off {Path(name).suffix}"
        )
    endings = ", ".join(f"{known.extensions[0]} ({key})" for key, known in FORMATS.items())
    raise UsageError(f"{os.fspath(path)}: the name does not say which format; name it, or end in {endings}")


def detect_format(path: Place) -> str:
    """The format of a file, by its content.

    Args:
        path: a file, compressed or not.

    Returns:
        A key of `FORMATS`; "word2vec" for fastText's `.vec` too, which is the same format.

    Raises:
        FormatError: an empty file, or a binary one that is not word2vec's.
        MissingInputError: there is no such file.
        StorageError: the system refused.
    """
    with open_table(Path(path)) as source:
        sample = source.stream.read(_SAMPLE_BYTES)
    if not sample:
        raise FormatError("the file is empty", path=path)
    first, _, rest = sample.partition(b"\n")
    cut = len(sample) == _SAMPLE_BYTES
    if _HEADER.fullmatch(first):
        return _detect_below_header(int(first.split()[1]), rest, cut)
    if _is_binary(sample, cut) and not _is_row(first):  # a bad word further on does not make rows binary
        raise FormatError(_why_not(sample), path=path)
    fields_of_first = first.rstrip(b"\r").split(b"\t")
    if b" " not in first and all(_is_number(field) for field in fields_of_first):
        return "projector"
    return "glove"


def _detect_below_header(vector_size: int, rest: bytes, cut: bool) -> str:
    lines = [line.split() for line in rest.split(b"\n")]
    if len(lines[0]) == vector_size + 1 and all(map(_is_number, lines[0][1:])):
        return "word2vec"
    if _is_binary(rest, cut):
        return "word2vec-binary"
    # "7 3" over "8 4" and so on: GloVe vectors of one number, whose first word is a number.
    return "glove" if len(lines) > 1 and all(len(line) == 2 for line in lines[:-1]) else "word2vec"


def _is_binary(sample: bytes, cut: bool) -> bool:
    """Whether bytes are no text; a sample that was cut may end within a character."""
    if _CONTROL.search(sample):
        return True
    try:
        sample.decode()
    except UnicodeDecodeError as error:
        return not (cut and error.start >= len(sample) - 8)
    return False


def _is_row(line: bytes) -> bool:
    """Whether a line looks like a word and numbers, whatever the encoding of the word."""
    numbers = line.split()[1:4]
    return len(numbers) > 1 and all(map(_is_number, numbers))


def _why_not(sample: bytes) -> str:
    """What a binary file seems to be, and how its vectors can be had."""
    if re.match(rb"\x80[\x02-\x05]", sample):
        return (
            "a pickle, as gensim's save() writes it, which can run code and is not read; "
            "load it there and write it by save_word2vec_format()"
        )
    if sample.startswith(_FASTTEXT):
        return "a model of fastText; its vectors are in the .vec file that was written beside it"
    return (
        "binary, but without word2vec's first line `rows numbers`; "
        "write it as word2vec text or binary (gensim: save_word2vec_format())"
    )


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def read_table(path: Place, *, format: str | None = None, on_bad: OnBad = "error") -> Table:
    """Reads a file of vectors strictly.

    Args:
        path: the file; `.gz`, `.bz2`, `.xz` and `.zst` are unpacked on the way.
        format: a key of `FORMATS`; None to tell by the content.
        on_bad: "error" stops at the first bad row; "skip" leaves bad rows out and counts them.

    Returns:
        The words and their vectors, and how many rows were skipped.

    Raises:
        FormatError: the first bad row, with its line (in binary files its byte); a file in another format.
        MissingInputError: there is no such file.
        StorageError: the system refused.
        UsageError: an unknown format.
    """
    if on_bad not in ("error", "skip"):
        raise UsageError(f"on_bad is 'error' or 'skip', not {on_bad!r}")
    place = Path(path)
    chosen = FORMATS[_known(format)] if format is not None else FORMATS[detect_format(place)]
    builder = TableBuilder(place, on_bad)
    chosen.read(place, builder)
    return builder.finish()


def write_table(
    path: Place, table: Table, *, format: str | None = None, overwrite: bool = False
) -> list[Path]:
    """Writes vectors to a file, atomically.

    Args:
        path: the file; the projector's metadata go beside it.
        table: words and vectors.
        format: a key of `FORMATS`; None to tell by the ending of the name.
        overwrite: replace files that are there.

    Returns:
        The files written.

    Raises:
        FormatError: a word that the format cannot hold, or a vector that is not finite; nothing is written.
        StorageError: the system refused.
        UsageError: an unknown format, or the file is there and `overwrite` is not set.
    """
    place, name = Path(path), _known(format) if format is not None else format_of_name(path)
    files = [place, metadata_path(place)] if name == "projector" else [place]
    for file in files:
        if file.is_dir() or (file.exists() and not overwrite):
            hint = "is there already; choose another name or overwrite it (--overwrite)"
            raise UsageError(f"{file}: {'is a directory' if file.is_dir() else hint}")
    bad = first_not_finite(table.matrix)
    if bad is not None:
        reason = f"the vector of {table.words[bad]!r} is not finite; nothing was written"
        raise FormatError(reason, path=place)
    FORMATS[name].write(place, table)
    return [*files, config_path(place)] if name == "projector" else files


def _known(format: str) -> str:
    if format not in FORMATS:
        raise UsageError(f"{format!r} is not a format; formats are {', '.join(FORMATS)}")
    return format
