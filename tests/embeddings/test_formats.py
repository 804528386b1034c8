"""Files of vectors: other tools read what we write, we read what they write, and bad rows have a place."""

from __future__ import annotations

import bz2
import errno
import gc
import gzip
import lzma
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from gensim.models import KeyedVectors
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seqkit.embeddings import _binary_format, _projector_format
from seqkit.embeddings._projector_format import metadata_path
from seqkit.embeddings.formats import FORMATS, Table, detect_format, format_of_name, read_table, write_table
from seqkit.errors import FormatError, MissingInputError, StorageError, UsageError

WORDS = ["the", "naïve", "日本", "don't", "</s>", "\xa0", "1.5", "#", '"', "\\"]
RNG = np.random.default_rng(3)
MATRIX = RNG.normal(size=(len(WORDS), 7)).astype(np.float32)
MATRIX[0] = [0.0, -0.0, 1e-45, -3.4028235e38, 1.1754944e-38, 16777217, 0.1]  # extremes of float32
TABLE = Table(WORDS, MATRIX)
NAMES = {
    "word2vec": "v.txt",
    "word2vec-binary": "v.bin",
    "glove": "v.glove.txt",
    "fasttext": "v.vec",
    "projector": "vectors.tsv",
}


def assert_same(read: Table, written: Table = TABLE) -> None:
    assert list(read.words) == list(written.words)
    assert read.matrix.dtype == np.float32
    # bits, so that -0.0 counts
    assert np.array_equal(read.matrix.view(np.uint32), written.matrix.view(np.uint32))


# --- round trips


@pytest.mark.parametrize("format", FORMATS)
def test_every_bit_comes_back(tmp_path: Path, format: str) -> None:
    path = tmp_path / NAMES[format]
    files = write_table(path, TABLE, format=format)
    assert sorted(tmp_path.iterdir()) == sorted(files)
    assert_same(read_table(path, format=format))
    assert_same(read_table(path))
    assert detect_format(path) == ("word2vec" if format == "fasttext" else format)
    assert format_of_name(path) == format


@pytest.mark.parametrize("format", FORMATS)
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_written_is_read_back(tmp_path: Path, format: str, data: st.DataObject) -> None:
    characters = st.characters() | st.sampled_from(" \t\n\r\0\x85\u2028\ufeff\ud800,:_0")
    words = data.draw(st.lists(st.text(characters, max_size=6), min_size=1, max_size=5, unique=True))
    shape = (len(words), data.draw(st.integers(1, 4)))
    floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
    table = Table(words, data.draw(arrays(np.float32, shape, elements=floats)))
    path = tmp_path / "vectors"
    try:
        write_table(path, table, format=format, overwrite=True)
    except FormatError:
        return  # refused, which is the other right answer
    assert_same(read_table(path, format=format), table)


def test_more_rows_than_a_block_holds(tmp_path: Path) -> None:
    matrix = RNG.normal(size=(3000, 100)).astype(np.float32)  # 300,000 numbers; a block has 2^18
    table = Table([f"w{i}" for i in range(len(matrix))], matrix)
    for format, name in NAMES.items():
        write_table(tmp_path / name, table, format=format)
        assert_same(read_table(tmp_path / name), table)


def test_the_longest_rows_of_text(tmp_path: Path) -> None:
    matrix = np.full((2, 1 << 16), -1.17549435e-38, np.float32)  # 16 bytes a number, a megabyte a line
    write_table(tmp_path / "v.txt", Table(["a", "b"], matrix))
    assert_same(read_table(tmp_path / "v.txt"), Table(["a", "b"], matrix))


def test_the_longest_word_of_binary(tmp_path: Path) -> None:
    longest = "é" * 2048  # 4,096 bytes
    table = Table([longest, "b"], MATRIX[:2])
    write_table(tmp_path / "v.bin", table)
    assert_same(read_table(tmp_path / "v.bin"), table)
    with pytest.raises(FormatError, match="more than 4,096 bytes"):
        write_table(tmp_path / "w.bin", Table([longest + "x"], MATRIX[:1]))


