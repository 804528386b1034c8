"""What soft debiasing trades: for several strengths λ, the bias that is left and the usefulness kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqkit.debias.directions import bias_subspace
from seqkit.debias.measures.direct import direct_bias
from seqkit.debias.measures.intervals import Figure
from seqkit.debias.measures.utility import utility
from seqkit.debias.removal import apply
from seqkit.debias.word_sets import WordSets
from seqkit.embeddings.evaluation import EvaluationSets, default_sets
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import DataError
from seqkit.progress import SILENT, Progress

STRENGTHS = (0.0, 1.0, 4.0, 16.0, 64.0, 256.0)
FREQUENT = 20_000


@dataclass(frozen=True)
class TradeOff:
    """What `soft` reaches at each strength.

    Args:
        strengths: λ, as in `SoftConfig`.
        bias: the direct bias that is left.
        similarity: Spearman's correlation with human judgements; empty where no test set has enough words.
        test_set: whose judgements.
        words: how many words were looked at.
    """

    strengths: tuple[float, ...]
    bias: tuple[Figure, ...]
    similarity: tuple[Figure, ...]
    test_set: str
    words: int


def trade_off(
    vectors: Vectors,
    sets: WordSets,
    *,
    strengths: Sequence[float] = STRENGTHS,
    most_frequent: int = FREQUENT,
    tests: EvaluationSets | None = None,
    seed: int = 0,
    progress: Progress = SILENT,
) -> TradeOff:
    """Removes a bias softly, with one strength after another.

    Args:
        vectors: what to remove it from; so many of the most frequent words and those of the sets, which tell
            the same in a fraction of the time.
        sets: the words of the bias.
        strengths: λ, from 0.
        most_frequent: how many.
        tests: of similarity; None for those inside gensim. Taken is the first of which half of the pairs are
            known, or the one with most known pairs.
        seed: of the intervals.
        progress: told of each strength.

    Raises:
        DataError: fewer than two pairs are in the vocabulary, or fewer than two neutral words.
    """
    part = _part(vectors, sets, most_frequent)
    known = sets.known_to(part)
    if not known.pairs:
        raise DataError(f"the word sets {sets.name!r} have no pairs in the vocabulary")
    subspace = bias_subspace(part, known.pairs)
    neutral = known.neutral or known.professions
    tests = _one(tests or EvaluationSets.read(default_sets()[0], []), part)
    progress.start("trade-off", len(strengths), "strengths")
    bias: list[Figure] = []
    scores: list[Figure] = []
    for number, strength in enumerate(strengths, 1):
        done = apply(part, sets, "soft", strength=strength, subspace=subspace).vectors
        bias.append(direct_bias(done, neutral, subspace.basis, seed=seed))
        scores += utility(done, tests, seed=seed).similarity.values()
        progress.update(number)
    progress.finish()
    similarity = tuple(scores) if len(scores) == len(strengths) else ()
    return TradeOff(tuple(strengths), tuple(bias), similarity, next(iter(tests.pairs), ""), len(part))


def _one(tests: EvaluationSets, vectors: Vectors) -> EvaluationSets:
    """The test set of similarity by which usefulness is told."""
    words = {word.upper() for word in vectors.words}
    known = {
        stem: sum(word.upper() in words and other.upper() in words for word, other, _ in rows)
        for stem, rows in tests.pairs.items()
    }
    covered = (stem for stem, number in known.items() if number >= len(tests.pairs[stem]) / 2)
    chosen = next(covered, max(known, key=known.__getitem__, default=None))
    return EvaluationSets({} if chosen is None else {chosen: tests.pairs[chosen]}, {})


def _part(vectors: Vectors, sets: WordSets, most_frequent: int) -> Vectors:
    """The most frequent words and those of the sets, in their order."""
    if len(vectors) <= most_frequent:
        return vectors
    known = sets.known_to(vectors)
    asked = {*known.protected, *known.neutral, *known.professions}
    rows = sorted({*range(most_frequent), *(vectors.vocabulary[word] for word in asked if word in vectors)})
    return Vectors([vectors.words[row] for row in rows], np.asarray(vectors.matrix[rows]))
