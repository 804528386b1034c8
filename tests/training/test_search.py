"""Random search and successive halving: allocations by hand, known minima, limits, divergence."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from helpers import Told
from seqkit.errors import DivergedError, UsageError
from seqkit.training.scales import Choice, Range, Scale
from seqkit.training.search import SearchConfig, allocation, best_of, search

SPACE: dict[str, Scale] = {
    "learning_rate": Range(1e-5, 10.0, "log"),
    "beta": Range(0.5, 0.9999, "one-minus-log"),
}


def bowl(settings: dict[str, Any], resource: float) -> float:
    """Lowest, at 0, for a rate of 0.01 and 1 - β of 0.01; in decades from there."""
    far = (math.log10(settings["learning_rate"]) + 2) ** 2 + (math.log10(1 - settings["beta"]) + 2) ** 2
    return far + 1 / resource


@pytest.mark.parametrize(
    ("trials", "budget", "expected"),
    [
        # three rungs of 32: 8 · 4, 4 · 8, 2 · 16
        (8, 96.0, [(8, 4.0), (4, 12.0), (2, 28.0)]),
        # three rungs of 30: 5 · 6, 3 · 10, 2 · 15
        (5, 90.0, [(5, 6.0), (3, 16.0), (2, 31.0)]),
        (2, 10.0, [(2, 5.0)]),
        (1, 10.0, [(1, 10.0)]),
    ],
)
def test_the_allocation(trials: int, budget: float, expected: list[tuple[int, float]]) -> None:
    found = allocation(trials, budget)
    assert [count for count, _ in found] == [count for count, _ in expected]
    assert [resource for _, resource in found] == pytest.approx([resource for _, resource in expected])
    spent, before = 0.0, 0.0
    for count, resource in expected:
        spent, before = spent + count * (resource - before), resource
    assert spent == budget


def test_without_halving_all_have_the_same() -> None:
    assert allocation(8, 96.0, halving=False) == [(8, 12.0)]


def test_the_better_half_goes_on() -> None:
    calls: list[tuple[float, float]] = []

    def evaluate(settings: dict[str, Any], resource: float) -> float:
        calls.append((settings["x"], resource))
        return abs(settings["x"] - 0.3)

    report = search(evaluate, {"x": Range(0.0, 1.0)}, SearchConfig(budget=96.0, trials=8, rounds=1))
    drawn = [x for x, resource in calls if resource == 4.0]
    by_loss = sorted(drawn, key=lambda x: abs(x - 0.3))
    assert len(drawn) == 8
    assert calls[8:] == [(x, 12.0) for x in by_loss[:4]] + [(x, 28.0) for x in by_loss[:2]]
    assert report.best.settings == {"x": by_loss[0]}
    assert [(trial.number, trial.settings["x"]) for trial in report.trials] == list(enumerate(drawn))
    spent = {x: max(resource for other, resource in calls if other == x) for x in drawn}
    assert all(trial.resource == spent[trial.settings["x"]] for trial in report.trials)


@pytest.mark.parametrize("halving", [True, False])
def test_coarse_to_fine_finds_the_minimum(halving: bool) -> None:
    config = SearchConfig(budget=1e6, trials=20, rounds=4, narrowing=0.5, halving=halving, seed=1)
    best = search(bowl, SPACE, config).best
    assert best.settings["learning_rate"] == pytest.approx(0.01, rel=0.25)
    assert 1 - best.settings["beta"] == pytest.approx(0.01, rel=0.25)
    once = search(bowl, SPACE, SearchConfig(budget=1e6, trials=20, rounds=1, halving=halving, seed=1)).best
    assert once.loss is not None
    assert best.loss is not None
    assert best.loss < once.loss / 4


def test_later_rounds_draw_around_the_best() -> None:
    space: dict[str, Scale] = {"x": Range(0.0, 1.0), "kind": Choice(("a", "b", "c"))}
    report = search(
        lambda settings, resource: abs(settings["x"] - 0.5) + (settings["kind"] != "b"),
        space,
        SearchConfig(budget=1.0, trials=16, rounds=2, narrowing=0.25),
    )
    first, second = (
        [each for each in report.trials if each.round == round_number] for round_number in (0, 1)
    )
    best = min(first, key=lambda trial: trial.loss or math.inf)
    assert {trial.settings["kind"] for trial in first} == {"a", "b", "c"}
    assert {trial.settings["kind"] for trial in second} == {"b"}
    assert all(abs(trial.settings["x"] - best.settings["x"]) <= 0.125 for trial in second)
    assert [trial.number for trial in report.trials] == list(range(32))


def test_every_round_has_draws_of_its_own() -> None:
    """Not those of the round before, moved and stretched."""
    config = SearchConfig(budget=1.0, trials=4, rounds=2, narrowing=1.0, halving=False)
    found = search(lambda settings, resource: abs(settings["x"] - 0.5), {"x": Range(0, 1)}, config).trials
    first, second = ([each.settings["x"] for each in found if each.round == number] for number in (0, 1))
    shares = [np.diff(np.sort(part)) / np.ptp(part) for part in (first, second)]
    assert not np.allclose(*shares)


def test_a_scale_may_become_too_narrow_for_two_values() -> None:
    config = SearchConfig(budget=1.0, trials=2, rounds=20, narrowing=0.1)
    trials = search(lambda settings, resource: settings["x"], {"x": Range(0, 1)}, config).trials
    assert len(trials) == 40
    assert trials[-1].settings == best_of(trials).settings


def test_the_same_seed_draws_the_same() -> None:
    config = SearchConfig(budget=10.0, seed=4)
    assert search(bowl, SPACE, config) == search(bowl, SPACE, config)
    other = search(bowl, SPACE, SearchConfig(budget=10.0, seed=5))
    assert other.trials[0].settings != search(bowl, SPACE, config).trials[0].settings


def test_divergence_gives_a_trial_up() -> None:
    calls: list[float] = []

    def evaluate(settings: dict[str, Any], resource: float) -> float:
        rate = settings["learning_rate"]
        calls.append(rate)
        if rate > 1:
            raise DivergedError(3, rate, "try less")
        return math.inf if rate > 0.1 else bowl(settings, resource)

    report = search(evaluate, SPACE, SearchConfig(budget=100.0, trials=32, rounds=1, seed=2))
    gone = [trial.settings["learning_rate"] for trial in report.trials if trial.loss is None]
    assert any(rate > 1 for rate in gone)
    assert any(rate < 1 for rate in gone)
    assert sorted(gone) == sorted(rate for rate in set(calls) if rate > 0.1)
    assert all(calls.count(rate) == 1 for rate in gone)
    assert json.loads(json.dumps(asdict(report), allow_nan=False))["best"] == asdict(report.best)


def test_when_all_diverge() -> None:
    with pytest.raises(UsageError, match="every trial diverged"):
        search(lambda settings, resource: math.nan, SPACE, SearchConfig(budget=1.0))


def test_a_limit_of_time() -> None:
    now = [0.0]

    def evaluate(settings: dict[str, Any], resource: float) -> float:
        now[0] += 10
        return bowl(settings, resource)

    config = SearchConfig(budget=96.0, seconds=35.0)
    report = search(evaluate, SPACE, config, clock=lambda: now[0])
    assert now[0] == 40.0  # the fourth begins at 30, none after it
    assert len(report.trials) == 4
    assert search(evaluate, SPACE, SearchConfig(budget=1.0, seconds=0.1), clock=lambda: now[0]).trials


def test_the_first_trial_may_always_begin() -> None:
    """Whatever the time that passed before it."""
    seconds = itertools.count(1.0)
    config = SearchConfig(budget=1.0, seconds=0.1)
    assert len(search(bowl, SPACE, config, clock=lambda: next(seconds)).trials) == 1


def test_progress_tells_of_each_trial() -> None:
    told = Told()
    config = SearchConfig(budget=10.0, trials=1, rounds=1)
    space: dict[str, Scale] = {"x": Choice((0.25,)), "name": Choice(("adam",))}
    search(lambda settings, resource: 1.5, space, config, progress=told)
    assert told.messages == ["trial 1 (x 0.25, name adam), 10 spent: loss 1.5000"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"budget": 0.0}, "budget must be above 0"),
        ({"budget": math.inf}, "budget must be above 0"),
        ({"budget": 1.0, "trials": 0}, "trials must be from 1 to 10,000"),
        ({"budget": 1.0, "rounds": 0}, "rounds must be from 1 to 20"),
        ({"budget": 1.0, "narrowing": 0.0}, "narrowing must be above 0"),
        ({"budget": 1.0, "seconds": math.nan}, "seconds must be above 0"),
    ],
)
def test_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SearchConfig(**settings)
    with pytest.raises(UsageError, match="nothing to search"):
        search(bowl, {}, SearchConfig(budget=1.0))


def test_what_is_done_is_known_when_an_exception_ends_the_search() -> None:
    """Four trials, of which two go on; one of these had the rest spent on it when the other one failed."""
    done: list[Any] = []

    def fails(settings: dict[str, Any], resource: float) -> float:
        if len(spent) == 5:
            raise KeyboardInterrupt
        spent.append(resource)
        return bowl(settings, resource)

    spent: list[float] = []
    with pytest.raises(KeyboardInterrupt):
        search(fails, SPACE, SearchConfig(budget=16.0, trials=4, rounds=1), trials=done)
    assert [trial.number for trial in done] == [0, 1, 2, 3]
    assert sorted(trial.resource for trial in done) == [2.0, 2.0, 2.0, 6.0]  # 16/(4·2), then 16/(2·2) more
    assert best_of(done).loss == min(trial.loss for trial in done)
