"""Skip-gram with the exact softmax in TensorFlow, and as the training loop sees it.

`skipgram_reference.py` has the equations, pair by pair. Here the scores of a centre are computed once for all
its contexts: a step of B centres is three products (`seqkit.embeddings.softmax.exact`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from seqkit.embeddings.chunk_trainer import Schedule
from seqkit.embeddings.negative_sampling.chunks import check_pairs, check_sample
from seqkit.embeddings.softmax.adagrad import ROW_PLAN, AdagradTable, planned_rows, summed_rows
from seqkit.embeddings.softmax.exact import SoftmaxGradients, exact_softmax
from seqkit.embeddings.softmax.kernel import AdagradKernel, Planned, Tables
from seqkit.embeddings.softmax.skipgram import CentreMaker, Centres, SoftmaxConfig
from seqkit.embeddings.softmax.steps import check_vocabulary, step_size, unit_ids
from seqkit.embeddings.softmax.trainer import AdagradTrainer
from seqkit.text.corpus import EncodedCorpus
from seqkit.training.device import Device

VECTOR_RANGE = 0.05
"""Vectors are uniform on ± this at first."""


@dataclass(frozen=True)
class _Steps:
    """Steps of so many centres; the names of its settings are those of `SoftmaxConfig`."""

    vector_size: int
    window: int
    precision: str
    centres: int

    def tables(self) -> Tables:
        return {name: AdagradTable.stand_in(self.vector_size) for name in ("vectors", "context")}

    def plan(self) -> Planned:
        contexts = [None, self.centres, 2 * self.window]
        return {
            "words": tf.TensorSpec([None, self.centres], tf.int32),
            "contexts": tf.TensorSpec(contexts, tf.int32),
            "weights": tf.TensorSpec(contexts, tf.float32),
            "rows": ROW_PLAN,
        }

    def step(self, number: Any, tables: Tables, plan: Planned, learning_rate: Any) -> Any:
        found = self._gradients(number, tables, plan)
        tables["context"].update(found.table, learning_rate)
        tables["vectors"].update_rows(*summed_rows(plan["rows"], number, found.inputs), learning_rate)
        return found.loss

    def step_loss(self, number: Any, tables: Tables, plan: Planned) -> Any:
        return self._gradients(number, tables, plan).loss

    def _gradients(self, number: Any, tables: Tables, plan: Planned) -> SoftmaxGradients:
        centres = tf.gather(tables["vectors"].value, plan["words"][number])
        contexts, weights = plan["contexts"][number], plan["weights"][number]
        product_type = tf.as_dtype(self.precision)
        return exact_softmax(centres, tables["context"].value, None, contexts, weights, product_type)


class SoftmaxKernel(AdagradKernel):
    """Two tables and the compiled steps that train them; its loss is of a pair.

    Args:
        tables: initial "vectors" and "context", each of shape (vocabulary, vector_size).
        config: window and precision.
        step: centres of a step, a multiple of `LANES`.
    """

    def __init__(self, tables: dict[str, NDArray[np.float32]], config: SoftmaxConfig, step: int) -> None:
        super().__init__(tables, _Steps(config.vector_size, config.window, config.precision, step))
        self._vocabulary = len(tables["vectors"])

    def plan(self, chunk: Centres) -> Planned:
        """What `train` and `loss` take; another thread may plan the next chunk meanwhile."""
        return {
            "words": tf.constant(chunk.words),
            "contexts": tf.constant(chunk.contexts),
            "weights": tf.constant(chunk.weights),
            "rows": planned_rows(chunk.words, self._vocabulary),
        }


class SoftmaxSkipGramTrainer(AdagradTrainer):
    """Trains two tables on an encoded corpus.

    Args:
        corpus: ids and counts; its held-out ids serve for validation.
        config: the hyper-parameters.
        device: where to compute.

    Raises:
        CorpusError: no line has two words of the vocabulary.
        UsageError: too many words for the exact softmax.
    """

    def __init__(self, corpus: EncodedCorpus, config: SoftmaxConfig, device: Device) -> None:
        check_pairs(corpus.ids)
        check_sample(corpus.vocabulary.counts, config.sample, config.epochs)
        counts = corpus.vocabulary.counts
        check_vocabulary(len(counts), "negative sampling (--objective negative-sampling)")
        step, chunk_ids = step_size(corpus.kept_tokens, len(counts)), unit_ids(len(counts))
        with device.scope():
            kernel = SoftmaxKernel(initial_tables(len(counts), config), config, step)
        chunks, held_out = (
            CentreMaker(ids, counts, config, step, chunk_ids) for ids in (corpus.ids, corpus.held_out_ids)
        )
        schedule = Schedule(config.epochs, config.learning_rate, corpus.tokens)
        super().__init__(kernel, chunks, held_out if len(corpus.held_out_ids) else None, schedule, device)


def initial_tables(vocabulary: int, config: SoftmaxConfig) -> dict[str, NDArray[np.float32]]:
    """The tables before training: vectors uniform on ±`VECTOR_RANGE`, contexts 0."""
    rng = np.random.default_rng([config.seed, 2])
    shape = vocabulary, config.vector_size
    vectors = rng.uniform(-VECTOR_RANGE, VECTOR_RANGE, shape).astype(np.float32)
    return {"vectors": vectors, "context": np.zeros(shape, np.float32)}
