"""The members of a bundle of sentiment."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit._manifest import MANIFEST, TENSORS
from seqkit._settings import checked_settings
from seqkit.errors import BundleError, DataError, Place, SeqkitError
from seqkit.sentiment.cutting import Cutter
from seqkit.sentiment.documents import SPECIALS
from seqkit.sentiment.encoder import TextEncoder
from seqkit.sentiment.ensemble import MAX_WEIGHT, Ensemble, Member
from seqkit.sentiment.labels import Labels
from seqkit.sentiment.registry import model_kind
from seqkit.storage import Bundle, BundleWriter, read_again
from seqkit.text.vocabulary import VOCABULARY, Vocabulary

KIND = "sentiment"

MAX_MEMBERS = 100
"""Of an ensemble in a bundle."""


def model_settings(labels: Labels, encoder: TextEncoder, ensemble: Ensemble) -> dict[str, Any]:
    """What a manifest says of a model."""
    return {
        "labels": list(labels.names),
        "cutter": encoder.cutter.to_config(),
        "members": [
            {
                "model": member.classifier.kind,
                "group": member.group,
                "settings": asdict(member.classifier.config),
            }
            for member in ensemble.members
        ],
        "weights": [float(weight) for weight in ensemble.weights],
    }


def write_members(writer: BundleWriter, encoder: TextEncoder, ensemble: Ensemble) -> None:
    """Writes vocabulary and tensors."""
    writer.write_text(VOCABULARY, encoder.vocabulary.to_tsv())
    tensors: dict[str, NDArray[Any]] = {}
    for number, member in enumerate(ensemble.members):
        tensors |= {f"{number}.{name}": each for name, each in member.classifier.tensors().items()}
    writer.write_tensors(TENSORS, tensors)


@read_again
def read_members(place: Place) -> tuple[Bundle, Labels, TextEncoder, Ensemble]:
    """Opens and checks a bundle, and makes its classifiers.

    Raises:
        MissingInputError: there is no such directory.
        BundleError: it is not a bundle of sentiment, or is damaged.
        StorageError: the system refused.
    """
    bundle = Bundle.open(place, kind=KIND)
    bundle.verify()
    config = bundle.manifest.config
    try:
        labels = Labels(tuple(_texts(config.get("labels"))))
        encoder = TextEncoder(Cutter.from_config(config.get("cutter") or {}), Vocabulary.from_bundle(bundle))
        if encoder.vocabulary.words[: len(SPECIALS)] != SPECIALS:
            raise BundleError(bundle.path, f"does not begin with {' and '.join(SPECIALS)}", member=VOCABULARY)
        members = _members(bundle, config.get("members"), encoder.vocabulary, labels)
        weights = _weights(config.get("weights"), members)
    except BundleError:
        raise
    except SeqkitError as error:
        raise BundleError(bundle.path, str(error), member=MANIFEST) from error
    return bundle, labels, encoder, Ensemble(members, weights)


def _texts(values: object) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise DataError("labels are not a list of texts")
    return values


def _members(bundle: Bundle, given: object, vocabulary: Vocabulary, labels: Labels) -> list[Member]:
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_MEMBERS:
        raise DataError(f"expected 1 to {MAX_MEMBERS} members")
    tensors = bundle.tensors(TENSORS)
    for name, tensor in tensors.items():
        if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
            raise BundleError(bundle.path, f"{name} has numbers that are not finite", member=TENSORS)
    members = []
    for number, entry in enumerate(given):
        if not isinstance(entry, dict) or entry.keys() != {"model", "group", "settings"}:
            raise DataError(f"member {number} needs model, group and settings, nothing else")
        kind = model_kind(entry["model"])
        settings = checked_settings(bundle.path, kind.config_class, entry["settings"])
        prefix = f"{number}."
        own = {name.removeprefix(prefix): each for name, each in tensors.items() if name.startswith(prefix)}
        try:
            classifier = kind.classifier_class.from_tensors(settings, own, vocabulary, labels)
        except DataError as error:
            raise BundleError(bundle.path, f"member {number}: {error}", member=TENSORS) from error
        members.append(Member(classifier, entry["group"]))
    surplus = [name for name in tensors if name.partition(".")[0] not in map(str, range(len(given)))]
    if surplus:
        raise BundleError(bundle.path, f"{surplus[0]} is of no member", member=TENSORS)
    return members


def _weights(given: object, members: list[Member]) -> NDArray[np.float64]:
    groups = [member.group for member in members]
    if not all(type(group) is int for group in groups) or sorted({*groups}) != [*range(max(groups) + 1)]:
        raise DataError("the groups of members are not numbered from 0")
    if (
        not isinstance(given, list)
        or len(given) != max(groups) + 1
        or not all(type(each) in (int, float) and 0 <= each <= MAX_WEIGHT for each in given)
    ):
        raise DataError(f"expected {max(groups) + 1} weights from 0 to {MAX_WEIGHT:g}")
    return np.array(given, np.float64)
