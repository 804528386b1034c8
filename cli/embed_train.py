"""`seqkit embed train`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from seqkit.cli.common import (
    checkpoint_option,
    device_option,
    echo_table,
    emit_json,
    json_option,
    precision_option,
    quiet_option,
    seed_option,
    threads_option,
)
from seqkit.cli.config import config_option
from seqkit.cli.estimate import dry_run_option, echo_vectors_estimate
from seqkit.cli.going_on import Start, echo_scores
from seqkit.cli.probes import probe_of
from seqkit.cli.progress import progress_for

if TYPE_CHECKING:
    from seqkit.text.phrases import PhraseConfig

SETTINGS = (
    *("vector_size", "window", "epochs", "learning_rate", "negative", "sample"),
    *("context", "hidden_units", "softmax"),
    *("x_max", "alpha", "weighting", "ridge", "output"),
)
"""Options that are hyper-parameters of one method or another; None leaves it to the method."""


@click.command()
@click.argument("corpus", nargs=-1, required=True, metavar="CORPUS...")
@click.option("-o", "--output", "bundle", required=True, metavar="BUNDLE", help="Directory to write.")
@click.option("--overwrite", is_flag=True, help="Replace a bundle that is there.")
@click.option(
    "--method",
    type=click.Choice(["skipgram", "cbow", "glove", "window"]),
    default=None,
    help="How the vectors are learned; each has its own defaults.  [default: skipgram]",
)
@click.option(
    "--objective",
    type=click.Choice(["negative-sampling", "softmax"]),
    default=None,
    help="skipgram: tell a context from noise words, or from the whole vocabulary.  "
    "[default: negative-sampling]",
)
@click.option(
    "--init",
    metavar="VECTORS",
    default=None,
    help="Go on from a bundle, or a file of vectors; what is not set here is as it was there.",
)
@click.option("--vector-size", type=int, default=None, help="Length of a vector.  [default: 100]")
@click.option(
    "--window",
    type=int,
    default=None,
    help="Greatest distance between a word and its context.  [default: 5; window 4, glove 10]",
)
@click.option(
    "--negative",
    type=int,
    default=None,
    help="Noise words: for each pair 2 to 20, or (window) for a step.  [default: 5; window 256]",
)
@click.option("--min-count", type=int, default=5, help="Leave out words that occur less often.")
@click.option("--max-vocab", type=int, default=None, help="Keep only so many of the most frequent words.")
@click.option(
    "--sample",
    type=float,
    default=None,
    help="Threshold of sub-sampling frequent words; 0 keeps all.  [default: 0.001]",
)
@click.option("--epochs", type=int, default=None, help="Passes over the corpus.  [default: 5; glove 6]")
@click.option(
    "--learning-rate",
    type=float,
    default=None,
    help="Of the first step, or (glove) the share of the way that a sweep goes.  "
    "[default: 0.05; skipgram 0.025, glove 1]",
)
@click.option(
    "--context",
    type=click.Choice(["symmetric", "left", "around"]),
    default=None,
    help="glove: symmetric or left; window: left or around.  [default: glove symmetric, window left]",
)
@click.option("--hidden-units", type=int, default=None, help="window: of the hidden layer.  [default: 128]")
@click.option(
    "--softmax", type=click.Choice(["exact", "sampled"]), default=None, help="window.  [default: sampled]"
)
@click.option("--x-max", type=float, default=None, help="glove: count of full weight.  [default: 100]")
@click.option("--alpha", type=float, default=None, help="glove: exponent of the weight.  [default: 0.75]")
@click.option(
    "--weighting",
    type=click.Choice(["harmonic", "uniform"]),
    default=None,
    help="glove: a context at distance d counts 1/d, or 1.  [default: harmonic]",
)
@click.option("--ridge", type=float, default=None, help="glove: weight of squared lengths.  [default: 0.1]")
@click.option(
    "--output-vectors",
    "output",
    type=click.Choice(["sum", "words", "contexts"]),
    default=None,
    help="glove: which vectors to keep.  [default: sum]",
)
@click.option("--memory", type=float, default=2.0, metavar="GIB", help="glove: what counting may take.")
@click.option(
    "--tokenizer",
    type=click.Choice(["word", "whitespace", "character"]),
    default=None,
    help="What cuts the text.  [default: word]",
)
@click.option(
    "--lowercase/--keep-case", default=None, help="Whether words are lower-cased.  [default: lowercase]"
)
@click.option("--phrases", is_flag=True, help="Learn phrases first, and train each as one word: new_york.")
@click.option(
    "--phrase-threshold", type=float, default=None, help="Score above which it is one.  [default: 10]"
)
@click.option(
    "--phrase-min-count", type=int, default=None, help="Leave out rarer words and pairs.  [default: 5]"
)
@click.option(
    "--phrase-passes", type=int, default=None, help="2 for phrases of up to four words.  [default: 1]"
)
@click.option(
    "--phrase-connectors",
    type=click.Choice(["english"]),
    default=None,
    help="Words that may stand inside a phrase: lord_of_the_rings.",
)
@click.option("--validation", type=float, default=0.0, help="Fraction of the text to hold out.")
@click.option("--patience", type=int, default=None, help="Stop after N epochs without progress on that text.")
@click.option("--probe", "words", multiple=True, metavar="WORD", help="Show its neighbours after each epoch.")
@click.option(
    "--probe-similarity", multiple=True, metavar="FILE", help="Score on word pairs after each epoch."
)
@click.option("--probe-analogies", multiple=True, metavar="FILE", help="Score on analogies after each epoch.")
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
    """Train word vectors on CORPUS: files, folders, - for stdin, names of corpora, or (glove) counts.

    Interrupted by Ctrl-C, the same command goes on where it stopped.
    """
    progress = progress_for(quiet)
    start = Start.of(options, progress)
    if options["dry_run"]:
        echo_vectors_estimate(_arguments(corpus, options, start), progress, as_json)
        return
    from seqkit.embeddings.training import train

    probe = probe_of(options["words"], options["probe_similarity"], options["probe_analogies"], progress)
    scores = start.scores()
    report = train(bundle=bundle, probe=probe, progress=progress, **_arguments(corpus, options, start))
    after = start.scores(bundle)
    if as_json:
        emit_json(
            vars(report) | {"method": start.method} | ({"before": scores, "after": after} if after else {})
        )
        return
    echo_table(
        ["bundle", "words", "vocabulary", "epochs", "seconds", "words/s", "loss"],
        [
            [
                report.bundle,
                f"{report.words:,}",
                f"{report.vocabulary:,}",
                report.epochs,
                f"{report.seconds:.1f}",
                f"{report.words_per_second:,.0f}",
                f"{report.loss:.4f}",
            ]
        ],
    )
    if after:
        echo_scores(scores, after)


def _arguments(corpus: tuple[str, ...], options: dict[str, Any], start: Start) -> dict[str, Any]:
    """The arguments that training and estimating share."""
    from seqkit.embeddings.material import CorpusConfig
    from seqkit.embeddings.training import RunConfig

    def chosen(*names: str) -> dict[str, Any]:
        return {name: options[name] for name in names}

    return {
        "sources": corpus,
        "config": _configured(corpus, options, start),
        "corpus": CorpusConfig(
            tokenizer=start.tokenizer(options["tokenizer"], options["lowercase"]),
            phrases=_phrases(options),
            **chosen("min_count", "max_vocab", "validation"),
        ),
        "run": RunConfig(
            **chosen("device", "threads", "precision", "patience"),
            **chosen("checkpoint_seconds", "memory", "overwrite"),
        ),
        "init": start.initial,
    }


def _phrases(options: dict[str, Any]) -> PhraseConfig | None:
    from seqkit.errors import UsageError
    from seqkit.text.phrases import PhraseConfig

    names = ("threshold", "min_count", "passes", "connectors")
    given = {name: options[f"phrase_{name}"] for name in names if options[f"phrase_{name}"] is not None}
    if given and not options["phrases"]:
        raise UsageError(f"--phrase-{next(iter(given)).replace('_', '-')} goes with --phrases")
    return PhraseConfig(**given) if options["phrases"] else None


def _configured(corpus: tuple[str, ...], options: dict[str, Any], start: Start) -> Any:
    """The configuration of the method; where counts are given, as they were counted."""
    from seqkit.embeddings.cooccurrence.counts import Cooccurrences, is_counts
    from seqkit.embeddings.methods import METHODS

    name = start.name
    settings = {setting: options[setting] for setting in SETTINGS} | {"seed": options["seed"]}
    settings |= {key: value for key, value in start.settings().items() if settings.get(key) is None}
    if name == "glove" and len(corpus) == 1 and is_counts(corpus[0]):
        counted = Cooccurrences.load(corpus[0]).settings
        _check_text_options(corpus[0], counted, options)
        for setting in ("window", "context", "weighting"):
            if settings[setting] is None:
                settings[setting] = counted.get(setting)
    return METHODS[name].configured(settings)


def _check_text_options(counts: str, counted: Mapping[str, Any], options: dict[str, Any]) -> None:
    """Refuses an option that asks for other words than were counted: it would have no effect."""
    from seqkit.errors import UsageError

    if options["phrases"]:
        raise UsageError(f"--phrases are learned from text, and {counts} holds counts: give the text")
    tokenizer = counted.get("tokenizer")
    tokenizer = tokenizer if isinstance(tokenizer, dict) else {}
    made = {"tokenizer": tokenizer.get("kind"), "lowercase": tokenizer.get("lowercase")}
    made |= {name: counted.get(name) for name in ("min_count", "max_vocab")}
    context = click.get_current_context()
    for name, was in made.items():
        given = context.get_parameter_source(name) is not ParameterSource.DEFAULT
        if given and options[name] != was:
            raise UsageError(f"{counts} was counted with {name} {was}, not {options[name]}: count again")
