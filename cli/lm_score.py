"""`seqkit lm score`, `rank` and `info`."""

from __future__ import annotations

from typing import Any

import click

from seqkit.cli.common import echo, echo_table, emit_json, json_option, note
from seqkit.errors import UsageError


@click.command()
@click.argument("bundle")
@click.argument("file", required=False)
@click.option("--text", default=None, help="Score this text instead of FILE.")
@click.option("--per-token", is_flag=True, help="Surprisal of each token and the entropy before it, in bits.")
@json_option
def score(bundle: str, file: str | None, text: str | None, per_token: bool, as_json: bool) -> None:
    """Say how likely FILE (- for stdin, or any source of text) is by the language model BUNDLE."""
    if (file is None) == (text is None):
        raise UsageError("give either a FILE or --text")
    from seqkit.language_model.model import LanguageModel
    from seqkit.text.sources import iter_lines

    model = LanguageModel.load(bundle)
    lines = list(iter_lines([file])) if file is not None else str(text).split("\n")
    found = model.score(lines)
    tokens = list(model.score_tokens(lines)) if per_token else []
    if as_json:
        emit_json(found.summary() | ({"per_token": [vars(each) for each in tokens]} if per_token else {}))
        return
    if per_token:
        echo_table(["token", "surprisal", "entropy"], [[t.token, t.surprisal, t.entropy] for t in tokens])
        echo("")
    echo_table(["", ""], [*found.summary().items(), ["unknown share", f"{found.unknown / found.tokens:.2%}"]])


@click.command()
@click.argument("bundle")
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@json_option
def rank(bundle: str, texts: tuple[str, ...], as_json: bool) -> None:
    """Order TEXTs from the likeliest to the least likely by the language model BUNDLE."""
    from seqkit.language_model.model import LanguageModel

    ranked = LanguageModel.load(bundle).rank(texts)
    if as_json:
        emit_json({"ranked": [{"text": text} | found.summary() for text, found in ranked]})
        return
    for text, found in ranked:
        if found.unknown:
            note(f"{found.unknown} of {found.tokens} tokens unknown: {text}")
    rows = [[text, f"{found.log_probability:.2f}", f"{found.perplexity:.2f}"] for text, found in ranked]
    echo_table(["text", "log probability", "perplexity"], rows)


@click.command()
@click.argument("bundle")
@click.option("--verify", is_flag=True, help="Read every byte and compare its hash.")
@json_option
def info(bundle: str, verify: bool, as_json: bool) -> None:
    """Say what the language model BUNDLE is and how it was trained."""
    from seqkit.storage import Bundle

    opened = Bundle.open(bundle, kind="language_model")
    if verify:
        opened.verify()
    manifest = opened.manifest
    answer = {
        **{"bundle": bundle, "kind": manifest.kind, "seed": manifest.seed, "metrics": manifest.metrics},
        **{"config": manifest.config, "versions": manifest.versions, "fingerprint": manifest.fingerprint},
    }
    if as_json:
        emit_json(answer | ({"verified": True} if verify else {}))
        return
    settings = {f"{part}.{name}": value for part, group in _groups(manifest.config) for name, value in group}
    echo_table(["", ""], [[name, str(value)] for name, value in {**manifest.metrics, **settings}.items()])


def _groups(config: dict[str, Any]) -> list[tuple[str, list[tuple[str, Any]]]]:
    return [(name, list(value.items())) for name, value in config.items() if isinstance(value, dict)]
