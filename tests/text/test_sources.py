"""Lines and chunks: line ends, encodings, giant lines, progress. Bad input is a table with its outcomes."""

from __future__ import annotations

import codecs
import io
import lzma
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit.errors import CorpusError
from seqkit.text import sources
from seqkit.text.sources import iter_chunks, iter_lines, iter_whole_lines, read_blocks
from seqkit.text.tokenizers import Tokenizer


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sources") / "corpus.txt"


@given(
    st.text(
        st.one_of(st.sampled_from("\r\n\x0b\x0c\x1c\x85\u2028 aé"), st.characters(exclude_categories=["Cs"]))
    )
)
def test_lines_are_those_of_universal_newlines(scratch: Path, text: str) -> None:
    text = text.replace("\0", "").removeprefix("\ufeff")
    scratch.write_bytes(text.encode())
    lines = [line.removesuffix("\n") for line in io.StringIO(text, newline=None)]
    assert list(iter_lines(scratch)) == lines
    assert "".join(iter_chunks(scratch)) == "".join(line + "\n" for line in lines)


@given(st.text(st.sampled_from("ab é\n\r"), max_size=40), st.integers(1, 9))
def test_pieces_are_whole_lines(scratch: Path, text: str, size: int) -> None:
    scratch.write_bytes(text.encode())
    before = sources.BLOCK_BYTES
    sources.BLOCK_BYTES = size  # most lines are longer than a block
    try:
        pieces = list(iter_whole_lines(scratch))
    finally:
        sources.BLOCK_BYTES = before
    assert all(piece.endswith(b"\n") for piece in pieces)
    assert b"".join(pieces).decode() == "".join(line + "\n" for line in iter_lines(scratch))


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["a", "é", "😀", " ", "\t", "\n", "\r", "\r\n", "\u2028", "word"]), max_size=60),
    st.integers(1, 20),
)
def test_any_size_of_block_gives_the_same_text(scratch: Path, parts: list[str], size: int) -> None:
    text = "".join(parts)
    scratch.write_bytes(text.encode())
    normal = text.replace("\r\n", "\n").replace("\r", "\n")
    normal += "\n" if normal and not normal.endswith("\n") else ""
    before = sources.BLOCK_BYTES
    sources.BLOCK_BYTES = size
    try:
        for tokenizer in (Tokenizer("word"), Tokenizer("whitespace"), Tokenizer("character")):
            blocks = [block.text() for block in read_blocks(scratch, tokenizer.last_boundary)]
            assert "".join(blocks) == normal
            tokens = [
                token for block in blocks for line in block.split("\n") for token in tokenizer.tokenize(line)
            ]
            assert tokens == [token for line in normal.split("\n") for token in tokenizer.tokenize(line)]
    finally:
        sources.BLOCK_BYTES = before


def test_positions_survive_blocks_and_line_ends(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "BLOCK_BYTES", 8)
    good = "one\r\ntwo\rnaïve\n".encode()  # 5 + 4 + 7 bytes, lines 1 to 3
    scratch.write_bytes(codecs.BOM_UTF8 + 10 * good + b"four \xff")
    with pytest.raises(CorpusError) as caught:
        list(iter_lines(scratch))
    assert (caught.value.path, caught.value.line, caught.value.byte) == (str(scratch), 31, 3 + 160 + 5)


GOOD = b"fine line\n"
REJECTED = {
    "latin-1": (GOOD + "café\n".encode("latin-1"), 2, 13, "not UTF-8"),
    "cut character": (GOOD + "é".encode()[:1], 2, 10, "not UTF-8"),
    "overlong": (GOOD + b"a\xc0\xafb\n", 2, 11, "not UTF-8"),
    "surrogate": (GOOD + b"ab\xed\xa0\x80\n", 2, 12, "not UTF-8"),
    "beyond Unicode": (b"\xf4\x90\x80\x80\n", 1, 0, "not UTF-8"),
    "UTF-16 with mark": (codecs.BOM_UTF16_LE + "text".encode("utf-16-le"), 1, 0, "UTF-16"),
    "UTF-16 big-endian": (codecs.BOM_UTF16_BE + "text".encode("utf-16-be"), 1, 0, "UTF-16"),
    "UTF-32": (codecs.BOM_UTF32_LE + "text".encode("utf-32-le"), 1, 0, "UTF-16"),
    "UTF-16 without mark": ("text".encode("utf-16-le"), 1, 1, "NUL"),
    "NUL": (GOOD + b"b\0d\n", 2, 11, "NUL"),
    "NUL after a fault": (b"\xff\n\0", 1, 0, "not UTF-8"),
    "binary": (bytes(range(256)), 1, 0, "NUL"),
    "truncated xz": (lzma.compress(GOOD * 99)[:-9], None, None, "ends early"),
}


