"""The corpora that come with seqkit: probabilistic grammars written for it, and the form of their lines.

`kingdom` teaches word vectors (its sentences pin analogies and near-synonyms, see the head of its grammar),
`reviews` teaches sentiment, `names` teaches models of characters. docs/corpora.md describes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from seqkit.corpora.grammar import Grammar
from seqkit.errors import MissingInputError

_BEFORE_STOP = re.compile(r" ([.,!;])")
_SENTENCE_START = re.compile(r"(?:^|[.!] )[a-z]")


def _spaced(terminals: Sequence[str]) -> str:
    return " ".join(terminals)


def _prose(terminals: Sequence[str]) -> str:
    """Words with punctuation attached and a capital at the start of each sentence."""
    text = _BEFORE_STOP.sub(r"\1", " ".join(terminals))
    return _SENTENCE_START.sub(lambda match: match[0].upper(), text)


def _name(terminals: Sequence[str]) -> str:
    return "".join(terminals).capitalize()


@dataclass(frozen=True)
class BundledCorpus:
    """A grammar and how its sentences are written.

    Args:
        name: that of the grammar file, without `.pcfg`.
        description: one line for a list.
        size: lines given where no size is asked for.
        write: makes a line of the terminals of one sentence.
        labelled: whether the grammar's start symbol chooses among labels.
    """

    name: str
    description: str
    size: int
    write: Callable[[Sequence[str]], str]
    labelled: bool = False

    def lines(self, seed: int) -> Iterator[str]:
        """Lines without end; the same seed gives the same lines."""
        return map(self.write, _grammar(self.name).sample(seed=seed))

    def labelled_lines(self, seed: int) -> Iterator[tuple[str, str]]:
        """The same lines, each after its label in lower case."""
        sentences = _grammar(self.name).sample_labelled(seed=seed)
        return ((label.lower(), self.write(terminals)) for label, terminals in sentences)


BUNDLED = {
    corpus.name: corpus
    for corpus in (
        BundledCorpus(
            "kingdom",
            "royalty, families, capitals, deeds, food: sentences that pin analogies and near-synonyms",
            200_000,
            _spaced,
        ),
        BundledCorpus(
            "reviews",
            "opinions with negation, contrast and intensity: positive, negative, neutral",
            50_000,
            _prose,
            labelled=True,
        ),
        BundledCorpus(
            "names", "made-up names in six styles, one a line, for models of characters", 30_000, _name
        ),
    )
}


def corpus_file(name: str) -> Path:
    """The path of a file that comes with the corpora.

    Args:
        name: `kingdom.pcfg`, `reviews.pcfg`, `names.pcfg` (the grammars), `kingdom-analogies.txt` (in the
            format of questions-words.txt) or `kingdom-similarity.tsv` (word, word, similarity by design from
            0 to 10).

    Raises:
        MissingInputError: there is no such file.
    """
    folder = files("seqkit.corpora") / "data"
    names = sorted(entry.name for entry in folder.iterdir())
    if name not in names:
        raise MissingInputError(f"{name!r} does not come with the corpora; there are {', '.join(names)}")
    return Path(str(folder / name))


@cache
def _grammar(name: str) -> Grammar:
    return Grammar(corpus_file(f"{name}.pcfg").read_text(encoding="utf-8"))
