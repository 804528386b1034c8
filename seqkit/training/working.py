"""The folder in which a run works until its bundle is whole."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from seqkit.errors import InterruptedTraining
from seqkit.training.signals import StopAtOnce, Stopped

CHECKPOINT, BEST = "checkpoint.safetensors", "best.safetensors"


@contextmanager
def ended_well(partial: Path, scratch: Sequence[str]) -> Iterator[None]:
    """Ends its block at once on a signal; of a failed run, only what the next can go on from stays.

    Args:
        partial: the folder.
        scratch: folders in it that are of no use without a checkpoint, a file whose name ends in
            `CHECKPOINT`.
    """
    try:
        with StopAtOnce():
            yield
    except BaseException as error:
        resumable = any(partial.glob(f"*{CHECKPOINT}"))
        if not resumable:
            for name in scratch:
                shutil.rmtree(partial / name, ignore_errors=True)
            for path in partial.glob("*.safetensors*"):
                path.unlink(missing_ok=True)
        if isinstance(error, Stopped):
            raise InterruptedTraining(error.signal_number, partial if resumable else None) from None
        raise