@pytest.mark.parametrize("name", REJECTED)
def test_rejected(name: str, scratch: Path) -> None:
    data, line, byte, reason = REJECTED[name]
    scratch.write_bytes(data)
    with pytest.raises(CorpusError, match=reason) as caught:
        list(iter_lines(scratch))
    assert (caught.value.path, caught.value.line, caught.value.byte) == (str(scratch), line, byte)
    assert "\n" not in str(caught.value)


def test_pieces_of_a_pipe_are_what_is_there(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    written = Event()

    def feed() -> None:
        with open(pipe, "wb", buffering=0) as file:
            for data in (b"a\n", b"b\nbeg", b"un\n", "é\n".encode()[:1], "é\n".encode()[1:], b"\nend"):
                file.write(data)
                written.wait()
                written.clear()

    writer = Thread(target=feed)
    writer.start()
    found = []
    for piece in iter_whole_lines(pipe):
        found.append(piece)
        if not piece:
            written.set()
    writer.join()
    assert b"|".join(found) == "a\n||b\n||begun\n|||é\n||\n||end\n".encode()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no /proc")
@pytest.mark.parametrize("lines", [iter_lines, iter_whole_lines])
def test_a_fault_closes_the_file_at_once(scratch: Path, lines: Callable[[Path], Iterator[object]]) -> None:
    scratch.write_bytes(b"a \xff\n")
    with pytest.raises(CorpusError) as caught:
        list(lines(scratch))
    # While the error, and with it the frames that raised it, are still held:
    assert caught.value.path == str(scratch)
    assert scratch not in [Path(os.readlink(link)) for link in _descriptors()]


def _descriptors() -> list[Path]:
    return [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]


ACCEPTED = {
    "empty": (b"", []),
    "blank": (b" \n\n\t", [" ", "", "\t"]),
    "no last line end": (b"a\nb", ["a", "b"]),
    "CRLF": (b"a\r\nb\r\n", ["a", "b"]),
    "old Mac": (b"a\rb\r", ["a", "b"]),
    "mixed line ends": (b"a\r\r\n\nb", ["a", "", "", "b"]),
    "byte order mark": (codecs.BOM_UTF8 + b"a\n", ["a"]),
    "only a byte order mark": (codecs.BOM_UTF8, [""]),
    "a second mark is text": (codecs.BOM_UTF8 * 2 + b"a\n", ["\ufeffa"]),
    "U+2028, NEL, VT, FF, FS": ("a\u2028b\x85c\x0bd\x0ce\x1cf\n".encode(), ["a\u2028b\x85c\x0bd\x0ce\x1cf"]),
    "control characters": (b"a\x01\x1b[0m\x7f\n", ["a\x01\x1b[0m\x7f"]),
    "private use, emoji": ("\ue000😀\n".encode(), ["\ue000😀"]),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(name: str, scratch: Path) -> None:
    data, lines = ACCEPTED[name]
    scratch.write_bytes(data)
    assert list(iter_lines(scratch)) == lines


@pytest.mark.parametrize("kind", ["word", "whitespace"])
def test_a_token_without_end_is_refused(kind: str, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "BLOCK_BYTES", 64)
    monkeypatch.setattr(sources, "MAX_TOKEN_BYTES", 1 << 12)
    scratch.write_bytes(b"short " * 20 + b"x" * 20_000)
    with pytest.raises(CorpusError, match="without white space") as caught:
        list(read_blocks(scratch, Tokenizer(kind).last_boundary))
    assert caught.value.byte == 120
    assert sum(map(len, iter_chunks(scratch))) == 20_121  # cut anywhere, as characters may be


def test_text_without_spaces_is_cut_at_its_punctuation(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "BLOCK_BYTES", 64)
    scratch.write_text("国王和王后。" * 1000)
    blocks = list(read_blocks(scratch, Tokenizer("word").last_boundary))
    assert len(blocks) > 100
    assert all(block.data.decode().strip("\n").endswith("。") for block in blocks if block.data != b"\n")


class Recorder:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.events: list[object] = []

    def start(self, task: str, total: float | None, unit: str) -> None:
        self.events.append((total, unit))

    def update(self, completed: float, **metrics: float) -> None:
        self.events.append(completed)

    def message(self, text: str) -> None: ...

    def finish(self) -> None:
        self.events.append("finished")


def test_progress_counts_the_bytes_of_the_files(scratch: Path) -> None:
    data = lzma.compress(GOOD * 1000)
    scratch.write_bytes(data)
    progress = Recorder()
    assert len(list(iter_lines([scratch, scratch], progress=progress))) == 2000
    assert progress.events == [(2 * len(data), "bytes"), len(data), 2 * len(data), "finished"]


def test_the_total_is_unknown_where_the_size_of_one_source_is(scratch: Path) -> None:
    scratch.write_bytes(GOOD)
    progress = Recorder()
    list(iter_lines([scratch, "names:3"], progress=progress))
    assert progress.events[0] == (None, "bytes")
