"""What is the same for every network, shown with the quickest one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from seqkit.embeddings.initial import Initial
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import DataError, UsageError
from seqkit.sentiment.documents import MISSING, Documents, Labelled, Task
from seqkit.sentiment.labels import Labels
from seqkit.sentiment.models.contract import Fitting, Resources
from seqkit.sentiment.models.convolutional import Cnn, CnnConfig, fit

SMALL: dict[str, Any] = {
    "filters": 4,
    "shortest": 1,
    "longest": 1,
    "vector_size": 4,
    "batch_size": 16,
    "learning_rate": 0.05,
    "epochs": 1,
}


def test_frozen_vectors_stay(toy: Fitting) -> None:
    matrix = np.array([[3, 4, 0, 0], [0, 0, 4, 3]], np.float32)
    vectors = Initial("mine", Vectors(["good", "unseen"], matrix), "0" * 64)
    given = replace(toy, resources=Resources(vectors=vectors))
    found = fit(CnnConfig(**SMALL, frozen=True), given).tensors()["embeddings"]
    # Of "good", which alone is in the texts, the root mean square is √(25/4); those drawn have 0.1/√3.
    np.testing.assert_allclose(found[[2, 8]], matrix / 2.5 * 0.1 / np.sqrt(3), rtol=1e-5)
    tuned = fit(CnnConfig(**SMALL), given).tensors()["embeddings"]
    assert not np.allclose(tuned[2], found[2])
    np.testing.assert_array_equal(tuned[8], found[8])  # no training text has it


def test_frozen_vectors_need_vectors(toy: Fitting) -> None:
    with pytest.raises(UsageError, match="frozen vectors need initial ones"):
        fit(CnnConfig(**SMALL, frozen=True), toy)


def test_a_further_task_teaches_the_same_encoder(toy: Fitting) -> None:
    train = toy.train
    stars = Task(Labels(("1", "3", "5")), np.where(train.main.targets, 2, MISSING).astype(np.int32))
    both = Labelled(train.documents, train.main, {"stars": stars})
    one, other = (fit(CnnConfig(**SMALL), replace(toy, train=each)) for each in (train, both))
    assert one.logits(train.documents).shape == other.logits(train.documents).shape == (48, 2)
    assert one.tensors().keys() == other.tensors().keys()
    assert not np.array_equal(one.tensors()["embeddings"], other.tensors()["embeddings"])


def test_a_long_text_is_read_from_its_beginning_and_its_end(toy: Fitting) -> None:
    model = fit(CnnConfig(**SMALL, max_length=12), toy)
    words = np.array([5, 6, 4], np.int32)
    middle = np.resize(words, 30)
    texts = [np.concatenate([[2, 4, 7], filling, np.resize(words, 9)]) for filling in (middle[:0], middle)]
    starts = np.array([0, 12, 12 + 42])
    documents = Documents(["short", "long"], np.concatenate(texts).astype(np.int32), starts)
    logits = model.logits(documents)
    np.testing.assert_allclose(logits[0], logits[1], atol=1e-6)
    short, long = model.attributions(documents)
    assert not long[3:33].any()
    np.testing.assert_allclose(long[[*range(3), *range(33, 42)]], short, atol=1e-5)


def test_labels_count_the_same_where_that_is_asked_for(toy: Fitting) -> None:
    # 24 texts of "no", 4 of "yes", which nothing tells apart: shares of 6 to 1, or even ones.
    few = toy.train.take(np.array([*range(24, 48), *range(4)]))
    blind = Documents(few.documents.texts, np.full_like(few.documents.ids, 4), few.documents.starts)
    given = replace(toy, train=Labelled(blind, few.main), valid=Labelled(blind, few.main))
    settings = SMALL | {"epochs": 30, "dropout": 0.0, "batch_size": 28, "patience": None}
    found = []
    for balanced in (False, True):
        logits = fit(CnnConfig(**settings, balanced=balanced), given).logits(blind)[0]
        found.append(float(logits[1] - logits[0]))
    assert found[0] == pytest.approx(np.log(4 / 24), abs=0.3)
    assert found[1] == pytest.approx(0, abs=0.3)


@pytest.mark.parametrize(
    ("name", "value"), [("filters", 0), ("shortest", 0), ("longest", 11), ("shortest", 6)]
)
def test_settings_out_of_range_are_refused(name: str, value: int) -> None:
    with pytest.raises(UsageError, match=name):
        CnnConfig(**{name: value})


def test_tensors_of_other_settings_are_refused(toy: Fitting) -> None:
    model = fit(CnnConfig(**SMALL), toy)
    labels = toy.train.main.labels
    other = CnnConfig(**{**SMALL, "filters": 5})
    with pytest.raises(DataError, match=r"encoder_0\.kernel_1 must be float32 of shape \(1, 4, 5\)"):
        Cnn.from_tensors(other, model.tensors(), toy.vocabulary, labels)
    with pytest.raises(DataError, match=r"norm\.beta is missing"):
        Cnn.from_tensors(CnnConfig(**SMALL, batch_norm=True), model.tensors(), toy.vocabulary, labels)
