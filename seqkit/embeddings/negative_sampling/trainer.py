"""A model with negative sampling as the training loop sees it: a unit is a chunk of the corpus."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit.embeddings.negative_sampling.chunks import ChunkMaker, check_pairs
from seqkit.embeddings.negative_sampling.kernel import BlockKernel, PlannedChunk
from seqkit.embeddings.skipgram.config import Geometry, NegativeSamplingConfig
from seqkit.text.corpus import EncodedCorpus
from seqkit.training.device import Device
from seqkit.training.loop import UnitReport

LOSS_STEPS = 2
"""Steps of each chunk on which the training loss is taken, before the chunk is trained."""

FINAL_RATE = 1e-4
"""The learning rate ends at this fraction of the first one, as in word2vec.c."""


class BlockTrainer:
    """Trains two tables on an encoded corpus.

    While TensorFlow trains a chunk, another thread plans the next one.

    Args:
        kernel: the tables and their steps.
        corpus: ids and counts; its held-out ids serve for validation.
        config: the hyper-parameters.
        geometry: of a step.
        gain: what a step's learning rate is of the one that is set.
        device: where to compute.

    Raises:
        CorpusError: no line has two words of the vocabulary.
    """

    def __init__(
        self,
        kernel: BlockKernel,
        corpus: EncodedCorpus,
        config: NegativeSamplingConfig,
        geometry: Geometry,
        gain: float,
        device: Device,
    ) -> None:
        check_pairs(corpus.ids)
        counts = corpus.vocabulary.counts
        self._kernel, self._config, self._gain, self._device = kernel, config, gain, device
        self._tokens = corpus.tokens
        self._maker = ChunkMaker(corpus.ids, counts, config, geometry)
        self._held_out = (
            ChunkMaker(corpus.held_out_ids, counts, config, geometry) if len(corpus.held_out_ids) else None
        )
        self._planner = ThreadPoolExecutor(1, thread_name_prefix="plan")
        self._next: tuple[tuple[int, int], Future[PlannedChunk]] | None = None

    @property
    def epochs(self) -> int:
        """Epochs of the run."""
        return self._config.epochs

    @property
    def units(self) -> int:
        """Chunks of the corpus."""
        return self._maker.chunks

    def work(self, epoch: int, unit: int) -> float:
        """Words of the corpus done, before sub-sampling."""
        return self._tokens * (epoch + unit / self.units)

    def train_unit(self, epoch: int, unit: int) -> UnitReport:
        """Trains one chunk; the loss is the mean of the method, in nats, before this training."""
        chunk = self._planned(epoch, unit)
        rates = self._learning_rate(epoch, unit), self._learning_rate(epoch, unit + 1)
        with self._device.scope():
            loss, pairs = self._kernel.loss(chunk, LOSS_STEPS)
            self._kernel.train(chunk, (self._gain * rates[0], self._gain * rates[1]))
        return UnitReport(loss / pairs if pairs else 0.0, rates[1])

    def validation_loss(self) -> float | None:
        """The mean loss on the held-out text, with the same draws every time."""
        if self._held_out is None:
            return None
        loss = pairs = 0.0
        for unit in range(self._held_out.chunks):
            with self._device.scope():
                chunk = self._kernel.plan(self._held_out.make(0, unit))
                sums = self._kernel.loss(chunk)
            loss, pairs = loss + sums[0], pairs + sums[1]
        return loss / pairs if pairs else None

    def state(self) -> dict[str, NDArray[np.float32]]:
        """Both tables, by the names that they have in a bundle."""
        return {"vectors": self._kernel.vectors.numpy(), "context": self._kernel.contexts.numpy()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes back both tables."""
        self._kernel.vectors.assign(state["vectors"])
        self._kernel.contexts.assign(state["context"])

    def close(self) -> None:
        """Ends the planning thread."""
        self._planner.shutdown(cancel_futures=True)

    def _planned(self, epoch: int, unit: int) -> PlannedChunk:
        wanted, self._next = self._next, None
        if wanted is None or wanted[0] != (epoch, unit):
            wanted = (epoch, unit), self._planner.submit(self._plan, epoch, unit)
        planned = wanted[1].result()
        following = (epoch, unit + 1) if unit + 1 < self.units else (epoch + 1, 0)
        if following[0] < self.epochs:
            self._next = following, self._planner.submit(self._plan, *following)
        return planned

    def _plan(self, epoch: int, unit: int) -> PlannedChunk:
        chunk = self._maker.make(epoch, int(self._maker.order(epoch)[unit]))
        with self._device.scope():
            return self._kernel.plan(chunk)

    def _learning_rate(self, epoch: int, unit: int) -> float:
        done = (epoch + unit / self.units) / self.epochs
        return self._config.learning_rate * max(FINAL_RATE, 1 - done)
