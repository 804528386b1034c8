"""Bias directions, against arithmetic, a literal covariance, and degenerate pairs."""

from __future__ import annotations

import numpy as np
import pytest

from seqkit.debias.directions import SubspaceConfig, bias_subspace
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import DataError, UsageError

RNG = np.random.default_rng(3)


def vectors(**rows: list[float]) -> Vectors:
    return Vectors(list(rows), np.array(list(rows.values()), np.float32))


def test_two_pairs_by_hand() -> None:
    # Differences of the unit vectors: (1.2, 0) and (0, 2 * 0.8) = (0, 1.6). Centred rows are ± half of these,
    # with squares 2 * 0.36 along the first axis and 2 * 0.64 along the second: shares .36 and .64.
    words = vectors(a=[3, 4], b=[-3, 4], c=[0.6, 0.8], d=[0.6, -0.8])
    subspace = bias_subspace(words, [("a", "b"), ("c", "d")])
    np.testing.assert_allclose(subspace.basis, [[0, 1]], atol=1e-7)
    np.testing.assert_allclose(subspace.explained_variance, [0.64], atol=1e-6)
    both = bias_subspace(words, [("a", "b"), ("c", "d")], SubspaceConfig(components=2))
    np.testing.assert_allclose(both.basis, [[0, 1], [1, 0]], atol=1e-7)
    np.testing.assert_allclose(both.explained_variance, [0.64, 0.36], atol=1e-6)
    # The mean difference is (0.6, 0.8); a centred row lies along it with 0.6 * 0.6 or 0.8 * 0.8, so the share
    # is (2 * 0.36² + 2 * 0.64²) / 2 = 0.1296 + 0.4096.
    mean = bias_subspace(words, [("a", "b"), ("c", "d")], SubspaceConfig(direction="mean"))
    np.testing.assert_allclose(mean.basis, [[0.6, 0.8]], atol=1e-6)
    np.testing.assert_allclose(mean.explained_variance, [0.5392], atol=1e-6)
    np.testing.assert_allclose(mean.classes, [[0.3, 0.4], [-0.3, -0.4]], atol=1e-6)


@pytest.mark.parametrize("length", [2, 3, 4])
def test_the_subspace_is_that_of_bolukbasis_covariance(length: int) -> None:
    """C = Σ_i Σ_{w ∈ D_i} (w − μ_i)ᵀ(w − μ_i) / |D_i|, of which B is spanned by the first k eigenvectors."""
    rows = RNG.normal(size=(5, length, 8))
    names = [tuple(f"w{i}{j}" for j in range(length)) for i in range(5)]
    flat = [name for row in names for name in row]
    found = bias_subspace(Vectors(flat, rows.reshape(-1, 8).astype(np.float32)), names)
    unit = rows / np.linalg.norm(rows, axis=2, keepdims=True)
    covariance = np.zeros((8, 8))
    for group in unit:
        for row in group:
            covariance += np.outer(row - group.mean(axis=0), row - group.mean(axis=0)) / length
    values, axes = np.linalg.eigh(covariance)
    k = length - 1  # the default: one fewer than a tuple has words
    expected = axes[:, ::-1][:, :k]
    assert found.components == k
    np.testing.assert_allclose(found.basis @ found.basis.T, np.eye(k), atol=1e-12)
    np.testing.assert_allclose(found.basis.T @ found.basis, expected @ expected.T, atol=1e-5)
    np.testing.assert_allclose(found.explained_variance, values[::-1][:k] / values.sum(), atol=1e-6)


def test_a_direction_points_to_the_first_words() -> None:
    rows = RNG.normal(size=(4, 6))
    pairs = [("a", "b"), ("c", "d")]
    for kind in ("svd", "mean"):
        config = SubspaceConfig(direction=kind)
        words = Vectors(list("abcd"), rows.astype(np.float32))
        there = bias_subspace(words, pairs, config)
        back = bias_subspace(words, [pair[::-1] for pair in pairs], config)
        np.testing.assert_allclose(there.basis, -back.basis, atol=1e-9)
        assert there.basis[0] @ there.classes[0] > 0


def test_lengths_do_not_matter() -> None:
    rows = RNG.normal(size=(4, 6)).astype(np.float32)
    scaled = rows * np.array([[1], [20], [0.1], [3]], np.float32)
    pairs = [("a", "b"), ("c", "d")]
    first, second = (bias_subspace(Vectors(list("abcd"), matrix), pairs).basis for matrix in (rows, scaled))
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_small_differences_span_a_direction() -> None:
    words = vectors(a=[1, 0, 0], b=[-1, 0, 0], c=[1, 0, 3e-5], d=[1, 0, -3e-5])
    assert bias_subspace(words, [("a", "b"), ("c", "d")], SubspaceConfig(components=2)).components == 2


def test_unknown_pairs_are_left_out_and_spellings_found() -> None:
    words = vectors(A=[3, 4], b=[-3, 4], c=[0.6, 0.8], d=[0.6, -0.8])
    subspace = bias_subspace(words, [("a", "b"), ("x", "y"), ("c", "d")])
    assert subspace.tuples == (("A", "b"), ("c", "d"))


SAME = {"a": [1, 2, 3], "b": [2, 4, 6], "c": [0, 1, 0], "d": [0, 3, 0]}
GOOD = {"a": [1, 0, 0], "b": [0, 1, 0], "c": [0, 0, 1], "d": [1, 1, 0]}


@pytest.mark.parametrize(
    ("rows", "pairs", "config", "error", "message"),
    [
        (GOOD, [], {}, DataError, "0 of 0 definitional pairs"),
        (GOOD, [("a", "b")], {}, DataError, "1 of 1 definitional pairs .* needs 2 at least$"),
        (GOOD, [("a", "b"), ("c", "x")], {}, DataError, "1 of 2 .* needs 2 at least; not in it: x"),
        (GOOD, [("u", "v"), ("w", "x")], {}, DataError, "0 of 2 .*; not in it: u, v, w, x"),
        (SAME, [("a", "b"), ("c", "d")], {}, DataError, r"the same vector \(a = b, …\)"),
        (GOOD, [("a", "b"), ("b", "a")], {"direction": "mean"}, DataError, "cancel out"),
        (GOOD | {"d": [0, 0, 0]}, [("a", "b"), ("c", "d")], {}, DataError, "vector of 'd' is zero"),
        (GOOD, [("a", "b"), ("c", "d")], {"components": 3}, UsageError, "at most 2, .* 2 tuples of 2 words"),
        (GOOD, [("a", "b", "c"), ("b", "c", "d")], {"direction": "mean"}, UsageError, "needs pairs"),
        (GOOD, [("a", "b", "c"), ("c", "d")], {}, UsageError, "as many words"),
    ],
)
def test_degenerate_pairs(
    rows: dict[str, list[float]],
    pairs: list[tuple[str, ...]],
    config: dict[str, object],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message) as caught:
        bias_subspace(vectors(**rows), pairs, SubspaceConfig(**config))
    assert "\n" not in str(caught.value)


def test_settings() -> None:
    for settings, message in [
        ({"direction": "pca"}, "svd, mean"),
        ({"components": 0}, "at least 1, not 0"),
        ({"direction": "mean", "components": 2}, "one direction, not 2"),
    ]:
        with pytest.raises(UsageError, match=message):
            SubspaceConfig(**settings)
