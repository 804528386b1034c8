"""`seqkit lm score`, `rank` and `info`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from seqkit.cli.bundle_info import manifest_summary, opened_manifest
from seqkit.cli.common import echo, echo_table, emit_json, json_option, note, shown_perplexity
from seqkit.errors import MissingInputError, UsageError

if TYPE_CHECKING:
    from seqkit.language_model.model import LanguageModel


@click.command()
@click.argument("bundle")
@click.argument("file", required=False)
@click.option("--text", default=None, help="Score this text instead of FILE.")
@click.option(
    "--label", default=None, help="Of all texts, for a model by labels.  [default: from FILE, a table]"
)
@click.option("--per-token", is_flag=True, help="Surprisal of each token and the entropy before it, in bits.")
@click.option("--cache", is_flag=True, help="Expect words that the text had lately, too (continuous cache).")
@click.option(
    "--ngram", default=None, metavar="NGRAMS", help="Mix in n-grams that `seqkit lm ngram` counted."
)
@click.option("--dynamic", is_flag=True, help="Go on learning from the text (dynamic evaluation).")
@json_option
def score(
    bundle: str,
    file: str | None,
    text: str | None,
    label: str | None,
    per_token: bool,
    ngram: str | None,
    cache: bool,
    dynamic: bool,
    as_json: bool,
) -> None:
    """Say how likely FILE (- for stdin, or any source of text) is by the language model BUNDLE."""
    if (file is None) == (text is None):
        raise UsageError("give either a FILE or --text")
    if per_token and (cache or dynamic or ngram):
        raise UsageError(
            "--per-token is what the model as it was trained expects: "
            "leave out --cache, --dynamic and --ngram"
        )
    from seqkit.language_model.cache import CacheConfig
    from seqkit.language_model.dynamic import DynamicConfig
    from seqkit.language_model.mixture import Mixture
    from seqkit.language_model.model import LanguageModel

    model = LanguageModel.load(bundle)
    lines, labels = _read(model, file, text, label)
    tokens: list[Any] = []
    if per_token:
        found, tokens = model.score_tokens(lines, labels)
    else:
        found = model.score(
            lines,
            labels=labels,
            cache=CacheConfig() if cache else None,
            dynamic=DynamicConfig() if dynamic else None,
            mixture=Mixture.load(ngram) if ngram else None,
        )
    how = {"cache": cache, "dynamic": dynamic, "ngram": ngram is not None}
    if as_json:
        emit_json(
            found.summary() | how | ({"per_token": [vars(each) for each in tokens]} if per_token else {})
        )
        return
    if per_token:
        echo_table(["token", "surprisal", "entropy"], [[t.token, t.surprisal, t.entropy] for t in tokens])
        echo("")
    share = ["unknown share", f"{found.unknown / found.tokens:.2%}"]
    adapted = [["with", name] for name, on in how.items() if on]
    echo_table(["", ""], [*found.summary().items(), share, *adapted])


def _read(
    model: LanguageModel, file: str | None, text: str | None, label: str | None
) -> tuple[list[str], list[str] | None]:
    """Lines, and their labels, if the model has any: all the same one, or those of a table."""
    from seqkit.language_model.config import TextConfig
    from seqkit.language_model.material import labelled
    from seqkit.language_model.model import lines_in
    from seqkit.text.columns import Columns
    from seqkit.text.labelled import read_examples
    from seqkit.text.sources import iter_lines

    if file is None:
        lines = lines_in(str(text))
        return lines, None if label is None else [label] * len(lines)
    try:
        if not model.coding.labels:
            return list(iter_lines([file])), None if label is None else [label]
        config = TextConfig(**model.manifest.config["text"])
        if label is None:
            return labelled([file], config)
        examples = read_examples(file, Columns(text=config.text_column), labelled=False)
        lines = [" ".join(example.text.splitlines()) for example in examples]
        return lines, [label] * len(lines)
    except MissingInputError as error:
        raise MissingInputError(f"{error}; a text itself goes behind --text") from error


@click.command()
@click.argument("bundle")
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@click.option("--label", default=None, help="Of all TEXTs, for a model by labels.")
@json_option
def rank(bundle: str, texts: tuple[str, ...], label: str | None, as_json: bool) -> None:
    """Order TEXTs from the likeliest to the least likely by the language model BUNDLE."""
    from seqkit.language_model.model import LanguageModel

    ranked = LanguageModel.load(bundle).rank(texts, label)
    if as_json:
        emit_json({"ranked": [{"text": text} | found.summary() for text, found in ranked]})
        return
    for text, found in ranked:
        if found.unknown:
            note(f"{found.unknown} of {found.tokens} tokens unknown: {text}")
    rows = [
        [text, f"{found.log_probability:.2f}", shown_perplexity(found.perplexity)] for text, found in ranked
    ]
    echo_table(["text", "log probability", "perplexity"], rows)


@click.command()
@click.argument("bundle")
@click.option("--verify", is_flag=True, help="Read every byte and compare its hash.")
@json_option
def info(bundle: str, verify: bool, as_json: bool) -> None:
    """Say what the language model BUNDLE is and how it was trained."""
    manifest = opened_manifest(bundle, "language_model", verify)
    if as_json:
        answer = manifest_summary(bundle, manifest) | {"fingerprint": manifest.fingerprint}
        emit_json(answer | ({"verified": True} if verify else {}))
        return
    settings = {f"{part}.{name}": value for part, group in _groups(manifest.config) for name, value in group}
    echo_table(["", ""], [[name, str(value)] for name, value in {**manifest.metrics, **settings}.items()])


def _groups(config: dict[str, Any]) -> list[tuple[str, list[tuple[str, Any]]]]:
    return [(name, list(value.items())) for name, value in config.items() if isinstance(value, dict)]
