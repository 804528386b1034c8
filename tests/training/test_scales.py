"""Scales of hyper-parameters: their values and their narrowing, by arithmetic."""

from __future__ import annotations

from typing import Any

import pytest

from seqkit.errors import UsageError
from seqkit.training.scales import Choice, Range, parse_scale


@pytest.mark.parametrize(
    ("text", "share", "expected"),
    [
        ("uniform:2,6", 0.25, 3.0),
        ("log:0.0001,1", 0.0, 1e-4),
        ("log:0.0001,1", 0.5, 1e-2),
        ("log:0.0001,1", 0.75, 1e-1),
        ("one-minus-log:0.9,0.999", 0.0, 0.9),
        ("one-minus-log:0.9,0.999", 0.5, 0.99),  # 1 - β from 1e-1 to 1e-3
        ("choice:sgd,adam,2,0.5", 0.0, "sgd"),
        ("choice:sgd,adam,2,0.5", 0.49, "adam"),
        ("choice:sgd,adam,2,0.5", 0.5, 2),
        ("choice:sgd,adam,2,0.5", 0.99, 0.5),
    ],
)
def test_values(text: str, share: float, expected: Any) -> None:
    value = parse_scale(text).value(share)
    assert value == (expected if isinstance(expected, str) else pytest.approx(expected, rel=1e-12))


@pytest.mark.parametrize(
    ("text", "best", "share", "low", "high"),
    [
        ("uniform:0,8", 4.0, 0.25, 3.0, 5.0),
        ("uniform:0,8", 7.5, 0.25, 6.5, 8.0),  # cut
        ("log:0.0001,1", 1e-2, 0.5, 1e-3, 1e-1),  # two of four decades
        ("log:0.0001,1", 1e-4, 0.5, 1e-4, 1e-3),
        ("one-minus-log:0.9,0.999", 0.99, 1.0, 0.9, 0.999),
        # half of two decades: 1 - β from 10^-1.5 to 10^-2.5
        ("one-minus-log:0.9,0.999", 0.99, 0.5, 1 - 10**-1.5, 1 - 10**-2.5),
    ],
)
def test_narrowing(text: str, best: float, share: float, low: float, high: float) -> None:
    found = parse_scale(text).narrowed(best, share)
    assert isinstance(found, Range)
    assert (found.low, found.high) == (pytest.approx(low, rel=1e-9), pytest.approx(high, rel=1e-9))


def test_a_choice_narrows_to_the_best() -> None:
    assert Choice(("sgd", "adam")).narrowed("adam", 0.5) == Choice(("adam",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("log:0,1", "scale log lies above 0, not from 0.0"),
        ("one-minus-log:0.9,1", "scale one-minus-log lies below 1, not to 1.0"),
        ("lin:0,1", "no scale 'lin'; known: uniform, log, one-minus-log, choice"),
        ("uniform:1,1", "from a lower to a higher number, not 1.0 to 1.0"),
        ("uniform:0,nan", "from a lower to a higher number, not 0.0 to nan"),
        ("uniform:1", "should be SCALE:LOW,HIGH or choice:"),
        ("uniform:a,b", "should be SCALE:LOW,HIGH or choice:"),
        ("choice:", "should be SCALE:LOW,HIGH or choice:"),
        ("", "should be SCALE:LOW,HIGH or choice:"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_scale(text)
    assert message in str(caught.value)
