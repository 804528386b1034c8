"""The table of forms against a dictionary."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seqkit.text.forms import LINE_END, FormTable, TokenLists, prepared, ranges, spans

# Short alphabets and lengths around 8 and 16, so that forms repeat and differ only beyond a 64-bit integer.
FORMS = st.one_of(
    st.binary(min_size=1, max_size=20).map(lambda data: bytes(b or 1 for b in data)),
    st.integers(1, 40).map(lambda n: b"a" * n),
    st.integers(14, 18).flatmap(lambda n: st.sampled_from([b"a" * n + b"b", b"b" + b"a" * n])),
)
SPACES = st.sampled_from([b" ", b"\n", b"\t", b"\r", b"\x0b", b"\x0c", b"  ", b" \n\n"])
BLOCKS = st.lists(st.lists(st.one_of(FORMS, SPACES)).map(b" ".join), max_size=4)


@given(BLOCKS)
def test_numbers_are_those_of_a_dictionary(blocks: list[bytes]) -> None:
    table = FormTable()
    known = [b"\n"]
    for block in blocks:
        numbers, new = table.numbers(block)
        known += new
        expected = block.replace(b"\n", b" \0 ").split()
        assert [known[number] for number in numbers] == [
            b"\n" if form == b"\0" else form for form in expected
        ]
    assert len(set(known)) == len(known) == len(table)


def test_an_empty_piece_is_a_line_end() -> None:
    table = FormTable()
    text = prepared(b"one two")
    starts, lengths = np.array([1, 3, 5]), np.array([3, 0, 3])
    numbers, new = table.add(text, starts, lengths)
    assert numbers.tolist() == [1 + new.index(b"one"), LINE_END, 1 + new.index(b"two")]
    assert table.find(text, starts, lengths).tolist() == numbers.tolist()


def test_many_forms() -> None:
    table = FormTable()
    for begin in range(0, 200_000, 50_000):  # the table grows several times
        block = b" ".join(b"%d" % n for n in range(begin, begin + 50_000))
        numbers, new = table.numbers(block)
        assert len(new) == 50_000
        again, none = table.numbers(block)
        assert not none
        assert (again == numbers).all()
    assert len(table) == 200_001


@given(BLOCKS, BLOCKS)
def test_what_is_not_there_is_not_found(blocks: list[bytes], others: list[bytes]) -> None:
    table = FormTable()
    known = {b"\0": 0}
    for block in blocks:
        _, new = table.numbers(block)
        known |= {form: number for number, form in enumerate(new, len(known))}
    for block in [*blocks, *others]:
        text = prepared(block)
        expected = [known.get(form, -1) for form in block.replace(b"\n", b" \0 ").split()]
        assert table.find(text, *spans(text)).tolist() == expected
    assert len(table) == len(known)


def test_pieces_that_touch() -> None:
    table = FormTable()
    text = prepared(b"well-known,a-very-long-long-word")
    starts, lengths = np.array([1, 5, 6, 11, 12]), np.array([4, 1, 5, 1, 21])
    numbers, new = table.add(text, starts, lengths)
    pieces = [b"well", b"-", b"known", b",", b"a-very-long-long-word"]
    assert [new[number - 1] for number in numbers] == pieces
    assert table.find(text, starts, lengths).tolist() == numbers.tolist()


def test_lists_by_form() -> None:
    lists = TokenLists([])
    for codes in ([5, 6, LINE_END, LINE_END], [7, LINE_END]):
        lists.append(np.array(codes, np.int32))
    for forms, codes, lengths in (
        ([3, 1, 2, 0, 1], [7, 5, 6, 5, 6], [1, 2, 0, 0, 2]),
        ([3, 3], [7, 7], [1, 1]),
        ([], [], []),
    ):
        found = lists.take(np.array(forms, np.int32))
        assert [each.tolist() for each in found] == [codes, lengths]


def test_ranges_one_after_the_other() -> None:
    assert ranges(np.array([5, 0, 9, 3]), np.array([2, 0, 1, 3])).tolist() == [5, 6, 9, 3, 4, 5]
    assert ranges(np.zeros(0, np.int64), np.zeros(0, np.int64)).tolist() == []
