"""What keeps a model from getting better, read off its errors on five sets of texts, and what to try first.

Between the error of people and that of the model on texts for testing lie those on texts that it learned, on
texts of the same kind that it did not (training-dev), and on texts to decide by (dev). Each step up has a
cause of its own:

    human  ── avoidable bias ──▶  train  ── variance ──▶  train-dev  ── data mismatch ──▶  dev
    dev    ── over-fitting to the dev set ──▶  test

Where an error is not known, the steps on both sides of it are one, and cannot be told apart.

Source: Ng 2018, "Machine Learning Yearning", chapters 20 to 43.

>>> found = diagnose({"train": (30, 1000), "dev": (90, 1000)}, human=0.02)
>>> found.first.causes
('variance', 'data_mismatch')
>>> round(found.first.change.value, 2)
0.06
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

from seqkit.errors import UsageError
from seqkit.sentiment.division import key_of
from seqkit.sentiment.evaluation.intervals import Figure, difference, share

SETS = ("train", "train_dev", "dev", "test")
LEVELS = ("human", *SETS)
CAUSES = ("avoidable_bias", "variance", "data_mismatch", "dev_overfitting")
"""Of the step to the next of `LEVELS`."""

NAMES = {
    "human": "human level",
    "train": "training",
    "train_dev": "training-dev",
    "avoidable_bias": "avoidable bias",
    "data_mismatch": "data mismatch",
    "dev_overfitting": "over-fitting to the dev set",
}
"""How levels and causes are written, where it is not as they are called."""

TO_TRY = {
    "avoidable_bias": (
        "a model that can learn more: n-grams, more units or layers, an ensemble, other vectors",
        "longer training or a higher learning rate, and less dropout and weight decay",
        "a look at the labels of the training texts: what is labelled wrong counts as error here",
    ),
    "variance": (
        "more labelled texts",
        "regularisation: dropout, word dropout, weight decay, augmentation, earlier stopping",
        "vectors or a language model trained on unlabelled texts, and ensembles of seeds",
    ),
    "data_mismatch": (
        "the errors on dev beside those on training-dev: what is other about these texts?",
        "labelled texts like those of dev, or vectors trained on unlabelled ones like them",
    ),
    "dev_overfitting": (
        "a larger dev set, or a fresh one",
        "fewer decisions made on dev: cross-validate on the training texts instead",
    ),
}


@dataclass(frozen=True)
class Gap:
    """The step from one error up to the next that is known.

    Args:
        lower: the level that it begins at.
        upper: the level that it ends at.
        causes: what it is due to; more than one cannot be told apart.
        change: upper error less lower error.
    """

    lower: str
    upper: str
    causes: tuple[str, ...]
    change: Figure

    @property
    def is_certain(self) -> bool:
        """Whether there is more than chance in it."""
        return self.change.low > 0

    @property
    def name(self) -> str:
        """The causes in words."""
        return _listed(self.causes, "or")


@dataclass(frozen=True)
class Diagnosis:
    """Errors, the gaps between them, and what follows.

    Args:
        errors: by level, those that are known.
        gaps: from one to the next.
        first: the gap to work on first: the greatest of those that are more than chance; None without any.
        unknown: what cannot be said, a sentence each.
    """

    errors: dict[str, Figure]
    gaps: list[Gap]
    first: Gap | None
    unknown: list[str]

    @property
    def why(self) -> str:
        """Why that is to be tried first, in a sentence."""
        if self.first is None:
            return "No gap is more than chance: take more texts to see one, or be content."
        change = self.first.change
        return (
            f"The greatest gap is {self.first.name}: {change.value:.1%} (at least {change.low:.1%}) "
            f"from {named(self.first.lower)} to {named(self.first.upper)} error."
        )

    @property
    def to_try(self) -> list[str]:
        """What to try, the likeliest first."""
        return [each for cause in (self.first.causes if self.first else ()) for each in TO_TRY[cause]]

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's types."""
        return {
            "errors": {name: figure.as_json() for name, figure in self.errors.items()},
            "gaps": [
                {"from": gap.lower, "to": gap.upper, "causes": list(gap.causes), **gap.change.as_json()}
                for gap in self.gaps
            ],
            "first": list(self.first.causes) if self.first else [],
            "why": self.why,
            "try": self.to_try,
            "unknown": self.unknown,
        }


