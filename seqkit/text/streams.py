"""From what a user names (files, folders, stdin, corpora) to streams of plain bytes, opened one at a time."""

from __future__ import annotations

import io
import os
import select
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from seqkit.errors import (
    BundleError,
    CorpusError,
    MissingInputError,
    Place,
    SeqkitError,
    StorageError,
    UsageError,
    did_you_mean,
)
from seqkit.text.compression import MAGIC_BYTES, Readable, compression_of, decompressed, undecided

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

STDIN = "-"
STDIN_NAME = "<stdin>"
PATIENCE = 0.05
"""Seconds in which an eager stream collects more before it gives what it has."""
Sources = Place | Sequence[Place]


class ByteStream(Protocol):
    """A source being read: plain bytes, with a name and a position for the progress."""

    name: str

    def read(self, size: int, /) -> bytes:
        """Exactly `size` bytes, fewer only at the end, or where an eager stream has no more yet."""

    def waits(self) -> bool:
        """Whether an eager stream has no more yet."""

    def position(self) -> int:
        """How many bytes of the source itself (compressed, where it is) have been read."""

    def close(self) -> None:
        """Releases the file."""


@dataclass(frozen=True)
class Opener:
    """One thing to read: a file, stdin or a named corpus.

    Args:
        place: path, "-" or corpus name.
        size: bytes to read, where known.
        is_corpus: whether `place` is the name of a corpus.
        eager: of a pipe or a terminal give what is there.
    """

    place: str
    size: int | None
    is_corpus: bool = False
    eager: bool = False

    def open(self) -> ByteStream:
        """The stream, at its beginning.

        Raises:
            StorageError: the operating system refuses.
            CorpusError: the name promises a compression that the content does not have.
        """
        if self.is_corpus:
            return _CorpusStream(self.place)
        if self.place == STDIN:
            # Its buffer would wait until it is full.
            raw = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)
            return _FileStream(raw, STDIN_NAME, self.eager)
        try:
            raw = open(self.place, "rb", buffering=0)  # noqa: SIM115 (the stream closes it)
        except OSError as error:
            raise _storage_error(self.place, error) from error
        try:
            return _FileStream(cast(BinaryIO, raw), self.place, self.eager)
        except SeqkitError:
            raw.close()
            raise


def resolve(sources: Sources) -> list[Opener]:
    """Finds everything that the sources name before anything is read.

    Args:
        sources: one source or several: a file, a folder (all its files and those of its sub-folders, sorted
            by path; names that begin with a dot are left out), "-" for stdin, a corpus name
            (`seqkit.corpora`). An existing path wins over a corpus of the same name.

    Raises:
        MissingInputError: a source is neither a path nor a corpus; the message has the nearest names.
        CorpusError: a folder holds no file.
        UsageError: no source, or stdin twice.
        StorageError: a folder cannot be listed.
    """
    places = [_named(place) for place in ([sources] if isinstance(sources, str | os.PathLike) else sources)]
    if not places:
        raise UsageError("no source: name at least one file, folder, corpus or - for stdin")
    if places.count(STDIN) > 1:
        raise UsageError("- (stdin) is named twice, but it can be read only once")
    return [opener for place in places for opener in _resolve_one(place)]


def _named(place: object) -> str:
    if isinstance(place, str | os.PathLike):
        return os.fspath(place)
    raise UsageError(
        f"a source is the name of a file, a folder or a corpus, or -, not {type(place).__name__}: "
        "write the text to a file, a sentence on a line"
    )


def _resolve_one(place: str) -> list[Opener]:
    if place == STDIN:
        if sys.stdin is None:
            raise MissingInputError("- (stdin) is closed")
        return [Opener(place, None)]
    try:
        found = os.stat(place)
    except (FileNotFoundError, NotADirectoryError) as error:
        from seqkit.corpora import is_corpus_name

        if is_corpus_name(place):
            return [Opener(place, None, is_corpus=True)]
        raise MissingInputError(_missing(place)) from error
    except (OSError, ValueError) as error:
        raise _storage_error(place, error) from error
    if stat.S_ISDIR(found.st_mode):
        return _files_of_folder(place)
    return [Opener(place, found.st_size if stat.S_ISREG(found.st_mode) else None)]


def _files_of_folder(folder: str) -> list[Opener]:
    def refuse(error: OSError) -> None:
        raise _storage_error(error.filename or folder, error) from error

    if (kind := _kind_of_bundle(folder)) is not None:
        raise CorpusError(f"a {kind} bundle, which holds no text", path=folder)
    paths: list[Path] = []
    for parent, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths += [Path(parent, name) for name in files if not name.startswith(".")]
    # Sorted by components, so that the order is the same with every file system and path separator.
    regular = [path for path in sorted(paths, key=lambda path: path.parts) if path.is_file()]
    if not regular:
        raise CorpusError("the folder holds no file to read", path=folder)
    return [Opener(str(path), path.stat().st_size) for path in regular]


