"""What was learned on other text, for a model that has less of it: word vectors, or a whole model."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from seqkit.embeddings.initial import Initial
from seqkit.errors import DataError, Place, UsageError
from seqkit.language_model.coding import SPECIALS, Coding
from seqkit.language_model.config import EMBEDDING_RANGE, NetworkConfig, TextConfig
from seqkit.progress import Progress
from seqkit.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from seqkit.language_model.network import LanguageNetwork


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """What a model begins with: vectors, or another model.

    Args:
        vectors: a bundle of vectors, or a file in any format of `seqkit.embeddings.formats`, that the
            embeddings begin with.
        frozen: leave the embeddings as they are then, those of words without a vector, too.
        model: a bundle of a language model that all weights begin with.

    Raises:
        UsageError: both or none of them; embeddings of a model that are to be frozen.
    """

    vectors: Place | None = None
    frozen: bool = False
    model: Place | None = None

    def __post_init__(self) -> None:
        if (self.vectors is None) == (self.model is None):
            raise UsageError("begin with vectors or with a model: a model has embeddings of its own")
        if self.frozen and self.vectors is None:
            raise UsageError("only vectors can be frozen; a model that is gone on from learns as a whole")


@dataclass(frozen=True, eq=False)
class InitialEmbeddings:
    """Vectors that embeddings begin with.

    Args:
        initial: the vectors, with the hash of where they come from.
        frozen: do not train the embeddings.
        network: settings of the network.
        text: how text becomes tokens.
    """

    initial: Initial
    frozen: bool
    network: NetworkConfig
    text: TextConfig
    coding = None

    @classmethod
    def load(
        cls,
        vectors: Place,
        frozen: bool,
        network: NetworkConfig | None,
        text: TextConfig | None,
        progress: Progress,
    ) -> InitialEmbeddings:
        """Reads the vectors, once it is clear that they can be used.

        Args:
            vectors: a bundle or a file.
            frozen: do not train the embeddings.
            network: settings of the network; embeddings are as long as the vectors.
            text: how text becomes tokens.
            progress: told of a file that is read.

        Raises:
            UsageError: tokens that are no words; frozen embeddings that the softmax has as its weights;
                embeddings of another length are asked for.
            SeqkitError: as `seqkit.embeddings.vectors.Vectors.load`.
        """
        network, text = network or NetworkConfig(), text or TextConfig()
        if text.level != "word":
            raise UsageError(
                f"vectors are of words, and the tokens are of level {text.level}: take level word"
            )
        if frozen and network.tied:
            raise UsageError(
                "tied weights are those of the softmax, too, which has to learn: tune the vectors"
            )
        initial = Initial.load(vectors, progress)
        size = initial.vectors.vector_size
        if network.embedding_size not in (None, size):
            raise UsageError(
                f"{initial.name} has vectors of {size} numbers, and embedding_size is "
                f"{network.embedding_size}: set it to {size}, or leave it out"
            )
        return cls(initial, frozen, replace(network, embedding_size=size), text)

    @property
    def settings(self) -> dict[str, Any]:
        """What a run that goes on must have, too."""
        return {"vectors": {"digest": self.initial.digest, "frozen": self.frozen}}

    def begin(self, network: LanguageNetwork, coding: Coding, progress: Progress) -> float:
        """Gives a network the vectors, at the size of the embeddings that are drawn; see `put_into`.

        Raises:
            DataError: as `put_into`.
        """
        drawn = EMBEDDING_RANGE / math.sqrt(3)
        return self.put_into(network.embeddings, coding.vocabulary, drawn, progress)

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
