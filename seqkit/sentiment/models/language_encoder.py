"""The encoder of a language model, fine-tuned to classify (Howard & Ruder 2018, ULMFiT, section 3.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import Place, UsageError
from seqkit.language_model.coding import UNKNOWN_ID as UNKNOWN
from seqkit.language_model.coding import Coding
from seqkit.language_model.members import read_members
from seqkit.language_model.network import LanguageNetwork
from seqkit.sentiment.documents import PAD_ID
from seqkit.sentiment.models.recurrent import RnnConfig
from seqkit.text.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class LanguageEncoder:
    """What a network begins with.

    Args:
        place: the bundle.
        coding: how text became words.
        network: of the language model.
    """

    place: Place
    coding: Coding
    network: LanguageNetwork

    @classmethod
    def load(cls, place: Place) -> LanguageEncoder:
        """Opens a bundle of a language model.

        Raises:
            UsageError: its tokens are no words, or its layers are of several sizes.
            SeqkitError: as `seqkit.language_model.members.read_members`.
        """
        _, coding, network = read_members(place)
        if coding.level != "word":
            raise UsageError(f"{place} is a language model of {coding.level}s, and texts are cut into words")
        if len(set(network.config.sizes)) > 1:
            raise UsageError(f"{place} has layers of {network.config.sizes} units; an rnn's are all alike")
        return cls(place, coding, network)

    def configured(self, config: RnnConfig) -> RnnConfig:
        """The settings of a network that has this encoder."""
        own = self.network.config
        return replace(
            config,
            cell=own.cell,
            units=own.units,
            layers=own.layers,
            layer_norm=own.layer_norm,
            bidirectional=False,
            vector_size=own.vector_size,
        )

    def vectors(self, vocabulary: Vocabulary) -> NDArray[np.float32]:
        """The vectors of the words of a vocabulary, that of `<unk>` where the model has none."""
        known = self.coding.vocabulary
        rows = [UNKNOWN if (row := known.get(word)) is None else row for word in vocabulary.words]
        found: NDArray[np.float32] = self.network.embeddings.numpy()[rows]
        found[PAD_ID] = 0
        return found

    def put_into(self, encoder: Any) -> None:
        """Gives the layers of an encoder the weights of the language model's."""
        for layer, own in zip(encoder.layers, self.network.layers, strict=True):
            for weight, value in zip(layer.cell.trainable_weights, own.cell.trainable_weights, strict=True):
                weight.assign(value)


def rates_by_depth(config: RnnConfig, depths: Sequence[int]) -> Callable[[int], Sequence[float]]:
    """The share of its update that each variable moves by, in each epoch.

    The rate of a layer is that of the one above over `config.rate_decay`; with `config.unfreezing` the
    softmax learns alone in the first epoch, and one layer more joins in each.

    Args:
        config: the settings.
        depths: of each variable, 0 at the top.
    """

    def factors(epoch: int) -> list[float]:
        return [0.0 if config.unfreezing and depth > epoch else config.rate_decay**-depth for depth in depths]

    return factors
