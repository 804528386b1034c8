"""Comparison of two sets of vectors, against rotations, planted changes and arithmetic."""

from __future__ import annotations

import json

import numpy as np
import pytest

from seqkit.embeddings import neighbours
from seqkit.embeddings.comparison import compare
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import DataError, UsageError


def rotation(size: int, seed: int) -> np.ndarray:
    """An orthogonal matrix."""
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))[0]


def random_matrix(n: int, size: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(n, size))


def vectors(matrix: np.ndarray, words: list[str] | None = None) -> Vectors:
    return Vectors(words or [f"w{index}" for index in range(len(matrix))], matrix.astype(np.float32))


def test_a_rotation_is_no_difference() -> None:
    matrix = random_matrix(150, 10)
    found = compare(vectors(matrix), vectors(3 * matrix @ rotation(10, 2)), k=5, n=3)
    assert (found.common, found.compared, found.k) == (150, 150, 5)
    assert (found.whole.overlap, found.whole.jaccard) == (1, 1)
    assert found.whole.distance == pytest.approx(0, abs=1e-6)
    assert all(word.distance < 1e-6 and word.neighbours_a == word.neighbours_b for word in found.moved)


def test_a_planted_change_is_found_first() -> None:
    matrix = random_matrix(200, 10)
    moved = matrix.copy()
    moved[77] = -matrix[77]
    found = compare(vectors(matrix), vectors(moved @ rotation(10, 3)), k=5, n=4)
    assert found.moved[0].word == "w77"
    assert found.moved[0].distance > 1.5  # the opposite direction, but for what the other words pull it
    assert found.moved[1].distance < 0.1
    assert [len(word.neighbours_a) for word in found.moved] == [5] * 4


def angles(degrees: list[float]) -> np.ndarray:
    return np.array([[np.cos(np.radians(d)), np.sin(np.radians(d))] for d in degrees])


def test_overlap_by_hand() -> None:
    # Words on a circle, so that the nearest are those of the nearest angles.
    a = vectors(angles([0, 10, 25, 60]), ["p", "q", "r", "s"])
    b = vectors(angles([0, 50, 25, 60]), ["p", "q", "r", "s"])
    # In a: p {q r}, q {p r}, r {q p}, s {r q}. In b: p {r q}, q {s r}, r {p q}, s {q r}.
    # Shared: p 2, q 1, r 2, s 2 of 2 each.
    found = compare(a, b, k=2, n=0)
    assert found.whole.overlap == pytest.approx(7 / 8)
    # Jaccard: 1 but for q, whose three neighbours share one: (3 + 1/3) / 4.
    assert found.whole.jaccard == pytest.approx((3 + 1 / 3) / 4)
    assert found.moved == []
    # Seen from b it is the same.
    assert compare(b, a, k=2, n=0).whole.overlap == pytest.approx(7 / 8)


def test_distance_by_hand() -> None:
    # Unit rows of mean 0, so the cosines after alignment add up to the greatest trace of R^T B^T A over
    # orthogonal R: the sum of the singular values of B^T A. Here that is diag(2, -2), and 2 + 2 leaves no
    # distance to any of the four.
    a = vectors(np.array([[1, 0], [-1, 0], [0, 1], [0, -1]]))
    b = vectors(np.array([[1, 0], [-1, 0], [0, -1], [0, 1]]))
    assert compare(a, b, k=1).whole.distance == pytest.approx(0, abs=1e-6)
    # With the second and the third row swapped it is [[1, -1], [-1, 1]], with singular values 2 and 0.
    c = vectors(np.array([[1, 0], [0, 1], [-1, 0], [0, -1]]))
    cosines = 1 - np.array([word.distance for word in compare(a, c, k=1, n=4).moved])
    assert cosines.sum() == pytest.approx(2, abs=1e-6)


def test_the_most_frequent_common_words() -> None:
    # Sums of ranks, from 0: x 0 + 4, y 2 + 0, z 3 + 1; of x and z, with equal sums, x is first in a. In b's
    # order it would be y and z, in a's x and y; q, r and s are in one set only.
    a = vectors(np.eye(5, 3) + 0.1, ["x", "q", "y", "z", "s"])
    b = vectors(np.eye(5, 3) + 0.1, ["y", "z", "r", "t", "x"])
    found = compare(a, b, k=1, n=9, most_frequent=2)
    assert (found.common, found.compared) == (3, 2)
    assert {word.word for word in found.moved} == {"x", "y"}
    assert {word.neighbours_a[0] for word in found.moved} == {"x", "y"}
    # One place further up in b, z is before x, though a has it last.
    c = vectors(np.eye(5, 3) + 0.1, ["z", "y", "r", "t", "x"])
    assert {word.word for word in compare(a, c, k=1, n=9, most_frequent=2).moved} == {"y", "z"}


