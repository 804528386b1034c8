"""What a comparison says, in words; each statement follows from an interval, none from a threshold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqkit.debias.measures.comparison import Change

_RECOVERY = {
    "recovery.cluster_accuracy": "k-means",
    "recovery.classifier_accuracy": "a classifier",
    "recovery.linear_classifier_accuracy": "a linear classifier",
    "recovery.neighbour_correlation": "neighbours",
}


@dataclass(frozen=True)
class Verdict:
    """The names of measures by what their intervals say.

    Args:
        improved: nearer to neutral than before: the interval of the change of the distance is below 0.
        worse: farther from neutral: that interval is above 0.
        unclear: no change that the interval shows; or not measured twice.
        associated: WEAT tests whose effect size after is not 0: its interval lies on one side.
        recoverable: tests that still tell the sides: the interval after is above neutral.
        hidden: tests that no longer do.
        costs: scores that fell: the interval of the change is below 0.
        gains: scores that rose.
        text: the same in sentences.
    """

    improved: tuple[str, ...]
    worse: tuple[str, ...]
    unclear: tuple[str, ...]
    associated: tuple[str, ...]
    recoverable: tuple[str, ...]
    hidden: tuple[str, ...]
    costs: tuple[str, ...]
    gains: tuple[str, ...]
    text: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's types."""
        return {name: list(names) for name, names in vars(self).items()}


def judge(measures: Mapping[str, Change], utility: Mapping[str, Change]) -> Verdict:
    """Sorts the measures and says it in sentences.

    Args:
        measures: by name; those without a neutral value take no part.
        utility: scores, by name.
    """
    judged = {name: change for name, change in measures.items() if change.neutral is not None}
    recovery = {name: change for name, change in judged.items() if name in _RECOVERY and change.after}
    told = {name for name, change in recovery.items() if _above_neutral(change)}
    lists = {
        "improved": [name for name, change in judged.items() if _sign(change.distance) < 0],
        "worse": [name for name, change in judged.items() if _sign(change.distance) > 0],
        "unclear": [name for name, change in judged.items() if not _sign(change.distance)],
        "associated": [name for name in judged if name.startswith("weat.") and _sign(judged[name].after)],
        "recoverable": [name for name in recovery if name in told],
        "hidden": [name for name in recovery if name not in told],
        "costs": [name for name, change in utility.items() if _sign(change.change) < 0],
        "gains": [name for name, change in utility.items() if _sign(change.change) > 0],
    }
    text = [*_on_bias(judged, lists), *_on_recovery(judged, lists), *_on_utility(utility, lists)]
    return Verdict(**{name: tuple(names) for name, names in lists.items()}, text=tuple(text))


def _sign(figure: Any) -> int:
    """Of the whole interval: 1 above 0, -1 below, 0 where it holds 0 or there is none."""
    return 0 if figure is None else int(figure.low > 0) - int(figure.high < 0)


def _above_neutral(change: Change) -> bool:
    return change.after is not None and change.neutral is not None and change.after.low > change.neutral


def _on_bias(measures: Mapping[str, Change], lists: Mapping[str, list[str]]) -> list[str]:
    text = []
    for name, title in (
        ("improved", "Improved, nearer to neutral"),
        ("worse", "Worse, farther from neutral"),
        ("unclear", "No change shown by the intervals"),
    ):
        if lists[name]:
            text.append(f"{title}: {', '.join(_moved(key, measures[key]) for key in lists[name])}.")
    if lists["associated"]:
        tests = ", ".join(_associated(key, measures) for key in lists["associated"])
        text.append(f"Still associated, 0 outside the interval of the effect size: {tests}.")
    return text


def _associated(name: str, measures: Mapping[str, Change]) -> str:
    """A test with what its effect size hides: how far the associations themselves went down."""
    text = f"{name} {_number(measures[name].after)}"
    difference = measures.get(name.replace("weat.", "weat_difference.", 1))
    if difference is None:
        return text
    return f"{text} (a difference of {_number(difference.after)}, before {_number(difference.before)})"


def _on_recovery(measures: Mapping[str, Change], lists: Mapping[str, list[str]]) -> list[str]:
    def tests(names: list[str]) -> str:
        return ", ".join(
            f"by {_RECOVERY[key]} {_number(measures[key].after)} (chance {measures[key].neutral:.2f})"
            for key in names
        )

    text = []
    if lists["recoverable"]:
        text.append(f"Still recoverable: the bias is there, {tests(lists['recoverable'])}.")
    if lists["hidden"]:
        text.append(f"Not recovered, no better than chance: {tests(lists['hidden'])}.")
    return text


def _on_utility(utility: Mapping[str, Change], lists: Mapping[str, list[str]]) -> list[str]:
    if not utility:
        return ["Cost: not measured; no test set has words of these vectors."]
    text = []
    if lists["costs"]:
        text.append(f"Cost: {', '.join(_moved(key, utility[key]) for key in lists['costs'])}.")
    if lists["gains"]:
        text.append(f"Gain: {', '.join(_moved(key, utility[key]) for key in lists['gains'])}.")
    if not text:
        text.append(f"Cost: none shown by the intervals of {', '.join(utility)}.")
    return text


def _moved(name: str, change: Change) -> str:
    return f"{name} {_number(change.before)} to {_number(change.after)}"


def _number(figure: Any) -> str:
    return "unmeasured" if figure is None else f"{figure.value:z.3f}"
