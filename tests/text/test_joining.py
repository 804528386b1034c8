"""Joining against gensim's own walk over a sentence, however the text is cut."""

from __future__ import annotations

import numpy as np
from gensim.models.phrases import ENGLISH_CONNECTOR_WORDS, FrozenPhrases, Phrases
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit.text.joining import Joiner

WORDS = ["", "a", "of", "the", "b", "c", "d"]
"""By number; 0 ends a line, "a", "of" and "the" are connectors."""
CONNECTORS = {1, 2, 3}
assert {WORDS[number] for number in CONNECTORS} <= ENGLISH_CONNECTOR_WORDS

ENDS, INSIDE = st.sampled_from([4, 5, 6]), st.lists(st.sampled_from([1, 2, 3]), max_size=3)
PATHS = st.sets(st.builds(lambda a, inside, b: (a, *inside, b), ENDS, INSIDE, ENDS), min_size=1, max_size=12)


def gensim_joins(lines: list[list[int]], paths: set[tuple[int, ...]]) -> list[list[str]]:
    model = Phrases(connector_words=ENGLISH_CONNECTOR_WORDS)
    frozen: FrozenPhrases = model.freeze()
    frozen.phrasegrams = {"_".join(WORDS[number] for number in path): 99.0 for path in paths}
    return [[token for token, _ in frozen.analyze_sentence([WORDS[i] for i in line])] for line in lines]


def joined(text: list[int], paths: set[tuple[int, ...]], cuts: list[int]) -> list[int]:
    ordered = sorted(paths)
    joiner = Joiner({path: 100 + index for index, path in enumerate(ordered)}, len(WORDS))
    pieces, begin = [], 0
    for cut in sorted(min(cut, len(text)) for cut in cuts):
        pieces.append(joiner.join(np.array(text[begin:cut], np.int32)))
        begin = cut
    pieces.append(joiner.join(np.array(text[begin:], np.int32), last=True))
    return np.concatenate(pieces).tolist()


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.lists(st.integers(1, 6), max_size=15), max_size=5),
    PATHS,
    st.lists(st.integers(0, 60), max_size=9),
)
def test_as_gensim_joins_however_the_text_is_cut(
    lines: list[list[int]], paths: set[tuple[int, ...]], cuts: list[int]
) -> None:
    text = [number for line in lines for number in [*line, 0]]
    spelt = ["_".join(WORDS[number] for number in path) for path in sorted(paths)]
    found = [spelt[i - 100] if i >= 100 else WORDS[i] for i in joined(text, paths, cuts)]
    assert found == [token for line in gensim_joins(lines, paths) for token in [*line, ""]]


def test_what_is_joined_is_not_joined_again() -> None:
    assert joined([4, 4, 4, 4, 4, 0], {(4, 4)}, [3]) == [100, 100, 4, 0]
    assert joined([4, 5, 6, 5, 6, 0], {(4, 5), (5, 6)}, []) == [100, 6, 101, 0]


def test_a_phrase_at_the_end_of_the_text_waits_for_what_never_comes() -> None:
    joiner = Joiner({(4, 5): 100}, len(WORDS))
    assert joiner.join(np.array([6, 4], np.int32)).tolist() == [6]
    assert joiner.join(np.array([], np.int32)).tolist() == []
    assert joiner.join(np.array([], np.int32), last=True).tolist() == [4]