def test_counts_travel_with_the_projector(tmp_path: Path) -> None:
    counts = np.arange(len(WORDS))[::-1]
    write_table(tmp_path / "vectors.tsv", Table(WORDS, MATRIX, counts))
    assert (tmp_path / "metadata.tsv").read_text().startswith("word\tcount\nthe\t9\n")
    read = read_table(tmp_path / "vectors.tsv")
    assert_same(read)
    assert read.counts is not None
    assert read.counts.tolist() == counts.tolist()


@pytest.mark.parametrize(
    ("compress", "ending"),
    [(gzip.compress, "gz"), (bz2.compress, "bz2"), (lzma.compress, "xz"), (zstandard.compress, "zst")],
)
@pytest.mark.parametrize("format", ["word2vec", "word2vec-binary", "glove"])
def test_compressed_files(tmp_path: Path, compress: Any, ending: str, format: str) -> None:
    path = tmp_path / NAMES[format]
    write_table(path, TABLE, format=format)
    packed = tmp_path / f"{path.name}.{ending}"
    packed.write_bytes(compress(path.read_bytes()))
    assert_same(read_table(packed))
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(FormatError, match="v\\."):
        read_table(packed)


# --- other tools


@pytest.mark.parametrize("binary", [False, True])
def test_gensim_reads_ours_and_we_read_gensims(tmp_path: Path, binary: bool) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    write_table(ours, TABLE, format="word2vec-binary" if binary else "word2vec")
    loaded = KeyedVectors.load_word2vec_format(str(ours), binary=binary)
    assert loaded.index_to_key == WORDS
    assert np.array_equal(loaded.vectors, MATRIX)
    loaded.save_word2vec_format(str(theirs), binary=binary)
    read = read_table(theirs)
    assert sorted(read.words) == sorted(WORDS)  # gensim sorts by its made-up counts
    for word, row in zip(read.words, read.matrix, strict=True):
        assert np.array_equal(row, MATRIX[WORDS.index(word)])


@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning"
)
def test_gensim_reads_our_glove(tmp_path: Path) -> None:
    write_table(tmp_path / "g", TABLE, format="glove")
    loaded = KeyedVectors.load_word2vec_format(str(tmp_path / "g"), binary=False, no_header=True)
    gc.collect()  # gensim opens the file twice and closes it once: the warning belongs here
    assert loaded.index_to_key == WORDS
    assert np.array_equal(loaded.vectors, MATRIX)


def test_text_as_the_c_programs_write_it(tmp_path: Path) -> None:
    path = tmp_path / "v"
    path.write_bytes(b"2 3\na 1 2 3 \nb 4.5 -5e0 6.000001 \n")  # word2vec.c and fastText: a space at each end
    assert read_table(path).matrix.tolist() == [[1, 2, 3], [4.5, -5, np.float32(6.000001)]]
    path.write_bytes(b"2 3\r\na 1 2 3\r\nb 4 5 6")  # Windows, and no end of the last line
    assert read_table(path).matrix.tolist() == [[1, 2, 3], [4, 5, 6]]
    path.write_bytes(
        b"2 2\nab " + np.float32([1, 2]).tobytes() + b"\ncd " + np.float32([3, 4]).tobytes() + b"\n"
    )
    assert read_table(path).matrix.tolist() == [[1, 2], [3, 4]]


def test_a_projector_pair_by_hand(tmp_path: Path) -> None:
    (tmp_path / "x_tensor.tsv").write_text("1\t2\n3\t4\n")  # the names of gensim's word2vec2tensor
    (tmp_path / "x_metadata.tsv").write_text("new york\nb\n")
    read = read_table(tmp_path / "x_tensor.tsv")
    assert (read.words, read.matrix.tolist()) == (["new york", "b"], [[1, 2], [3, 4]])
    (tmp_path / "x_metadata.tsv").write_text("colour\tLabel\nred\ta\nblue\tb\n")
    assert read_table(tmp_path / "x_tensor.tsv").words == ["a", "b"]
    (tmp_path / "x_metadata.tsv").unlink()
    with pytest.raises(MissingInputError, match=r"x_metadata\.tsv"):
        read_table(tmp_path / "x_tensor.tsv")


