"""What every classifier is: a function from documents to one logit a label, and the numbers it is made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from seqkit.progress import SILENT, Progress
from seqkit.sentiment.documents import Documents, Labelled
from seqkit.sentiment.labels import Labels
from seqkit.text.vocabulary import Vocabulary


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
    """

    train: Labelled
    valid: Labelled
    vocabulary: Vocabulary
    seed: int = 0
    partial: Path | None = None
    name: str = "member"
    progress: Progress = SILENT
