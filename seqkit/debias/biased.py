"""The most biased of the neutral words, by class: what double-hard, INLP and LEACE learn the bias from."""

from __future__ import annotations

import numpy as np

from seqkit.debias.task import Array, Ids, Task, blocks, to_unit
from seqkit.errors import DataError, UsageError

MIN_WORDS = 5
"""Fewer words of each class teach nothing."""


def check_biased(biased: int) -> None:
    """Refuses a number of words per class from which nothing is learned.

    Raises:
        UsageError: it is below `MIN_WORDS`.
    """
    if biased < MIN_WORDS:
        raise UsageError(f"biased must be at least {MIN_WORDS} words of each class, not {biased}")


def biased_words(task: Task, per_class: int) -> list[Ids]:
    """The neutral words that lie farthest on the side of each class.

    The side of class j is the mean over the definitional tuples of w_ij − μ_i, projected to the subspace; a
    word belongs to the class to whose side its cosine is largest.

    Args:
        task: the vectors and the subspace.
        per_class: words of each class; fewer where some class has fewer, or where all classes together would
            be more than half of the neutral words.

    Returns:
        Of each class, in the order of the tuples, the rows of its words, the most biased first; all as many.

    Raises:
        DataError: too few neutral words, or classes that lie on no side.
    """
    scores = _scores(task)
    best, neutral = scores.argmax(axis=1), np.flatnonzero(task.neutral)
    members = [neutral[best == label] for label in range(scores.shape[1])]
    count = min(per_class, len(neutral) // (2 * len(members)), *map(len, members))
    if count < MIN_WORDS:
        raise DataError(
            f"the bias is learned from neutral words: {len(neutral):,} are too few, or lie on one side only; "
            f"{MIN_WORDS} of each class are needed"
        )
    result = []
    for label, rows in enumerate(members):
        order = np.argsort(-scores[best == label, label], kind="stable")
        result.append(rows[order[:count]])
    return result


def _scores(task: Task) -> Array:
    """The cosine of each neutral word to the side of each class, (neutral words, classes)."""
    basis = task.subspace.basis
    sides, lengths = to_unit(task.subspace.classes @ basis.T @ basis)
    if not lengths.all():
        raise DataError("the classes of the definitional tuples do not differ in the subspace of the bias")
    found = [to_unit(rows[task.neutral[part]])[0] @ sides.T for part, rows in blocks(task.matrix)]
    return np.concatenate(found)


def labelled(classes: list[Ids]) -> tuple[Ids, Ids]:
    """Rows of all classes and the class of each, from 0."""
    return np.concatenate(classes), np.repeat(np.arange(len(classes)), [len(rows) for rows in classes])
