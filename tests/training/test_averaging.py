"""Averages of weights against a plain mean; when NT-ASGD begins, by histories made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from seqkit.training.averaging import Averages, is_averaging, triggered
from seqkit.training.optimizers import OptimizerConfig


@pytest.mark.parametrize(
    ("nonmono", "losses", "expected"),
    [
        # n = 1: t = 2 is the first check, against v₀ alone
        (1, [], False),
        (1, [5, 6], False),
        (1, [5, 4, 6], True),
        (1, [5, 4, 5], False),  # not above
        (1, [5, 4, 4.5], False),
        (1, [5, 4, 4.5, 4.2], True),  # t = 3: min(5, 4) = 4
        (1, [5, 4, 4.5, 4.2, 1], True),  # once begun, it stays
        # n = 5: t = 6 against v₀
        (5, [5, 6, 6, 6, 6, 6], False),
        (5, [5, 6, 6, 6, 6, 6, 6], True),
        (5, [5, 6, 6, 6, 6, 6, 4], False),
        (5, [5, 4, 6, 6, 6, 6, 4.5, 4.5], True),  # t = 7: min(5, 4) = 4
        (5, [9, 8, 7, 6, 5, 4, 3, 2, 1], False),
    ],
)
def test_when_nt_asgd_begins(nonmono: int, losses: list[float], expected: bool) -> None:
    assert triggered(losses, nonmono) is expected
    config = OptimizerConfig(averaging="nt-asgd", nonmono=nonmono)
    assert is_averaging(config, len(losses), losses) is expected


@pytest.mark.parametrize(
    ("settings", "epochs"),
    [({}, []), ({"averaging": "asgd"}, [0, 1, 2, 3]), ({"averaging": "asgd", "average_from": 2}, [2, 3])],
)
def test_when_asgd_averages(settings: dict[str, Any], epochs: list[int]) -> None:
    config = OptimizerConfig(**settings)
    assert [epoch for epoch in range(4) if is_averaging(config, epoch, [])] == epochs


def test_the_mean_of_all_weights() -> None:
    rng = np.random.default_rng(0)
    courses = [rng.normal(size=(50, 3, 2)), rng.normal(size=(50, 4))]
    weights = [tf.Variable(course[0]) for course in courses]
    averages = Averages(weights)
    for step in range(50):
        for weight, course in zip(weights, courses, strict=True):
            weight.assign(course[step])
        averages.add()
    with averages.in_place():
        for weight, course in zip(weights, courses, strict=True):
            mean = sum(course) / 50
            np.testing.assert_allclose(weight.numpy(), mean, rtol=0, atol=1e-14)
    for weight, course in zip(weights, courses, strict=True):
        assert np.array_equal(weight.numpy(), course[-1])


def test_before_the_first_update_the_weights_stay() -> None:
    weight = tf.Variable([1.0, 2.0])
    with Averages([weight]).in_place():
        assert weight.numpy().tolist() == [1.0, 2.0]


def test_the_weights_come_back_after_an_error() -> None:
    weight = tf.Variable([1.0])
    averages = Averages([weight])
    averages.add()
    weight.assign([3.0])
    averages.add()

    def fail_in_place() -> None:
        with averages.in_place():
            assert weight.numpy().tolist() == [2.0]  # (1 + 3)/2
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_in_place()
    assert weight.numpy().tolist() == [3.0]
