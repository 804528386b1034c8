"""Work done a step ahead, in a thread of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")


def ahead(function: Callable[[Item], Found], items: Iterable[Item]) -> Iterator[Found]:
    """What a function makes of each item, in order; while one is used, a thread makes the next.

    Items are taken in the caller's own thread, one more than are used. An error in them comes after what
    was made of those before it.

    >>> list(ahead(str.upper, ["a", "b"]))
    ['A', 'B']
    """
    given, error = iter(items), None
    begun: deque[Future[Found]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        while error is None:
            try:
                begun.append(thread.submit(function, next(given)))
            except (Exception, StopIteration) as found:
                error = found
            while begun and (len(begun) > 1 or error is not None):
                yield begun.popleft().result()
    if not isinstance(error, StopIteration):
        raise error
