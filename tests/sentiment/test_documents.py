"""Documents and what they are labelled with."""

from __future__ import annotations

import numpy as np

from seqkit.sentiment.documents import MISSING, Documents, Labelled, Task
from seqkit.sentiment.labels import Labels

TEXTS = ["a b", "", "c"]
DOCUMENTS = Documents(TEXTS, np.array([2, 3, 4], np.int32), np.array([0, 2, 2, 3]))


def test_lengths() -> None:
    assert len(DOCUMENTS) == 3
    assert DOCUMENTS.lengths.tolist() == [2, 0, 1]
    assert [DOCUMENTS.ids_of(number).tolist() for number in range(3)] == [[2, 3], [], [4]]


def test_take_keeps_the_order_that_is_asked_for_and_repeats() -> None:
    taken = DOCUMENTS.take(np.array([2, 1, 0, 2]))
    assert taken.texts == ["c", "", "a b", "c"]
    assert [taken.ids_of(number).tolist() for number in range(4)] == [[4], [], [2, 3], [4]]
    assert len(DOCUMENTS.take(np.array([], np.int64))) == 0


def test_take_of_labelled() -> None:
    labels = Labels(("no", "yes"))
    stars = Task(Labels(("1", "2", "3")), np.array([2, MISSING, 0], np.int32))
    labelled = Labelled(DOCUMENTS, Task(labels, np.array([0, 1, 1], np.int32)), {"stars": stars})
    taken = labelled.take(np.array([1, 0]))
    assert len(taken) == 2
    assert taken.main.targets.tolist() == [1, 0]
    assert taken.others["stars"].targets.tolist() == [MISSING, 2]
    assert taken.main.labels is labels
