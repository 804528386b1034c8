"""What else the vectors are good for: similarity and analogies, with intervals, to see what removal cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from seqkit.debias.measures import weighted
from seqkit.debias.measures.intervals import Figure, bootstrap, mean_figure
from seqkit.embeddings.evaluation import EvaluationSets
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import DataError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Utility:
    """Scores on test sets of words.

    Args:
        similarity: Spearman's correlation with human judgements, by the stem of the file.
        analogies: the share answered right, by the stem of the file.
    """

    similarity: dict[str, Figure]
    analogies: dict[str, Figure]

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's types."""
        return {
            kind: {stem: figure.as_json() for stem, figure in getattr(self, kind).items()}
            for kind in ("similarity", "analogies")
        }


def utility(
    vectors: Vectors, tests: EvaluationSets, *, most_frequent: int | None = None, seed: int = 0
) -> Utility:
    """The scores of `seqkit.embeddings.evaluation`, with intervals over the items that could be scored.

    Args:
        vectors: the vectors.
        tests: what to score on.
        most_frequent: analogies are asked and answered among so many words, the most frequent; None for all.
        seed: of the intervals.

    Returns:
        The scores of those files of which enough could be scored: two pairs that differ, or two questions.
    """
    frequent = list(range(min(most_frequent or len(vectors), len(vectors))))
    pairs = _part(vectors, _rows_of_pairs(vectors, tests))
    judged = EvaluationSets(tests.pairs, {}).answers(pairs).similarity if pairs else {}
    solved = EvaluationSets({}, tests.questions).answers(_part(vectors, frequent) or vectors).analogies
    similarity = {stem: _spearman(*answer, seed) for stem, answer in judged.items()}
    analogies = {stem: _share(hits, seed) for stem, hits in solved.items()}
    return Utility(
        {stem: figure for stem, figure in similarity.items() if figure is not None},
        {stem: figure for stem, figure in analogies.items() if figure is not None},
    )


def _rows_of_pairs(vectors: Vectors, tests: EvaluationSets) -> list[int]:
    """The rows of words that are compared, in any case: of a large matrix nothing else is worth a copy."""
    asked = {word.upper() for rows in tests.pairs.values() for pair in rows for word in pair[:2]}
    return [row for row, word in enumerate(vectors.words) if word.upper() in asked]


def _part(vectors: Vectors, rows: list[int]) -> Vectors | None:
    if len(rows) == len(vectors):
        return vectors
    return Vectors([vectors.words[row] for row in rows], vectors.matrix[rows]) if rows else None


def _spearman(human: Array, cosines: Array, seed: int) -> Figure | None:
    if len(human) < 2:
        return None

    def statistic(weights: Array) -> Array:
        one, other = (weighted.ranks(weights, values) for values in (human, cosines))
        return weighted.correlation(weights, one, other)

    try:
        return bootstrap(statistic, len(human), seed=seed)
    except DataError:  # the correlation of a constant
        return None


def _share(hits: npt.NDArray[np.bool_], seed: int) -> Figure | None:
    if len(hits) < 2:
        return None
    return mean_figure(hits.astype(np.float64), seed=seed)
