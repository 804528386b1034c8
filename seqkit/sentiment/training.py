"""From labelled texts to a bundle of sentiment: read, encode, train, calibrate, save."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from seqkit.errors import Place, UsageError
from seqkit.progress import SILENT, Progress
from seqkit.sentiment.cutting import Cutter
from seqkit.sentiment.dataset import Dataset
from seqkit.sentiment.documents import Labelled
from seqkit.sentiment.encoder import TextEncoder, vocabulary_of
from seqkit.sentiment.ensemble import (
    Ensemble,
    Member,
    fitted_weights,
    group_logits,
    mean_surprisal,
    probabilities,
    weighted,
)
from seqkit.sentiment.evaluation.metrics import accuracy, macro_f1
from seqkit.sentiment.members import KIND, MAX_MEMBERS, model_settings, write_members
from seqkit.sentiment.model import SentimentModel
from seqkit.sentiment.models.contract import Classifier, Fitting, Resources
from seqkit.sentiment.registry import kind_of, model_kind
from seqkit.storage import BundleWriter
from seqkit.text.columns import Columns
from seqkit.training.checkpoint import CheckpointFile, Position
from seqkit.training.signals import StopRequest
from seqkit.training.working import CHECKPOINT, ended_well
from seqkit.version import __version__

VALID = 0.1
"""Share of the texts that is held out where no others are given."""


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    """What is trained.

    Args:
        models: settings of each model, "LinearConfig()" for one; several answer together.
        seeds: how often each is trained, from another seed each time; those answer together, too.
        lowercase: whether capitals are read as small letters.
        seed: the first one; of everything random.
    """

    models: tuple[Any, ...] = field(default_factory=lambda: (model_kind("linear").config_class(),))
    seeds: int = 1
    lowercase: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.models:
            raise UsageError("there is no model to train")
        if self.seeds < 1 or self.seeds * len(self.models) > MAX_MEMBERS:
            raise UsageError(f"seeds must be at least 1, and members at most {MAX_MEMBERS}")
        if not 0 <= self.seed < 2**31 - MAX_MEMBERS:
            raise UsageError(f"seed must be from 0 to {2**31 - MAX_MEMBERS - 1}, not {self.seed}")


@dataclass(frozen=True)
class Fitted:
    """A model and how it did on the texts that it did not learn.

    Args:
        model: trained.
        texts: that were learned.
        accuracy: share of the validation texts that it labels right.
        macro_f1: mean F1 of the labels on them.
        loss: mean surprisal of their labels, in nats.
        seconds: of training, by member.
    """

    model: SentimentModel
    texts: int
    accuracy: float
    macro_f1: float
    loss: float
    seconds: list[float]


@dataclass(frozen=True)
class TrainingReport:
    """What a run did.

    Args:
        bundle: where the model is.
        texts: that were learned.
        labels: that there are.
        vocabulary: tokens that are known.
        members: their models, weights in the answer, and the seconds that each took to train.
        validation_texts: that were not learned, but served to stop and to calibrate.
        validation_accuracy: on them, before models that learn all texts in the end have learned these.
        validation_macro_f1: likewise.
        validation_loss: likewise; mean surprisal in nats.
        seconds: of training in all.
    """

    bundle: str
    texts: int
    labels: list[str]
    vocabulary: int
    members: list[dict[str, Any]]
    validation_texts: int
    validation_accuracy: float
    validation_macro_f1: float
    validation_loss: float
    seconds: float


def fit_model(
    dataset: Dataset,
    config: FitConfig | None = None,
    *,
    valid: Dataset | float = VALID,
    resources: Resources | None = None,
    partial: Path | None = None,
    progress: Progress = SILENT,
) -> Fitted:
    """Trains a model in memory.

    Args:
        dataset: what is learned.
        config: what is trained.
        valid: texts to stop and calibrate by, or the share of `dataset` to hold out for that; of a share,
            models that need none to know when to stop learn all texts in the end.
        resources: vectors and the like that networks begin with.
        partial: a folder for checkpoints; None for a run that cannot be gone on with.
        progress: told what is done.

    Raises:
        UsageError: settings out of range, or a share that leaves nothing.
        DataError: texts of which nothing can be learned.
        InterruptedTraining: Ctrl-C or SIGTERM; what was learned is in `partial`.
    """
    config, resources = config or FitConfig(), resources or Resources()
    learned, held = dataset.split(valid, config.seed) if isinstance(valid, float) else (dataset, valid)
    if not len(held):
        raise UsageError(f"no text is held out of {len(dataset):,}: hold out more, or give more texts")
    cutter = Cutter(lowercase=config.lowercase)
    vocabulary = vocabulary_of(cutter, learned.texts, also=resources.words)
    encoder = TextEncoder(cutter, vocabulary)
    fitting = Fitting(
        learned.labelled(encoder),
        held.labelled(encoder),
        vocabulary,
        seed=config.seed,
        partial=partial,
        progress=progress,
        resources=resources,
    )
    members, seconds = _trained(config, fitting)
    logits = group_logits(members, fitting.valid.documents)
    targets = fitting.valid.main.targets
    weights = fitted_weights(logits, targets)
    found = probabilities(weighted(logits, weights))
    if isinstance(valid, float):
        members = _learned_all(members, replace(fitting, train=dataset.labelled(encoder)))
    return Fitted(
        SentimentModel(dataset.labels, encoder, Ensemble(members, weights)),
        len(learned),
        accuracy(found, targets),
        macro_f1(found, targets),
        mean_surprisal(weights, logits, targets)[0],
        seconds,
    )


def _trained(config: FitConfig, fitting: Fitting) -> tuple[list[Member], list[float]]:
    """The members, and the seconds that each took; those of an earlier sitting are not trained again."""
    fingerprint = _fingerprint(fitting)
    members: list[Member] = []
    seconds: list[float] = []
    for group, settings in enumerate(config.models):
        for number in range(config.seeds):
            name = f"{kind_of(settings).name}-{len(members)}"
            own = replace(fitting, seed=config.seed + number, name=name)
            classifier, took = _member(settings, own, fingerprint)
            members.append(Member(classifier, group))
            seconds.append(took)
    return members, seconds


def _member(settings: Any, fitting: Fitting, fingerprint: str) -> tuple[Classifier, float]:
    """A classifier and the seconds of its training, from its finished file if there is one."""
    kind, done = kind_of(settings), None
    if fitting.partial is not None:
        run = {"model": kind.name, "settings": asdict(settings), "seed": fitting.seed}
        run |= {**fitting.resources.settings, "seqkit": __version__}
        done = CheckpointFile(fitting.partial / f"{fitting.name}.done.{CHECKPOINT}", run, fingerprint)
    if done and (found := done.read()):
        arrays, position = found
        # Those of a language model's encoder are other settings than were asked for.
        own = type(settings)(**position.history[0])
        labels = fitting.train.main.labels
        return kind.classifier_class.from_tensors(own, arrays, fitting.vocabulary, labels), position.seconds
    began = time.monotonic()
    classifier = kind.fit(settings, fitting)
    took = time.monotonic() - began
    if done:
        done.write(classifier.tensors(), Position(seconds=took, history=[asdict(classifier.config)]))
    return classifier, took


def _learned_all(members: Sequence[Member], fitting: Fitting) -> list[Member]:
    """The members, those that need no validation trained again on all texts."""
    found = []
    for member in members:
        classifier: Classifier = member.classifier
        kind = model_kind(classifier.kind)
        if kind.learns_all:
            classifier = kind.fit(classifier.config, fitting)
        found.append(replace(member, classifier=classifier))
    return found


def _fingerprint(fitting: Fitting) -> str:
    digest = hashlib.sha256()
    for part in (fitting.train, fitting.valid):
        digest.update(_digest(part).encode())
    return digest.hexdigest()


def _digest(labelled: Labelled) -> str:
    """SHA-256 of texts and labels, in hex."""
    digest = hashlib.sha256()
    for text in labelled.documents.texts:
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    for task in (labelled.main, *labelled.others.values()):
        digest.update(repr(task.labels.names).encode() + np.ascontiguousarray(task.targets).tobytes())
    return digest.hexdigest()


def _listed(fitted: Fitted) -> list[dict[str, Any]]:
    """The members of a model, each with its share of the answer."""
    ensemble = fitted.model.ensemble
    return [
        {"model": member.classifier.kind, "weight": float(ensemble.weights[member.group]), "seconds": seconds}
        for member, seconds in zip(ensemble.members, fitted.seconds, strict=True)
    ]


def train(
    sources: Sequence[Place],
    bundle: Place,
    config: FitConfig | None = None,
    *,
    columns: Columns | None = None,
    valid: Sequence[Place] | float = VALID,
    resources: Resources | None = None,
    overwrite: bool = False,
    progress: Progress = SILENT,
) -> TrainingReport:
    """Trains a classifier and saves it.

    The work lies in `BUNDLE.partial` until it is done. Called again with the same texts and settings, it goes
    on where it stopped, to the same bytes.

    Args:
        sources: files, folders by class, "-" for stdin, corpus names, all with labels.
        bundle: the directory to write.
        config: what is trained.
        columns: where text and labels are; guessed, and said, where they are not named.
        valid: labelled texts to stop and calibrate by, or the share to hold out for that.
        resources: vectors and the like that networks begin with.
        overwrite: replace a bundle that is there.
        progress: told what is done.

    Raises:
        UsageError: a setting out of range; a bundle is there and is not to be overwritten; an unfinished run
            with other texts or settings is there.
        MissingInputError: a source is not there.
        DataError: data that cannot be used.
        DivergedError: the loss or a weight became NaN or infinite.
        InterruptedTraining: Ctrl-C or SIGTERM; what was learned is saved.
        StorageError: reading or writing failed.
    """
    config, columns = config or FitConfig(), columns or Columns()
    with (
        BundleWriter(bundle, kind=KIND, overwrite=overwrite) as writer,
        ended_well(writer.partial, []),
    ):
        dataset = Dataset.load(sources, columns, progress=progress)
        held: Dataset | float
        if isinstance(valid, float):
            held = valid
        else:
            others = {name: task.labels for name, task in dataset.others.items()}
            held = Dataset.load(valid, columns, labels=dataset.labels, other_labels=others, progress=progress)
        fitted = fit_model(
            dataset,
            config,
            valid=held,
            resources=resources,
            partial=writer.partial,
            progress=progress,
        )
        report = TrainingReport(
            bundle=str(writer.path),
            texts=fitted.texts,
            labels=list(dataset.labels.names),
            vocabulary=len(fitted.model.encoder.vocabulary),
            members=_listed(fitted),
            validation_texts=len(dataset) - fitted.texts if isinstance(held, float) else len(held),
            validation_accuracy=fitted.accuracy,
            validation_macro_f1=fitted.macro_f1,
            validation_loss=fitted.loss,
            seconds=sum(fitted.seconds),
        )
        with StopRequest():  # the work is done: a signal now is one too late
            model = fitted.model
            write_members(writer, model.encoder, model.ensemble)
            settings = model_settings(model.labels, model.encoder, model.ensemble)
            metrics = {name: value for name, value in asdict(report).items() if name != "bundle"}
            writer.commit(config=settings, seed=config.seed, metrics=metrics)
    return report
