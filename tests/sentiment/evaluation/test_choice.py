"""Choosing a model: one metric is optimized, the rest has to satisfy."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from seqkit.errors import DataError, UsageError
from seqkit.sentiment.evaluation.choice import Candidate, choose, milliseconds

SLOW = Candidate("rnn", {"accuracy": 0.93, "ms": 40.0, "mb": 30.0, "log_loss": 0.2})
FAST = Candidate("average", {"accuracy": 0.90, "ms": 0.1, "mb": 80.0, "log_loss": 0.3})
SOUND = Candidate("linear", {"accuracy": 0.92, "ms": 0.5, "mb": 20.0, "log_loss": 0.25})
ALL = [SLOW, FAST, SOUND]


def test_without_limits_the_best_wins() -> None:
    found = choose(ALL, "accuracy", {})
    assert found.best is SLOW
    assert found.ranked == [SLOW, SOUND, FAST]
    assert found.refused == {}


def test_less_may_be_better() -> None:
    assert choose(ALL, "log_loss", {}).ranked == [SLOW, SOUND, FAST]


def test_limits_come_first() -> None:
    found = choose(ALL, "accuracy", {"ms": 5.0})
    assert found.best is SOUND
    assert found.refused == {"rnn": "ms 40, at most 5 allowed"}
    found = choose(ALL, "accuracy", {"ms": 0.5, "mb": 25.0})
    assert found.best is SOUND
    assert list(found.refused) == ["rnn", "average"]
    assert found.refused["rnn"] == "ms 40, at most 0.5 allowed; mb 30, at most 25 allowed"


def test_of_equals_the_first_wins() -> None:
    assert choose([SOUND, Candidate("twin", SOUND.figures)], "accuracy", {}).best is SOUND


def test_a_figure_that_is_not_a_number_satisfies_nothing() -> None:
    odd = Candidate("odd", {"accuracy": 1.0, "ms": float("nan")})
    assert choose([odd, FAST], "accuracy", {"ms": 5.0}).best is FAST


@pytest.mark.parametrize("names", [("none", "good"), ("good", "none")])
def test_a_metric_that_is_not_a_number_comes_last(names: tuple[str, str]) -> None:
    kappas = {"none": float("nan"), "good": 0.9}
    candidates = [Candidate(name, {"quadratic_kappa": kappas[name]}) for name in names]
    assert [each.name for each in choose(candidates, "quadratic_kappa", {}).ranked] == ["good", "none"]


@pytest.mark.parametrize(
    ("candidates", "metric", "limits", "kind", "message"),
    [
        (ALL, "beauty", {}, UsageError, "no metric 'beauty'"),
        ([], "accuracy", {}, UsageError, "no model to choose from"),
        (ALL, "macro_f1", {}, UsageError, "rnn has no macro_f1"),
        (ALL, "accuracy", {"kg": 1.0}, UsageError, "rnn has no kg"),
        (ALL, "accuracy", {"ms": 0.01}, DataError, "rnn: ms 40, at most 0.01 allowed; average: ms 0.1"),
    ],
)
def test_what_cannot_be_chosen(
    candidates: list[Candidate], metric: str, limits: dict[str, float], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        choose(candidates, metric, limits)


def test_milliseconds_of_a_text_by_itself() -> None:
    read = []

    class Sleeper:
        labels: Any = None

        def predict(self, texts: Sequence[str], /) -> np.ndarray:
            time.sleep(0.1 if not read else 0.002)  # the first one warms up
            read.append(list(texts))
            return np.zeros((len(texts), 2))

    found = milliseconds(Sleeper(), [str(number) for number in range(1000)])
    assert 2 <= found < 50
    assert len(read) == 101
    assert all(len(texts) == 1 for texts in read)
    assert read[1:4] == [["0"], ["10"], ["20"]]  # spread over all texts, which may be sorted
