"""A CBOW model as the training loop sees it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from seqkit.embeddings.cbow.config import CBOWConfig, choose_geometry
from seqkit.embeddings.cbow.kernel import CBOWKernel
from seqkit.embeddings.negative_sampling.trainer import BlockTrainer
from seqkit.embeddings.skipgram.trainer import initial_tables
from seqkit.text.corpus import EncodedCorpus
from seqkit.training.device import Device

GAIN = 2.0
"""What a step's learning rate is of the rate set for word2vec, which sees each update in the next one.

Found on 5 M words of Simple English Wikipedia at the default rate: with 1, 1.5 or 1.6 in the place of 2
analogies stay below gensim's, with 2 all scores are about its own (`benchmarks/cbow.py`).
"""


class CBOWTrainer(BlockTrainer):
    """Trains CBOW on an encoded corpus; its loss is of a word with its noise.

    Args:
        corpus: ids and counts; its held-out ids serve for validation.
        config: the hyper-parameters.
        device: where to compute.
        initial: tables "vectors" and "context" to begin with, each of shape (vocabulary, vector_size); None
            for word2vec's: vectors uniform on ±1/(2·vector_size), contexts 0.

    Raises:
        CorpusError: no line has two words of the vocabulary.
    """

    def __init__(
        self,
        corpus: EncodedCorpus,
        config: CBOWConfig,
        device: Device,
        initial: Mapping[str, NDArray[np.float32]] | None = None,
    ) -> None:
        geometry = choose_geometry(config.window, config.negative, corpus.kept_tokens)
        tables = initial or initial_tables(len(corpus.vocabulary), config)
        with device.scope():
            kernel = CBOWKernel(tables["vectors"], tables["context"], config, geometry, device.threads)
        super().__init__(kernel, corpus, config, geometry, GAIN, device)
