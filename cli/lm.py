"""`seqkit lm`: train a language model, score text with it, write text with it."""

from __future__ import annotations

import click

from seqkit.cli.lazy import LazyGroup


@click.group(
    cls=LazyGroup,
    lazy={
        "train": "seqkit.cli.lm_train:train",
        "search": "seqkit.cli.lm_search:search",
        "sample": "seqkit.cli.lm_sample:sample",
        "score": "seqkit.cli.lm_score:score",
        "ngram": "seqkit.cli.lm_ngram:ngram",
        "rank": "seqkit.cli.lm_score:rank",
        "info": "seqkit.cli.lm_score:info",
    },
)
def lm() -> None:
    """Language models: train, sample text, score text."""
