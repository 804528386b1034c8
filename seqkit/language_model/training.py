"""From text to a bundle of a language model: encode, train, save; interrupted, go on from there."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from seqkit._settings import check_numbers, check_ranges
from seqkit.errors import Place, UsageError
from seqkit.language_model.config import NetworkConfig, TextConfig
from seqkit.language_model.initial import InitialModel
from seqkit.language_model.material import CORPUS, Material, check_validation, material
from seqkit.language_model.members import write_members
from seqkit.language_model.network import LanguageNetwork
from seqkit.language_model.scoring import perplexity
from seqkit.language_model.trainer import make_network, make_trainer
from seqkit.language_model.transfer import InitialEmbeddings, Transfer
from seqkit.progress import SILENT, Progress
from seqkit.storage import BundleWriter
from seqkit.text.streams import resolve
from seqkit.training.checkpoint import CheckpointFile, Position
from seqkit.training.device import Device, choose_device, set_threads
from seqkit.training.loop import LoopConfig, TrainingLoop
from seqkit.training.network import NetworkTrainer
from seqkit.training.optimizers import OptimizerConfig
from seqkit.training.run import RunSettings
from seqkit.training.signals import StopRequest
from seqkit.training.working import BEST, CHECKPOINT, ended_well
from seqkit.version import __version__

MAX_EPOCHS = 5_000
"""A bundle's manifest, of at most 1 MB, has a record of each epoch."""

