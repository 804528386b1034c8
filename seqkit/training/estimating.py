"""What a run would take, told from some of its work: its speed, and the memory meanwhile."""

from __future__ import annotations

import os
import resource
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

SAMPLE_SECONDS = 5.0
"""How much is trained, not counting what compiles."""

LEAST_ERROR = 0.2
"""However alike the pieces were: the same run differs by as much from one hour to the next."""

WATCH_SECONDS = 0.02


def rate_of(work: Sequence[float], seconds: Sequence[float]) -> tuple[float, float]:
    """Work a second, and its relative error: two standard errors, `LEAST_ERROR` at least.

    Args:
        work: of each piece that was done.
        seconds: that each took.
    """
    rate = sum(work) / sum(seconds)
    spread = np.std(np.array(work) / np.array(seconds)) / np.sqrt(len(work)) / rate
    return rate, max(LEAST_ERROR, 2 * float(spread))


@contextmanager
def watched() -> Iterator[list[int]]:
    """The most bytes that the process has in memory while the block runs, in a list of one."""
    seen, over = [resident()], threading.Event()

    def watch() -> None:
        while not over.wait(WATCH_SECONDS):
            seen.append(max(seen.pop(), resident()))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def resident() -> int:
    """Bytes of this process in memory; where the system does not say, the most that there ever were."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
