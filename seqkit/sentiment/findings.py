"""What a check of labelled texts has to say: findings, with some of the texts that they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from seqkit.text.labelled import Example

SAMPLES = 5
"""Texts that a finding shows where nothing else is said."""

SHOWN = 120
"""Characters of a text that are shown."""


@dataclass(frozen=True)
class Sample:
    """A text that a finding is about.

    Args:
        path: its source.
        line: in there.
        label: that it has.
        text: its beginning.
        detail: what is wrong with this one, where that differs.
    """

    path: str
    line: int
    label: str | None
    text: str
    detail: str = ""


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, or may be.

    Args:
        kind: what it is.
        count: of texts, or of labels where it is about those.
        message: one line.
        samples: the first of the texts.
    """

    kind: str
    count: int
    message: str
    samples: Sequence[Sample] = ()


@dataclass(frozen=True)
class Report:
    """What a check found.

    Args:
        texts: that there are, those of the other splits not counted.
        labels: how many texts each label has, the most frequent first.
        tokens: "median", "p95" and "longest" of a text.
        findings: in the order of checks; none where nothing is wrong.
    """

    texts: int
    labels: Mapping[str, int]
    tokens: Mapping[str, int]
    findings: Sequence[Finding]

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return asdict(self)


def finding(
    kind: str,
    examples: Sequence[Example],
    message: str,
    details: Sequence[str] | None = None,
    shown: int = SAMPLES,
) -> Finding:
    """A finding about texts; the message begins with how many."""
    return Finding(kind, len(examples), f"{len(examples):,} {message}", samples(examples, details, shown))


def samples(
    examples: Sequence[Example], details: Sequence[str] | None = None, shown: int = SAMPLES
) -> list[Sample]:
    """The first `shown` of the texts, each with its detail."""
    return [
        Sample(
            example.path,
            example.line,
            label_of(example),
            _beginning(example.text),
            details[number] if details else "",
        )
        for number, example in enumerate(examples[:shown])
    ]


def label_of(example: Example) -> str | None:
    """The label of the main task."""
    return next(iter(example.labels.values()))


def _beginning(text: str) -> str:
    plain = " ".join(text[: 4 * SHOWN].split())  # white space may be most of it
    whole = len(plain) <= SHOWN and len(text) <= 4 * SHOWN
    return plain if whole else f"{plain[: SHOWN - 1]}…"
