"""From labelled texts to a bundle of sentiment: read, encode, train, calibrate, save."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from seqkit._settings import check_numbers
from seqkit.errors import Place, UsageError
from seqkit.progress import SILENT, Progress
from seqkit.sentiment.cutting import Cutter
from seqkit.sentiment.dataset import Dataset
from seqkit.sentiment.division import key_of
from seqkit.sentiment.encoder import TextEncoder, vocabulary_of
from seqkit.sentiment.ensemble import (
    Ensemble,
    fitted_weights,
    group_logits,
    mean_surprisal,
    probabilities,
    weighted,
)
from seqkit.sentiment.ensemble_training import learned_all, member_names, trained_members
from seqkit.sentiment.evaluation.metrics import accuracy, macro_f1
from seqkit.sentiment.members import KIND, MAX_MEMBERS, model_settings, write_members
from seqkit.sentiment.model import SentimentModel
from seqkit.sentiment.models.contract import Fitting, Resources
from seqkit.sentiment.registry import kind_of, model_kind
from seqkit.sentiment.self_training import PseudoLabelled, SelfTraining, Unlabelled, pseudo_labelled
from seqkit.storage import BundleWriter
from seqkit.text.columns import Columns
from seqkit.training.signals import StopRequest
from seqkit.training.working import ended_well

VALID = 0.1
"""Share of the texts that is held out where no others are given."""

STUDENT = "student-"
"""What the names of members begin with that learn what the others labelled."""


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
        check_numbers(self)
        if not self.models:
            raise UsageError("there is no model to train")
        for settings in self.models:
            kind_of(settings)
        if self.seeds < 1 or self.seeds * len(self.models) > MAX_MEMBERS:
            raise UsageError(f"seeds must be at least 1, and members at most {MAX_MEMBERS}")
        if not 0 <= self.seed < 2**31 - MAX_MEMBERS:
            raise UsageError(f"seed must be from 0 to {2**31 - MAX_MEMBERS - 1}, not {self.seed}")


@dataclass(frozen=True)
class Fitted:
    """A model and how it did on the texts that it did not learn.

    Args:
        model: trained.
        texts: that were learned, with their labels.
        accuracy: share of the validation texts that it labels right.
        macro_f1: mean F1 of the labels on them.
        loss: mean surprisal of their labels, in nats.
        seconds: of training, by member.
        self_training: what was learned without labels; None where all had one.
    """

    model: SentimentModel
    texts: int
    accuracy: float
    macro_f1: float
    loss: float
    seconds: list[float]
    self_training: SelfTraining | None = None


@dataclass(frozen=True)
class TrainingReport:
    """What a run did.

    Args:
        bundle: where the model is.
        texts: that were learned, with their labels.
        labels: that there are.
        vocabulary: tokens that are known.
        members: their models, weights in the answer, and the seconds that each took to train.
        validation_texts: that were not learned, but served to stop and to calibrate.
        validation_accuracy: on them, before models that learn all texts in the end have learned these.
        validation_macro_f1: likewise.
        validation_loss: likewise; mean surprisal in nats.
        seconds: of training in all.
        self_training: what was learned without labels; None where all had one.
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
    self_training: SelfTraining | None = None


