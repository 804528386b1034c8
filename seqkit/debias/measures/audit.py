"""An audit: every measure that a file of word sets has words for, on one set of vectors."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqkit.debias._sets_file import WEAT_KEYS
from seqkit.debias.directions import MIN_TUPLES, Subspace, bias_subspace
from seqkit.debias.measures.analogies import complete_analogies
from seqkit.debias.measures.corrections import holm
from seqkit.debias.measures.direct import direct_bias, indirect_bias
from seqkit.debias.measures.ect import embedding_coherence
from seqkit.debias.measures.intervals import Figure
from seqkit.debias.measures.lookup import frequent_words
from seqkit.debias.measures.mac import mean_average_cosine
from seqkit.debias.measures.recovery import (
    MostBiased,
    classifier_accuracy,
    cluster_accuracy,
    most_biased,
    neighbour_correlation,
)
from seqkit.debias.measures.ripa import ripa
from seqkit.debias.measures.rnd import relative_norm_distance
from seqkit.debias.measures.rnsb import negative_sentiment
from seqkit.debias.measures.weat import Association, weat
from seqkit.debias.word_sets import Coverage, WordSets, coverage
from seqkit.errors import DataError
from seqkit.progress import SILENT, Progress

if TYPE_CHECKING:
    from seqkit.embeddings.vectors import Vectors

Array = npt.NDArray[np.float64]

CANDIDATES = 50_000
"""The most biased words, and neighbours, are among so many of the most frequent (Gonen and Goldberg 2019)."""
CLUSTERED, CLASSIFIED = 500, 2_500
"""Words of each class, at most (Gonen and Goldberg 2019)."""
NEIGHBOURS = 100
"""Of each profession, at most (Gonen and Goldberg 2019); at most a tenth of the candidates."""

FIGURES = (
    "direct_bias",
    "indirect_bias",
    "relative_norm_distance",
    "embedding_coherence",
    "mean_average_cosine",
    "ripa",
    "negative_sentiment",
    "unchanged_analogies",
)
RECOVERY = (
    "cluster_accuracy",
    "classifier_accuracy",
    "linear_classifier_accuracy",
    "neighbour_correlation",
)


@dataclass(frozen=True)
class Audit:
    """What the measures say of one set of vectors.

    Args:
        sets: the name of the word sets.
        seed: of all that is drawn.
        classes: how many sides the bias has; 0 where the sets have no definitional tuples.
        figures: by name, of `FIGURES`.
        weat: by name of the test.
        corrected: by name of the test, its p corrected by Holm for all tests of the audit.
        recovery: by name, of `RECOVERY`.
        coverage: how much of each list the vectors know.
        skipped: why a measure is not there, by its name.
    """

    sets: str
    seed: int
    classes: int
    figures: dict[str, Figure] = field(default_factory=dict)
    weat: dict[str, Association] = field(default_factory=dict)
    corrected: dict[str, Figure] = field(default_factory=dict)
    recovery: dict[str, Figure] = field(default_factory=dict)
    coverage: dict[str, Coverage] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def flat(self) -> dict[str, Figure]:
        """All figures by one name: "direct_bias", "weat.career", "recovery.cluster_accuracy".

        A test has two, its effect size and "weat_difference.career".
        """
        return {
            **self.figures,
            **{f"weat.{name}": test.effect_size for name, test in self.weat.items()},
            **{f"weat_difference.{name}": test.difference for name, test in self.weat.items()},
            **{f"recovery.{name}": figure for name, figure in self.recovery.items()},
        }

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's types; null for a measure that was skipped."""
        return {
            "sets": self.sets,
            "seed": self.seed,
            **{name: _json(self.figures.get(name)) for name in FIGURES},
            "weat": {
                name: {**test.as_json(), "p_corrected": self.corrected[name].as_json()}
                for name, test in self.weat.items()
            },
            "recovery": {name: _json(self.recovery.get(name)) for name in RECOVERY},
            "coverage": {name: vars(part) for name, part in self.coverage.items()},
            "skipped": self.skipped,
        }


