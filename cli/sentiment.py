"""`seqkit sentiment`: train a classifier of texts, ask it, measure it."""

from __future__ import annotations

import click

from seqkit.cli.lazy import LazyGroup


@click.group(
    cls=LazyGroup,
    lazy={
        "check": "seqkit.cli.sentiment_check:check",
        "train": "seqkit.cli.sentiment_train:train",
        "classify": "seqkit.cli.sentiment_classify:classify",
        "info": "seqkit.cli.sentiment_classify:info",
        "evaluate": "seqkit.cli.sentiment_evaluate:evaluate",
        "cross-validate": "seqkit.cli.sentiment_evaluate:cross_validate",
        "choose": "seqkit.cli.sentiment_evaluate:choose",
        "search": "seqkit.cli.sentiment_search:search",
        "diagnose": "seqkit.cli.sentiment_diagnose:diagnose",
        "errors": "seqkit.cli.sentiment_diagnose:errors",
        "behaviour": "seqkit.cli.sentiment_diagnose:behaviour",
    },
)
def sentiment() -> None:
    """Sentiment: train a classifier of texts, ask it, measure it."""
