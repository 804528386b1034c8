"""`seqkit sentiment train`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from seqkit.cli.common import (
    FractionOrSource,
    echo_table,
    emit_json,
    fraction_of,
    json_option,
    quiet_option,
    seed_option,
)
from seqkit.cli.config import config_option
from seqkit.cli.progress import progress_for
from seqkit.cli.sentiment_options import (
    data_options,
    decorated,
    fit_config,
    model_options,
    resources_of,
    self_training_options,
    unlabelled_of,
)
from seqkit.errors import UsageError


@click.command()
@click.argument("data", nargs=-1, required=True, metavar="DATA...")
@click.option("-o", "--output", "bundle", required=True, metavar="BUNDLE", help="Directory to write.")
@click.option("--overwrite", is_flag=True, help="Replace a bundle that is there.")
@click.option(
    "--valid",
    type=FractionOrSource(),
    metavar="DATA|FRACTION",
    default="0.1",
    help="Labelled texts to stop and calibrate by, or a fraction of DATA to hold out.",
)
@decorated(data_options)
@decorated(self_training_options)
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
    from seqkit.sentiment.training import train
    from seqkit.text.columns import Columns

    progress, fraction = progress_for(quiet), fraction_of(valid)
    if [*data, valid, options["unlabelled"]].count("-") > 1:
        raise UsageError("- (stdin) can be one of DATA, --valid and --unlabelled, once")
    report = train(
        data,
        bundle,
        fit_config(options),
        columns=Columns(options["text_column"], options["label_columns"]),
        valid=[valid] if fraction is None else fraction,
        unlabelled=unlabelled_of(options, progress),
        resources=resources_of(options, progress),
        overwrite=overwrite,
        progress=progress,
    )
    if as_json:
        emit_json(asdict(report))
        return
    models = ", ".join(member["model"] for member in report.members)
    again = report.self_training
    echo_table(
        [
            *["bundle", "texts", *(["self-labelled"] if again else []), "labels"],
            *["models", "seconds", "validation accuracy", "macro F1"],
        ],
        [
            [
                report.bundle,
                f"{report.texts:,}",
                *([f"{again.learned:,}"] if again else []),
                ", ".join(report.labels),
                models,
                f"{report.seconds:.1f}",
                f"{report.validation_accuracy:.4f}",
                f"{report.validation_macro_f1:.4f}",
            ]
        ],
    )
