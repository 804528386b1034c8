r"""INLP: linear classifiers of the bias, one after another, each of whose directions is projected out.

Ravfogel, Elazar, Gonen, Twiton and Goldberg 2020, "Null It Out: Guarding Protected Attributes by Iterative
Nullspace Projection", arXiv:2004.07667, algorithm 1. X are the most biased words at length 1, z their class:

    repeat    W := a linear classifier of z, trained on X P
              P := the projection onto the intersection of the null spaces of all W so far
    x := P x  for every neutral word

Each classifier is trained where the earlier ones have nothing left, so that its weights are orthogonal to
theirs, and P = I − QᵀQ with their orthonormal rows Q.

What holds, and is tested: P is symmetric and P P = P; a classifier of the kind that was trained does no
better than chance on words that were held out, or `iterations` is spent; neutral words are at projection 0
onto every row of Q; all others keep every bit.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from seqkit.debias.biased import biased_words, check_biased, labelled
from seqkit.debias.directions import SubspaceConfig
from seqkit.debias.task import Array, Ids, Removal, Task, transform
from seqkit.errors import UsageError

_HELD_OUT = 0.3
_SPANNED = 1e-6


@dataclass(frozen=True, kw_only=True)
class InlpConfig(SubspaceConfig):
    """Settings of `inlp`.

    Args:
        iterations: classifiers at most, at least 1; the paper takes 35 for vectors of 300 numbers.
        biased: words of each class that they learn from, at least 5; 7,500 in the paper.
        seed: of the choice of those held out.
    """

    iterations: int = 35
    biased: int = 7500
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.iterations < 1:
            raise UsageError(f"iterations must be at least 1, not {self.iterations}")
        check_biased(self.biased)


def nullspace(rows: Array, labels: Ids, *, iterations: int, seed: int = 0) -> tuple[Array, list[float]]:
    """The directions by which linear classifiers tell classes apart.

    Args:
        rows: (n, vector_size), of classes that are all as frequent.
        labels: (n,), classes from 0.
        iterations: classifiers at most.
        seed: of the choice of the 30% that are held out.

    Returns:
        (directions, vector_size), orthonormal rows Q; and the accuracy on the rows held out of each
        classifier, the last one being no better than chance (by two standard errors) unless `iterations` or
        the dimensions are spent.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from threadpoolctl import threadpool_limits

    classes = int(labels.max()) + 1
    # At unit scale of each number, where the usual regularisation is a mild one.
    x, y = rows * np.sqrt(rows.shape[1]), labels
    x, x_held, y, y_held = train_test_split(x, y, test_size=_HELD_OUT, stratify=y, random_state=seed % 2**32)
    chance = 1 / classes + 2 * np.sqrt((1 / classes) * (1 - 1 / classes) / len(y_held))
    q = np.zeros((0, rows.shape[1]))
    accuracies: list[float] = []
    while True:
        # On one core: the many small products of a fit take ten times as long on two.
        with warnings.catch_warnings(), threadpool_limits(1):
            warnings.simplefilter("ignore", ConvergenceWarning)  # an early stop tells classes apart, too
            model = LogisticRegression(max_iter=1000).fit(x, y)
        accuracies.append(float(model.score(x_held, y_held)))
        if accuracies[-1] <= chance or len(accuracies) > iterations:
            return q, accuracies
        weights = model.coef_ - (model.coef_ @ q.T) @ q
        _, scales, axes = np.linalg.svd(weights, full_matrices=False)
        new = axes[scales > _SPANNED * scales[0]][: rows.shape[1] - 1 - len(q)]
        if not len(new):
            return q, accuracies
        q = np.concatenate([q, new])
        x, x_held = (part - (part @ new.T) @ new for part in (x, x_held))


def inlp(task: Task, config: InlpConfig) -> Removal:
    """Projects neutral words onto the null space of all the classifiers.

    Args:
        task: the vectors and the subspace, by which the most biased words are chosen.
        config: how long to go on.

    Returns:
        The vectors; `details` has how many words of each class were learned from (`biased`), the `directions`
        removed, and `accuracies`, of each classifier on words held out. The tensor `removed` is Q.

    Raises:
        DataError: too few neutral words to learn from.
    """
    rows, labels = labelled(biased_words(task, config.biased))
    q, accuracies = nullspace(task.unit(rows), labels, iterations=config.iterations, seed=config.seed)
    matrix = np.empty_like(task.matrix)

    def project(unit: Array) -> Array:
        unit -= (unit @ q.T) @ q
        return unit

    transform(task.matrix, task.neutral, project, matrix)
    details = {
        "neutralized": int(task.neutral.sum()),
        "biased": len(rows) // len(task.subspace.classes),
        "directions": len(q),
        "accuracies": accuracies,
    }
    return Removal(matrix, details, {"removed": q})
