"""Byte pairs: what is joined, that nothing is lost, and what is refused."""

from __future__ import annotations

import builtins
from typing import Any

import pytest

from seqkit.errors import FormatError, UnavailableError, UsageError
from seqkit.language_model.pairs import BYTES, BytePairs

# "ab" stands six times, "abc" three times: the first two pairs that are joined.
LINES = ["abc abc abc", "ab ab ab"]


@pytest.fixture(scope="module")
def pairs() -> BytePairs:
    return BytePairs.learned(LINES, BYTES + 1)


def test_the_pair_that_stands_most_often_is_joined(pairs: BytePairs) -> None:
    assert pairs.tokens("abc") == ["ab", "c"]
    assert pairs.tokens("cab") == ["c", "ab"]
    assert pairs.tokens("") == []


@pytest.mark.parametrize("text", ["abc ab", " two  blanks ", "naïve 🙂 ελληνικά", "a\tb", "a\nb", "\x00\x7f"])
def test_any_text_comes_back(pairs: BytePairs, text: str) -> None:
    tokens = pairs.tokens(text)
    assert pairs.text(tokens) == text
    pieces = text.encode().count(b"ab")
    assert len(tokens) == len(text.encode()) - pieces  # one piece a byte, but for the one that was joined


def test_bytes_that_are_no_utf_8(pairs: BytePairs) -> None:
    first, *_ = pairs.tokens("é")  # C3 A9
    assert pairs.text([first]) == "\ufffd"


def test_lone_surrogates_are_read_as_a_replacement(pairs: BytePairs) -> None:
    """An argument of a command that is no UTF-8 has such, and so can JSON."""
    assert pairs.text(pairs.tokens("ab\udcff")) == "ab\ufffd"
    assert pairs.text(pairs.tokens("\ud83d\ude42")) == "🙂"  # a pair of them is a character
    assert BytePairs.learned(["ab ab\ud800"], BYTES + 1).tokens("ab") == ["ab"]


def test_json_round_trip(pairs: BytePairs) -> None:
    again = BytePairs.from_json(pairs.to_json())
    assert again.tokens("abc naïve") == pairs.tokens("abc naïve")
    assert again.to_json() == pairs.to_json()


@pytest.mark.parametrize("text", ["", "{}", "[1]", "not json", '{"model": {"type": "BPE"}}'])
def test_what_is_no_byte_pairs(text: str) -> None:
    with pytest.raises(FormatError, match=r"^pairs\.json: no byte pairs: "):
        BytePairs.from_json(text, "pairs.json")


def test_fewer_pieces_than_bytes() -> None:
    with pytest.raises(UsageError, match="max_vocab of byte pairs must be above the 256 bytes, not 256"):
        BytePairs.learned(LINES, 256)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name.startswith("tokenizers"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UnavailableError, match=r"pip install 'seqkit\[bpe\]'"):
        BytePairs.learned(LINES, 300)
