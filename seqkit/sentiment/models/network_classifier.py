"""A classifier that is a network of TensorFlow: what `rnn` and `cnn` share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import DataError
from seqkit.sentiment.documents import Documents
from seqkit.sentiment.labels import Labels
from seqkit.sentiment.models.contract import Classifier
from seqkit.sentiment.models.integrated import completed
from seqkit.sentiment.models.network_batches import padded, scoring_batches, shortened
from seqkit.sentiment.models.network_settings import NetworkSettings
from seqkit.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from seqkit.sentiment.models.network import TextNetwork

Self = TypeVar("Self", bound="NetworkClassifier")

POINTS = 24
"""At which slopes are taken for an integral."""


class NetworkClassifier(Classifier):
    """A network.

    Args:
        config: how it was trained.
        network: as it is now.
    """

    config: NetworkSettings

    def __init__(self, config: NetworkSettings, network: TextNetwork) -> None:
        self.config, self.network = config, network

    @staticmethod
    @abstractmethod
    def encoder(config: Any, seed: int) -> Any:
        """A layer of Keras that makes one vector of those of a text.

        Args:
            config: of the class.
            seed: of initial weights and masks.
        """

    def logits(self, documents: Documents) -> NDArray[np.float32]:
        """The logits, (texts, labels)."""
        documents = shortened(documents, self.config.max_length)
        found = np.zeros((len(documents), self._labels), np.float32)
        for numbers in scoring_batches(documents):
            found[numbers] = self.network.scored(padded(documents, numbers))
        return found

    def attributions(self, documents: Documents) -> list[NDArray[np.float32]]:
        """What each token adds to each logit, by integrated gradients; 0 of tokens that are not read."""
        nothing = self.network.scored(np.zeros((1, 1), np.int32))[0].astype(np.float64)
        totals = self.logits(documents) - nothing
        places = Documents(documents.texts, np.arange(len(documents.ids), dtype=np.int32), documents.starts)
        found = np.zeros((len(documents.ids), self._labels))
        for number, read in enumerate(_texts(shortened(places, self.config.max_length))):
            if len(read):
                found[read] = completed(self._integrated(documents.ids[read]), totals[number])
        return np.split(found.astype(np.float32), documents.starts[1:-1])

    def _integrated(self, ids: NDArray[np.int32]) -> NDArray[np.float64]:
        """Integrated gradients of one text, (tokens, labels), by the rule of Gauss and Legendre."""
        points, weights = np.polynomial.legendre.leggauss(POINTS)
        vectors, slopes = self.network.slopes(ids, (points + 1) / 2)
        found: NDArray[np.float64] = np.einsum("p,kpts,ts->tk", weights / 2, slopes, vectors, optimize=True)
        return found

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Vectors and weights."""
        found = {name: np.array(weight.numpy()) for name, weight in self.network.weights.items()}
        return found | {"embeddings": self.network.all_vectors}

    @classmethod
    def from_tensors(
        cls: type[Self],
        config: Any,
        tensors: Mapping[str, NDArray[Any]],
        vocabulary: Vocabulary,
        labels: Labels,
    ) -> Self:
        """The classifier of a bundle."""
        from seqkit.sentiment.models.network import TextNetwork

        vectors = tensors.get("embeddings")
        if vectors is None or vectors.ndim != 2 or len(vectors) != len(vocabulary):
            raise DataError(f"embeddings must be of {len(vocabulary):,} words")
        weights = np.ones(len(labels), np.float32)
        network = TextNetwork(config, cls.encoder(config, 0), np.array(vectors, np.float32), [weights])
        shapes = {name: tuple(weight.shape) for name, weight in network.weights.items()}
        if tensors.keys() != shapes.keys() | {"embeddings"}:
            wrong = sorted(tensors.keys() ^ (shapes.keys() | {"embeddings"}))
            raise DataError(f"{wrong[0]} is missing, or is of no network of these settings")
        for name, weight in network.weights.items():
            if tensors[name].shape != shapes[name] or tensors[name].dtype != np.float32:
                raise DataError(f"{name} must be float32 of shape {shapes[name]}, not {tensors[name].shape}")
            weight.assign(np.array(tensors[name]))
        return cls(config, network)

    @property
    def _labels(self) -> int:
        return int(self.network.heads[0][1].shape[0])


def _texts(documents: Documents) -> list[NDArray[np.int32]]:
    return [documents.ids_of(number) for number in range(len(documents))]
