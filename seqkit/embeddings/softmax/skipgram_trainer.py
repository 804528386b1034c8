"""Skip-gram with the exact softmax in TensorFlow, and as the training loop sees it.

`softmax_reference.py` has the equations, pair by pair. Here the scores of a centre are computed once for all
its contexts: a step of B centres is three products (`seqkit.embeddings.softmax.exact`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from seqkit.embeddings.chunk_trainer import Schedule
from seqkit.embeddings.negative_sampling.chunks import check_pairs
from seqkit.embeddings.softmax.adagrad import ROW_PLAN, AdagradTable, planned_rows, summed_rows
from seqkit.embeddings.softmax.exact import SoftmaxGradients, exact_softmax
from seqkit.embeddings.softmax.skipgram import CentreMaker, Centres, SoftmaxConfig
from seqkit.embeddings.softmax.steps import check_vocabulary, step_size, unit_ids
from seqkit.embeddings.softmax.trainer import AdagradTrainer, with_initial
from seqkit.text.corpus import EncodedCorpus
from seqkit.training.device import Device

VECTOR_RANGE = 0.05
"""Vectors are uniform on ± this at first."""

Planned = dict[str, Any]


class SoftmaxKernel:
    """Two tables and the compiled steps that train them.

    Args:
        tables: initial "vectors" and "context", each of shape (vocabulary, vector_size).
        config: window and precision.
        step: centres of a step, a multiple of `LANES`.
    """

    def __init__(self, tables: dict[str, NDArray[np.float32]], config: SoftmaxConfig, step: int) -> None:
        self.tables = {name: AdagradTable(table) for name, table in tables.items()}
        self._vocabulary = len(tables["vectors"])
        self._product_type = tf.as_dtype(config.precision)
        contexts, scalar = [None, step, 2 * config.window], tf.TensorSpec([], tf.float32)
        plan = {
            "words": tf.TensorSpec([None, step], tf.int32),
            "contexts": tf.TensorSpec(contexts, tf.int32),
            "weights": tf.TensorSpec(contexts, tf.float32),
            "rows": ROW_PLAN,
        }
        self._train = tf.function(self._steps, autograph=False, input_signature=(plan, scalar, scalar))
        self._evaluate = tf.function(self._losses, autograph=False, input_signature=(plan,))

    def plan(self, chunk: Centres) -> Planned:
        """What `train` and `loss` take; another thread may plan the next chunk meanwhile."""
        return {
            "words": tf.constant(chunk.words),
            "contexts": tf.constant(chunk.contexts),
            "weights": tf.constant(chunk.weights),
            "rows": planned_rows(chunk.words, self._vocabulary),
        }

    def train(self, planned: Planned, learning_rates: tuple[float, float]) -> tuple[float, float]:
        """Trains all steps of a chunk.

        Args:
            planned: from `plan`.
            learning_rates: at its beginning and its end, linear between.

        Returns:
            J, of each step before its update, and the number of pairs.
        """
        begin, end = learning_rates
        loss, pairs = self._train(planned, tf.constant(begin), tf.constant(end))
        return float(loss), float(pairs)

    def loss(self, planned: Planned) -> tuple[float, float]:
        """J at the present tables, which it leaves as they are, and the number of pairs."""
        loss, pairs = self._evaluate(planned)
        return float(loss), float(pairs)

    def _steps(self, plan: Planned, begin: Any, end: Any) -> Any:
        slope = (end - begin) / tf.cast(tf.shape(plan["words"])[0], tf.float32)

        def body(step: Any, loss: Any) -> Any:
            found = self._gradients(step, plan)
            rate = begin + slope * tf.cast(step, tf.float32)
            self.tables["context"].update(found.table, rate)
            self.tables["vectors"].update_rows(*summed_rows(plan["rows"], step, found.inputs), rate)
            return step + 1, loss + found.loss

        return _over(plan, body)

    def _losses(self, plan: Planned) -> Any:
        return _over(plan, lambda step, loss: (step + 1, loss + self._gradients(step, plan).loss))

    def _gradients(self, step: Any, plan: Planned) -> SoftmaxGradients:
        centres = tf.gather(self.tables["vectors"].value, plan["words"][step])
        return exact_softmax(
            centres,
            self.tables["context"].value,
            None,
            plan["contexts"][step],
            plan["weights"][step],
            self._product_type,
        )


def _over(plan: Planned, body: Any) -> Any:
    """J summed over the steps, and the number of pairs."""
    steps = tf.shape(plan["words"])[0]
    start = [tf.constant(0), tf.constant(0.0, tf.float64)]
    _, loss = tf.while_loop(lambda step, loss: step < steps, body, start)
    return loss, tf.reduce_sum(tf.cast(plan["weights"], tf.float64))


class SoftmaxSkipGramTrainer(AdagradTrainer):
    """Trains two tables on an encoded corpus.

    Args:
        corpus: ids and counts; its held-out ids serve for validation.
        config: the hyper-parameters.
        device: where to compute.
        initial: "vectors" and "context" to begin with, each of shape (vocabulary, vector_size), or one of
            them; else vectors are uniform on ±`VECTOR_RANGE` and contexts 0.

    Raises:
        CorpusError: no line has two words of the vocabulary.
        UsageError: too many words for the exact softmax; a table of another shape.
    """

    def __init__(
        self,
        corpus: EncodedCorpus,
        config: SoftmaxConfig,
        device: Device,
        initial: Mapping[str, NDArray[np.float32]] | None = None,
    ) -> None:
        check_pairs(corpus.ids)
        counts = corpus.vocabulary.counts
        check_vocabulary(len(counts), "negative sampling (--objective negative-sampling)")
        step, chunk_ids = step_size(corpus.kept_tokens, len(counts)), unit_ids(len(counts))
        tables = with_initial(initial_tables(len(counts), config), initial)
        with device.scope():
            kernel = SoftmaxKernel(tables, config, step)
        chunks, held_out = (
            CentreMaker(ids, counts, config, step, chunk_ids) for ids in (corpus.ids, corpus.held_out_ids)
        )
        schedule = Schedule(config.epochs, config.learning_rate, corpus.tokens)
        super().__init__(kernel, chunks, held_out if len(corpus.held_out_ids) else None, schedule, device)


def initial_tables(vocabulary: int, config: SoftmaxConfig) -> dict[str, NDArray[np.float32]]:
    """The tables before training."""
    rng = np.random.default_rng([config.seed, 2])
    shape = vocabulary, config.vector_size
    vectors = rng.uniform(-VECTOR_RANGE, VECTOR_RANGE, shape).astype(np.float32)
    return {"vectors": vectors, "context": np.zeros(shape, np.float32)}