def _kind_of_bundle(folder: str) -> str | None:
    """Of what kind a bundle in a folder is; None for a folder that is none."""
    from seqkit.storage import Bundle, is_bundle

    if not is_bundle(folder):
        return None
    with suppress(BundleError):
        return Bundle.open(folder).manifest.kind
    return None


def _missing(place: str) -> str:
    from seqkit.corpora import corpus_names

    path = Path(place)
    if path.is_symlink():
        return f"{place}: a symbolic link to what is not there"
    if not path.parent.is_dir():
        return f"{place}: there is no folder {path.parent}"
    readable = os.access(path.parent, os.R_OK)
    neighbours = os.listdir(path.parent) if readable else []
    near = did_you_mean(path.name, [*corpus_names(), *neighbours], most=3)
    hint = near or f"the corpora are {', '.join(corpus_names())}"
    return f"{place}: no such file, folder or corpus; {hint}"


def _storage_error(place: str, error: OSError | ValueError) -> StorageError:
    return StorageError(f"{place}: cannot be read: {getattr(error, 'strerror', None) or error}")


def _trickles(raw: BinaryIO) -> bool:
    """Whether it is a pipe, a terminal or another thing that gives what it has."""
    try:
        return not stat.S_ISREG(os.fstat(raw.fileno()).st_mode)
    except OSError:  # in memory
        return False


class _Counted(io.RawIOBase):
    """A raw stream that knows its first bytes and how much of it was taken."""

    def __init__(self, raw: BinaryIO) -> None:
        self.raw, self.count = raw, 0
        head = b""
        while undecided(head) and (more := raw.read(MAGIC_BYTES - len(head))):  # a pipe may give less
            head += more
        self.head = self.pushed_back = head

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer)
        if self.pushed_back:
            taken = min(len(view), len(self.pushed_back))
            view[:taken] = self.pushed_back[:taken]
            self.pushed_back = self.pushed_back[taken:]
        else:
            taken = cast(io.RawIOBase, self.raw).readinto(view) or 0
        self.count += taken
        return taken


class _FileStream:
    """A file or stdin, decompressed where its first bytes say so."""

    def __init__(self, raw: BinaryIO, name: str, eager: bool) -> None:
        self.name, self._raw = name, raw
        with self._refusals():
            self._counted = _Counted(raw)
        kind = compression_of(self._counted.head, name)
        self._buffered = io.BufferedReader(self._counted, 1 << 16)
        self._plain: Readable = decompressed(self._buffered, kind, name) if kind else self._buffered
        self._trickles = eager and kind is None and _trickles(raw)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except SeqkitError:
            raise
        except OSError as error:
            raise _storage_error(self.name, error) from error

    def read(self, size: int, /) -> bytes:
        with self._refusals():
            return self._collected(size) if self._trickles else self._plain.read(size)

    def _collected(self, size: int) -> bytes:
        """At most `size` bytes: the first that come, and more that come within `PATIENCE`."""
        parts = [self._buffered.read1(size)]
        missing, end = size - len(parts[0]), time.monotonic() + PATIENCE
        while parts[-1] and missing and self._has_more(end - time.monotonic()):
            parts.append(self._buffered.read1(missing))
            missing -= len(parts[-1])
        return b"".join(parts)

    def waits(self) -> bool:
        return self._trickles and not self._has_more(0)

    def _has_more(self, seconds: float) -> bool:
        """Whether there is more within so many seconds; the end counts."""
        return bool(select.select([self._raw], [], [], max(seconds, 0))[0])

    def position(self) -> int:
        return self._counted.count

    def close(self) -> None:
        if self.name != STDIN_NAME:  # stdin belongs to the caller
            self._raw.close()


class _CorpusStream:
    """A named corpus, its lines joined to bytes."""

    def __init__(self, name: str) -> None:
        from seqkit.corpora import open_corpus

        self.name, self._lines, self._rest, self._given = name, open_corpus(name), b"", 0

    def read(self, size: int, /) -> bytes:
        parts, length = [self._rest], len(self._rest)
        while length < size and (line := next(self._lines, None)) is not None:
            parts.append(line.encode() + b"\n")
            length += len(parts[-1])
        data = b"".join(parts)
        self._rest = data[size:]
        self._given += min(size, length)
        return data[:size]

    def waits(self) -> bool:
        return False

    def position(self) -> int:
        return self._given

    def close(self) -> None:
        """Nothing is held open."""
