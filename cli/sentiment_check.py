"""`seqkit sentiment check`: what is wrong with labelled texts, before a model learns it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from seqkit.cli.common import echo, echo_table, emit_json, json_option, quiet_option, seed_option
from seqkit.cli.progress import progress_for

if TYPE_CHECKING:
    from seqkit.sentiment.findings import Report


@click.command()
@click.argument("data", nargs=-1, required=True, metavar="DATA...")
@click.option(
    "--against",
    multiple=True,
    metavar="DATA",
    help="Texts to test on, which should not be among those to learn; may be repeated.",
)
@click.option("--text-column", default=None, metavar="C", help="Where the text is.  [default: guessed]")
@click.option("--label-column", default=None, metavar="C", help="Where the label is.  [default: guessed]")
@click.option(
    "--noise",
    type=click.IntRange(min=0),
    default=20,
    help="Doubtful labels to show; 0 not to look for them, which takes the most time.",
)
@seed_option
@quiet_option
@json_option
def check(
    data: tuple[str, ...],
    against: tuple[str, ...],
    text_column: str | None,
    label_column: str | None,
    noise: int,
    seed: int,
    quiet: bool,
    as_json: bool,
) -> None:
    """Check labelled texts before training.

    Told are: labels that are missing, rare, alike or far from equally frequent; texts that are empty, far
    longer than others, there twice, there with two labels, or also in the texts to test on; damaged
    characters; labels that a model of the other texts contradicts.
    """
    from seqkit.sentiment.checking import check as check_texts
    from seqkit.text.columns import Columns

    columns = Columns(text_column, () if label_column is None else (label_column,))
    progress = progress_for(quiet)
    report = check_texts(data, columns, against=against, noise=noise, seed=seed, progress=progress)
    if as_json:
        emit_json(report.as_json())
    else:
        _show(report)


def _show(report: Report) -> None:
    echo_table(
        ["label", "texts", "share"],
        [[label, f"{count:,}", f"{count / report.texts:.1%}"] for label, count in report.labels.items()],
    )
    told = ", ".join(f"{name} {count:,}" for name, count in report.tokens.items())
    echo("")
    echo(f"{report.texts:,} texts; tokens of a text: {told}")
    for finding in report.findings:
        echo("")
        echo(f"{finding.kind}: {finding.message}")
        for sample in finding.samples:
            detail = f" ({sample.detail})" if sample.detail else ""
            echo(f"  {sample.path}:{sample.line}: {sample.label or '-'}{detail}: {sample.text}")
    if not report.findings:
        echo("")
        echo("nothing is wrong with them")
