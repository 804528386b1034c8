"""Opening an encoded corpus: what is damaged is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from seqkit.errors import BundleError, MissingInputError
from seqkit.text import EncodedCorpus, EncodingConfig, Tokenizer, encode


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "corpus.txt").write_text("a b a\nc a b\n")
    encode(tmp_path / "corpus.txt", tmp_path / "out")
    return tmp_path / "out"


def test_it_opens_as_it_was_written(folder: Path) -> None:
    corpus = EncodedCorpus.open(folder)
    assert corpus.ids.tolist() == [0, 1, 0, -1, 2, 0, 1, -1]
    assert (corpus.tokens, corpus.kept_tokens, corpus.lines) == (6, 6, 2)
    assert not corpus.ids.flags.writeable
    assert (folder / "ids.bin").read_bytes()[:8] == b"\0\0\0\0\1\0\0\0"


def edit(**values: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        record = json.loads((folder / "encoding.json").read_text()) | values
        (folder / "encoding.json").write_text(json.dumps(record))

    return change


def shorten(name: str, by: int) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).write_bytes((folder / name).read_bytes()[:-by])

    return change


def flip(name: str) -> Callable[[Path], None]:
    """Changes the last bit of the middle byte: the size stays."""

    def change(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        data[len(data) // 2] ^= 1
        (folder / name).write_bytes(data)

    return change


DAMAGE: dict[str, Callable[[Path], object]] = {
    "an id changed": flip("ids.bin"),
    "a word or count changed": flip("vocabulary.tsv"),
    "ids cut": shorten("ids.bin", 4),
    "ids cut inside one": shorten("ids.bin", 1),
    "no ids": lambda folder: (folder / "ids.bin").write_bytes(b""),
    "vocabulary cut": shorten("vocabulary.tsv", 2),
    "vocabulary not UTF-8": lambda folder: (folder / "vocabulary.tsv").write_bytes(b"\xff\n"),
    "counts too large": lambda folder: (folder / "vocabulary.tsv").write_text('"a"\t99\n'),
    "record cut": shorten("encoding.json", 2),
    "fewer ids recorded": edit(ids=7),
    "fewer tokens recorded": edit(tokens=5),
    "no hash of the ids": edit(sha256={}),
    "surplus key": edit(colour="red"),
    "wrong type": edit(tokens="6"),
    "a boolean for a number": edit(lines=True),
    "a list": lambda folder: (folder / "encoding.json").write_text("[]"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_refused(damage: str, folder: Path) -> None:
    DAMAGE[damage](folder)
    with pytest.raises(BundleError) as caught:
        EncodedCorpus.open(folder)
    assert str(folder) in str(caught.value)


@pytest.fixture
def divided(tmp_path: Path) -> Path:
    (tmp_path / "corpus.txt").write_text("a b a\n" * 100)
    encode(tmp_path / "corpus.txt", tmp_path / "out", EncodingConfig(tokenizer=Tokenizer(), held_out=0.5))
    return tmp_path / "out"


DAMAGE_WITH_HELD_OUT: dict[str, Callable[[Path], object]] = {
    "an id changed": flip("held_out.bin"),
    "fewer ids recorded": edit(held_out_ids=7),
    "ids cut": shorten("held_out.bin", 4),
    "no ids": lambda folder: (folder / "held_out.bin").write_bytes(b""),
    "no ids, and none recorded": lambda folder: (
        (folder / "held_out.bin").write_bytes(b""),
        edit(held_out_ids=0)(folder),
    ),
    "no tokens": edit(held_out_tokens=0),
    "all tokens": edit(held_out_tokens=300),
    "too many tokens": edit(held_out_tokens=299),
    "wrong type": edit(held_out_ids=True),
}


@pytest.mark.parametrize("damage", DAMAGE_WITH_HELD_OUT)
def test_damage_to_the_part_held_out_is_refused(damage: str, divided: Path) -> None:
    assert EncodedCorpus.open(divided).held_out_tokens > 0
    DAMAGE_WITH_HELD_OUT[damage](divided)
    with pytest.raises(BundleError) as caught:
        EncodedCorpus.open(divided)
    assert str(divided) in str(caught.value)


@pytest.mark.parametrize("number", [1, 3, None])
def test_another_format(folder: Path, number: int | None) -> None:
    edit(format=number, sha256=None)(folder)
    with pytest.raises(BundleError, match=f"json: format {number} is not known; this seqkit knows 2"):
        EncodedCorpus.open(folder)


def test_one_key_of_the_part_held_out_is_not_enough(folder: Path) -> None:
    edit(held_out_tokens=1)(folder)
    with pytest.raises(BundleError, match="expected the keys"):
        EncodedCorpus.open(folder)


def test_a_missing_part_held_out(divided: Path) -> None:
    (divided / "held_out.bin").unlink()
    with pytest.raises(MissingInputError, match=r"held_out\.bin"):
        EncodedCorpus.open(divided)


@pytest.mark.parametrize("name", ["ids.bin", "vocabulary.tsv", "encoding.json"])
def test_a_missing_file(name: str, folder: Path) -> None:
    (folder / name).unlink()
    with pytest.raises(MissingInputError, match=name):
        EncodedCorpus.open(folder)
