"""`seqkit debias words`, and what the commands of `seqkit debias` share: which words a bias is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from seqkit.cli.common import Decorator, echo_table, emit_json, json_option, note, safe
from seqkit.errors import DataError, MissingInputError, name_hint

if TYPE_CHECKING:
    from seqkit.debias.word_sets import Coverage, WordSets
    from seqkit.embeddings.vectors import Vectors

_SHOWN = 5  # missing words of a list

words_option: Decorator = click.option(
    "--words",
    "words",
    default="gender",
    metavar="FILE|NAME",
    help="Word sets: a TOML file, or a name of `seqkit debias words`.",
)


@click.command()
@click.argument("name", required=False)
@json_option
def words(name: str | None, as_json: bool) -> None:
    """Print the word sets NAME that come with seqkit as TOML; without NAME, list them.

    A file of your own has the same form: `seqkit debias words gender > mine.toml` is a beginning.
    """
    from seqkit.debias.word_sets import built_in_names, built_in_text, parse_word_sets

    names = built_in_names()
    if name is not None:
        if name not in names:
            raise MissingInputError(f"no word sets are called {name!r}; {name_hint(name, names)}")
        text = built_in_text(name)
        if as_json:
            emit_json({"name": name, "toml": text})
        else:
            click.echo("\n".join(map(safe, text.splitlines())))
        return
    sets = {name: parse_word_sets(built_in_text(name)) for name in names}
    rows = [
        {
            "name": name,
            "language": part.language,
            "pairs": len(part.pairs),
            "tests": len(part.weat),
            "description": part.description,
        }
        for name, part in sets.items()
    ]
    if as_json:
        emit_json({"word_sets": rows})
    else:
        echo_table(["name", "language", "pairs", "tests", "description"], [[*row.values()] for row in rows])


def check_coverage(vectors: Vectors, sets: WordSets) -> Mapping[str, Coverage]:
    """How much of each list the vectors know; a line on standard error where it is less than half.

    Raises:
        DataError: not one of the words.
    """
    from seqkit.debias.word_sets import built_in_names, coverage

    known = coverage(sets, vectors)
    other = f"--words names others: {', '.join(built_in_names())}, or a TOML file"
    if not any(part.found for part in known.values()):
        raise DataError(f"no word of {sets.name!r} is in the vocabulary of {len(vectors):,}; {other}")
    thin = [
        f"{part.found} of {part.words} in {key}" for key, part in known.items() if 2 * part.found < part.words
    ]
    if thin:
        note(f"seqkit: few words of {sets.name!r} are in the vocabulary ({', '.join(thin)}); {other}")
    return known


def echo_coverage(known: Mapping[str, Coverage]) -> None:
    """The table of what the vocabulary knows of each list."""
    echo_table(
        ["list", "words", "found", "missing"],
        [[key, part.words, part.found, shown(part.missing)] for key, part in known.items()],
    )


def shown(missing: tuple[str, ...]) -> str:
    """Some of the missing words."""
    more = f", … ({len(missing)} in all)" if len(missing) > _SHOWN else ""
    return ", ".join(missing[:_SHOWN]) + more
