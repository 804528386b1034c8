"""Compressed streams: every format, whole, in several members, cut, damaged, bombs."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable

import pytest
import zstandard

from seqkit.errors import CorpusError
from seqkit.text.compression import compression_of, decompressed

TEXT = b"the king and the queen\n" * 5000
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor(level=3).compress,
}
SUFFIXES = {"gzip": ".gz", "bzip2": ".bz2", "xz": ".xz", "zstd": ".zst"}
FORMATS = pytest.mark.parametrize("kind", COMPRESS)


def read(data: bytes, kind: str, size: int = 1000) -> bytes:
    stream = decompressed(io.BufferedReader(io.BytesIO(data)), kind, "corpus.txt")
    return b"".join(iter(lambda: stream.read(size), b""))


@FORMATS
def test_it_is_told_by_its_content(kind: str) -> None:
    head = COMPRESS[kind](TEXT)[:10]
    assert compression_of(head, "corpus" + SUFFIXES[kind]) == kind
    assert compression_of(head, "<stdin>") == kind


@pytest.mark.parametrize("head", [b"", b"B", b"BZh9 is text", b"\x1f", b"the king", b"(\xb5/"])
def test_plain_bytes_are_plain(head: bytes) -> None:
    assert compression_of(head, "corpus.txt") is None


@FORMATS
@pytest.mark.parametrize(("head", "state"), [(b"", "is empty"), (b"the king a", "does not begin like {}")])
def test_a_name_that_lies_is_an_error(kind: str, head: bytes, state: str) -> None:
    name = "corpus" + SUFFIXES[kind].upper()
    reason = f"promises {kind}, but its content {state.format(kind)}"
    with pytest.raises(CorpusError, match=f"^{name}: the file's name {reason}"):
        compression_of(head, name)


@FORMATS
def test_members_follow_each_other(kind: str) -> None:
    assert read(COMPRESS[kind](TEXT) + COMPRESS[kind](b"") + COMPRESS[kind](b"more"), kind) == TEXT + b"more"


@FORMATS
def test_all_that_is_asked_for_is_given(kind: str) -> None:
    """Whatever the members are like: pieces of 1000 bytes of members of 7."""
    data = b"".join(COMPRESS[kind](TEXT[at : at + 7]) for at in range(0, 7000, 7))
    stream = decompressed(io.BufferedReader(io.BytesIO(data)), kind, "corpus.txt")
    assert [len(stream.read(1000)) for _ in range(8)] == [1000] * 7 + [0]


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz"])
@pytest.mark.parametrize("place", [0, 4, 20, 0.5, -1])
def test_damage_in_a_later_member_is_an_error(kind: str, place: float) -> None:
    members = [bytearray(COMPRESS[kind](b"".join(b"%d %d\n" % (n, m) for m in range(900)))) for n in range(3)]
    at = int(place * len(members[1])) if 0 < place < 1 else int(place)
    if kind == "gzip" and at == 4:
        pytest.skip("the time of a gzip member is not checked by anything")
    members[1][at] ^= 0xFF
    with pytest.raises(CorpusError, match=rf"^corpus.txt: (damaged {kind} data|the {kind} data ends early)"):
        read(b"".join(members), kind)


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz"])
def test_padding_is_passed_over(kind: str) -> None:
    padded = COMPRESS[kind](TEXT) + bytes(8)
    assert read(padded, kind) == TEXT
    assert read(padded + padded, kind, 1 << 20) == TEXT + TEXT


def test_a_zstd_frame_to_be_skipped_may_be_the_first() -> None:
    """As `pzstd` writes them."""
    data = b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + COMPRESS["zstd"](TEXT)
    assert compression_of(data[:10], "corpus.txt") == "zstd"
    assert read(data, "zstd") == TEXT


@FORMATS
@pytest.mark.parametrize("end", [0.3, 0.9, -1])
def test_a_cut_file_is_an_error(kind: str, end: float) -> None:
    data = COMPRESS[kind](bytes(range(256)) * 300)
    with pytest.raises(CorpusError, match=r"^corpus.txt: the \w+ data ends early"):
        read(data[: int(end * len(data)) if end > 0 else -1], kind)


@FORMATS
def test_a_damaged_file_is_an_error(kind: str) -> None:
    plain = b"".join(b"%d kings\n" % n for n in range(2000))
    data = bytearray(COMPRESS[kind](plain))
    if kind == "zstd":  # which has no checksum unless asked
        data = bytearray(zstandard.ZstdCompressor(write_checksum=True).compress(plain))
    data[len(data) // 2] ^= 0x55
    with pytest.raises(CorpusError, match=rf"^corpus.txt: .*{kind} data"):
        read(bytes(data), kind)


@FORMATS
def test_a_bomb_is_read_piece_by_piece(kind: str) -> None:
    import tracemalloc

    bomb = COMPRESS[kind](bytes(1 << 26))
    tracemalloc.start()
    stream = decompressed(io.BufferedReader(io.BytesIO(bomb)), kind, "bomb")
    size = 0
    while piece := stream.read(1 << 16):
        size += len(piece)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == 1 << 26
    assert peak < 40 << 20
