"""`seqkit embed compare`: how alike two sets of vectors are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from seqkit.cli.common import echo, echo_table, emit_json, json_option, require_existing

if TYPE_CHECKING:
    from seqkit.embeddings.comparison import Comparison

_SHOWN = 5  # neighbours of a word that moved, in a table


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("-k", type=click.IntRange(min=1), default=10, help="Neighbours of each word to compare.")
@click.option("-n", type=click.IntRange(min=0), default=20, help="Words that moved most to list.")
@click.option(
    "--most-frequent", type=click.IntRange(min=2), default=20_000, help="Compare so many of the common words."
)
@click.option("--similarity", multiple=True, metavar="FILE", help="Word pairs: `word TAB word TAB score`.")
@click.option("--analogies", multiple=True, metavar="FILE", help="Analogies, as in questions-words.")
@json_option
def compare(
    a: str, b: str, similarity: tuple[str, ...], analogies: tuple[str, ...], as_json: bool, **options: int
) -> None:
    """Compare two sets of vectors: of two seeds, two methods, two corpora.

    A and B are bundles, or files of vectors in any format. Shown are, by frequency, the share of each word's
    K nearest words that both sets agree on, and the cosine distance that is left after the best rotation of B
    onto A; the scores of both, as `embed evaluate` gives them; the words that moved most, with their nearest
    in A and in B.
    """
    from seqkit.embeddings.comparison import compare as compare_vectors
    from seqkit.embeddings.evaluation import EvaluationSets, default_sets
    from seqkit.embeddings.vectors import Vectors

    for path in (*similarity, *analogies):
        require_existing(path)
    sets = EvaluationSets.read(*((similarity, analogies) if similarity or analogies else default_sets()))
    first, second = Vectors.load(a), Vectors.load(b)
    comparison = compare_vectors(first, second, **options)
    scores = [sets.score(first), sets.score(second)]
    if as_json:
        evaluation = {"a": scores[0], "b": scores[1]}
        emit_json({"a": a, "b": b, **comparison.to_json(), "evaluation": evaluation})
        return
    _show(comparison, [len(first), len(second)], scores)


def _show(comparison: Comparison, sizes: list[int], scores: list[dict[str, Any]]) -> None:
    echo_table(
        ["", "words"],
        [["A", sizes[0]], ["B", sizes[1]], ["common", comparison.common], ["compared", comparison.compared]],
    )
    echo("")
    ranked = [(f"{band.first:,}-{band.last:,}", band) for band in comparison.bands]
    echo_table(
        ["frequency rank", f"overlap@{comparison.k}", "Jaccard", "distance"],
        [
            [name, band.overlap, band.jaccard, band.distance]
            for name, band in [*ranked, ("all", comparison.whole)]
        ],
    )
    echo("")
    echo_table(
        ["set", "measure", "A", "scored", "missing", "B", "scored", "missing"],
        [
            [
                stem,
                measure,
                *(score[kind][stem][key] for score in scores for key in (measure, count, "missing")),
            ]
            for kind, measure, count in (
                ("similarity", "spearman", "pairs"),
                ("analogies", "accuracy", "questions"),
            )
            for stem in scores[0][kind]
        ],
    )
    if comparison.moved:
        echo("")
        echo_table(
            ["moved", "distance", "nearest in A", "nearest in B"],
            [
                [
                    word.word,
                    word.distance,
                    *(", ".join(near[:_SHOWN]) for near in (word.neighbours_a, word.neighbours_b)),
                ]
                for word in comparison.moved
            ],
        )
