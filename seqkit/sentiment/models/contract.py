"""What every classifier is: a function from documents to one logit a label, and the numbers it is made of."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import Place
from seqkit.progress import SILENT, Progress
from seqkit.sentiment.documents import UNKNOWN_ID, Documents, Labelled
from seqkit.sentiment.labels import Labels
from seqkit.storage import Bundle
from seqkit.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from seqkit.embeddings.initial import Initial
    from seqkit.training.device import Device, Precision


class Classifier(ABC):
    """A trained classifier.

    `average`, `linear` and `lexicon` import neither TensorFlow nor gensim to be loaded and to score.

    Attributes:
        config: how it was made, a frozen dataclass of values that JSON has.
    """

    kind: ClassVar[str]
    config: Any

    @abstractmethod
    def logits(self, documents: Documents) -> NDArray[np.float32]:
        """The logits of the main labels, (texts, labels), before calibration."""

    @abstractmethod
    def attributions(self, documents: Documents) -> list[NDArray[np.float32]]:
        """What each token adds to each logit, of each text (tokens, labels).

        Over its tokens they sum to the logits less those of a text without tokens: exactly where the model
        adds up its words, by integrated gradients otherwise.
        """

    def known(self, documents: Documents) -> NDArray[np.int64]:
        """How many tokens of each text it has learned something about, (texts,)."""
        unknown = np.flatnonzero(documents.ids == UNKNOWN_ID)
        return documents.lengths - np.diff(np.searchsorted(unknown, documents.starts))

    @abstractmethod
    def tensors(self) -> dict[str, NDArray[Any]]:
        """The numbers that `from_tensors` makes it of again."""

    @classmethod
    @abstractmethod
    def from_tensors(
        cls, config: Any, tensors: Mapping[str, NDArray[Any]], vocabulary: Vocabulary, labels: Labels
    ) -> Classifier:
        """The classifier of a bundle.

        Args:
            config: of the class that `config` has.
            tensors: as `tensors` gave them; memory-mapped, of finite numbers, not otherwise checked.
            vocabulary: of the documents.
            labels: of the main task.

        Raises:
            DataError: tensors are missing, surplus, or of another shape than the rest asks for.
        """


@dataclass(frozen=True, eq=False)
class Resources:
    """What networks may begin with and run on; the other models look at none of it.

    Args:
        vectors: word vectors for the embeddings.
        language_model: a bundle of `seqkit lm`, whose encoder a network begins with.
        device: where to compute; None for "auto".
        precision: of the products in training.
    """

    vectors: Initial | None = None
    language_model: Place | None = None
    device: Device | None = None
    precision: Precision = "float32"

    @property
    def words(self) -> Sequence[str]:
        """Words that are worth having in the vocabulary, seen in the training texts or not."""
        words = [*self.vectors.vectors.words] if self.vectors else []
        if self.language_model is not None:
            words += Vocabulary.from_bundle(Bundle.open(self.language_model, kind="language_model")).words[2:]
        return words

    @property
    def settings(self) -> dict[str, Any]:
        """What a run that goes on must have, too."""
        model = (
            None if self.language_model is None else Bundle.open(self.language_model, kind="language_model")
        )
        return {
            "vectors": None if self.vectors is None else self.vectors.digest,
            "language_model": None
            if model is None
            else hashlib.sha256(model.manifest.to_bytes()).hexdigest(),
            "precision": self.precision,
        }


@dataclass(frozen=True, eq=False)
class Fitting:
    """What a classifier is trained with, beside its own settings.

    Args:
        train: what is learned.
        valid: what decides when to stop; never learned.
        vocabulary: of the documents, the words of `train` and those of the vectors.
        seed: of everything random.
        partial: a folder for checkpoints, or None for a run that cannot be gone on with.
        name: of this member of an ensemble, which its files in the folder begin with.
        progress: told what is done.
        resources: vectors and the like.
        settings: of the run, beside the model's and those of the resources, as JSON.
    """

    train: Labelled
    valid: Labelled
    vocabulary: Vocabulary
    seed: int = 0
    partial: Path | None = None
    name: str = "member"
    progress: Progress = SILENT
    resources: Resources = field(default_factory=Resources)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def run_settings(self) -> dict[str, Any]:
        """What a run that goes on must have, too."""
        return {**self.resources.settings, **self.settings}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all that is learned from, in hex."""
        digest = hashlib.sha256(repr(self.vocabulary.words).encode("utf-8", "surrogatepass"))
        for labelled in (self.train, self.valid):
            documents = labelled.documents
            for text in documents.texts:
                digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
            digest.update(documents.ids.tobytes() + documents.starts.tobytes())
            for task in (labelled.main, *labelled.others.values()):
                digest.update(repr(task.labels.names).encode() + task.targets.tobytes())
        return digest.hexdigest()
