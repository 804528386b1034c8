"""Words to unit vectors, and the lines that say what is missing."""

from __future__ import annotations

import numpy as np
import pytest

from seqkit.debias.measures.lookup import frequent_words, known_words, unit_rows_of
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import DataError

VECTORS = Vectors(
    ["a", "b", "New_York", "2nd", "zero"], np.array([[3, 4], [0, 2], [1, 0], [1, 1], [0, 0]], "f4")
)


def test_unit_rows() -> None:
    rows = unit_rows_of(VECTORS, ["b", "absent", "a", "b"], "words")
    assert rows.tolist() == [[0, 1], [pytest.approx(0.6), pytest.approx(0.8)]]
    assert rows.dtype == np.float64


def test_what_is_missing_is_named() -> None:
    absent = [f"x{number}" for number in range(7)]
    with pytest.raises(DataError) as caught:
        known_words(VECTORS, ["a", *absent], "attributes_a", least=2)
    assert str(caught.value) == (
        "attributes_a: 1 of 8 words have a vector, at least 2 must; missing: x0, x1, x2, x3, x4, …"
    )
    with pytest.raises(DataError, match=r"^words: 0 of 0 words have a vector, at least 1 must$"):
        known_words(VECTORS, [], "words")


def test_a_zero_vector_is_named() -> None:
    with pytest.raises(DataError, match="words: the vector of 'zero' is zero"):
        unit_rows_of(VECTORS, ["a", "zero"], "words")


def test_frequent_words() -> None:
    assert frequent_words(VECTORS, 4) == ["a", "b", "New_York"]
    assert frequent_words(VECTORS, 2) == ["a", "b"]
