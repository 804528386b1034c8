"""Search for hyper-parameters: at random, coarse to fine, the worse half of the trials given up early.

Sources: Bergstra and Bengio 2012, Random search for hyper-parameter optimization; Jamieson and Talwalkar
2016, Non-stochastic best arm identification and hyperparameter optimization, figure 3 (successive halving).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqkit._settings import check_numbers, check_positive, check_ranges
from seqkit.errors import DivergedError, UsageError
from seqkit.progress import SILENT, Progress
from seqkit.training.scales import Scale

Settings = dict[str, Any]
Evaluate = Callable[[Settings, float], float]


@dataclass(frozen=True, kw_only=True)
class SearchConfig:
    """How to search.

    Args:
        budget: of all trials together, in the unit of `evaluate`'s resource: seconds, epochs.
        trials: that a round begins with, 1 to 10,000.
        rounds: from coarse to fine, 1 to 20; each has an equal share of the budget.
        narrowing: width of a scale in a round, as a share of that in the round before, above 0 to 1.
        halving: give up the worse half of the trials again and again; otherwise all have the same resource.
        seconds: time after which no evaluation begins; None for no such end.
        seed: of the settings drawn.

    Raises:
        UsageError: a value out of range.
    """

    budget: float
    trials: int = 8
    rounds: int = 2
    narrowing: float = 0.25
    halving: bool = True
    seconds: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_numbers(self)
        check_ranges(self, trials=(1, 10_000), rounds=(1, 20), seed=(0, 2**63 - 1))
        check_positive(self, narrowing=1)
        for name in ("budget", "seconds"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise UsageError(f"{name} must be above 0, not {value}")


@dataclass(frozen=True)
class Trial:
    """What one setting has reached.

    Args:
        number: from 0, over all rounds.
        round: from 0.
        settings: hyper-parameters.
        resource: spent on it in all.
        loss: reached; None where it diverged.
    """

    number: int
    round: int
    settings: Settings
    resource: float
    loss: float | None


@dataclass(frozen=True)
class SearchReport:
    """What a search found.

    Args:
        best: the trial with the lowest loss, the first of equals.
        trials: each with the most that was spent on it, by number.
        interrupted: the signal that ended it early, or None.
    """

    best: Trial
    trials: list[Trial]
    interrupted: int | None = None


def allocation(trials: int, budget: float, halving: bool = True) -> list[tuple[int, float]]:
    """How many trials go on, and to which resource in all, rung by rung.

    With n trials there are ⌈log₂ n⌉ rungs; rung k has S_k = ⌈S_(k-1)/2⌉ trials, S_0 = n, and adds
    budget / (S_k ⌈log₂ n⌉) to each, so every rung costs the same.

    >>> allocation(8, 96.0)
    [(8, 4.0), (4, 12.0), (2, 28.0)]
    """
    rungs = max(1, math.ceil(math.log2(trials))) if halving else 1
    found, resource = [], 0.0
    for _ in range(rungs):
        resource += budget / (trials * rungs)
        found.append((trials, resource))
        trials = math.ceil(trials / 2)
    return found


def search(
    evaluate: Evaluate,
    space: Mapping[str, Scale],
    config: SearchConfig,
    progress: Progress = SILENT,
    clock: Callable[[], float] = time.monotonic,
    trials: list[Trial] | None = None,
) -> SearchReport:
    """Looks for the settings with the lowest loss.

    The settings of a round are drawn at random; the next round draws from narrower scales around the best so
    far. Which are drawn depends on the seed and the losses alone.

    Args:
        evaluate: called with settings and with the resource that is to be spent on them in all, gives the
            loss. Called again with the same settings and more, it may go on where it was. A loss that is not
            finite, or `DivergedError`, gives a trial up.
        space: scales by hyper-parameter.
        config: how.
        progress: told of each evaluation.
        clock: in seconds.
        trials: filled as they are done, for whoever ends the search by an exception.

    Raises:
        UsageError: nothing to search, or every trial diverged.
    """
    if not space:
        raise UsageError("nothing to search: give at least one hyper-parameter a scale")
    run = _Search(evaluate, config, progress, clock, [] if trials is None else trials)
    scales = dict(space)
    for round_number in range(config.rounds):
        run.round(round_number, scales)
        if run.is_over():
            break
        best = best_of(run.trials).settings
        scales = {name: scale.narrowed(best[name], config.narrowing) for name, scale in scales.items()}
    return SearchReport(best_of(run.trials), run.trials)


def best_of(trials: Sequence[Trial]) -> Trial:
    """The trial with the lowest loss, the first of equals.

    Raises:
        UsageError: every one diverged.
    """
    best = min(trials, key=_loss)
    if best.loss is None:
        raise UsageError("every trial diverged: search at lower learning rates")
    return best


class _Search:
    def __init__(
        self,
        evaluate: Evaluate,
        config: SearchConfig,
        progress: Progress,
        clock: Callable[[], float],
        trials: list[Trial],
    ) -> None:
        self._evaluate, self._config, self._progress, self._clock = evaluate, config, progress, clock
        self._began = clock()
        self.trials = trials

    def is_over(self) -> bool:
        """Whether no evaluation may begin; the first one always may."""
        limit = self._config.seconds
        return bool(self.trials) and limit is not None and self._clock() - self._began >= limit

    def round(self, number: int, scales: Mapping[str, Scale]) -> None:
        config = self._config
        shares = np.random.default_rng([config.seed, number]).random((config.trials, len(scales)))
        first = len(self.trials)
        going = [
            Trial(first + place, number, _drawn(scales, row), 0.0, None) for place, row in enumerate(shares)
        ]
        for count, resource in allocation(config.trials, config.budget / config.rounds, config.halving):
            going = self._rung(going[:count], resource)

    def _rung(self, trials: Sequence[Trial], resource: float) -> list[Trial]:
        """Trains trials up to a resource; those that did not diverge, the best first."""
        done = []
        for trial in trials:
            if self.is_over():
                break
            reached = Trial(trial.number, trial.round, trial.settings, resource, self._loss(trial, resource))
            self.trials[:] = [each for each in self.trials if each.number != trial.number] + [reached]
            self.trials.sort(key=lambda each: each.number)
            done.append(reached)
        return sorted((each for each in done if each.loss is not None), key=_loss)

    def _loss(self, trial: Trial, resource: float) -> float | None:
        try:
            loss = float(self._evaluate(dict(trial.settings), resource))
        except DivergedError:
            loss = math.nan
        told = f"loss {loss:.4f}" if math.isfinite(loss) else "diverged"
        listed = ", ".join(f"{name} {_told(value)}" for name, value in trial.settings.items())
        self._progress.message(f"trial {trial.number + 1} ({listed}), {resource:.4g} spent: {told}")
        return loss if math.isfinite(loss) else None


def _drawn(scales: Mapping[str, Scale], shares: Iterable[float]) -> Settings:
    return {
        name: scale.value(float(share)) for (name, scale), share in zip(scales.items(), shares, strict=True)
    }


def _loss(trial: Trial) -> float:
    return math.inf if trial.loss is None else trial.loss


def _told(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
