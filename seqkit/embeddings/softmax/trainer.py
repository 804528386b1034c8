"""A model of AdaGrad tables as the training loop sees it: a unit is a chunk of the corpus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from seqkit.embeddings.chunk_trainer import Chunks, ChunkTrainer, Kernel, Schedule
from seqkit.embeddings.methods import OPTIMIZER
from seqkit.embeddings.softmax.adagrad import AdagradTable
from seqkit.errors import UsageError
from seqkit.training.device import Device


class AdagradKernel(Kernel, Protocol):
    """Tables and the compiled steps that train them."""

    tables: dict[str, AdagradTable]

    def train(self, planned: Any, learning_rates: tuple[float, float]) -> tuple[float, float]:
        """Trains a chunk; the loss, each step's before its update, and how many predictions it sums up."""


class AdagradTrainer(ChunkTrainer):
    """Trains the tables of a kernel; its loss is of a prediction.

    The arguments are those of `ChunkTrainer`.
    """

    def __init__(
        self,
        kernel: AdagradKernel,
        chunks: Chunks,
        held_out: Chunks | None,
        schedule: Schedule,
        device: Device,
    ) -> None:
        super().__init__(kernel, chunks, held_out, schedule, device)
        self._adagrad = kernel

    def state(self) -> dict[str, NDArray[np.float32]]:
        """All tables by the names that they have in a bundle, and what the optimizer keeps of each."""
        tables = self._adagrad.tables
        values = {name: table.value.numpy() for name, table in tables.items()}
        return values | {OPTIMIZER + name: table.squares.numpy() for name, table in tables.items()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes back a state."""
        for name, table in self._adagrad.tables.items():
            table.value.assign(state[name])
            table.squares.assign(state[OPTIMIZER + name])

    def _train(self, planned: Any, learning_rates: tuple[float, float]) -> tuple[float, float]:
        return self._adagrad.train(planned, learning_rates)


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
