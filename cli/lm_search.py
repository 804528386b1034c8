"""`seqkit lm search`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import click
from click.core import ParameterSource

from seqkit.cli import lm_train
from seqkit.cli.common import (
    FractionOrSource,
    device_option,
    echo,
    echo_table,
    emit_json,
    json_option,
    quiet_option,
    seed_option,
    shown_perplexity,
    threads_option,
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

SHOWN = 10

# Options of `seqkit lm train` that have no meaning for a trial, which writes nothing.
LEFT_OUT = {
    *("bundle", "overwrite", "bidirectional", "vectors", "freeze_vectors", "valid", "epochs", "patience"),
    *("init", "max_minutes", "checkpoint_seconds"),
}


@click.command()
@click.argument("corpus", nargs=-1, required=True, metavar="CORPUS...")
@click.option(
    "-o", "--output", metavar="FILE.toml", default=None, help="Write a configuration for `seqkit lm train`."
)
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@click.option("--minutes", type=float, default=None, help="Of all trials together.")
@click.option(
    "--epochs",
    "budget_epochs",
    type=float,
    default=None,
    help="In place of --minutes: passes over the text. The same seed then gives the same answer.",
)
@click.option("--trials", type=int, default=8, show_default=True, help="That each of two rounds begins with.")
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
    metavar="FILE|FRACTION",
    default="0.1",
    show_default=True,
    help="Text that the trials are compared on, or a fraction of CORPUS to hold out.",
)
@seed_option
@device_option
@threads_option
@config_option
@quiet_option
@json_option
@click.pass_context
def search(
    ctx: click.Context,
    /,
    corpus: tuple[str, ...],
    output: str | None,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Look for settings with which CORPUS is learned best, by many short trainings.

    Learning rate, momentum (β), dropout and units are drawn at random, on logarithmic scales where that is
    fit; the worse half of the trials is given up again and again; a second round looks more finely around the
    best. What is given is not drawn. Interrupted by Ctrl-C, it answers with what it has found.
    """
    from seqkit.language_model.search import SettingsSearch, default_space, search_settings
    from seqkit.language_model.training import RunConfig

    check_output(output, overwrite)
    config = SettingsSearch(
        minutes=options["minutes"],
        epochs=options["budget_epochs"],
        trials=options["trials"],
        seed=options["seed"],
    )
    network, text, training, valid = lm_train.configured(options)
    fixed = {name for name, value in options.items() if value is not None}
    space = default_space(network, training.optimizer, fixed) | scales_of(
        options["scales"], fixed, _drawable()
    )
    report = search_settings(
        corpus,
        space,
        config,
        network,
        text=text,
        training=training,
        run=RunConfig(**{name: options[name] for name in ("device", "threads", "precision")}),
        valid=valid,
        progress=progress_for(quiet),
    )
    drawn = [setting(lm_train.train, name, value) for name, value in report.best.settings.items()]
    settings = [*_given(ctx), *drawn]
    command = [
        "seqkit",
        "lm",
        "train",
        *corpus,
        "-o",
        "BUNDLE",
        *(word for each in settings for word in each[2]),
    ]
    _show(report, "epochs" if options["minutes"] is None else "seconds", shlex.join(command), as_json)
    if output:
        write_settings(output, "lm.train", settings)
    end_interrupted(ctx, report.interrupted)


def _show(report: Any, unit: str, command: str, as_json: bool) -> None:
    from seqkit.language_model.scoring import perplexity

    trials = [
        {
            "trial": each.number + 1,
            "round": each.round + 1,
            "settings": each.settings,
            unit: each.resource,
            "validation_loss": each.loss,
            "validation_perplexity": None if each.loss is None else perplexity(each.loss),
        }
        for each in report.trials
    ]
    if as_json:
        interrupted = report.interrupted is not None
        best = trials[[each.number for each in report.trials].index(report.best.number)]
        emit_json({"best": best, "trials": trials, "command": command, "interrupted": interrupted})
        return
    reached = [each for each in trials if each["validation_loss"] is not None]
    reached.sort(key=lambda each: float(each["validation_loss"]))
    names = list(report.best.settings)
    echo_table(
        ["trial", *names, unit, "validation"],
        [
            [
                each["trial"],
                *(f"{value:g}" if isinstance(value, float) else value for value in each["settings"].values()),
                f"{each[unit]:.4g}",
                shown_perplexity(each["validation_perplexity"]),
            ]
            for each in reached[:SHOWN]
        ],
    )
    echo(command)


def _drawable() -> set[str]:
    """Settings that can be drawn."""
    from seqkit.language_model.search import SEARCHABLE

    flags = {param.name for param in lm_train.train.params if getattr(param, "is_flag", False)}
    return {str(param.name) for param in lm_train.train.params} & {*SEARCHABLE} - flags


def _given(ctx: click.Context) -> Iterator[Setting]:
    """What is given and training takes, too; the text to validate on in any case."""
    taken = {param.name for param in lm_train.train.params} - {"overwrite", "quiet", "as_json"}
    for param in ctx.command.params:
        name = str(param.name)
        said = name == "valid" or ctx.get_parameter_source(name) is not ParameterSource.DEFAULT
        if isinstance(param, click.Option) and name in taken and said:
            yield setting(lm_train.train, name, ctx.params[name])


search.params += [
    param
    for param in lm_train.train.params
    if isinstance(param, click.Option) and param.name not in {each.name for each in search.params} | LEFT_OUT
]
