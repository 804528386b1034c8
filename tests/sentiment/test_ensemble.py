"""Ensembles: weighted sums of logits, and weights that make held-out labels likely."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from seqkit.sentiment.documents import Documents
from seqkit.sentiment.ensemble import (
    MAX_WEIGHT,
    Ensemble,
    Member,
    fitted_weights,
    group_logits,
    mean_surprisal,
    probabilities,
    weighted,
)
from seqkit.sentiment.labels import Labels
from seqkit.sentiment.models.contract import Classifier
from seqkit.text.vocabulary import Vocabulary


class Fixed(Classifier):
    """Says the same of every token: its logits are its row times the tokens of a text."""

    kind = "fixed"

    def __init__(self, row: list[float]) -> None:
        self.row = np.array(row, np.float32)

    def logits(self, documents: Documents) -> NDArray[np.float32]:
        return np.asarray(documents.lengths[:, None] * self.row, np.float32)

    def attributions(self, documents: Documents) -> list[NDArray[np.float32]]:
        return [np.tile(self.row, (length, 1)) for length in documents.lengths]

    def tensors(self) -> dict[str, NDArray[Any]]:
        return {"row": self.row}

    @classmethod
    def from_tensors(
        cls, config: Any, tensors: Mapping[str, NDArray[Any]], vocabulary: Vocabulary, labels: Labels
    ) -> Fixed:
        return cls(tensors["row"].tolist())


DOCUMENTS = Documents(["a", "b b", ""], np.array([2, 3, 3], np.int32), np.array([0, 1, 3, 3]))


def test_members_of_a_group_are_averaged_and_groups_weighed() -> None:
    members = [Member(Fixed([1, 0]), 0), Member(Fixed([3, 0]), 0), Member(Fixed([0, 5]), 1)]
    grouped = group_logits(members, DOCUMENTS)
    # (1 + 3) / 2 = 2 a token in group 0, 5 for the other label in group 1
    assert grouped.tolist() == [[[2, 0], [4, 0], [0, 0]], [[0, 5], [0, 10], [0, 0]]]
    ensemble = Ensemble(members, np.array([0.5, 2.0]))
    assert ensemble.logits(DOCUMENTS).tolist() == [[1, 10], [2, 20], [0, 0]]
    assert [each.tolist() for each in ensemble.attributions(DOCUMENTS)] == [
        [[1, 10]],
        [[1, 10], [1, 10]],
        [],
    ]


def test_probabilities_of_large_logits() -> None:
    found = probabilities(np.array([[1000.0, 1000.0], [0.0, -1000.0]]))
    assert found.tolist() == [[0.5, 0.5], [1.0, 0.0]]


def test_surprisal_by_arithmetic() -> None:
    # p(target) = 3/4 with weight 1: -log .75; the prior of one weight at 1 is 0
    loss, _ = mean_surprisal(np.ones(1), np.log([[[1.0, 3.0]]]), np.array([1], np.int32))
    assert loss == pytest.approx(-np.log(0.75))


def test_the_gradient() -> None:
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(size=(3, 20, 4)), rng.integers(0, 4, 20).astype(np.int32)
    weights = np.array([0.5, 1.5, 0.1])
    _, gradient = mean_surprisal(weights, logits, targets)
    for number in range(3):
        step = np.zeros(3)
        step[number] = 1e-6
        high, low = (mean_surprisal(weights + sign * step, logits, targets)[0] for sign in (1, -1))
        assert gradient[number] == pytest.approx((high - low) / 2e-6, rel=1e-6)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_temperature_scaling_finds_the_temperature(temperature: float) -> None:
    """Labels are drawn from softmax(z); of logits T z, the weight that undoes T is 1/T."""
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 2, (20_000, 3))
    shares = probabilities(logits)
    targets = (rng.random((20_000, 1)) > np.cumsum(shares, axis=1)).sum(axis=1).astype(np.int32)
    (weight,) = fitted_weights(temperature * logits[None], targets)
    assert weight * temperature == pytest.approx(1, abs=0.03)


def test_a_member_that_knows_nothing_gets_no_weight() -> None:
    rng = np.random.default_rng(2)
    targets = rng.integers(0, 2, 2000).astype(np.int32)
    good = np.eye(2)[targets] * 2 + rng.normal(size=(2000, 2))
    noise = rng.normal(size=(2000, 2))
    against = -good + rng.normal(0, 2, (2000, 2))
    weights = fitted_weights(np.stack([good, noise, against]), targets)
    assert weights[0] > 0.8
    assert weights[1] < 0.1
    assert weights[2] == 0


def test_a_member_that_is_always_right_is_bounded() -> None:
    logits = np.tile([[0.0, 1.0]], (5, 1))[None]
    (weight,) = fitted_weights(logits, np.ones(5, np.int32))
    assert 1 < weight <= MAX_WEIGHT


def test_without_texts_to_tell_weights_are_equal() -> None:
    logits = np.zeros((2, 10, 3))
    assert fitted_weights(logits, np.zeros(10, np.int32)) == pytest.approx([0.5, 0.5], abs=1e-5)


def test_weighted() -> None:
    assert weighted(np.array([[[1.0, 2.0]], [[3.0, 4.0]]]), np.array([1.0, 10.0])).tolist() == [[31, 42]]
