"""`seqkit debias apply`: remove a bias from vectors."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from seqkit.cli.common import echo, echo_table, emit_json, json_option, note, quiet_option
from seqkit.cli.debias_words import check_coverage, echo_coverage, words_option

if TYPE_CHECKING:
    from seqkit.debias.word_sets import WordSets
    from seqkit.embeddings.vectors import Vectors

# The keys of seqkit.debias.removal.METHODS, which --help must not wait for; a test compares them.
METHODS = ["hard", "soft", "double-hard", "inlp", "leace"]
_FOUND = 8  # learned words to show


@click.command()
@click.argument("vectors")
@click.option("-o", "--output", "bundle", required=True, metavar="BUNDLE", help="Directory to create.")
@click.option("--method", type=click.Choice(METHODS), default="hard", help="How the bias is removed.")
@words_option
@click.option("--strength", type=float, metavar="λ", help="soft: from 0, nothing, up.  [default: 1]")
@click.option(
    "--learn-specific",
    is_flag=True,
    help="Protect words that a linear classifier finds to be like those of the sets, too.",
)
@click.option("--overwrite", is_flag=True, help="Replace BUNDLE if it is there.")
@quiet_option
@json_option
def apply(
    vectors: str,
    bundle: str,
    method: str,
    words: str,
    strength: float | None,
    learn_specific: bool,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Remove a bias from VECTORS and write a bundle, whose manifest says what was done.

    VECTORS is a bundle, or a file of vectors in any format; `seqkit embed export` writes the bundle as any of
    them. hard neutralizes and equalizes; soft does so by a strength λ; double-hard takes away a frequency
    component first; inlp projects out one linear classifier after another; leace erases all that a linear
    classifier could learn.
    """
    from seqkit.debias.removal import apply as remove
    from seqkit.debias.word_sets import word_sets
    from seqkit.embeddings.vectors import Vectors
    from seqkit.storage import BundleWriter

    sets = word_sets(words)
    with BundleWriter(bundle, kind="vectors", overwrite=overwrite):
        pass  # refuses a bundle that is there before the work
    loaded = Vectors.load(vectors)
    known = check_coverage(loaded, sets)
    learned: dict[str, Any] = {}
    if learn_specific:
        sets, learned = _with_learned(loaded, sets, quiet)
    start = time.perf_counter()
    done = remove(loaded, sets, method, strength=strength)
    done = replace(done, record={**done.record, **learned})
    seconds = time.perf_counter() - start
    done.save(bundle, overwrite=overwrite, source=vectors)
    if as_json:
        emit_json({"bundle": bundle, "vocabulary": len(loaded), "seconds": seconds, **done.record})
        return
    echo_table(["", ""], [["bundle", bundle], *_rows(done.record), ["seconds", f"{seconds:.2f}"]])
    echo("")
    echo_coverage(known)


def _with_learned(vectors: Vectors, sets: WordSets, quiet: bool) -> tuple[WordSets, dict[str, Any]]:
    """Sets that protect what was learned, too, and what that was, for the record."""
    from seqkit.debias.specific import learn_specific_words
    from seqkit.debias.word_sets import first_known
    from seqkit.errors import DataError

    learned = learn_specific_words(vectors, sorted(sets.known_to(vectors).protected))
    found = frozenset(learned.found)
    neutral = tuple(word for word in sets.neutral if found.isdisjoint(first_known((word,), vectors)))
    if sets.neutral and not neutral:
        raise DataError("all neutral words are like the specific ones: leave out --learn-specific")
    if not quiet:
        words = ", ".join(learned.found[:_FOUND])
        note(f"seqkit: {len(learned.found)} more words are protected (F1 {learned.f1:.2f}): {words}")
    specific = tuple(dict.fromkeys([*sets.specific, *learned.found]))
    told = {"learned_specific": list(learned.found), "learned_f1": learned.f1}
    return replace(sets, specific=specific, neutral=neutral), told


def _rows(record: Any) -> list[list[object]]:
    """What was done, a line each: lists as their lengths."""
    rows: list[list[object]] = [["method", record["method"]], ["word sets", record["word_sets"]["name"]]]
    rows += [[key, _shown(value)] for key, value in record["settings"].items() if value is not None]
    rows += [
        ["pairs", len(record["pairs"])],
        ["explained variance", ", ".join(f"{share:.3f}" for share in record["explained_variance"])],
    ]
    told = {"method", "settings", "word_sets", "pairs", "explained_variance", "coverage"}
    for key, value in record.items():
        if key not in told:
            rows.append([key.replace("_", " "), _shown(value)])
    return rows


def _shown(value: object) -> object:
    if isinstance(value, list | tuple):
        return len(value)
    return f"{value:.4g}" if isinstance(value, float) else value
