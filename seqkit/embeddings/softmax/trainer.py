"""A model of AdaGrad tables as the training loop sees it: a unit is a chunk of the corpus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit.embeddings.chunk_trainer import Chunks, ChunkTrainer, Schedule
from seqkit.embeddings.methods import OPTIMIZER
from seqkit.embeddings.softmax.kernel import AdagradKernel
from seqkit.training.device import Device


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
