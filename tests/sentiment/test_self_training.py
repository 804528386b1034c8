"""Self-training, with a teacher whose probabilities are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from seqkit.errors import UsageError
from seqkit.sentiment.dataset import Dataset
from seqkit.sentiment.documents import MISSING
from seqkit.sentiment.labels import Labels
from seqkit.sentiment.self_training import TEXTS_AT_ONCE, with_pseudo_labels

DATA = Dataset.of(["good", "bad"], ["pos", "neg"], others={"stars": ["5", "1"]})


class Teacher:
    """Sure of a text as far as it says itself: "0.9" is positive with that probability."""

    labels = Labels(("neg", "pos"))

    def predict(self, texts: Sequence[str]) -> np.ndarray:
        assert 0 < len(texts) <= TEXTS_AT_ONCE
        positive = np.array([float(text) for text in texts])
        return np.stack([1 - positive, positive], axis=1)


def test_texts_that_the_teacher_is_sure_of_are_learned_in_their_order() -> None:
    found = with_pseudo_labels(DATA, Teacher(), ["0.9", "0.5", " ", "0.1", "0.7", "0.31"], confidence=0.7)
    assert list(found.texts) == ["good", "bad", "0.9", "0.1", "0.7"]
    assert found.targets.tolist() == [1, 0, 1, 0, 1]
    assert found.targets.dtype == np.int32
    assert found.others["stars"].targets.tolist() == [1, 0, MISSING, MISSING, MISSING]


def test_more_texts_than_are_read_at_once() -> None:
    texts = [f"0.9{number}" for number in range(TEXTS_AT_ONCE + 5)]
    assert list(with_pseudo_labels(DATA, Teacher(), texts).texts[2:]) == texts


def test_without_texts_all_stays() -> None:
    assert list(with_pseudo_labels(DATA, Teacher(), []).texts) == ["good", "bad"]


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan")])
def test_a_confidence_that_is_no_probability(confidence: float) -> None:
    with pytest.raises(UsageError, match="confidence must be"):
        with_pseudo_labels(DATA, Teacher(), [], confidence=confidence)
