"""The embedding coherence test, by hand and against scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from seqkit.debias.measures.ect import embedding_coherence
from seqkit.errors import DataError


def at(*angles: float) -> dict[str, list[float]]:
    return {
        f"w{number}": [math.cos(math.radians(angle)), math.sin(math.radians(angle))]
        for number, angle in enumerate(angles)
    }


def test_by_hand(build) -> None:
    # Groups at 0 and at 90 degrees, words between them: the nearer to the one, the farther from the other.
    rows = {"he": [1.0, 0], "she": [0, 2.0], **at(10, 30, 50, 70)}
    assert embedding_coherence(build(rows), ["w0", "w1", "w2", "w3"], ["he"], ["she"]).value == pytest.approx(
        -1
    )
    # Words beyond both, from 100 degrees on: the same order.
    rows = {"he": [1.0, 0], "she": [0, 2.0], **at(100, 120, 140, 160)}
    assert embedding_coherence(build(rows), ["w0", "w1", "w2", "w3"], ["he"], ["she"]).value == pytest.approx(
        1
    )
    # Two of four swapped, ranks 1 2 3 4 and 2 1 3 4: 1 - 6 * 2 / (4 * 15) = 0.8. Angles to 0 degrees: 100 120
    # 140 160; to 110 degrees: 10 10 would tie, so the second group is at 115: 15 5 25 45.
    rows = {"he": [1.0, 0], "she": at(115)["w0"], **at(100, 120, 140, 160)}
    found = embedding_coherence(build(rows), ["w0", "w1", "w2", "w3"], ["he"], ["she"])
    assert found.value == pytest.approx(0.8)


def test_against_scipy(random_vectors) -> None:
    vectors = random_vectors(40)
    unit = vectors.matrix.astype(float) / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)
    words = list(vectors.words)
    expected = stats.spearmanr(
        unit[10:] @ unit[:4].mean(axis=0), unit[10:] @ unit[4:10].mean(axis=0)
    ).statistic
    found = embedding_coherence(vectors, [*words[10:], "absent"], words[:4], words[4:10])
    assert found.value == pytest.approx(expected)
    assert -1 <= found.low < found.value < found.high <= 1


def test_equal_groups_are_coherent(random_vectors) -> None:
    vectors = random_vectors(20)
    words = list(vectors.words)
    assert embedding_coherence(vectors, words[4:], words[:4], words[:4]).value == pytest.approx(1)


def test_rounding_makes_no_order(build) -> None:
    rng = np.random.default_rng(0)
    rows = {f"w{n}": [1.0, 1e-8 * rng.normal(), float(n)] for n in range(8)}
    vectors = build(rows | {"he": [0, 1, 0], "she": [0.1, -1, 0]})
    with pytest.raises(DataError, match="all 8 neutral words are as similar to the first group"):
        embedding_coherence(vectors, list(rows), ["he"], ["she"])


def test_small_differences_make_an_order(build) -> None:
    rows = {f"w{n}": [1.0, 1e-5 * n, 1e-5 * n, 0] for n in range(1, 6)}
    vectors = build(rows | {"he": [0, 1, 0, 0], "she": [0, 0, 1, 0]})
    assert embedding_coherence(vectors, list(rows), ["he"], ["she"]).value == pytest.approx(1)


def test_what_is_refused(random_vectors) -> None:
    vectors = random_vectors(5)
    with pytest.raises(DataError, match="neutral words: 2 of 2 words have a vector, at least 3 must"):
        embedding_coherence(vectors, ["w0", "w1"], ["w2"], ["w3"])
    with pytest.raises(DataError, match="first group: 0 of 0"):
        embedding_coherence(vectors, ["w0", "w1", "w2"], [], ["w3"])