def diagnose(counts: Mapping[str, tuple[int, int]], human: float | None = None) -> Diagnosis:
    """Reads errors.

    Args:
        counts: wrong texts and all texts of each set that is given, of `SETS`.
        human: the error of people, 0 to 1; None where it is not known.

    Raises:
        UsageError: fewer than two errors, no such set, or an error out of range.
    """
    if human is not None and not 0 <= human < 1:
        raise UsageError(f"human error must be from 0 to below 1 (0.05 or 5%), not {human:g}")
    if surplus := [name for name in counts if name not in SETS]:
        raise UsageError(f"no set {surplus[0]!r}; there are {', '.join(SETS)}")
    errors = {} if human is None else {"human": Figure(human, human, human)}
    for name in SETS:
        if name in counts:
            wrong, texts = counts[name]
            if not 0 <= wrong <= texts or not texts:
                raise UsageError(f"{wrong} of {texts} texts of {name} cannot be wrong")
            errors[name] = share(wrong, texts)
    if len(errors) < 2:
        raise UsageError("errors are compared: give two or more of train, train-dev, dev, test, human error")
    gaps = [_gap(*pair, errors) for pair in pairwise(errors)]
    certain = [gap for gap in gaps if gap.is_certain]
    first = max(certain, key=lambda gap: gap.change.value, default=None)
    return Diagnosis(errors, gaps, first, _unknown(errors, gaps))


def overlaps(texts: Mapping[str, Iterable[str]]) -> dict[tuple[str, str], int]:
    """How many texts of a set are in an earlier one, too, which makes its error too low.

    Args:
        texts: of each set that is given, of `SETS`.

    Returns:
        Texts by the names of the earlier and the later set; pairs that share none are left out.
    """
    keys = {name: {key_of(text) for text in texts[name]} for name in SETS if name in texts}
    shared = {pair: len(keys[pair[0]] & keys[pair[1]]) for pair in combinations(keys, 2)}
    return {pair: count for pair, count in shared.items() if count}


def named(name: str) -> str:
    """A level or a cause in words."""
    return NAMES.get(name, name)


def _gap(lower: str, upper: str, errors: Mapping[str, Figure]) -> Gap:
    causes = CAUSES[LEVELS.index(lower) : LEVELS.index(upper)]
    return Gap(lower, upper, causes, difference(errors[lower], errors[upper]))


def _unknown(errors: Mapping[str, Figure], gaps: list[Gap]) -> list[str]:
    """What cannot be said without the errors that are not given."""
    known = [LEVELS.index(level) for level in errors]
    told = []
    if known[0]:
        told.append(
            f"How much of the {named(LEVELS[known[0]])} error is {_listed(CAUSES[: known[0]], 'or')} cannot "
            f"be said without {_listed(LEVELS[: known[0]])} error."
        )
    for gap in gaps:
        if len(gap.causes) > 1:
            missing = LEVELS[LEVELS.index(gap.lower) + 1 : LEVELS.index(gap.upper)]
            told.append(f"Without {_listed(missing)} error, {gap.name} cannot be told apart.")
    if later := CAUSES[known[-1] :]:
        told.append(f"Nothing is said of {_listed(later)} without {_listed(LEVELS[known[-1] + 1 :])} error.")
    return told


def _listed(names: Sequence[str], word: str = "and") -> str:
    *most, last = (named(name) for name in names)
    return f"{', '.join(most)} {word} {last}" if most else last
