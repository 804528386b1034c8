"""The texts that a model gets wrong: their slices, a file for a person to tag, what the tags sum to.

The file is a TSV with a header: label, predicted, probability (of what is predicted), slices, tags, place and
text. A person writes tags into the column that is empty, several with commas between them, as far as there is
time: the rows are in random order, so that the first hundred are a fair sample. The share of the tagged
errors that has a tag, of the error as a whole, is the ceiling: what accuracy can rise by at most if all of
that kind were right.

Source: Ng 2018, "Machine Learning Yearning", chapters 14 to 17.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from seqkit.errors import DataError, Place, UsageError
from seqkit.sentiment.dataset import Dataset
from seqkit.sentiment.division import key_of
from seqkit.sentiment.evaluation.intervals import Figure, share
from seqkit.sentiment.evaluation.metrics import check
from seqkit.sentiment.evaluation.slices import slices
from seqkit.sentiment.model import SentimentModel
from seqkit.storage import atomic_write_bytes, storage_errors
from seqkit.text.columns import Columns
from seqkit.text.labelled import read_examples

COLUMNS = ("label", "predicted", "probability", "slices", "tags", "place", "text")

_FORMULA = ("=", "+", "-", "@")


@dataclass(frozen=True)
class Wrong:
    """A text with another label than it is given.

    Args:
        label: that it has.
        predicted: that it is given.
        probability: of what is predicted.
        slices: that it is in.
        place: where it is from, "FILE:LINE".
        text: as it stands there.
        tags: that a person gave it.
    """

    label: str
    predicted: str
    probability: float
    slices: tuple[str, ...]
    place: str
    text: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """A slice, or what a person gave a tag.

    Args:
        name: of it.
        wrong: texts in it that are wrong.
        texts: that were looked at: all that are in the slice; all errors that have tags.
        share: wrong of texts.
        ceiling: of the error, how much is in it: what accuracy can rise by at most.
    """

    name: str
    wrong: int
    texts: int
    share: Figure
    ceiling: Figure

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's types."""
        return vars(self) | {"share": self.share.as_json(), "ceiling": self.ceiling.as_json()}


@dataclass(frozen=True)
class Errors:
    """What a model gets wrong.

    Args:
        texts: that it labelled.
        rows: those that are wrong, in random order.
        slices: the error of each slice that has texts.
    """

    texts: int
    rows: list[Wrong]
    slices: list[Part]

    @property
    def error(self) -> Figure:
        """The share of the texts that is wrong."""
        return share(len(self.rows), self.texts)

    def tagged(self, tags: Mapping[bytes, tuple[str, ...]]) -> Errors:
        """With the tags of an earlier file.

        Args:
            tags: as `read_tags` gives them.
        """
        return replace(
            self, rows=[replace(row, tags=tags.get(_key(row.label, row.text), ())) for row in self.rows]
        )

    def sums(self) -> list[Part]:
        """How often each tag was given, the most frequent first, and the ceiling that it sets.

        Of n errors that have tags, k with this one: the ceiling is k / n of the error. Its interval is that
        of k / n, as the tagged are a sample.
        """
        looked = [row.tags for row in self.rows if row.tags]
        counts = Counter(tag for tags in looked for tag in dict.fromkeys(tags))
        error = self.error.value
        found = []
        for name, count in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
            part = share(count, len(looked))
            # All errors are tagged: nothing is estimated.
            ends = (part.value,) * 2 if len(looked) == len(self.rows) else (part.low, part.high)
            ceiling = Figure(part.value * error, *(end * error for end in ends))
            found.append(Part(name, count, len(looked), part, ceiling))
        return found

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's types, the rows left out."""
        return {
            "texts": self.texts,
            "errors": len(self.rows),
            "error": self.error.as_json(),
            "slices": [part.as_json() for part in self.slices],
            "tagged": sum(bool(row.tags) for row in self.rows),
            "tags": [part.as_json() for part in self.sums()],
        }


