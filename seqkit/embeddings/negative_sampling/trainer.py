"""A model with negative sampling as the training loop sees it: a unit is a chunk of the corpus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit.embeddings.chunk_trainer import ChunkTrainer, Schedule
from seqkit.embeddings.negative_sampling.chunks import ChunkMaker, check_pairs, check_sample
from seqkit.embeddings.negative_sampling.kernel import BlockKernel, PlannedChunk
from seqkit.embeddings.skipgram.config import Geometry, NegativeSamplingConfig
from seqkit.text.corpus import EncodedCorpus
from seqkit.training.device import Device

LOSS_STEPS = 2
"""Steps of each chunk on which the training loss is taken, before the chunk is trained."""


class BlockTrainer(ChunkTrainer):
    """Trains two tables on an encoded corpus.

    Args:
        kernel: the tables and their steps.
        corpus: ids and counts; its held-out ids serve for validation.
        config: the hyper-parameters.
        geometry: of a step.
        gain: what a step's learning rate is of the one that is set.
        device: where to compute.

    Raises:
        CorpusError: no line has two words of the vocabulary.
        UsageError: sub-sampling leaves nothing.
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
        check_sample(counts, config.sample, config.epochs)
        chunks, held_out = (
            ChunkMaker(ids, counts, config, geometry) for ids in (corpus.ids, corpus.held_out_ids)
        )
        schedule = Schedule(config.epochs, config.learning_rate, corpus.tokens)
        super().__init__(kernel, chunks, held_out if len(corpus.held_out_ids) else None, schedule, device)
        self._blocks, self._gain = kernel, gain

    def state(self) -> dict[str, NDArray[np.float32]]:
        """Both tables, by the names that they have in a bundle."""
        return {"vectors": self._blocks.vectors.numpy(), "context": self._blocks.contexts.numpy()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes back both tables."""
        self._blocks.vectors.assign(state["vectors"])
        self._blocks.contexts.assign(state["context"])

    def _train(self, planned: PlannedChunk, learning_rates: tuple[float, float]) -> tuple[float, float]:
        begin, end = learning_rates
        loss = self._blocks.loss(planned, LOSS_STEPS)
        self._blocks.train(planned, (self._gain * begin, self._gain * end))
        return loss
