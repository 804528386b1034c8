"""`seqkit sentiment classify` and `info`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

import click

from seqkit.cli.bundle_info import manifest_summary, opened_manifest
from seqkit.cli.common import echo, echo_table, emit_json, json_line, json_option, note, safe
from seqkit.errors import UsageError

if TYPE_CHECKING:
    from seqkit.sentiment.model import Classified

MOST_PROCESSES = 8
"""More would wait for the one process that reads and writes."""

FAINT = 0.05
"""The share of the strongest weight under which a word is not coloured."""


@click.command()
@click.argument("bundle")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--file", default=None, metavar="F", help="Classify the lines of F, a source of text.")
@click.option("--explain", is_flag=True, help="Show how much each word speaks for the answer.")
@click.option(
    "--threshold",
    type=float,
    default=0.0,
    help="Give no label to a text whose likeliest label is less probable.",
)
@json_option
def classify(
    bundle: str, texts: tuple[str, ...], file: str | None, explain: bool, threshold: float, as_json: bool
) -> None:
    """Label each TEXT by the model BUNDLE; without TEXT and --file, each line of standard input.

    Off a terminal a line is label, probability, the probabilities of all labels as NAME=P, the expected
    rating where labels are numbers, and the text, separated by tabs; with --json, one object a text. A text
    of which no word is known has no label.
    """
    if texts and file is not None:
        raise UsageError("give either TEXT or --file, not both")
    from seqkit._processors import available_cores
    from seqkit.sentiment.model import BATCH, SentimentModel

    model = SentimentModel.load(bundle)
    given = texts or _lines("-" if file is None else file)
    show = _show_json if as_json else _show_table if sys.stdout.isatty() and texts else _show_lines
    silent = 0
    answers = model.classify(given, threshold=threshold, processes=min(available_cores(), MOST_PROCESSES))
    while some := list(islice(answers, 1 if explain else BATCH)):
        silent += sum(found.nothing_known for found in some)
        words = [model.explain(found.text, found.label) if explain else None for found in some]
        show(some, words)
    if silent:
        note(f"{silent:,} without any word that the model knows: no label")


Words = list[tuple[str, float]] | None

_safe_name = cache(safe)  # of labels, which are few


def _lines(source: str) -> Iterable[str]:
    from seqkit.text.sources import iter_lines

    return iter_lines([source])


def _show_json(some: list[Classified], words: list[Words]) -> None:
    _put(map(_json_of, some, words))


def _show_lines(some: list[Classified], words: list[Words]) -> None:
    _put(map(_line_of, some, words))


def _put(lines: Iterable[str]) -> None:
    """Writes lines without escapes, in which `click.echo` would look for some, character by character."""
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def _show_table(some: list[Classified], words: list[Words]) -> None:
    for found, own in zip(some, words, strict=True):
        _show_one(found, own)


def _json_of(found: Classified, words: Words) -> str:
    explanation = {} if words is None else {"explanation": [{"token": t, "weight": w} for t, w in words]}
    return json_line(found.summary() | explanation)


def _line_of(found: Classified, words: Words) -> str:
    probabilities = " ".join([f"{_safe_name(name)}={p:.4f}" for name, p in found.probabilities.items()])
    rating = "" if found.rating is None else f"{found.rating:.2f}\t"
    label = _safe_name(found.label or "")
    row = f"{label}\t{found.probability:.4f}\t{probabilities}\t{rating}{safe(found.text)}"
    return row if words is None else "\n".join([row, *[f"\t{w:+.4f}\t{safe(token)}" for token, w in words]])


def _show_one(found: Classified, words: Words) -> None:
    reason = "no word is known" if found.nothing_known else "not sure enough"
    rows = [["label", found.label or f"none: {reason}"]]
    rows += [[name, f"{p:.1%}"] for name, p in found.probabilities.items()]
    rows += [] if found.rating is None else [["rating", f"{found.rating:.2f}"]]
    rows += [["unknown words", f"{found.unknown} of {found.tokens}"]] if found.unknown else []
    echo(found.text)
    echo_table(["", ""], rows)
    if words:
        click.echo(_coloured(words))
    click.echo()


def _coloured(words: list[tuple[str, float]]) -> str:
    """Words for the answer in green, those against it in red, the strongest ones bold."""
    strongest = max(abs(weight) for _, weight in words) or 1.0
    shown = []
    for token, weight in words:
        share = weight / strongest
        colour = None if abs(share) < FAINT else "green" if share > 0 else "red"
        bold = True if abs(share) > 0.5 else None
        shown.append(click.style(safe(token), fg=colour, bold=bold))
    return " ".join(shown)


@click.command()
@click.argument("bundle")
@click.option("--verify", is_flag=True, help="Read every byte and compare its hash.")
@json_option
def info(bundle: str, verify: bool, as_json: bool) -> None:
    """Say what the model BUNDLE is and how it was trained."""
    manifest = opened_manifest(bundle, "sentiment", verify)
    if as_json:
        emit_json(manifest_summary(bundle, manifest) | ({"verified": True} if verify else {}))
        return
    metrics = {name: value for name, value in manifest.metrics.items() if name != "members"}
    self_training = metrics.pop("self_training", {})
    rows = [[name, _told(value)] for name, value in metrics.items()]
    rows += [["self-training", ""]] if self_training else []
    rows += _indented(self_training)
    for number, member in enumerate(manifest.config["members"]):
        rows.append([f"member {number}", member["model"]])
        rows += _indented(member["settings"])
    echo_table(["", ""], rows)


def _indented(values: Mapping[str, object]) -> list[list[str]]:
    return [[f"  {name}", _told(value)] for name, value in values.items()]


def _told(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:.4f}" if isinstance(value, float) else str(value)
