"""Nearest spellings against a plain edit distance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit.text.spelling import nearest

LETTERS = st.text("abé", max_size=7)


def distance(a: str, b: str) -> int:
    """Optimal string alignment, as in the textbook."""
    table = {(i, 0): i for i in range(len(a) + 1)} | {(0, j): j for j in range(len(b) + 1)}
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            replaced = table[i - 1, j - 1] + (a[i - 1] != b[j - 1])
            table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, replaced)
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                table[i, j] = min(table[i, j], table[i - 2, j - 2] + 1)
    return table[len(a), len(b)]


@given(LETTERS.filter(bool), st.lists(LETTERS, unique=True))
def test_against_the_plain_distance(word: str, words: list[str]) -> None:
    limit = 1 if len(word) <= 4 else 2
    near = [(distance(word, other), rank) for rank, other in enumerate(words) if other != word]
    expected = [words[rank] for found, rank in sorted(near) if found <= limit]
    assert nearest(word, words, 3) == expected[:3]


@pytest.mark.parametrize(
    ("word", "first"),
    [("King", "king"), ("recieve", "receive"), ("pairs", "paris"), ("extraordinarly", "extraordinary")],
)
def test_typing_errors(word: str, first: str) -> None:
    assert nearest(word, ["king", "paris", "receive", "extraordinary", "prairie"], 3)[0] == first


@pytest.mark.parametrize(
    ("word", "other", "found"),
    [
        ("abcd", "abxy", False),
        ("abcde", "abcxy", True),
        ("abcdefgh", "abcdexyz", False),
        ("abcdefghi", "abcdefxyz", True),
        ("x" * 64, "x" * 63, True),
        ("x" * 65, "x" * 64, False),
    ],
)
def test_how_many_errors_a_word_may_have(word: str, other: str, found: bool) -> None:
    assert nearest(word, [other], 3) == ([other] if found else [])


@pytest.mark.parametrize("word", ["", "x" * 65, "zzzz"])
def test_no_suggestion(word: str) -> None:
    assert nearest(word, ["king", "paris"], 3) == []
    assert nearest(word, [], 3) == []
