"""`seqkit embed cooccurrence`."""

from __future__ import annotations

from typing import Any

import click

from seqkit.cli.common import echo_table, emit_json, json_option, quiet_option, threads_option
from seqkit.cli.config import config_option
from seqkit.cli.progress import progress_for


@click.command()
@click.argument("corpus", nargs=-1, required=True, metavar="CORPUS...")
@click.option("-o", "--output", "bundle", required=True, metavar="COUNTS", help="Directory to write.")
@click.option("--overwrite", is_flag=True, help="Replace a bundle that is there.")
@click.option("--window", type=int, default=10, help="Greatest distance between a word and its context.")
@click.option(
    "--context",
    type=click.Choice(["symmetric", "left"]),
    default="symmetric",
    help="Count the words on both sides, or those before a word.",
)
@click.option(
    "--weighting",
    type=click.Choice(["harmonic", "uniform"]),
    default="harmonic",
    help="What a context at distance d counts: 1/d, or 1.",
)
@click.option("--min-count", type=int, default=5, help="Leave out words that occur less often.")
@click.option("--max-vocab", type=int, default=None, help="Keep only so many of the most frequent words.")
@click.option(
    "--tokenizer",
    type=click.Choice(["word", "whitespace", "character"]),
    default="word",
    help="What cuts the text.",
)
@click.option("--lowercase/--keep-case", default=True, help="Whether words are lower-cased.")
@click.option(
    "--memory", type=float, default=2.0, metavar="GIB", help="What counting may take; the rest is on disk."
)
@threads_option
@config_option
@quiet_option
@json_option
def cooccurrence(corpus: tuple[str, ...], bundle: str, quiet: bool, as_json: bool, **options: Any) -> None:
    """Count which words of CORPUS stand near which, once for many trainings of GloVe.

    CORPUS is files, folders, - for stdin, or names of corpora. Words that are left out take no place, and no
    window reaches over the end of a line. The counts are the same for any number of threads and any memory.
    """
    from seqkit.embeddings.cooccurrence.building import count_sources
    from seqkit.embeddings.cooccurrence.config import CooccurrenceConfig
    from seqkit.embeddings.cooccurrence.counting import CountingConfig
    from seqkit.embeddings.material import CorpusConfig
    from seqkit.text.tokenizers import Tokenizer

    def chosen(*names: str) -> dict[str, Any]:
        return {name: options[name] for name in names}

    report = count_sources(
        corpus,
        bundle,
        CooccurrenceConfig(**chosen("window", "context", "weighting")),
        corpus=CorpusConfig(
            tokenizer=Tokenizer(options["tokenizer"], options["lowercase"]),
            **chosen("min_count", "max_vocab"),
        ),
        run=CountingConfig(**chosen("memory", "threads")),
        overwrite=options["overwrite"],
        progress=progress_for(quiet),
    )
    if as_json:
        emit_json(vars(report))
        return
    echo_table(
        ["counts", "words", "vocabulary", "pairs", "seconds"],
        [
            [
                report.bundle,
                f"{report.words:,}",
                f"{report.vocabulary:,}",
                f"{report.pairs:,}",
                f"{report.seconds:.1f}",
            ]
        ],
    )