def audit(
    vectors: Vectors,
    sets: WordSets,
    *,
    seed: int = 0,
    reference: Vectors | None = None,
    progress: Progress = SILENT,
) -> Audit:
    """Measures the bias of vectors by all that the word sets allow.

    Words that should be neutral are `sets.neutral`, or the professions. The groups of RND, ECT and MAC are
    the sides of the definitional pairs; RND, ECT, RIPA and analogies need two of them. What the words do not
    suffice for is skipped, with a reason.

    Args:
        vectors: what to audit.
        sets: the words; spelled as the vectors spell them (`WordSets.known_to`).
        seed: of all that is drawn.
        reference: the vectors before the bias was removed, by which the most biased words are chosen and
            labelled, and along whose bias direction direct and indirect bias are measured (along the vectors'
            own, if they have another size); None for the vectors themselves.
        progress: told of each measure.

    Raises:
        DataError: the definitional tuples give no direction; or nothing at all can be measured.
    """
    original = vectors if reference is None else reference
    return measure(vectors, original, sets, seed=seed, progress=progress)


def measure(
    vectors: Vectors, original: Vectors, sets: WordSets, *, seed: int, progress: Progress = SILENT
) -> Audit:
    """As `audit`, of words that both have."""
    both = _Both(vectors, original)
    known = sets.known_to(both)
    subspace = _subspace(original, sets, known, both)
    work = _Work(vectors, original, sets, known, subspace, seed, progress)
    asked = [name for name in FIGURES if name != "negative_sentiment" or sets.positive or sets.negative]
    progress.start("measuring", len(known.weat) + len(asked) + len(RECOVERY), "measures")
    result = Audit(
        sets.name, seed, 0 if subspace is None else len(subspace.classes), coverage=coverage(sets, vectors)
    )
    for name in known.weat:
        work.attempt(result.weat, name, lambda name=name: work.weat(name), "weat.")  # type: ignore[misc]
    for name in asked:
        work.attempt(result.figures, name, getattr(work, name))
    for name in RECOVERY:
        work.attempt(result.recovery, name, getattr(work, name), "recovery.")
    progress.finish()
    if not result.flat():
        raise DataError(f"the word sets {sets.name!r} measure nothing: {next(iter(work.skipped.values()))}")
    result.corrected.update(_holm(result.weat))
    result.skipped.update(work.skipped)
    return result


def _subspace(original: Vectors, sets: WordSets, known: WordSets, both: _Both) -> Subspace | None:
    """The bias subspace of the original vectors; None where the sets have no definitional tuples."""
    if not sets.pairs:
        return None
    if len(known.pairs) < MIN_TUPLES:
        missing = coverage(sets, both)["pairs"].missing[:5]
        raise DataError(
            f"{len(known.pairs)} of {len(sets.pairs)} definitional tuples of {sets.name!r} are in the "
            f"vocabulary, a direction needs {MIN_TUPLES} at least"
            + (f"; not in it: {', '.join(missing)}" if missing else "")
        )
    return bias_subspace(original, known.pairs)


class _Both:
    """The words that two sets of vectors share."""

    def __init__(self, first: Container[str], second: Container[str]) -> None:
        self._parts = (first, second)

    def __contains__(self, word: object) -> bool:
        return all(word in part for part in self._parts)


