"""Diagnosis: which gap is named, and what is said where errors are not known."""

from __future__ import annotations

import json

import pytest

from seqkit.errors import UsageError
from seqkit.sentiment.evaluation.diagnosis import CAUSES, TO_TRY, diagnose, overlaps
from seqkit.sentiment.evaluation.intervals import difference, share

# Errors of 1,000 texts each, in percent.
ALL = {"train": (50, 1000), "train_dev": (60, 1000), "dev": (70, 1000), "test": (80, 1000)}


def test_all_gaps() -> None:
    found = diagnose(ALL, human=0.01)
    assert {name: figure.value for name, figure in found.errors.items()} == {
        **{"human": 0.01, "train": 0.05, "train_dev": 0.06, "dev": 0.07, "test": 0.08}
    }
    assert [gap.causes for gap in found.gaps] == [(cause,) for cause in CAUSES]
    # 5 - 1, 6 - 5, 7 - 6 and 8 - 7 percent.
    assert [gap.change.value for gap in found.gaps] == pytest.approx([0.04, 0.01, 0.01, 0.01])
    assert found.unknown == []
    # The first is the only one beyond chance: ±2 √(0.05 · 0.95 / 1000) = ±0.014, and differences vary more.
    assert [gap.is_certain for gap in found.gaps] == [True, False, False, False]
    assert found.first is found.gaps[0]
    assert "avoidable bias: 4.0% (at least 2.8%) from human level to training error" in found.why
    assert found.to_try == list(TO_TRY["avoidable_bias"])


@pytest.mark.parametrize(
    ("counts", "cause"),
    [
        (ALL | {"train_dev": (200, 1000)}, "variance"),
        (ALL | {"dev": (200, 1000)}, "data_mismatch"),
        (ALL | {"test": (200, 1000)}, "dev_overfitting"),
        (ALL | {"train": (200, 1000)}, "avoidable_bias"),
    ],
)
def test_the_greatest_gap_comes_first(counts: dict[str, tuple[int, int]], cause: str) -> None:
    found = diagnose(counts, human=0.045)
    assert found.first is not None
    assert found.first.causes == (cause,)
    assert found.to_try == list(TO_TRY[cause])


def test_the_greatest_that_is_certain() -> None:
    # Ten percent of 20 texts are two: less certain than four percent of 5,000.
    found = diagnose({"train": (500, 5000), "train_dev": (700, 5000), "dev": (5, 20)})
    assert [gap.change.value for gap in found.gaps] == pytest.approx([0.04, 0.11])
    assert found.first is found.gaps[0]


def test_the_greatest_of_two_that_are_certain() -> None:
    # 4% of 5,000 texts are surer to be 3% than 12% of 50 are; the greater gap comes first all the same.
    found = diagnose({"train": (500, 5000), "train_dev": (700, 5000), "dev": (13, 50)})
    assert [gap.is_certain for gap in found.gaps] == [True, True]
    assert found.gaps[0].change.low > found.gaps[1].change.low
    assert found.first is found.gaps[1]


def test_intervals_of_errors_and_gaps() -> None:
    found = diagnose(ALL)
    assert found.errors["dev"] == share(70, 1000)
    assert found.gaps[0].change == difference(share(50, 1000), share(60, 1000))


def test_nothing_beyond_chance() -> None:
    found = diagnose({"train": (1, 20), "dev": (2, 20)})
    assert found.first is None
    assert found.to_try == []
    assert "more texts" in found.why


def test_what_cannot_be_said() -> None:
    found = diagnose({"train": (50, 1000), "dev": (150, 1000)})
    assert found.first is not None
    assert found.first.causes == ("variance", "data_mismatch")
    assert found.first.name == "variance or data mismatch"
    assert found.to_try == [*TO_TRY["variance"], *TO_TRY["data_mismatch"]]
    assert found.unknown == [
        "How much of the training error is avoidable bias cannot be said without human level error.",
        "Without training-dev error, variance or data mismatch cannot be told apart.",
        "Nothing is said of over-fitting to the dev set without test error.",
    ]


def test_only_the_end_is_known() -> None:
    found = diagnose({"dev": (100, 1000), "test": (101, 1000)})
    assert found.unknown == [
        "How much of the dev error is avoidable bias, variance or data mismatch cannot be said without human "
        "level, training and training-dev error."
    ]


def test_people_and_the_test_alone() -> None:
    found = diagnose({"test": (200, 1000)}, human=0.05)
    assert found.gaps[0].causes == CAUSES
    assert found.unknown == [
        "Without training, training-dev and dev error, avoidable bias, variance, data mismatch or "
        "over-fitting to the dev set cannot be told apart."
    ]


def test_texts_in_two_sets() -> None:
    texts = {"test": ["a", "B  b", "c", "d"], "train": ["b b", "a", "a"], "dev": ["d", "e"]}
    assert overlaps(texts) == {("train", "test"): 2, ("dev", "test"): 1}


def test_json() -> None:
    answer = json.loads(json.dumps(diagnose(ALL, human=0.01).as_json()))
    assert list(answer) == ["errors", "gaps", "first", "why", "try", "unknown"]
    assert answer["first"] == ["avoidable_bias"]
    assert answer["gaps"][1]["from"] == "train"
    assert answer["gaps"][1]["causes"] == ["variance"]
    assert answer["errors"]["human"] == {"value": 0.01, "low": 0.01, "high": 0.01}


@pytest.mark.parametrize(
    ("counts", "human", "message"),
    [
        ({"dev": (1, 10)}, None, "give two or more"),
        ({}, 0.1, "give two or more"),
        ({"train": (1, 10), "dev": (1, 10)}, 5.0, "not 5"),
        ({"train": (1, 10), "dev": (1, 10)}, 1.0, "from 0 to below 1 .*, not 1$"),
        ({"train": (1, 10), "dev": (11, 10)}, None, "11 of 10 texts of dev"),
        ({"train": (1, 10), "dev": (0, 0)}, None, "0 of 0 texts of dev"),
        ({"train": (1, 10), "valid": (0, 10)}, None, "no set 'valid'"),
    ],
)
def test_what_is_refused(counts: dict[str, tuple[int, int]], human: float | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        diagnose(counts, human)
