"""Corpora by name: which there are, and their lines.

A name is `kingdom`, `reviews` or `names`, or `nltk:NAME` for one of NLTK's; `:SIZE` behind it asks for that
many lines.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from seqkit.corpora.bundled import BUNDLED
from seqkit.corpora.nltk_data import NLTK_CORPORA, nltk_corpus, read_nltk
from seqkit.errors import MissingInputError, UsageError, name_hint

_PREFIX = "nltk:"
_NAME = re.compile(r"(?P<name>(?:nltk:)?[^:]*)(?::(?P<size>[0-9]+))?", re.DOTALL)


@dataclass(frozen=True)
class CorpusInfo:
    """What is known of a corpus without opening it.

    Args:
        name: what `open_corpus` takes.
        kind: "grammar" (bundled, made when asked for) or "nltk" (on the disk, or to be fetched).
        description: one line.
        lines: how many `open_corpus` gives; None where it is not known before.
        labels: whether `open_labelled` takes it.
    """

    name: str
    kind: Literal["grammar", "nltk"]
    description: str
    lines: int | None
    labels: bool


def corpus_names() -> list[str]:
    """All names, the bundled corpora first; those of NLTK need not be on this machine."""
    return [*BUNDLED, *(_PREFIX + name for name in NLTK_CORPORA)]


def is_corpus_name(text: str) -> bool:
    """Whether `text` is a bundled corpus, perhaps with a size, or begins with `nltk:`.

    >>> [is_corpus_name(text) for text in ("kingdom", "kingdom:500", "nltk:brown", "kingdom.txt")]
    [True, True, True, False]
    """
    match = _NAME.fullmatch(text)
    return text.startswith(_PREFIX) or (match is not None and match["name"] in BUNDLED)


def describe(name: str) -> CorpusInfo:
    """What is known of a corpus; with `:SIZE` in its name, `lines` is at most that.

    Raises:
        MissingInputError: there is no such corpus.
        UsageError: the size is 0.
    """
    base, size = _parse(name)
    if base in BUNDLED:
        bundled = BUNDLED[base]
        return CorpusInfo(name, "grammar", bundled.description, size or bundled.size, bundled.labelled)
    corpus = nltk_corpus(base.removeprefix(_PREFIX))
    lines = corpus.lines if size is None or corpus.lines is None else min(size, corpus.lines)
    return CorpusInfo(name, "nltk", corpus.description, lines, corpus.labelled)


def open_corpus(name: str, *, size: int | None = None, seed: int = 0) -> Iterator[str]:
    """The lines of a corpus, without line ends.

    A bundled corpus is sampled as it is read: the same seed gives the same lines, and a larger size goes on
    where a smaller one ends. A corpus of NLTK is given in its own order, whatever the seed.

    >>> next(open_corpus("names", seed=1)).isalpha()
    True
    >>> short, long = (list(open_corpus(f"kingdom:{size}")) for size in (5, 10))
    >>> len(long), long[:5] == short
    (10, True)

    Args:
        name: the corpus, perhaps with `:SIZE`.
        size: how many lines; wins over a size in the name. Without either, a bundled corpus gives as many as
            `describe` says and one of NLTK all that it has. One of NLTK that has fewer gives those.
        seed: any integer from 0.

    Raises:
        MissingInputError: there is no such corpus, or it is not on this machine: the message says how to
            get it.
        UsageError: the size is below 1 or the seed below 0.
        CorpusError: while iterating: the files of a corpus are damaged.
    """
    base, limit = _parse(name, size, seed)
    if base in BUNDLED:
        return islice(BUNDLED[base].lines(seed), limit or BUNDLED[base].size)
    return islice((line for _, line in read_nltk(base.removeprefix(_PREFIX))), limit)


def open_labelled(name: str, *, size: int | None = None, seed: int = 0) -> Iterator[tuple[str, str]]:
    """The lines of `open_corpus`, each after its label ("positive", "negative", …).

    Args:
        name: a corpus with labels: `reviews`, `nltk:movie_reviews`, `nltk:subjectivity` or `nltk:names`.
        size: as in `open_corpus`.
        seed: as in `open_corpus`.

    Raises:
        UsageError: the corpus has no labels; otherwise as `open_corpus`.
        MissingInputError: as `open_corpus`.
        CorpusError: as `open_corpus`.
    """
    if not describe(name).labels:
        labelled = ", ".join(known for known in corpus_names() if describe(known).labels)
        raise UsageError(f"{name} has no labels; {labelled} have")
    base, limit = _parse(name, size, seed)
    if base in BUNDLED:
        return islice(BUNDLED[base].labelled_lines(seed), limit or BUNDLED[base].size)
    return islice(read_nltk(base.removeprefix(_PREFIX)), limit)


def _parse(name: str, size: int | None = None, seed: int = 0) -> tuple[str, int | None]:
    """The name without a size, and the size: that given, else that of the name."""
    match = _NAME.fullmatch(name)
    base = match["name"] if match else name
    if match is None or (base not in BUNDLED and not base.startswith(_PREFIX)):
        raise MissingInputError(f"{name}: no such corpus; {name_hint(base, corpus_names(), most=2)}")
    if size is None and match["size"]:
        size = int(match["size"])
    if size is not None and size < 1:
        raise UsageError(f"{name}: the size must be 1 or more, got {size}")
    if size is not None and size > sys.maxsize:
        raise UsageError(f"{name}: the size must be {sys.maxsize} at most")
    if seed < 0:
        raise UsageError(f"seed must be 0 or more, got {seed}")
    return base, size
