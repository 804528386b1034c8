"""A skip-gram model as the training loop sees it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqkit.embeddings.negative_sampling.trainer import BlockTrainer
from seqkit.embeddings.skipgram.config import Geometry, NegativeSamplingConfig, SkipGramConfig
from seqkit.embeddings.skipgram.kernel import SkipGramKernel
from seqkit.text.corpus import EncodedCorpus
from seqkit.training.device import Device

GAIN = 1.2
"""What a step's learning rate is of the rate set for word2vec, which sees each update in the next one.

A step adds up gradients at one state of the tables and holds back frequent rows (see `plan.py`), so at the
same rate it learns a little less. With this factor similarities and analogies come out as gensim's at the
same setting (`benchmarks/skipgram.py`); with 2, SimLex-999 falls.
"""


class SkipGramTrainer(BlockTrainer):
    """Trains skip-gram on an encoded corpus; its loss is of a pair with its noise.

    Args:
        corpus: ids and counts; its held-out ids serve for validation.
        config: the hyper-parameters.
        device: where to compute.

    Raises:
        CorpusError: no line has two words of the vocabulary.
    """

    def __init__(self, corpus: EncodedCorpus, config: SkipGramConfig, device: Device) -> None:
        geometry = Geometry.choose(config.window, config.negative, corpus.kept_tokens)
        tables = initial_tables(len(corpus.vocabulary), config)
        with device.scope():
            kernel = SkipGramKernel(tables["vectors"], tables["context"], config, geometry, device.threads)
        super().__init__(kernel, corpus, config, geometry, GAIN, device)


def initial_tables(vocabulary: int, config: NegativeSamplingConfig) -> dict[str, NDArray[np.float32]]:
    """word2vec's tables before training: vectors uniform on ±1/(2·vector_size), contexts 0."""
    rng = np.random.default_rng([config.seed, 2])
    shape = vocabulary, config.vector_size
    vectors = (rng.random(shape, dtype=np.float32) - np.float32(0.5)) / np.float32(config.vector_size)
    return {"vectors": vectors, "context": np.zeros(shape, np.float32)}
