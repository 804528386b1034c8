"""Verdicts from intervals that are written by hand."""

from __future__ import annotations

from seqkit.debias.measures.comparison import Change
from seqkit.debias.measures.intervals import Figure
from seqkit.debias.measures.verdict import judge


def change(
    before: float,
    after: tuple[float, float, float],
    distance: tuple[float, float, float] | None,
    neutral: float | None = 0.0,
) -> Change:
    moved = None if distance is None else Figure(*distance)
    return Change(Figure(before, before, before), Figure(*after), Figure(0, 0, 0), neutral, moved)


def score(low: float, high: float) -> Change:
    first, second = Figure(0.5, 0.4, 0.6), Figure(0.4, 0.3, 0.5)
    return Change(first, second, Figure((low + high) / 2, low, high))


def test_each_list_follows_from_its_interval() -> None:
    measures = {
        "direct_bias": change(0.2, (0.01, 0.005, 0.02), (-0.19, -0.2, -0.18)),
        "relative_norm_distance": change(0.1, (0.2, 0.1, 0.3), (0.1, 0.05, 0.2)),
        "weat.a": change(1.5, (1.2, 0.1, 1.6), (-0.3, -0.9, 0.1)),
        "weat.b": change(1.5, (0.2, -0.5, 0.8), (-1.3, -1.9, -0.1)),
        "weat.c": change(1.5, (-0.9, -1.4, -0.2), (-0.6, -1.9, 0.1)),
        "weat_difference.a": change(0.1, (0.02, -0.01, 0.05), (-0.08, -0.1, -0.02)),
        "ripa": change(3.0, (1.0, 0.9, 1.1), None, neutral=None),
        "recovery.cluster_accuracy": change(1.0, (0.8, 0.7, 0.9), (-0.2, -0.3, -0.1), neutral=0.5),
        "recovery.classifier_accuracy": change(1.0, (0.52, 0.49, 0.55), (-0.48, -0.5, -0.4), neutral=0.5),
        "recovery.neighbour_correlation": Change(Figure(0.7, 0.6, 0.8), None, neutral=0.0),
    }
    utility = {
        "similarity.x": score(-0.2, -0.1),
        "similarity.y": score(-0.2, 0.1),
        "analogies.z": score(0.1, 0.2),
    }
    verdict = judge(measures, utility)
    assert verdict.improved == (
        "direct_bias", "weat.b", "weat_difference.a",
        "recovery.cluster_accuracy", "recovery.classifier_accuracy",
    )  # fmt: skip
    assert verdict.worse == ("relative_norm_distance",)
    assert verdict.unclear == ("weat.a", "weat.c", "recovery.neighbour_correlation")
    assert verdict.associated == ("weat.a", "weat.c")
    assert verdict.recoverable == ("recovery.cluster_accuracy",)
    assert verdict.hidden == ("recovery.classifier_accuracy",)
    assert verdict.costs == ("similarity.x",)
    assert verdict.gains == ("analogies.z",)
    assert verdict.text == (
        "Improved, nearer to neutral: direct_bias 0.200 to 0.010, weat.b 1.500 to 0.200, "
        "weat_difference.a 0.100 to 0.020, recovery.cluster_accuracy 1.000 to 0.800, "
        "recovery.classifier_accuracy 1.000 to 0.520.",
        "Worse, farther from neutral: relative_norm_distance 0.100 to 0.200.",
        "No change shown by the intervals: weat.a 1.500 to 1.200, weat.c 1.500 to -0.900, "
        "recovery.neighbour_correlation 0.700 to unmeasured.",
        "Still associated, 0 outside the interval of the effect size: "
        "weat.a 1.200 (a difference of 0.020, before 0.100), weat.c -0.900.",
        "Still recoverable: the bias is there, by k-means 0.800 (chance 0.50).",
        "Not recovered, no better than chance: by a classifier 0.520 (chance 0.50).",
        "Cost: similarity.x 0.500 to 0.400.",
        "Gain: analogies.z 0.500 to 0.400.",
    )


def test_no_cost_is_said_to_be_none_shown() -> None:
    verdict = judge({}, {"similarity.y": score(-0.2, 0.1)})
    assert verdict.text == ("Cost: none shown by the intervals of similarity.y.",)
    assert verdict.as_json()["costs"] == []


def test_an_interval_that_begins_at_chance_recovers_nothing() -> None:
    same = change(1.0, (0.6, 0.5, 0.7), (-0.4, -0.5, -0.3), neutral=0.5)
    assert judge({"recovery.cluster_accuracy": same}, {}).hidden == ("recovery.cluster_accuracy",)


def test_no_zero_has_a_sign() -> None:
    verdict = judge({"weat.a": change(1.5, (-0.0001, -0.2, 0.2), (-1.5, -1.9, -1.1))}, {})
    assert verdict.text[0] == "Improved, nearer to neutral: weat.a 1.500 to 0.000."