@pytest.mark.parametrize(
    ("metadata", "counts"),
    [("name\tlabel\tword\nx\tp\ta\ny\tq\tb\n", None), ("count\tword\n9\ta\n7\tb\n", [9, 7])],
)
def test_columns_go_by_their_titles(tmp_path: Path, metadata: str, counts: list[int] | None) -> None:
    (tmp_path / "vectors.tsv").write_text("1\t2\n3\t4\n")
    (tmp_path / "metadata.tsv").write_text(metadata)
    read = read_table(tmp_path / "vectors.tsv")
    assert read.words == ["a", "b"]
    assert (None if read.counts is None else read.counts.tolist()) == counts


@pytest.mark.parametrize(
    ("vectors", "words"),
    [
        ("my_tensors.tsv", "my_metadata.tsv"),
        ("tensor.tsv", "metadata.tsv"),
        ("wiki.tsv", "wiki_metadata.tsv"),
        ("wiki.vectors.tsv", "wiki.metadata.tsv"),
        ("vectors_of_vectors.tsv", "vectors_of_metadata.tsv"),
        ("vectors", "metadata"),
    ],
)
def test_which_file_has_the_words(vectors: str, words: str) -> None:
    assert metadata_path(Path("folder", vectors)) == Path("folder", words)


# --- detection


@pytest.mark.parametrize(
    ("content", "format"),
    [
        (b"1 2\na 1 2\n", "word2vec"),
        (b"2 2\na 1\nb 1 2\n", "word2vec"),  # a short row is a text file's fault
        (b"1 2\na 1 x\n", "word2vec"),
        (b"1 1\na \x00\x00\x80\x3f\n", "word2vec-binary"),
        (b"a 1 2\n", "glove"),
        (b"7 3\n8 4\n9 5\n", "glove"),
        (b"7 3 4\n8 4 4\n", "glove"),
        (b"1\t2\n", "projector"),
        (b"0.5\n0.25\n", "projector"),
        (b"a 1 2\ncaf\xe9 1 2\nb\0 5 6\n", "glove"),  # bad words are for the reader to report
    ],
)
def test_detection(tmp_path: Path, content: bytes, format: str) -> None:
    (tmp_path / "v").write_bytes(content)
    assert detect_format(tmp_path / "v") == format


@pytest.mark.parametrize("shift", range(3))
def test_a_character_on_the_edge_of_what_is_looked_at_is_no_binary(tmp_path: Path, shift: int) -> None:
    (tmp_path / "v").write_text("a" * shift + "".join(f"日本{n} 1\n" for n in range(9000)), encoding="utf-8")
    assert detect_format(tmp_path / "v") == "glove"


def test_files_that_are_no_vectors(tmp_path: Path) -> None:
    path = tmp_path / "v"
    for content, reason in [
        (b"", "empty"),
        (b"\xef\xbb\xbf1 2\na 1 2\n", "line 1: begins with a byte order mark"),
        (b"\x93NUMPY\x01\x00", r"binary, .*; write it as word2vec text or binary \(gensim: save_word2vec"),
        (b"\x80\x04\x95\x10", r"a pickle, .*; load it there and write it by save_word2vec_format\(\)"),
        (b"\xba\x16\x4f\x2f\x0c\0\0\0", r"a model of fastText; its vectors are in the \.vec file"),
    ]:
        path.write_bytes(content)
        with pytest.raises(FormatError, match=reason):
            read_table(path)
    with pytest.raises(MissingInputError):
        read_table(tmp_path / "absent")
    with pytest.raises(FormatError, match="is a directory"):
        read_table(tmp_path)
    with pytest.raises(UsageError, match="'hdf5' is not a format"):
        read_table(path, format="hdf5")
    with pytest.raises(UsageError, match="on_bad"):
        read_table(path, on_bad="ignore")  # type: ignore[arg-type]


# --- bad rows

