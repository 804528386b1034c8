"""`seqkit plot`: pictures of what is in bundles."""

from __future__ import annotations

import click

from seqkit.cli.common import echo_table, emit_json, json_option, quiet_option
from seqkit.cli.lazy import LazyGroup
from seqkit.cli.progress import progress_for


@click.group(cls=LazyGroup, lazy={"history": "seqkit.cli.plot:history"})
def plot() -> None:
    """Pictures of bundles; of words: `seqkit embed plot`."""


@click.command()
@click.argument("bundles", nargs=-1, required=True, metavar="BUNDLE...")
@click.option("-o", "--output", "file", required=True, metavar="FILE", help="Ends in .png, .svg or .html.")
@click.option("--overwrite", is_flag=True, help="Replace FILE if it is there.")
@quiet_option
@json_option
def history(bundles: tuple[str, ...], file: str, overwrite: bool, quiet: bool, as_json: bool) -> None:
    """Draw how the training of BUNDLEs went: loss, learning rate, scores of probes, by epoch.

    A panel for each measure, a line for each BUNDLE. An .html file shows the numbers under the pointer.
    """
    from seqkit.plots import plot_history

    report = plot_history(bundles, file, overwrite=overwrite, progress=progress_for(quiet))
    if as_json:
        emit_json(vars(report))
    else:
        echo_table(
            ["file", "bundles", "epochs", "measures"],
            [[report.file, report.bundles, report.epochs, ", ".join(report.measures)]],
        )
