"""Estimating a run of a language model: what it says against the run itself, and that it leaves nothing."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from seqkit.corpora import open_corpus
from seqkit.errors import CorpusError, MissingInputError, UsageError
from seqkit.language_model import estimate as module
from seqkit.language_model.config import NetworkConfig, TextConfig
from seqkit.language_model.estimate import estimate
from seqkit.language_model.training import RunConfig, TrainingConfig, train
from seqkit.training.estimating import rate_of

NETWORK = NetworkConfig(layers=1, units=8)


@pytest.fixture
def text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A text, and a temporary folder that can be looked into."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(module, "SAMPLE_SECONDS", 0.2)
    path = tmp_path / "text.txt"
    path.write_text("".join(f"{line}\n" for line in open_corpus("kingdom", size=500)))
    return path


def nothing_left(text: Path) -> bool:
    return not os.listdir(text.parent / "temporary")


@pytest.mark.slow
@pytest.mark.parametrize("lines", [False, True])
def test_against_the_run(lines: bool, text: Path) -> None:
    training = TrainingConfig(epochs=2, bptt=16)
    options: Any = {"text": TextConfig(lines=lines), "training": training}
    found = estimate([text], NETWORK, **options)
    assert nothing_left(text)
    report = train([text], text.with_name("b"), NETWORK, **options)
    of_run = (report.vocabulary, report.tokens, report.parameters)
    assert (found.vocabulary, found.tokens, found.parameters) == of_run
    # On updates of milliseconds, on a machine with other work: the order of magnitude.
    assert report.seconds / 10 < found.seconds < 10 * report.seconds
    assert found.seconds_error >= 0.2 * found.seconds
    assert 100 * 2**20 < found.memory_bytes < 64 * 2**30  # TensorFlow alone takes more than the first


@pytest.mark.slow
def test_updates_and_epochs(text: Path) -> None:
    few, many = (
        estimate([text], NETWORK, training=TrainingConfig(epochs=epochs, batch_size=10, bptt=20))
        for epochs in (1, 1000)
    )
    assert few.updates == many.updates == -(-(few.tokens // 10) // 20)
    assert many.seconds > 10 * few.seconds  # compiling comes once


def test_each_shape_compiles_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Updates of one piece of work each, a second on average; 4 s more for a shape that is new."""
    now, took = [0.0], iter([5.0, 0.5, 5.0, 1.5, 1.0])
    shapes = [(2, 8), (2, 8), (2, 16), (2, 8), (2, 16), (2, 8)]

    def train_group(epoch: int, group: int, rate: float) -> tuple[list[float], list[int]]:
        now[0] += next(took)
        return [0.0], [1]

    trainer: Any = SimpleNamespace(
        epochs=3,
        batches=SimpleNamespace(batch=lambda epoch, step: (np.zeros(shapes[step]),)),
        groups=lambda epoch: len(shapes),
        steps=lambda epoch, group: range(group, group + 1),
        rate=lambda epoch, group: 0.1,
        work=lambda epoch, unit: 6.0 * epoch,
        train_group=train_group,
    )
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(module, "SAMPLE_SECONDS", 3.0)
    found, error = module._timed(trainer)
    assert found == pytest.approx(2 * 4 + 18)
    assert error == rate_of([1, 1, 1], [0.5, 1.5, 1.0])[1]


@pytest.mark.slow
def test_a_copy_of_the_state_is_in_the_memory(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqkit.training.estimating.resident", lambda: 1000)
    found = estimate([text], NETWORK, training=TrainingConfig(epochs=1))
    # Adam has two numbers beside each weight.
    assert found.memory_bytes >= 1000 + 3 * 4 * found.parameters


def test_faults_leave_nothing_either(text: Path) -> None:
    with pytest.raises(MissingInputError):
        estimate([text.with_name("missing")])
    with pytest.raises(CorpusError, match="too few for batches of 100000"):
        estimate([text], NETWORK, training=TrainingConfig(batch_size=100_000))
    with pytest.raises(UsageError, match="patience needs text to validate on"):
        estimate([text], run=RunConfig(patience=1))
    assert nothing_left(text)
