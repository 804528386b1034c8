"""The training loop on a model of three numbers: order, records, exact resume, stopping, divergence."""

from __future__ import annotations

import math
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from seqkit.errors import DivergedError, InterruptedTraining, SeqkitError, StorageError, UsageError
from seqkit.storage import read_tensors
from seqkit.training.checkpoint import CheckpointFile, Position
from seqkit.training.loop import LoopConfig, TrainingLoop, UnitReport

EPOCHS, UNITS = 3, 4
ALL = [(epoch, unit) for epoch in range(EPOCHS) for unit in range(UNITS)]
NEVER = math.inf
Tick = Callable[[int, int], None]


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here pulls the plug, so nothing has to wait for the disk."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


class Killed(BaseException):
    """The process dies: nothing after it runs."""


class Toy:
    """Momentum steps towards points that the seed, the epoch and the unit decide."""

    epochs, units = EPOCHS, UNITS

    def __init__(
        self,
        *,
        validation: list[float | None] | None = None,
        before: Callable[[int, int], None] = lambda epoch, unit: None,
    ) -> None:
        self.weights, self.velocity = np.zeros(3), np.zeros(3)
        self.trained: list[tuple[int, int]] = []
        self.loss_is: dict[tuple[int, int], float] = {}
        self.weight_is: dict[tuple[int, int], float] = {}
        self._validation, self._before = validation, before

    def work(self, epoch: int, unit: int) -> float:
        return 100.0 * epoch + 25.0 * unit

    def train_unit(self, epoch: int, unit: int) -> UnitReport:
        self._before(epoch, unit)
        point = np.random.default_rng([7, epoch, unit]).normal(size=3)
        loss = float(np.square(self.weights - point).sum())
        with np.errstate(invalid="ignore"):  # when infinite
            self.velocity = 0.9 * self.velocity + 0.1 * (point - self.weights)
            self.weights = self.weights + self.velocity
        self.weights[1] = self.weight_is.get((epoch, unit), self.weights[1])
        self.trained.append((epoch, unit))
        return UnitReport(self.loss_is.get((epoch, unit), loss), 0.1 / (1 + epoch))

    def validation_loss(self) -> float | None:
        return None if self._validation is None else self._validation[self.trained[-1][0]]

    def state(self) -> dict[str, NDArray[Any]]:
        return {"weights": self.weights, "velocity": self.velocity}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        self.weights, self.velocity = np.array(state["weights"]), np.array(state["velocity"])


def straight(until: tuple[int, int] = (EPOCHS - 1, UNITS - 1)) -> tuple[Toy, list[float]]:
    """The model trained in a plain loop, up to and with a unit, and its losses."""
    toy, losses = Toy(), []
    for epoch, unit in ALL[: ALL.index(until) + 1]:
        losses.append(toy.train_unit(epoch, unit).loss)
    return toy, losses


class Recorder:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def start(self, task: str, total: float | None, unit: str) -> None:
        self.calls.append(("start", task, total, unit))

    def update(self, completed: float, **metrics: float) -> None:
        self.calls.append(("update", completed, metrics))

    def message(self, text: str) -> None:
        self.calls.append(("message", text))

    def finish(self) -> None:
        self.calls.append(("finish",))

    @property
    def messages(self) -> list[str]:
        return [call[1] for call in self.calls if call[0] == "message"]


def loop_in(
    folder: Path,
    toy: Toy,
    *,
    seconds: float = NEVER,
    patience: int | None = None,
    minutes: float | None = None,
    settings: dict[str, Any] | None = None,
    **rest: Any,
) -> TrainingLoop:
    checkpoint, best = (
        CheckpointFile(folder / name, settings or {"learning_rate": 0.1}, "text")
        for name in ("checkpoint.safetensors", "best.safetensors")
    )
    config = LoopConfig(patience=patience, checkpoint_seconds=seconds, max_minutes=minutes, advice="try half")
    return TrainingLoop(toy, checkpoint, best, config, **rest)


