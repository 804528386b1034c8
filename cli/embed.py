"""`seqkit embed`: train word vectors, ask them questions, score them, take them elsewhere."""

from __future__ import annotations

import click

from seqkit.cli.lazy import LazyGroup


@click.group(
    cls=LazyGroup,
    lazy={
        "train": "seqkit.cli.embed_train:train",
        "cooccurrence": "seqkit.cli.embed_cooccurrence:cooccurrence",
        "similar": "seqkit.cli.embed_query:similar",
        "analogy": "seqkit.cli.embed_query:analogy",
        "odd-one-out": "seqkit.cli.embed_query:odd_one_out",
        "vector": "seqkit.cli.embed_query:vector",
        "evaluate": "seqkit.cli.embed_files:evaluate",
        "compare": "seqkit.cli.embed_compare:compare",
        "plot": "seqkit.cli.embed_plot:plot",
        "export": "seqkit.cli.embed_files:export",
        "import": "seqkit.cli.embed_files:import_",
        "info": "seqkit.cli.embed_files:info",
    },
)
def embed() -> None:
    """Word vectors: train, query, evaluate, compare, draw, export."""
