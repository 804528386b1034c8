"""The members of a bundle of a language model."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from seqkit.errors import BundleError, Place, SeqkitError
from seqkit.language_model.coding import SPECIALS, Coding
from seqkit.language_model.config import NetworkConfig, TextConfig
from seqkit.language_model.network import LanguageNetwork
from seqkit.language_model.pairs import BytePairs
from seqkit.storage import Bundle, BundleWriter
from seqkit.text.vocabulary import VOCABULARY, Vocabulary

KIND, TENSORS, PAIRS = "language_model", "tensors.safetensors", "pairs.json"

LARGEST = 1 << 31
"""Numbers that a network may have: a manifest that asks for more is refused before any is made."""


def write_members(writer: BundleWriter, coding: Coding, network: LanguageNetwork) -> None:
    """Writes vocabulary, byte pairs if there are any, and weights."""
    writer.write_text(VOCABULARY, coding.vocabulary.to_tsv())
    if coding.pairs:
        writer.write_text(PAIRS, coding.pairs.to_json())
    writer.write_tensors(TENSORS, {name: np.array(weight) for name, weight in network.weights.items()})


def read_members(place: Place) -> tuple[Bundle, Coding, LanguageNetwork]:
    """Opens and checks a bundle, and makes its network.

    Raises:
        MissingInputError: there is no such directory.
        BundleError: it is not a bundle of a language model, or is damaged.
        StorageError: the system refused.
    """
    bundle = Bundle.open(place, kind=KIND)
    bundle.verify()
    config = bundle.manifest.config
    text = _settings(bundle, TextConfig, config.get("text"))
    network_config = _settings(bundle, NetworkConfig, config.get("network"))
    vocabulary = Vocabulary.from_bundle(bundle)
    if vocabulary.words[:2] != SPECIALS:
        raise BundleError(bundle.path, f"does not begin with {' and '.join(SPECIALS)}", member=VOCABULARY)
    pairs = BytePairs.from_json(bundle.text(PAIRS), bundle.path / PAIRS) if text.level == "bpe" else None
    coding = Coding(text.level, vocabulary, text.cutter, text.lines, pairs)
    return bundle, coding, _network(bundle, network_config, len(vocabulary))


def _network(bundle: Bundle, config: NetworkConfig, vocabulary_size: int) -> LanguageNetwork:
    tensors = bundle.tensors(TENSORS)
    sizes = [config.vector_size, *config.sizes]
    if (
        vocabulary_size * max(sizes)
        + sum(4 * a * (a + b) for a, b in zip(sizes[1:], sizes[:-1], strict=True))
        > LARGEST
    ):
        raise BundleError(bundle.path, f"asks for a network of {sizes} units", member="manifest.json")
    embeddings = tensors.get("embeddings")
    if embeddings is None or embeddings.shape != (vocabulary_size, config.vector_size):
        shape = None if embeddings is None else embeddings.shape
        raise BundleError(bundle.path, f"embeddings of shape {shape}", member=TENSORS)
    labels = tensors["labels"].shape[0] if "labels" in tensors else 0
    network = LanguageNetwork(config, vocabulary_size, labels=labels, embeddings=np.array(embeddings))
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


def _settings(bundle: Bundle, kind: Any, values: Any) -> Any:
    """Settings of a manifest, each known and in its range."""
    names = {each.name for each in fields(kind)}
    if not isinstance(values, dict) or set(values) != names:
        raise BundleError(
            bundle.path, f"expected the settings {', '.join(sorted(names))}", member="manifest.json"
        )
    try:
        return kind(**values)
    except (SeqkitError, TypeError) as error:
        raise BundleError(bundle.path, str(error), member="manifest.json") from error
