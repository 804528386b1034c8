"""A step ahead: order, errors in their place, and no more than one item too many."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import pytest

from seqkit.sentiment.ahead import ahead


@pytest.mark.parametrize("count", [0, 1, 2, 100])
def test_order_is_kept(count: int) -> None:
    assert list(ahead(lambda number: number * number, range(count))) == [n * n for n in range(count)]


def test_items_are_taken_here_and_one_too_many_at_most() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in itertools.count():
            assert threading.current_thread() is threading.main_thread()
            taken.append(number)
            yield number

    found = ahead(lambda _: threading.current_thread(), items())
    for number, thread in zip(range(5), found, strict=False):
        assert thread is not threading.main_thread()
        assert taken == [*range(number + 2)]
    found.close()
    assert not any(thread.name.startswith("ahead") for thread in threading.enumerate())


def test_at_none_all_that_is_begun_is_given() -> None:
    taken: list[int | None] = []

    def items() -> Iterator[int | None]:
        for item in (None, 0, 1, None, None, 2):
            taken.append(item)
            yield item

    found = ahead(str, items())
    assert [next(found), next(found)] == ["0", "1"]
    assert taken == [None, 0, 1, None]
    assert list(found) == ["2"]


def test_an_error_of_the_items_comes_after_what_was_before_it() -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise OSError("gone")

    found = ahead(str, items())
    assert [next(found) for _ in range(3)] == ["0", "1", "2"]
    with pytest.raises(OSError, match="gone"):
        next(found)


def test_an_error_of_the_function_comes_in_its_place() -> None:
    found = ahead(lambda number: 6 // number, [3, 2, 0, 1])
    assert [next(found), next(found)] == [2, 3]
    with pytest.raises(ZeroDivisionError):
        next(found)
