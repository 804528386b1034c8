"""Schedules: each against its equation, worked out by hand; texts of the command line; what is refused."""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict
from pathlib import Path

import pytest

from seqkit.errors import UsageError
from seqkit.training.schedules import Moment, ScheduleConfig


def factors(text: str, epochs: int, progress: float = 0.0) -> list[float]:
    """At the same place of each epoch."""
    schedule = ScheduleConfig.parse(text)
    return [schedule.factor(Moment(epoch, progress, epochs)) for epoch in range(epochs)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("constant", [1, 1, 1, 1, 1]),
        ("inverse", [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]),
        ("inverse:decay=0.5", [1, 1 / 1.5, 1 / 2, 1 / 2.5, 1 / 3]),
        ("exponential", [1, 0.95, 0.9025, 0.857375, 0.81450625]),
        ("exponential:base=0.5", [1, 0.5, 0.25, 0.125, 0.0625]),
        ("root", [1, 1 / math.sqrt(2), 1 / math.sqrt(3), 1 / 2, 1 / math.sqrt(5)]),
        ("root:k=2", [2, math.sqrt(2), 2 / math.sqrt(3), 1, 2 / math.sqrt(5)]),
        ("staircase", [1, 0.5, 0.25, 0.125, 0.0625]),
        ("staircase:factor=0.1,every=2", [1, 1, 0.1, 0.1, 0.01]),
        ("staircase:factor=0.5,every=2,after=3", [1, 1, 1, 0.5, 0.5]),
        ("staircase:factor=0.5,after=0", [0.5, 0.25, 0.125, 0.0625, 0.03125]),
        ("list:1,0.5,0.25", [1, 0.5, 0.25, 0.25, 0.25]),
        ("list:2,1,0.5,0.25,0,7", [2, 1, 0.5, 0.25, 0]),
    ],
)
def test_by_epoch(text: str, expected: list[float]) -> None:
    assert factors(text, 5) == pytest.approx(expected, rel=1e-15)
    assert factors(text, 5, progress=0.9) == factors(text, 5)  # within an epoch nothing changes


def test_the_schedule_of_zaremba() -> None:
    """Their medium model: rate 1 for 6 epochs, then divided by 1.2 in each; 39 epochs."""
    found = factors(f"staircase:factor={1 / 1.2!r},every=1,after=6", 39)
    by_hand = [1.0]
    for epoch in range(1, 39):
        by_hand.append(by_hand[-1] / 1.2 if epoch >= 6 else by_hand[-1])
    assert found == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "epoch", "progress", "expected"),
    [
        # t = (e + p)/4; (1 + cos πt)/2 at t = 0, 1/4, 1/2, 3/4
        ("cosine", 0, 0.0, 1.0),
        ("cosine", 1, 0.0, (1 + math.sqrt(0.5)) / 2),
        ("cosine", 1, 1.0, 0.5),
        ("cosine", 3, 0.0, (1 - math.sqrt(0.5)) / 2),
        ("cosine", 3, 1.0, 0.0),
        # 0.2 of the way down is left out
        ("cosine:final=0.2", 2, 0.0, 0.2 + 0.8 * 0.5),
        ("cosine:final=0.2", 3, 1.0, 0.2),
        # t/w = 0.125/0.5 at first; the middle of the rest, t = 0.75, is half way down
        ("cosine:warmup=0.5", 0, 0.5, 0.25),
        ("cosine:warmup=0.5", 1, 1.0, 1.0),
        ("cosine:warmup=0.5", 3, 0.0, 0.5),
    ],
)
def test_cosine(text: str, epoch: int, progress: float, expected: float) -> None:
    found = ScheduleConfig.parse(text).factor(Moment(epoch, progress, 4))
    assert found == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    ("text", "losses", "drops"),
    [
        ("plateau", [], 0),
        ("plateau", [3, 2, 1], 0),
        ("plateau", [3, 3], 1),  # as high is not lower
        ("plateau", [3, 4, 2, 2.5, 2.1], 3),
        ("plateau:patience=2", [3, 4, 2, 2.5], 0),
        ("plateau:patience=2", [3, 4, 2, 2.5, 2.1], 1),
        ("plateau:patience=2", [3, 4, 5, 6, 7], 2),  # after a drop two more have to pass
        ("plateau:patience=2", [3, 4, 5, 6, 2, 7], 1),
    ],
)
def test_plateau(text: str, losses: list[float], drops: int) -> None:
    for factor in (0.5, 0.25):
        separator = "," if ":" in text else ":"
        schedule = ScheduleConfig.parse(f"{text}{separator}factor={factor}")
        assert schedule.needs_validation
        assert schedule.factor(Moment(len(losses), 0.0, 9, losses)) == factor**drops


@pytest.mark.parametrize("text", ["constant", "cosine:warmup=0.1", "list:1,0.5", "staircase:every=3"])
def test_through_json(text: str) -> None:
    schedule = ScheduleConfig.parse(text)
    assert ScheduleConfig(**json.loads(json.dumps(asdict(schedule)))) == schedule
    assert not schedule.needs_validation


def test_defaults_are_filled_in() -> None:
    assert ScheduleConfig.parse("cosine:warmup=0.1").settings == {"warmup": 0.1, "final": 0.0}
    assert ScheduleConfig.parse("list: 1, 0.5").settings == {"factors": (1, 0.5)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cosin", "no schedule 'cosin'; did you mean 'cosine'"),
        ("", "no schedule ''; known: constant, inverse"),
        ("cosine:warmpu=0.1", "schedule cosine has no setting 'warmpu'; did you mean 'warmup'"),
        ("constant:decay=1", "schedule constant has no setting 'decay'; it has none"),
        ("cosine:0.1", "'0.1' should be SETTING=NUMBER"),
        ("cosine:warmup=x", "'x' is not a number"),
        ("cosine:warmup=0.1,final=0,warmup=0.2", "warmup is set twice"),
        ("cosine:warmup=1", "warmup of schedule cosine must be from 0 to 0.99, not 1"),
        ("cosine:warmup=nan", "must be from 0 to 0.99, not nan"),
        ("exponential:base=1.1", "base of schedule exponential must be from 1e-06 to 1, not 1.1"),
        ("plateau:patience=0", "patience of schedule plateau must be a whole number from 1, not 0"),
        ("plateau:patience=1.5", "must be a whole number from 1, not 1.5"),
        ("staircase:after=-1", "must be a whole number from 0, not -1"),
        ("list", "needs factors of the learning rate"),
        ("list:1,a", "'a' is not a number"),
        ("list:1,-1", "a factor of schedule list must be from 0 to 1e6, not -1"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        ScheduleConfig.parse(text)
    assert message in str(caught.value)


def test_the_table_of_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "optimizers.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\S+)` \| (\d\.\d{4}(?: \| \d\.\d{4}){5}) \|$", page, flags=re.MULTILINE)
    assert len(rows) == 10
    for text, numbers in rows:
        schedule = ScheduleConfig.parse(text)
        found = [schedule.factor(Moment(epoch, 0.5, 10)) for epoch in (0, 1, 2, 4, 6, 9)]
        assert numbers == " | ".join(f"{factor:.4f}" for factor in found), text
