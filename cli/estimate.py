"""`--dry-run`: what a run would take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from seqkit.cli.common import Decorator, echo_table, emit_json

if TYPE_CHECKING:
    from seqkit.progress import Progress

dry_run_option: Decorator = click.option(
    "--dry-run", is_flag=True, help="Write nothing: say what the run would take, after some seconds of it."
)


def echo_vectors_estimate(arguments: Mapping[str, Any], progress: Progress, as_json: bool) -> None:
    """Writes what training word vectors would take.

    Args:
        arguments: of `seqkit.embeddings.estimate.estimate`.
        progress: told of encoding and counting.
        as_json: whether as JSON.
    """
    from seqkit.embeddings.estimate import estimate

    found = estimate(**arguments, progress=progress)
    rows = [
        ("vocabulary", f"{found.vocabulary:,} words"),
        ("text", f"{found.tokens:,} tokens"),
        ("an epoch", f"{found.tokens_after_subsampling:,} tokens after sub-sampling"),
        ("memory", f"{_gigabytes(found)}, without counting"),
        ("training", _time(found, arguments["config"].epochs)),
        ("not included", "reading, counting, checkpoints, validation, saving"),
    ]
    _echo(found, rows, as_json)


def echo_language_estimate(arguments: Mapping[str, Any], progress: Progress, as_json: bool) -> None:
    """Writes what training a language model would take.

    Args:
        arguments: of `seqkit.language_model.estimate.estimate`.
        progress: told of encoding.
        as_json: whether as JSON.
    """
    from seqkit.language_model.estimate import estimate

    found = estimate(**arguments, progress=progress)
    rows = [
        ("vocabulary", f"{found.vocabulary:,} tokens"),
        ("text", f"{found.tokens:,} tokens"),
        ("network", f"{found.parameters:,} parameters"),
        ("an epoch", f"{found.updates:,} updates"),
        ("memory", _gigabytes(found)),
        ("training", _time(found, arguments["training"].epochs)),
        ("not included", "reading, checkpoints, validation, saving"),
    ]
    _echo(found, rows, as_json)


def _echo(found: Any, rows: list[tuple[str, str]], as_json: bool) -> None:
    if as_json:
        emit_json(vars(found))
    else:
        echo_table(["", ""], rows)


def _gigabytes(found: Any) -> str:
    return f"{found.memory_bytes / 2**30:.1f} GiB"


def _time(found: Any, epochs: int) -> str:
    span = "1 epoch" if epochs == 1 else f"{epochs} epochs"
    return f"{_duration(found.seconds)} ± {_duration(found.seconds_error)} for {span}"


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"
