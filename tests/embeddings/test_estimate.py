"""Estimating a run: what it says against the run itself, and that it leaves nothing."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqkit.corpora import open_corpus
from seqkit.embeddings import estimate as module
from seqkit.embeddings.cooccurrence.building import count_sources
from seqkit.embeddings.estimate import estimate
from seqkit.embeddings.material import CorpusConfig
from seqkit.embeddings.methods import METHODS
from seqkit.embeddings.training import RunConfig, train
from seqkit.errors import CorpusError, MissingInputError, UsageError
from seqkit.training import estimating
from seqkit.training.estimating import rate_of

RUN = RunConfig(threads=2)


@pytest.fixture
def text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A text, and a temporary folder that can be looked into."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(module, "SAMPLE_SECONDS", 0.3)
    path = tmp_path / "text.txt"
    path.write_text("".join(f"{line}\n" for line in open_corpus("kingdom", size=2000)))
    return path


def nothing_left(text: Path) -> bool:
    return sorted(os.listdir(text.parent)) == ["temporary", "text.txt"] and not os.listdir(
        text.parent / "temporary"
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["skipgram", "window", "glove"])
def test_against_the_run(name: str, text: Path) -> None:
    config: Any = METHODS[name].configured({"vector_size": 16, "epochs": 3})
    # What has been compiled stays in the process: neither the run nor what is compared with it compiles.
    estimate([text], config, run=RUN)
    found = estimate([text], config, run=RUN)
    assert nothing_left(text)
    report = train([text], text.with_name("b"), config, run=RUN)
    assert (found.vocabulary, found.tokens) == (report.vocabulary, report.words)
    # On units of milliseconds, on a machine with other work: the order of magnitude.
    assert report.seconds / 10 < found.seconds < 10 * report.seconds
    assert found.seconds_error >= 0.2 * found.seconds
    assert 100 * 2**20 < found.memory_bytes < 64 * 2**30  # TensorFlow alone takes more than the first


def test_tokens_after_subsampling(text: Path) -> None:
    """Of a word with relative frequency f stay √(t/f) + t/f, at most all: here with t = 0.01."""
    text.write_text("the a the b\n" * 50 + "rare\n")  # f = 1/2, 1/4, 1/4 of 200
    expected = 100 * (np.sqrt(0.02) + 0.02) + 2 * 50 * (np.sqrt(0.04) + 0.04)
    found = estimate([text], METHODS["skipgram"].configured({"sample": 0.01, "vector_size": 4}), run=RUN)
    assert (found.tokens, found.vocabulary) == (201, 3)
    assert found.tokens_after_subsampling == round(expected)
    all_kept = estimate([text], METHODS["glove"].configured({"vector_size": 4}), run=RUN)
    assert all_kept.tokens_after_subsampling == 200


@pytest.mark.slow
def test_more_work_takes_more(text: Path) -> None:
    few, many = (
        estimate([text], METHODS["skipgram"].configured({"vector_size": 16, "epochs": epochs}), run=RUN)
        for epochs in (1, 1000)
    )
    assert many.seconds > 10 * few.seconds  # compiling comes once


def test_compiling_comes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Units of one piece of work each, a second on average; the first compiles for four."""
    now, took = [0.0], iter([5.0, 0.5, 1.5, 0.5, 1.5, 1.0])

    class Trainer:
        units, epochs = 10, 2

        def work(self, epoch: int, unit: int) -> float:
            return 10 * epoch + unit

        def train_unit(self, epoch: int, unit: int) -> None:
            now[0] += next(took)

    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])
    found, error = module._timed(Trainer())  # type: ignore[arg-type]
    assert found == pytest.approx(4 + 20)
    assert error == rate_of([1] * 5, [0.5, 1.5, 0.5, 1.5, 1.0])[1] > 0.5


def test_tables_are_in_the_memory(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two float32 tables, and as much again for a checkpoint: their copy is told on top of what is there."""
    monkeypatch.setattr(estimating, "resident", lambda: 1000)
    found = estimate([text], METHODS["skipgram"].configured({"vector_size": 16}), run=RUN)
    assert found.memory_bytes == 1000 + 2 * 4 * 16 * found.vocabulary


def test_going_on_and_counts(text: Path) -> None:
    config = METHODS["glove"].configured({"vector_size": 8, "epochs": 1})
    train([text], text.with_name("b"), config, run=RUN)
    count_sources([text], text.with_name("counts"))
    found = estimate([text.with_name("counts")], config, run=RUN, init=text.with_name("b"))
    assert found.vocabulary == estimate([text], config, run=RUN).vocabulary
    with pytest.raises(UsageError, match="has vectors of 8 numbers"):
        estimate([text], METHODS["glove"].configured({}), run=RUN, init=text.with_name("b"))


def test_faults_leave_nothing_either(text: Path) -> None:
    with pytest.raises(MissingInputError):
        estimate([text.with_name("missing")], run=RUN)
    with pytest.raises(CorpusError):
        estimate([text], corpus=CorpusConfig(min_count=10**9), run=RUN)
    assert nothing_left(text)
