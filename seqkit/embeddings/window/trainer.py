"""The window model as the training loop sees it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqkit.embeddings.chunk_trainer import Schedule
from seqkit.embeddings.negative_sampling.chunks import check_pairs, check_sample
from seqkit.embeddings.softmax.steps import check_vocabulary, step_size, unit_ids
from seqkit.embeddings.softmax.trainer import AdagradTrainer
from seqkit.embeddings.window.batches import BatchMaker, noise_probabilities
from seqkit.embeddings.window.config import WindowConfig
from seqkit.embeddings.window.kernel import WindowKernel
from seqkit.text.corpus import EncodedCorpus
from seqkit.training.device import Device

VECTOR_RANGE = 0.05
"""Vectors are uniform on ± this at first."""


class WindowTrainer(AdagradTrainer):
    """Trains the window model on an encoded corpus.

    Args:
        corpus: ids and counts; its held-out ids serve for validation.
        config: the hyper-parameters.
        device: where to compute.

    Raises:
        CorpusError: no line has two words of the vocabulary.
        UsageError: too many words for the exact softmax, or none that sub-sampling leaves.
    """

    def __init__(self, corpus: EncodedCorpus, config: WindowConfig, device: Device) -> None:
        check_pairs(corpus.ids)
        counts = corpus.vocabulary.counts
        check_sample(counts, config.sample, config.epochs)
        if config.softmax == "exact":
            check_vocabulary(len(counts), "--softmax sampled")
        scores = len(counts) if config.softmax == "exact" else config.negative
        step, chunk_ids = step_size(corpus.kept_tokens, scores), unit_ids(scores)
        tables, probabilities = initial_tables(counts, config), noise_probabilities(counts)
        with device.scope():
            kernel = WindowKernel(tables, config, step, probabilities)
        chunks, held_out = (
            BatchMaker(ids, counts, config, step, chunk_ids) for ids in (corpus.ids, corpus.held_out_ids)
        )
        schedule = Schedule(config.epochs, config.learning_rate, corpus.tokens)
        super().__init__(kernel, chunks, held_out if len(corpus.held_out_ids) else None, schedule, device)


def initial_tables(counts: NDArray[np.int64], config: WindowConfig) -> dict[str, NDArray[np.float32]]:
    """The tables before training.

    The output kernel is 0 and the output bias the logarithm of the relative counts, so that the model begins
    with the words' frequencies.

    Args:
        counts: of each word, shape (vocabulary,).
        config: the hyper-parameters.
    """
    rng = np.random.default_rng([config.seed, 2])
    hidden, inputs = config.hidden_units, len(config.offsets) * config.vector_size
    vectors = rng.uniform(-VECTOR_RANGE, VECTOR_RANGE, (len(counts), config.vector_size))
    limit = np.sqrt(6 / (inputs + hidden))  # Glorot & Bengio 2010
    at_least_one = np.maximum(counts, 1)
    return {
        "vectors": vectors.astype(np.float32),
        "hidden_kernel": rng.uniform(-limit, limit, (inputs, hidden)).astype(np.float32),
        "hidden_bias": np.zeros(hidden, np.float32),
        "output_kernel": np.zeros((len(counts), hidden), np.float32),
        "output_bias": np.log(at_least_one / at_least_one.sum()).astype(np.float32),
    }
