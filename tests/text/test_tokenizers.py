"""Tokenizers against NLTK, Python's own split, and the clock."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nltk.tokenize import RegexpTokenizer

from seqkit.errors import UsageError
from seqkit.text.tokenizers import KINDS, WORD_PATTERN, Tokenizer

TEXT = st.text(
    st.one_of(
        st.sampled_from("aZé'\u2019_-. 09\u0301\u0939\u093f\u0130\u03a3\u00a0\u2028\x1c"),
        st.characters(exclude_categories=["Cs"]),
    )
)


@given(TEXT)
@example("don't 'quoted' rock'n'roll it\u2019s '' x'")
def test_word_is_nltks_regexp_tokenizer(text: str) -> None:
    expected = RegexpTokenizer(WORD_PATTERN).tokenize(text)
    assert Tokenizer("word", lowercase=False).tokenize(text) == expected
    assert Tokenizer("word").tokenize(text) == [token.lower() for token in expected]


@pytest.mark.parametrize(
    ("line", "tokens"),
    [
        ("Don't panic: it's the naïve word2vec!", ["don't", "panic", "it's", "the", "naïve", "word2vec"]),
        ("the dogs' well-known 'new_york'", ["the", "dogs", "well", "known", "new_york"]),
        ("it\u2019s 3.14", ["it\u2019s", "3", "14"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),  # vowel signs are not \w in Python
        (
            "\u0645\u06cc\u200c\u062e\u0648",
            ["\u0645\u06cc\u200c\u062e\u0648"],
        ),  # Persian; a joiner is inside a word
        ("e\u0301te\u0301", ["e\u0301te\u0301"]),  # decomposed accents
        ("ΟΔΟΣ ΑΣ.Γ", ["οδος", "ας", "γ"]),  # a final sigma is one at the end of a token
        ("\u0130stanbul", ["i\u0307stanbul"]),
        (" -- ... ", []),
    ],
)
def test_words(line: str, tokens: list[str]) -> None:
    assert Tokenizer("word").tokenize(line) == tokens


@given(TEXT)
def test_whitespace_is_str_split(text: str) -> None:
    assert Tokenizer("whitespace", lowercase=False).tokenize(text) == text.split()


def test_characters() -> None:
    assert Tokenizer("character").tokenize("Aß b") == ["a", "ß", " ", "b"]


@pytest.mark.parametrize("kind", KINDS)
@given(text=TEXT.map(lambda text: text.replace("\0", "").replace("\r", "")))
def test_a_cut_at_a_boundary_changes_no_token(kind: str, text: str) -> None:
    tokenizer = Tokenizer(kind)
    cut = tokenizer.last_boundary(text)
    assert tokenizer.tokenize(text[:cut]) + tokenizer.tokenize(text[cut:]) == tokenizer.tokenize(text)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "piece", ["a", "'", "a'", "'a", "\u0301", "a\u0301", "a'\u0301", "-", "\u2019 ", "é'"]
)
def test_time_is_linear(kind: str, piece: str) -> None:
    text = piece * (100_000 // len(piece)) + "!"
    start = time.process_time()
    Tokenizer(kind).tokenize(text)
    Tokenizer(kind).last_boundary(text)
    # A scan takes 1 to 10 ms; a quadratic one would take minutes.
    assert time.process_time() - start < 0.5


def test_config_round_trip() -> None:
    for kind in KINDS:
        for lowercase in (True, False):
            tokenizer = Tokenizer(kind, lowercase)
            assert Tokenizer.from_config(tokenizer.to_config()) == tokenizer


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"kind": "word"},
        {"kind": "words", "lowercase": True},
        {"kind": "word", "lowercase": 1},
        {"kind": "word", "lowercase": True, "pattern": "."},
        {"kind": ["word"], "lowercase": True},
    ],
)
def test_a_bad_config_is_refused(config: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=r"tokenizer"):
        Tokenizer.from_config(config)
