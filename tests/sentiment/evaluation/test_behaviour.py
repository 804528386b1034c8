"""Behaviour: the cases are what they say, and models that are planted pass and fail as they must."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

import numpy as np
import pytest

from seqkit.errors import DataError
from seqkit.sentiment.evaluation.behaviour import DESCRIPTIONS, Read, behaviour, passes
from seqkit.sentiment.evaluation.behaviour_cases import CASES, Case, behaviour_cases
from seqkit.sentiment.labels import Labels

POLARITY = Labels(("negative", "positive"))


# fmt: off
GOOD = (
    "good", "great", "wonderful", "excellent", "lovely", "enjoy", "nice", "funny", "pleasant", "like",
    "recommend", "worth", "well", "helpful", "masterpiece", "impressed", "clever", "again", "loved",
    "perfect", "clean", "joy",
)
BAD = (
    "bad", "terrible", "awful", "boring", "disappoint", "poor", "dull", "weak", "waste", "mess", "regret",
    "bored", "rude", "worst", "bland", "dreadful", "avoid",
)
# fmt: on


class ByRule:
    """Scores texts by counting words, as a person might: denial turns the sign, degrees multiply."""

    def __init__(self, *, denies: bool = True, degrees: bool = True, labels: Labels = POLARITY) -> None:
        self.denies, self.degrees, self.labels = denies, degrees, labels

    def predict(self, texts: Sequence[str], /) -> np.ndarray:
        scores = np.array([self.score(text.lower()) for text in texts])
        ends = 1 / (1 + np.exp(-scores))
        middle = np.zeros((len(texts), len(self.labels) - 2))
        return np.column_stack([1 - ends, middle, ends])

    def score(self, text: str) -> float:
        found = sum(word in text for word in GOOD) - sum(word in text for word in BAD)
        size = 1.0
        if self.degrees:
            size *= (
                2 if any(f"{word} " in text for word in ("very", "really", "extremely", "incredibly")) else 1
            )
            size *= (
                0.5 if any(word in text for word in ("somewhat", "slightly", "fairly", "moderately")) else 1
            )
        denial = (" not ", "n't", "never", "hardly", " no ", "none of", "anything but")
        sign = -1 if self.denies and any(word in text for word in denial) else 1
        return sign * size * found


def rates(model: Any) -> dict[str, float]:
    return {each.name: each.rate.value for each in behaviour(model)}


def test_a_model_that_reads_passes() -> None:
    found = rates(ByRule())
    assert list(found) == list(DESCRIPTIONS) == list(behaviour_cases())
    assert found["negation"] == found["intensifiers"] == found["names"] == 1
    assert found["typos"] > 0.9  # a word that it looks for may be the mistyped one


def test_what_a_model_lacks_is_seen() -> None:
    assert rates(ByRule(denies=False)) == rates(ByRule()) | {"negation": 0.0}
    assert rates(ByRule(degrees=False)) == rates(ByRule()) | {"intensifiers": 0.0}


def test_ratings() -> None:
    assert rates(ByRule(labels=Labels.of("12345"))) == rates(ByRule())


def test_a_model_that_minds_names() -> None:
    class Biased(ByRule):
        def score(self, text: str) -> float:
            return -1.0 if any(name in text for name in ("olga", "kwame", "cairo")) else super().score(text)

    [names] = [each for each in behaviour(Biased()) if each.name == "names"]
    assert names.rate.value < 1
    assert all(
        any(name in f.case.before + f.case.after for name in ("Olga", "Kwame", "Cairo"))
        for f in names.failures
    )
    answer = names.as_json()
    assert answer["passed"] + len(answer["failures"]) == answer["cases"] == CASES
    failure = answer["failures"][0]
    assert failure["before"]["label"] != failure["after"]["label"]
    assert set(failure["before"]) == {"text", "label", "score"}


@pytest.mark.parametrize(
    ("expected", "before", "after", "passed"),
    [
        ("flip", Read("positive", 0.5), Read("negative", -0.1), True),
        ("flip", Read("positive", 0.5), Read("positive", 0.1), False),
        ("flip", Read("positive", 0.5), Read("neutral", 0.0), False),
        ("same", Read("positive", 0.5), Read("positive", 0.1), True),
        ("same", Read("positive", 0.1), Read("negative", -0.1), False),
        ("better", Read("positive", 0.5), Read("positive", 0.6), True),
        ("better", Read("positive", 0.5), Read("positive", 0.5), False),
        ("worse", Read("negative", -0.5), Read("negative", -0.6), True),
        ("worse", Read("negative", -0.5), Read("negative", -0.4), False),
    ],
)
def test_what_is_expected(expected: Any, before: Read, after: Read, passed: bool) -> None:
    assert passes(Case("a", "b", expected), before, after) is passed


def test_the_cases_change_one_thing() -> None:
    for name, cases in behaviour_cases().items():
        assert len(cases) == CASES
        for case in cases:
            assert case.before != case.after
            likeness = SequenceMatcher(None, case.before.split(), case.after.split()).ratio()
            assert likeness >= 0.5, (name, case)


def test_typing_errors() -> None:
    typos = behaviour_cases(seed=3)["typos"]
    assert typos == behaviour_cases(seed=3)["typos"] != behaviour_cases(seed=4)["typos"]
    for case in typos:
        places = [i for i, (a, b) in enumerate(zip(case.before, case.after, strict=True)) if a != b]
        first, second = places
        assert second == first + 1
        assert case.before[first] == case.after[second]
        assert case.before[second] == case.after[first]
        assert (case.before[first - 1] + case.before[second + 1]).isalpha()


def test_labels_without_good_and_bad() -> None:
    with pytest.raises(DataError, match="the labels anger, joy do not say"):
        behaviour(ByRule(labels=Labels(("anger", "joy"))))
