"""Which column has the text, and which the labels: named by the user or guessed from a header."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from seqkit.errors import CorpusError, did_you_mean

# fmt: off
TEXT_NAMES = (
    "text", "review", "reviewtext", "reviewbody", "sentence", "comment", "content", "body", "tweet",
    "message", "document", "phrase",
)
LABEL_NAMES = (
    "label", "labels", "sentiment", "class", "target", "polarity", "stars", "star", "rating", "starrating",
    "score", "category", "emotion",
)
# fmt: on
"""What columns are often called, the likeliest first; case, spaces, "-" and "_" do not matter."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_DROPPED = str.maketrans("", "", " -_")

TEXT, LABEL = "text", "label"
"""What the columns are called where nothing names them."""

LONGEST_LABEL = 1_000
"""Characters of a label: what is longer is a text, and would not fit into a bundle's manifest."""


def fault_of_label(label: str) -> str | None:
    """What is wrong with a label, in words; None for nothing."""
    if len(label) > LONGEST_LABEL:
        return f"a label of {len(label):,} characters, {label:.40}…: is it the right column?"
    if _SURROGATE.search(label):
        return f"the label {label!a:.60} has a lone surrogate, which is no character"
    return None


@dataclass(frozen=True)
class Columns:
    """The columns that the user names.

    Args:
        text: the column of the text; None to guess it.
        labels: the columns of labels, first that of the main task; none to guess that one.

    A file without a header has the columns 1, 2, ….
    """

    text: str | None = None
    labels: tuple[str, ...] = ()

    @property
    def named(self) -> tuple[str, ...]:
        """All that are named."""
        return (*(() if self.text is None else (self.text,)), *self.labels)


@dataclass(frozen=True)
class Chosen:
    """The columns that are read.

    Args:
        text: the column of the text.
        labels: the columns of labels, first that of the main task.
        guessed: whether one of them was not named.
    """

    text: str
    labels: tuple[str, ...]
    guessed: bool

    def told(self) -> str:
        """For the user: what was guessed."""
        labels = f", label is column {self.labels[0]!r}" if self.labels else ""
        return f"text is column {self.text!r}{labels}"


def choose(names: Sequence[str], columns: Columns, path: str, *, labelled: bool) -> Chosen:
    """Finds the columns among those that there are.

    Args:
        names: of the columns of a file.
        columns: those that the user named.
        path: what errors call the file.
        labelled: whether labels are read.

    Raises:
        CorpusError: a column is not there, stands twice, or is both text and label; or one that is not named
            cannot be guessed.
    """
    wanted = columns.named if labelled else columns.named[: columns.text is not None]
    for name in wanted:
        _require(name, names, path)
    if len(set(wanted)) != len(wanted):
        raise CorpusError(f"a column is named twice in {_listed(wanted)}", path=path)
    labels = columns.labels if labelled else ()
    text = columns.text
    if text is None:
        text = _guess(names, TEXT_NAMES, labels)
    if labelled and not labels:
        label = _guess(names, LABEL_NAMES, () if text is None else (text,))
        labels = () if label is None else (label,)
        if text is None and label is not None:
            text = _guess(names, TEXT_NAMES, labels)
    if text is None:
        raise _undecided("text", names, path)
    if labelled and not labels:
        raise _undecided("label", names, path)
    for name in (text, *labels):
        _require(name, names, path)
    return Chosen(text, labels, guessed=columns.text is None or (labelled and not columns.labels))


def looks_like_header(cells: Sequence[str], *, labelled: bool) -> bool:
    """Whether the first row of a table names its columns, none being named by the user."""
    has_text = _known(cells, TEXT_NAMES) is not None
    if not labelled:
        return has_text
    has_label = _known(cells, LABEL_NAMES) is not None
    return (has_text or has_label) if len(cells) == 2 else (has_text and has_label)


def _require(name: str, names: Sequence[str], path: str) -> None:
    if names.count(name) == 1:
        return
    if name in names:
        raise CorpusError(f"two columns are called {name!r}", path=path, line=1)
    near = did_you_mean(name, names)
    hint = f"{near} there are" if near else "there are"
    raise CorpusError(f"no column {name!r:.80}; {hint} {_listed(names)}", path=path, line=1)


def _guess(names: Sequence[str], known: Sequence[str], taken: Sequence[str]) -> str | None:
    """The column with a known name, or the only other one of two."""
    free = [name for name in names if name not in taken]
    found = _known(free, known)
    if found is None and taken and len(names) == 2 and len(free) == 1:
        return free[0]
    return found


def _known(names: Sequence[str], known: Sequence[str]) -> str | None:
    plain = {name.casefold().translate(_DROPPED): name for name in reversed(names)}
    return next((plain[name] for name in known if name in plain), None)


def _undecided(what: str, names: Sequence[str], path: str) -> CorpusError:
    reason = f"which column is the {what}? Name it with --{what}-column; there are {_listed(names)}"
    return CorpusError(reason, path=path, line=1)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"{' '.join(name.split()):.40}" for name in names[:20])
    return f"{shown}, …" if len(names) > 20 else shown
