"""Relative norm distance, by hand and against a loop."""

from __future__ import annotations

import math

import pytest

from seqkit.debias.measures.rnd import relative_norm_distance
from seqkit.errors import DataError


def test_by_hand(build) -> None:
    # The means of unit rows are (1, 0), and of (0, 1) and (1, 0): (0.5, 0.5).
    # m = (1, 0): 0 - sqrt(0.25 + 0.25) = -sqrt(0.5); m = (0, 1): sqrt(2) - sqrt(0.5) = sqrt(0.5). Mean 0.
    # m = (-1, 0): 2 - sqrt(2.25 + 0.25) = 2 - sqrt(2.5).
    vectors = build({"he": [2, 0], "she": [0, 1], "her": [0.6, 0], "a": [3, 0], "b": [0, 1], "c": [-1, 0]})
    found = relative_norm_distance(vectors, ["a", "b"], ["he"], ["she", "her"])
    assert found.value == pytest.approx(0, abs=1e-12)
    found = relative_norm_distance(vectors, ["a", "b", "c"], ["he"], ["she", "her", "absent"])
    assert found.value == pytest.approx((2 - math.sqrt(2.5)) / 3)


def test_against_a_loop(random_vectors) -> None:
    vectors = random_vectors(30)
    unit = [[float(x) / math.hypot(*row) for x in row] for row in vectors.matrix.astype(float)]
    first = [sum(column) / 4 for column in zip(*unit[:4], strict=True)]
    second = [sum(column) / 6 for column in zip(*unit[4:10], strict=True)]
    expected = sum(math.dist(row, first) - math.dist(row, second) for row in unit[10:]) / 20
    words = list(vectors.words)
    found = relative_norm_distance(vectors, words[10:], words[:4], words[4:10])
    assert found.value == pytest.approx(expected)
    assert found.low < found.value < found.high
    # Seen from the other group it has the other sign.
    assert relative_norm_distance(vectors, words[10:], words[4:10], words[:4]).value == pytest.approx(
        -expected
    )


def test_what_is_refused(random_vectors) -> None:
    vectors = random_vectors(5)
    with pytest.raises(DataError, match="neutral words: 1 of 1"):
        relative_norm_distance(vectors, ["w0"], ["w1"], ["w2"])
    with pytest.raises(DataError, match="second group: 0 of 1"):
        relative_norm_distance(vectors, ["w0", "w3"], ["w1"], ["absent"])
