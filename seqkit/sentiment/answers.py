"""What a model says of texts in numbers, and processes that say it.

A request to a process is a batch of texts, the data of `Lines`; its reply has the arrays of `Answers`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqkit._workers import Part, Worker, Workers, answer_requests
from seqkit.errors import UsageError
from seqkit.sentiment.lines import Lines

Answered = tuple[Sequence[str], "Answers"]


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model says of some texts.

    Args:
        probabilities: calibrated, (texts, labels), float64.
        known: tokens that the model knows, (texts,), int64.
        tokens: (texts,), int64.
    """

    probabilities: NDArray[np.float64]
    known: NDArray[np.int64]
    tokens: NDArray[np.int64]

    def best(self, threshold: float) -> NDArray[np.int64]:
        """The likeliest label of each text; -1 where no token is known, or the label is less probable.

        Args:
            threshold: the least probability, 0 to 1, that an answer must have to be given.

        Raises:
            UsageError: a threshold out of range.
        """
        if not 0 <= threshold <= 1:
            raise UsageError(f"threshold must be from 0 to 1, not {threshold}")
        given = (self.known > 0) & (self.probabilities.max(axis=1) >= threshold)
        return np.where(given, self.probabilities.argmax(axis=1), -1)


def serve(bundle: str) -> None:
    """The body of a process.

    Args:
        bundle: the model.
    """
    from seqkit.sentiment.model import SentimentModel

    model = SentimentModel.load(bundle)

    def answer(lines: bytes) -> list[Part]:
        found = model.answers(Lines(lines))
        return [array.tobytes() for array in (found.probabilities, found.known, found.tokens)]

    answer_requests(answer)


@contextmanager
def answering(
    bundle: Path, labels: int, processes: int
) -> Iterator[Callable[[Iterable[Sequence[str] | None]], Iterator[Answered]]]:
    """Starts processes; within the context what it gives has them answer batches of texts, in order.

    Args:
        bundle: the model.
        labels: how many it has.
        processes: how many.

    Raises:
        StorageError: a process cannot be started.
    """

    def ask(worker: Worker, texts: Sequence[str]) -> Answered:
        found, known, tokens = worker.ask(Lines.of(texts).data)
        probabilities = np.frombuffer(found, np.float64).reshape(-1, labels)
        return texts, Answers(probabilities, np.frombuffer(known, np.int64), np.frombuffer(tokens, np.int64))

    with Workers(__name__, str(bundle), processes) as workers:
        yield lambda batches: workers.map(ask, batches, processes + 1)
