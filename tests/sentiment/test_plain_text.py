"""Spans of tokens, against the rules for any text."""

from __future__ import annotations

from itertools import product

import pytest

from seqkit.sentiment.cutting import Cutter
from seqkit.sentiment.plain_text import token_spans
from seqkit.text.forms import prepared

AWKWARD = "a8D_' \t(:;=<^-*/)!é"


@pytest.mark.parametrize("length", [1, 2, 3])
def test_every_short_text_of_awkward_characters(length: int) -> None:
    cutter = Cutter()
    texts = ["".join(characters) for characters in product(AWKWARD, repeat=length)]
    text = prepared(cutter.lines(texts))
    starts, lengths, others = token_spans(text)
    tokens: list[str] = []
    for number, (start, size) in enumerate(zip(starts.tolist(), lengths.tolist(), strict=True)):
        piece = text[start : start + size]
        if number in others:
            tokens += cutter.tokens(piece.decode())
        else:
            tokens.append("\n" if piece == b"\0" else piece.decode().lower())
    assert tokens == cutter.cut(cutter.lines(texts).decode())


def test_what_is_plain() -> None:
    plain = b"It's 10/10, \"rock 'n' roll\": see (below) mother-in-law's "
    text = prepared(plain + b"e=mc2 :) (: wow: caf\xc3\xa9 a_b")
    starts, lengths, others = token_spans(text)
    forms = [text[starts[number] : starts[number] + lengths[number]] for number in others]
    assert forms == [b"e=mc2", b":)", b"(:", b"caf\xc3\xa9", b"a_b"]


def test_nothing() -> None:
    assert [found.tolist() for found in token_spans(prepared(b""))] == [[], [], []]
