"""Projections to the plane, against geometry that is known."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from seqkit.cli.embed_plot import PROJECTIONS as OFFERED
from seqkit.plots.projection import PROJECTIONS, ProjectionName, project


def clusters() -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors around three orthogonal directions, 12 of each, and their cluster."""
    rng = np.random.default_rng(0)
    rows = np.repeat(np.eye(3, 20), 12, axis=0) + rng.normal(0, 0.05, (36, 20))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32), np.repeat(np.arange(3), 12)


def test_the_names_offered_are_those_there_are() -> None:
    assert list(PROJECTIONS) == OFFERED == list(get_args(ProjectionName))


@pytest.mark.parametrize("name", PROJECTIONS)
def test_clusters_stay_together(name: ProjectionName) -> None:
    rows, cluster = clusters()
    points = project(rows, name, 0).points
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (cluster[distances.argmin(axis=1)] == cluster).all()


@pytest.mark.parametrize("name", PROJECTIONS)
def test_the_same_seed_gives_the_same_bits(name: ProjectionName) -> None:
    rows, _ = clusters()
    assert np.array_equal(project(rows, name, 3).points, project(rows, name, 3).points)


def test_another_seed_gives_another_map() -> None:
    rows, _ = clusters()
    assert not np.allclose(project(rows, "tsne", 3).points, project(rows, "tsne", 4).points)


def test_pca_is_scikit_learns() -> None:
    from sklearn.decomposition import PCA

    rows = np.random.default_rng(1).normal(size=(30, 8)).astype(np.float32)
    model = PCA(2, svd_solver="full").fit(rows.astype(np.float64))
    expected = model.transform(rows.astype(np.float64))
    found = project(rows, "pca", 0)
    # Only the signs of the axes are free.
    signs = np.sign((expected * found.points).sum(axis=0))
    np.testing.assert_allclose(found.points * signs, expected, atol=1e-9)
    assert found.variance == pytest.approx(tuple(model.explained_variance_ratio_))


def test_pca_may_be_fitted_to_some_rows() -> None:
    # Rows 0 to 2 spread along the second axis alone, so the plane's first axis is that one.
    rows = np.array([[0, 1, 0], [0, 0, 0], [0, -1, 0], [9, 0, 0.5]], np.float32)
    found = project(rows, "pca", 0, fit=np.array([0, 1, 2]))
    np.testing.assert_allclose(np.abs(found.points[:, 0]), [1, 0, 1, 0], atol=1e-12)
    assert found.variance == (pytest.approx(1.0), pytest.approx(0.0))


@pytest.mark.parametrize("name", PROJECTIONS)
def test_few_words_are_shown_by_pca(name: ProjectionName) -> None:
    rows = np.eye(4, 6, dtype=np.float32)
    assert project(rows, name, 0).name == "pca"


@pytest.mark.parametrize("name", PROJECTIONS)
@pytest.mark.parametrize(
    "rows",
    [
        np.ones((7, 1), np.float32),
        np.tile(np.float32([[0.6, 0.8]]), (8, 1)),
        np.zeros((6, 3), np.float32),
        np.eye(5, dtype=np.float32),
    ],
    ids=["one number", "all the same", "all zero", "all orthogonal"],
)
def test_degenerate_vectors_have_finite_points(name: ProjectionName, rows: np.ndarray) -> None:
    points = project(rows, name, 0).points
    assert points.shape == (len(rows), 2)
    assert np.isfinite(points).all()
