"""What trains a network on a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seqkit.language_model.batches import LineBatches, StreamBatches
from seqkit.language_model.config import NetworkConfig
from seqkit.language_model.material import Material
from seqkit.language_model.network import LanguageNetwork
from seqkit.language_model.scoring import Scorer
from seqkit.language_model.softmax import SoftmaxSample
from seqkit.language_model.task import LanguageTask
from seqkit.training.device import Device, Precision
from seqkit.training.network import NetworkTrainer

if TYPE_CHECKING:
    from seqkit.language_model.training import TrainingConfig


def make_network(
    config: NetworkConfig, material: Material, training: TrainingConfig, precision: Precision, **options: Any
) -> LanguageNetwork:
    """A network for a text, at its beginning.

    Args:
        config: of the network.
        material: the text.
        training: has the seed.
        precision: of the products in training.
        **options: of `LanguageNetwork`.
    """
    vocabulary = material.coding.vocabulary
    return LanguageNetwork(
        config,
        len(vocabulary),
        seed=training.seed,
        bfloat16=precision == "bfloat16",
        counts=vocabulary.counts,
        labels=len(material.coding.labels),
        **options,
    )


def make_trainer(
    network: LanguageNetwork, material: Material, training: TrainingConfig, device: Device, **options: Any
) -> NetworkTrainer:
    """A trainer of a network, on lines or on a stream, validated on what was held out.

    Args:
        network: made on `device`.
        material: the text.
        training: how.
        device: where.
        **options: of `NetworkTrainer`.

    Raises:
        CorpusError: fewer tokens than sequences that are to be read side by side.
        UsageError: as `NetworkTrainer`.
    """
    scorer, held_out = Scorer(network), material.held_out
    sampled, counts = training.sampled_softmax, material.coding.vocabulary.counts
    sample = SoftmaxSample(counts, sampled) if sampled and sampled < len(counts) else None

    def mean() -> float:
        if material.coding.lines:
            return scorer.mean_of_lines(held_out, material.held_out_labels)
        return scorer.mean_of_stream(held_out)

    return NetworkTrainer(
        LanguageTask(network, training.batch_size, training.activation, training.slowness, sample),
        _batches(material, training),
        training.optimizer,
        epochs=training.epochs,
        validate=mean if len(held_out) else None,
        device=device,
        **options,
    )


def _batches(material: Material, training: TrainingConfig) -> StreamBatches | LineBatches:
    ids, coding = material.ids, material.coding
    if coding.lines:
        return LineBatches(ids, training.batch_size, training.bptt, training.seed, material.labels)
    return StreamBatches(
        ids,
        training.batch_size,
        training.bptt,
        training.seed,
        random_lengths=training.random_bptt,
        has_ends=coding.has_ends,
    )