DEFAULT_OPTIMIZER: dict[str, Any] = {"name": "adam", "learning_rate": 0.002, "clip_norm": 1.0}
"""Settings of `OptimizerConfig`, where none is named."""


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How a language model is trained.

    Args:
        optimizer: how gradients become updates.
        batch_size: sequences that are read side by side.
        bptt: steps that gradients go back; of lines, the longest that is learned.
        random_bptt: draw the steps of each batch (Merity et al. 2018, section 5).
        activation: α of activation regularisation.
        slowness: β of temporal activation regularisation.
        sampled_softmax: in training, sum the softmax of a batch over so many words, the frequent ones and a
            sample of the others; None for all.
        epochs: over the text, 1 to 5,000.
        seed: of the initial weights, masks, order, and of what is held out.
    """

    optimizer: OptimizerConfig = field(default_factory=lambda: OptimizerConfig(**DEFAULT_OPTIMIZER))
    batch_size: int = 20
    bptt: int = 35
    random_bptt: bool = False
    activation: float = 0.0
    slowness: float = 0.0
    sampled_softmax: int | None = None
    epochs: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        check_numbers(self)
        for name in ("batch_size", "bptt"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1, not {getattr(self, name)}")
        check_ranges(
            self, epochs=(1, MAX_EPOCHS), activation=(0, 1000), slowness=(0, 1000), seed=(0, 2**31 - 1)
        )
        if not isinstance(self.optimizer, OptimizerConfig):
            raise UsageError(f"optimizer must be an OptimizerConfig, not {self.optimizer!r:.80}")
        if self.sampled_softmax is not None and self.sampled_softmax < 1:
            raise UsageError(f"sampled_softmax must be at least 1, not {self.sampled_softmax}")


@dataclass(frozen=True, kw_only=True)
class RunConfig(RunSettings):
    """How a run is executed.

    Args:
        max_minutes: of training, over all sittings; None for no bound.
    """

    max_minutes: float | None = None


@dataclass(frozen=True)
class TrainingReport:
    """What a run did.

    Args:
        bundle: where the model is.
        tokens: of the training text.
        vocabulary: tokens that the model knows.
        parameters: numbers that were learned.
        epochs: complete epochs.
        seconds: spent training, over all sittings.
        tokens_per_second: by those seconds.
        loss: nats a token in the last unit of the epoch that was kept, with dropout.
        perplexity: exp of that.
        validation_perplexity: on held-out text, of the epoch that was kept; None without such text.
        history: one record an epoch.
        covered: share of the text's tokens that began with what was learned on other text; None where all
            were drawn.
    """

    bundle: str
    tokens: int
    vocabulary: int
    parameters: int
    epochs: int
    seconds: float
    tokens_per_second: float
    loss: float
    perplexity: float
    validation_perplexity: float | None
    history: list[dict[str, Any]]
    covered: float | None = None


def train(
    sources: Sequence[Place],
    bundle: Place,
    network: NetworkConfig | None = None,
    *,
    text: TextConfig | None = None,
    training: TrainingConfig | None = None,
    run: RunConfig | None = None,
    valid: Sequence[Place] = (),
    transfer: Transfer | None = None,
    progress: Progress = SILENT,
) -> TrainingReport:
    """Trains a language model and saves it.

    The work lies in `BUNDLE.partial` until it is done. Called again with the same text and settings, it goes
    on where it stopped, to the same bytes (`max_minutes` aside).

    Args:
        sources: files, folders, "-" for stdin, corpus names.
        bundle: the directory to write.
        network: of the model; None for the defaults, or those of the model that it begins with.
        text: how text becomes tokens; None for the same.
        training: how it is trained.
        run: how the run is executed.
        valid: a text to validate on; the best epoch on it is kept.
        transfer: what it begins with. Vectors are multiplied by one factor so that their entries have the
            root mean square of those that are drawn, `EMBEDDING_RANGE`/√3; words without a vector are drawn;
            embeddings are as long as the vectors. Of a model all weights are taken; the vocabulary is that of
            the text and all tokens of the model.
        progress: told of encoding and training.

    Raises:
        UsageError: a setting out of range; a bundle is there and is not to be overwritten; an unfinished run
            with other text or settings is there.
        MissingInputError: a source is not there.
        CorpusError: the text cannot be used.
        DataError: vectors that cannot be used, or have no word of the text.
        BundleError: the model to begin with is damaged, or a bundle of another kind.
        FormatError: the checkpoint of the unfinished run is damaged.
        DivergedError: the loss or a weight became NaN or infinite.
        InterruptedTraining: Ctrl-C or SIGTERM; what was learned is saved.
        StorageError: reading or writing failed.
    """
    run = run or RunConfig()
    loop = LoopConfig(
        patience=run.patience, max_minutes=run.max_minutes, checkpoint_seconds=run.checkpoint_seconds
    )
    with (
        BundleWriter(
            bundle, kind="language_model", overwrite=run.overwrite, keeps=(CORPUS, CHECKPOINT, BEST)
        ) as writer,
        ended_well(writer.partial, [CORPUS]),
    ):
        prepared = prepare(
            sources, writer.partial, network, text, training, run, valid, transfer, progress=progress
        )
        return _Run(prepared, loop).into(writer, progress)


@dataclass(frozen=True)
class Beginning:
    """A network that has learned nothing yet, and what trains it.

    Args:
        network: on its device.
        trainer: of it.
        covered: share of the text's tokens that begin with what was learned on other text; None where all
            are drawn.
    """

    network: LanguageNetwork
    trainer: NetworkTrainer
    covered: float | None

    @property
    def parameters(self) -> int:
        """Numbers that are learned."""
        weights = self.network.weights.values()
        return sum(int(np.prod(weight.shape)) for weight in weights if weight.trainable)


@dataclass(frozen=True)
class Prepared:
    """All that a run needs before it begins.

    Args:
        material: what it trains on.
        network: of the model.
        training: how it is trained.
        settings: all of them, as a bundle tells them.
        device: where.
        initial: what was learned on other text; None where all weights are drawn.
    """

    material: Material
    network: NetworkConfig
    training: TrainingConfig
    settings: dict[str, Any]
    device: Device
    initial: InitialEmbeddings | InitialModel | None

    def begin(self, progress: Progress) -> Beginning:
        """Makes the network."""
        material, initial = self.material, self.initial
        with self.device.scope():
            frozen = initial is not None and initial.frozen
            network = make_network(
                self.network, material, self.training, self.settings["precision"], frozen=frozen
            )
            covered = initial.begin(network, material.coding, progress) if initial else None
            return Beginning(network, make_trainer(network, material, self.training, self.device), covered)


def prepare(
    sources: Sequence[Place],
    folder: Path,
    network: NetworkConfig | None,
    text: TextConfig | None,
    training: TrainingConfig | None,
    run: RunConfig,
    valid: Sequence[Place],
    transfer: Transfer | None,
    *,
    progress: Progress,
) -> Prepared:
    """Checks the settings, chooses the device and encodes the text; arguments are those of `train`.

    Args:
        folder: to work in.

    Raises:
        SeqkitError: as `train`.
    """
    training = training or TrainingConfig()
    if run.patience is not None and not (valid or (text and text.validation)):
        raise UsageError("patience needs text to validate on: give some (--valid 0.1, for one)")
    check_validation(text or TextConfig(), valid)
    resolve([*sources, *valid])  # what is missing is told at once, not after TensorFlow has started
    initial: InitialEmbeddings | InitialModel | None = None
    if transfer and transfer.model is not None:
        initial = InitialModel.load(transfer.model, network, text)
    elif transfer and transfer.vectors is not None:
        initial = InitialEmbeddings.load(transfer.vectors, transfer.frozen, network, text, progress)
    if initial:
        network, text = initial.network, initial.text
    network, text = network or NetworkConfig(), text or TextConfig()
    device = choose_device(run.device, run.threads)
    set_threads(device)
    known = initial.coding if initial else None
    found = material(sources, text, training.seed, folder, valid, progress, known)
    settings: dict[str, Any] = {
        "network": asdict(network),
        "text": asdict(text),
        "training": asdict(training),
        "precision": device.precision(run.precision),
        "patience": run.patience,
    } | (initial.settings if initial else {})
    if found.coding.labels:
        settings["labels"] = list(found.coding.labels)
    return Prepared(found, network, training, settings, device, initial)


@dataclass(frozen=True)
class _Run:
    prepared: Prepared
    loop: LoopConfig

    def into(self, writer: BundleWriter, progress: Progress) -> TrainingReport:
        beginning, material = self.prepared.begin(progress), self.prepared.material
        trainer = beginning.trainer
        settings = self.prepared.settings | {"seqkit": __version__}  # another version may train otherwise
        held_out = hashlib.sha256(material.held_out.tobytes())
        if material.held_out_labels is not None:
            held_out.update(material.held_out_labels.tobytes())
        fingerprint = f"{material.fingerprint}.{held_out.hexdigest()}"
        checkpoint, best = (
            CheckpointFile(writer.partial / name, settings, fingerprint) for name in (CHECKPOINT, BEST)
        )
        loop = TrainingLoop(trainer, checkpoint, best, self.loop, progress)
        position = loop.run("training", "tokens")
        report = self._report(writer, beginning, position, loop.kept)
        with StopRequest(), trainer.averaged():  # the work is done: a signal now is one too late
            write_members(writer, material.coding, beginning.network)
            writer.commit(
                config=self.prepared.settings,
                seed=self.prepared.training.seed,
                metrics={k: v for k, v in asdict(report).items() if k not in ("bundle", "history")},
                fingerprint=material.fingerprint,
                history=report.history,
            )
        return report

    def _report(
        self, writer: BundleWriter, beginning: Beginning, position: Position, kept: dict[str, Any]
    ) -> TrainingReport:
        tokens, history = len(self.prepared.material.ids), position.history
        passes = sum(record.get("share", 1.0) for record in history)
        validation = kept.get("validation_loss")
        return TrainingReport(
            bundle=str(writer.path),
            tokens=tokens,
            vocabulary=beginning.network.vocabulary_size,
            parameters=beginning.parameters,
            epochs=position.epoch,
            seconds=position.seconds,
            tokens_per_second=tokens * passes / position.seconds,
            loss=kept["loss"],
            perplexity=perplexity(kept["loss"]),
            validation_perplexity=None if validation is None else perplexity(validation),
            history=history,
            covered=beginning.covered,
        )
