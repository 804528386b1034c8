"""Slices: which texts are in which."""

from __future__ import annotations

import numpy as np
import pytest

from seqkit.sentiment.evaluation.slices import DESCRIPTIONS, slices


def of(text: str, tokens: int = 10, unknown: int = 0) -> set[str]:
    found = slices([text], np.array([tokens]), np.array([unknown]))
    assert list(found) == list(DESCRIPTIONS)
    return {name for name, mask in found.items() if mask[0]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It was not good.", {"negation"}),
        ("Didn't work", {"negation"}),
        ("It didn\u2019t work", {"negation"}),
        ("it did n't work", {"negation"}),
        ("it doesnt work", {"negation"}),
        ("NEVER again", {"negation", "capitals"}),
        ("a notable knot of nowadays", set()),
        ("nice but dull", {"contrast"}),
        ("Although it is butter", {"contrast"}),
        ("in spite of all", {"contrast"}),
        ("rebuttal, buttons", set()),
        ("GREAT", {"capitals"}),
        ("the USA and the BBC", set()),
        ("McDONALD", set()),
        ("\u00c9T\u00c9S", {"capitals"}),
        ("fine \U0001f600", {"emoji"}),
        ("love \u2764\ufe0f it", {"emoji"}),
        ("fine :-)", {"emoji"}),
        ("<3", {"emoji"}),
        ("Copyright \u00a9 2020, 10:30 (see http://example.org)", set()),
        ("", set()),
    ],
)
def test_words(text: str, expected: set[str]) -> None:
    assert of(text) == expected


def test_unknown_words() -> None:
    assert of("x", tokens=20, unknown=2) == {"unknown-words"}
    assert of("x", tokens=20, unknown=1) == set()
    assert of("x", tokens=10, unknown=1) == {"unknown-words"}
    assert of("x", tokens=11, unknown=1) == set()
    assert of("", tokens=0, unknown=0) == set()


def test_length_by_quarters() -> None:
    # Of 1 to 8 tokens the quarters end at 1 + 7/4 = 2.75 and 6.25.
    found = slices(["x"] * 8, np.arange(1, 9), np.zeros(8, int))
    assert np.flatnonzero(found["short"]).tolist() == [0, 1]
    assert np.flatnonzero(found["long"]).tolist() == [6, 7]


def test_texts_of_one_length_are_neither_short_nor_long() -> None:
    found = slices(["x"] * 4, np.full(4, 7), np.zeros(4, int))
    assert not found["short"].any()
    assert not found["long"].any()


def test_no_text() -> None:
    assert all(not len(mask) for mask in slices([], np.zeros(0, int), np.zeros(0, int)).values())
