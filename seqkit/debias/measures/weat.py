"""The word embedding association test, and its form for single words.

Caliskan, Bryson and Narayanan 2017, "Semantics derived automatically from language corpora contain human-like
biases" (Science 356, arXiv:1608.07187), Methods: WEAT and WEFAT, which later papers call SC-WEAT.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqkit.debias.measures import weighted
from seqkit.debias.measures.intervals import Figure, bootstrap, exactly
from seqkit.debias.measures.lookup import known_words, unit_rows_of
from seqkit.debias.measures.permutation import permutation_test
from seqkit.errors import DataError

if TYPE_CHECKING:
    from seqkit.embeddings.vectors import Vectors

Array = npt.NDArray[np.float64]

_EQUAL = 1e-6
"""Associations of less spread differ by the rounding of float32 vectors only, and not at all in truth."""


@dataclass(frozen=True)
class Association:
    """The outcome of an association test.

    Args:
        statistic: the paper's.
        difference: of the two means, in cosines: what the effect size cannot show, which stays the same when
            all associations shrink alike.
        effect_size: the difference of the two means in standard deviations, -2 to 2 for groups of one size.
        p: how likely a difference at least as large is by chance, one-sided; see `permutation_test`.
        exact: whether all partitions were counted.
        partitions: how many there are, or how many were drawn.
    """

    statistic: float
    difference: Figure
    effect_size: Figure
    p: Figure
    exact: bool
    partitions: int

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's types."""
        return {
            name: part.as_json() if isinstance(part, Figure) else part for name, part in vars(self).items()
        }


def weat(
    vectors: Vectors,
    targets_x: Sequence[str],
    targets_y: Sequence[str],
    attributes_a: Sequence[str],
    attributes_b: Sequence[str],
    *,
    seed: int = 0,
) -> Association:
    """Tests whether x goes with a, and y with b.

        s(w, A, B)       = mean_{a ∈ A} cos(w, a) - mean_{b ∈ B} cos(w, b)
        statistic        = Σ_{x ∈ X} s(x, A, B) - Σ_{y ∈ Y} s(y, A, B)
        effect size      = (mean_{x ∈ X} s(x, A, B) - mean_{y ∈ Y} s(y, A, B)) / std_{w ∈ X ∪ Y} s(w, A, B)
        p                = Pr_i[s(X_i, Y_i, A, B) >= s(X, Y, A, B)]  over partitions of X ∪ Y

    The standard deviation is that of X ∪ Y itself (divided by n, not n - 1), with which the effect size of
    sets of one size is between -2 and 2. The paper's p has > for >=; with >=, which counts the split that is
    there, p is valid and never 0. Words without a vector are left out; partitions keep the sizes that remain.

    Where no two targets differ by more than float32 rounds (after the attributes were made equally near to
    everything, for instance), nothing is associated: effect size 0, p 1.

    Source: Caliskan et al. 2017, Methods, WEAT.

    Args:
        vectors: the vectors.
        targets_x: X, at least two words with a vector; so for the other three.
        targets_y: Y.
        attributes_a: A.
        attributes_b: B.
        seed: of the interval (over the targets) and, where p is not exact, of p.

    Raises:
        DataError: too few words; one word in X and Y; all targets, or all attributes, have one vector.
    """
    x, y, a, b = (
        unit_rows_of(vectors, words, name, least=2)
        for words, name in (
            (targets_x, "targets_x"),
            (targets_y, "targets_y"),
            (attributes_a, "attributes_a"),
            (attributes_b, "attributes_b"),
        )
    )
    _check_apart(targets_x, targets_y, "targets")
    _check_apart(attributes_a, attributes_b, "attributes")
    _check_different(x, y, "targets")
    _check_different(a, b, "attributes")
    towards = a.mean(axis=0) - b.mean(axis=0)  # a mean of cosines is the product with the mean of unit rows
    first, second = x @ towards, y @ towards
    return _association(first, second, float(first.sum() - second.sum()), seed)


def single_category_weat(
    vectors: Vectors,
    words: Sequence[str],
    attributes_a: Sequence[str],
    attributes_b: Sequence[str],
    *,
    seed: int = 0,
) -> dict[str, Association]:
    """Tests of single words whether they go with a rather than with b.

        statistic   = mean_{a ∈ A} cos(w, a) - mean_{b ∈ B} cos(w, b)
        effect size = statistic / std_{x ∈ A ∪ B} cos(w, x)
        p           = Pr_i[s(w, A_i, B_i) >= s(w, A, B)]  over partitions of A ∪ B

    Many words are many tests: correct their p (`seqkit.debias.measures.corrections`). The interval is over
    the attributes, which are what a word's figure is measured on.

    Source: Caliskan et al. 2017, Methods, WEFAT.

    Args:
        vectors: the vectors.
        words: at least one with a vector.
        attributes_a: A, at least two words with a vector.
        attributes_b: B, the same.
        seed: of the interval and, where p is not exact, of p.

    Returns:
        By word, for those with a vector.

    Raises:
        DataError: too few words; all attributes have one vector.
    """
    known = known_words(vectors, words, "words")
    targets = unit_rows_of(vectors, known, "words")
    a = unit_rows_of(vectors, attributes_a, "attributes_a", least=2)
    b = unit_rows_of(vectors, attributes_b, "attributes_b", least=2)
    _check_apart(attributes_a, attributes_b, "attributes")
    _check_different(a, b, "attributes")
    return {
        word: _association(a @ row, b @ row, float((a @ row).mean() - (b @ row).mean()), seed)
        for word, row in zip(known, targets, strict=True)
    }


def _association(first: Array, second: Array, statistic: float, seed: int) -> Association:
    sizes = len(first), len(second)
    difference = bootstrap(lambda *weights: _difference(first, second, *weights), *sizes, seed=seed)
    if np.concatenate([first, second]).std() <= _EQUAL:
        partitions = math.comb(sum(sizes), sizes[0])
        return Association(statistic, difference, exactly(0.0), exactly(1.0), True, partitions)
    effect = bootstrap(lambda *weights: _effect_size(first, second, *weights), *sizes, seed=seed)
    test = permutation_test(first, second, seed=seed)
    return Association(statistic, difference, effect, test.p, test.exact, test.partitions)


def _difference(first: Array, second: Array, weights: Array, others: Array) -> Array:
    """The difference of the means of weighted words, (draws,)."""
    return weighted.mean(weights, first) - weighted.mean(others, second)


def _effect_size(first: Array, second: Array, weights: Array, others: Array) -> Array:
    """That in standard deviations of both groups together; 0 where no two differ by more than rounding."""
    both, values = np.hstack([weights, others]), np.concatenate([first, second])
    deviation = np.sqrt(weighted.mean(both, (values - weighted.mean(both, values)[:, None]) ** 2))
    return _difference(first, second, weights, others) / np.where(deviation > _EQUAL, deviation, np.inf)


def _check_apart(first: Sequence[str], second: Sequence[str], name: str) -> None:
    both = sorted(set(first).intersection(second))
    if both:
        raise DataError(f"{name}: {both[0]!r} is in both sets; leave it in one")


def _check_different(first: Array, second: Array, name: str) -> None:
    if max(np.abs(rows - first[0]).max() for rows in (first, second)) <= _EQUAL:
        raise DataError(f"{name}: all {len(first) + len(second)} words have the same vector")
