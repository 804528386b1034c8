"""Biased analogies: what is to she as x is to he, with and without forbidding the obvious answer?

Pairs are generated as in Bolukbasi et al. 2016, "Man is to Computer Programmer as Woman is to Homemaker?"
(arXiv:1607.06520). Analogies are completed both ways because of Nissim, van Noord and van der Goot 2020,
"Fair is Better than Sensational: Man is to Doctor as Woman is to Doctor" (Computational Linguistics 46:2,
arXiv:1905.09866): the usual method cannot answer with a word of the question, which is often the nearest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqkit.debias.measures.intervals import Figure, mean_figure
from seqkit.debias.measures.lookup import frequent_words, known_words, unit_rows_of
from seqkit.embeddings.neighbours import unit_rows
from seqkit.errors import DataError, UsageError

if TYPE_CHECKING:
    from seqkit.embeddings.vectors import Vectors

Matrix = npt.NDArray[np.float32]
Pair = tuple[str, str]

_SCORES = 1 << 23
"""Scores held at a time: 32 MB."""
_NO_DISTANCE = 1e-6
"""Squared distances of unit vectors below this are rounding."""


@dataclass(frozen=True)
class AnalogyPair:
    """A pair that is like the relation.

    Args:
        x: as `a` of the relation.
        y: as `b`.
        score: cosine of the differences, up to 1.
    """

    x: str
    y: str
    score: float


@dataclass(frozen=True)
class Completion:
    """The answer to "a is to word as b is to …".

    Args:
        word: of the question.
        restricted: the nearest word that is not in the question.
        unrestricted: the nearest word of all.
    """

    word: str
    restricted: str
    unrestricted: str


@dataclass(frozen=True)
class Completions:
    """Analogies completed for many words.

    Args:
        answers: for each word.
        unchanged: the share of words that are their own unrestricted answer: a doctor stays a doctor.
    """

    answers: tuple[Completion, ...]
    unchanged: Figure

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's types."""
        return {
            "answers": [vars(answer) for answer in self.answers],
            "unchanged": self.unchanged.as_json(),
        }


def analogy_pairs(
    vectors: Vectors,
    relation: Pair = ("he", "she"),
    *,
    candidates: Sequence[str] | None = None,
    delta: float = 1.0,
    n: int = 150,
) -> list[AnalogyPair]:
    """The pairs of words that differ most as two given words do.

        S_(a,b)(x, y) = cos(a - b, x - y)  if ‖x - y‖ <= δ, else 0,   on unit vectors

    Each x is in one pair only, its best, as in the paper. Whether a pair is biased or right by definition is
    for people to say; the paper asked ten.

    Source: Bolukbasi et al. 2016, on analogies that exhibit stereotypes.

    Args:
        vectors: the vectors.
        relation: a and b.
        candidates: the words to pair; None for the words of letters among the 10,000 most frequent.
        delta: δ, above 0; 1 is the distance of two unit vectors at a cosine of 1/2.
        n: how many pairs, at least 1.

    Returns:
        Best first, those with a score above 0.

    Raises:
        DataError: a word of the relation is missing, or both have one vector; fewer than two candidates.
        UsageError: delta or n out of range.
    """
    if not delta > 0 or n < 1:
        raise UsageError(f"delta is {delta} and n is {n}; delta must be above 0 and n at least 1")
    direction = _relation(vectors, relation)
    words = known_words(
        vectors, frequent_words(vectors, 10_000) if candidates is None else candidates, "candidates", least=2
    )
    unit = unit_rows(vectors.matrix[[vectors.vocabulary[word] for word in words]])
    along = unit @ (direction / np.linalg.norm(direction))
    best, scores = np.empty(len(words), np.int64), np.empty(len(words), np.float32)
    block = max(1, _SCORES // len(words))
    for start in range(0, len(words), block):
        part = slice(start, start + block)
        squares = 2 - 2 * (unit[part] @ unit.T)  # ‖x - y‖²
        near = (squares <= delta**2) & (squares > _NO_DISTANCE)
        found = (along[part, None] - along) / np.sqrt(np.where(near, squares, np.inf))
        best[part] = found.argmax(axis=1)
        scores[part] = found.max(axis=1)
    order = [x for x in np.argsort(-scores, kind="stable").tolist() if scores[x] > 0]
    return [AnalogyPair(words[x], words[best[x]], float(scores[x])) for x in order[:n]]


def complete_analogies(
    vectors: Vectors,
    words: Sequence[str],
    relation: Pair = ("he", "she"),
    *,
    most_frequent: int = 50_000,
    seed: int = 0,
) -> Completions:
    """Answers "a is to word as b is to …" for many words, as 3CosAdd does, and without its restriction.

        answer = argmax_v cos(v, word - a + b),   on unit vectors; restricted: v not in {word, a, b}

    A restricted answer alone proves nothing: it must differ from the word, whatever the vectors hold.

    Source: Nissim et al. 2020, on the constraint of the method; 3CosAdd: Mikolov et al. 2013.

    Args:
        vectors: the vectors.
        words: professions, for instance; at least two with a vector.
        relation: a and b.
        most_frequent: answers are among so many words of the vocabulary, and those of the questions.
        seed: of the interval.

    Raises:
        DataError: too few words, in the list or at all; a word of the relation is missing, or both have one
            vector.
        UsageError: most_frequent below 1.
    """
    if most_frequent < 1:
        raise UsageError(f"most_frequent is {most_frequent}; it must be at least 1")
    known = known_words(vectors, words, "words", least=2)
    direction = _relation(vectors, relation)
    asked = [vectors.vocabulary[word] for word in known]
    given = [vectors.vocabulary[word] for word in relation]
    ids = np.unique(np.concatenate([np.arange(min(most_frequent, len(vectors))), asked, given]))
    if len(ids) < 4:
        raise DataError(f"{len(ids)} words to answer with; where three are forbidden, at least 4 are needed")
    unit = unit_rows(vectors.matrix[ids])
    at = np.searchsorted(ids, asked)
    forbidden = np.column_stack([at, np.broadcast_to(np.searchsorted(ids, given), (len(at), 2))])
    answers = np.empty((2, len(at)), np.int64)
    block = max(1, _SCORES // len(ids))
    for start in range(0, len(at), block):
        part = slice(start, start + block)
        scores = (unit[at[part]] - direction) @ unit.T
        answers[0, part] = scores.argmax(axis=1)
        np.put_along_axis(scores, forbidden[part], -np.inf, axis=1)
        answers[1, part] = scores.argmax(axis=1)
    free, bound = ([vectors.words[row] for row in ids[found].tolist()] for found in answers)
    same = np.array([answer == word for answer, word in zip(free, known, strict=True)], np.float64)
    return Completions(
        tuple(map(Completion, known, bound, free)),
        mean_figure(same, seed=seed),
    )


def _relation(vectors: Vectors, relation: Pair) -> Matrix:
    """a - b, of unit vectors."""
    a, b = unit_rows_of(vectors, relation, "relation", least=2)
    if np.array_equal(a, b):
        raise DataError(f"relation: {relation[0]!r} and {relation[1]!r} have the same direction")
    difference: Matrix = (a - b).astype(np.float32)
    return difference
