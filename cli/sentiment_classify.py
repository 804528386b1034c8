"""`seqkit sentiment classify` and `info`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice
from typing import TYPE_CHECKING

import click

from seqkit.cli.bundle_info import manifest_summary, opened_manifest
from seqkit.cli.common import (
    echo,
    echo_table,
    emit_json,
    json_line,
    json_option,
    note,
    safe,
    safe_lines,
    wants_colour,
)
from seqkit.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from seqkit.sentiment.answers import Answers
    from seqkit.sentiment.model import Classified, SentimentModel

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
    from seqkit.sentiment.model import SentimentModel

    for text in texts:
        if os.path.isfile(text):
            note(f"{text}: read as a text, though there is such a file; --file {text} classifies its lines")
    model = SentimentModel.load(bundle)
    batches = iter([texts]) if texts else _batches("-" if file is None else file)
    output = _Output(model, threshold, explain)
    show = output.json if as_json else output.table if sys.stdout.isatty() and texts else output.lines
    silent = 0
    for some, answers in model.answered(batches, min(available_cores(), MOST_PROCESSES)):
        silent += int((answers.known == 0).sum())
        show(some, answers)
    if silent:
        note(f"{silent:,} without any word that the model knows: no label")


Words = list[tuple[str, float]] | None


def _batches(source: str) -> Iterator[Sequence[str] | None]:
    from seqkit.sentiment.lines import Lines
    from seqkit.sentiment.model import BATCH
    from seqkit.text.sources import iter_whole_lines

    for piece in iter_whole_lines([source]):
        yield from Lines(piece).batches(BATCH) if piece else [None]


@dataclass(frozen=True)
class _Output:
    """Ways to show what a model says of a batch of texts."""

    model: SentimentModel
    threshold: float
    explain: bool

    def lines(self, texts: Sequence[str], answers: Answers) -> None:
        """Rows in UTF-8, all of a batch at once; texts that came as bytes go as bytes."""
        labels = self.model.labels.names_of(answers.best(self.threshold))
        ends = map(self._line_end_and_words, texts, labels) if self.explain else [b"\n"] * len(labels)
        rows = zip(self._begun_rows(labels, answers.probabilities), _safe_texts(texts), ends, strict=True)
        self._put(rows)

    def _begun_rows(
        self, labels: Sequence[str | None], probabilities: NDArray[np.float64]
    ) -> Iterator[bytes]:
        """Each row before its text."""
        names = [safe(name).replace("%", "%%") for name in self.model.labels.names]
        form = "%s\t%.4f\t" + " ".join(f"{name}=%.4f" for name in names) + "\t"
        columns = [probabilities.max(axis=1), *probabilities.T]
        if self.model.labels.ordinal:
            form += "%.2f\t"
            columns.append(probabilities @ self.model.labels.ratings)
        shown = [_safe_name(label or "") for label in labels]
        return map(form.encode().__mod__, zip(shown, *[column.tolist() for column in columns], strict=True))

    def _line_end_and_words(self, text: str, label: str | None) -> bytes:
        words = self.model.explain(text, label)
        return "".join(["\n", *[f"\t{w:+.4f}\t{safe(token)}\n" for token, w in words]]).encode()

    def json(self, texts: Sequence[str], answers: Answers) -> None:
        """An object on a line for each text."""
        found = self.model.classified(texts, answers, self.threshold)
        self._put((self._json_of(each), b"\n") for each in found)

    def _put(self, rows: Iterator[Iterable[bytes]]) -> None:
        """Writes rows, each in pieces: all at once, or one by one where they are explained, which takes long.

        `click.echo` would look for escapes, character by character.
        """
        while some := list(islice(rows, 1 if self.explain else None)):
            sys.stdout.buffer.writelines(chain.from_iterable(some))
            sys.stdout.buffer.flush()

    def _json_of(self, found: Classified) -> bytes:
        words = self._words(found)
        explanation = {} if words is None else {"explanation": [{"token": t, "weight": w} for t, w in words]}
        return json_line(found.summary() | explanation).encode()

    def table(self, texts: Sequence[str], answers: Answers) -> None:
        """A small table for each text, for a terminal."""
        for found in self.model.classified(texts, answers, self.threshold):
            _show_one(found, self._words(found))

    def _words(self, found: Classified) -> Words:
        return self.model.explain(found.text, found.label) if self.explain else None


def _safe_texts(texts: Sequence[str]) -> list[bytes]:
    from seqkit.sentiment.lines import Lines

    return safe_lines(texts.data) if isinstance(texts, Lines) else [safe(text).encode() for text in texts]


@cache
def _safe_name(name: str) -> bytes:
    """Of a label; there are few."""
    return safe(name).encode()


def _show_one(found: Classified, words: Words) -> None:
    reason = "no word is known" if found.nothing_known else "not sure enough"
    rows = [["label", found.label or f"none: {reason}"]]
    rows += [[name, f"{p:.1%}"] for name, p in found.probabilities.items()]
    rows += [] if found.rating is None else [["rating", f"{found.rating:.2f}"]]
    rows += [["unknown words", f"{found.unknown} of {found.tokens}"]] if found.unknown else []
    echo(found.text)
    echo_table(["", ""], rows)
    if words and wants_colour():
        click.echo(_coloured(words), color=True)
    elif words:
        echo_table(["", ""], [[token, f"{weight:+.4f}"] for token, weight in words])
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