def fit_model(
    dataset: Dataset,
    config: FitConfig | None = None,
    *,
    valid: Dataset | float = VALID,
    unlabelled: Unlabelled | None = None,
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
        unlabelled: texts that the model, once it is trained, labels itself; it is then trained anew on those
            that it is sure of, too. None of them stops or calibrates it.
        resources: vectors and the like that networks begin with.
        partial: a folder for checkpoints; None for a run that cannot be gone on with.
        progress: told what is done.

    Raises:
        UsageError: settings out of range, or a share that leaves nothing.
        DataError: texts of which nothing can be learned, or none without a label that the model is sure of.
        InterruptedTraining: Ctrl-C or SIGTERM; what was learned is in `partial`.
    """
    config = config or FitConfig()
    learned, held = dataset.split(valid, config.seed) if isinstance(valid, float) else (dataset, valid)
    if not len(held):
        raise UsageError(f"no text is held out of {len(dataset):,}: hold out more, or give more texts")
    run = _Run(config, held, unlabelled, resources or Resources(), partial, progress)
    trained = run.trained(learned)
    record, pseudo = None, None
    if unlabelled is not None:
        record, pseudo = run.labelled_by(trained, learned, unlabelled)
        trained = run.trained(pseudo.behind(learned), taught=True)
    if isinstance(valid, float):
        trained = run.learned_all(trained, pseudo.behind(dataset) if pseudo else dataset)
    return replace(trained.fitted, texts=len(learned), self_training=record)


@dataclass(frozen=True, eq=False)
class _Trained:
    """A model, and what trained it."""

    fitted: Fitted
    fitting: Fitting


@dataclass(frozen=True, eq=False)
class _Run:
    """What stays the same while the members are trained, again and again."""

    config: FitConfig
    held: Dataset
    unlabelled: Unlabelled | None
    resources: Resources
    partial: Path | None
    progress: Progress

    def trained(self, learned: Dataset, *, taught: bool = False) -> _Trained:
        """Members that stop by what is held out, weighed by it.

        Args:
            learned: what they learn.
            taught: whether that has pseudo-labels, which the confidence decides on.
        """
        config = self.config
        cutter = Cutter(lowercase=config.lowercase)
        encoder = TextEncoder(cutter, vocabulary_of(cutter, learned.texts, also=self.resources.words))
        fitting = Fitting(
            learned.labelled(encoder),
            self.held.labelled(encoder),
            encoder.vocabulary,
            seed=config.seed,
            partial=self.partial,
            progress=self.progress,
            resources=self.resources,
            settings=self._settings(taught),
        )
        prefix = STUDENT if taught else ""
        members, seconds = trained_members(config.models, config.seeds, fitting, prefix)
        logits = group_logits(members, fitting.valid.documents)
        targets = fitting.valid.main.targets
        weights = fitted_weights(logits, targets)
        found = probabilities(weighted(logits, weights))
        fitted = Fitted(
            SentimentModel(learned.labels, encoder, Ensemble(members, weights)),
            len(learned),
            accuracy(found, targets),
            macro_f1(found, targets),
            mean_surprisal(weights, logits, targets)[0],
            seconds,
        )
        return _Trained(fitted, fitting)

    def _settings(self, taught: bool) -> dict[str, Any]:
        """What a run that goes on must have."""
        if self.unlabelled is None:
            return {}
        confidence = {"confidence": self.unlabelled.confidence} if taught else {}
        return {"unlabelled": self.unlabelled.digest, **confidence}

    def labelled_by(
        self, teacher: _Trained, learned: Dataset, unlabelled: Unlabelled
    ) -> tuple[SelfTraining, PseudoLabelled]:
        """What a model labels that has learned nothing that is held out."""
        fitted, known = teacher.fitted, [*learned.texts, *self.held.texts]
        self.progress.message(f"before self-training: validation accuracy {fitted.accuracy:.4f}")
        pseudo = pseudo_labelled(fitted.model, unlabelled.without(known), progress=self.progress)
        counts = len(unlabelled.texts), len(pseudo)
        return SelfTraining(*counts, unlabelled.confidence, fitted.accuracy, sum(fitted.seconds)), pseudo

    def learned_all(self, trained: _Trained, dataset: Dataset) -> _Trained:
        """The same, but that members that need nothing held out have learned that, too."""
        model = trained.fitted.model
        fitting = replace(trained.fitting, train=dataset.labelled(model.encoder))
        ensemble = replace(model.ensemble, members=learned_all(model.ensemble.members, fitting))
        fitted = replace(trained.fitted, model=SentimentModel(model.labels, model.encoder, ensemble))
        return _Trained(fitted, fitting)


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
    unlabelled: Unlabelled | None = None,
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
        unlabelled: texts that the model labels itself, then to learn those that it is sure of, too.
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
    names = member_names(config.models, config.seeds)
    keeps = [f"{prefix}{name}.*.safetensors" for prefix in ("", STUDENT) for name in names]
    with (
        BundleWriter(bundle, kind=KIND, overwrite=overwrite, keeps=keeps) as writer,
        ended_well(writer.partial, []),
    ):
        dataset = Dataset.load(sources, columns, progress=progress)
        held: Dataset | float
        if isinstance(valid, float):
            held = valid
        else:
            others = {name: task.labels for name, task in dataset.others.items()}
            held = Dataset.load(valid, columns, labels=dataset.labels, other_labels=others, progress=progress)
            learned = {key_of(text) for text in dataset.texts}
            if shared := sum(key_of(text) in learned for text in held.texts):
                progress.message(
                    f"{shared:,} of {len(held):,} texts to validate on are learned, too: what is told of "
                    "them is not what to expect of new texts, and probabilities are calibrated on them"
                )
        fitted = fit_model(
            dataset,
            config,
            valid=held,
            unlabelled=unlabelled,
            resources=resources,
            partial=writer.partial,
            progress=progress,
        )
        again = fitted.self_training
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
            seconds=sum(fitted.seconds) + (again.teacher_seconds if again else 0),
            self_training=again,
        )
        with StopRequest():  # the work is done: a signal now is one too late
            model = fitted.model
            write_members(writer, model.encoder, model.ensemble)
            settings = model_settings(model.labels, model.encoder, model.ensemble)
            metrics = {name: value for name, value in asdict(report).items() if value is not None}
            del metrics["bundle"]
            writer.commit(config=settings, seed=config.seed, metrics=metrics)
    return report
