"""From text to a bundle of word vectors: encode, train, save; interrupted at any point, go on from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from seqkit.embeddings.skipgram.config import SkipGramConfig
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import Place, UsageError
from seqkit.progress import SILENT, Progress
from seqkit.storage import BundleWriter
from seqkit.text.corpus import EncodedCorpus
from seqkit.text.encoding import encode, fingerprint
from seqkit.text.tokenizers import Tokenizer
from seqkit.training.checkpoint import CheckpointFile
from seqkit.training.device import Device, DeviceName, choose_device, one_thread_per_operation
from seqkit.training.loop import LoopConfig, TrainingLoop

Probe = Callable[[int, Vectors], dict[str, Any]]


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
        loss: of a pair with its noise, in nats, on the last text before it was trained on.
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
    config: SkipGramConfig | None = None,
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
        config: hyper-parameters of the method.
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
        CorpusError: the text cannot be used.
        DivergedError: the loss or a weight became NaN or infinite.
        InterruptedTraining: Ctrl-C or SIGTERM; the state is saved.
        StorageError: reading or writing failed.
    """
    corpus, run = corpus or CorpusConfig(), run or RunConfig()
    loop = LoopConfig(
        patience=run.patience,
        checkpoint_seconds=run.checkpoint_seconds,
        advice="try half the learning rate (--learning-rate)",
    )
    if run.patience is not None and not corpus.validation:
        raise UsageError("patience needs held-out text: set validation, to 0.01 for one")
    with BundleWriter(bundle, kind="vectors", overwrite=run.overwrite) as writer:
        device = choose_device(run.device, run.threads)
        if not device.is_gpu:
            one_thread_per_operation(device.threads)
        config = _resolved(config or SkipGramConfig(), run, device)
        text = _Text(sources, corpus, config.seed, writer.partial, progress)
        return _Run(config, corpus, loop, device, probe, progress).into(writer, text)


def _resolved(config: SkipGramConfig, run: RunConfig, device: Device) -> SkipGramConfig:
    if run.precision != "auto":
        return replace(config, precision=run.precision)
    return replace(config, precision="bfloat16" if device.has_bfloat16() else "float32")


class _Text:
    """The encoded text of a run: made at its beginning, found again when it goes on."""

    def __init__(
        self, sources: Sequence[Place], corpus: CorpusConfig, seed: int, partial: Path, progress: Progress
    ) -> None:
        self._sources, self._corpus, self._seed, self._progress = sources, corpus, seed, progress
        self._folder = partial / "corpus"
        self.checkpoint = partial / "checkpoint.safetensors"

    def open(self) -> tuple[EncodedCorpus, str]:
        """The encoded corpus, and the fingerprint of the text as it is now."""
        if self.checkpoint.exists():
            return EncodedCorpus.open(self._folder), fingerprint(self._sources, progress=self._progress)
        encoded = encode(
            self._sources,
            self._folder,
            tokenizer=self._corpus.tokenizer,
            min_count=self._corpus.min_count,
            max_vocab=self._corpus.max_vocab,
            held_out=self._corpus.validation,
            seed=self._seed,
            progress=self._progress,
        )
        return encoded, encoded.fingerprint


@dataclass(frozen=True)
class _Run:
    config: SkipGramConfig
    corpus: CorpusConfig
    loop: LoopConfig
    device: Device
    probe: Probe | None
    progress: Progress

    def into(self, writer: BundleWriter, text: _Text) -> TrainingReport:
        from seqkit.embeddings.skipgram.trainer import SkipGramTrainer

        encoded, fingerprint = text.open()
        settings = self._settings()
        trainer = SkipGramTrainer(encoded, self.config, self.device)

        def after_epoch(epoch: int) -> dict[str, Any]:
            return self.probe(epoch, self._vectors(encoded, trainer)) if self.probe else {}

        checkpoint = CheckpointFile(text.checkpoint, {**settings, "text": fingerprint})
        try:
            loop = TrainingLoop(trainer, checkpoint, self.loop, self.progress, after_epoch)
            position = loop.run("training", "words")
        finally:
            trainer.close()
        kept = position.history[-1]
        if "validation_loss" in kept:
            kept = min(position.history, key=lambda record: float(record["validation_loss"]))
        done = encoded.tokens * len(position.history)
        report = TrainingReport(
            bundle=str(writer.path),
            words=encoded.tokens,
            vocabulary=len(encoded.vocabulary),
            epochs=len(position.history),
            seconds=position.seconds,
            words_per_second=done / position.seconds,
            loss=kept["loss"],
            validation_loss=kept.get("validation_loss"),
            history=position.history,
        )
        metrics = {name: value for name, value in asdict(report).items() if name not in ("bundle", "history")}
        self._vectors(encoded, trainer).write_members(writer)
        writer.commit(
            config=settings,
            seed=self.config.seed,
            metrics=metrics,
            fingerprint=fingerprint,
            history=position.history,
        )
        return report

    def _settings(self) -> dict[str, Any]:
        settings = {"method": "skipgram", **asdict(self.config), **asdict(self.corpus)}
        return settings | {"tokenizer": self.corpus.tokenizer.to_config(), "patience": self.loop.patience}

    def _vectors(self, encoded: EncodedCorpus, trainer: Any) -> Vectors:
        tables = trainer.state()
        return Vectors(encoded.vocabulary, tables["vectors"], output_matrix=tables["context"])
