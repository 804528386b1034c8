"""`seqkit corpus`: corpora by name, and what a text holds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from seqkit.cli.common import echo, echo_table, emit_json, json_option, note, quiet_option, seed_option

if TYPE_CHECKING:
    from seqkit.text.statistics import CorpusStatistics


@click.group()
def corpus() -> None:
    """Corpora: list, show, describe, fetch.

    kingdom, reviews and names come with seqkit; nltk:NAME is one of NLTK's on this machine. A name works
    wherever a command takes a text, with :SIZE behind it for that many lines: kingdom:20000.
    """


@corpus.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the corpora: name, lines, labels, description.

    Those named nltk:NAME have to be on this machine: `seqkit corpus fetch` gets them.
    """
    from dataclasses import asdict

    from seqkit.corpora import corpus_names, describe

    known = [describe(name) for name in corpus_names()]
    if as_json:
        emit_json({"corpora": [asdict(info) for info in known]})
    else:
        rows = [
            (info.name, info.lines, "labels" if info.labels else None, info.description) for info in known
        ]
        echo_table(["corpus", "lines", "labels", "description"], rows)


@corpus.command()
@click.argument("name")
@click.option("-n", type=click.IntRange(min=1), default=10, help="How many lines.")
@click.option(
    "--labels", is_flag=True, help="Each line after its label and a tab, where the corpus has labels."
)
@seed_option
@json_option
def show(name: str, n: int, labels: bool, seed: int, as_json: bool) -> None:
    """Show the first lines of the corpus NAME.

    The seed decides what the bundled corpora say; NLTK's always begin at their beginning.
    """
    from itertools import islice

    from seqkit.corpora import open_corpus, open_labelled

    n = min(n, sys.maxsize)
    if labels:
        found = list(islice(open_labelled(name, seed=seed), n))
        if as_json:
            lines = [{"label": label, "text": text} for label, text in found]
            emit_json({"corpus": name, "seed": seed, "lines": lines})
        else:
            echo_table(["label", "text"], found)
        return
    texts = islice(open_corpus(name, seed=seed), n)
    if as_json:
        emit_json({"corpus": name, "seed": seed, "lines": list(texts)})
    else:
        for text in texts:
            echo(text)


@corpus.command()
@click.argument("corpora", nargs=-1, required=True, metavar="CORPUS...")
@click.option(
    "--tokenizer",
    type=click.Choice(["word", "whitespace", "character"]),
    default="word",
    help="What cuts a line into tokens.",
)
@click.option("--lowercase/--keep-case", default=True, help="Whether tokens are lower-cased.")
@json_option
@quiet_option
def stats(corpora: tuple[str, ...], tokenizer: str, lowercase: bool, as_json: bool, quiet: bool) -> None:
    """Describe texts: tokens, types, what each min-count keeps, the longest line, and what looks wrong.

    CORPUS is a file (also .gz, .bz2, .xz, .zst), a folder, - for standard input, or the name of a corpus;
    several are taken together. Warnings go to standard error.
    """
    from dataclasses import asdict

    from seqkit.cli.progress import progress_for
    from seqkit.text.statistics import corpus_statistics
    from seqkit.text.tokenizers import Tokenizer

    cut = Tokenizer.from_config({"kind": tokenizer, "lowercase": lowercase})
    found = corpus_statistics(corpora, tokenizer=cut, progress=progress_for(quiet))
    if as_json:
        emit_json({"corpora": corpora, "tokenizer": tokenizer, "lowercase": lowercase, **asdict(found)})
        return
    echo_table(["", "value"], _rows(found))
    for warning in found.warnings:
        note(f"warning: {warning.message}")


def _rows(found: CorpusStatistics) -> list[tuple[str, str]]:
    rows = [
        ("tokens", f"{found.tokens:,}"),
        ("types", f"{found.types:,}"),
        ("lines", f"{found.lines:,}"),
        ("blank lines", f"{found.blank_lines:,}"),
        ("characters", f"{found.characters:,}"),
        ("longest line", f"{found.longest_line:,} characters ({found.longest_line_at})"),
        ("repeated lines", f"{found.repeated_lines:.1%}"),
    ]
    for part in found.coverage:
        kept = f"{part.vocabulary:,} types, {part.share:.2%} of the tokens"
        rows.append((f"min-count {part.min_count}", kept))
    return rows


@corpus.command()
@click.argument("name", metavar="nltk:NAME")
@json_option
@quiet_option
def fetch(name: str, as_json: bool, quiet: bool) -> None:
    """Download nltk:NAME, one of NLTK's corpora, through NLTK.

    This alone of all commands uses the network. The corpus goes into the first folder that the environment
    variable NLTK_DATA names, else where NLTK puts it.
    """
    from seqkit.corpora import corpus_names, fetch_nltk
    from seqkit.errors import UsageError

    prefix = "nltk:"
    if name in corpus_names() and not name.startswith(prefix):
        raise UsageError(f"{name} comes with seqkit: there is nothing to fetch")
    if not name.startswith(prefix):
        raise UsageError(f"only nltk:NAME can be fetched, got {name}")
    if not quiet:
        note(f"fetching {name}")
    folder = fetch_nltk(name.removeprefix(prefix))
    if as_json:
        emit_json({"corpus": name, "folder": folder})
    else:
        echo(f"{name} is in {folder}")
