"""Texts answered by processes: the same answers, in order; faults in their place; no process stays."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from seqkit.errors import SeqkitError, UsageError
from seqkit.sentiment import model as module
from seqkit.sentiment.model import SentimentModel

BATCH = 8
HERE = (module.FEW + module.STARTING) * BATCH  # texts that no process sees


@pytest.fixture(scope="module")
def model(toy_bundle: Path) -> SentimentModel:
    return SentimentModel.load(toy_bundle)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", BATCH)


def children() -> set[str]:
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())


def stream() -> Iterator[str]:
    words = itertools.cycle(["lovely", "awful\nand\rdull", "", "xyz", "good \ud800", "b\u0085ad", "dull\0"])
    for number, word in enumerate(words):
        yield f"the film was {word} {number % 5}" if word else ""


@pytest.mark.parametrize("count", [HERE - 1, HERE, HERE + 1, HERE + 40 * BATCH + 3])
def test_answers_are_those_of_this_process(model: SentimentModel, count: int) -> None:
    before = children()
    texts = list(itertools.islice(stream(), count))
    assert list(model.classify(texts, processes=2)) == list(model.classify(texts))
    assert children() == before


def test_few_texts_start_no_process(model: SentimentModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(module, "answering")
    texts = ["the film was good"] * (module.FEW * BATCH)
    assert len(list(model.classify(texts, processes=2))) == len(texts)


def test_what_comes_slowly_is_answered_at_once_and_starts_no_process(
    model: SentimentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(module, "answering")
    given: list[list[str]] = []

    def batches() -> Iterator[list[str] | None]:
        for _ in range(4):
            for text in ["the film was good"] * (module.FEW - 1):
                given.append([text])
                yield given[-1]
            yield None

    count = 0
    for count, (texts, answers) in enumerate(model.answered(batches(), 2), 1):
        assert texts is given[count - 1]
        assert len(answers.known) == 1
        assert len(given) <= -(-count // (module.FEW - 1)) * (module.FEW - 1)
    assert count == len(given) == 4 * (module.FEW - 1)


def test_processes_answer_before_they_wait(model: SentimentModel) -> None:
    texts = [[text] for text in itertools.islice(stream(), 40)]
    given = 0

    def batches() -> Iterator[list[str] | None]:
        nonlocal given
        for given, batch in enumerate(texts, 1):
            yield batch
            if given % 10 == 0:
                yield None

    found = model.answered(batches(), 2)
    for number, (batch, answers) in enumerate(found):
        assert batch == texts[number]
        np.testing.assert_array_equal(answers.probabilities, model.answers(batch).probabilities)
        assert given <= (number // 10 + 1) * 10


def test_an_error_of_the_texts_comes_after_the_answers_before_it(model: SentimentModel) -> None:
    def texts() -> Iterator[str]:
        yield from itertools.islice(stream(), HERE + 10 * BATCH)
        raise OSError("gone")

    found = model.classify(texts(), processes=2)
    assert len([next(found) for _ in range(HERE + 10 * BATCH)]) == HERE + 10 * BATCH
    with pytest.raises(OSError, match="gone"):
        next(found)


def test_an_abandoned_stream_ends_the_processes(model: SentimentModel) -> None:
    before = children()
    found = model.classify(stream(), processes=2)
    for _ in range(HERE + BATCH):
        next(found)
    assert len(children() - before) == 2
    found.close()
    assert children() == before


def test_a_process_that_is_killed_is_an_error_not_a_hang(model: SentimentModel) -> None:
    before = children()
    found = model.classify(stream(), processes=2)
    for _ in range(HERE + BATCH):
        next(found)
    for child in children() - before:
        os.kill(int(child), signal.SIGKILL)
    with pytest.raises(SeqkitError, match=r"a worker ended by itself \(exit code -9\)"):
        for _ in itertools.islice(found, 100 * BATCH):
            pass
    assert children() == before


def test_processes_are_at_least_one(model: SentimentModel) -> None:
    with pytest.raises(UsageError, match="processes must be from 1 to 512, not 0"):
        next(model.classify([""], processes=0))
