"""Initial embeddings from word vectors: what was learned on other text, for a model that has less of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seqkit.embeddings.initial import Initial
from seqkit.errors import DataError, Place, UsageError
from seqkit.language_model.coding import SPECIALS
from seqkit.language_model.config import NetworkConfig, TextConfig
from seqkit.progress import Progress
from seqkit.text.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """Which vectors the embeddings begin with.

    Args:
        vectors: a bundle of vectors, or a file in any format of `seqkit.embeddings.formats`.
        frozen: leave the embeddings as they are then, those of words without a vector, too.
    """

    vectors: Place
    frozen: bool = False


@dataclass(frozen=True, eq=False)
class InitialEmbeddings:
    """Vectors that embeddings begin with.

    Args:
        initial: the vectors, with the hash of where they come from.
        frozen: do not train the embeddings.
    """

    initial: Initial
    frozen: bool

    @classmethod
    def load(
        cls, transfer: Transfer, text: TextConfig, network: NetworkConfig, progress: Progress
    ) -> InitialEmbeddings:
        """Reads the vectors, once it is clear that they can be used.

        Raises:
            UsageError: tokens that are no words; frozen embeddings that the softmax has as its weights.
            SeqkitError: as `seqkit.embeddings.vectors.Vectors.load`.
        """
        if text.level != "word":
            raise UsageError(
                f"vectors are of words, and the tokens are of level {text.level}: take level word"
            )
        if transfer.frozen and network.tied:
            raise UsageError(
                "tied weights are those of the softmax, too, which has to learn: tune the vectors"
            )
        return cls(Initial.load(transfer.vectors, progress), transfer.frozen)

    @property
    def settings(self) -> dict[str, Any]:
        """What a run that goes on must have, too."""
        return {"digest": self.initial.digest, "frozen": self.frozen}

    def sized(self, network: NetworkConfig) -> NetworkConfig:
        """The network with embeddings as long as the vectors.

        Raises:
            UsageError: another length is asked for.
        """
        size = self.initial.vectors.vector_size
        if network.embedding_size not in (None, size):
            raise UsageError(
                f"{self.initial.name} has vectors of {size} numbers, and embedding_size is "
                f"{network.embedding_size}: set it to {size}, or leave it out"
            )
        return replace(network, embedding_size=size)

    def put_into(
        self, embeddings: Any, vocabulary: Vocabulary, root_mean_square: float, progress: Progress
    ) -> float:
        """Gives every word that has a vector that one; the others keep what was drawn.

        All are multiplied by one factor, so that their entries have the root mean square of those drawn:
        neither kind of word is louder than the other, whatever the length of the vectors.

        Args:
            embeddings: a variable of Keras, (vocabulary, vector_size).
            vocabulary: of the text.
            root_mean_square: of the entries that were drawn.
            progress: told how many words have a vector.

        Returns:
            The share of the words, `<unk>` and `<eos>` not counted, that have a vector.

        Raises:
            DataError: none has one, or all of these are zero.
        """
        vectors, name = self.initial.vectors, self.initial.name
        found = [vectors.vocabulary.get(word) for word in vocabulary.words]
        here = np.array([number for number, row in enumerate(found) if row is not None], np.int64)
        words = here[here >= len(SPECIALS)]
        if not len(words):
            raise DataError(f"{name} has no vector for any word of the text: are its words cut the same way?")
        rows = np.asarray(vectors.matrix[[row for row in found if row is not None]], np.float64)
        mean = float(np.sqrt(np.mean(np.square(rows))))
        if not mean:
            raise DataError(f"{name}: the vectors of all words of the text are zero")
        values = np.array(embeddings.numpy())
        values[here] = rows * (root_mean_square / mean)
        embeddings.assign(values)
        share = len(words) / (len(vocabulary) - len(SPECIALS))
        counts = vocabulary.counts
        seen = counts[words].sum() / max(1, counts[len(SPECIALS) :].sum())
        progress.message(f"{name}: vectors for {share:.1%} of the words, which are {seen:.1%} of the text")
        return share
