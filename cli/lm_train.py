"""`seqkit lm train`."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import click

from seqkit.cli.common import (
    FractionOrSource,
    checkpoint_option,
    device_option,
    echo_table,
    emit_json,
    fraction_of,
    json_option,
    note,
    precision_option,
    quiet_option,
    seed_option,
    shown_perplexity,
    threads_option,
)
from seqkit.cli.config import config_option
from seqkit.cli.estimate import dry_run_option, echo_language_estimate
from seqkit.cli.progress import progress_for

# The names in the library, which --help must not wait for; a test compares them.
CELLS = ["lstm", "gru", "gru-full", "gru-simplified", "rnn"]
PRESETS = ["small", "medium", "large", "awd", "words", "char"]
OPTIMIZERS = ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"]


@click.command()
@click.argument("corpus", nargs=-1, required=True, metavar="CORPUS...")
@click.option("-o", "--output", "bundle", required=True, metavar="BUNDLE", help="Directory to write.")
@click.option("--overwrite", is_flag=True, help="Replace a bundle that is there.")
@click.option(
    "--preset", type=click.Choice(PRESETS), default=None, help="Settings for all that is not given here."
)
@click.option(
    "--init",
    metavar="MODEL",
    default=None,
    help="Go on from a language model; what is not set here is as it was there.",
)
@click.option(
    "--valid",
    type=FractionOrSource(),
    metavar="FILE|FRACTION",
    default=None,
    help="Text to validate on, or a fraction of CORPUS to hold out; the best epoch on it is kept.",
)
@click.option(
    "--level",
    type=click.Choice(["word", "character", "bpe"]),
    default=None,
    help="What a token is.  [default: word]",
)
@click.option(
    "--tokenizer",
    type=click.Choice(["word", "whitespace"]),
    default=None,
    help="What cuts words: word drops punctuation, whitespace keeps all.  [default: word]",
)
@click.option(
    "--lowercase/--keep-case", default=None, help="Whether text is lower-cased.  [default: keep-case]"
)
@click.option("--lines", is_flag=True, default=None, help="Each line is a text of its own: names, verses.")
@click.option(
    "--label-column",
    metavar="NAME",
    default=None,
    help="Text by its label, which stands in this column of CORPUS, a table; with --lines.",
)
@click.option("--text-column", metavar="NAME", default=None, help="Of the text.  [default: guessed]")
@click.option("--min-count", type=int, default=None, help="Rarer tokens become <unk>.  [default: 1]")
@click.option(
    "--max-vocab",
    type=int,
    default=None,
    help="Keep only so many of the most frequent; bpe: pieces.  [default: all; bpe 8000]",
)
@click.option("--cell", type=click.Choice(CELLS), default=None, help="Of the layers.  [default: lstm]")
@click.option("--layers", type=int, default=None, help="One above the other.  [default: 2]")
@click.option("--units", type=int, default=None, help="Of each layer.  [default: 200]")
@click.option("--embedding-size", type=int, default=None, help="Length of an embedding.  [default: units]")
@click.option(
    "--vectors",
    default=None,
    metavar="VECTORS",
    help="Word vectors that the embeddings begin with: a bundle, or a file.",
)
@click.option("--freeze-vectors", is_flag=True, help="Do not train the embeddings.")
@click.option("--tied/--not-tied", default=None, help="The softmax uses the embeddings.  [default: not tied]")
@click.option("--bidirectional", is_flag=True, hidden=True, help="Refused: text is read from left to right.")
@click.option(
    "--dropout", type=float, default=None, help="On inputs, between layers and on outputs.  [default: 0]"
)
@click.option("--dropout-input", type=float, default=None, help="On inputs.  [default: dropout]")
@click.option("--dropout-hidden", type=float, default=None, help="Between layers.  [default: dropout]")
@click.option("--dropout-output", type=float, default=None, help="On outputs.  [default: dropout]")
@click.option("--dropout-embedding", type=float, default=None, help="Of whole words.  [default: 0]")
@click.option(
    "--locked/--not-locked", default=None, help="Drop the same units in each step.  [default: not locked]"
)
@click.option("--weight-drop", type=float, default=None, help="Of recurrent weights.  [default: 0]")
@click.option("--layer-norm/--no-layer-norm", default=None, help="Normalise the layers.  [default: no]")
@click.option("--activation", type=float, default=None, help="α of activation regularisation.  [default: 0]")
@click.option(
    "--slowness", type=float, default=None, help="β of temporal activation regularisation.  [default: 0]"
)
@click.option(
    "--sampled-softmax",
    type=int,
    default=None,
    metavar="N",
    help="Train with N words at a time, the frequent and a sample of the rest.  [default: all words]",
)
@click.option("--optimizer", type=click.Choice(OPTIMIZERS), default=None, help="[default: adam]")
@click.option("--learning-rate", type=float, default=None, help="Of the first step.  [default: 0.002]")
@click.option("--momentum", type=float, default=None, help="β of momentum and nesterov.  [default: 0.9]")
@click.option("--rho", type=float, default=None, help="β of rmsprop.  [default: 0.9]")
@click.option("--beta-1", type=float, default=None, help="β₁ of adam and adamw.  [default: 0.9]")
@click.option(
    "--schedule",
    default=None,
    metavar="NAME[:K=V,...]",
    help="constant, inverse, exponential, root, staircase, list, cosine or plateau.  [default: constant]",
)
@click.option("--clip-norm", type=float, default=None, help="Greatest norm of the gradient.  [default: 1]")
@click.option("--clip-value", type=float, default=None, help="Greatest value in the gradient.")
@click.option("--l1", type=float, default=None, help="Weight of the absolute weights.  [default: 0]")
@click.option("--l2", type=float, default=None, help="Weight of the squared weights.  [default: 0]")
@click.option("--weight-decay", type=float, default=None, help="Of adamw.  [default: 0]")
@click.option(
    "--averaging",
    type=click.Choice(["none", "asgd", "nt-asgd"]),
    default=None,
    help="Of weights.  [default: none]",
)
@click.option(
    "--accumulation", type=int, default=None, help="Batches that one update is made of.  [default: 1]"
)
@click.option("--batch-size", type=int, default=None, help="Sequences side by side.  [default: 20]")
@click.option(
    "--bptt", type=int, default=None, help="Steps that gradients go back; longest line.  [default: 35]"
)
@click.option(
    "--random-bptt/--fixed-bptt", default=None, help="Draw the steps of each batch.  [default: fixed]"
)
@click.option("--epochs", type=int, default=None, help="Passes over the text.  [default: 10]")
@click.option("--patience", type=int, default=None, help="Stop after N epochs without progress on --valid.")
@click.option("--max-minutes", type=float, default=None, help="Stop after so much training.")
@precision_option
@checkpoint_option
@dry_run_option
@seed_option
@device_option
@threads_option
@config_option
@quiet_option
@json_option
def train(corpus: tuple[str, ...], bundle: str, quiet: bool, as_json: bool, **options: Any) -> None:
    """Train a language model on CORPUS: files, folders, - for stdin, names of corpora.

    Interrupted by Ctrl-C, the same command goes on where it stopped.
    """
    from seqkit.language_model.training import RunConfig, train
    from seqkit.language_model.transfer import Transfer

    if options["bidirectional"]:
        raise click.UsageError(
            "a language model reads from left to right: what comes after a word would tell it the word"
        )
    if options["freeze_vectors"] and not options["vectors"]:
        raise click.UsageError("--freeze-vectors needs --vectors: what is drawn has to learn")
    if options["init"] and options["vectors"]:
        raise click.UsageError("--init and --vectors exclude each other: a model has embeddings of its own")
    transfer = None
    if options["init"]:
        transfer = Transfer(model=options["init"])
    elif options["vectors"]:
        transfer = Transfer(vectors=options["vectors"], frozen=options["freeze_vectors"])
    network, text, training, valid = configured(options)
    named = ("device", "threads", "precision", "patience", "max_minutes", "checkpoint_seconds", "overwrite")
    if not quiet and options["preset"]:
        note(f"preset {options['preset']}: {_expected(options['preset'])}")
    arguments: dict[str, Any] = {
        "sources": corpus,
        "network": network,
        "text": text,
        "training": training,
        "run": RunConfig(**{name: options[name] for name in named}),
        "valid": valid,
        "transfer": transfer,
    }
    progress = progress_for(quiet)
    if options["dry_run"]:
        echo_language_estimate(arguments, progress, as_json)
        return
    report = train(bundle=bundle, progress=progress, **arguments)
    if as_json:
        emit_json(vars(report))
        return
    perplexity = report.validation_perplexity
    echo_table(
        ["bundle", "tokens", "vocabulary", "epochs", "seconds", "tokens/s", "perplexity", "validation"],
        [
            [
                report.bundle,
                f"{report.tokens:,}",
                f"{report.vocabulary:,}",
                report.epochs,
                f"{report.seconds:.1f}",
                f"{report.tokens_per_second:,.0f}",
                shown_perplexity(report.perplexity),
                "" if perplexity is None else shown_perplexity(perplexity),
            ]
        ],
    )


def _expected(name: str) -> str:
    from seqkit.language_model.presets import PRESETS

    return PRESETS[name].expected or "no published figure"


def configured(options: dict[str, Any]) -> tuple[Any, Any, Any, list[str]]:
    """The settings that were given, those of the preset, of the model to go on from, and the defaults."""
    from seqkit.language_model.config import NetworkConfig, TextConfig
    from seqkit.language_model.presets import PRESETS
    from seqkit.language_model.training import DEFAULT_OPTIMIZER, TrainingConfig
    from seqkit.training.optimizers import OptimizerConfig

    preset = PRESETS[options["preset"]].settings if options["preset"] else {}
    if options.get("vectors"):
        preset = {name: value for name, value in preset.items() if name != "embedding_size"}  # it is theirs
    known: dict[str, Any] = {}
    if options.get("init"):
        from seqkit.language_model.initial import settings_of

        known, fixed = settings_of(options["init"])
        preset = {name: value for name, value in preset.items() if name not in fixed}
    chosen = {**known, **preset, **{name: value for name, value in options.items() if value is not None}}
    validation, valid = _validation(options["valid"])

    def of(kind: Any, values: dict[str, Any]) -> dict[str, Any]:
        return {each.name: values[each.name] for each in fields(kind) if values.get(each.name) is not None}

    by_size = {"rate_by_size": chosen.get("random_bptt")}
    update = of(OptimizerConfig, {**chosen, **by_size, "name": chosen.get("optimizer")})
    optimizer = OptimizerConfig(**{**DEFAULT_OPTIMIZER, **update})
    training = of(TrainingConfig, {**chosen, "optimizer": optimizer})
    text = TextConfig(**of(TextConfig, {**chosen, "validation": validation}))
    return NetworkConfig(**of(NetworkConfig, chosen)), text, TrainingConfig(**training), valid


def _validation(given: str | None) -> tuple[float, list[str]]:
    """A fraction to hold out, or a file."""
    if given is None:
        return 0.0, []
    fraction = fraction_of(given)
    return (0.0, [given]) if fraction is None else (fraction, [])