def find_errors(model: SentimentModel, dataset: Dataset, *, seed: int = 0) -> Errors:
    """Finds the texts that a model gets wrong.

    Args:
        model: with the labels of the dataset.
        dataset: the texts.
        seed: of the order of the rows.

    Raises:
        DataError: there is no text.
    """
    answers = list(model.classify(dataset.texts))
    probabilities = np.array([list(answer.probabilities.values()) for answer in answers])
    check(probabilities, dataset.targets)
    given = probabilities.argmax(axis=1)
    wrong = given != dataset.targets
    tokens, unknown = (np.array([getattr(a, name) for a in answers]) for name in ("tokens", "unknown"))
    masks = slices(dataset.texts, tokens, unknown)
    names = dataset.labels.names
    rows = [
        Wrong(
            names[dataset.targets[number]],
            names[given[number]],
            float(probabilities[number, given[number]]),
            tuple(name for name, mask in masks.items() if mask[number]),
            ":".join(map(str, dataset.places[number])) if dataset.places else str(number + 1),
            dataset.texts[number],
        )
        for number in np.random.default_rng(seed).permutation(np.flatnonzero(wrong)).tolist()
    ]
    parts = [_slice(name, mask & wrong, mask, len(wrong)) for name, mask in masks.items() if mask.any()]
    return Errors(len(wrong), rows, parts)


def _slice(name: str, wrong: Any, mask: Any, texts: int) -> Part:
    count, size = int(wrong.sum()), int(mask.sum())
    return Part(name, count, size, share(count, size), share(count, texts))


def check_output(path: Place, *, overwrite: bool = False) -> None:
    """Checks that a file can be written, before anything is done for it.

    Raises:
        UsageError: it is there already, tags perhaps in it, or its folder is not.
        StorageError: the working directory is not there any more.
    """
    if os.path.lexists(path) and not overwrite:
        raise UsageError(
            f"{os.fspath(path)}: a file is there already, with tags perhaps; choose another name or "
            "overwrite it (--overwrite)"
        )
    if os.path.isdir(os.fspath(path) or "."):
        raise UsageError(f"{os.fspath(path) or '.'}: is a folder; name a file to write to")
    with storage_errors(path, "write"):
        if not Path(path).absolute().parent.is_dir():
            raise UsageError(f"{os.fspath(path)}: there is no such folder to write to")


def write_errors(path: Place, rows: Iterable[Wrong], *, overwrite: bool = False) -> None:
    """Writes the file for a person to tag.

    White space in texts becomes single spaces; one stands before what a spreadsheet would compute.

    Raises:
        UsageError: as `check_output`.
        StorageError: writing failed.
    """
    check_output(path, overwrite=overwrite)
    lines = ["\t".join(COLUMNS)]
    for row in rows:
        cells = (
            *(row.label, row.predicted, f"{row.probability:.4f}", ",".join(row.slices)),
            *(", ".join(row.tags), row.place),
        )
        plain = [" ".join(cell.split()) for cell in (*cells, row.text)]
        if plain[-1].startswith(_FORMULA):
            plain[-1] = f" {plain[-1]}"
        lines.append("\t".join(plain))
    atomic_write_bytes(path, "".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))


def read_tags(path: Place) -> dict[bytes, tuple[str, ...]]:
    """The tags of a file that a person has written into, by label and text; of equal texts those of all.

    Args:
        path: a TSV or CSV with the columns label, tags and text.

    Raises:
        MissingInputError: it is not there.
        CorpusError: it is no such file.
        DataError: no row has tags.
    """
    found: dict[bytes, tuple[str, ...]] = {}
    for example in read_examples(path, Columns("text", ("label", "tags"))):
        tags = (each.strip().strip('"').strip() for each in (example.labels["tags"] or "").split(","))
        if kept := tuple(tag for tag in tags if tag):
            key = _key(example.labels["label"] or "", example.text)
            found[key] = tuple(dict.fromkeys([*found.get(key, ()), *kept]))
    if not found:
        raise DataError(f"{os.fspath(path)}: no row has tags; write some into the column of that name")
    return found


def unmatched(tags: Mapping[bytes, tuple[str, ...]], rows: Sequence[Wrong]) -> int:
    """How many tagged texts are not wrong, or not among the texts any more."""
    return len(set(tags) - {_key(row.label, row.text) for row in rows})


def _key(label: str, text: str) -> bytes:
    # A spreadsheet may have put quotes around a text, and doubled those in it.
    return label.encode() + b"\t" + key_of(text.replace('"', ""))
