"""`seqkit sentiment evaluate`, `cross-validate` and `choose`: how good a model is, and which is best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from seqkit.cli.common import echo, echo_table, emit_json, json_option, note, quiet_option, seed_option
from seqkit.cli.progress import progress_for
from seqkit.cli.sentiment_options import data_options, decorated, fit_config, resources_of, unlabelled_of
from seqkit.cli.sentiment_train import train
from seqkit.errors import UsageError

if TYPE_CHECKING:
    from seqkit.sentiment.dataset import Dataset
    from seqkit.sentiment.evaluation.evaluate import Evaluation
    from seqkit.sentiment.labels import Labels

# The names in the library, which --help must not wait for; a test compares them.
METRICS = ["accuracy", "macro_f1", "quadratic_kappa", "calibration_error", "log_loss", "mean_absolute_error"]

# Options of training that have no meaning where nothing is written.
LEFT_OUT = {"bundle", "overwrite", "valid"}

MANY = 12  # labels, above which no confusion is shown

metric_option = click.option(
    "--metric", type=click.Choice(METRICS), default="accuracy", help="What is to be best."
)
at_most_ms_option = click.option(
    "--at-most-ms",
    type=float,
    default=None,
    metavar="MS",
    help="Choose no model that takes longer for a text by itself (median).",
)


@click.command()
@click.argument("bundle")
@click.argument("data", nargs=-1, required=True, metavar="DATA...")
@decorated(data_options)
@seed_option
@quiet_option
@json_option
def evaluate(
    bundle: str, data: tuple[str, ...], seed: int, quiet: bool, as_json: bool, **options: Any
) -> None:
    """Evaluate the model BUNDLE on DATA, labelled texts that it has not learned.

    Every figure comes with its 95% bootstrap interval: accuracy, F1 by label and their mean, calibration; of
    ratings the mean absolute error and the quadratic kappa, too.
    """
    from seqkit.sentiment.evaluation.evaluate import evaluate as measure
    from seqkit.sentiment.model import SentimentModel

    model = SentimentModel.load(bundle)
    found = measure(model, load_data(data, options, quiet, model.labels), seed=seed)
    if as_json:
        emit_json({"bundle": bundle, **found.as_json()})
        return
    _show(found)


@click.command("cross-validate")
@click.argument("data", nargs=-1, required=True, metavar="DATA...")
@click.option("--folds", type=int, default=10, help="Parts of DATA, each tested on by one model.")
@click.option(
    "--valid",
    "held_out",
    type=float,
    default=0.1,
    metavar="FRACTION",
    help="Of the texts that a model learns, to hold out for it to stop and calibrate by.",
)
@quiet_option
@json_option
def cross_validate(
    data: tuple[str, ...], folds: int, held_out: float, quiet: bool, as_json: bool, **options: Any
) -> None:
    """Train as many models as there are folds, each on all of DATA but one part, and test it on that.

    The figures are those of `evaluate`, over all texts, each labelled by the model that has not learned it.
    Nothing is saved. The settings are those of `train`.
    """
    from seqkit.sentiment.evaluation.cross_validation import cross_validate as measure
    from seqkit.sentiment.training import fit_model

    config, progress = fit_config(options), progress_for(quiet)
    unlabelled = unlabelled_of(options, progress)
    dataset = load_data(data, options, quiet)
    unlabelled = unlabelled.without(dataset.texts) if unlabelled else None
    resources = resources_of(options, progress)
    found = measure(
        lambda learned, _: (
            fit_model(learned, config, valid=held_out, unlabelled=unlabelled, resources=resources).model
        ),
        dataset,
        folds,
        seed=options["seed"],
        progress=progress,
    )
    if as_json:
        emit_json({"data": list(data), **found.as_json()})
        return
    _show(found.evaluation)
    echo("")
    echo_table(
        ["fold", "learned", "tested", "accuracy", "macro F1", "seconds"],
        [
            [number, fold.learned, fold.tested, fold.accuracy, fold.macro_f1, f"{fold.seconds:.1f}"]
            for number, fold in enumerate(found.folds, 1)
        ],
    )


@click.command()
@click.argument("bundles", nargs=-1, required=True, metavar="BUNDLE...")
@click.option(
    "--data", "data", multiple=True, required=True, metavar="DATA", help="Labelled texts to compare them on."
)
@metric_option
@at_most_ms_option
@click.option(
    "--at-most-mb", type=float, default=None, metavar="MB", help="Choose no model whose files are larger."
)
@decorated(data_options)
@seed_option
@quiet_option
@json_option
def choose(
    bundles: tuple[str, ...],
    data: tuple[str, ...],
    metric: str,
    at_most_ms: float | None,
    at_most_mb: float | None,
    seed: int,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Choose among models: the best by one metric of those that are within all limits.

    Each BUNDLE is evaluated on DATA, best a dev set, as the test set of what was chosen on it says too much.
    """
    from seqkit.sentiment.evaluation.choice import Candidate, milliseconds
    from seqkit.sentiment.evaluation.choice import choose as pick
    from seqkit.sentiment.evaluation.evaluate import evaluate as measure
    from seqkit.sentiment.model import SentimentModel

    limits = {"ms": at_most_ms, "mb": at_most_mb}
    for name, limit in limits.items():
        if limit is not None and not limit > 0:
            raise UsageError(f"--at-most-{name} must be above 0, not {limit:g}")
    candidates = []
    dataset: Any = None
    for bundle in bundles:
        model = SentimentModel.load(bundle)
        if dataset is None or dataset.labels != model.labels:
            dataset = load_data(data, options, quiet, model.labels)
        figures = {name: figure.value for name, figure in measure(model, dataset, seed=seed).figures.items()}
        figures |= {"ms": milliseconds(model, dataset.texts), "mb": _megabytes(model.manifest)}
        candidates.append(Candidate(bundle, figures))
    found = pick(candidates, metric, {name: limit for name, limit in limits.items() if limit is not None})
    if as_json:
        emit_json(
            {
                "best": found.best.name,
                "metric": metric,
                "within": [{"bundle": each.name, **each.figures} for each in found.ranked],
                "refused": found.refused,
            }
        )
        return
    echo_table(
        ["bundle", metric, "ms", "MB"],
        [[each.name, *(each.figures[name] for name in (metric, "ms", "mb"))] for each in found.ranked],
    )
    for name, reason in found.refused.items():
        note(f"{name}: {reason}")


