"""What a network is trained to answer: the loss of each task, in NumPy.

    -Σ_y t_y log softmax(z)_y,  t = (1 - ε) of the label, and ε / labels of each (Szegedy et al. 2016)

It is a mean over texts that have a label, each weighed by what its label counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqkit.sentiment.documents import MISSING, Labelled, Task

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Head:
    """One task.

    Args:
        targets: the label of each text, or `MISSING`.
        weights: what each label counts, (labels,), 1 in the mean over the training texts.
    """

    targets: NDArray[np.int32]
    weights: Array

    @property
    def labels(self) -> int:
        """How many there are."""
        return len(self.weights)

    def loss(self, logits: Array, texts: NDArray[np.int64], smoothing: float = 0.0) -> tuple[float, Array]:
        """The mean loss of some texts, and its slope by their logits; 0 where none has a label."""
        targets = self.targets[texts]
        there = targets != MISSING
        weights = (self.weights[targets] * there / max(1, there.sum())).astype(np.float32)
        wanted = np.full(logits.shape, smoothing / self.labels, np.float32)
        wanted[np.arange(len(targets)), targets] += np.float32(1 - smoothing)
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        loss = -float(weights @ (wanted * log_p).sum(axis=1))
        return loss, (np.exp(log_p) - wanted) * weights[:, None]


def heads_of(labelled: Labelled, balanced: bool) -> list[Head]:
    """The heads of all tasks, the main one first.

    Args:
        labelled: the training texts.
        balanced: whether a label counts the same however many texts it has.
    """
    return [Head(task.targets, label_weights(task, balanced)) for task in tasks_of(labelled)]


def tasks_of(labelled: Labelled) -> Sequence[Task]:
    """All tasks, the main one first."""
    return [labelled.main, *labelled.others.values()]


def label_weights(task: Task, balanced: bool) -> Array:
    """What each label counts, (labels,): texts / (labels there are · texts of the label), or 1."""
    size = len(task.labels)
    if not balanced:
        return np.ones(size, np.float32)
    counts = np.bincount(task.targets[task.targets != MISSING], minlength=size)
    there = max(1, (counts > 0).sum())
    return np.where(counts, counts.sum() / (there * np.maximum(counts, 1)), 0).astype(np.float32)
