"""`seqkit embed train --dry-run`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from seqkit.cli.common import echo_table, emit_json

if TYPE_CHECKING:
    from seqkit.progress import Progress


def echo_estimate(arguments: Mapping[str, Any], progress: Progress, as_json: bool) -> None:
    """Writes what a run would take.

    Args:
        arguments: of `seqkit.embeddings.estimate.estimate`.
        progress: told of encoding and counting.
        as_json: whether as JSON.
    """
    from seqkit.embeddings.estimate import estimate

    found = estimate(**arguments, progress=progress)
    if as_json:
        emit_json(vars(found))
        return
    epochs = arguments["config"].epochs
    rows = [
        ("vocabulary", f"{found.vocabulary:,} words"),
        ("text", f"{found.tokens:,} tokens"),
        ("an epoch", f"{found.tokens_after_subsampling:,} tokens after sub-sampling"),
        ("memory", f"{found.memory_bytes / 2**30:.1f} GiB, without counting"),
        ("training", f"{_duration(found.seconds)} ± {_duration(found.seconds_error)} for {epochs} epochs"),
        ("not included", "reading, counting, checkpoints, validation, saving"),
    ]
    echo_table(["", ""], rows)


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"
