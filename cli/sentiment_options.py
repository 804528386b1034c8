"""The options of every command that trains classifiers, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from seqkit.cli.common import Decorator, device_option, threads_option
from seqkit.errors import UsageError

if TYPE_CHECKING:
    from seqkit.progress import Progress
    from seqkit.sentiment.models.contract import Resources
    from seqkit.sentiment.self_training import Unlabelled
    from seqkit.sentiment.training import FitConfig
    from seqkit.training.device import Precision

# The names in the library, which --help must not wait for; a test compares them.
MODELS = ["average", "linear", "rnn", "cnn", "lexicon"]
CELLS = ["lstm", "gru", "gru-full", "gru-simplified", "rnn"]
POOLINGS = ["last", "mean", "max", "attention"]
OPTIMIZERS = ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"]
DEFAULT_MODEL = "linear"

data_options: list[Decorator] = [
    click.option("--text-column", default=None, metavar="C", help="Where the text is.  [default: guessed]"),
    click.option(
        "--label-column",
        "label_columns",
        multiple=True,
        metavar="C",
        help="Where the label is; repeated for further tasks, which networks learn too.  [default: guessed]",
    ),
]

self_training_options: list[Decorator] = [
    click.option(
        "--unlabelled",
        default=None,
        metavar="F",
        help="Text without labels, one a line: the model labels it, then learns what it is sure of, too.",
    ),
    click.option(
        "--confidence",
        type=float,
        default=None,
        help="Least probability of a label of --unlabelled that is learned.  [default: 0.7]",
    ),
]

_GENERAL: list[Decorator] = [
    click.option(
        "--model",
        "models",
        multiple=True,
        type=click.Choice(MODELS),
        help=f"What to train; repeated for several that answer together.  [default: {DEFAULT_MODEL}]",
    ),
    click.option("--seeds", type=int, default=1, help="Train each so often, to answer together."),
    click.option("--lowercase/--keep-case", default=True, help="Whether text is lower-cased."),
    click.option(
        "--vectors", default=None, metavar="VECTORS", help="Word vectors to begin with: a bundle, or a file."
    ),
    click.option(
        "--lm", "language_model", default=None, metavar="BUNDLE", help="Language model for rnn to begin with."
    ),
]


def _option(flag: str, kind: Any, text: str) -> Decorator:
    """An option that is None where it is not given: the model knows its default."""
    return click.option(flag, type=kind, default=None, help=text)


# Named like the settings of the models.
_SETTINGS: list[Decorator] = [
    _option("--ngrams", int, "Longest n-grams of linear and average.  [default: 3; average 2]"),
    _option("--min-count", int, "N-grams that are rarer in linear and average are left out.  [default: 2]"),
    _option("--alpha", float, "What is added to the counts of naive Bayes.  [default: 1]"),
    _option("--l2", float, "Weight of the squared weights.  [default: 0.0001 in linear, else 0]"),
    _option("--prune", float, "Share of the mean weight below which n-grams go.  [default: 0.1]"),
    _option("--ending", int, "Words at a text's end that linear weighs apart, too.  [default: 0]"),
    _option("--bits", int, "N-grams of average share 2^bits vectors.  [default: 21]"),
    _option("--count-weight", float, "How much average discounts frequent words.  [default: 0, not]"),
    _option("--hidden-layers", int, "Between mean and softmax of average.  [default: 0]"),
    _option("--hidden-units", int, "Of each hidden layer.  [default: 300]"),
    _option("--vector-size", int, "Length of a vector.  [default: 16 in average, else 100]"),
    click.option(
        "--freeze-vectors", "frozen", is_flag=True, default=None, help="Leave vectors as they begin."
    ),
    _option("--cell", click.Choice(CELLS), "Of rnn.  [default: lstm]"),
    _option("--units", int, "Of each layer and direction of rnn.  [default: 100]"),
    _option("--layers", int, "Of rnn, one above the other.  [default: 1]"),
    click.option("--bidirectional/--forward", default=None, help="How rnn reads.  [default: bidirectional]"),
    _option("--pooling", click.Choice(POOLINGS), "What rnn makes of its outputs.  [default: max]"),
    click.option("--layer-norm/--no-layer-norm", default=None, help="Normalise rnn's layers.  [default: no]"),
    click.option(
        "--unfreezing/--no-unfreezing",
        default=None,
        help="With --lm, learn one layer more in each epoch, from above.  [default: unfreezing]",
    ),
    _option("--rate-decay", float, "With --lm, what the rate is divided by layer by layer.  [default: 2.6]"),
    _option("--filters", int, "Of each width of cnn.  [default: 100]"),
    _option("--shortest", int, "Words that cnn's narrowest filters see.  [default: 3]"),
    _option("--longest", int, "Words that cnn's widest filters see.  [default: 5]"),
    _option("--max-length", int, "Tokens of a text that rnn and cnn read.  [default: 400; rnn 256]"),
    _option("--dropout", float, "Before the softmax, and of hidden units.  [default: 0.5; average 0]"),
    _option("--vector-dropout", float, "Of the numbers of vectors.  [default: 0]"),
    _option("--layer-dropout", float, "Between rnn's layers.  [default: 0]"),
    _option("--weight-drop", float, "Of rnn's recurrent weights.  [default: 0]"),
    _option("--word-dropout", float, "Of whole words, in training.  [default: 0.1; average 0]"),
    _option("--swaps", float, "Of words with their neighbours, in training.  [default: 0]"),
    _option("--neighbours", float, "Of words for those with near vectors, in training.  [default: 0]"),
    click.option("--batch-norm/--no-batch-norm", default=None, help="Of what is pooled.  [default: no]"),
    click.option(
        "--balanced/--not-balanced",
        default=None,
        help="Labels count the same, however many texts they have.  [default: not]",
    ),
    _option("--label-smoothing", float, "Share of a target spread over all labels.  [default: 0]"),
    _option("--optimizer", click.Choice(OPTIMIZERS), "Of rnn and cnn.  [default: adam]"),
    _option("--learning-rate", float, "Of the first step.  [default: 0.0005; average 0.1]"),
    _option("--schedule", str, "As in `seqkit lm train`.  [default: constant]"),
    _option("--clip-norm", float, "Greatest norm of the gradient.  [default: 1]"),
    _option("--weight-decay", float, "Of adamw.  [default: 0]"),
    _option("--batch-size", int, "Texts of an update.  [default: 50; average 64]"),
    _option("--epochs", int, "Passes over the texts, at most.  [default: 10; average 5]"),
    _option("--patience", int, "Stop after N epochs without progress.  [default: 2]"),
]

_MACHINE: list[Decorator] = [
    click.option(
        "--precision",
        type=click.Choice(["auto", "float32", "bfloat16"]),
        default="float32",
        help="Of the products of rnn and cnn in training; auto takes what is faster here.",
    ),
    device_option,
    threads_option,
]

model_options: list[Decorator] = [*_GENERAL, *_SETTINGS, *_MACHINE]


def decorated(options: list[Decorator]) -> Decorator:
    """One decorator of several, which help lists in their order."""

    def decorate(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


SETTINGS = frozenset(
    param.name for param in click.command()(decorated(_SETTINGS)(lambda: None)).params if param.name
)
"""The names of the settings that some model has."""


def foreign_to(name: str) -> set[str]:
    """The parameters of training that a model does not take."""
    from seqkit.sentiment.registry import model_kind

    kind = model_kind(name)
    foreign = {*SETTINGS} - kind.settings
    foreign |= set() if kind.takes_vectors else {"vectors"}
    return foreign | (set() if kind.takes_language_model else {"language_model"})


def fit_config(options: Mapping[str, Any]) -> FitConfig:
    """What is trained, from the options that were given.

    Raises:
        UsageError: an option that none of the models has, or that is out of range.
    """
    from seqkit.sentiment.registry import model_kind
    from seqkit.sentiment.training import FitConfig

    kinds = [model_kind(name) for name in options["models"] or (DEFAULT_MODEL,)]
    given = {name: options[name] for name in SETTINGS if options.get(name) is not None}
    models, used = [], set[str]()
    for kind in kinds:
        own = kind.settings & given.keys()
        models.append(kind.config_class(**{name: given[name] for name in own}))
        used |= own
    if unused := sorted(given.keys() - used):
        names = " and ".join(options["models"] or (DEFAULT_MODEL,))
        raise UsageError(
            f"{_flag(unused[0])} is no setting of {names}; leave it out, or choose another --model"
        )
    return FitConfig(
        models=tuple(models),
        seeds=options["seeds"],
        lowercase=options["lowercase"],
        seed=options["seed"],
    )


def unlabelled_of(options: Mapping[str, Any], progress: Progress) -> Unlabelled | None:
    """The texts without labels that are learned, too.

    Raises:
        UsageError: a confidence without them, or out of range.
        SeqkitError: as `Unlabelled.load`.
    """
    from seqkit.sentiment.self_training import CONFIDENCE, Unlabelled

    confidence = options["confidence"]
    if options["unlabelled"] is None:
        if confidence is not None:
            raise UsageError("--confidence is for texts without labels: name some (--unlabelled)")
        return None
    return Unlabelled.load(
        options["unlabelled"], CONFIDENCE if confidence is None else confidence, progress=progress
    )


def resources_of(options: Mapping[str, Any], progress: Progress) -> Resources:
    """What networks begin with and run on; TensorFlow is imported only where there is one.

    Raises:
        UsageError: vectors or a language model that none of the models takes; a setting that is theirs.
        SeqkitError: as `Initial.load` and `choose_device`.
    """
    from seqkit.sentiment.models.contract import Resources
    from seqkit.sentiment.registry import model_kind, settled

    kinds = [model_kind(name) for name in options["models"] or (DEFAULT_MODEL,)]
    vectors = device = None
    if options["vectors"]:
        if not any(kind.takes_vectors for kind in kinds):
            raise UsageError("--vectors are for average, rnn and cnn: choose one of them (--model)")
        from seqkit.embeddings.initial import Initial

        vectors = Initial.load(options["vectors"], progress)
    if options["language_model"] and not any(kind.takes_language_model for kind in kinds):
        raise UsageError("--lm is for rnn: choose that (--model rnn)")
    precision: Precision = "float32"
    if any(kind.is_network for kind in kinds):
        from seqkit.training.device import choose_device, set_threads

        device = choose_device(options["device"], options["threads"])
        set_threads(device)
        precision = device.precision(options["precision"])
    resources = Resources(
        vectors=vectors, language_model=options["language_model"], device=device, precision=precision
    )
    for name in sorted(name for name in SETTINGS if options.get(name) is not None):
        takers = [kind for kind in kinds if name in kind.settings]
        if takers and all(name in settled(kind, resources) for kind in takers):
            raise UsageError(
                f"{_flag(name)} is that of --lm or --vectors, which a model begins with: leave it out"
            )
    return resources


def _flag(name: str) -> str:
    """The option of a setting."""
    return "--freeze-vectors" if name == "frozen" else f"--{name.replace('_', '-')}"
