"""From text to a bundle of word vectors: encode, train, save; interrupted at any point, go on from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

from seqkit.embeddings.cooccurrence.counting import CountingConfig
from seqkit.embeddings.cooccurrence.counts import is_counts
from seqkit.embeddings.initial import Initial
from seqkit.embeddings.material import (
    SCRATCH,
    CorpusConfig,
    Material,
    are_counts,
    material,
)
from seqkit.embeddings.methods import OPTIMIZER, MethodConfig, VectorTrainer, method_of
from seqkit.embeddings.skipgram.config import SkipGramConfig
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import Place, UsageError
from seqkit.progress import SILENT, Progress
from seqkit.storage import BundleWriter
from seqkit.text.corpus import PHRASES
from seqkit.text.streams import resolve
from seqkit.training.checkpoint import CheckpointFile, Position
from seqkit.training.device import Device, choose_device, set_threads
from seqkit.training.loop import LoopConfig, TrainingLoop
from seqkit.training.run import RunSettings
from seqkit.training.signals import StopRequest
from seqkit.training.working import BEST, CHECKPOINT, ended_well
from seqkit.version import __version__

Probe = Callable[[int, Vectors], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class RunConfig(RunSettings):
    """How a run is executed.

    Args:
        memory: GiB that counting may take, for GloVe.
    """

    memory: float = 2.0


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
    init: Initial | Place | None = None,
    probe: Probe | None = None,
    progress: Progress = SILENT,
) -> TrainingReport:
    """Trains word vectors and saves them.

    The work lies in `BUNDLE.partial` until it is done. Called again with the same text and settings, it goes
    on where it stopped, to the same bytes.

    Args:
        sources: files, folders, "-" for stdin, corpus names; for GloVe also one bundle of counts.
        bundle: the directory to write.
        config: hyper-parameters; their class says which method (`seqkit.embeddings.methods`). None for
            skip-gram with its defaults.
        corpus: how text becomes words.
        run: how the run is executed.
        init: vectors to go on from, a bundle or a file; see `seqkit.embeddings.initial`.
        probe: called after each epoch with its number, from 1, and the vectors; what it returns goes into the
            history.
        progress: told of encoding and training.

    Returns:
        What was done.

    Raises:
        UsageError: a setting out of range, or another than that of `init`; a bundle is there and is not to be
            overwritten; an unfinished run with other text or settings is there.
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
    target = Path(bundle)
    if target.exists() and any(is_counts(source) and target.samefile(source) for source in sources):
        raise UsageError(f"{bundle} holds the counts to train on: write to another place (-o)")
    initial = initial_of(init, config, progress)
    writing = BundleWriter(
        bundle, kind="vectors", overwrite=run.overwrite, keeps=(*SCRATCH, CHECKPOINT, BEST)
    )
    with writing as writer, ended_well(writer.partial, SCRATCH):
        prepared = prepare(sources, config, corpus, run, initial, writer.partial, progress)
        return _Run(prepared, loop).into(writer, probe, progress)


def initial_of(init: Initial | Place | None, config: MethodConfig, progress: Progress) -> Initial | None:
    """What a run goes on from, opened and checked; None for nothing.

    Raises:
        SeqkitError: as `Initial.load` and `Initial.check`.
    """
    initial = init if init is None or isinstance(init, Initial) else Initial.load(init, progress)
    if initial:
        initial.check(config)
    return initial


@dataclass(frozen=True)
class Prepared:
    """All that a run needs before it begins.

    Args:
        config: the settings as they will be: precision and learning rate decided.
        material: what it trains on.
        device: where.
        initial: what it goes on from; None for nothing.
    """

    config: MethodConfig
    material: Material
    device: Device
    initial: Initial | None

    def trainer(self, progress: Progress) -> VectorTrainer:
        """A new trainer at its beginning."""
        trainer = self.material.trainer(self.config, self.device)
        if self.initial:
            self.initial.begin(trainer, self.material.vocabulary, self.config, progress)
        return trainer


def prepare(
    sources: Sequence[Place],
    config: MethodConfig,
    corpus: CorpusConfig,
    run: RunConfig,
    initial: Initial | None,
    folder: Path,
    progress: Progress,
) -> Prepared:
    """Chooses the device, encodes the text, and counts where the method asks for it.

    Args:
        sources: of text, or counts.
        config: of the method.
        corpus: how text becomes words.
        run: how the run is executed.
        initial: what it goes on from.
        folder: to work in.
        progress: told of both.
    """
    counting = CountingConfig(memory=run.memory, threads=run.threads)
    if not are_counts(sources):
        resolve(sources)  # what is missing is told at once, not after TensorFlow has started
    device = choose_device(run.device, run.threads)
    set_threads(device, one_per_operation=True)
    config = _resolved(config, run, device)
    found = material(sources, config, corpus, counting, folder, progress, initial)
    config = initial.configured(config, found.tokens) if initial else config
    return Prepared(config, found, device, initial)


def _resolved(config: MethodConfig, run: RunConfig, device: Device) -> MethodConfig:
    if "precision" not in method_of(config).parameters:
        return config
    resolved: MethodConfig = replace(cast(Any, config), precision=device.precision(run.precision))
    return resolved


@dataclass(frozen=True)
class _Run:
    prepared: Prepared
    loop: LoopConfig

    def into(self, writer: BundleWriter, probe: Probe | None, progress: Progress) -> TrainingReport:
        trainer = self.prepared.trainer(progress)
        settings = self._settings() | {"seqkit": __version__}  # another version may train otherwise
        checkpoint, best = (
            CheckpointFile(writer.partial / name, settings, self.prepared.material.fingerprint or "")
            for name in (CHECKPOINT, BEST)
        )
        after_epoch = (lambda epoch: probe(epoch, self._vectors(trainer))) if probe else (lambda epoch: {})
        try:
            loop = TrainingLoop(trainer, checkpoint, best, self.loop, progress, after_epoch)
            position = loop.run("training", method_of(self.prepared.config).work)
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
            words=self.prepared.material.tokens,
            vocabulary=len(self.prepared.material.vocabulary),
            epochs=epochs,
            seconds=position.seconds,
            words_per_second=self.prepared.material.tokens * epochs / position.seconds,
            loss=kept["loss"],
            validation_loss=kept.get("validation_loss"),
            history=position.history,
        )

    def _vectors(self, trainer: VectorTrainer) -> Vectors:
        tables = {name: table for name, table in trainer.state().items() if not name.startswith(OPTIMIZER)}
        vocabulary = self.prepared.material.vocabulary
        if self.prepared.initial:
            vocabulary, tables = self.prepared.initial.finished(vocabulary, tables, self.prepared.config)
        vectors, context = tables.pop("vectors"), tables.pop("context", None)
        return Vectors(vocabulary, vectors, output_matrix=context, model=tables)

    def _save(self, writer: BundleWriter, trainer: VectorTrainer, report: TrainingReport) -> None:
        metrics = {name: value for name, value in asdict(report).items() if name not in ("bundle", "history")}
        self._vectors(trainer).write_members(writer)
        if len(self.prepared.material.phrases):
            writer.write_text(PHRASES, self.prepared.material.phrases.to_tsv())
        writer.commit(
            config=self._settings(),
            seed=self.prepared.config.seed,
            metrics=metrics,
            fingerprint=self.prepared.material.fingerprint,
            history=report.history,
        )

    def _settings(self) -> dict[str, Any]:
        method = method_of(self.prepared.config)
        settings = {"method": method.name, **asdict(cast(Any, self.prepared.config))}
        return settings | self.prepared.material.settings | {"patience": self.loop.patience}
