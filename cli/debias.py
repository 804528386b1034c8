"""`seqkit debias`: measure bias in word vectors, remove it, and see what is left."""

from __future__ import annotations

import click

from seqkit.cli.lazy import LazyGroup


@click.group(
    cls=LazyGroup,
    lazy={
        "audit": "seqkit.cli.debias_measure:audit",
        "apply": "seqkit.cli.debias_apply:apply",
        "compare": "seqkit.cli.debias_measure:compare",
        "words": "seqkit.cli.debias_words:words",
    },
)
def debias() -> None:
    """Bias in word vectors: measure it, remove it, see what is left."""