def test_the_order_of_the_two_does_not_matter() -> None:
    """Words whose ranks are exchanged have the same mean and the same better rank."""
    rng = np.random.default_rng(5)
    words = [f"w{number:02}" for number in range(40)]
    exchanged = [words[number ^ 1] for number in range(40)]
    a, b = (vectors(rng.normal(size=(40, 4)), order) for order in (words, exchanged))
    one, two = compare(a, b, k=3, n=5, most_frequent=15), compare(b, a, k=3, n=5, most_frequent=15)
    assert [moved.word for moved in one.moved] == [moved.word for moved in two.moved]
    assert one.whole.distance == pytest.approx(two.whole.distance, abs=1e-6)
    assert one.whole.overlap == two.whole.overlap


def test_bands_cover_all_words_once() -> None:
    matrix = random_matrix(1200, 4)
    found = compare(vectors(matrix), vectors(matrix + 0.3 * random_matrix(1200, 4)[::-1]), k=3)
    assert [(band.first, band.last) for band in found.bands] == [(1, 100), (101, 1000), (1001, 1200)]
    sizes = np.array([100, 900, 200])
    for measure in ("overlap", "jaccard", "distance"):
        means = np.array([getattr(band, measure) for band in found.bands])
        assert getattr(found.whole, measure) == pytest.approx((means * sizes).sum() / 1200)


def test_different_sizes() -> None:
    matrix = random_matrix(100, 6)
    wider = np.hstack([matrix, np.zeros((100, 3))]) @ rotation(9, 5)
    for first, second in ((matrix, wider), (wider, matrix)):
        found = compare(vectors(first), vectors(second), k=4)
        assert found.whole.overlap == 1
        assert found.whole.distance == pytest.approx(0, abs=1e-6)


def test_memory_is_bounded_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = vectors(random_matrix(90, 5)), vectors(random_matrix(90, 5) + 0.5 * rotation(90, 1)[:, :5])
    whole = compare(a, b)
    monkeypatch.setattr(neighbours, "_SIMILARITIES", 200)
    assert compare(a, b).to_json() == whole.to_json()


def test_json() -> None:
    matrix = random_matrix(20, 4)
    answer = json.loads(json.dumps(compare(vectors(matrix), vectors(matrix), k=2, n=1).to_json()))
    assert set(answer) == {"common", "compared", "k", "whole", "bands", "moved"}
    assert set(answer["bands"][0]) == {"first", "last", "overlap", "jaccard", "distance"}
    assert set(answer["moved"][0]) == {"word", "distance", "neighbours_a", "neighbours_b"}


def test_zero_vectors_have_a_distance() -> None:
    matrix = random_matrix(12, 3)
    matrix[4] = 0
    found = compare(vectors(matrix), vectors(matrix), k=2)
    assert np.isfinite(found.whole.distance)


def test_what_is_refused() -> None:
    a = vectors(random_matrix(6, 3))
    for options, message in [
        ({"k": 0}, "k is 0"),
        ({"k": 6}, "at most 5"),
        ({"n": -1}, "n is -1"),
        ({"most_frequent": 1}, "most_frequent is 1"),
        ({"k": 3, "most_frequent": 3}, "at most 2"),
    ]:
        with pytest.raises(UsageError, match=message):
            compare(a, a, **options)
    with pytest.raises(DataError, match="0 words are in both"):
        compare(a, vectors(random_matrix(2, 3), ["other", "words"]))
    with pytest.raises(DataError, match="1 words are in both"):
        compare(a, vectors(random_matrix(2, 3), ["w0", "words"]), k=1)


def test_distances_against_the_textbook() -> None:
    rng = np.random.default_rng(6)
    a = rng.normal(size=(40, 5)) + 0.5  # off centre, so that centring matters
    b = a @ rotation(5, 7) + 0.4 * rng.normal(size=(40, 5)) - 0.3
    # Unit rows, then columns of mean 0, then R = U V^T of the singular value decomposition of B^T A.
    first, second = (m / np.linalg.norm(m, axis=1, keepdims=True) for m in (a, b))
    first, second = first - first.mean(axis=0), second - second.mean(axis=0)
    u, _, vt = np.linalg.svd(second.T @ first)
    second = second @ u @ vt
    cosines = (first * second).sum(axis=1) / np.linalg.norm(first, axis=1) / np.linalg.norm(second, axis=1)
    found = compare(vectors(a), vectors(b), k=3, n=40)
    expected = sorted(zip(1 - cosines, (f"w{i}" for i in range(40)), strict=True), reverse=True)
    assert [word.word for word in found.moved] == [name for _, name in expected]
    assert [word.distance for word in found.moved] == pytest.approx([d for d, _ in expected], abs=1e-5)
