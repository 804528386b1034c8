"""How networks over words are trained, whatever their encoder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from seqkit.errors import UsageError
from seqkit.sentiment.documents import Documents, Labelled
from seqkit.sentiment.models.augmentation import Augmentation
from seqkit.sentiment.models.contract import Fitting
from seqkit.sentiment.models.heads import Head, label_weights, tasks_of
from seqkit.sentiment.models.initial_vectors import InitialVectors
from seqkit.sentiment.models.language_encoder import LanguageEncoder, rates_by_depth
from seqkit.sentiment.models.network import TextNetwork
from seqkit.sentiment.models.network_batches import TextBatches, padded, scoring_batches, shortened
from seqkit.sentiment.models.network_settings import NetworkSettings
from seqkit.sentiment.models.runs import run
from seqkit.training.device import choose_device, set_threads
from seqkit.training.network import NetworkTrainer

INITIAL_RANGE = 0.1
"""Vectors are drawn uniformly from ± this; initial ones are scaled to the same root mean square."""


def trained(
    config: Any,
    fitting: Fitting,
    encoder: Callable[[Any, int], Any],
    language: LanguageEncoder | None = None,
) -> TextNetwork:
    """A trained network.

    Args:
        config: settings, of a class below `NetworkSettings`.
        fitting: what is learned.
        encoder: makes the layer between vectors and softmax, of settings and a seed.
        language: what vectors and encoder begin with; None to draw the encoder.

    Raises:
        UsageError: settings that need initial vectors, and there are none.
        DataError: no word of the texts has an initial vector.
        DivergedError: the loss or a weight became NaN or infinite.
        InterruptedTraining: Ctrl-C or SIGTERM; what was learned is in `fitting.partial`.
    """
    initial = None if language is not None else InitialVectors.of(fitting)
    if initial is None and language is None and config.frozen:
        raise UsageError("frozen vectors need initial ones: give some (--vectors)")
    device = fitting.resources.device or choose_device()
    set_threads(device)
    train, valid = (_shortened(each, config.max_length) for each in (fitting.train, fitting.valid))
    with device.scope():
        vectors = (
            _first_vectors(config, fitting, initial)
            if language is None
            else language.vectors(fitting.vocabulary)
        )
        network = _network(config, fitting, vectors, encoder)
        if language is not None:
            language.put_into(network.encoder)
        trainer = NetworkTrainer(
            network,
            TextBatches(
                train,
                config.batch_size,
                fitting.seed,
                Augmentation.of(config, initial),
                config.max_length if config.compiled else None,
            ),
            config.optimizer_config,
            epochs=config.epochs,
            validate=_Validation(network, valid, config.balanced),
            signature=[tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None, None], tf.int32)],
            device=device,
            factors=None if language is None else rates_by_depth(config, network.depths),
        )
    run(trainer, asdict(config), config.patience, fitting)
    return network


class _Validation:
    """The mean loss of the main task on texts that are not learned."""

    def __init__(self, network: TextNetwork, valid: Labelled, balanced: bool) -> None:
        self._network, self._documents = network, valid.documents
        self._head = Head(valid.main.targets, label_weights(valid.main, balanced))
        self._batches = scoring_batches(valid.documents)

    def __call__(self) -> float:
        losses = [
            self._head.loss(self._network.scored(padded(self._documents, numbers)), numbers)[0] * len(numbers)
            for numbers in self._batches
        ]
        return float(np.sum(losses) / len(self._documents))


def _network(
    config: NetworkSettings,
    fitting: Fitting,
    vectors: NDArray[np.float32],
    encoder: Callable[[Any, int], Any],
) -> TextNetwork:
    learned = _learned(fitting.train.documents)
    seed = int(np.random.SeedSequence([fitting.seed, 6]).generate_state(1)[0] >> 2)
    return TextNetwork(
        config,
        encoder(config, seed),
        vectors[:learned],
        [label_weights(task, config.balanced) for task in tasks_of(fitting.train)],
        further=vectors[learned:],
        seed=seed,
        bfloat16=fitting.resources.precision == "bfloat16",
    )


def _learned(documents: Documents) -> int:
    """How many of the first words training texts have: the vectors of others are not learned."""
    return int(documents.ids.max(initial=1)) + 1


def _first_vectors(
    config: NetworkSettings, fitting: Fitting, initial: InitialVectors | None
) -> NDArray[np.float32]:
    """The vectors to begin with, (vocabulary, vector_size)."""
    rng = np.random.default_rng([fitting.seed, 5])
    size = initial.size if initial is not None else config.vector_size
    shape = len(fitting.vocabulary), size
    vectors = rng.uniform(-INITIAL_RANGE, INITIAL_RANGE, shape).astype(np.float32)
    if initial is not None:
        drawn = np.float32(INITIAL_RANGE / np.sqrt(3))
        vectors[initial.known] = drawn * initial.matrix[initial.known]
    return vectors


def _shortened(labelled: Labelled, max_length: int) -> Labelled:
    return Labelled(shortened(labelled.documents, max_length), labelled.main, labelled.others)
