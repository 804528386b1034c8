"""Relational inner product association, by hand and against a decomposition of another kind."""

from __future__ import annotations

import json

import numpy as np
import pytest

from seqkit.debias.measures.ripa import relation_vector, ripa
from seqkit.errors import DataError


def test_one_pair_by_hand(build) -> None:
    # b = (3, 4) / 5. Products: (5, 5) -> 3 + 4 = 7; (4, -3) -> 0; (-10, 0) -> -6. Vectors keep their lengths.
    vectors = build({"he": [3, 5], "she": [0, 1], "pilot": [5, 5], "clerk": [4, -3], "nurse": [-10, 0]})
    found = ripa(vectors, ["pilot", "clerk", "absent", "nurse"], [("he", "she"), ("his", "her")])
    assert list(found.values) == ["pilot", "clerk", "nurse"]
    assert list(found.values.values()) == pytest.approx([7, 0, -6], abs=1e-12)
    assert found.mean.value == pytest.approx(1 / 3)
    assert found.magnitude.value == pytest.approx(13 / 3)
    answer = json.loads(json.dumps(found.as_json()))
    assert set(answer) == {"values", "mean", "magnitude"}


def test_several_pairs_against_eigenvectors(random_vectors) -> None:
    vectors = random_vectors(20)
    pairs = [(f"w{n}", f"w{n + 5}") for n in range(5)]
    differences = vectors.matrix[:5].astype(float) - vectors.matrix[5:10].astype(float)
    # The first principal component is the eigenvector of the largest eigenvalue of Σ d dᵀ.
    values, axes = np.linalg.eigh(sum(np.outer(row, row) for row in differences))
    expected = axes[:, values.argmax()]
    expected *= np.sign(differences.mean(axis=0) @ expected)
    assert relation_vector(vectors, pairs) == pytest.approx(expected)
    swapped = [(second, first) for first, second in pairs]
    assert relation_vector(vectors, swapped) == pytest.approx(-expected)


def test_what_is_refused(build) -> None:
    vectors = build({"he": [3, 5], "she": [3, 5], "pilot": [1, 0], "nurse": [0, 1]})
    with pytest.raises(DataError, match="the two words of each of 1 pairs have equal vectors"):
        ripa(vectors, ["pilot", "nurse"], [("he", "she")])
    with pytest.raises(DataError, match="none of the 1 pairs has vectors"):
        ripa(vectors, ["pilot", "nurse"], [("he", "her")])
    with pytest.raises(DataError, match="words: 1 of 1"):
        ripa(vectors, ["pilot"], [("he", "pilot")])
