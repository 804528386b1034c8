"""SemBias: which of four pairs of words is most like he and she?

Zhao, Zhou, Li, Wang and Chang 2018, "Learning Gender-Neutral Word Embeddings" (EMNLP, arXiv:1809.01496), §4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqkit.debias.measures import weighted
from seqkit.debias.measures.intervals import Figure, bootstrap
from seqkit.debias.measures.lookup import unit_rows_of
from seqkit.embeddings.testsets import question_lines
from seqkit.errors import DataError, FormatError, Place

if TYPE_CHECKING:
    from seqkit.embeddings.vectors import Vectors

Array = npt.NDArray[np.float64]
Pair = tuple[str, str]

HELD_OUT = (("rake", "coquette"), ("nobleman", "noblewoman"))
"""The definitional pairs that GN-GloVe was not trained with; their 40 lines are the subset."""


@dataclass(frozen=True)
class SemBiasLine:
    """One question: four pairs, of which the first is right.

    Args:
        definition: differs in gender by definition, ("waiter", "waitress").
        neither: two pairs that do not.
        stereotype: differs in gender by stereotype, ("doctor", "nurse").
    """

    definition: Pair
    neither: tuple[Pair, Pair]
    stereotype: Pair

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The four, the definition first, the stereotype last."""
        return (self.definition, *self.neither, self.stereotype)


@dataclass(frozen=True)
class SemBias:
    """Shares of lines by the kind of pair that is most like the relation.

    Args:
        definition: the higher the better.
        stereotype: the bias.
        neither: no gender seen.
        lines: how many lines were asked.
        missing: how many have a word without a vector.
    """

    definition: Figure
    stereotype: Figure
    neither: Figure
    lines: int
    missing: int

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's types."""
        figures = {name: getattr(self, name).as_json() for name in ("definition", "stereotype", "neither")}
        return {**vars(self), **figures}


def read_sembias(path: Place) -> list[SemBiasLine]:
    """Reads lines of four pairs, separated by tabs: the definition, two that are neither, the stereotype.

    Args:
        path: a file of lines `waiter:waitress TAB cup:lid TAB pen:pencil TAB doctor:nurse`.

    Returns:
        In the file's order.

    Raises:
        FormatError: names the first line that is something else.
        MissingInputError: there is no such file.
        StorageError: the system refused.
    """
    lines = []
    for number, line in question_lines(path):
        if not line.strip():
            continue
        pairs = [tuple(word.strip() for word in field.split(":")) for field in line.split("\t")]
        if len(pairs) != 4 or not all(len(pair) == 2 and all(pair) for pair in pairs):
            reason = f"expected four pairs `word:word` separated by tabs, not {line[:80]!r}"
            raise FormatError(reason, path=path, line=number)
        first, second, third, fourth = ((pair[0], pair[1]) for pair in pairs)
        lines.append(SemBiasLine(first, (second, third), fourth))
    if not lines:
        raise FormatError("no lines in the file", path=path)
    return lines


def held_out(lines: Sequence[SemBiasLine]) -> list[SemBiasLine]:
    """The 40-line subset: lines with a definition from `HELD_OUT`."""
    return [line for line in lines if line.definition in HELD_OUT]


def sembias(
    vectors: Vectors, lines: Sequence[SemBiasLine], *, relation: Pair = ("he", "she"), seed: int = 0
) -> SemBias:
    """How often each kind of pair is the most like a relation.

        answer = argmax_{(a, b)} cos(he - she, a - b),   on unit vectors

    Lines are combinations of a few definitions with a few stereotypes, so they do not vary independently: the
    interval draws definitions and stereotypes, each with replacement, and a line counts as often as both were
    drawn (the pigeonhole bootstrap, Owen 2007).

    Source: Zhao et al. 2018, §4.

    Args:
        vectors: the vectors.
        lines: from `read_sembias`.
        relation: two words, in the order of the pairs' words.
        seed: of the interval.

    Returns:
        Three shares that sum to 1; vectors that know nothing of the relation choose 1/4, 1/4 and 1/2.

    Raises:
        DataError: no line has vectors for all its words; a word of the relation is missing, or both have
            one vector.
    """
    asked = [line for line in lines if all(word in vectors for pair in line.pairs for word in pair)]
    if not asked:
        raise DataError(f"SemBias: none of {len(lines)} lines has vectors for all its words; one must")
    he, she = unit_rows_of(vectors, relation, "relation", least=2)
    if np.array_equal(he, she):
        raise DataError(f"SemBias: {relation[0]!r} and {relation[1]!r} have the same direction; no relation")
    answers = _answers(vectors, asked, he - she)
    definitions, stereotypes = (
        np.unique([":".join(getattr(line, kind)) for line in asked], return_inverse=True)
        for kind in ("definition", "stereotype")
    )

    def share(*kinds: int) -> Figure:
        chosen = np.isin(answers, kinds).astype(np.float64)

        def statistic(weights: Array, others: Array) -> Array:
            return weighted.mean(weights[:, definitions[1]] * others[:, stereotypes[1]], chosen)

        return bootstrap(statistic, len(definitions[0]), len(stereotypes[0]), seed=seed)

    return SemBias(share(0), share(3), share(1, 2), len(asked), len(lines) - len(asked))


def _answers(vectors: Vectors, lines: Sequence[SemBiasLine], relation: Array) -> npt.NDArray[np.int64]:
    """The number of the pair chosen for each line; equals go to the first."""
    words = list(dict.fromkeys(word for line in lines for pair in line.pairs for word in pair))
    unit = unit_rows_of(vectors, words, "SemBias")
    at = {word: number for number, word in enumerate(words)}
    ids = np.array([[[at[word] for word in pair] for pair in line.pairs] for line in lines])  # (lines, 4, 2)
    differences = unit[ids[:, :, 0]] - unit[ids[:, :, 1]]
    lengths = np.linalg.norm(differences, axis=2)
    # A pair of equal vectors has no direction, and is like nothing.
    cosines = differences @ relation / np.where(lengths > 0, lengths, np.inf)
    chosen: npt.NDArray[np.int64] = cosines.argmax(axis=1)
    return chosen
