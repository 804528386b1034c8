"""From vectors to the plane: PCA, t-SNE, and the spectral embedding of the graph of neighbours.

All three see unit vectors, so that what is near is what has a high cosine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
ProjectionName = Literal["pca", "tsne", "spectral"]
PROJECTIONS: tuple[str, ...] = get_args(ProjectionName)

_PERPLEXITY = 30.0  # scikit-learn's and van der Maaten's default
_NEIGHBOURS = 10
_MIN_WORDS = 5
"""With fewer points t-SNE and the graph of neighbours have nothing to arrange, and PCA is used."""


@dataclass(frozen=True)
class Projection:
    """Points in the plane.

    Args:
        points: (n, 2).
        name: how they were found.
        variance: the shares of the vectors' variance that the two axes of PCA show; None for the others.
    """

    points: Array
    name: ProjectionName
    variance: tuple[float, float] | None = None


def project(
    unit: npt.NDArray[np.float32],
    name: ProjectionName,
    seed: int,
    *,
    fit: npt.NDArray[np.int64] | None = None,
) -> Projection:
    """Brings vectors to the plane.

    Args:
        unit: (n, vector_size), rows of length 1.
        name: one of `PROJECTIONS`; fewer than five words are shown by PCA.
        seed: of t-SNE and of the eigenvectors' first guess.
        fit: rows that the plane of PCA is fitted to; None for all of them.

    Returns:
        A point for each row.
    """
    rows = unit.astype(np.float64)
    if name == "pca" or len(rows) < _MIN_WORDS:
        return _pca(rows, rows if fit is None else rows[fit])
    points = _tsne(rows, seed) if name == "tsne" else _spectral(rows, seed)
    return Projection(_pca(points, points).points, name)  # turned, so that the longer side lies flat


def _pca(rows: Array, fitted: Array) -> Projection:
    """The plane of largest variance; each axis points to where its largest coefficient is positive."""
    centre = fitted.mean(axis=0)
    _, scales, axes = np.linalg.svd(fitted - centre, full_matrices=False)
    axes = axes[:2] * np.sign(axes[np.arange(len(axes[:2])), np.abs(axes[:2]).argmax(axis=1)])[:, None]
    points = (rows - centre) @ axes.T
    total = max(float((scales**2).sum()), np.finfo(np.float64).tiny)
    shares = [*(scales[:2] ** 2 / total).tolist(), 0.0]
    points = np.pad(points, ((0, 0), (0, 2 - points.shape[1])))  # vectors of a single number
    return Projection(points, "pca", (shares[0], shares[1]))


def _tsne(rows: Array, seed: int) -> Array:
    """van der Maaten and Hinton 2008, "Visualizing Data using t-SNE", from the plane of PCA."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    perplexity = min(_PERPLEXITY, (len(rows) - 1) / 3)
    model = TSNE(perplexity=perplexity, init=_pca_start(rows, seed))
    with threadpool_limits(1, user_api="openmp"):  # sums in one order, however many cores there are
        return np.array(model.fit_transform(rows), np.float64)


def _pca_start(rows: Array, seed: int) -> npt.NDArray[np.float32]:
    """The plane of PCA, each point moved a little by chance: nothing else in t-SNE is drawn."""
    points = _pca(rows, rows).points
    spread = points[:, 0].std()
    points = points + 0.05 * spread * np.random.default_rng(seed).normal(size=points.shape)
    # Small at first, so that points can still pass each other (Kobak and Berens 2019).
    start: npt.NDArray[np.float32] = (points / (spread or 1.0) * 1e-4).astype(np.float32)
    return start


def _spectral(rows: Array, seed: int) -> Array:
    """Belkin and Niyogi 2003, "Laplacian Eigenmaps", on the graph that joins each word to its nearest."""
    from sklearn.manifold import spectral_embedding

    points = spectral_embedding(_joined_graph(rows), n_components=2, random_state=seed % 2**32)
    return np.array(points, np.float64)


def _joined_graph(rows: Array) -> Any:
    """Neighbours in either direction, as many for each word as make the graph hang together."""
    from scipy.sparse.csgraph import connected_components
    from sklearn.neighbors import kneighbors_graph

    neighbours = min(_NEIGHBOURS, len(rows) - 1)
    while True:
        graph = kneighbors_graph(rows, neighbours)
        graph = (graph + graph.T) / 2
        if neighbours == len(rows) - 1 or connected_components(graph, directed=False)[0] == 1:
            return graph
        neighbours = min(2 * neighbours, len(rows) - 1)
