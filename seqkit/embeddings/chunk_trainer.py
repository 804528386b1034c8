"""A model that is trained chunk by chunk, as the training loop sees it: a unit is a chunk of the corpus."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from seqkit.training.device import Device
from seqkit.training.loop import UnitReport

FINAL_RATE = 1e-4
"""The learning rate ends at this fraction of the first one, as in word2vec.c."""


class Chunks(Protocol):
    """What makes the chunks of a text; each is a pure function of the seed, the epoch and its number."""

    chunks: int

    def order(self, epoch: int) -> NDArray[np.int64]:
        """The order in which an epoch takes the chunks."""

    def make(self, epoch: int, chunk: int) -> Any:
        """One chunk of one epoch."""


class Kernel(Protocol):
    """What plans a chunk, and tells its loss."""

    def plan(self, chunk: Any) -> Any:
        """A chunk as tensors; another thread may plan the next one meanwhile."""

    def loss(self, planned: Any) -> tuple[float, float]:
        """The summed loss of a chunk, and what to divide it by."""


@dataclass(frozen=True)
class Schedule:
    """How long a run is.

    Args:
        epochs: passes over the corpus.
        learning_rate: of the first step; it falls linearly.
        tokens: of the text, the measure of work.
    """

    epochs: int
    learning_rate: float
    tokens: int

    def rate(self, epoch: int, share: float) -> float:
        """The learning rate when a share of an epoch is done."""
        return self.learning_rate * max(FINAL_RATE, 1 - (epoch + share) / self.epochs)


class ChunkTrainer(ABC):
    """Trains a kernel; while TensorFlow trains a chunk, another thread plans the next one.

    How a chunk is trained, and what the state is, is in the subclasses.

    Args:
        kernel: what is trained.
        chunks: of the training text.
        held_out: of the held-out text; None where there is none.
        schedule: how long.
        device: where to compute.
    """

    def __init__(
        self, kernel: Kernel, chunks: Chunks, held_out: Chunks | None, schedule: Schedule, device: Device
    ) -> None:
        self._kernel, self._chunks, self._held_out = kernel, chunks, held_out
        self._schedule, self._device = schedule, device
        self._planner = ThreadPoolExecutor(1, thread_name_prefix="plan")
        self._next: tuple[tuple[int, int], Future[Any]] | None = None

    @property
    def epochs(self) -> int:
        """Epochs of the run."""
        return self._schedule.epochs

    @property
    def units(self) -> int:
        """Chunks of the corpus."""
        return self._chunks.chunks

    def work(self, epoch: int, unit: int) -> float:
        """Words of the corpus done, before sub-sampling."""
        return self._schedule.tokens * (epoch + unit / self.units)

    def train_unit(self, epoch: int, unit: int) -> UnitReport:
        """Trains one chunk; the loss is the mean of the method, in nats."""
        planned = self._planned(epoch, unit)
        begin, end = (self._schedule.rate(epoch, done / self.units) for done in (unit, unit + 1))
        with self._device.scope():
            loss, count = self._train(planned, (begin, end))
        return UnitReport(loss / count if count else 0.0, end)

    def validation_loss(self) -> float | None:
        """The mean loss on the held-out text, with the same draws every time."""
        if self._held_out is None:
            return None
        loss = count = 0.0
        for chunk in range(self._held_out.chunks):
            with self._device.scope():
                sums = self._kernel.loss(self._kernel.plan(self._held_out.make(0, chunk)))
            loss, count = loss + sums[0], count + sums[1]
        return loss / count if count else None

    @abstractmethod
    def state(self) -> dict[str, NDArray[np.float32]]:
        """All tables by the names that they have in a bundle, and what else the next chunk depends on."""

    @abstractmethod
    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes back a state."""

    def close(self) -> None:
        """Ends the planning thread."""
        self._planner.shutdown(cancel_futures=True)

    @abstractmethod
    def _train(self, planned: Any, learning_rates: tuple[float, float]) -> tuple[float, float]:
        """Trains a chunk; a loss from before the updates, and what to divide it by."""

    def _planned(self, epoch: int, unit: int) -> Any:
        wanted, self._next = self._next, None
        if wanted is None or wanted[0] != (epoch, unit):
            wanted = (epoch, unit), self._planner.submit(self._plan, epoch, unit)
        planned = wanted[1].result()
        following = (epoch, unit + 1) if unit + 1 < self.units else (epoch + 1, 0)
        if following[0] < self.epochs:
            self._next = following, self._planner.submit(self._plan, *following)
        return planned

    def _plan(self, epoch: int, unit: int) -> Any:
        chunk = self._chunks.make(epoch, int(self._chunks.order(epoch)[unit]))
        with self._device.scope():
            return self._kernel.plan(chunk)
