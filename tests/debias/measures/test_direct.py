"""Direct and indirect bias, by hand and against loops from the formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seqkit.debias.measures.direct import beta, direct_bias, indirect_bias, subspace
from seqkit.errors import DataError, UsageError


def test_direct_bias_by_hand(build) -> None:
    # Cosines with (1, 0): 3/5 = 0.6 and -4/5 = -0.8, of vectors of lengths 5 and 10.
    vectors = build({"nurse": [3, 4], "pilot": [-8, 6]})
    words = ["nurse", "pilot", "absent"]
    assert direct_bias(vectors, words, [2, 0]).value == pytest.approx((0.6 + 0.8) / 2)
    assert direct_bias(vectors, words, [2, 0], c=2).value == pytest.approx((0.36 + 0.64) / 2)
    assert direct_bias(vectors, words, [2, 0], c=0).value == 1


def test_c_of_0_counts_words_that_are_not_orthogonal(build) -> None:
    vectors = build({"nurse": [3, 4], "pilot": [0, 6]})
    assert direct_bias(vectors, ["nurse", "pilot"], [1, 0], c=0).value == 0.5


def test_direct_bias_of_a_subspace_by_hand(build) -> None:
    # (2, 3, 6) / 7 on the plane of the first two axes: sqrt(4 + 9) / 7. (0, 0, 1): 0.
    vectors = build({"nurse": [2, 3, 6], "pilot": [0, 0, 1]})
    plane = [[1, 1, 0], [1, -2, 0]]  # neither orthogonal nor of length 1
    found = direct_bias(vectors, ["nurse", "pilot"], plane)
    assert found.value == pytest.approx(math.sqrt(13) / 7 / 2)


@pytest.mark.parametrize("c", [0.5, 1, 3])
def test_direct_bias_against_a_loop(random_vectors, c: float) -> None:
    vectors = random_vectors(40)
    direction = np.random.default_rng(9).normal(size=8)
    total = 0.0
    for word in vectors.words:
        vector = [float(x) for x in vectors[word]]
        product = sum(x * y for x, y in zip(vector, direction, strict=True))
        total += abs(product / math.hypot(*vector) / math.hypot(*direction)) ** c
    found = direct_bias(vectors, vectors.words, direction, c=c)
    assert found.value == pytest.approx(total / 40)
    assert found.low < found.value < found.high


def test_a_random_direction_is_where_the_docstring_says(random_vectors) -> None:
    vectors = random_vectors(2000, 100)
    direction = np.random.default_rng(8).normal(size=100)
    # The mean of |cos| in 100 dimensions, sqrt(2 / (pi * 100)) = 0.0798; error 0.06/sqrt(2000) = 0.0013.
    assert direct_bias(vectors, vectors.words, direction).value == pytest.approx(0.0798, abs=0.005)


def test_beta_by_hand() -> None:
    # w = (0.6, 0.8, 0), v = (0.6, 0, 0.8), g = (1, 0, 0): w.v = 0.36, of which nothing is left: beta 1.
    # w = (0.6, 0.8, 0), v = (0, 1, 0): w.v = 0.8; left are (0, 0.8, 0) and (0, 1, 0), at cosine 1:
    # beta = (0.8 - 1) / 0.8 = -0.25.
    w = np.array([[0.6, 0.8, 0], [3, 4, 0], [0, 2, 1]])
    v = np.array([[0.6, 0, 0.8], [0, 9, 0], [0, 1, 0]])
    # The last pair has nothing of g: beta 0.
    assert beta(w, v, [1, 0, 0]) == pytest.approx([1, -0.25, 0])


def test_beta_of_words_in_the_direction() -> None:
    # Nothing but the direction in common, so all of the similarity is its.
    assert beta(np.array([[2.0, 0]]), np.array([[1.0, 1]]), [1, 0]) == pytest.approx([1])
    # At w.v = 0 there is no similarity to share.
    assert np.isnan(beta(np.array([[1.0, 0]]), np.array([[0.0, 1]]), [1, 0])).all()


def test_beta_against_a_loop(random_vectors) -> None:
    vectors = random_vectors(30)
    g = np.random.default_rng(4).normal(size=8)
    g /= math.sqrt(sum(x * x for x in g))
    first, second = vectors.matrix[:15].astype(float), vectors.matrix[15:].astype(float)
    for w, v, found in zip(first, second, beta(first, second, 3 * g), strict=True):
        w, v = w / math.hypot(*w), v / math.hypot(*v)
        w_rest = [x - sum(w * g) * y for x, y in zip(w, g, strict=True)]
        v_rest = [x - sum(v * g) * y for x, y in zip(v, g, strict=True)]
        rest = sum(x * y for x, y in zip(w_rest, v_rest, strict=True))
        rest /= math.hypot(*w_rest) * math.hypot(*v_rest)
        assert found == pytest.approx((sum(w * v) - rest) / sum(w * v))


def test_indirect_bias_by_hand(build) -> None:
    # a and b share g and nothing else; c and d share an axis without g; e is near none (opposite or
    # orthogonal). a.b = 0.64, left at cosine 0: beta 1, both ways; c.d = 0.8, all left: beta 0, both ways.
    rows = {
        "a": [0.8, 0.6, 0, 0, 0],
        "b": [0.8, 0, 0.6, 0, 0],
        "c": [0, 0, 0, 1, 0],
        "d": [0, 0, 0, 0.8, 0.6],
        "e": [0, 0, 0, -1, 0],
    }
    assert indirect_bias(build(rows), list(rows), [1, 0, 0, 0, 0]).value == pytest.approx(2 / 4)


def test_without_similarity_there_is_no_indirect_bias(build) -> None:
    vectors = build({"a": [1, 0, 0], "b": [0, 1, 0], "c": [0, 0, 1]})
    with pytest.raises(DataError, match="0 of 3 neutral words have another near them"):
        indirect_bias(vectors, ["a", "b", "c"], [1, 0, 0])
    vectors = build({"a": [1, 0.5, 0, 0], "b": [1, 0, 0, 0], "c": [0, 0, 1, 0], "d": [0, 0, 0, 1]})
    with pytest.raises(DataError, match="2 of 4 neutral words have another near them; 3 must"):
        indirect_bias(vectors, ["a", "b", "c", "d"], [1, 0, 0, 0])


def test_subspace() -> None:
    basis = subspace([[1, 1, 0], [2, 2, 0]], 3)  # the same direction twice
    assert np.abs(basis) == pytest.approx(np.array([[0.5**0.5, 0.5**0.5, 0]]))


def test_what_is_refused(random_vectors) -> None:
    vectors = random_vectors(5, 3)
    with pytest.raises(DataError, match="neutral words: 1 of 2 words have a vector, at least 2 must"):
        direct_bias(vectors, ["w1", "absent"], [1, 0, 0])
    with pytest.raises(DataError, match="the bias direction is zero"):
        direct_bias(vectors, vectors.words, [0, 0, 0])
    with pytest.raises(DataError, match="not finite"):
        direct_bias(vectors, vectors.words, [0, np.nan, 0])
    with pytest.raises(UsageError, match=r"shape \(1, 2\) does not fit vectors of 3"):
        direct_bias(vectors, vectors.words, [0, 1])
    with pytest.raises(UsageError, match="c is -1"):
        direct_bias(vectors, vectors.words, [0, 1, 0], c=-1)
