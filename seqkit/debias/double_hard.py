r"""Double-hard debiasing: hard debiasing after the direction that hides the bias from it is gone.

Wang, Lin, Rajani, McCann, Ordonez and Xiong 2020, "Double-Hard Debias: Tailoring Word Embeddings for Gender
Bias Mitigation", arXiv:2005.00965, algorithm 1. On unit vectors, with μ the mean of all words:

1. v = w − μ for every word;  u_1, u_2, … are the principal components of all v.
2. For each of the first components u_i: the most biased words become  v − (u_iᵀv) u_i,  are hard debiased,
   and k-means sorts them into as many clusters as there are classes.
3. k is the component without which the clusters agree least with the classes.
4. All words become  v − (u_kᵀv) u_k  and are hard debiased, by a subspace found anew among them.

The paper found a component that encodes how frequent a word is. What holds, and is tested: the result is that
of `hard` on the vectors without μ and u_k, so all that `hard` promises; every word is changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seqkit.debias.biased import biased_words, check_biased, labelled
from seqkit.debias.directions import Subspace, SubspaceConfig, subspace_of_rows
from seqkit.debias.hard import neutralize, neutralize_and_equalize
from seqkit.debias.task import Array, Ids, Removal, Task, moments, to_unit, transform
from seqkit.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class DoubleHardConfig(SubspaceConfig):
    """Settings of `double_hard`.

    Args:
        candidates: how many of the leading principal components are tried, at least 1.
        biased: words of each class that are clustered, at least 5; 500 in the paper.
        seed: of k-means.
    """

    candidates: int = 20
    biased: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.candidates < 1:
            raise UsageError(f"candidates must be at least 1, not {self.candidates}")
        check_biased(self.biased)


def double_hard(task: Task, config: DoubleHardConfig) -> Removal:
    """Removes the mean and the component that hides the bias, then neutralizes and equalizes.

    Args:
        task: the vectors and the subspace, by which the most biased words are chosen.
        config: what is tried.

    Returns:
        The vectors; `details` has `component` (from 1), `cluster_accuracies` without each of the candidates,
        and what `hard` has. Tensors: `mean`, `removed` (u_k) and `basis`, the subspace that was found anew.

    Raises:
        DataError: too few neutral words to cluster.
    """
    mean, axes = _principal_components(task, config.candidates)
    rows, labels = labelled(biased_words(task, config.biased))
    accuracies = [_accuracy(task, config, mean, axis, rows, labels) for axis in axes]
    best = int(np.argmin(accuracies))
    axis = axes[best]
    matrix = np.empty_like(task.matrix)
    everything = np.ones(len(matrix), np.bool_)
    transform(task.matrix, everything, lambda unit: _without(unit, mean, axis), matrix)
    again = replace(task, subspace=_subspace(task, config, mean, axis))
    details = neutralize_and_equalize(again, matrix, matrix)
    details |= {"component": best + 1, "cluster_accuracies": accuracies}
    tensors = {"mean": mean, "removed": axis[None], "basis": again.subspace.basis}
    return Removal(matrix, details, tensors)


def _principal_components(task: Task, count: int) -> tuple[Array, Array]:
    """The mean of all unit vectors, (vector_size,), and their leading components, (count, vector_size)."""
    mean, covariance = moments(task.matrix, np.ones(len(task.matrix), np.bool_))
    _, axes = np.linalg.eigh(covariance)
    # Whatever falls, one dimension of the bias and one of the rest must be left.
    return mean, axes[:, ::-1].T[: max(1, min(count, len(mean) - 2))]


def _without(unit: Array, mean: Array, axis: Array) -> Array:
    """Unit vectors about the mean, without a component; zero vectors stay zero."""
    centred = unit - mean
    centred -= np.outer(centred @ axis, axis)
    centred[~unit.any(axis=1)] = 0
    return centred


def _subspace(task: Task, config: SubspaceConfig, mean: Array, axis: Array) -> Subspace:
    tuples, vocabulary = task.subspace.tuples, task.vectors.vocabulary
    rows = task.unit(np.array([vocabulary[word] for words in tuples for word in words]))
    return subspace_of_rows(_without(rows, mean, axis), tuples, config)


def _accuracy(
    task: Task, config: DoubleHardConfig, mean: Array, axis: Array, rows: Ids, labels: Ids
) -> float:
    """How well clusters tell the classes of biased words that are hard debiased without a component."""
    basis = _subspace(task, config, mean, axis).basis
    unit, _ = to_unit(_without(task.unit(rows), mean, axis))
    return cluster_accuracy(neutralize(unit, basis), labels, config.seed)


def cluster_accuracy(rows: Array, labels: Ids, seed: int) -> float:
    """How well k-means finds classes: the share of rows that `found_by_clusters`.

    Args:
        rows: (n, vector_size).
        labels: (n,), classes from 0.
        seed: of k-means.

    Returns:
        From 1 / classes, which is chance, to 1.
    """
    return float(np.count_nonzero(found_by_clusters(rows, labels, seed)) / len(labels))


def found_by_clusters(rows: Array, labels: Ids, seed: int) -> NDArray[np.bool_]:
    """Which rows are in the right cluster of k-means, under the best naming of the clusters.

    Args:
        rows: (n, vector_size).
        labels: (n,), classes from 0, each of some row.
        seed: of k-means.
    """
    from scipy.optimize import linear_sum_assignment
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    classes = int(labels.max()) + 1
    with threadpool_limits(1):  # sums in one order, however many cores there are; so few rows need no more
        found = KMeans(classes, n_init=10, random_state=seed % 2**32).fit_predict(rows)
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (found, labels), 1)
    right: NDArray[np.bool_] = linear_sum_assignment(-table)[1][found] == labels
    return right
