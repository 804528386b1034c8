"""How good word vectors are, by the standard sets: human similarity judgements and analogies.

Similarity: Spearman's rank correlation between the cosine of two words' vectors and the human score.

Analogies: `a` is to `b` as `c` is to the word nearest to b - a + c among all words but these three: 3CosAdd
on unit vectors (Mikolov et al. 2013, "Efficient Estimation of Word Representations in Vector Space").

Both compare words regardless of case; of several spellings the first in the vocabulary counts. The numbers
are those of gensim's `evaluate_word_pairs` and `evaluate_word_analogies`, but gensim ignores words beyond the
300,000 most frequent, leaves out lines that it cannot read and does not count what it skips; it multiplies
the whole matrix for each analogy, where here many share one product.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqkit.embeddings.neighbours import unit_rows
from seqkit.embeddings.testsets import Analogies, read_analogies, read_similarity
from seqkit.errors import Place, UnavailableError, UsageError

if TYPE_CHECKING:
    from seqkit.embeddings.vectors import Vectors

_SCORES = 1 << 24
"""Similarities held at a time: 64 MB."""


def default_sets() -> tuple[list[Path], list[Path]]:
    """The test sets that come inside gensim.

    Returns:
        Similarity files (WordSim-353, SimLex-999) and analogy files (questions-words).

    Raises:
        UnavailableError: this gensim was installed without them.
    """
    # Found without importing gensim, which takes a second.
    found = importlib.util.find_spec("gensim")
    places = found.submodule_search_locations if found else None
    folder = Path(*list(places or [])[:1]) / "test" / "test_data"
    similarity = [folder / "wordsim353.tsv", folder / "simlex999.txt"]
    analogies = [folder / "questions-words.txt"]
    for path in [*similarity, *analogies]:
        if not path.is_file():
            raise UnavailableError(f"{path}: gensim's test sets are not installed; name a file of your own")
    return similarity, analogies


def evaluate(
    vectors: Vectors,
    *,
    similarity: Place | Sequence[Place] | None = None,
    analogies: Place | Sequence[Place] | None = None,
) -> dict[str, dict[str, Any]]:
    """Scores vectors on test sets.

    Args:
        vectors: what to score.
        similarity: files of `word TAB word TAB score`, or one.
        analogies: files in the format of questions-words, or one. If neither is given: the sets inside
            gensim.

    Returns:
        ``{"similarity": {stem: {"spearman", "pairs", "missing"}},
        "analogies": {stem: {"accuracy", "questions", "missing", "sections": {name: {the same three}}}}}``.
        `pairs` and `questions` were scored, `missing` have a word outside the vocabulary; together they are
        the file's total. `spearman` and `accuracy` are None where nothing could be scored.

    Raises:
        FormatError: a file that breaks its format.
        MissingInputError: a file that is not there.
        UsageError: two files with the same stem.
    """
    if similarity is None and analogies is None:
        similarity, analogies = default_sets()
    # All files are read before the first is scored, so that a bad one is not found after minutes.
    return EvaluationSets.read(similarity or [], analogies or []).score(vectors)


@dataclass(frozen=True)
class EvaluationSets:
    """Test sets in memory, to score vectors on more than once.

    Args:
        pairs: of each similarity file, by stem.
        questions: of each analogy file, by stem.
    """

    pairs: dict[str, list[tuple[str, str, float]]]
    questions: dict[str, Analogies]

    @classmethod
    def read(cls, similarity: Place | Sequence[Place], analogies: Place | Sequence[Place]) -> EvaluationSets:
        """Reads files, as `evaluate` takes them, with the same errors."""
        return cls(
            {stem: read_similarity(path) for stem, path in _by_stem(similarity).items()},
            {stem: read_analogies(path) for stem, path in _by_stem(analogies).items()},
        )

    def score(self, vectors: Vectors) -> dict[str, dict[str, Any]]:
        """The scores of vectors, as `evaluate` returns them."""
        words = _Words.of(vectors)
        return {
            "similarity": {stem: _score_similarity(words, rows) for stem, rows in self.pairs.items()},
            "analogies": {
                stem: _score_analogies(words, sections) for stem, sections in self.questions.items()
            },
        }

    def answers(self, vectors: Vectors) -> Answers:
        """What lies behind the scores, item by item; items with an unknown word are left out."""
        words = _Words.of(vectors)
        return Answers(
            {stem: _judgements(words, rows) for stem, rows in self.pairs.items()},
            {
                stem: _solve(words, [ids for rows in _known(words, sections).values() for ids in rows])
                for stem, sections in self.questions.items()
            },
        )


@dataclass(frozen=True)
class Answers:
    """What vectors answer to each item of test sets, in the order of the files.

    Args:
        similarity: by stem, the human scores and the cosines of the pairs, (pairs,) each.
        analogies: by stem, whether each question is answered with the right word, (questions,).
    """

    similarity: dict[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]
    analogies: dict[str, npt.NDArray[np.bool_]]


def _by_stem(places: Place | Sequence[Place]) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for path in map(Path, [places] if isinstance(places, str | os.PathLike) else places):
        if path.stem in files:
            raise UsageError(
                f"{files[path.stem]} and {path} have the same name, and results go by it; rename one"
            )
        files[path.stem] = path
    return files


@dataclass(frozen=True)
class _Words:
    """Unit vectors, and the ids of words whatever their case.

    Args:
        unit: (vocabulary, vector_size); zero vectors stay zero.
        first: upper-cased word to the id of its first spelling.
        spellings: that id to the ids of all spellings, where there are several.
    """

    unit: npt.NDArray[np.float32]
    first: dict[str, int]
    spellings: dict[int, list[int]]

    @classmethod
    def of(cls, vectors: Vectors) -> _Words:
        first: dict[str, int] = {}
        spellings: dict[int, list[int]] = {}
        for index, word in enumerate(vectors.words):
            earlier = first.setdefault(word.upper(), index)
            if earlier != index:
                spellings.setdefault(earlier, [earlier]).append(index)
        return cls(unit_rows(vectors.matrix), first, spellings)

    def ids(self, words: Sequence[str]) -> list[int] | None:
        """Their ids; None where one is unknown."""
        found = [self.first.get(word.upper(), -1) for word in words]
        return None if -1 in found else found


def _score_similarity(words: _Words, rows: list[tuple[str, str, float]]) -> dict[str, Any]:
    human, cosines = _judgements(words, rows)
    return {
        "spearman": _spearman(human, cosines),
        "pairs": len(human),
        "missing": len(rows) - len(human),
    }


def _judgements(
    words: _Words, rows: list[tuple[str, str, float]]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Human scores and cosines of the pairs whose words are known."""
    scored = [(ids, score) for first, second, score in rows if (ids := words.ids([first, second]))]
    pairs = np.array([ids for ids, _ in scored], np.int64).reshape(-1, 2)
    cosines = np.einsum("ij,ij->i", words.unit[pairs[:, 0]], words.unit[pairs[:, 1]])
    same = (pairs[:, 0] == pairs[:, 1]) & (cosines != 0)  # 1, whatever rounding makes of it
    return np.array([score for _, score in scored]), np.where(same, 1.0, cosines.astype(np.float64))


