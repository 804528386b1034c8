"""A model that is trained chunk by chunk, as the training loop sees it: a unit is a chunk of the corpus."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from seqkit.embeddings.methods import OPTIMIZER
from seqkit.embeddings.softmax.adagrad import AdagradTable
from seqkit.errors import UsageError
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
    """Tables and the compiled steps that train them."""

    tables: dict[str, AdagradTable]

    def plan(self, chunk: Any) -> Any:
        """A chunk as tensors; another thread may plan the next one meanwhile."""

    def train(self, planned: Any, learning_rates: tuple[float, float]) -> tuple[float, float]:
        """Trains a chunk; the loss, each step's before its update, and how many predictions it sums up."""

    def loss(self, planned: Any) -> tuple[float, float]:
        """The same, without training."""


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


class ChunkTrainer:
    """Trains a kernel; while TensorFlow trains a chunk, another thread plans the next one.

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
        """Trains one chunk; the loss is of a prediction, in nats."""
        planned = self._planned(epoch, unit)
        begin, end = (self._schedule.rate(epoch, done / self.units) for done in (unit, unit + 1))
        with self._device.scope():
            loss, count = self._kernel.train(planned, (begin, end))
        return UnitReport(loss / count if count else 0.0, end)

    def validation_loss(self) -> float | None:
        """The loss of a prediction on the held-out text, with the same draws every time."""
        if self._held_out is None:
            return None
        loss = count = 0.0
        for chunk in range(self._held_out.chunks):
            with self._device.scope():
                sums = self._kernel.loss(self._kernel.plan(self._held_out.make(0, chunk)))
            loss, count = loss + sums[0], count + sums[1]
        return loss / count if count else None

    def state(self) -> dict[str, NDArray[np.float32]]:
        """All tables by the names that they have in a bundle, and what the optimizer keeps of each."""
        tables = self._kernel.tables
        values = {name: table.value.numpy() for name, table in tables.items()}
        return values | {OPTIMIZER + name: table.squares.numpy() for name, table in tables.items()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes back a state."""
        for name, table in self._kernel.tables.items():
            table.value.assign(state[name])
            table.squares.assign(state[OPTIMIZER + name])

    def close(self) -> None:
        """Ends the planning thread."""
        self._planner.shutdown(cancel_futures=True)

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


def with_initial(
    tables: dict[str, NDArray[np.float32]], initial: Mapping[str, NDArray[np.float32]] | None
) -> dict[str, NDArray[np.float32]]:
    """Tables, those that `initial` has replaced by it; names that `tables` has not are left out.

    Raises:
        UsageError: a table of another shape.
    """
    given = {name: table for name, table in (initial or {}).items() if name in tables}
    for name, table in given.items():
        if table.shape != tables[name].shape:
            raise UsageError(
                f"the initial table {name} must have the shape {tables[name].shape}, not {table.shape}"
            )
    return tables | given
