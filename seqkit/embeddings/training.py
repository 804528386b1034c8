"""From text to a bundle of word vectors: encode, train, save; interrupted at any point, go on from there."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, cast

from seqkit.embeddings.methods import OPTIMIZER, MethodConfig, VectorTrainer, method_of
from seqkit.embeddings.skipgram.config import SkipGramConfig
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import (
    BundleError,
    FormatError,
    InterruptedTraining,
    MissingInputError,
    Place,
    UsageError,
)
from seqkit.progress import SILENT, Progress
from seqkit.storage import BundleWriter
from seqkit.text.corpus import EncodedCorpus
from seqkit.text.encoding import encode, fingerprint
from seqkit.text.streams import resolve
from seqkit.text.tokenizers import Tokenizer
from seqkit.training.checkpoint import CheckpointFile, Position
from seqkit.training.device import Device, DeviceName, choose_device, one_thread_per_operation
from seqkit.training.loop import LoopConfig, TrainingLoop
from seqkit.training.signals import StopAtOnce, Stopped, StopRequest

Probe = Callable[[int, Vectors], dict[str, Any]]

# What lies in BUNDLE.partial beside the bundle in the making.
CORPUS, CHECKPOINT, BEST = "corpus", "checkpoint.safetensors", "best.safetensors"


@dataclass(frozen=True, kw_only=True)
class CorpusConfig:
    """How text becomes words.

    Args:
        tokenizer: what cuts the text.
        min_count: words that occur less often are left out.
        max_vocab: keep only so many of the most frequent words; None for all.
        validation: fraction of the text that is held out, 0 to below 1.
    """

    tokenizer: Tokenizer = field(default_factory=Tokenizer)
    min_count: int = 5
    max_vocab: int | None = None
    validation: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.validation < 1:
            raise UsageError(f"validation must be at least 0 and below 1, not {self.validation}")


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """How a run is executed: nothing here changes what is learned, but `patience`.

    Args:
        device: "cpu", "gpu", or "auto" for a GPU where there is one.
        threads: of the CPU; None for one a core.
        precision: of the products: "float32", "bfloat16", or "auto" for what is faster on the device.
        patience: epochs without a better validation loss after which the run ends; None for never.
        checkpoint_seconds: time between two checkpoints.
        overwrite: replace a bundle that is there.
    """

    device: DeviceName = "auto"
    threads: int | None = None
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    patience: int | None = None
    checkpoint_seconds: float = 120.0
    overwrite: bool = False


@dataclass(frozen=True)
class TrainingReport:
    """What a run did.

    Args:
        bundle: where the vectors are.
        words: tokens of the corpus.
        vocabulary: words with a vector.
        epochs: complete epochs.
        seconds: spent training, over all sittings, without encoding and saving.
        words_per_second: corpus tokens times epochs by those seconds, before sub-sampling, as gensim counts.
        loss: of the method (`seqkit.embeddings.methods`), on the last text before it was trained on.
        validation_loss: the same on held-out text, of the epoch that was kept; None without such text.
        history: one record an epoch.
    """

    bundle: str
    words: int
    vocabulary: int
    epochs: int
    seconds: float
    words_per_second: float
    loss: float
    validation_loss: float | None
    history: list[dict[str, Any]]


def train(
    sources: Sequence[Place],
    bundle: Place,
    config: MethodConfig | None = None,
    *,
    corpus: CorpusConfig | None = None,
    run: RunConfig | None = None,
    probe: Probe | None = None,
    progress: Progress = SILENT,
) -> TrainingReport:
    """Trains word vectors and saves them.

    The work lies in `BUNDLE.partial` until it is done. Called again with the same text and settings, it goes
    on where it stopped, to the same bytes.

    Args:
        sources: files, folders, "-" for stdin, corpus names.
        bundle: the directory to write.
        config: hyper-parameters; their class says which method (`seqkit.embeddings.methods`). None for
            skip-gram with its defaults.
        corpus: how text becomes words.
        run: how the run is executed.
        probe: called after each epoch with its number, from 1, and the vectors; what it returns goes into the
            history.
        progress: told of encoding and training.

    Returns:
        What was done.

    Raises:
        UsageError: a setting out of range; a bundle is there and is not to be overwritten; an unfinished run
            with other text or settings is there.
        MissingInputError: a source is not there.
        CorpusError: the text cannot be used.
        FormatError: the checkpoint of the unfinished run is damaged.
        DivergedError: the loss or a weight became NaN or infinite.
        InterruptedTraining: Ctrl-C or SIGTERM; what was learned is saved.
        StorageError: reading or writing failed.
    """
    config, corpus, run = config or SkipGramConfig(), corpus or CorpusConfig(), run or RunConfig()
    loop = LoopConfig(
        patience=run.patience,
        checkpoint_seconds=run.checkpoint_seconds,
        advice="try half the learning rate (--learning-rate)",
    )
    if run.patience is not None and not corpus.validation:
        raise UsageError("patience needs held-out text: set validation (--validation 0.01, for one)")
    resolve(sources)  # what is missing is told at once, not after TensorFlow has started
    with BundleWriter(bundle, kind="vectors", overwrite=run.overwrite) as writer, _ended_well(writer.partial):
        device = choose_device(run.device, run.threads)
        if not device.is_gpu:
            one_thread_per_operation(device.threads)
        config = _resolved(config, run, device)
        text, fingerprint = _text(sources, corpus, config.seed, writer.partial, progress)
        return _Run(config, corpus, loop, device, text, fingerprint).into(writer, probe, progress)


def _resolved(config: MethodConfig, run: RunConfig, device: Device) -> MethodConfig:
    if "precision" not in method_of(config).parameters:
        return config
    precision = run.precision
    if precision == "auto":
        precision = "bfloat16" if device.has_bfloat16() else "float32"
    resolved: MethodConfig = replace(cast(Any, config), precision=precision)
    return resolved


@contextmanager
def _ended_well(partial: Path) -> Iterator[None]:
    """Ends its block at once on a signal; of a failed run, only what the next can go on from stays."""
    try:
        with StopAtOnce():
            yield
    except BaseException as error:
        resumable = (partial / CHECKPOINT).exists()
        if not resumable:
            shutil.rmtree(partial / CORPUS, ignore_errors=True)
            for path in partial.glob("*.safetensors*"):
                path.unlink(missing_ok=True)
        if isinstance(error, Stopped):
            raise InterruptedTraining(error.signal_number, partial if resumable else None) from None
        raise


def _text(
    sources: Sequence[Place], corpus: CorpusConfig, seed: int, partial: Path, progress: Progress
) -> tuple[EncodedCorpus, str]:
    """The encoded corpus, found again when a run goes on, and the fingerprint of the text as it is now."""
    if (partial / CHECKPOINT).exists():
        try:
            encoded = EncodedCorpus.open(partial / CORPUS)
        except (BundleError, MissingInputError) as error:
            raise FormatError(f"{error}; delete {partial} to begin anew") from error
        return encoded, fingerprint(sources, progress=progress)
    encoded = encode(
        sources,
        partial / CORPUS,
        tokenizer=corpus.tokenizer,
        min_count=corpus.min_count,
        max_vocab=corpus.max_vocab,
        held_out=corpus.validation,
        seed=seed,
        progress=progress,
    )
    return encoded, encoded.fingerprint


@dataclass(frozen=True)
class _Run:
    config: MethodConfig
    corpus: CorpusConfig
    loop: LoopConfig
    device: Device
    text: EncodedCorpus
    fingerprint: str

    def into(self, writer: BundleWriter, probe: Probe | None, progress: Progress) -> TrainingReport:
        trainer: VectorTrainer = method_of(self.config).trainer_class()(self.text, self.config, self.device)
        checkpoint, best = (
            CheckpointFile(writer.partial / name, self._settings(), self.fingerprint)
            for name in (CHECKPOINT, BEST)
        )
        after_epoch = (lambda epoch: probe(epoch, self._vectors(trainer))) if probe else (lambda epoch: {})
        try:
            loop = TrainingLoop(trainer, checkpoint, best, self.loop, progress, after_epoch)
            position = loop.run("training", "words")
        finally:
            trainer.close()
        report = self._report(writer, position, loop.kept)
        with StopRequest():  # the work is done: a signal now is one too late
            self._save(writer, trainer, report)
        return report

    def _report(self, writer: BundleWriter, position: Position, kept: dict[str, Any]) -> TrainingReport:
        epochs = len(position.history)
        return TrainingReport(
            bundle=str(writer.path),
            words=self.text.tokens,
            vocabulary=len(self.text.vocabulary),
            epochs=epochs,
            seconds=position.seconds,
            words_per_second=self.text.tokens * epochs / position.seconds,
            loss=kept["loss"],
            validation_loss=kept.get("validation_loss"),
            history=position.history,
        )

    def _vectors(self, trainer: VectorTrainer) -> Vectors:
        tables = {name: table for name, table in trainer.state().items() if not name.startswith(OPTIMIZER)}
        vectors, context = tables.pop("vectors"), tables.pop("context", None)
        return Vectors(self.text.vocabulary, vectors, output_matrix=context, model=tables)

    def _save(self, writer: BundleWriter, trainer: VectorTrainer, report: TrainingReport) -> None:
        metrics = {name: value for name, value in asdict(report).items() if name not in ("bundle", "history")}
        self._vectors(trainer).write_members(writer)
        writer.commit(
            config=self._settings(),
            seed=self.config.seed,
            metrics=metrics,
            fingerprint=self.fingerprint,
            history=report.history,
        )

    def _settings(self) -> dict[str, Any]:
        method = method_of(self.config)
        settings = {"method": method.name, **asdict(cast(Any, self.config)), **asdict(self.corpus)}
        return settings | {"tokenizer": self.corpus.tokenizer.to_config(), "patience": self.loop.patience}
