"""Going on from another language model: all its weights, on new text (Howard & Ruder 2018, section 3.2).

The vocabulary is that of the new text and all tokens of the earlier model. Counts are those of the new text.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import Place, UsageError
from seqkit.language_model.coding import SPECIALS, Coding
from seqkit.language_model.config import NetworkConfig, TextConfig
from seqkit.language_model.members import Members, open_members
from seqkit.language_model.network import LanguageNetwork
from seqkit.progress import Progress

OF_NETWORK = ("cell", "layers", "units", "embedding_size", "tied", "layer_norm")
"""Settings of `NetworkConfig` that say which weights there are."""

OF_TEXT = ("level", "tokenizer", "lowercase")
"""Settings of `TextConfig` that say what a token is."""

OF_TOKENS = ("embeddings", "kernel", "bias")
"""Weights with a row for each token."""


@dataclass(frozen=True, eq=False)
class InitialModel:
    """A language model that another begins with.

    Args:
        name: what messages call it.
        members: of its bundle.
        digest: SHA-256, in hex, of its manifest, which has the hashes of all else.
        network: settings of the network that begins.
        text: how its text becomes tokens.
    """

    name: str
    members: Members
    digest: str
    network: NetworkConfig
    text: TextConfig
    frozen = False

    @classmethod
    def load(cls, place: Place, network: NetworkConfig | None, text: TextConfig | None) -> InitialModel:
        """Opens a bundle, every byte checked.

        Args:
            place: the bundle.
            network: settings of the network that begins; None for those of the model.
            text: how its text becomes tokens; None for how the model's did, with nothing held out.

        Raises:
            UsageError: a setting of network or text with which the weights would not be the same ones.
            SeqkitError: as `seqkit.language_model.members.open_members`.
        """
        name, members = os.fspath(place), open_members(place)
        own = replace(members.config, embedding_size=members.config.vector_size)
        given = replace(network, embedding_size=network.vector_size) if network else own
        _check(name, OF_NETWORK, own, given)
        if text:
            _check(name, OF_TEXT, members.text, text)
        digest = hashlib.sha256(members.bundle.manifest.to_bytes()).hexdigest()
        return cls(name, members, digest, network or members.config, text or _unlabelled(members.text))

    @property
    def settings(self) -> dict[str, Any]:
        """What a run that goes on must have, too."""
        return {"init": {"digest": self.digest}}

    @property
    def coding(self) -> Coding:
        """Of the model."""
        return self.members.coding

    def begin(self, network: LanguageNetwork, coding: Coding, progress: Progress) -> float:
        """Gives a network the weights of the model.

        A token that the model lacks begins with the mean of the rows of all others, as in ULMFiT.

        Args:
            network: at its beginning.
            coding: of the new text, with all tokens of the model.
            progress: told how many tokens are new.

        Returns:
            The share of the tokens of the text, `<unk>` and `<eos>` not counted, that the model knew.
        """
        old, vocabulary = self.members.network().weights, coding.vocabulary
        known = self.coding.vocabulary.words
        here = np.array([vocabulary[word] for word in known])
        for name, weight in network.weights.items():
            values = np.array(weight.numpy())
            if name in OF_TOKENS:
                rows = old[name].numpy()
                values[:] = rows[len(SPECIALS) :].mean(axis=0)
                values[here] = rows
            elif name == "labels":
                values[:] = _labels(self.coding.labels, old.get(name), coding.labels, values)
            else:
                values = old[name].numpy()
            weight.assign(values)
        seen = vocabulary.counts[here[len(SPECIALS) :]] > 0
        new = len(vocabulary) - len(known)
        progress.message(
            f"going on from {self.name}: {int(seen.sum()):,} of its {len(seen):,} tokens are in the text; "
            f"new tokens: {new:,}"
        )
        return float(seen.sum() / (seen.sum() + new))


def settings_of(place: Place) -> tuple[dict[str, Any], set[str]]:
    """What a model that begins with another has of it where nothing else is asked for.

    Args:
        place: the bundle.

    Returns:
        The settings of `NetworkConfig` and `TextConfig`, and the names of those that are fixed.

    Raises:
        SeqkitError: as `seqkit.language_model.members.open_members`.
    """
    members = open_members(place)
    return asdict(members.config) | asdict(_unlabelled(members.text)), {*OF_NETWORK, *OF_TEXT}


def _unlabelled(text: TextConfig) -> TextConfig:
    """The settings without those that are of one file: what is held out of it, and its columns."""
    return replace(text, validation=0.0, label_column=None, text_column=None)


def _check(name: str, settings: tuple[str, ...], known: Any, given: Any) -> None:
    for setting in settings:
        here, there = getattr(given, setting), getattr(known, setting)
        if here != there:
            fixed = "a run that begins with it keeps that; leave it out"
            raise UsageError(f"{name} has {setting} {there}, not {here}: {fixed}")


def _labels(
    known: tuple[str, ...], rows: Any, labels: tuple[str, ...], drawn: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The embeddings of labels: of those that the model knows, what it has, of the others what was drawn."""
    found = drawn.copy()
    for number, label in enumerate(labels):
        if label in known:
            found[number] = rows.numpy()[known.index(label)]
    return found
