r"""Text from files, folders, stdin and corpora, streamed in pieces of bounded size.

A line ends at "\n", "\r\n" or "\r", as in Python's universal newlines, and nowhere else: not at a form feed,
not at U+2028. The last line of every file is ended, and a byte order mark at the start of a file is dropped.
Text is UTF-8 without NUL; anything else raises a CorpusError that names file, line and byte.
"""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, utf_8_decode
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from seqkit.errors import CorpusError
from seqkit.progress import SILENT, Progress
from seqkit.text.streams import ByteStream, Opener, Sources, resolve

BLOCK_BYTES = 1 << 20
"""Aimed size of a block; its ids then stay in the cache of one core."""

MAX_TOKEN_BYTES = 1 << 24
"""A longer stretch without any place to cut is refused rather than held in memory."""

Boundary = Callable[[str], int]
"""Gives the last position where a text may be cut, 0 where there is none (`Tokenizer.last_boundary`)."""


@dataclass(frozen=True)
class Block:
    r"""A piece of one source.

    Args:
        data: its bytes, line ends normalised to "\n"; UTF-8 unless `text` raises.
        name: the source it is from.
        line: number of its first line, from 1.
        byte: offset of its first byte in the uncompressed source.
    """

    data: bytes
    name: str
    line: int
    byte: int

    def text(self) -> str:
        """The decoded text.

        Raises:
            CorpusError: the bytes are not UTF-8.
        """
        try:
            return utf_8_decode(self.data, "strict", True)[0]
        except UnicodeDecodeError as error:
            raise self.not_utf8(error.start, error.reason) from None

    def not_utf8(self, start: int, reason: str) -> CorpusError:
        """The error for a byte at `start` of this block that is not UTF-8, for that reason."""
        advice = f"not UTF-8 ({reason}, 0x{self.data[start]:02x}); convert it, as in iconv -f LATIN1 -t UTF-8"
        return self._error(start, advice)

    def checked(self, any_bytes: bool = False) -> Block:
        r"""The block with every line end as "\n".

        Args:
            any_bytes: whether bytes that are not UTF-8 are none of its business.

        Raises:
            CorpusError: it holds a NUL; or it is not UTF-8 and its line ends were not "\n" alone.
        """
        if (nul := self.data.find(b"\0")) >= 0:
            if not any_bytes:
                replace(self, data=self.data[:nul]).text()  # an earlier fault is named first
            advice = "is it UTF-16, or a binary file? (tr -d '\\0' removes NULs)"
            raise self._error(nul, f"a NUL byte, which text does not have: {advice}")
        if b"\r" not in self.data:
            return self
        if not any_bytes:
            self.text()  # offsets are those of the source only until line ends are normalised
        return replace(self, data=_newlines(self.data))

    def _error(self, start: int, reason: str) -> CorpusError:
        line = self.line + _newlines(self.data[:start]).count(b"\n")
        return CorpusError(reason, path=self.name, line=line, byte=self.byte + start)


def read_blocks(
    sources: Sources, boundary: Boundary = len, progress: Progress = SILENT, any_bytes: bool = False
) -> Generator[Block, None, None]:
    """The text of the sources as blocks of about `BLOCK_BYTES`, in order.

    A block ends at a line end; inside a line longer than a block at white space; where there is none, at
    `boundary`. A block of bytes that are not UTF-8 may still be among them: `Block.text` tells.

    Args:
        sources: as `seqkit.text.streams.resolve` takes them.
        boundary: where a stretch without white space may be cut.
        progress: told the bytes read.
        any_bytes: whether whoever asks decodes blocks that are not UTF-8 in a way of its own; the places that
            `Block.not_utf8` names are then off where lines end in "\\r\\n".

    Raises:
        MissingInputError, UsageError: at the call, before anything is read.
        CorpusError: a fault in the text or its compression, or over `MAX_TOKEN_BYTES` without a place to cut.
        StorageError: reading failed.
    """
    return _read_blocks(resolve(sources), boundary, progress, any_bytes)


def iter_chunks(sources: Sources, *, progress: Progress = SILENT) -> Iterator[str]:
    """As `read_blocks`, decoded: joined, the chunks are the whole text."""
    return _decoded(read_blocks(sources, progress=progress))


def _decoded(blocks: Generator[Block, None, None]) -> Iterator[str]:
    with closing(blocks):  # a fault in the text closes the file now, not when the error is forgotten
        for block in blocks:
            yield block.text()


