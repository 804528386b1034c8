"""Does a model behave as a reader would: denial turns what is said round, a name changes nothing?

Source: Ribeiro et al. 2020, "Beyond accuracy: behavioral testing of NLP models with CheckList".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seqkit.errors import DataError
from seqkit.sentiment.evaluation.behaviour_cases import Case, behaviour_cases
from seqkit.sentiment.evaluation.evaluate import Predictor
from seqkit.sentiment.evaluation.intervals import Figure, share
from seqkit.sentiment.labels import Labels
from seqkit.sentiment.polarity import polarity

DESCRIPTIONS = {
    "negation": "a denial turns good into bad, and bad into good",
    "names": "another name of a person or a place leaves the label",
    "intensifiers": "very makes good better and bad worse, somewhat the reverse",
    "typos": "two letters that changed places leave the label",
}
"""What the cases of each kind test."""


@dataclass(frozen=True)
class Read:
    """What a model makes of a text.

    Args:
        label: the likeliest.
        score: the expected polarity, -1 to 1.
    """

    label: str
    score: float


@dataclass(frozen=True)
class Failure:
    """A case that a model does not pass.

    Args:
        case: what was expected.
        before: of the text.
        after: of the text changed.
    """

    case: Case
    before: Read
    after: Read

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's types."""
        return {
            "expected": self.case.expected,
            "before": {"text": self.case.before, **vars(self.before)},
            "after": {"text": self.case.after, **vars(self.after)},
        }


@dataclass(frozen=True)
class Behaviour:
    """How a model does on the cases of one kind.

    Args:
        name: of the kind.
        cases: how many there are.
        rate: the share that it passes.
        failures: the others.
    """

    name: str
    cases: int
    rate: Figure
    failures: list[Failure]

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's types."""
        return {
            "cases": self.cases,
            "passed": self.cases - len(self.failures),
            "rate": self.rate.as_json(),
            "failures": [failure.as_json() for failure in self.failures],
        }


def behaviour(model: Predictor, *, seed: int = 0) -> list[Behaviour]:
    """Tests the behaviour of a model.

    Args:
        model: whose labels say what is good and what is bad.
        seed: of the typing errors.

    Raises:
        DataError: the labels do not.
    """
    return [_tested(model, name, cases) for name, cases in behaviour_cases(seed).items()]


def _tested(model: Predictor, name: str, cases: list[Case]) -> Behaviour:
    before, after = (_read(model, [getattr(case, side) for case in cases]) for side in ("before", "after"))
    failures = [
        Failure(case, first, second)
        for case, first, second in zip(cases, before, after, strict=True)
        if not passes(case, first, second)
    ]
    return Behaviour(name, len(cases), share(len(cases) - len(failures), len(cases)), failures)


def passes(case: Case, before: Read, after: Read) -> bool:
    """Whether what a model made of both texts is what was expected."""
    match case.expected:
        case "flip":
            return before.score * after.score < 0
        case "same":
            return before.label == after.label
        case "better":
            return after.score > before.score
        case "worse":
            return after.score < before.score


def _read(model: Predictor, texts: list[str]) -> list[Read]:
    probabilities = model.predict(texts)
    scores = (probabilities @ _polarity(model.labels)).tolist()
    names = (model.labels.names[index] for index in probabilities.argmax(axis=1))
    return [Read(name, score) for name, score in zip(names, scores, strict=True)]


def _polarity(labels: Labels) -> Any:
    found = polarity(labels)
    if found is None:
        raise DataError(
            f"the labels {', '.join(labels.names[:20])} do not say what is good and what is bad: behaviour "
            "is tested where they are positive and negative, or numbers"
        )
    return found
