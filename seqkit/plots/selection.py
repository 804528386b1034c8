"""Which words a map shows, and in which classes they fall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from seqkit._settings import check_numbers
from seqkit.embeddings.neighbours import nearest_rows, unit_rows
from seqkit.errors import UsageError
from seqkit.plots.projection import PROJECTIONS, ProjectionName

if TYPE_CHECKING:
    from seqkit.embeddings.vectors import Vectors

_MANY = 30
"""From so many words on the plane of PCA is too crowded."""


@dataclass(frozen=True, kw_only=True)
class MapConfig:
    """What a map shows.

    Args:
        n: how many of the most frequent words, where none are named.
        neighbours: how many neighbours of each named word are added, in its colour.
        groups: words in classes of one colour each; they are shown if no others are named.
        pairs: words with an arrow from the first to the second, in the plane of PCA fitted to all of them.
        projection: one of `PROJECTIONS`; None for t-SNE of 30 words and more, and PCA of fewer and of pairs.
        seed: of t-SNE and of the spectral embedding.
    """

    n: int = 200
    neighbours: int = 0
    groups: Mapping[str, Sequence[str]] | None = None
    pairs: Sequence[tuple[str, str]] = ()
    projection: ProjectionName | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_numbers(self)
        for name, least in (("n", 2), ("neighbours", 0), ("seed", 0)):
            if getattr(self, name) < least:
                raise UsageError(f"{name} is {getattr(self, name)}; it must be at least {least}")
        if self.projection is not None and self.projection not in PROJECTIONS:
            raise UsageError(f"projection is one of {', '.join(PROJECTIONS)}, not {self.projection!r}")
        if self.pairs and self.projection not in (None, "pca"):
            raise UsageError(f"arrows keep their directions only in PCA, not in {self.projection}")
        if bool(self.pairs) + bool(self.groups) + bool(self.neighbours) > 1:
            raise UsageError("neighbours, groups and pairs each colour the map; choose one of them")

    def projection_of(self, words: int) -> ProjectionName:
        """The projection for that many words."""
        return self.projection or ("pca" if self.pairs or words < _MANY else "tsne")


@dataclass(frozen=True)
class Selection:
    """The words of a map.

    Args:
        ids: (n,), their rows in the matrix; the earlier are labelled first.
        heading: what they are, for the title.
        classes: names of classes to members, as positions in `ids`; others belong to none.
        seeds: positions whose labels stand out.
        pairs: positions joined by arrows.
    """

    ids: npt.NDArray[np.int64]
    heading: str
    classes: dict[str, list[int]] = field(default_factory=dict)
    seeds: frozenset[int] = frozenset()
    pairs: list[tuple[int, int]] = field(default_factory=list)


def select(vectors: Vectors, words: Sequence[str], config: MapConfig) -> Selection:
    """Finds the words of a map.

    Args:
        vectors: where they come from.
        words: those that are named.
        config: what else is shown.

    Raises:
        UnknownWordError: a word outside the vocabulary.
        UsageError: fewer than two words, or neighbours of none.
    """
    named = list(dict.fromkeys(words))
    if config.neighbours and not named:
        raise UsageError("neighbours of which words? name them")
    if config.pairs:
        selection = _pairs(vectors, named, config.pairs)
    elif config.groups:
        selection = _groups(vectors, named, config.groups)
    elif config.neighbours:
        selection = _neighbours(vectors, named, config.neighbours)
    elif named:
        selection = Selection(_ids(vectors, named), f"{len(named)} words")
    else:
        selection = _most_frequent(vectors, config.n)
    if len(selection.ids) < 2:
        raise UsageError("a map needs at least two different words")
    return selection


def _ids(vectors: Vectors, words: Sequence[str]) -> npt.NDArray[np.int64]:
    return np.array([vectors.vocabulary[word] for word in words], np.int64)


def _most_frequent(vectors: Vectors, n: int) -> Selection:
    if vectors.counts is None:
        ids = np.arange(min(n, len(vectors)))
        return Selection(ids, f"the first {len(ids):,} words")
    ids = np.argsort(-vectors.counts, kind="stable")[:n]
    return Selection(ids, f"the {len(ids):,} most frequent words")


def _pairs(vectors: Vectors, named: list[str], pairs: Sequence[tuple[str, str]]) -> Selection:
    words = list(dict.fromkeys([*(word for pair in pairs for word in pair), *named]))
    place = {word: index for index, word in enumerate(words)}
    arrows = [(place[a], place[b]) for a, b in dict.fromkeys(pairs)]
    for a, b in arrows:
        if a == b:
            raise UsageError(f"{words[a]}:{words[a]}: a pair is two different words")
    return Selection(_ids(vectors, words), f"{len(arrows)} pairs of words", pairs=arrows)


def _groups(vectors: Vectors, named: list[str], groups: Mapping[str, Sequence[str]]) -> Selection:
    words = named or list(dict.fromkeys(word for members in groups.values() for word in members))
    place = {word: index for index, word in enumerate(words)}
    classes = {name: [place[word] for word in members if word in place] for name, members in groups.items()}
    classes = {name: members for name, members in classes.items() if members}
    return Selection(_ids(vectors, words), f"{len(words)} words in {len(classes)} groups", classes)


def _neighbours(vectors: Vectors, named: list[str], neighbours: int) -> Selection:
    """Each neighbour goes to the named word that it is nearest to."""
    seeds = _ids(vectors, named)
    unit = unit_rows(vectors.matrix)
    found = nearest_rows(unit, seeds, min(neighbours, len(vectors) - 1))
    others = np.setdiff1d(found, seeds)
    ids = np.concatenate([seeds, others])
    cosines = unit[others] @ unit[seeds].T
    home: list[int] = cosines.argmax(axis=1).tolist()
    classes = {word: [index] for index, word in enumerate(named)}
    for position, seed in enumerate(home, len(seeds)):
        classes[named[seed]].append(position)
    heading = f"{len(named)} words and {neighbours} neighbours of each"
    return Selection(ids, heading, classes, frozenset(range(len(seeds))))