def load_data(
    data: tuple[str, ...], options: dict[str, Any], quiet: bool, labels: Labels | None = None
) -> Dataset:
    """Labelled texts, from the options that say where text and label are."""
    from seqkit.sentiment.dataset import Dataset
    from seqkit.text.columns import Columns

    columns = Columns(options["text_column"], options["label_columns"])
    return Dataset.load(data, columns, labels=labels, progress=progress_for(quiet))


def _show(found: Evaluation) -> None:
    echo_table(
        ["measure", "value", "low", "high"],
        [[name, *figure.as_json().values()] for name, figure in found.figures.items()],
    )
    echo("")
    support = found.confusion.sum(axis=1).tolist()
    echo_table(
        ["label", "precision", "recall", "F1", "texts"],
        [
            [label, *(figure.value for figure in figures.values()), count]
            for (label, figures), count in zip(found.per_label.items(), support, strict=True)
        ],
    )
    if len(found.labels) > MANY:
        return
    echo("")
    echo_table(
        ["is", *(f"given {label}" for label in found.labels.names)],
        [[label, *row] for label, row in zip(found.labels.names, found.confusion.tolist(), strict=True)],
    )


def _megabytes(manifest: Any) -> float:
    return float(sum(member.size for member in manifest.members.values())) / 1e6


cross_validate.params += [
    param
    for param in train.params
    if isinstance(param, click.Option)
    and param.name not in {each.name for each in cross_validate.params} | LEFT_OUT
]
