"""Relative negative sentiment bias, by hand and with scikit-learn's logistic regression."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from seqkit.debias.measures.rnsb import logistic_regression, negative_sentiment
from seqkit.errors import DataError


def test_logistic_regression_against_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    for words, size in ((40, 5), (12, 30)):
        rows = rng.normal(size=(words, size))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        signs = np.where(rng.random(words) < 0.4, -1.0, 1.0)
        weights = rng.integers(0, 3, size=words).astype(float)
        oracle = LogisticRegression(tol=1e-10, max_iter=10_000).fit(rows, signs, sample_weight=weights)
        expected = [*oracle.coef_[0], oracle.intercept_[0]]
        assert logistic_regression(rows, signs, weights) == pytest.approx(expected, abs=1e-4)


def test_by_symmetry(build) -> None:
    # Positive words at angle +t, negative ones at -t: the border is the first axis, b = 0 and f is 1/2 on it.
    # Terms on the axis are alike: P = (1/2, 1/2), RNSB 0.
    rows = {"good": [1, 1], "fine": [2, 2], "bad": [1, -1], "poor": [3, -3], "here": [2, 0], "there": [-1, 0]}
    sides = (["good", "fine"], ["bad", "poor"])
    found = negative_sentiment(build(rows), ["here", "there"], *sides)
    assert found.divergence.value == pytest.approx(0, abs=1e-9)
    assert list(found.shares.values()) == pytest.approx([0.5, 0.5])
    # Mirror terms: f and 1 - f, which sum to 1, so P = (1 - f, f) and RNSB = ln 2 - H(f). With w = (0, -u)
    # the minimum of u²/2 + 4 ln(1 + exp(-u/√2)) is where u = 2√2 / (1 + exp(u/√2)).
    u = 1.0
    for _ in range(200):
        u = 0.5 * u + 0.5 * 2 * math.sqrt(2) / (1 + math.exp(u / math.sqrt(2)))
    f = 1 / (1 + math.exp(-u))  # of the term at (0, -1)
    found = negative_sentiment(build(rows | {"up": [0, 1], "down": [0, -2]}), ["up", "down"], *sides)
    assert found.shares == pytest.approx({"up": 1 - f, "down": f})
    entropy = -f * math.log(f) - (1 - f) * math.log(1 - f)
    assert found.divergence.value == pytest.approx(math.log(2) - entropy)


def test_against_scikit_learn(random_vectors) -> None:
    from sklearn.linear_model import LogisticRegression

    vectors = random_vectors(40, 6)
    words = list(vectors.words)
    unit = vectors.matrix.astype(float) / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)
    labels = np.repeat([0, 1], [10, 20])
    # Both classes weigh 15: 1.5 a word and 0.75.
    weights = np.repeat([1.5, 0.75], [10, 20])
    oracle = LogisticRegression(tol=1e-10, max_iter=10_000).fit(unit[:30], labels, sample_weight=weights)
    negative = oracle.predict_proba(unit[30:])[:, 1]
    shares = negative / negative.sum()
    expected = sum(share * math.log(share * 10) for share in shares)
    found = negative_sentiment(vectors, words[30:], words[:10], words[10:30])
    assert found.divergence.value == pytest.approx(expected, rel=1e-3)
    assert list(found.shares.values()) == pytest.approx(shares, abs=1e-5)
    assert 0 <= found.divergence.low < found.divergence.high <= math.log(10)
    answer = json.loads(json.dumps(found.as_json()))
    assert set(answer) == {"divergence", "shares"}


def test_the_interval_is_of_200_draws(random_vectors) -> None:
    vectors = random_vectors(30)
    words = vectors.words
    found = negative_sentiment(vectors, words[:4], words[4:12], words[12:20])
    assert len(found.divergence.draws) == 200


def test_what_is_refused(random_vectors) -> None:
    vectors = random_vectors(8)
    with pytest.raises(DataError, match="'w3' is positive and negative"):
        negative_sentiment(vectors, ["w0", "w1"], ["w2", "w3"], ["w3", "w4"])
    with pytest.raises(DataError, match="identities: 1 of 2"):
        negative_sentiment(vectors, ["w0", "absent"], ["w2", "w3"], ["w4", "w5"])
    with pytest.raises(DataError, match="negative: 1 of 1"):
        negative_sentiment(vectors, ["w0", "w1"], ["w2", "w3"], ["w4"])
