"""Streaming decompression: gzip, bzip2, xz and Zstandard, told apart by their first bytes.

Every decoder hands out at most about `size` bytes a call, so that a file which inflates a thousandfold costs
time and no memory.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, Protocol

from seqkit.errors import CorpusError

if TYPE_CHECKING:
    from bz2 import BZ2Decompressor
    from lzma import LZMADecompressor

    from zstandard import ZstdDecompressionObj

_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    **{bytes([kind]) + b"\x2a\x4d\x18": "zstd" for kind in range(0x50, 0x60)},  # frames to be skipped
}
_SUFFIXES = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd"}
_BZIP2_BLOCK = (b"1AY&SY", b"\x17rE8P\x90")  # after "BZh" and a digit; "BZh" alone could be text

MAGIC_BYTES = 10
"""How many bytes of a stream `compression_of` wants to see."""


class Readable(Protocol):
    """Anything that gives bytes."""

    def read(self, size: int, /) -> bytes:
        """Exactly `size` bytes, fewer only at the end."""


def undecided(head: bytes) -> bool:
    """Whether more of a stream that begins so may show that it is compressed."""
    return len(head) < MAGIC_BYTES and any(magic.startswith(head[: len(magic)]) for magic in _MAGIC)


def compression_of(head: bytes, name: str) -> str | None:
    """What a stream is compressed with.

    Args:
        head: its first `MAGIC_BYTES` bytes (fewer where it is shorter, or not `undecided`).
        name: its file name, for the suffix.

    Returns:
        "gzip", "bzip2", "xz", "zstd", or None for plain bytes. The content decides, not the name.

    Raises:
        CorpusError: the name promises a compression that the content does not have.
    """
    found = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)
    if found == "bzip2" and head[4:10] not in _BZIP2_BLOCK:
        found = None
    promised = next((kind for suffix, kind in _SUFFIXES.items() if name.lower().endswith(suffix)), None)
    if promised and not found:
        state = "is empty" if not head else f"does not begin like {promised}"
        raise CorpusError(
            f"the file's name promises {promised}, but its content {state}; is it damaged?", path=name
        )
    return found


def decompressed(raw: BinaryIO, kind: str, name: str) -> Readable:
    """The plain bytes of a compressed stream.

    Args:
        raw: the compressed stream, at its beginning.
        kind: one of the results of `compression_of`.
        name: what errors call the stream.

    Returns:
        A stream whose `read` raises CorpusError where the data is damaged or ends early.
    """
    return _Guarded(_OPENERS[kind](raw), kind, name)


class _Guarded:
    """Turns each library's way to say "damaged" into one."""

    def __init__(self, stream: Readable, kind: str, name: str) -> None:
        self.stream, self.kind, self.name = stream, kind, name

    def read(self, size: int, /) -> bytes:
        from lzma import LZMAError

        from zstandard import ZstdError

        try:
            return self.stream.read(size)
        except EOFError as error:
            reason = f"the {self.kind} data ends early: the file is cut short"
            raise CorpusError(reason, path=self.name) from error
        except (LZMAError, ZstdError, zlib.error, ValueError) as error:
            raise CorpusError(f"damaged {self.kind} data ({error})", path=self.name) from error
        except OSError as error:
            if error.errno is not None:  # the disk's own trouble
                raise
            raise CorpusError(f"damaged {self.kind} data ({error})", path=self.name) from error


class _Collected:
    """Gives all that is asked for, from parts of any size."""

    def read(self, size: int, /) -> bytes:
        parts: list[bytes] = []
        while size > 0 and (part := self._part(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _part(self, size: int) -> bytes:
        """At most `size` bytes; none at the end."""
        raise NotImplementedError


class _StreamsReader(_Collected):
    """bzip2 or xz streams one after another, and zeros as padding.

    `bz2.BZ2File` and `lzma.LZMAFile` take damage near the beginning of a further stream for the end of all.

    Args:
        raw: the compressed data.
        new_decoder: of one stream.
    """

    PIECE = 1 << 16

    def __init__(self, raw: BinaryIO, new_decoder: Callable[[], BZ2Decompressor | LZMADecompressor]) -> None:
        self.raw, self.new_decoder = raw, new_decoder
        self.decoder: BZ2Decompressor | LZMADecompressor | None = None
        self.rest = b""
        """Of what was read, what lies behind the last stream that has ended."""

    def _part(self, size: int) -> bytes:
        while True:
            piece, self.rest = self.rest, b""
            if not piece and (self.decoder is None or self.decoder.needs_input):
                piece = self.raw.read(self.PIECE)
                if not piece and self.decoder is not None:
                    raise EOFError
                if not piece:
                    return b""
            if self.decoder is None:
                if not (piece := piece.lstrip(b"\0")):
                    continue
                self.decoder = self.new_decoder()
            plain = self.decoder.decompress(piece, size)
            if self.decoder.eof:
                self.rest, self.decoder = self.decoder.unused_data, None
            if plain:
                return plain


class _ZstdReader(_Collected):
    """Zstandard frames one after another; `zstandard.stream_reader` takes a cut file for a whole one."""

    # Four bytes can stand for 128 KB of output, so the output of a piece stays under 16 MB.
    PIECE = 512

    def __init__(self, raw: BinaryIO) -> None:
        from zstandard import ZstdDecompressor

        self.raw, self.plain = raw, io.BytesIO()
        self.frame: ZstdDecompressionObj | None = None

        self.new_frame = ZstdDecompressor().decompressobj

    def _part(self, size: int) -> bytes:
        while not (part := self.plain.read(size)) and self._refill():
            pass
        return part

    def _refill(self) -> bool:
        """Decompresses one more piece; False at the end of the stream."""
        piece = self.raw.read(self.PIECE)
        if not piece:
            if self.frame is not None:
                raise EOFError
            return False
        plain = []
        while piece:
            frame = self.frame = self.frame or self.new_frame()
            plain.append(frame.decompress(piece))
            piece = b""
            if frame.eof:
                piece, self.frame = frame.unused_data, None
        self.plain = io.BytesIO(plain[0] if len(plain) == 1 else b"".join(plain))
        return True


def _gzip(raw: BinaryIO) -> Readable:
    import gzip

    return gzip.GzipFile(fileobj=raw, mode="rb")


def _bzip2(raw: BinaryIO) -> Readable:
    import bz2

    return _StreamsReader(raw, bz2.BZ2Decompressor)


def _xz(raw: BinaryIO) -> Readable:
    import lzma

    return _StreamsReader(raw, lzma.LZMADecompressor)


_OPENERS: dict[str, Callable[[BinaryIO], Readable]] = {
    "gzip": _gzip,
    "bzip2": _bzip2,
    "xz": _xz,
    "zstd": _ZstdReader,
}
