"""`seqkit embed plot`: a map of words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from seqkit.cli.common import echo_table, emit_json, json_option, quiet_option, seed_option
from seqkit.cli.progress import progress_for
from seqkit.errors import UsageError

# Those of seqkit.plots.projection, which --help must not wait for; a test compares them.
PROJECTIONS = ["pca", "tsne", "spectral"]


@click.command()
@click.argument("vectors")
@click.argument("words", nargs=-1, metavar="[WORD...]")
@click.option("-o", "--output", "file", required=True, metavar="FILE", help="Ends in .png, .svg or .html.")
@click.option("--overwrite", is_flag=True, help="Replace FILE if it is there.")
@click.option("-n", type=click.IntRange(min=2), default=200, help="Words to show where none are named.")
@click.option(
    "--projection",
    type=click.Choice(PROJECTIONS),
    help="How vectors come to the plane.  [default: tsne for 30 words and more, else pca]",
)
@click.option(
    "--neighbours", type=click.IntRange(min=0), default=0, help="Add so many neighbours of each WORD."
)
@click.option("--groups", metavar="FILE.toml", help='Words in colours: `royalty = ["king", "queen"]`.')
@click.option("--pairs", metavar="A:B,C:D,...", help="Draw an arrow from A to B, from C to D, ...")
@seed_option
@quiet_option
@json_option
def plot(vectors: str, words: tuple[str, ...], file: str, quiet: bool, as_json: bool, **options: Any) -> None:
    """Draw a map of words: near is similar.

    VECTORS is a bundle, or a file of vectors in any format. Without WORDs, groups and pairs the most frequent
    words are shown. Projections are PCA, t-SNE and the spectral embedding of the graph of neighbours. Labels
    never overlap; those without room are left out, and counted. An .html file is one page without scripts,
    where the pointer shows a word's count and neighbours.
    """
    from seqkit.embeddings.vectors import Vectors
    from seqkit.plots import MapConfig, plot_words, read_groups
    from seqkit.plots.canvas import check_target

    overwrite = options.pop("overwrite")
    check_target(file, overwrite=overwrite)  # before vectors are loaded
    groups, pairs = options.pop("groups"), options.pop("pairs")
    config = MapConfig(groups=None if groups is None else read_groups(groups), pairs=_pairs(pairs), **options)
    report = plot_words(
        Vectors.load(vectors),
        file,
        words,
        config,
        title=Path(vectors).name,
        overwrite=overwrite,
        progress=progress_for(quiet),
    )
    if as_json:
        emit_json(vars(report))
    else:
        echo_table(
            ["file", "words", "labels", "projection"],
            [[report.file, report.words, report.labels, report.projection]],
        )


def _pairs(text: str | None) -> list[tuple[str, str]]:
    """`a:b,c:d` as pairs.

    Raises:
        UsageError: something else.
    """
    pairs = []
    for part in text.split(",") if text is not None else []:
        words = part.split(":")
        if len(words) != 2 or not all(words):
            raise UsageError(f"--pairs: {part!r} is not a pair; expected two words with a colon, man:woman")
        pairs.append((words[0], words[1]))
    return pairs
