"""`seqkit sentiment diagnose`, `errors` and `behaviour`: what a model gets wrong, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from seqkit.cli.common import echo, echo_table, emit_json, json_option, note, quiet_option, seed_option
from seqkit.cli.sentiment_evaluate import load_data
from seqkit.cli.sentiment_options import data_options, decorated
from seqkit.errors import UsageError

if TYPE_CHECKING:
    from seqkit.sentiment.evaluation.behaviour import Behaviour
    from seqkit.sentiment.evaluation.diagnosis import Diagnosis
    from seqkit.sentiment.evaluation.errors import Errors

SHOWN = 3  # failures of each kind of behaviour


@click.command()
@click.argument("bundle")
@click.option("--train", metavar="D", default=None, help="Texts that the model learned.")
@click.option("--train-dev", metavar="D", default=None, help="Texts of their kind that it did not learn.")
@click.option("--dev", metavar="D", default=None, help="Texts that settings were chosen on.")
@click.option("--test", metavar="D", default=None, help="Texts that nothing was chosen on.")
@click.option("--human-error", metavar="E", default=None, help="Error of people on such texts: 0.05 or 5%.")
@decorated(data_options)
@quiet_option
@json_option
def diagnose(
    bundle: str,
    train: str | None,
    train_dev: str | None,
    dev: str | None,
    test: str | None,
    human_error: str | None,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Say what keeps the model BUNDLE from getting better, and what to try first.

    The gaps between errors are read as avoidable bias, variance, data mismatch and over-fitting to the dev
    set. Give what there is: without some of the sets, some of the gaps cannot be told apart, which is said.
    """
    from seqkit.sentiment.evaluation.diagnosis import diagnose as read
    from seqkit.sentiment.evaluation.diagnosis import named, overlaps
    from seqkit.sentiment.model import SentimentModel

    human = None if human_error is None else _share(human_error)
    given = {"train": train, "train_dev": train_dev, "dev": dev, "test": test}
    places = {name: place for name, place in given.items() if place is not None}
    if len(places) + (human is not None) < 2:
        read({}, human)  # refused before anything is loaded
    if list(places.values()).count("-") > 1:
        raise UsageError("- (stdin) can be one of the sets, not several")
    model = SentimentModel.load(bundle)
    counts, texts = {}, {}
    for name, place in places.items():
        dataset = load_data((place,), options, quiet, model.labels)
        wrong = model.predict(dataset.texts).argmax(axis=1) != dataset.targets
        counts[name], texts[name] = (int(wrong.sum()), len(wrong)), dataset.texts
    found = read(counts, human)
    shared = overlaps(texts)
    if as_json:
        told = [{"in": list(pair), "texts": count} for pair, count in shared.items()]
        emit_json({"bundle": bundle, **found.as_json(), "overlaps": told})
        return
    for (earlier, later), count in shared.items():
        note(f"{count:,} texts of {named(later)} are in {named(earlier)}, too: its error is too low")
    _show_diagnosis(found)


def _show_diagnosis(found: Diagnosis) -> None:
    from seqkit.sentiment.evaluation.diagnosis import named

    rows = [[f"{named(name)} error", *figure.as_json().values()] for name, figure in found.errors.items()]
    rows += [[gap.name, *gap.change.as_json().values()] for gap in found.gaps]
    echo_table(["", "value", "low", "high"], rows)
    echo("")
    echo(found.why)
    for each in found.to_try:
        echo(f"- {each}")
    for each in found.unknown:
        note(each)


def _share(given: str) -> float:
    try:
        return float(given.removesuffix("%")) / (100 if given.endswith("%") else 1)
    except ValueError:
        raise UsageError(f"--human-error is a share, 0.05 or 5%, not {given!r:.40}") from None


