"""Before and after a removal of bias: what improved, what can be recovered still, what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seqkit.debias.measures.audit import Audit, measure
from seqkit.debias.measures.intervals import Figure
from seqkit.debias.measures.utility import utility
from seqkit.debias.measures.verdict import Verdict, judge
from seqkit.debias.word_sets import WordSets
from seqkit.embeddings.evaluation import EvaluationSets, default_sets
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import DataError
from seqkit.progress import SILENT, Progress

SCORED = 50_000
"""Analogies are answered among so many of the most frequent words: of 400,000 it would take many minutes."""

_NEUTRAL = {
    "direct_bias": 0.0,
    "indirect_bias": 0.0,
    "relative_norm_distance": 0.0,
    "embedding_coherence": 1.0,
    "negative_sentiment": 0.0,
    "unchanged_analogies": 1.0,
    "recovery.neighbour_correlation": 0.0,
}


@dataclass(frozen=True)
class Change:
    """A figure before and after.

    Args:
        before: before, None where it could not be measured.
        after: after.
        change: after minus before, draw by draw of the same words; None where one is missing.
        neutral: the value of unbiased vectors; None where there is no such value, or vectors of other lengths
            have another.
        distance: the change of the distance from neutral: below 0 the bias is smaller.
    """

    before: Figure | None
    after: Figure | None
    change: Figure | None = None
    neutral: float | None = None
    distance: Figure | None = None

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's types."""
        return {
            name: part.as_json() if isinstance(part, Figure) else part for name, part in vars(self).items()
        }


@dataclass(frozen=True)
class Comparison:
    """Two audits side by side.

    Args:
        before: the audit of the vectors before.
        after: the audit of those after, the most biased words chosen and labelled by those before.
        measures: every figure of either audit.
        utility: every score, "similarity.wordsim353" and "analogies.questions-words".
        verdict: what follows from the intervals.
    """

    before: Audit
    after: Audit
    measures: dict[str, Change]
    utility: dict[str, Change]
    verdict: Verdict

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's types."""
        return {
            "sets": self.before.sets,
            "seed": self.before.seed,
            "measures": {name: change.as_json() for name, change in self.measures.items()},
            "utility": {name: change.as_json() for name, change in self.utility.items()},
            "verdict": self.verdict.as_json(),
            "coverage": self.after.as_json()["coverage"],
            "skipped": self.before.skipped | self.after.skipped,
        }


def compare(
    before: Vectors,
    after: Vectors,
    sets: WordSets,
    *,
    seed: int = 0,
    tests: EvaluationSets | None = None,
    progress: Progress = SILENT,
) -> Comparison:
    """Measures two sets of vectors on the same words, with paired intervals of what changed.

    Args:
        before: the original vectors.
        after: what a method made of them; words that only one set has are left out of both.
        sets: the words.
        seed: of all that is drawn.
        tests: what usefulness is scored on; None for the sets inside gensim. Analogies are answered among
            the 50,000 most frequent words.
        progress: told of each measure.

    Raises:
        DataError: no common words; or as `audit` of the vectors before.
        UnavailableError: this gensim was installed without test sets.
    """
    if tests is None:
        tests = EvaluationSets.read(*default_sets())
    before, after = _common(before, after)
    first, second = (
        measure(vectors, before, sets, seed=seed, progress=progress) for vectors in (before, after)
    )
    measures = _changes(first.flat(), second.flat(), neutral_values(first))
    progress.start("scoring", 2, "sets of vectors")
    scores = []
    for number, vectors in enumerate((before, after), 1):
        scores.append(_scores(vectors, tests, seed))
        progress.update(number)
    progress.finish()
    usefulness = _changes(scores[0], scores[1], {})
    return Comparison(first, second, measures, usefulness, judge(measures, usefulness))


def _common(before: Vectors, after: Vectors) -> tuple[Vectors, Vectors]:
    """Both with the words that both have, in the order of the first."""
    if before.words == after.words:
        return before, after
    words = [word for word in before.words if word in after]
    if not words:
        raise DataError("the two sets of vectors have no word in common")
    first, second = (
        Vectors(words, vectors.matrix[[vectors.vocabulary[word] for word in words]])
        for vectors in (before, after)
    )
    return first, second


def neutral_values(audit: Audit) -> dict[str, float]:
    """What unbiased vectors have, by the name of the figure; measures without such a value are not in it."""
    chance = 1 / max(audit.classes, 1)
    return (
        _NEUTRAL
        | {f"{kind}.{name}": 0.0 for name in audit.weat for kind in ("weat", "weat_difference")}
        | {f"recovery.{name}": chance for name in audit.recovery if name.endswith("accuracy")}
    )


def _changes(
    before: dict[str, Figure], after: dict[str, Figure], neutral: dict[str, float]
) -> dict[str, Change]:
    changes = {}
    for name in dict.fromkeys([*before, *after]):
        first, second, value = before.get(name), after.get(name), neutral.get(name)
        if first is None or second is None:
            changes[name] = Change(first, second, neutral=value)
            continue
        distance = None if value is None else second.change(first, neutral=value)
        changes[name] = Change(first, second, second.change(first), value, distance)
    return changes


def _scores(vectors: Vectors, tests: EvaluationSets, seed: int) -> dict[str, Figure]:
    found = utility(vectors, tests, most_frequent=SCORED, seed=seed)
    return {
        **{f"similarity.{stem}": figure for stem, figure in found.similarity.items()},
        **{f"analogies.{stem}": figure for stem, figure in found.analogies.items()},
    }
