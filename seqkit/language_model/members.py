"""The members of a bundle of a language model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from seqkit._manifest import TENSORS
from seqkit._settings import checked_settings
from seqkit.errors import BundleError, Place
from seqkit.language_model.coding import SPECIALS, Coding
from seqkit.language_model.config import NetworkConfig, TextConfig
from seqkit.language_model.network import LanguageNetwork
from seqkit.language_model.pairs import BytePairs
from seqkit.storage import Bundle, BundleWriter, read_again
from seqkit.text.vocabulary import VOCABULARY, Vocabulary

KIND, PAIRS = "language_model", "pairs.json"


def write_members(writer: BundleWriter, coding: Coding, network: LanguageNetwork) -> None:
    """Writes vocabulary, byte pairs if there are any, and weights."""
    writer.write_text(VOCABULARY, coding.vocabulary.to_tsv())
    if coding.pairs:
        writer.write_text(PAIRS, coding.pairs.to_json())
    writer.write_tensors(TENSORS, {name: weight.value.numpy() for name, weight in network.weights.items()})


@dataclass(frozen=True, eq=False)
class Members:
    """What a bundle has.

    Args:
        bundle: where.
        text: how its text became tokens.
        config: of its network.
        coding: with its vocabulary.
    """

    bundle: Bundle
    text: TextConfig
    config: NetworkConfig
    coding: Coding

    def network(self) -> LanguageNetwork:
        """Makes the network, with its weights.

        Raises:
            BundleError: the weights are not those of such a network.
        """
        return _network(self.bundle, self.config, len(self.coding.vocabulary), len(self.coding.labels))


@read_again
def read_members(place: Place) -> tuple[Bundle, Coding, LanguageNetwork]:
    """Opens and checks a bundle, and makes its network.

    Raises:
        BundleError: as `open_members`; the weights are not those of such a network.
        SeqkitError: as `open_members`.
    """
    members = open_members(place)
    return members.bundle, members.coding, members.network()


@read_again
def open_members(place: Place) -> Members:
    """Opens and checks a bundle; its weights are not read yet.

    Raises:
        MissingInputError: there is no such directory.
        BundleError: it is not a bundle of a language model, or is damaged.
        StorageError: the system refused.
    """
    bundle = Bundle.open(place, kind=KIND)
    bundle.verify()
    config = bundle.manifest.config
    text = checked_settings(bundle.path, TextConfig, config.get("text"))
    network_config = checked_settings(bundle.path, NetworkConfig, config.get("network"))
    vocabulary = Vocabulary.from_bundle(bundle)
    if vocabulary.words[:2] != SPECIALS:
        raise BundleError(bundle.path, f"does not begin with {' and '.join(SPECIALS)}", member=VOCABULARY)
    pairs = BytePairs.from_json(bundle.text(PAIRS), bundle.path / PAIRS) if text.level == "bpe" else None
    coding = Coding(text.level, vocabulary, text.cutter, text.lines, pairs, _labels(bundle, text))
    return Members(bundle, text, network_config, coding)


def _labels(bundle: Bundle, text: TextConfig) -> tuple[str, ...]:
    labels = bundle.manifest.config.get("labels", [])
    fits = isinstance(labels, list) and all(isinstance(label, str) for label in labels)
    if not fits or len(set(labels)) != len(labels) or bool(labels) != (text.label_column is not None):
        raise BundleError(bundle.path, f"labels are {labels!r:.80}", member="manifest.json")
    return tuple(labels)


def _network(bundle: Bundle, config: NetworkConfig, vocabulary_size: int, labels: int) -> LanguageNetwork:
    tensors = bundle.tensors(TENSORS)
    for name, tensor in tensors.items():
        if tensor.dtype != np.float32 or not np.isfinite(tensor).all():
            raise BundleError(bundle.path, f"{name} is not of finite numbers in float32", member=TENSORS)
    _check_size(bundle, config, vocabulary_size, list(tensors.values()))
    embeddings = tensors.get("embeddings")
    if embeddings is None or embeddings.shape != (vocabulary_size, config.vector_size):
        shape = None if embeddings is None else embeddings.shape
        raise BundleError(bundle.path, f"embeddings of shape {shape}", member=TENSORS)
    network = LanguageNetwork(
        config,
        vocabulary_size,
        labels=labels,
        embeddings=np.array(embeddings),
    )
    weights = network.weights
    expected = {name: tuple(weight.shape) for name, weight in weights.items()}
    found = {name: tensor.shape for name, tensor in tensors.items()}
    if expected != found:
        name = min(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
        reason = f"{name} of shape {found.get(name)}, not {expected.get(name)}"
        raise BundleError(bundle.path, reason, member=TENSORS)
    for name, weight in weights.items():
        weight.assign(np.array(tensors[name]))
    return network


def _check_size(bundle: Bundle, config: NetworkConfig, vocabulary_size: int, tensors: list[Any]) -> None:
    """Refuses a manifest that asks for more than there are numbers for, before any is made."""
    reason = f"too few weights for {config.layers} layers of {config.units} units"
    if config.layers <= len(tensors):
        sizes = [config.vector_size, *config.sizes]
        of_softmax = 0 if config.tied else sizes[-1]
        # of a cell with one gate, the smallest
        of_layers = sum(a * (a + b) for a, b in zip(sizes[1:], sizes[:-1], strict=True))
        asked = vocabulary_size * (config.vector_size + of_softmax) + of_layers
        if asked <= sum(tensor.size for tensor in tensors):
            return
    raise BundleError(bundle.path, reason, member="manifest.json")
