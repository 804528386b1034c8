r"""LEACE: the smallest affine change after which no linear predictor knows anything of the class.

Belrose, Schneider-Joseph, Ravfogel, Cotterell, Raff and Biderman 2023, "LEACE: Perfect linear concept erasure
in closed form", arXiv:2306.03819, theorem 4.3: with Σ_xx the covariance of x, Σ_xz its cross-covariance with
the class z (one-hot), W = Σ_xx^-½ (pseudo-inverse), and P the orthogonal projection onto the columns of
W Σ_xz,

    r(x) = x − W⁺ P W (x − E x)

Here x are the neutral words at length 1; z says of the most biased ones which class they belong to, and of
all others that they belong to none.

What holds, and is tested: the cross-covariance of r(x) and z is 0, so all classes have one mean and no linear
classifier of any convex loss does better than a constant; of all affine maps with that property none moves
the words less, in mean squared distance; r of r is r; words that are not neutral keep every bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqkit.debias.biased import biased_words, check_biased
from seqkit.debias.directions import SubspaceConfig
from seqkit.debias.task import Array, Ids, Removal, Task, moments, transform

_RANGE = 1e-10
"""Eigenvalues of the covariance below this share of the largest are directions that no word takes."""
_SPANNED = 1e-8


@dataclass(frozen=True, kw_only=True)
class LeaceConfig(SubspaceConfig):
    """Settings of `leace`.

    Args:
        biased: words of each class, at least 5.
    """

    biased: int = 7500

    def __post_init__(self) -> None:
        super().__post_init__()
        check_biased(self.biased)


@dataclass(frozen=True, eq=False)
class Eraser:
    """x ↦ x − (x − mean) inᵀ out.

    Args:
        mean: (vector_size,).
        into: (rank, vector_size): rows of PᵀW, by which the classes are read.
        out: (rank, vector_size): columns of W⁺P, by which they are taken away.
    """

    mean: Array
    into: Array
    out: Array

    def __call__(self, rows: Array) -> Array:
        """The rows, (n, vector_size), without what tells their class; overwritten."""
        rows -= ((rows - self.mean) @ self.into.T) @ self.out
        return rows


def eraser(mean: Array, covariance: Array, cross: Array) -> Eraser:
    """LEACE from moments.

    Args:
        mean: (d,), E x.
        covariance: (d, d), Σ_xx.
        cross: (d, classes), Σ_xz.

    Returns:
        The map r.
    """
    values, axes = np.linalg.eigh(covariance)
    kept = values > _RANGE * values[-1]
    values, axes = values[kept], axes[:, kept]
    root = np.sqrt(values)
    left, scales, _ = np.linalg.svd((axes / root).T @ cross, full_matrices=False)  # W Σ_xz in the axes
    left = left[:, scales > _SPANNED * scales[0]]
    return Eraser(mean, left.T @ (axes / root).T, left.T @ (axes * root).T)


def leace(task: Task, config: LeaceConfig) -> Removal:
    """Erases the class from neutral words.

    Args:
        task: the vectors and the subspace, by which the most biased words are chosen.
        config: how many of them.

    Returns:
        The vectors; `details` has how many words of each class were taken (`biased`) and the `rank` of what
        was erased. Tensors: `mean`, `into` and `out` of the `Eraser`.

    Raises:
        DataError: too few neutral words to learn from.
    """
    classes = biased_words(task, config.biased)
    erase = eraser(*_moments(task, classes))
    matrix = np.empty_like(task.matrix)
    transform(task.matrix, task.neutral, erase, matrix)
    details = {
        "neutralized": int(task.neutral.sum()),
        "biased": len(classes[0]),
        "rank": len(erase.into),
    }
    return Removal(matrix, details, {"mean": erase.mean, "into": erase.into, "out": erase.out})


def _moments(task: Task, classes: list[Ids]) -> tuple[Array, Array, Array]:
    """Mean, covariance and cross-covariance with the classes, over the neutral words at length 1."""
    mean, covariance = moments(task.matrix, task.neutral)
    count = int(task.neutral.sum())
    shares = [len(rows) / count * (task.unit(rows).mean(axis=0) - mean) for rows in classes]
    return mean, covariance, np.stack(shares, axis=1)
