"""What clusters, classifiers and neighbours recover, where a bias was planted and projected off."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from seqkit.debias.measures.recovery import (
    classifier_accuracy,
    cluster_accuracy,
    most_biased,
    neighbour_correlation,
    projections,
)
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import DataError, UsageError

AXES = np.outer([1, -1], np.eye(12)[0])  # g and -g, the first number


def others(vectors: Vectors) -> list[str]:
    return list(vectors.words[4:])


def without(vectors: Vectors, columns: slice) -> Vectors:
    matrix = vectors.matrix.copy()
    matrix[:, columns] = 0
    return Vectors(vectors.words, matrix)


def test_projections_come_in_blocks(random_vectors, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = random_vectors(23)
    axes = np.random.default_rng(1).normal(size=(2, 8))
    unit = vectors.matrix.astype(float) / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)
    monkeypatch.setattr("seqkit.debias.measures.recovery._BLOCK", 5)
    lengths = np.linalg.norm(axes, axis=1)
    assert projections(vectors, vectors.words[::-1], axes) == pytest.approx(
        unit[::-1] @ axes.T / lengths, abs=1e-6
    )


def test_the_most_biased(build) -> None:
    degrees = {f"m{a}": a for a in (10, 60, 30, 80, 45, 55, 20, 70, 85, 5, 65)}
    degrees |= {f"f{a}": a for a in (170, 100, 150, 120, 135, 160, 130, 110, 95, 125)}
    rows = {
        word: [2 * math.cos(math.radians(a)), 2 * math.sin(math.radians(a))] for word, a in degrees.items()
    }
    # Eleven on the one side, ten on the other: at most half of ten.
    chosen = most_biased(build(rows), [*rows, "absent"], np.array([[3, 0], [-2, 0]]), 6)
    assert chosen.words == ("m5", "m10", "m20", "m30", "m45", "f170", "f160", "f150", "f135", "f130")
    assert chosen.labels.tolist() == [0] * 5 + [1] * 5
    assert chosen.classes == 2


def test_words_on_no_side_are_not_among_the_most_biased() -> None:
    """Ten words near each of three axes, and forty on the other side of all."""
    axes = np.eye(3, 4)
    centres = np.concatenate([np.repeat(axes, 10, axis=0), [[-1, -1, -1, 0]] * 40])
    rows = centres + 0.01 * np.random.default_rng(0).normal(size=(70, 4))
    vectors = Vectors([f"w{n}" for n in range(70)], rows.astype(np.float32))
    chosen = most_biased(vectors, vectors.words, axes, 10)
    assert len(chosen.words) == 15  # half of the ten on each side
    assert all(int(word[1:]) < 30 for word in chosen.words)
    with pytest.raises(DataError, match="9 of 29 candidates are on the side of class 0"):
        most_biased(vectors, vectors.words[1:30], axes, 5)


def test_accuracy_of_clusters_is_the_best_match(gendered: Vectors) -> None:
    from sklearn.cluster import KMeans

    noisy = Vectors(
        gendered.words, gendered.matrix + np.random.default_rng(0).normal(0, 0.5, (60, 12)).astype(np.float32)
    )
    chosen = most_biased(gendered, others(gendered), AXES, 14)
    rows = np.array([noisy[word] / np.linalg.norm(noisy[word]) for word in chosen.words], float)
    clusters = KMeans(2, n_init=10, random_state=4).fit_predict(rows)
    best = max(
        sum(match[cluster] == label for cluster, label in zip(clusters, chosen.labels, strict=True)) / 28
        for match in itertools.permutations(range(2))
    )
    found = cluster_accuracy(noisy, chosen, seed=4)
    assert 0.5 < best < 1
    assert found.value == pytest.approx(best)


def test_what_is_left_is_recovered(gendered: Vectors) -> None:
    """Off with the bias direction, on with the lipstick: three more numbers tell the sides."""
    chosen = most_biased(gendered, others(gendered), AXES, 14)
    pig = without(gendered, slice(0, 1))
    assert cluster_accuracy(pig, chosen).value > 0.95
    assert classifier_accuracy(pig, chosen).value > 0.9
    assert classifier_accuracy(pig, chosen, linear=True).value > 0.9
    assert neighbour_correlation(pig, gendered, others(gendered), others(gendered), AXES, k=10).value > 0.8


def test_nothing_left_is_chance(gendered: Vectors) -> None:
    chosen = most_biased(gendered, others(gendered), AXES, 14)
    clean = without(gendered, slice(0, 4))
    # 22 words are tested and 28 clustered: three standard errors are 0.32 and 0.28.
    assert cluster_accuracy(clean, chosen).value < 0.78
    for linear in (False, True):
        figure = classifier_accuracy(clean, chosen, linear=linear)
        assert 0.18 < figure.value < 0.82
        assert figure.low < 0.5 < figure.high
    found = neighbour_correlation(clean, gendered, others(gendered), others(gendered), AXES, k=10)
    assert abs(found.value) < 0.4


def test_a_fifth_of_each_class_is_trained_on(gendered: Vectors) -> None:
    chosen = most_biased(gendered, others(gendered), AXES, 10)
    assert classifier_accuracy(gendered, chosen).sizes == (16,)  # of 20


def test_words_trained_on_are_not_tested(random_vectors) -> None:
    """Random labels of random vectors cannot be told, but those seen in training could."""
    vectors = random_vectors(400, 60)
    chosen = most_biased(vectors, vectors.words, np.eye(2, 60) - np.eye(2, 60)[::-1], 90)
    blind = random_vectors(400, 60, seed=5)
    figure = classifier_accuracy(blind, chosen)
    # 72 of each class are tested; three standard errors are 3 * sqrt(0.25 / 144) = 0.125.
    assert len(chosen.words) == 180
    assert 0.375 < figure.value < 0.625


def test_three_classes() -> None:
    rng = np.random.default_rng(2)
    centres = np.repeat(np.eye(3, 6), 20, axis=0)
    matrix = (centres + 0.15 * rng.normal(size=(60, 6))).astype(np.float32)
    words = [f"{name}{n}" for name in "abc" for n in range(20)]
    vectors = Vectors(words, matrix)
    axes = np.eye(3, 6) - np.eye(3, 6).mean(axis=0)
    chosen = most_biased(vectors, words, axes, 15)
    assert [word[0] for word in chosen.words] == ["a"] * 10 + ["b"] * 10 + ["c"] * 10
    assert cluster_accuracy(vectors, chosen).value == 1
    assert classifier_accuracy(vectors, chosen).value == 1
    assert neighbour_correlation(vectors, vectors, words, words, axes, k=10).value > 0.9


def test_neighbours_against_a_loop(random_vectors) -> None:
    original, after = random_vectors(50), random_vectors(50, seed=1)
    axes = np.random.default_rng(7).normal(size=(1, 8)) * [[1], [-2]]
    professions, candidates = [f"w{n}" for n in range(40, 50)], [f"w{n}" for n in range(2, 45)]
    pool = [int(word[1:]) for word in dict.fromkeys([*candidates, *professions])]
    before_unit, unit = (
        v.matrix.astype(float) / np.linalg.norm(v.matrix, axis=1, keepdims=True) for v in (original, after)
    )
    direction = axes[0]
    bias, shares = [], []
    for profession in range(40, 50):
        near = sorted((n for n in pool if n != profession), key=lambda n: -sum(unit[n] * unit[profession]))[
            :7
        ]
        bias.append(sum(before_unit[profession] * direction))
        shares.append(sum(sum(before_unit[n] * direction) > 0 for n in near) / 7)
    expected = np.corrcoef(bias, shares)[0, 1]
    found = neighbour_correlation(after, original, professions, candidates, axes, k=7)
    assert found.value == pytest.approx(expected, abs=1e-6)
    assert found.low < found.value < found.high


def test_what_is_refused(gendered: Vectors, build) -> None:
    words = others(gendered)
    with pytest.raises(UsageError, match="per_class is 4"):
        most_biased(gendered, words, AXES, 4)
    with pytest.raises(DataError, match="candidates: 0 of 1 words have a vector, at least 1 must"):
        most_biased(gendered, ["absent"], AXES, 5)
    with pytest.raises(DataError, match="2 of 30 candidates are on the side of class 1, counted from 0; at"):
        most_biased(gendered, words[:30], AXES, 6)
    chosen = most_biased(gendered, words, AXES, 10)
    one_vector = Vectors(gendered.words, np.ones((60, 3), np.float32))
    with pytest.raises(DataError, match="1 distinct vectors; no clusters"):
        cluster_accuracy(one_vector, chosen)
    with pytest.raises(DataError, match="most biased words: 19 of 20 words have a vector"):
        classifier_accuracy(build({word: [1.0] for word in chosen.words[1:]}), chosen)
    with pytest.raises(DataError, match="professions: 2 of 2 words have a vector, at least 3 must"):
        neighbour_correlation(gendered, gendered, words[:2], words, AXES, k=5)
    with pytest.raises(UsageError, match="k is 56; it must be at least 1 and below the 56 candidates"):
        neighbour_correlation(gendered, gendered, words[:5], words, AXES, k=56)
