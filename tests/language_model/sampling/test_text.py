"""Text that never has to be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit.errors import UsageError
from seqkit.language_model.sampling import TextStream


def from_bytes(ids: Sequence[int]) -> str:
    return bytes(ids).decode("utf-8", "replace")


def byte_by_byte(ids: Sequence[int]) -> str:
    """Another decoder: a replacement for each byte of an incomplete character."""
    return "".join(
        piece if piece != "�" or data == b"\xef\xbf\xbd" else "�" * len(data)
        for piece, data in _pieces(bytes(ids))
    )


def _pieces(data: bytes) -> list[tuple[str, bytes]]:
    found, start = [], 0
    while start < len(data):
        for size in (1, 2, 3, 4):
            try:
                found.append((data[start : start + size].decode(), data[start : start + size]))
            except UnicodeDecodeError:
                continue
            break
        else:
            size = 1
            found.append(("�", data[start : start + 1]))
        start += size
    return found


WORDS = ["the", "cat", ",", "sat", "."]


def from_words(ids: Sequence[int]) -> str:
    return " ".join(WORDS[one] for one in ids)


def pushed(stream: TextStream, ids: Sequence[int]) -> list[str]:
    return [*map(stream.push, ids), stream.finish()]


@pytest.mark.parametrize("decode", [from_bytes, byte_by_byte])
def test_a_character_comes_when_it_is_whole(decode: Any) -> None:
    # é has two bytes, € three, the face four.
    stream = TextStream(decode)
    found = pushed(stream, "é€😀a".encode())
    assert found == ["", "é", "", "", "€", "", "", "", "😀", "a", ""]


def test_bytes_that_make_no_character() -> None:
    # FF never begins one: it is certain once more than three could still wait. C3 at the end is left out.
    assert "".join(pushed(TextStream(from_bytes), b"a\xffb\xc3")) == "a�b"
    assert "".join(pushed(TextStream(from_bytes), b"\xff" * 8 + b"b")) == "�" * 8 + "b"


@given(st.lists(st.one_of(st.integers(0, 255), st.sampled_from([0xC3, 0xA9, 0xE2, 0x82, 0xAC])), max_size=80))
def test_any_bytes_at_all(ids: list[int]) -> None:
    whole, said = from_bytes(ids), ""
    stream = TextStream(from_bytes)
    for place, one in enumerate(ids, 1):
        said += stream.push(one)
        assert whole.startswith(said)
        assert from_bytes(ids[:place]).startswith(said)
    said += stream.finish()
    rest = whole[len(said) :]
    assert rest == "�" * len(rest)
    assert len(rest) <= 3


@given(st.lists(st.integers(0, 4), max_size=100), st.lists(st.integers(0, 4), max_size=30))
def test_words_keep_the_spaces_between_them(context: list[int], ids: list[int]) -> None:
    said = from_words(context) + "".join(pushed(TextStream(from_words, context=context), ids))
    assert said == from_words(context + ids)


def test_a_word_comes_with_its_space() -> None:
    assert pushed(TextStream(from_words), [0, 1, 3]) == ["the", " cat", " sat", ""]
    assert pushed(TextStream(from_words, context=[0, 1]), [3, 4]) == [" sat", " .", ""]


def test_a_stop_string_is_never_shown() -> None:
    stream = TextStream(lambda ids: "".join(map(chr, ids)), stop=["END"])
    found = pushed(stream, list(map(ord, "an ENEND!")))
    # "E" and "EN" might begin it; the second E shows that the first two letters did not.
    assert found == ["a", "n", " ", "", "", "EN", "", "", "", ""]
    assert stream.stopped


def test_what_only_began_a_stop_string_comes_at_the_end() -> None:
    stream = TextStream(lambda ids: "".join(map(chr, ids)), stop=["END", "\n\n"])
    assert "".join(pushed(stream, list(map(ord, "a\nEN")))) == "a\nEN"
    assert not stream.stopped


@pytest.mark.parametrize(
    ("pieces", "stop", "text"),
    [
        (["abc", "def"], ["cd"], "ab"),  # across the border of two pieces
        (["abcdef"], ["cd", "bcdx"], "ab"),
        (["abcdef"], ["de", "bcd"], "a"),  # the one that ends first
        (["abcdef"], ["cd", "bcd"], "a"),  # both end at d: the longer
        (["aa", "ab"], ["ab"], "aa"),
        (["x"], ["x"], ""),
    ],
)
def test_stop_strings_in_pieces(pieces: list[str], stop: list[str], text: str) -> None:
    stream = TextStream(lambda ids: "".join(pieces[one] for one in ids), stop=stop)
    assert "".join(pushed(stream, range(len(pieces)))) == text
    assert stream.stopped


@given(st.text("ab", max_size=30), st.lists(st.text("ab", min_size=1, max_size=4), max_size=3), st.data())
def test_the_pieces_do_not_matter(text: str, stop: list[str], data: st.DataObject) -> None:
    cuts = sorted({0, len(text), *data.draw(st.lists(st.integers(0, len(text)), max_size=8))})
    pieces = [text[a:b] for a, b in pairwise(cuts)]
    stream = TextStream(lambda ids: "".join(pieces[one] for one in ids), stop=stop)
    found = "".join(pushed(stream, range(len(pieces))))
    # By definition: the shortest beginning that ends with a stop string, without the longest such one.
    ends = [n for n in range(len(text) + 1) if any(text[:n].endswith(one) for one in stop)]
    wanted = text
    if ends:
        wanted = min((text[: ends[0] - len(one)] for one in stop if text[: ends[0]].endswith(one)), key=len)
    assert found == wanted
    assert stream.stopped == bool(ends)
    assert not any(one in found for one in stop)


def test_an_empty_stop_string_is_refused() -> None:
    with pytest.raises(UsageError, match="a stop string must have at least one character"):
        TextStream(from_bytes, stop=["a", ""])
