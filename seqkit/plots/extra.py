"""The library of the extra `plot`, which an installation may lack."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from seqkit.errors import UnavailableError


@contextmanager
def plot_extra() -> Iterator[None]:
    """For a block of imports from matplotlib.

    Raises:
        UnavailableError: it is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise UnavailableError(f"pictures need matplotlib ({error}): pip install 'seqkit[plot]'") from error