GOOD = b"ok 1 2\n"
BAD_TEXT = [
    (b"a 1\n", "1 numbers instead of 2"),
    (b"a\n", "0 numbers instead of 2"),
    (b"a 1 2 3\n", "3 numbers instead of 2"),
    (b"new york 1 2\n", "must not hold spaces"),
    (b"a\t1\t2\n", "parted by spaces, not TABs"),
    (b"\n", "a blank line"),
    (b"  \n", "a blank line"),
    (b"a 1 x\n", "'x' is not a number"),
    (b"a 1 1_0\n", "'1_0' is not a number"),
    (b"a 1 0x1\n", "'0x1' is not a number"),
    (b"a 1 \xb2\n", "is not a number"),
    (b"a 1 nan\n", "NaN"),
    (b"a 1 -inf\n", "NaN, an infinity"),
    (b"a 1 1e50\n", "too large"),
    (b"ok 3 4\n", "'ok' was there before"),
    (b"a\xff 1 2\n", "not UTF-8"),
    (b" 1 2\n", "the word ''"),
    (b"a\0 1 2\n", "control characters"),
    (b"a\tb 1 2\n", "white space"),
    ("a\u2028 1 2\n".encode(), "white space"),
]


@pytest.mark.parametrize(("row", "reason"), BAD_TEXT)
@pytest.mark.parametrize("format", ["word2vec", "glove"])
def test_bad_rows_of_text(tmp_path: Path, format: str, row: bytes, reason: str) -> None:
    path, line = tmp_path / "v", 3 if format == "word2vec" else 2
    rows = 3 if row.strip() else 2  # nobody promises blank lines
    path.write_bytes((f"{rows} 2\n".encode() if format == "word2vec" else b"") + GOOD + row + b"last 5 6\n")
    with pytest.raises(FormatError, match=reason) as caught:
        read_table(path, format=format)
    assert caught.value.line == line
    assert f"{path}, line {line}: " in str(caught.value)
    table = read_table(path, format=format, on_bad="skip")
    assert (table.words, table.matrix.tolist(), table.skipped) == (["ok", "last"], [[1, 2], [5, 6]], 1)
    assert table.first_skipped == str(caught.value)


@pytest.mark.parametrize(
    ("content", "line", "reason", "skipped"),
    [
        (b"2 2\n" + GOOD, None, "ends 1 rows early: the first line promises 2", 1),
        (b"1 2\n" + GOOD + b"b 1 2\n", 3, "one row more than the 1", 1),
        (b"1 2\n" + GOOD + b"\n", 3, "a blank line", 1),
        (b"2 2\n" + GOOD + b"\nb 1 2\n", 3, "a blank line", 1),
    ],
)
def test_text_that_its_header_contradicts(
    tmp_path: Path, content: bytes, line: int | None, reason: str, skipped: int
) -> None:
    (tmp_path / "v").write_bytes(content)
    with pytest.raises(FormatError, match=reason) as caught:
        read_table(tmp_path / "v", format="word2vec")
    assert caught.value.line == line
    assert read_table(tmp_path / "v", format="word2vec", on_bad="skip").skipped == skipped


HEADERS = [
    (b"a 1 2\n", "the first line must be"),
    (b"0 2\n", "promises 0 rows"),
    (b"2 0\n", "of 0 numbers"),
    (b"1 65537\n", "1 to 65,536"),
    # GB that no file of these few bytes can fill: refused before anything is allocated
    (b"100000000000 300\n", r"100,000,000,000 rows of 300 numbers, the file has only"),
    (b"1000000 1000\n" + b"a 1 2\n", "the file has only"),
    (b"-1 2\n", "the first line must be"),
    (b"9" * 40 + b" 2\n", "the first line must be"),
]


@pytest.mark.parametrize(("header", "reason"), HEADERS)
@pytest.mark.parametrize("format", ["word2vec", "fasttext", "word2vec-binary"])
def test_headers_that_are_refused(tmp_path: Path, format: str, header: bytes, reason: str) -> None:
    (tmp_path / "v").write_bytes(header)
    for on_bad in ("error", "skip"):
        with pytest.raises(FormatError, match=reason) as caught:
            read_table(tmp_path / "v", format=format, on_bad=on_bad)  # type: ignore[arg-type]
        assert caught.value.line == 1


def test_a_compressed_header_is_not_believed_either(tmp_path: Path) -> None:
    (tmp_path / "v.gz").write_bytes(gzip.compress(b"100000000000 300\n"))  # 120 TB
    with pytest.raises(FormatError, match="rows early"):
        read_table(tmp_path / "v.gz", format="word2vec")
    with pytest.raises(FormatError, match="ends in row 1"):
        read_table(tmp_path / "v.gz", format="word2vec-binary")


