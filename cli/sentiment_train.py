"""`seqkit sentiment train`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from seqkit.cli.common import Decorator, echo_table, emit_json, json_option, quiet_option, seed_option
from seqkit.cli.config import config_option
from seqkit.cli.progress import progress_for

# The names in the library, which --help must not wait for; a test compares them.
MODELS = ["average", "linear", "rnn", "cnn", "lexicon"]

data_options: list[Decorator] = [
    click.option("--text-column", default=None, metavar="C", help="Where the text is.  [default: guessed]"),
    click.option(
        "--label-column",
        "label_columns",
        multiple=True,
        metavar="C",
        help="Where the label is; repeated for further tasks to learn from.  [default: guessed]",
    ),
]
model_options: list[Decorator] = [
    click.option(
        "--model",
        "models",
        multiple=True,
        type=click.Choice(MODELS),
        help="What to train; repeated for several that answer together.  [default: linear]",
    ),
    click.option("--seeds", type=int, default=1, help="Train each so often, to answer together."),
    click.option("--lowercase/--keep-case", default=True, help="Whether text is lower-cased."),
]


def decorated(options: list[Decorator]) -> Decorator:
    """One decorator of several, which help lists in their order."""

    def decorate(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


@click.command()
@click.argument("data", nargs=-1, required=True, metavar="DATA...")
@click.option("-o", "--output", "bundle", required=True, metavar="BUNDLE", help="Directory to write.")
@click.option("--overwrite", is_flag=True, help="Replace a bundle that is there.")
@click.option(
    "--valid",
    metavar="DATA|FRACTION",
    default="0.1",
    help="Labelled texts to stop and calibrate by, or a fraction of DATA to hold out.",
)
@decorated(data_options)
@decorated(model_options)
@seed_option
@config_option
@quiet_option
@json_option
def train(
    data: tuple[str, ...],
    bundle: str,
    overwrite: bool,
    valid: str,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train a classifier on DATA: TSV, CSV or JSONL with a column of labels, folders by class, corpora.

    Interrupted by Ctrl-C, the same command goes on where it stopped.
    """
    from seqkit.sentiment.columns import Columns
    from seqkit.sentiment.training import train

    report = train(
        data,
        bundle,
        fit_config(options),
        columns=Columns(options["text_column"], options["label_columns"]),
        valid=_validation(valid),
        overwrite=overwrite,
        progress=progress_for(quiet),
    )
    if as_json:
        emit_json(vars(report))
        return
    models = ", ".join(member["model"] for member in report.members)
    echo_table(
        ["bundle", "texts", "labels", "models", "seconds", "validation accuracy", "macro F1"],
        [
            [
                report.bundle,
                f"{report.texts:,}",
                ", ".join(report.labels),
                models,
                f"{report.seconds:.1f}",
                f"{report.validation_accuracy:.4f}",
                f"{report.validation_macro_f1:.4f}",
            ]
        ],
    )


def fit_config(options: Mapping[str, Any]) -> Any:
    """What is trained, from the options that were given.

    Raises:
        UsageError: an option that none of the models has.
    """
    from seqkit.sentiment.registry import model_kind
    from seqkit.sentiment.training import FitConfig

    kinds = [model_kind(name) for name in options["models"] or ("linear",)]
    models = tuple(kind.config_class() for kind in kinds)
    return FitConfig(
        models=models, seeds=options["seeds"], lowercase=options["lowercase"], seed=options["seed"]
    )


def _validation(given: str) -> list[str] | float:
    """A fraction to hold out, or a source."""
    try:
        return float(given)
    except ValueError:
        return [given]