def run(folder: Path, toy: Toy, **options: Any) -> Position:
    return loop_in(folder, toy, **options).run("training", "words")


def saved(folder: Path, name: str = "checkpoint.safetensors") -> tuple[Mapping[str, Any], Position]:
    found = CheckpointFile(folder / name, {"learning_rate": 0.1}, "text").read()
    assert found is not None
    return found


def same(state: Mapping[str, Any], toy: Toy) -> bool:
    return all(np.array_equal(state[name], array) for name, array in toy.state().items())


# --- the course of a run


def test_units_progress_and_history(tmp_path: Path) -> None:
    toy, progress = Toy(), Recorder()
    position = run(tmp_path, toy, progress=progress)
    oracle, losses = straight()
    assert toy.trained == ALL
    assert same(toy.state(), oracle)
    rates = [0.1, 0.05, 0.1 / 3]
    assert position.history == [
        {"epoch": epoch + 1, "loss": losses[UNITS * epoch + UNITS - 1], "learning_rate": rates[epoch]}
        for epoch in range(EPOCHS)
    ]
    assert (position.epoch, position.unit) == (EPOCHS, 0)
    assert position.seconds > 0
    updates = [
        ("update", 25.0 * (index + 1), {"loss": losses[index], "learning_rate": rates[index // UNITS]})
        for index in range(len(ALL))
    ]
    assert progress.calls == [("start", "training", 300.0, "words"), *updates, ("finish",)]


def test_what_after_epoch_returns_is_in_the_record(tmp_path: Path) -> None:
    toy, seen = Toy(validation=[3.0, 2.0, 1.0]), []

    def after_epoch(epoch: int) -> dict[str, Any]:
        seen.append((epoch, len(toy.trained)))
        return {"analogies": epoch / 10, "similarity": None}

    history = run(tmp_path, toy, after_epoch=after_epoch).history
    assert seen == [(1, 4), (2, 8), (3, 12)]
    assert [record["analogies"] for record in history] == [0.1, 0.2, 0.3]
    assert [record["validation_loss"] for record in history] == [3.0, 2.0, 1.0]
    assert list(history[0]) == [
        "epoch",
        "loss",
        "learning_rate",
        "validation_loss",
        "analogies",
        "similarity",
    ]


@pytest.mark.parametrize("value", [math.nan, np.float32(1), {1: 2}, object()])
def test_a_record_that_json_cannot_hold_is_refused_at_once(tmp_path: Path, value: object) -> None:
    with pytest.raises(UsageError, match="the record of epoch 1 cannot be kept"):
        run(tmp_path, Toy(), after_epoch=lambda epoch: {"score": value})


@pytest.mark.parametrize(
    "config",
    [
        {"patience": 0},
        {"patience": -1},
        {"checkpoint_seconds": -1.0},
        {"checkpoint_seconds": math.nan},
        {"max_minutes": 0.0},
        {"max_minutes": math.nan},
    ],
)
def test_settings_out_of_range(config: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"{next(iter(config))} must"):
        LoopConfig(**config)


# --- checkpoints and resume


def test_a_checkpoint_after_each_unit(tmp_path: Path) -> None:
    found: list[tuple[int, int] | None] = []

    def look(epoch: int, unit: int) -> None:
        exists = (tmp_path / "checkpoint.safetensors").exists()
        found.append((saved(tmp_path)[1].epoch, saved(tmp_path)[1].unit) if exists else None)

    run(tmp_path, Toy(before=look), seconds=0)
    assert found == [None, *ALL[1:]]


def test_checkpoints_at_intervals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, written = iter(range(10_000)), []
    monkeypatch.setattr("seqkit.training.loop.time.monotonic", lambda: float(next(clock)))
    write = CheckpointFile.write

    def spy(self: CheckpointFile, arrays: Any, position: Position) -> None:
        written.append((position.epoch, position.unit))
        write(self, arrays, position)

    monkeypatch.setattr(CheckpointFile, "write", spy)
    # The clock is read twice a unit, so a unit takes two seconds of it.
    run(tmp_path, Toy(), seconds=6)
    assert 3 <= len(written) <= 6
    assert written[-1] == (EPOCHS, 0)


def test_the_end_is_kept_until_somebody_has_saved_it(tmp_path: Path) -> None:
    history = run(tmp_path, Toy()).history
    again, progress = Toy(), Recorder()
    position = run(tmp_path, again, progress=progress)
    assert again.trained == []
    assert same(again.state(), straight()[0])
    assert position.history == history


@pytest.mark.parametrize("seconds", [0.0, NEVER])
@pytest.mark.parametrize("killed_at", ALL)
def test_a_killed_run_goes_on_to_the_same_numbers(
    tmp_path: Path, killed_at: tuple[int, int], seconds: float
) -> None:
    losses = [3.0, 1.0, 2.0]
    whole, folder = Toy(validation=list(losses)), tmp_path / "whole"
    folder.mkdir()
    history = run(folder, whole, seconds=seconds).history

    def kill(epoch: int, unit: int) -> None:
        if (epoch, unit) == killed_at:
            raise Killed

    with pytest.raises(Killed):
        run(tmp_path, Toy(validation=list(losses), before=kill), seconds=seconds)
    again = Toy(validation=list(losses))
    assert run(tmp_path, again, seconds=seconds).history == history
    assert same(again.state(), whole)
    assert again.trained == (ALL[ALL.index(killed_at) :] if seconds == 0 else ALL)


def test_a_resumed_run_says_so_and_counts_on(tmp_path: Path) -> None:
    def kill(epoch: int, unit: int) -> None:
        if (epoch, unit) == (1, 2):
            raise Killed

    with pytest.raises(Killed):
        run(tmp_path, Toy(before=kill), seconds=0)
    before, progress = saved(tmp_path)[1], Recorder()
    position = run(tmp_path, Toy(), progress=progress)
    assert progress.calls[:3] == [
        ("message", f"going on from {tmp_path}, where 50% are done (1 of 3 epochs)"),  # 150 of 300
        ("start", "training", 300.0, "words"),
        ("update", 150.0, {}),
    ]
    assert progress.calls[3][1] == 175
    assert position.seconds > before.seconds > 0


def test_a_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    run(tmp_path, Toy())
    toy = Toy()
    with pytest.raises(UsageError, match=r"learning_rate was 0\.1, is 0\.2"):
        run(tmp_path, toy, settings={"learning_rate": 0.2})
    assert toy.trained == []


def test_a_disk_that_fills_up_leaves_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(epoch: int, unit: int) -> None:
        if (epoch, unit) == (1, 1):
            monkeypatch.setattr(os, "fsync", full)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context(), pytest.raises(StorageError, match="No space left"):
        run(tmp_path, Toy(before=fill), seconds=0)
    monkeypatch.undo()
    assert os.listdir(tmp_path) == ["checkpoint.safetensors"]
    assert saved(tmp_path)[1].history == saved(tmp_path)[1].history[:1]
    assert same(saved(tmp_path)[0], straight((1, 0))[0])
    again = Toy()
    run(tmp_path, again)
    assert same(again.state(), straight()[0])


# --- early stopping and the best state


@pytest.mark.parametrize(
    ("losses", "patience", "epochs", "kept"),
    [
        ([3.0, 2.0, 1.0], 1, 3, 3),
        ([2.0, 3.0, 1.0], 1, 2, 1),  # ends before the third would have been better
        ([2.0, 3.0, 1.0], 2, 3, 3),
        ([1.0, 2.0, 3.0], 2, 3, 1),
        ([1.0, 1.0, 1.0], None, 3, 1),  # the earliest of equals
        ([3.0, 1.0, 2.0], None, 3, 2),
    ],
)
def test_the_best_state_is_kept(
    tmp_path: Path, losses: list[float | None], patience: int | None, epochs: int, kept: int
) -> None:
    toy = Toy(validation=losses)
    loop = loop_in(tmp_path, toy, patience=patience)
    position = loop.run("training", "words")
    assert len(position.history) == epochs
    assert same(toy.state(), straight((kept - 1, UNITS - 1))[0])
    assert loop.kept == position.history[kept - 1]


def test_a_run_that_ran_out_of_patience_does_not_go_on(tmp_path: Path) -> None:
    run(tmp_path, Toy(validation=[1.0, 2.0, 0.5]), patience=1)
    again, progress = Toy(validation=[1.0, 2.0, 0.5]), Recorder()
    run(tmp_path, again, patience=1, progress=progress)
    assert again.trained == []
    assert same(again.state(), straight((0, UNITS - 1))[0])
    assert progress.messages[-1] == "kept the state of epoch 1, the best on held-out text"


def test_no_validation_loss_no_early_end(tmp_path: Path) -> None:
    toy = Toy(validation=[None, None, None])
    loop = loop_in(tmp_path, toy, patience=1)
    assert len(loop.run("training", "words").history) == EPOCHS
    assert loop.kept["epoch"] == EPOCHS


def test_a_best_state_that_is_gone(tmp_path: Path) -> None:
    run(tmp_path, Toy(validation=[1.0, 2.0, 3.0]))
    (tmp_path / "best.safetensors").unlink()
    toy, progress = Toy(validation=[1.0, 2.0, 3.0]), Recorder()
    loop = loop_in(tmp_path, toy, progress=progress)
    loop.run("training", "words")
    assert same(toy.state(), straight()[0])
    assert loop.kept["epoch"] == EPOCHS
    assert "not the state of epoch 1; kept the last one" in progress.messages[-1]


def test_a_best_state_of_another_epoch(tmp_path: Path) -> None:
    run(tmp_path, Toy(validation=[1.0, 2.0, 3.0]))
    arrays, position = saved(tmp_path, "best.safetensors")
    CheckpointFile(tmp_path / "best.safetensors", {"learning_rate": 0.1}, "text").write(
        {name: np.array(array) for name, array in arrays.items()}, replace(position, epoch=2)
    )
    toy, progress = Toy(validation=[1.0, 2.0, 3.0]), Recorder()
    loop = loop_in(tmp_path, toy, progress=progress)
    loop.run("training", "words")
    assert loop.kept["epoch"] == EPOCHS
    assert "not the state of epoch 1; kept the last one" in progress.messages[-1]


def test_a_best_state_of_a_run_with_validation_does_not_disturb_one_without(tmp_path: Path) -> None:
    def kill(epoch: int, unit: int) -> None:
        if epoch == 1:
            raise Killed

    with pytest.raises(Killed):
        run(tmp_path, Toy(validation=[1.0, 2.0, 3.0], before=kill))
    assert os.listdir(tmp_path) == ["best.safetensors"]
    toy = Toy()
    run(tmp_path, toy)
    assert same(toy.state(), straight()[0])


# --- a limit of time


@pytest.fixture
def minute_a_unit(monkeypatch: pytest.MonkeyPatch) -> Tick:
    """To be called before each unit: a clock on which each takes a minute."""
    now = [0.0]
    monkeypatch.setattr("seqkit.training.loop.time.monotonic", lambda: now[0])

    def tick(epoch: int, unit: int) -> None:
        now[0] += 60.0

    return tick


@pytest.mark.parametrize(("losses", "kept"), [([3.0, 2.0, 1.0], 2), ([2.0, 3.0, 1.0], 1)])
def test_time_is_over_in_mid_epoch(
    tmp_path: Path, minute_a_unit: Tick, losses: list[float | None], kept: int
) -> None:
    toy = Toy(validation=losses, before=minute_a_unit)
    loop = loop_in(tmp_path, toy, minutes=5.5)
    position = loop.run("training", "words")
    # After 6 of the minutes 5.5 are over: 4 units of the first epoch and 2 of the 4 of the second one.
    assert toy.trained == ALL[:6]
    assert (position.epoch, position.unit, position.seconds) == (1, 2, 360.0)
    assert [record["epoch"] for record in position.history] == [1, 2]
    assert [record.get("share") for record in position.history] == [None, 0.5]
    assert [record["validation_loss"] for record in position.history] == losses[:2]
    assert loop.kept == position.history[kept - 1]
    assert same(toy.state(), straight(ALL[5] if kept == 2 else ALL[3])[0])


def test_time_is_over_at_the_end_of_an_epoch(tmp_path: Path, minute_a_unit: Tick) -> None:
    position = run(tmp_path, Toy(before=minute_a_unit), minutes=4.0)
    assert (position.epoch, position.unit) == (1, 0)
    assert [record.get("share") for record in position.history] == [None]
    again = Toy(before=minute_a_unit)
    assert run(tmp_path, again, minutes=4.0) == position
    assert again.trained == []


@pytest.mark.parametrize("minutes", [1.0, 3.5, 4.0, 6.0, 11.0])
def test_more_time_goes_on_as_if_it_had_never_been_over(
    tmp_path: Path, minute_a_unit: Tick, minutes: float
) -> None:
    losses: list[float | None] = [1.0, 2.0, 3.0]  # so the best state is that of the first epoch
    run(tmp_path, Toy(validation=losses, before=minute_a_unit), minutes=minutes)
    toy = Toy(validation=losses, before=minute_a_unit)
    history = run(tmp_path, toy).history
    assert toy.trained == ALL[math.ceil(minutes) :]
    assert [record["loss"] for record in history] == [straight()[1][last] for last in (3, 7, 11)]
    assert not any("share" in record for record in history)
    assert same(toy.state(), straight(ALL[3])[0])


def test_a_run_whose_time_was_over_trains_a_unit_more_to_close_its_epoch(
    tmp_path: Path, minute_a_unit: Tick
) -> None:
    first = run(tmp_path, Toy(before=minute_a_unit), minutes=1.0)
    again = run(tmp_path, Toy(before=minute_a_unit), minutes=1.0)
    assert (first.history[-1]["share"], again.history[-1]["share"]) == (0.25, 0.5)


# --- divergence


def spoil(toy: Toy, kind: str, at: tuple[int, int]) -> Toy:
    """Makes a unit go wrong in one of the ways in which they do: a weight after the loss was taken."""
    values = {"loss": math.nan, "infinite loss": math.inf, "weight": math.nan, "infinite weight": -math.inf}
    (toy.loss_is if "loss" in kind else toy.weight_is)[at] = values[kind]
    return toy


def finite_on_disk(folder: Path) -> bool:
    return all(
        bool(np.isfinite(array).all())
        for path in folder.glob("*.safetensors")
        for array in read_tensors(path)[0].values()
    )


@pytest.mark.parametrize("seconds", [0.0, NEVER])
@pytest.mark.parametrize("kind", ["loss", "infinite loss", "weight", "infinite weight"])
@pytest.mark.parametrize("at", ALL)
def test_divergence_never_reaches_the_disk(
    tmp_path: Path, at: tuple[int, int], kind: str, seconds: float
) -> None:
    toy = spoil(Toy(validation=[3.0, 2.0, 1.0]), kind, at)
    with pytest.raises(DivergedError) as caught:
        run(tmp_path, toy, seconds=seconds)
    assert caught.value.exit_code == 76
    assert finite_on_disk(tmp_path)
    if seconds == 0 and at != ALL[0]:
        before = ALL[ALL.index(at) - 1]
        assert same(saved(tmp_path)[0], straight(before)[0])  # the last good one, untouched


def test_the_message_of_divergence(tmp_path: Path) -> None:
    with pytest.raises(DivergedError) as caught:
        run(tmp_path, spoil(Toy(), "loss", (1, 2)), seconds=0)
    # Unit (1, 2) is the seventh.
    assert (caught.value.step, caught.value.learning_rate) == (7, 0.05)
    assert str(caught.value) == (
        "training diverged at step 7 (learning rate 0.05): the loss is not finite; "
        f"try half after deleting {tmp_path}, which keeps the last good state"
    )


def test_divergence_before_there_is_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(DivergedError, match=r"try half$") as caught:
        run(tmp_path, spoil(Toy(), "weight", (0, 1)))
    assert caught.value.step == 3  # the loss of the next unit shows it
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_validation_loss_that_is_not_finite(tmp_path: Path, loss: float) -> None:
    with pytest.raises(DivergedError):
        run(tmp_path, Toy(validation=[1.0, loss, 1.0]), seconds=0)
    assert saved(tmp_path)[1].unit == UNITS - 1
    assert saved(tmp_path, "best.safetensors")[1].epoch == 1


# --- signals


@pytest.fixture
def handlers() -> Iterator[list[int]]:
    """Somebody else's handlers of both signals, which must get what is theirs; the signals they got."""
    received: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [
        signal.signal(number, lambda received_number, _: received.append(received_number))
        for number in numbers
    ]
    yield received
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("at", [(0, 0), (1, 1), (1, 3), (2, 3)])
def test_the_first_signal_finishes_the_unit_and_saves(
    tmp_path: Path, handlers: list[int], number: int, code: int, at: tuple[int, int]
) -> None:
    def send(epoch: int, unit: int) -> None:
        if (epoch, unit) == at:
            os.kill(os.getpid(), number)

    toy = Toy(before=send, validation=[1.0, 2.0, 3.0])
    with pytest.raises(InterruptedTraining, match="the same command goes on from there") as caught:
        run(tmp_path, toy)
    assert (caught.value.exit_code, caught.value.checkpoint, handlers) == (code, tmp_path, [])
    assert toy.trained[-1] == at
    assert same(saved(tmp_path)[0], straight(at)[0])
    again = Toy(validation=[1.0, 2.0, 3.0])
    run(tmp_path, again)
    assert toy.trained + again.trained == ALL
    assert same(again.state(), straight((0, UNITS - 1))[0])


def test_the_second_signal_is_no_longer_ours(tmp_path: Path, handlers: list[int]) -> None:
    def send(epoch: int, unit: int) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            os.kill(os.getpid(), number)

    with pytest.raises(InterruptedTraining):
        run(tmp_path, Toy(before=send))
    assert handlers == [signal.SIGTERM, signal.SIGINT]


def test_a_signal_and_divergence_keep_the_good_checkpoint(tmp_path: Path, handlers: list[int]) -> None:
    def send(epoch: int, unit: int) -> None:
        if (epoch, unit) == (1, 1):
            os.kill(os.getpid(), signal.SIGINT)

    toy = spoil(Toy(before=send), "weight", (1, 1))
    with pytest.raises(DivergedError):
        run(tmp_path, toy, seconds=0)
    assert same(saved(tmp_path)[0], straight((1, 0))[0])


def test_outside_the_main_thread_no_signal_is_touched(tmp_path: Path, handlers: list[int]) -> None:
    before, seen, failures = signal.getsignal(signal.SIGINT), [], []
    toy = Toy(before=lambda epoch, unit: seen.append(signal.getsignal(signal.SIGINT)))

    def train() -> None:
        try:
            run(tmp_path, toy)
        except SeqkitError as error:
            failures.append(error)

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert not failures
    assert toy.trained == ALL
    assert set(seen) == {before}