def test_a_line_without_end(tmp_path: Path) -> None:
    (tmp_path / "v").write_bytes(b"a 1 2\nb " + b"1" * (1 << 22))
    with pytest.raises(FormatError, match="line 2: a line of more than"):
        read_table(tmp_path / "v", format="glove", on_bad="skip")


def test_nothing_but_bad_rows(tmp_path: Path) -> None:
    (tmp_path / "v").write_bytes(b"1 2\na 1 x\n")
    with pytest.raises(FormatError, match=r"no vectors in the file.*'x' is not a number"):
        read_table(tmp_path / "v", on_bad="skip")


def binary_row(word: bytes, *numbers: float) -> bytes:
    return word + b" " + np.array(numbers, "<f4").tobytes()


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (binary_row(b"a", 1, np.nan), "NaN"),
        (binary_row(b"a", 1, np.inf), "infinity"),
        (binary_row(b"ok", 1, 2), "'ok' was there before"),
        (binary_row(b"\xff", 1, 2), "not UTF-8"),
        (binary_row(b"", 1, 2), "the word ''"),
        (binary_row(b"a\nb", 1, 2), "no line end"),
        (binary_row(b"a\0", 1, 2), "no NUL"),
    ],
)
def test_bad_rows_of_binary(tmp_path: Path, row: bytes, reason: str, end: bytes) -> None:
    path = tmp_path / "v"
    path.write_bytes(b"3 2\n" + binary_row(b"ok", 1, 2) + end + row + end + binary_row(b"last", 5, 6) + end)
    with pytest.raises(FormatError, match=reason) as caught:
        read_table(path, format="word2vec-binary")
    # 4 bytes of header, "ok " and two numbers of 4 bytes
    assert caught.value.byte == 4 + 3 + 8 + len(end)
    table = read_table(path, format="word2vec-binary", on_bad="skip")
    assert (table.words, table.matrix.tolist(), table.skipped) == (["ok", "last"], [[1, 2], [5, 6]], 1)