@dataclass
class _Work:
    """The measures of one audit, by the names that they have in it.

    Args:
        vectors: what is measured.
        original: before the bias was removed.
        given: the words.
        sets: those of them that both have.
        subspace: of the original; None where there are no definitional tuples.
        seed: of all that is drawn.
        progress: told of each measure.
        skipped: reasons, by the full name of the measure.
    """

    vectors: Vectors
    original: Vectors
    given: WordSets
    sets: WordSets
    subspace: Subspace | None
    seed: int
    progress: Progress
    skipped: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        protected = {word.lower() for word in self.sets.protected}
        both = _Both(self.vectors, self.original)
        frequent = frequent_words(self.original, CANDIDATES) if self.subspace is not None else []
        self._candidates = [word for word in frequent if word.lower() not in protected and word in both]
        self._chosen: dict[int, MostBiased] = {}
        self._attempts = 0

    def attempt(
        self, results: dict[str, Any], name: str, function: Callable[[], Any], prefix: str = ""
    ) -> None:
        """Puts a result under its name, or the reason why there is none."""
        try:
            results[name] = function()
        except DataError as error:
            self.skipped[prefix + name] = str(error)
        self._attempts += 1
        self.progress.update(self._attempts)

    @property
    def neutral(self) -> tuple[str, ...]:
        """Words that should be neutral."""
        listed = self.given.neutral or self.given.professions
        if not listed:
            raise DataError(f"the word sets {self.given.name!r} list no neutral words and no professions")
        return _enough(self.sets.neutral or self.sets.professions, listed, "neutral words")

    def original_subspace(self) -> Subspace:
        if self.subspace is None:
            raise DataError(f"the word sets {self.sets.name!r} have no definitional tuples")
        return self.subspace

    def basis(self) -> Array:
        """The bias direction, (k, vector_size)."""
        subspace = self.original_subspace()
        if subspace.basis.shape[1] == self.vectors.vector_size:
            return subspace.basis
        return bias_subspace(self.vectors, subspace.tuples).basis

    def sides(self, number: int | None = None) -> list[list[str]]:
        """The words of each class; with a number, it must be that of the classes."""
        tuples = self.original_subspace().tuples
        if number is not None and len(tuples[0]) != number:
            raise DataError(f"needs {number} classes; the tuples of {self.sets.name!r} have {len(tuples[0])}")
        return [list(side) for side in zip(*tuples, strict=True)]

    def chosen(self, per_class: int) -> MostBiased:
        """The most biased words, by the original vectors."""
        if per_class not in self._chosen:
            axes = self.original_subspace().classes
            self._chosen[per_class] = most_biased(self.original, self._candidates, axes, per_class)
        return self._chosen[per_class]

    def direct_bias(self) -> Figure:
        return direct_bias(self.vectors, self.neutral, self.basis(), seed=self.seed)

    def indirect_bias(self) -> Figure:
        return indirect_bias(self.vectors, self.neutral, self.basis(), seed=self.seed)

    def relative_norm_distance(self) -> Figure:
        return relative_norm_distance(self.vectors, self.neutral, *self.sides(2), seed=self.seed)

    def embedding_coherence(self) -> Figure:
        return embedding_coherence(self.vectors, self.neutral, *self.sides(2), seed=self.seed)

    def mean_average_cosine(self) -> Figure:
        targets = [word for side in self.sides() for word in side]
        return mean_average_cosine(self.vectors, targets, [self.neutral], seed=self.seed)

    def ripa(self) -> Figure:
        pairs = list(zip(*self.sides(2), strict=True))
        return ripa(self.vectors, self.neutral, pairs, seed=self.seed).magnitude

    def negative_sentiment(self) -> Figure:
        identities = [word for side in self.sides() for word in side]
        positive = _enough(self.sets.positive, self.given.positive, "positive")
        negative = _enough(self.sets.negative, self.given.negative, "negative")
        return negative_sentiment(self.vectors, identities, positive, negative, seed=self.seed).divergence

    def unchanged_analogies(self) -> Figure:
        relation = [side[0] for side in self.sides(2)]
        completed = complete_analogies(
            self.vectors, self.neutral, (relation[0], relation[1]), most_frequent=CANDIDATES, seed=self.seed
        )
        return completed.unchanged

    def weat(self, name: str) -> Association:
        given, known = self.given.weat[name], self.sets.weat[name]
        lists = [_enough(getattr(known, key), getattr(given, key), key) for key in WEAT_KEYS]
        return weat(self.vectors, *lists, seed=self.seed)

    def cluster_accuracy(self) -> Figure:
        return cluster_accuracy(self.vectors, self.chosen(CLUSTERED), seed=self.seed)

    def classifier_accuracy(self) -> Figure:
        return classifier_accuracy(self.vectors, self.chosen(CLASSIFIED), seed=self.seed)

    def linear_classifier_accuracy(self) -> Figure:
        return classifier_accuracy(self.vectors, self.chosen(CLASSIFIED), linear=True, seed=self.seed)

    def neighbour_correlation(self) -> Figure:
        axes = self.original_subspace().classes
        k = max(1, min(NEIGHBOURS, len(self._candidates) // 10))
        return neighbour_correlation(
            self.vectors, self.original, self.neutral, self._candidates, axes, k=k, seed=self.seed
        )


def _enough(known: tuple[str, ...], listed: Sequence[str], name: str) -> tuple[str, ...]:
    """The words of a list that both vectors have: two at least."""
    if len(known) < 2:
        raise DataError(f"{name}: {len(known)} of {len(listed)} words have a vector, at least 2 must")
    return known


def _holm(tests: dict[str, Association]) -> dict[str, Figure]:
    """p of all tests, corrected; the ends of intervals as if they were the p."""
    ends = ([getattr(test.p, end) for test in tests.values()] for end in ("value", "low", "high"))
    corrected = zip(*map(holm, ends), strict=True)
    return {name: Figure(*figure) for name, figure in zip(tests, corrected, strict=True)}


def _json(figure: Figure | None) -> dict[str, float] | None:
    return None if figure is None else figure.as_json()
