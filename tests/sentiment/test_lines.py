"""Lines: any texts, as bytes and back, whole and in blocks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from seqkit.sentiment.lines import Lines, decoded

TEXTS = st.lists(st.text(st.sampled_from("ab\n\r\0é👍\ud800\u2028"), max_size=6), max_size=8)


@given(TEXTS)
def test_texts_come_back(texts: list[str]) -> None:
    lines = Lines.of(texts)
    assert list(lines) == [text.replace("\n", " ") for text in texts]
    assert (len(lines), lines[1:]) == (len(texts), list(lines)[1:])
    assert list(Lines(lines.data)) == list(lines)


@given(TEXTS, st.integers(1, 20))
def test_blocks_are_whole_lines(texts: list[str], size: int) -> None:
    lines = Lines.of(texts)
    blocks = list(lines.blocks(size))
    assert b"".join(block.data for block in blocks) == lines.data
    assert [text for block in blocks for text in block] == list(lines)
    assert all(len(block.data) >= size for block in blocks[:-1])
    assert all(b"\n" not in block.data[size - 1 : -1] for block in blocks)


@given(TEXTS, st.integers(1, 5))
def test_batches_are_so_many_texts(texts: list[str], most: int) -> None:
    lines = Lines.of(texts)
    batches = [list(batch) for batch in lines.batches(most)]
    assert batches == [list(lines)[first : first + most] for first in range(0, len(lines), most)]


def test_nothing() -> None:
    assert (Lines.of([]).data, decoded(b""), list(Lines.of([]).blocks(1))) == (b"", "", [])