@pytest.mark.parametrize(
    ("content", "reason", "byte"),
    [
        (binary_row(b"a", 1, 2) + binary_row(b"b", 1, 2)[:-1], "ends in row 2 of the 2", 4 + 10 + 9),
        (
            binary_row(b"a", 1, 2) + binary_row(b"b", 1, 2) + binary_row(b"c", 1, 2),
            "more bytes follow after the 2",
            4 + 10 + 10,
        ),
    ],
)
def test_binary_that_its_header_contradicts(tmp_path: Path, content: bytes, reason: str, byte: int) -> None:
    (tmp_path / "v").write_bytes(b"2 2\n" + content)
    with pytest.raises(FormatError, match=reason) as caught:
        read_table(tmp_path / "v", format="word2vec-binary")
    assert caught.value.byte == byte
    assert read_table(tmp_path / "v", format="word2vec-binary", on_bad="skip").skipped == 1


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The smallest, of two rows with the longest word: 8,200 bytes where a row has one number."""
    monkeypatch.setattr(_binary_format, "_CHUNK_BYTES", 1)


@pytest.mark.usefixtures("small_chunks")
def test_a_bad_row_of_a_later_chunk(tmp_path: Path) -> None:
    rows = [binary_row(b"%04d" % n, 1) + b"\n" for n in range(3000)]  # of 10 bytes
    rows[2900] = binary_row(b"\xff\xff\xff\xff", 1) + b"\n"
    (tmp_path / "v").write_bytes(b"3000 1\n" + b"".join(rows))
    with pytest.raises(FormatError, match="not UTF-8") as caught:
        read_table(tmp_path / "v", format="word2vec-binary")
    assert caught.value.byte == 7 + 29_000


@pytest.mark.usefixtures("small_chunks")
def test_a_row_too_many_where_a_chunk_ends(tmp_path: Path) -> None:
    rows = b"".join(binary_row(b"%04d" % n, 1) + b"\n" for n in range(820))  # 8,200 bytes
    (tmp_path / "v").write_bytes(b"820 1\n" + rows + binary_row(b"more", 1) + b"\n")
    with pytest.raises(FormatError, match="more bytes follow after the 820 rows"):
        read_table(tmp_path / "v", format="word2vec-binary")


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("last", [b"", b"\n", b"\n\n"])
def test_the_last_line_end_where_a_chunk_ends(tmp_path: Path, last: bytes) -> None:
    """word2vec.c and seqkit write it, gensim does not; two are not of the file."""
    row = binary_row(b"%03d" % 7, 1)
    rows = 8192 // (len(row) + 1)
    content = b"\n".join(binary_row(b"%03d" % n, 1) for n in range(rows))
    content = b"x" * (8192 - len(content)) + content  # a longer first word
    assert len(content) == 8192
    (tmp_path / "v").write_bytes(b"%d 1\n" % rows + content + last)
    if len(last) < 2:
        assert len(read_table(tmp_path / "v", format="word2vec-binary").words) == rows
    else:
        with pytest.raises(FormatError, match="more bytes follow"):
            read_table(tmp_path / "v", format="word2vec-binary")


def test_a_binary_word_without_end(tmp_path: Path) -> None:
    (tmp_path / "v").write_bytes(b"2 2\n" + binary_row(b"a", 1, 2) + b"x" * 5000)
    for on_bad in ("error", "skip"):
        with pytest.raises(FormatError, match="a word of more than 4,096 bytes") as caught:
            read_table(tmp_path / "v", format="word2vec-binary", on_bad=on_bad)  # type: ignore[arg-type]
        assert caught.value.byte == 4 + 10


@pytest.mark.parametrize(
    ("vectors", "words", "reason", "kept"),
    [
        (b"1\t2\n3\n5\t6\n", b"a\nb\nc\n", "line 2: 1 numbers instead of 2", ["a", "c"]),
        (b"1\t2\n3\tx\n5\t6\n", b"a\nb\nc\n", "line 2: 'x' is not a number", ["a", "c"]),
        (b"1\t2\n3\tnan\n5\t6\n", b"a\nb\nc\n", "line 2: the vector of 'b'", ["a", "c"]),
        (b"1\t2\n3\t4\n5\t6\n", b"a\na\nc\n", "line 2: the word 'a' was there before", ["a", "c"]),
        (b"1\t2\n3\t4\n5\t6\n", b"a\n\nc\n", r"line 2: metadata\.tsv, line 2: the word ''", ["a", "c"]),
        (b"1\t2\n3\t4\n5\t6\n", b"a\n\xff\nc\n", r"metadata\.tsv, line 2: .* not UTF-8", ["a", "c"]),
        (b"1\t2\n3\t4\n", b"a\n", "line 2: no word for this vector", ["a"]),
        (b"1\t2\n", b"a\nb\n", "no vector for the word 'b'", ["a"]),
        (b"1\t2\n3\t4\n", b"word\tcount\na\t1\nb\tx\n", "line 3: the count 'x'", ["a"]),
        (b"1\t2\n3\t4\n", b"word\tcount\na\t1\nb\n", "line 3: 1 columns instead of 2", ["a"]),
    ],
)
def test_bad_rows_of_the_projector(
    tmp_path: Path, vectors: bytes, words: bytes, reason: str, kept: list[str]
) -> None:
    (tmp_path / "vectors.tsv").write_bytes(vectors)
    (tmp_path / "metadata.tsv").write_bytes(words)
    with pytest.raises(FormatError, match=reason):
        read_table(tmp_path / "vectors.tsv", format="projector")
    table = read_table(tmp_path / "vectors.tsv", format="projector", on_bad="skip")
    assert (table.words, table.skipped) == (kept, 1)
    assert table.matrix[0].tolist() == [1, 2]
    assert table.counts is None or table.counts.tolist() == [1]


@pytest.mark.parametrize("bad", [b"nan\tnan", b"x\t1"])
def test_counts_stay_with_their_words_where_rows_are_skipped(tmp_path: Path, bad: bytes) -> None:
    (tmp_path / "vectors.tsv").write_bytes(b"1\t2\n" + bad + b"\n5\t6\n")
    (tmp_path / "metadata.tsv").write_bytes(b"word\tcount\na\t9\nb\t7\nc\t3\n")
    table = read_table(tmp_path / "vectors.tsv", format="projector", on_bad="skip")
    assert table.counts is not None
    assert (table.words, table.counts.tolist()) == (["a", "c"], [9, 3])


# --- what cannot be written


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("word", ["", "a\nb", "a\0b", "\ud800"])
def test_words_that_no_format_holds(tmp_path: Path, format: str, word: str) -> None:
    with pytest.raises(FormatError, match="nothing was written") as caught:
        write_table(tmp_path / "v", Table(["ok", word], MATRIX[:2]), format=format)
    assert repr(word) in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("format", "word"),
    [
        ("word2vec", "new york"),
        ("glove", "a\tb"),
        ("fasttext", "a\u2028"),
        ("word2vec-binary", "new york"),
        ("projector", "a\tb"),
    ],
)
def test_words_that_one_format_does_not_hold(tmp_path: Path, format: str, word: str) -> None:
    with pytest.raises(FormatError, match="cannot be written"):
        write_table(tmp_path / "v", Table([word], MATRIX[:1]), format=format)


def test_vectors_that_are_not_finite_are_not_written(tmp_path: Path) -> None:
    matrix = MATRIX.copy()
    matrix[3, 2] = np.nan
    with pytest.raises(FormatError, match=r"the vector of \"don't\" is not finite"):
        write_table(tmp_path / "v.txt", Table(WORDS, matrix))
    assert list(tmp_path.iterdir()) == []


def test_a_vector_that_is_not_finite_in_a_later_piece(tmp_path: Path) -> None:
    matrix = np.zeros((3, 1 << 21), np.float32)  # pieces of two rows
    matrix[2, 5] = np.nan
    with pytest.raises(FormatError, match="the vector of 'c' is not finite"):
        write_table(tmp_path / "v.bin", Table(["a", "b", "c"], matrix))


@pytest.mark.parametrize("value", [-7.984800338745117, 0.1, 1e-38])
@pytest.mark.parametrize("words", [["5"], ["a", "b"]])
def test_small_binary_files_are_seen_to_be_binary(tmp_path: Path, words: list[str], value: float) -> None:
    table = Table(words, np.full((len(words), 1), value, np.float32))
    write_table(tmp_path / "v.bin", table)
    assert_same(read_table(tmp_path / "v.bin"), table)


def test_files_are_replaced_only_when_asked(tmp_path: Path) -> None:
    for name in ("vectors.tsv", "metadata.tsv"):
        (tmp_path / name).write_text("mine")
        with pytest.raises(UsageError, match="--overwrite"):
            write_table(tmp_path / "vectors.tsv", TABLE)
        write_table(tmp_path / "vectors.tsv", TABLE, overwrite=True)
        (tmp_path / "vectors.tsv").unlink()
    with pytest.raises(UsageError, match="is a directory"):
        write_table(tmp_path, TABLE, format="glove", overwrite=True)
    with pytest.raises(StorageError):
        write_table(tmp_path / "no" / "v.txt", TABLE)


def test_names_that_say_no_format() -> None:
    with pytest.raises(UsageError, match="does not say which format"):
        format_of_name("vectors.h5")
    with pytest.raises(UsageError, match=r"leave off \.gz"):
        format_of_name("vectors.txt.gz")
    assert format_of_name("glove.6B.50d.txt") == "glove"


def test_a_projector_that_cannot_be_listed_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is the name of TensorBoard's list of such files"):
        write_table(tmp_path / "projector_config.pbtxt", TABLE, format="projector")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "projector_config.pbtxt").write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(FormatError, match="more than 1,048,576 bytes"):
        write_table(tmp_path / "x.tsv", TABLE, format="projector")
    (tmp_path / "projector_config.pbtxt").unlink()
    (tmp_path / "projector_config.pbtxt").mkdir()
    with pytest.raises(StorageError, match="projector_config"):
        write_table(tmp_path / "x.tsv", TABLE, format="projector")
    assert [path.name for path in tmp_path.iterdir()] == ["projector_config.pbtxt"]


def test_words_are_not_left_beside_the_vectors_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_table(tmp_path / "x.tsv", TABLE, format="projector")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(matrix: Any, separator: str) -> list[str]:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_projector_format, "format_rows", full)
    other = Table(tuple(f"new-{word}" for word in TABLE.words), TABLE.matrix)
    with pytest.raises(StorageError, match="No space left"):
        write_table(tmp_path / "x.tsv", other, format="projector", overwrite=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
