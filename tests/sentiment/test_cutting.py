"""Tokens: words as word vectors have them, marks, emoticons, emoji; whole texts and their pieces alike."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit.errors import UsageError
from seqkit.sentiment.cutting import Cutter
from seqkit.text.tokenizers import Tokenizer

NASTY = st.text(
    st.one_of(
        st.sampled_from(
            "aZ9_ \t\n\xa0.,!?:;-=()/<>3DpP^*o'\u2019\"#\u0301\ufe0f\u200d\u20e3é❤👩🚀👍🏽🇩🇪शि\u200b\x1c"
        ),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=40,
)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        (" \t\n\u200b\x1c", []),
        ("Don't miss it!!", ["don't", "miss", "it", "!", "!"]),
        ("it\u2019s \u201cgood\u201d", ["it's", "\u201c", "good", "\u201d"]),
        ("a well-made 10/10...", ["a", "well", "-", "made", "10", "/", "10", ".", ".", "."]),
        ("one<br />two<br/>three</p><P>four<BR>five", ["one", "two", "three", "four", "five"]),
        ("<brian> <b>", ["<", "brian", ">", "<", "b", ">"]),
        (":) :-( ;-) =D :'( :P :/ :*", [":)", ":-(", ";-)", "=d", ":'(", ":p", ":/", ":*"]),
        ("great:D not :Dear", ["great", ":d", "not", ":", "dear"]),
        ("<3 </3 <30", ["<3", "</3", "<", "30"]),
        ("^_^ ^^ -_- >_<", ["^_^", "^^", "-_-", ">_<"]),
        ("(: is (:-)", ["(:", "is", "(", ":-)"]),
        ("http://x.de at 12:30", ["http", ":", "/", "/", "x", ".", "de", "at", "12", ":", "30"]),
        ("❤️👍🏽", ["❤️", "👍🏽"]),
        ("👩\u200d🚀🇩🇪🇫🇷", ["👩\u200d🚀", "🇩🇪", "🇫🇷"]),
        ("good😀!", ["good", "😀", "!"]),
        ("naïve हिन्दी", ["naïve", "हिन्दी"]),
        ("良い。", ["良い", "。"]),
    ],
)
def test_tokens(text: str, tokens: list[str]) -> None:
    assert Cutter().tokens(text) == tokens


def test_case_can_be_kept() -> None:
    assert Cutter(lowercase=False).tokens("So GOOD :D") == ["So", "GOOD", ":D"]


@given(st.text(st.characters(max_codepoint=0x7E), max_size=40))
def test_a_text_in_ascii_is_cut_as_the_same_text_in_another_script(text: str) -> None:
    assert [*Cutter().tokens(text), "é"] == Cutter().tokens(text + " é")


@given(NASTY)
def test_pieces_between_white_space_are_cut_as_the_whole(text: str) -> None:
    cutter = Cutter()
    pieces = cutter.lines([text]).decode().replace(" ", "\n")
    tokens = cutter.cut(pieces)
    assert [token for token in tokens if token != "\n"] == cutter.tokens(text)
    assert tokens.count("\n") == pieces.count("\n")


@given(NASTY)
def test_everything_that_is_seen_is_in_a_token(text: str) -> None:
    def visible(text: str) -> str:
        hidden = {"Cc", "Cf", "Zs", "Zl", "Zp"}
        return "".join(mark for mark in text if unicodedata.category(mark) not in hidden)

    cutter = Cutter(lowercase=False)
    tokens = cutter.tokens(text)
    assert visible("".join(tokens)) == visible(cutter.lines([text]).decode())
    assert not any(mark.isspace() for token in tokens for mark in token)


@given(st.text(st.sampled_from("ab'\u2019 .,!?éß\u03a3-"), max_size=30))
def test_words_are_those_of_word_vectors(text: str) -> None:
    marks = set(".,!?-'")
    words = [token for token in Cutter().tokens(text) if not set(token) <= marks]
    assert words == Tokenizer("word").tokenize(text.replace("\u2019", "'"))


def test_travels_as_json() -> None:
    cutter = Cutter(lowercase=False)
    assert cutter.to_config() == {"lowercase": False}
    assert Cutter.from_config(cutter.to_config()) == cutter


@pytest.mark.parametrize("config", [{}, {"lowercase": 1}, {"lowercase": True, "stem": True}])
def test_a_strange_configuration_is_refused(config: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="a cutter is lowercase"):
        Cutter.from_config(config)


def test_time_is_linear_in_the_text() -> None:
    for piece in ("<br ", "a'", ":-", "^_", "<" * 9, "👩\u200d", "(((("):
        assert Cutter().tokens(piece * 50_000)
