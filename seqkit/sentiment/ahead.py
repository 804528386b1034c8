"""Work done a step ahead, in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from seqkit._workers import in_order

Item = TypeVar("Item")
Found = TypeVar("Found")


def ahead(function: Callable[[Item], Found], items: Iterable[Item | None]) -> Iterator[Found]:
    """What a function makes of each item, in order; while one is used, a thread makes the next.

    Items are taken in the caller's own thread, one more than are used. An error in them comes after what
    was made of those before it. None is no item: there all that is made is given before more is taken.

    >>> list(ahead(str.upper, ["a", "b"]))
    ['A', 'B']
    """
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        yield from in_order(lambda item: thread.submit(function, item), items, 1)
