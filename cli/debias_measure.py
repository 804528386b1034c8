"""`seqkit debias audit` and `compare`: how biased vectors are, before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from seqkit.cli.common import echo, echo_table, emit_json, json_option, note, quiet_option, seed_option
from seqkit.cli.debias_words import check_coverage, echo_coverage, words_option
from seqkit.cli.progress import progress_for

if TYPE_CHECKING:
    from seqkit.debias.measures.audit import Audit
    from seqkit.debias.measures.comparison import Change, Comparison
    from seqkit.debias.measures.intervals import Figure

report_option = click.option("-o", "--output", "report", metavar="FILE.html", help="Write a report, too.")
overwrite_option = click.option("--overwrite", is_flag=True, help="Replace FILE.html if it is there.")


@click.command()
@click.argument("vectors")
@words_option
@report_option
@overwrite_option
@seed_option
@quiet_option
@json_option
def audit(
    vectors: str, words: str, report: str | None, overwrite: bool, seed: int, quiet: bool, as_json: bool
) -> None:
    """Measure the bias of VECTORS by all that the word sets allow.

    VECTORS is a bundle, or a file of vectors in any format. Every figure comes with its 95% bootstrap
    interval and the value of unbiased vectors; how many of the words are known is always told. The report is
    one self-contained page with pictures.
    """
    from seqkit.debias.measures.audit import audit as measure
    from seqkit.debias.word_sets import word_sets
    from seqkit.embeddings.vectors import Vectors

    sets = word_sets(words)
    _check_report(report, overwrite=overwrite)
    loaded, progress = Vectors.load(vectors), progress_for(quiet)
    known = check_coverage(loaded, sets)
    result = measure(loaded, sets, seed=seed, progress=progress)
    if report is not None:
        from seqkit.plots.bias_report import report_audit

        report_audit(report, result, (vectors, loaded), sets, overwrite=overwrite, progress=progress)
    progress.finish()
    if as_json:
        emit_json({"vectors": vectors, "vocabulary": len(loaded), **result.as_json(), "report": report})
        return
    _show_audit(result)
    echo("")
    echo_coverage(known)


@click.command()
@click.argument("before")
@click.argument("after")
@words_option
@report_option
@overwrite_option
@seed_option
@quiet_option
@json_option
def compare(
    before: str,
    after: str,
    words: str,
    report: str | None,
    overwrite: bool,
    seed: int,
    quiet: bool,
    as_json: bool,
) -> None:
    """Compare vectors BEFORE and AFTER a removal: what improved, what is left, what it cost.

    Both are bundles, or files of vectors in any format. Changes are paired, on the same words; the verdict
    follows from their intervals alone. The report is one self-contained page with pictures.
    """
    from seqkit.debias.measures.comparison import compare as measure
    from seqkit.debias.word_sets import word_sets
    from seqkit.embeddings.vectors import Vectors

    sets = word_sets(words)
    _check_report(report, overwrite=overwrite)
    first, second, progress = Vectors.load(before), Vectors.load(after), progress_for(quiet)
    known = check_coverage(first, sets)
    result = measure(first, second, sets, seed=seed, progress=progress)
    if report is not None:
        from seqkit.plots.bias_report import report_comparison

        report_comparison(
            report, result, (before, first), (after, second), sets, overwrite=overwrite, progress=progress
        )
    progress.finish()
    if as_json:
        emit_json({"before": before, "after": after, **result.as_json(), "report": report})
        return
    _show_comparison(result)
    echo("")
    echo_coverage(known)
    echo("")
    for line in result.verdict.text:
        echo(line)


def _check_report(report: str | None, *, overwrite: bool) -> None:
    """Before anything is loaded: a report that cannot be written is not found after minutes."""
    if report is not None:
        from seqkit.plots.bias_report import check_report

        check_report(report, overwrite=overwrite)


def _show_audit(result: Audit) -> None:
    from seqkit.debias.measures.comparison import neutral_values
    from seqkit.debias.measures.meaning import asks

    neutral = neutral_values(result)
    echo_table(
        ["measure", "value", "low", "high", "neutral", "asks"],
        [
            [name.removeprefix("recovery."), *_ends(figure), neutral.get(name), asks(name)]
            for name, figure in result.flat().items()
            if not name.startswith("weat_difference.")
        ],
        whole_names=True,
    )
    if result.weat:
        echo("")
        echo_table(
            ["test", "difference", "low", "high", "p", "p corrected", "partitions"],
            [
                [
                    name,
                    *_ends(test.difference),
                    _small(test.p.value),
                    _small(result.corrected[name].value),
                    f"{test.partitions:,}",
                ]
                for name, test in result.weat.items()
            ],
        )
    for name, reason in result.skipped.items():
        note(f"seqkit: not measured: {name}: {reason}")


def _show_comparison(result: Comparison) -> None:
    echo_table(
        ["measure", "before", "after", "change", "low", "high", "neutral"],
        [_row(name, change) for name, change in (result.measures | result.utility).items()],
    )
    for name, reason in (result.before.skipped | result.after.skipped).items():
        note(f"seqkit: not measured: {name}: {reason}")


def _row(name: str, change: Change) -> list[object]:
    changed = [None] * 3 if change.change is None else _ends(change.change)
    values = [None if figure is None else figure.value for figure in (change.before, change.after)]
    return [name, *values, *changed, change.neutral]


def _ends(figure: Figure) -> list[float]:
    return [figure.value, figure.low, figure.high]


def _small(p: float) -> str:
    return f"{p:.2g}"
