"""Training the members of an ensemble one after the other, each once, however often a run is stopped."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from seqkit.sentiment.ensemble import Member
from seqkit.sentiment.models.contract import Classifier, Fitting
from seqkit.sentiment.registry import kind_of, model_kind
from seqkit.training.checkpoint import CheckpointFile, Position
from seqkit.training.working import CHECKPOINT
from seqkit.version import __version__


def trained_members(
    models: Sequence[Any], seeds: int, fitting: Fitting, prefix: str = ""
) -> tuple[list[Member], list[float]]:
    """The members, and the seconds that each took; those of an earlier sitting are not trained again.

    Args:
        models: settings of each.
        seeds: how often each is trained, from `fitting.seed` on.
        fitting: what is learned; members get names of their own.
        prefix: of their names.

    Raises:
        SeqkitError: as `fit` of the models.
    """
    members: list[Member] = []
    seconds: list[float] = []
    names = iter(member_names(models, seeds))
    for group, settings in enumerate(models):
        for number in range(seeds):
            own = replace(fitting, seed=fitting.seed + number, name=prefix + next(names))
            classifier, took = _member(settings, own)
            members.append(Member(classifier, group))
            seconds.append(took)
    return members, seconds


def member_names(models: Sequence[Any], seeds: int) -> list[str]:
    """What the files of each member in the folder of a run begin with, behind the prefix."""
    kinds = (kind_of(settings).name for settings in models for _ in range(seeds))
    return [f"{kind}-{number}" for number, kind in enumerate(kinds)]


def learned_all(members: Sequence[Member], fitting: Fitting) -> list[Member]:
    """The members, those that need no validation trained again on all texts, which `fitting` has."""
    found = []
    for member in members:
        classifier: Classifier = member.classifier
        kind = model_kind(classifier.kind)
        if kind.learns_all:
            classifier = kind.fit(classifier.config, fitting)
        found.append(replace(member, classifier=classifier))
    return found


def _member(settings: Any, fitting: Fitting) -> tuple[Classifier, float]:
    """A classifier and the seconds of its training, from its finished file if there is one."""
    kind, done, vectors = kind_of(settings), None, fitting.resources.vectors
    if kind.takes_vectors and vectors is not None:
        settings = replace(settings, vector_size=vectors.vectors.vector_size)
    if fitting.partial is not None:
        run = {"model": kind.name, "settings": asdict(settings), "seed": fitting.seed}
        run |= {**fitting.run_settings, "seqkit": __version__}
        done = CheckpointFile(fitting.partial / f"{fitting.name}.done.{CHECKPOINT}", run, fitting.fingerprint)
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
