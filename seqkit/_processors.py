"""How many processors there are to use."""

from __future__ import annotations

import os
import sys


def available_cores() -> int:
    """Cores that this process may use: those of its affinity mask where the system has one, else all."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    else:
        return os.cpu_count() or 1
