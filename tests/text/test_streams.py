"""What a user can name as a source, and what is said when it cannot be read."""

from __future__ import annotations

import gzip
import io
import os
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from seqkit.embeddings.vectors import Vectors
from seqkit.errors import CorpusError, MissingInputError, StorageError, UsageError
from seqkit.text.sources import iter_lines
from seqkit.text.streams import resolve


def test_a_folder_is_its_files_sorted_by_path(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.txt", "a.txt", "a/deep/x.txt", ".hidden", ".git/config", "a/.cache/y"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "c.gz").write_bytes(gzip.compress(b"c.gz"))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    assert list(iter_lines(tmp_path)) == ["a/deep/x.txt", "a/z.txt", "a.txt", "b.txt", "c.gz"]


def test_several_sources_at_once_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("1")
    (tmp_path / "two").write_text("2\n")
    (tmp_path / "three").write_text("3")
    places = [str(tmp_path / "two"), tmp_path / "one", tmp_path / "three"]
    assert list(iter_lines(places)) == ["2", "1", "3"]


@pytest.mark.parametrize(
    "data",
    [b"one\ntwo", gzip.compress(b"one\ntwo\n", mtime=0), b"one\ntwo\n"],
    ids=["without an end", "gzip", "ended"],
)
def test_stdin(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    assert list(iter_lines("-")) == ["one", "two"]
    assert not sys.stdin.buffer.closed


def test_a_pipe_that_gives_a_byte_at_a_time(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    data = gzip.compress(b"one\ntwo\n")

    def feed() -> None:
        with open(tmp_path / "pipe", "wb", buffering=0) as pipe:
            for byte in data:
                pipe.write(bytes([byte]))

    writer = threading.Thread(target=feed)
    writer.start()
    assert list(iter_lines(tmp_path / "pipe")) == ["one", "two"]
    writer.join()


def test_a_corpus_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from seqkit.corpora import open_corpus

    monkeypatch.chdir(tmp_path)
    assert list(iter_lines("kingdom:50")) == list(open_corpus("kingdom:50"))
    Path("kingdom").write_text("a file of that name")
    assert list(iter_lines("kingdom")) == ["a file of that name"]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("corpsu.txt", r"corpsu.txt: no such file, folder or corpus; did you mean 'corpus.txt'\?"),
        ("kingdm", r"kingdm: no such file, folder or corpus; did you mean 'kingdom'"),
        ("zzzzzz", r"zzzzzz: no such file, folder or corpus; the corpora are kingdom, "),
        ("nowhere/corpus.txt", r"nowhere/corpus.txt: there is no folder nowhere"),
        ("corpus.txt/part", r"corpus.txt/part: there is no folder corpus.txt"),
        ("nltk:no_such_corpus", r"no_such_corpus"),
        ("dangling.txt", r"dangling.txt: a symbolic link to what is not there"),
    ],
)
def test_what_is_missing(place: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("corpus.txt").write_text("text")
    Path("dangling.txt").symlink_to("gone.txt")
    with pytest.raises(MissingInputError, match=message):
        list(iter_lines(["corpus.txt", place]))


def test_what_is_missing_is_told_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError):
        iter_lines([tmp_path / "absent.txt"])


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / ".hidden").write_text("x")
    with pytest.raises(CorpusError, match=f"^{tmp_path}: the folder holds no file"):
        resolve(tmp_path)


@pytest.mark.parametrize("sources", [[], ["-", "-"]])
def test_impossible_sources(sources: list[str]) -> None:
    with pytest.raises(UsageError):
        resolve(sources)


def test_a_file_that_the_system_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "corpus.txt"
    path.write_text("x")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("builtins.open", refuse)  # chmod would not stop root
    with pytest.raises(StorageError, match=r"corpus\.txt: cannot be read: Permission denied"):
        list(iter_lines(path))


def test_an_error_while_reading() -> None:
    with pytest.raises(StorageError, match=r"^/proc/self/mem: cannot be read: Input/output error"):
        list(iter_lines("/proc/self/mem"))


def test_a_name_that_no_system_has() -> None:
    with pytest.raises(StorageError, match="null"):
        resolve("a\0b")


def test_a_bundle_is_no_text(tmp_path: Path) -> None:
    Vectors(["a", "b"], np.eye(2, dtype=np.float32)).save(tmp_path / "b")
    with pytest.raises(CorpusError, match="b: a vectors bundle, which holds no text"):
        resolve(tmp_path / "b")
    (tmp_path / "b" / "manifest.json").write_text("{}")  # somebody's folder
    assert len(resolve(tmp_path / "b")) == len(list((tmp_path / "b").iterdir()))


@pytest.mark.parametrize("sentences", [[["the", "cat"], ["sat"]], [[]]])
def test_sentences_are_no_sources(sentences: Any) -> None:
    with pytest.raises(UsageError, match="or -, not list: write the text to a file, a sentence on a line"):
        resolve(sentences)


def test_sources_may_come_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a\n")
    assert [opener.place for opener in resolve(iter([tmp_path / "a.txt"]))] == [str(tmp_path / "a.txt")]  # type: ignore[arg-type]
