"""How many processors there are to use."""

from __future__ import annotations

import os
import sys

from seqkit.errors import UsageError

MAX_THREADS = 512
"""More threads or processes are refused: each takes memory, and thousands can hardly be stopped again."""


def check_threads(count: int | None, name: str = "threads") -> None:
    """Raises UsageError unless it is None or from 1 to `MAX_THREADS`."""
    if count is not None and not 1 <= count <= MAX_THREADS:
        raise UsageError(f"{name} must be from 1 to {MAX_THREADS}, not {count}")


def available_cores() -> int:
    """Cores that this process may use: those of its affinity mask where the system has one, else all."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    else:
        return os.cpu_count() or 1