def iter_lines(sources: Sources, *, progress: Progress = SILENT) -> Iterator[str]:
    """The lines of the sources, without their ends; one line at a time is in memory, however long it is.

    Args:
        sources: as `seqkit.text.streams.resolve` takes them.
        progress: told the bytes read.

    Raises:
        SeqkitError: as `read_blocks`.
    """
    return _lines_of(iter_chunks(sources, progress=progress))


def iter_whole_lines(sources: Sources) -> Iterator[bytes]:
    r"""The sources in UTF-8, in pieces of about `BLOCK_BYTES` or one longer line, "\n" after each line.

    Of a pipe or a terminal a piece is what is there, and an empty one comes where more has to be waited for.

    Args:
        sources: as `seqkit.text.streams.resolve` takes them.

    Raises:
        SeqkitError: as `read_blocks`.
    """
    openers = [replace(opener, eager=True) for opener in resolve(sources)]
    return _whole_lines(_read_blocks(openers, len, SILENT))


def _whole_lines(blocks: Generator[Block, None, None]) -> Iterator[bytes]:
    begun: list[bytes] = []
    with closing(blocks):
        for block in blocks:
            block.text()  # is UTF-8, or raises
            if not block.data:
                yield b""
            if end := block.data.rfind(b"\n") + 1:
                yield b"".join([*begun, block.data[:end]])
                begun = []
            begun.append(block.data[end:])


def _lines_of(chunks: Iterator[str]) -> Iterator[str]:
    begun: list[str] = []
    for chunk in chunks:
        *lines, last = chunk.split("\n")
        if lines:
            lines[0] = "".join([*begun, lines[0]])
            begun = []
            yield from lines
        begun.append(last)


def _read_blocks(
    openers: list[Opener], boundary: Boundary, progress: Progress, any_bytes: bool = False
) -> Generator[Block, None, None]:
    sizes = [opener.size for opener in openers]
    done, total = 0, None if None in sizes else sum(size or 0 for size in sizes)
    progress.start("reading text", total, "bytes")
    try:
        for opener in openers:
            with closing(opener.open()) as stream:
                for block in _blocks_of(stream, boundary, any_bytes):
                    yield block
                    progress.update(done + stream.position())
                done += stream.position()
    finally:
        progress.finish()


def _blocks_of(stream: ByteStream, boundary: Boundary, any_bytes: bool) -> Iterator[Block]:
    line, byte = 1, 0
    for data in _pieces(stream, boundary):
        if byte == 0 and data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
            advice = "UTF-16 or UTF-32, not UTF-8; convert it, as in iconv -f UTF-16 -t UTF-8"
            raise CorpusError(advice, path=stream.name, line=1, byte=0)
        mark = len(BOM_UTF8) if byte == 0 and data.startswith(BOM_UTF8) else 0
        block = Block(data[mark:], stream.name, line, byte + mark).checked(any_bytes)
        if block.data or not data:
            yield block
        byte += len(data)
        line += block.data.count(b"\n")


def _pieces(stream: ByteStream, boundary: Boundary) -> Iterator[bytes]:
    """The stream cut where no line end, character or token is cut; its last line ended.

    There is an empty piece where an eager stream has to be waited for.
    """
    rest, read, ended = b"", 0, True
    while more := stream.read(max(BLOCK_BYTES, len(rest))):  # a long stretch is searched at each doubling
        rest, read = rest + more, read + len(more)
        if cut := _last_cut(rest, boundary):
            yield rest[:cut]
            ended, rest = rest[:cut].endswith((b"\n", b"\r")), rest[cut:]
        elif len(rest) > MAX_TOKEN_BYTES:
            limit = f"over {MAX_TOKEN_BYTES >> 20} MB without white space or any other place to cut"
            raise CorpusError(f"a token of {limit}: is this text?", path=stream.name, byte=read - len(rest))
        if stream.waits():
            yield b""
    if rest:
        yield rest if rest.endswith((b"\n", b"\r")) else rest + b"\n"
    elif not ended:  # the source ended where it was cut, inside its last line
        yield b"\n"


def _last_cut(data: bytes, boundary: Boundary) -> int:
    if cut := data.rfind(b"\n") + 1:
        return cut
    if cut := max(data.rfind(b" "), data.rfind(b"\t"), data.rfind(b"\r", 0, -1)) + 1:
        return cut
    whole = data[:-1] if data.endswith(b"\r") else data  # its "\n" may still come
    try:
        text, _ = utf_8_decode(whole, "strict", False)
    except UnicodeDecodeError:
        return len(data)  # a block that is not UTF-8: whoever decodes it says where
    return len(text[: boundary(text)].encode())


def _newlines(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