def _spearman(human: npt.NDArray[np.float64], cosines: npt.NDArray[np.float64]) -> float | None:
    from scipy.stats import spearmanr

    # The correlation of a constant is not defined.
    if len(human) < 2 or np.ptp(human) == 0 or np.ptp(cosines) == 0:
        return None
    return float(spearmanr(human, cosines).statistic)


def _score_analogies(words: _Words, sections: Analogies) -> dict[str, Any]:
    known = _known(words, sections)
    correct = _solve(words, [ids for rows in known.values() for ids in rows])
    result: dict[str, Any] = {}
    start = 0
    for name, rows in known.items():
        hits = correct[start : start + len(rows)]
        start += len(rows)
        result[name] = _accuracy(hits, len(sections[name]))
    total = sum(len(rows) for rows in sections.values())
    return {**_accuracy(correct, total), "sections": result}


def _known(words: _Words, sections: Analogies) -> dict[str, list[list[int]]]:
    """The ids of the questions whose words are known, by section."""
    return {name: [ids for row in rows if (ids := words.ids(row))] for name, rows in sections.items()}


def _accuracy(hits: npt.NDArray[np.bool_], total: int) -> dict[str, Any]:
    accuracy = float(hits.mean()) if len(hits) else None
    return {"accuracy": accuracy, "questions": len(hits), "missing": total - len(hits)}


def _solve(words: _Words, questions: list[list[int]]) -> npt.NDArray[np.bool_]:
    """Which questions are answered with the right word, whatever its case.

    Args:
        words: the vectors.
        questions: ids of a, b, c and the answer.
    """
    correct = np.zeros(len(questions), np.bool_)
    batch = max(1, _SCORES // len(words.unit))
    for start in range(0, len(questions), batch):
        ids = np.array(questions[start : start + batch])  # (batch, 4)
        a, b, c = (words.unit[ids[:, column]] for column in range(3))
        scores = (b - a + c) @ words.unit.T  # (batch, vocabulary)
        scores[np.arange(len(ids))[:, None], ids[:, :3]] = -np.inf
        for row, given in enumerate(ids[:, :3].tolist() if words.spellings else []):
            for word in given:
                scores[row, words.spellings.get(word, word)] = -np.inf
        best = scores.argmax(axis=1)
        correct[start : start + batch] = best == ids[:, 3]
        for row, answer in enumerate(ids[:, 3].tolist() if words.spellings else []):
            correct[start + row] = best[row] in words.spellings.get(answer, [answer])
    return correct
