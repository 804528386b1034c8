"""The most biased words of each class."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from seqkit.debias.biased import biased_words, check_biased, labelled
from seqkit.debias.directions import bias_subspace
from seqkit.debias.task import Task
from seqkit.debias.word_sets import WordSets
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import DataError, UsageError


def test_both_ends_of_a_line(uneven: Any) -> None:
    task = uneven.task
    first, second = biased_words(task, 20)
    unit = task.matrix / np.linalg.norm(task.matrix, axis=1, keepdims=True)
    cosines = np.where(task.neutral, unit @ task.subspace.basis[0], np.nan)
    order = np.argsort(cosines)[: task.neutral.sum()]  # the not neutral ones come last
    assert (
        first.tolist() == order[::-1][:20].tolist()
    )  # the first words of the pairs lie on the positive side
    assert second.tolist() == order[:20].tolist()
    rows, labels = labelled([first, second])
    assert rows.tolist() == [*first, *second]
    assert labels.tolist() == [0] * 20 + [1] * 20


def test_at_most_half_of_the_words_are_biased(uneven: Any) -> None:
    first, second = biased_words(uneven.task, 10_000)
    assert len(first) == len(second) == 100  # of 400, in two classes
    assert not set(first) & set(second)


def test_three_classes() -> None:
    # Classes lie at 0°, 120° and 240° of a plane, and so do the words.
    turns = np.deg2rad([0, 120, 240])
    sides = np.stack([np.cos(turns), np.sin(turns), np.zeros(3)], axis=1)
    third = np.array([0, 0, 1.0])
    tuples = [("a0", "b0", "c0"), ("a1", "b1", "c1")]
    rows = [*(sides + third), *(sides - third), *(sides[i % 3] * (1 + i) + third for i in range(36))]
    names = [word for group in tuples for word in group] + [f"n{i}" for i in range(36)]
    vectors = Vectors(names, np.array(rows, np.float32))
    sets = WordSets(name="three", language="en", pairs=tuple(tuples))
    classes = biased_words(Task(vectors, sets, bias_subspace(vectors, tuples)), 5)
    # A word of number i has 1 + i of its side to 1 of the third axis: the last ones have the largest cosines.
    expected = [[33, 30, 27, 24, 21], [34, 31, 28, 25, 22], [35, 32, 29, 26, 23]]
    assert [[names[index] for index in rows] for rows in classes] == [
        [f"n{number}" for number in numbers] for numbers in expected
    ]


def test_too_little_to_learn_from(planted: Any) -> None:
    task = planted.task
    few = replace(task, sets=replace(planted.sets, neutral=tuple(f"n{i}" for i in range(19))))
    with pytest.raises(DataError, match="19 are too few, or lie on one side only; 5 of each class"):
        biased_words(few, 500)
    level = replace(task.subspace, classes=np.zeros((2, 12)))
    with pytest.raises(DataError, match="do not differ in the subspace"):
        biased_words(replace(task, subspace=level), 500)
    with pytest.raises(UsageError, match="at least 5 words of each class, not 4"):
        check_biased(4)
