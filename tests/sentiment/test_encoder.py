"""Ids: those of a dictionary, text by text, whatever the size of blocks and of what is remembered."""

from __future__ import annotations

import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit.sentiment import encoder as module
from seqkit.sentiment.cutting import Cutter
from seqkit.sentiment.documents import SPECIALS, UNKNOWN_ID
from seqkit.sentiment.encoder import TextEncoder, vocabulary_of
from seqkit.sentiment.lines import Lines

PIECES = [
    "good",
    "Bad",
    " ",
    "\n",
    "\t",
    "\x0b",
    "\0",
    "<br />",
    "<br",
    "/>",
    "!",
    "é",
    "👍🏽",
    "\u2019",
    "'",
    "_",
    "(",
    ":",
    "-",
    "3",
    ":)",
    "^^",
    "\x1c",
    "a" * 17,
]
TEXTS = st.lists(
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=20), max_size=8
)


@settings(deadline=None)
@given(TEXTS, TEXTS, st.integers(1, 30), st.integers(0, 5))
def test_ids_are_those_of_a_dictionary(texts: list[str], learned: list[str], block: int, forms: int) -> None:
    cutter = Cutter()
    vocabulary = vocabulary_of(cutter, learned)
    ids = {word: number for number, word in enumerate(vocabulary.words)}
    expected = [[ids.get(token, UNKNOWN_ID) for token in cutter.tokens(text)] for text in texts]
    before = module.BLOCK_CHARACTERS, module.MAX_FORMS
    module.BLOCK_CHARACTERS, module.MAX_FORMS = block, forms
    try:
        encoder = TextEncoder(cutter, vocabulary)
        for _ in range(2):  # what is remembered changes nothing
            documents = encoder.encode(texts)
            assert [documents.ids_of(number).tolist() for number in range(len(texts))] == expected
            assert documents.starts.tolist() == np.cumsum([0, *map(len, expected)]).tolist()
            assert documents.texts == texts
            lines = encoder.encode(Lines.of(texts))
            assert (lines.ids == documents.ids).all()
            assert (lines.starts == documents.starts).all()
            assert (documents.ids.dtype, documents.starts.dtype) == (np.int32, np.int64)
    finally:
        module.BLOCK_CHARACTERS, module.MAX_FORMS = before


@settings(deadline=None)
@given(TEXTS, st.integers(1, 30))
def test_the_vocabulary_is_what_a_counter_counts(texts: list[str], block: int) -> None:
    counts = Counter(token for text in texts for token in Cutter().tokens(text))
    kept = sorted((-count, word) for word, count in counts.items())
    before, module.BLOCK_CHARACTERS = module.BLOCK_CHARACTERS, block
    try:
        vocabulary = vocabulary_of(Cutter(), texts)
    finally:
        module.BLOCK_CHARACTERS = before
    assert vocabulary.words == (*SPECIALS, *(word for _, word in kept))
    assert vocabulary.counts.tolist() == [0, 0, *(-count for count, _ in kept)]


def test_words_of_vectors_come_last_in_their_order() -> None:
    vocabulary = vocabulary_of(Cutter(), ["b b a"], also=["z", "b", "c", "z"])
    assert vocabulary.words == (*SPECIALS, "b", "a", "z", "c")
    assert vocabulary.counts.tolist() == [0, 0, 2, 1, 0, 0]


def test_a_special_in_a_text_is_no_special() -> None:
    encoder = TextEncoder(Cutter(), vocabulary_of(Cutter(), ["a"]))
    assert encoder.encode(["<pad> <unk>"]).ids.tolist() == [UNKNOWN_ID] * 6  # "<", "pad", ">", …


def test_a_lone_surrogate_is_a_mark_like_others() -> None:
    encoder = TextEncoder(Cutter(), vocabulary_of(Cutter(), ["good"]))
    assert encoder.encode(["good \ud800 good", "good"]).ids.tolist() == [2, UNKNOWN_ID, 2, 2]
    assert vocabulary_of(Cutter(), ["\ud800!"]).words == (*SPECIALS, "!", "\ud800")


def test_long_forms_are_forgotten_like_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FORM_BYTES", 100)
    monkeypatch.setattr(module, "BLOCK_CHARACTERS", 50)
    encoder = TextEncoder(Cutter(), vocabulary_of(Cutter(), ["good"]))
    texts = [f"good=!{'!' * number}" for number in range(60)]  # 60 forms with 2,190 bytes
    assert encoder.encode(texts).lengths.tolist() == [3 + number for number in range(60)]
    assert 0 < encoder._numbers._form_bytes <= 100 + 50 + 66  # the last block came after the limit


def test_threads_share_an_encoder() -> None:
    encoder = TextEncoder(Cutter(), vocabulary_of(Cutter(), ["w0 w1"]))
    batches = [[f"w{number % 7} x{number}y{batch}" for number in range(300)] for batch in range(40)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(lambda batch: encoder.encode(batch).ids.tolist(), batches))
    finally:
        sys.setswitchinterval(interval)
    expected = [{0: 2, 1: 3}.get(number % 7, UNKNOWN_ID) for number in range(300)]
    assert [ids[::2] for ids in found] == [expected] * 40
