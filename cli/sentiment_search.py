"""`seqkit sentiment search`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from seqkit.cli.common import (
    FractionOrSource,
    echo,
    echo_table,
    emit_json,
    fraction_of,
    json_option,
    quiet_option,
    seed_option,
)
from seqkit.cli.config import config_option
from seqkit.cli.progress import progress_for
from seqkit.cli.searching import (
    Setting,
    check_output,
    end_interrupted,
    scales_of,
    setting,
    write_settings,
)
from seqkit.cli.sentiment_evaluate import at_most_ms_option, load_data
from seqkit.cli.sentiment_options import (
    SETTINGS,
    data_options,
    decorated,
    fit_config,
    foreign_to,
    resources_of,
)
from seqkit.cli.sentiment_train import train
from seqkit.errors import DataError

if TYPE_CHECKING:
    from seqkit.sentiment.search import Found

# The names in the library, which --help must not wait for; a test compares them.
METRICS = ["accuracy", "macro_f1", "log_loss"]

SHOWN = 10

# Options of `seqkit sentiment train` that a trial, which writes nothing and is short, does without.
LEFT_OUT = {"bundle", "overwrite", "seeds", "unlabelled", "confidence"}


@click.command()
@click.argument("data", nargs=-1, required=True, metavar="DATA...")
@click.option(
    "-o",
    "--output",
    metavar="FILE.toml",
    default=None,
    help="Write a configuration for `seqkit sentiment train`.",
)
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@click.option("--minutes", type=float, default=10.0, help="Of all trials together.")
@click.option("--trials", type=int, default=8, help="That each of two rounds begins with, for each model.")
@click.option("--metric", type=click.Choice(METRICS), default="accuracy", help="What is to be best.")
@at_most_ms_option
@click.option(
    "--scale",
    "scales",
    multiple=True,
    metavar="NAME=SCALE",
    help="Draw a setting from log:LOW,HIGH, one-minus-log:LOW,HIGH, uniform:LOW,HIGH or choice:A,B,…",
)
@click.option(
    "--valid",
    type=FractionOrSource(),
    metavar="DATA|FRACTION",
    default="0.1",
    help="Labelled texts that the trials are compared on, or a fraction of DATA to hold out.",
)
@decorated(data_options)
@seed_option
@config_option
@quiet_option
@json_option
@click.pass_context
def search(
    ctx: click.Context,
    /,
    data: tuple[str, ...],
    output: str | None,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Look for settings with which DATA is classified best, by many short trainings.

    Settings are drawn at random, on logarithmic scales where that is fit; the better half of the trials goes
    on with more of the texts; a second round looks more finely around the best. What is given is not drawn.
    With several --model each has an equal share of the time. Interrupted by Ctrl-C, the search answers with
    what it has found.
    """
    from seqkit.sentiment.search import SearchPlan, search_settings

    check_output(output, overwrite)
    plan = SearchPlan(
        **{name: options[name] for name in ("minutes", "trials", "metric", "at_most_ms", "seed")}
    )
    fixed = {name for name in SETTINGS if options[name] is not None}
    flags = {param.name for param in train.params if getattr(param, "is_flag", False)}
    scales = scales_of(options["scales"], fixed, SETTINGS - flags)
    config, progress = fit_config({**options, "seeds": 1}), progress_for(quiet)
    resources = resources_of(options, progress)
    dataset = load_data(data, options, quiet)
    found = search_settings(
        dataset,
        plan,
        config,
        valid=_validation(options, dataset, quiet),
        fixed=fixed,
        scales=scales,
        resources=resources,
        progress=progress,
    )
    settings = [*_given(ctx, found), *_drawn(found)]
    command = ["seqkit", "sentiment", "train", *data, "-o", "BUNDLE"]
    command += [word for each in settings for word in each[2]]
    _show(found, plan.metric, shlex.join(command), as_json)
    if output and found.best:
        write_settings(output, "sentiment.train", settings)
    end_interrupted(ctx, found.interrupted)
    if found.best is None:
        raise DataError(f"no model that was tried is within {plan.at_most_ms:g} ms; raise --at-most-ms")


def _show(found: Found, metric: str, command: str, as_json: bool) -> None:
    if as_json:
        emit_json(
            {
                "best": None if found.best is None else vars(found.best),
                "trials": [vars(trial) for trial in found.trials],
                "command": None if found.best is None else command,
                "interrupted": found.interrupted is not None,
            }
        )
        return
    timed = any("ms" in trial.figures for trial in found.trials)
    echo_table(
        ["model", "settings", "texts", "seconds", *(["ms"] if timed else []), metric],
        [
            [
                trial.model,
                ", ".join(f"{name} {value}" for name, value in trial.settings.items()),
                trial.texts,
                f"{trial.seconds:.1f}",
                *([trial.figures["ms"]] if timed else []),
                trial.figures[metric],
            ]
            for trial in found.trials[:SHOWN]
        ],
    )
    if found.best is not None:
        echo(command)


def _validation(options: dict[str, Any], dataset: Any, quiet: bool) -> Any:
    """A fraction to hold out, or labelled texts."""
    fraction = fraction_of(options["valid"])
    if fraction is None:
        return load_data((options["valid"],), options, quiet, dataset.labels)
    return fraction


def _given(ctx: click.Context, found: Found) -> Iterator[Setting]:
    """What is given and training of the best model takes, too, but the model."""
    left_out = {"data", "overwrite", "quiet", "as_json", "models"}
    if found.best is not None:
        left_out |= foreign_to(found.best.model)
    for name in (str(param.name) for param in train.params):
        given = name in ctx.params and ctx.get_parameter_source(name) is not ParameterSource.DEFAULT
        if given and name not in left_out:
            yield setting(train, name, ctx.params[name])


def _drawn(found: Found) -> Iterator[Setting]:
    if found.best is not None:
        yield setting(train, "models", (found.best.model,))
        for name, value in found.best.settings.items():
            yield setting(train, name, value)


search.params += [
    param
    for param in train.params
    if isinstance(param, click.Option) and param.name not in {each.name for each in search.params} | LEFT_OUT
]
