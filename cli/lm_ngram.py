"""`seqkit lm ngram`."""

from __future__ import annotations

import click

from seqkit.cli.common import echo_table, emit_json, json_option, quiet_option
from seqkit.cli.progress import progress_for


@click.command()
@click.argument("bundle")
@click.argument("corpus", nargs=-1, required=True, metavar="CORPUS...")
@click.option("-o", "--output", required=True, metavar="NGRAMS", help="Directory to write.")
@click.option("--overwrite", is_flag=True, help="Replace a bundle that is there.")
@click.option("--order", type=int, default=5, show_default=True, help="Tokens of the longest n-gram.")
@click.option(
    "--valid",
    metavar="FILE",
    default=None,
    help="Held-out text to fit their weight on.  [default: what BUNDLE held out of CORPUS]",
)
@quiet_option
@json_option
def ngram(
    bundle: str,
    corpus: tuple[str, ...],
    output: str,
    overwrite: bool,
    order: int,
    valid: str | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Count the n-grams of CORPUS, for `seqkit lm score --ngram` beside the language model BUNDLE.

    Kneser-Ney n-grams and a recurrent network err in different places: together they expect a text better
    than each alone.
    """
    from seqkit.language_model.counting import count_ngrams

    report = count_ngrams(
        bundle,
        corpus,
        output,
        order=order,
        valid=[] if valid is None else [valid],
        overwrite=overwrite,
        progress=progress_for(quiet),
    )
    if as_json:
        emit_json(vars(report))
        return
    echo_table(
        ["", ""],
        [
            ["n-grams", output],
            ["tokens", f"{report.tokens:,}"],
            *([f"of {n}", f"{count:,}"] for n, count in enumerate(report.ngrams, 1)),
            ["perplexity of the model", f"{report.perplexity_of_model:.2f}"],
            ["of the n-grams", f"{report.perplexity_of_ngrams:.2f}"],
            ["of both", f"{report.perplexity:.2f}"],
            ["weight of the n-grams", f"{report.weight:.3f}"],
        ],
    )
