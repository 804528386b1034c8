"""Mean average cosine distance, by hand and against loops."""

from __future__ import annotations

import math

import pytest

from seqkit.debias.measures.mac import mean_average_cosine
from seqkit.errors import DataError, UsageError


def test_by_hand(build) -> None:
    # he = (1, 0), she = (0, 1). Set 1: (3, 4)/5 and (1, 0): cosines with he 0.6 1, with she 0.8 0.
    # S(he) = 1 - 0.8 = 0.2, S(she) = 1 - 0.4 = 0.6. Set 2: (0, -1): S(he) = 1, S(she) = 2. Mean 3.8 / 4.
    vectors = build({"he": [1, 0], "she": [0, 2], "boss": [3, 4], "pilot": [5, 0], "nurse": [0, -1]})
    found = mean_average_cosine(vectors, ["he", "she", "absent"], [["boss", "pilot", "absent"], ["nurse"]])
    assert found.value == pytest.approx(3.8 / 4)


def test_against_a_loop(random_vectors) -> None:
    vectors = random_vectors(30)
    words = list(vectors.words)
    targets, sets = words[:10], [words[10:14], words[14:23], words[23:]]
    total = 0.0
    for target in targets:
        for attributes in sets:
            distances = []
            for attribute in attributes:
                one, other = vectors[target].astype(float), vectors[attribute].astype(float)
                distances.append(1 - sum(one * other) / math.hypot(*one) / math.hypot(*other))
            total += sum(distances) / len(distances)
    found = mean_average_cosine(vectors, targets, sets)
    assert found.value == pytest.approx(total / 30)
    assert found.low < found.value < found.high


def test_what_is_refused(random_vectors) -> None:
    vectors = random_vectors(5)
    with pytest.raises(DataError, match="targets: 1 of 2"):
        mean_average_cosine(vectors, ["w0", "absent"], [["w1"]])
    with pytest.raises(DataError, match="attribute set 2: 0 of 1"):
        mean_average_cosine(vectors, ["w0", "w1"], [["w1"], ["absent"]])
    with pytest.raises(UsageError, match="at least one set"):
        mean_average_cosine(vectors, ["w0", "w1"], [])
