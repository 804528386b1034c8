"""Sources: files, compressed ones, stdin, folders by class, corpora; and all that can be wrong with them."""

from __future__ import annotations

import codecs
import gzip
import io
import lzma
from pathlib import Path

import pytest

from helpers import Told
from seqkit.errors import CorpusError, MissingInputError, UsageError
from seqkit.text import sources
from seqkit.text.columns import Columns
from seqkit.text.labelled import read_examples

TSV = b"1\tgood\n0\tbad\n"


def pairs(place: object, **options: object) -> list[tuple[str | None, str]]:
    return [(e.labels.get("label"), e.text) for e in read_examples(place, **options)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("data.tsv", TSV),
        ("data", TSV),
        ("data.tsv.gz", gzip.compress(TSV, mtime=0)),
        ("data.xz", lzma.compress(TSV)),
        ("data.tsv", TSV.replace(b"\n", b"\r\n")),
        ("data.tsv", codecs.BOM_UTF8 + TSV.rstrip()),
        ("data.csv", b'label,text\r\n1,"good"\r\n0,bad'),
        ("data.jsonl", b'{"text": "good", "label": 1}\n{"text": "bad", "label": 0}'),
    ],
)
def test_files(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert pairs(path) == [("1", "good"), ("0", "bad")]
    first = next(iter(read_examples(path)))
    assert (first.path, first.line) == (str(path), 2 if content.startswith(b"label") else 1)


def test_line_ends_in_fields_are_the_same_on_all_systems(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b'text,label\r\n"a\r\nb",1\r\nc,0\r\n')
    assert [(e.text, e.line) for e in read_examples(path)] == [("a\nb", 2), ("c", 4)]


@pytest.mark.parametrize(
    "content",
    [TSV, b'{"text": "good", "label": 1}\n{"text": "bad", "label": 0}\n', b"label,text\n1,good\n0,bad\n"],
)
def test_stdin(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    examples = list(read_examples("-"))
    assert [(e.labels["label"], e.text) for e in examples] == [("1", "good"), ("0", "bad")]
    assert examples[0].path == "<stdin>"


def test_an_enormous_line_is_one_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "BLOCK_BYTES", 1 << 10)
    path = tmp_path / "data.tsv"
    path.write_bytes(b"1\t" + b"word " * 100_000 + b"\n0\tbad\n")
    assert pairs(path) == [("1", "word " * 100_000), ("0", "bad")]


@pytest.mark.parametrize(
    ("name", "begin", "end"),
    [
        ("data.tsv", "label\ttext\n1\t", "\n"),
        ("data.csv", "label,text\n1,", "\n"),
        ("data.jsonl", '{"label": "1", "text": "', '"}\n'),
    ],
)
def test_a_text_of_megabytes(name: str, begin: str, end: str, tmp_path: Path) -> None:
    text = "word " * 300_000 + "end"
    (tmp_path / name).write_text(begin + text + end)
    assert pairs(tmp_path / name) == [("1", text)]


@pytest.mark.parametrize(
    ("content", "line", "byte", "reason"),
    [
        (b"1\tgood\n0\tcaf\xe9\n", 2, 12, "not UTF-8"),
        (b"1\tgood\n0\tb\0d\n", 2, 10, "NUL"),
        (b"\x89PNG\r\n\x1a\n\0", 1, 0, "not UTF-8"),
        (b"PK\x03\x04\x14\0\x06", 1, 5, "NUL"),
        (codecs.BOM_UTF16_LE + "1\tgood\n".encode("utf-16-le"), 1, 0, "UTF-16"),
        (b"", None, None, "empty"),
    ],
)
@pytest.mark.parametrize("name", ["data.tsv", "data.csv", "data.jsonl", "data"])
def test_files_that_are_no_text(
    name: str, content: bytes, line: int | None, byte: int | None, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=reason) as caught:
        list(read_examples(path))
    assert (caught.value.path, caught.value.line, caught.value.byte) == (str(path), line, byte)
    assert "\n" not in str(caught.value)


def by_class(folder: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    layout = {
        "train/pos/0_9.txt": "good<br />\nfilm\n",
        "train/pos/1_8.txt": "fine",
        "train/neg/0_1.txt": "bad",
        "train/neg/.hidden": "no text",
        "train/unsup/0_0.txt": "who knows",
        "train/urls_pos.txt": "http://example.org",
    }
    folder, told = by_class(tmp_path, layout) / "train", Told()
    assert pairs(folder, progress=told) == [("neg", "bad"), ("pos", "good<br />\nfilm"), ("pos", "fine")]
    assert told.messages == [f"{folder / 'unsup'}: left out, as it has no labels"]
    assert next(iter(read_examples(folder))).path == str(folder / "neg" / "0_1.txt")
    assert [text for _, text in pairs(folder, labelled=False)] == [
        "bad",
        "good<br />\nfilm",
        "fine",
        "who knows",
    ]


@pytest.mark.parametrize("name", ["unsup", "unlabelled", "Unlabeled"])
def test_a_folder_of_texts_without_labels_is_no_class(name: str, tmp_path: Path) -> None:
    folder = by_class(tmp_path, {f"{each}/0.txt": "text" for each in ("neg", "pos", name)})
    assert pairs(folder) == [("neg", "text"), ("pos", "text")]


def test_a_folder_of_splits_is_no_folder_of_classes(tmp_path: Path) -> None:
    folder = by_class(tmp_path, {"train/pos/1.txt": "good", "test/pos/1.txt": "good"})
    with pytest.raises(
        CorpusError, match=r"test, train are splits, not classes; name one of them, as in .*test"
    ):
        list(read_examples(folder))


def test_a_folder_of_tables(tmp_path: Path) -> None:
    folder = by_class(tmp_path, {"a.tsv": "1\tgood\n", "b.csv": "text,label\nbad,0\n"})
    assert pairs(folder) == [("1", "good"), ("0", "bad")]


def test_a_damaged_text_in_a_folder_is_named(tmp_path: Path) -> None:
    folder = by_class(tmp_path, {"pos/1.txt": "good", "neg/1.txt": "bad"})
    (folder / "pos" / "2.txt").write_bytes(b"one\ntw\xff\n")
    with pytest.raises(CorpusError, match="not UTF-8") as caught:
        list(read_examples(folder))
    assert (caught.value.path, caught.value.line, caught.value.byte) == (str(folder / "pos" / "2.txt"), 2, 6)


def test_a_folder_without_files(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="holds no file"):
        list(read_examples(tmp_path))


def test_corpora() -> None:
    examples = list(read_examples("reviews:40"))
    assert len(examples) == 40
    assert {example.labels["label"] for example in examples} <= {"positive", "negative", "neutral"}
    assert (examples[2].path, examples[2].line) == ("reviews:40", 3)
    assert [text for _, text in pairs("reviews:40", labelled=False)] == [e.text for e in examples]


def test_a_corpus_without_labels() -> None:
    with pytest.raises(UsageError, match="kingdom has no labels; reviews"):
        list(read_examples("kingdom"))


@pytest.mark.parametrize("place", ["reviews:40", "folder"])
def test_columns_of_what_has_none(place: str, tmp_path: Path) -> None:
    if place == "folder":
        place = str(by_class(tmp_path, {"pos/1.txt": "good", "neg/1.txt": "bad"}))
    with pytest.raises(CorpusError, match="no column 'stars': it has no columns"):
        list(read_examples(place, Columns(labels=("stars",))))
    assert list(read_examples(place, Columns("text", ("label",))))


def test_a_missing_file_has_its_neighbours_named(tmp_path: Path) -> None:
    (tmp_path / "reviews.tsv").write_bytes(TSV)
    with pytest.raises(MissingInputError, match=r"did you mean .*reviews\.tsv"):
        list(read_examples(tmp_path / "review.tsv"))


def test_texts_are_read_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "BLOCK_BYTES", 1 << 10)
    path = tmp_path / "data.tsv"
    path.write_bytes(TSV * 1000 + b"\xff")  # what is behind is not read before
    assert next(iter(read_examples(path))).text == "good"
