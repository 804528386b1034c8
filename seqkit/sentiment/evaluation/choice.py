"""One model of several: the best by one metric among those that are good enough in all else.

One metric is optimized; the others only have to satisfy, within a limit each.

Source: Ng 2018, "Machine Learning Yearning", chapter 9.

>>> slow = Candidate("rnn", {"accuracy": 0.93, "ms": 40.0})
>>> fast = Candidate("average", {"accuracy": 0.91, "ms": 0.1})
>>> choose([slow, fast], "accuracy", {"ms": 5.0}).best.name
'average'
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from statistics import median

from seqkit.errors import DataError, UsageError
from seqkit.sentiment.evaluation.evaluate import Predictor

METRICS = {
    "accuracy": True,
    "macro_f1": True,
    "quadratic_kappa": True,
    "calibration_error": False,
    "log_loss": False,
    "mean_absolute_error": False,
}
"""What can be optimized, and whether more is better."""

TIMED_TEXTS = 100


@dataclass(frozen=True)
class Candidate:
    """A model that may be chosen.

    Args:
        name: of it.
        figures: numbers by name.
    """

    name: str
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Choice:
    """What was chosen.

    Args:
        best: of those within all limits.
        ranked: those within all limits, the best first.
        refused: the others by name, with the limits that they exceed.
    """

    best: Candidate
    ranked: list[Candidate]
    refused: dict[str, str]


def choose(candidates: Sequence[Candidate], metric: str, at_most: Mapping[str, float]) -> Choice:
    """Chooses the best candidate by a metric, of those with no figure above its limit.

    Args:
        candidates: at least one.
        metric: of `METRICS`; of equals the first wins.
        at_most: limits by the name of a figure.

    Raises:
        UsageError: no such metric, or nothing to choose from.
        DataError: no candidate is within all limits.
    """
    if metric not in METRICS:
        raise UsageError(f"no metric {metric!r}; there are {', '.join(METRICS)}")
    if not candidates:
        raise UsageError("there is no model to choose from")
    for candidate in candidates:
        if lacking := [name for name in (metric, *at_most) if name not in candidate.figures]:
            raise UsageError(f"{candidate.name} has no {lacking[0]}")
    refused = {}
    for candidate in candidates:
        above = [
            f"{name} {candidate.figures[name]:.3g}, at most {limit:g} allowed"
            for name, limit in at_most.items()
            if not candidate.figures[name] <= limit
        ]
        if above:
            refused[candidate.name] = "; ".join(above)
    sign = -1 if METRICS[metric] else 1
    within = [candidate for candidate in candidates if candidate.name not in refused]
    if not within:
        told = "; ".join(f"{name}: {reason}" for name, reason in refused.items())
        raise DataError(f"no model is within the limits ({told}); raise them, or train others")
    # What is no number, as kappa of one label, comes last.
    ranked = sorted(within, key=lambda each: (isnan(each.figures[metric]), sign * each.figures[metric]))
    return Choice(ranked[0], ranked, refused)


def milliseconds(model: Predictor, texts: Sequence[str]) -> float:
    """How long a text takes by itself: the median over some of the texts, after a first one for warming up.

    Args:
        model: whatever predicts.
        texts: at least one.
    """
    some = [*texts[:: max(1, len(texts) // TIMED_TEXTS)]][:TIMED_TEXTS]
    model.predict(some[:1])
    return median(_timed(model, text) for text in some)


def _timed(model: Predictor, text: str) -> float:
    began = time.perf_counter()
    model.predict([text])
    return 1000 * (time.perf_counter() - began)
