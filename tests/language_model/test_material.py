"""From text to ids: every level, lines and streams, held-out parts, counts, fingerprints, and bad text."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import Told
from seqkit.errors import CorpusError, MissingInputError, UsageError
from seqkit.language_model.coding import END_ID, SPECIALS, UNKNOWN_ID
from seqkit.language_model.config import TextConfig
from seqkit.language_model.material import Material, material
from seqkit.progress import SILENT
from seqkit.text.encoding import fingerprint
from seqkit.text.splitting import Split

LEVELS = [("word", False), ("word", True), ("character", False), ("character", True), ("bpe", False)]
LEVELS += [("bpe", True)]


def made(path: Path, valid: list[Path] | None = None, seed: int = 0, **config: Any) -> Material:
    if config.get("level") == "bpe":
        config.setdefault("max_vocab", 300)
    return material([path], TextConfig(**config), seed, path.parent, valid or [], SILENT)


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def to_file(content: str | bytes, name: str = "text") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return to_file


# --- what each level makes of a text


def test_words_by_hand(write: Any) -> None:
    """`whitespace` keeps tokens; rare ones and a literal <unk> are one word; every line ends in <eos>."""
    found = made(write("the cat . the\n<unk> cat rare\n"), tokenizer="whitespace", min_count=2)
    words, counts = found.coding.vocabulary.words, found.coding.vocabulary.counts
    assert words == (*SPECIALS, "cat", "the")
    assert found.ids.tolist() == [3, 2, UNKNOWN_ID, 3, END_ID, UNKNOWN_ID, 2, UNKNOWN_ID, END_ID]
    assert counts.tolist() == [3, 2, 2, 2]  # ".", <unk> and "rare"; two lines
    assert counts.sum() == len(found.ids)
    assert found.ids.dtype == np.int32
    assert not len(found.held_out)


def test_the_word_tokenizer_drops_punctuation(write: Any) -> None:
    found = made(write("The cat, the hat!\n"))
    assert found.coding.vocabulary.words == (*SPECIALS, "The", "cat", "hat", "the")
    assert made(write("The cat, the hat!\n"), lowercase=True).coding.vocabulary.words[2] == "the"


@pytest.mark.parametrize("content", ["ab\n\nb a\n", "ab\r\n\r\nb a", "ab\r\rb a\r"])
def test_a_stream_of_characters_keeps_blank_lines_and_line_ends(write: Any, content: str) -> None:
    found = made(write(content), level="character")
    assert found.coding.decode(found.ids.tolist()) == "ab\n\nb a\n"
    counts = dict(zip(found.coding.vocabulary, found.coding.vocabulary.counts.tolist(), strict=True))
    assert counts == {"<unk>": 0, "<eos>": 0, "\n": 3, "a": 2, "b": 2, " ": 1}


def test_lines_of_characters(write: Any) -> None:
    found = made(write("ab\n\nba\n"), level="character", lines=True)
    assert found.ids.tolist() == [2, 3, END_ID, 3, 2, END_ID]
    assert found.coding.vocabulary.counts.tolist() == [0, 2, 2, 2]


def test_a_bounded_vocabulary_of_characters(write: Any) -> None:
    found = made(write("aaabbc"), level="character", max_vocab=2)  # a, b; the line end and c are unknown
    assert found.coding.vocabulary.words == (*SPECIALS, "a", "b")
    assert found.ids.tolist() == [2, 2, 2, 3, 3, UNKNOWN_ID, UNKNOWN_ID]
    assert found.coding.vocabulary.counts.tolist() == [2, 0, 3, 2]


def test_byte_pairs(write: Any) -> None:
    text = "low lower lowest\n\nlow low\n"
    found = made(write(text), level="bpe", max_vocab=258)
    # "lo" stands five times, then "low" as often: both are joined
    assert {"low"} < set(found.coding.vocabulary.words)
    assert found.coding.decode(found.ids.tolist()) == "low lower lowest\nlow low\n"
    assert found.coding.vocabulary.counts.sum() == len(found.ids)
    assert found.coding.vocabulary.counts[END_ID] == 2
    assert UNKNOWN_ID not in found.ids


@pytest.mark.parametrize(("level", "lines"), LEVELS)
def test_what_was_encoded_is_what_a_model_would_encode(write: Any, level: Any, lines: bool) -> None:
    """Training and scoring read text alike."""
    content = "one two  three\nthree, two\n\nnaïve one\n"
    found = made(write(content), level=level, lines=lines, tokenizer="whitespace")
    again = [*found.coding.encode_lines(content.split("\n")[:-1])]
    np.testing.assert_array_equal(np.concatenate(again), found.ids)


# --- fingerprints


@pytest.mark.parametrize(("level", "lines"), LEVELS)
@pytest.mark.parametrize("content", ["a b\nb a\n", "a b\r\nb a", "a b\n\n\nb a\n\n"])
def test_the_fingerprint_is_that_of_the_text(write: Any, level: Any, lines: bool, content: str) -> None:
    path = write(content)
    expected = hashlib.sha256(("\n".join(content.splitlines()) + "\n").encode()).hexdigest()
    assert fingerprint([path]) == expected
    assert made(path, level=level, lines=lines).fingerprint == expected


# --- held out


def test_held_out_lines_are_unknown_to_the_vocabulary(write: Any) -> None:
    """Line n has the word wn alone, and a common one."""
    path = write("".join(f"w{n} all\n" for n in range(40)))
    out = Split(0.25, 3).chosen(np.arange(40, dtype=np.uint64))
    for level in ("word", "bpe"):
        found = made(path, seed=3, level=level, validation=0.25, tokenizer="whitespace")
        lines = found.coding.decode(found.held_out.tolist()).split("\n")[:-1]
        assert len(lines) == out.sum() > 0
        if level == "word":
            assert lines == ["<unk> all"] * len(lines)
            kept = {f"w{n}" for n in np.flatnonzero(~out)}
            assert set(found.coding.vocabulary.words) == {*SPECIALS, "all", *kept}
        else:
            assert lines == [f"w{n} all" for n in np.flatnonzero(out)]
        assert found.coding.vocabulary.counts.sum() == len(found.ids)


def test_the_end_of_a_stream_of_characters_is_held_out(write: Any) -> None:
    found = made(write("aaaaaaaabz"), level="character", validation=0.3)  # 11 with the line end: 3 of them
    assert found.ids.tolist() == [2] * 8
    assert found.held_out.tolist() == [UNKNOWN_ID] * 3
    assert found.coding.vocabulary.words == (*SPECIALS, "a")


@pytest.mark.parametrize(("level", "lines"), LEVELS)
def test_a_text_of_its_own_to_validate_on(write: Any, level: Any, lines: bool) -> None:
    text, other = write("a b\nb a\n"), write("b a\nc\n", "other")
    found = made(text, [other], level=level, lines=lines)
    alone = made(text, level=level, lines=lines)
    np.testing.assert_array_equal(found.ids, alone.ids)
    assert found.coding.vocabulary == alone.coding.vocabulary
    np.testing.assert_array_equal(found.held_out, np.concatenate([*alone.coding.encode_lines(["b a", "c"])]))
    assert UNKNOWN_ID in found.held_out


def test_an_empty_text_to_validate_on(write: Any) -> None:
    with pytest.raises(CorpusError, match="other: no token in the text to validate on"):
        made(write("a b\n"), [write("\n\n", "other")])
    with pytest.raises(MissingInputError):
        made(write("a b\n"), [Path("/nowhere/at/all")])


# --- text that cannot be used


@pytest.mark.parametrize(("level", "lines"), LEVELS)
def test_an_empty_text(write: Any, level: Any, lines: bool) -> None:
    with pytest.raises(CorpusError) as caught:
        made(write(""), level=level, lines=lines)
    assert "\n" not in str(caught.value)
    assert "text" in str(caught.value)


@pytest.mark.parametrize(("level", "lines"), LEVELS)
def test_nothing_is_frequent_enough(write: Any, level: Any, lines: bool) -> None:
    with pytest.raises(CorpusError, match=r"occurs 9 times \(min_count\)"):
        made(write("ab cd\n"), level=level, lines=lines, min_count=9)


@pytest.mark.parametrize(("level", "lines"), LEVELS)
@pytest.mark.parametrize("fraction", [0.001, 0.999])
def test_nothing_to_train_on_or_to_hold_out(write: Any, level: Any, lines: bool, fraction: float) -> None:
    with pytest.raises(CorpusError, match=r"was left of|was held out|too little text") as caught:
        made(write("ab\nba\n"), level=level, lines=lines, validation=fraction)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("level", "lines"), LEVELS)
def test_what_is_no_utf_8(write: Any, level: Any, lines: bool) -> None:
    with pytest.raises(CorpusError, match="line 2, byte 5: not UTF-8"):
        made(write(b"good\n\xff\n"), level=level, lines=lines)


# --- texts with labels

TABLE = "kind\tline\n" + "".join(f"{'ab'[n % 2]}\t{'xy'[n % 2] * (n % 3 + 1)}\n" for n in range(40))
LABELLED = {"lines": True, "label_column": "kind", "text_column": "line"}


@pytest.mark.parametrize("level", ["word", "character", "bpe"])
def test_each_text_has_its_label(write: Any, level: str) -> None:
    """x and its repetitions are of kind a, y of b, in what is held out, too."""
    found = made(write(TABLE, "t.tsv"), level=level, validation=0.3, **LABELLED)
    assert found.coding.labels == ("a", "b")
    assert found.labels is not None
    assert found.held_out_labels is not None
    assert len(found.labels) + len(found.held_out_labels) == 40
    assert len(found.held_out_labels) == np.count_nonzero(
        Split(0.3, 0).chosen(np.arange(40, dtype=np.uint64))
    )
    for ids, labels in ((found.ids, found.labels), (found.held_out, found.held_out_labels)):
        texts = found.coding.decode(ids.tolist()).splitlines()
        kinds = ["ab"["y" in text] for text in texts if level != "word" or text != "<unk>"]
        if level != "word" or "<unk>" not in texts:
            assert kinds == [found.coding.labels[label] for label in labels]
    assert found.coding.vocabulary.counts[END_ID] == len(found.labels)
    other = made(write(TABLE.replace("a\tx\n", "b\tx\n", 1), "t.tsv"), level=level, **LABELLED)
    assert other.fingerprint != found.fingerprint  # the labels are part of the text


@pytest.mark.parametrize("level", ["word", "character", "bpe"])
def test_texts_with_labels_are_lower_cased_as_a_model_does(write: Any, level: str) -> None:
    """Whole texts for byte pairs, else tokens: alone, a Σ does not end a word, and İ has two characters."""
    text = "\u0130stanbul ΟΔΟΣ"
    found = made(write(f"kind\tline\na\t{text}\n", "t.tsv"), level=level, lowercase=True, **LABELLED)
    np.testing.assert_array_equal(found.ids, found.coding.encode_texts([text], ["a"])[0])
    assert UNKNOWN_ID not in found.ids


def test_a_text_of_its_own_to_validate_on_has_labels(write: Any) -> None:
    path = write(TABLE, "t.tsv")
    valid = write('line,kind\n"x\nx",a\ny,b\n', "v.csv")
    found = made(path, [valid], level="character", **LABELLED)
    assert found.held_out_labels is not None
    assert found.held_out_labels.tolist() == [0, 1]
    assert found.coding.decode(found.held_out.tolist()) == "x<unk>x\ny\n"  # a line end in a text is a space
    with pytest.raises(
        CorpusError, match=r"w\.tsv, line 2: no text that is learned has the label 'c', but a, b"
    ):
        made(path, [write("kind\tline\nc\tx\n", "w.tsv")], level="character", **LABELLED)


@pytest.mark.parametrize(
    ("valid", "options", "told"),
    [
        (
            "ab\nzz\nba\n",
            {"level": "character", "lines": True},
            "2 of 3 texts to validate on are learned, too",
        ),
        ("zz\nabb\n", {"level": "character", "lines": True}, None),
        ("ab\n", {"level": "character"}, None),
        ("line,kind\nx,a\nx,b\nzz,a\n", {"level": "character", **LABELLED}, "2 of 3 texts to validate on"),
    ],
)
def test_texts_to_validate_on_that_are_learned(
    write: Any, valid: str, options: dict[str, Any], told: str | None
) -> None:
    heard = Told()
    text = "line,kind\nx,a\ny,b\n" if "label_column" in options else "ab\nba\naa\n"
    path, other = write(text, "t.csv"), write(valid, "v.csv")
    material([path], TextConfig(**options), 0, path.parent, [other], heard)
    about = [message for message in heard.messages if "to validate on" in message]
    assert [message.startswith(told or "?") for message in about] == ([True] if told else [])


def test_what_labels_need(write: Any) -> None:
    with pytest.raises(CorpusError, match=r"t\.tsv, line 3: no label"):
        made(write("kind\tline\na\tx\n\ty\n", "t.tsv"), **LABELLED)
    long = f"kind\tline\na\tx\n{'b' * 1_001}\ty\n"
    with pytest.raises(
        CorpusError, match=r"t\.tsv, line 3: a label of 1,001 characters, bbb.*: is it the right"
    ):
        made(write(long, "t.tsv"), **LABELLED)
    with pytest.raises(CorpusError, match="no column 'kind'"):
        made(write("sort\tline\na\tx\n", "t.tsv"), **LABELLED)
    with pytest.raises(UsageError, match="add lines"):
        TextConfig(label_column="kind")
    with pytest.raises(UsageError, match="name the label_column"):
        TextConfig(text_column="line", lines=True)
    assert made(Path("reviews:30"), lines=True, label_column="label").coding.labels