@click.command()
@click.argument("bundle")
@click.argument("data", nargs=-1, required=True, metavar="DATA...")
@click.option("-o", "--output", metavar="ERRORS.tsv", default=None, help="Write the misclassified texts.")
@click.option("--overwrite", is_flag=True, help="Replace ERRORS.tsv if it is there.")
@click.option(
    "--tags", metavar="TAGGED.tsv", default=None, help="Such a file with tags in it: sum them, keep them."
)
@decorated(data_options)
@seed_option
@quiet_option
@json_option
def errors(
    bundle: str,
    data: tuple[str, ...],
    output: str | None,
    overwrite: bool,
    tags: str | None,
    seed: int,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Show where the model BUNDLE errs on DATA, and write the misclassified texts for a person to tag.

    Slices are found without a person: short and long texts, negation, contrast, unknown words, capitals,
    emoji. Rows are in random order (--seed). Write tags of your own into the column of that name, several
    with commas, as far as you get; --tags then says how often each came, and its ceiling: what accuracy can
    rise by at most if all such texts were right.
    """
    from seqkit.sentiment.evaluation.errors import (
        check_output,
        find_errors,
        read_tags,
        unmatched,
        write_errors,
    )
    from seqkit.sentiment.model import SentimentModel

    if output is not None:
        check_output(output, overwrite=overwrite)
    tagged = None if tags is None else read_tags(tags)
    model = SentimentModel.load(bundle)
    found = find_errors(model, load_data(data, options, quiet, model.labels), seed=seed)
    gone = 0
    if tagged is not None:
        gone, found = unmatched(tagged, found.rows), found.tagged(tagged)
    if output is not None:
        write_errors(output, found.rows, overwrite=overwrite)
    if as_json:
        emit_json({"bundle": bundle, "output": output, **found.as_json(), "tagged_but_right": gone})
        return
    if gone:
        note(f"{gone:,} tagged texts are labelled right by this model, or are not in the data")
    _show_errors(found)


def _show_errors(found: Errors) -> None:
    error = found.error
    echo_table(
        ["slice", "errors", "texts", "error", "low", "high", "ceiling"],
        [
            [part.name, part.wrong, part.texts, *part.share.as_json().values(), part.ceiling.value]
            for part in found.slices
        ]
        + [["all", len(found.rows), found.texts, *error.as_json().values(), error.value]],
    )
    if sums := found.sums():
        echo("")
        echo_table(
            ["tag", "errors", "tagged", "share", "low", "high", "ceiling"],
            [
                [part.name, part.wrong, part.texts, *part.share.as_json().values(), part.ceiling.value]
                for part in sums
            ],
        )


@click.command()
@click.argument("bundle")
@seed_option
@json_option
def behaviour(bundle: str, seed: int, as_json: bool) -> None:
    """Test how the model BUNDLE behaves on English texts that are changed in one thing.

    A denial turns good into bad; another name changes nothing; very makes more of it and somewhat less; a
    typing error leaves the label. The labels must say what is good: positive and negative, or numbers.
    """
    from seqkit.sentiment.evaluation.behaviour import behaviour as test
    from seqkit.sentiment.model import SentimentModel

    found = test(SentimentModel.load(bundle), seed=seed)
    if as_json:
        emit_json({"bundle": bundle, "behaviour": {each.name: each.as_json() for each in found}})
        return
    _show_behaviour(found)


def _show_behaviour(found: list[Behaviour]) -> None:
    from seqkit.sentiment.evaluation.behaviour import DESCRIPTIONS

    echo_table(
        ["behaviour", "passed", "cases", "rate", "low", "high", "what"],
        [
            [
                *(each.name, each.cases - len(each.failures), each.cases),
                *(*each.rate.as_json().values(), DESCRIPTIONS[each.name]),
            ]
            for each in found
        ],
        whole_names=True,
    )
    for each in found:
        for failure in each.failures[:SHOWN]:
            read = (
                f"{case} ({made.label}, {made.score:+.2f})"
                for case, made in (
                    (failure.case.before, failure.before),
                    (failure.case.after, failure.after),
                )
            )
            note(f"{each.name}: {' → '.join(read)}")
