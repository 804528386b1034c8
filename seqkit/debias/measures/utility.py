"""What else the vectors are good for: similarity and analogies, with intervals, to see what removal cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqkit.debias.measures import weighted
from seqkit.debias.measures.intervals import Figure, bootstrap, mean_figure
from seqkit.errors import DataError

if TYPE_CHECKING:
    from seqkit.embeddings.evaluation import EvaluationSets
    from seqkit.embeddings.vectors import Vectors

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


def utility(vectors: Vectors, tests: EvaluationSets, *, seed: int = 0) -> Utility:
    """The scores of `seqkit.embeddings.evaluation`, with intervals over the items that could be scored.

    Args:
        vectors: the vectors.
        tests: what to score on.
        seed: of the intervals.

    Returns:
        The scores of those files of which enough could be scored: two pairs that differ, or two questions.
    """
    answers = tests.answers(vectors)
    similarity = {stem: _spearman(*answer, seed) for stem, answer in answers.similarity.items()}
    analogies = {stem: _share(hits, seed) for stem, hits in answers.analogies.items()}
    return Utility(
        {stem: figure for stem, figure in similarity.items() if figure is not None},
        {stem: figure for stem, figure in analogies.items() if figure is not None},
    )


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
