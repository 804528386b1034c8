"""Hard debiasing, against arithmetic, the paper's equations word by word, and its own promises."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from seqkit.debias.directions import SubspaceConfig, bias_subspace
from seqkit.debias.hard import HardConfig, equalize, hard, neutralize
from seqkit.debias.task import Task
from seqkit.debias.word_sets import WordSets
from seqkit.embeddings.vectors import Vectors


def test_neutralize_by_hand() -> None:
    # (0.6, 0.8, 0) without its first number is (0, 0.8, 0), at length 1 (0, 1, 0).
    rows = np.array([[0.6, 0.8, 0], [0, 0.6, 0.8], [1, 0, 0], [0, 0, 0]])
    expected = [[0, 1, 0], [0, 0.6, 0.8], [0, 0, 0], [0, 0, 0]]
    np.testing.assert_allclose(neutralize(rows, np.eye(3)[:1]), expected, atol=1e-15)


def test_a_word_nearly_in_the_subspace_keeps_the_rest() -> None:
    """Unless the rest is rounding."""
    rows = np.array([[1, 1e-4, 0], [1, 0, 1e-6]], np.float32)
    np.testing.assert_allclose(neutralize(rows, np.eye(3)[:1]), [[0, 1, 0], [0, 0, 0]], atol=1e-6)


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1.0, 1e30])
def test_neutralize_keeps_lengths_whatever_they_are(scale: float) -> None:
    """The squares of some are no numbers of float32; some lie nearly in the subspace, some quite."""
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(300, 2)))[0].T
    rows = rng.normal(size=(60, 300))
    rows[20:40] += 30 * rng.normal(size=(20, 2)) @ basis
    rows[40:59] = 1e-3 * rows[40:59] + rng.normal(size=(19, 2)) @ basis
    rows[59] = 0
    rows = (rows * scale).astype(np.float32)
    exact = rows.astype(np.float64)
    lengths = np.linalg.norm(exact, axis=1, keepdims=True)
    left = exact - exact @ basis.T @ basis
    expected = lengths * left / np.maximum(np.linalg.norm(left, axis=1, keepdims=True), 1e-300)
    found = neutralize(rows, basis)
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < 3e-7 * lengths.max()
    assert np.abs(found @ basis.T).max() < 1e-6 * lengths.max()
    assert not found[59].any()
    assert neutralize(rows, basis, out=rows) is rows
    assert rows.tobytes() == found.tobytes()


def test_equalize_by_hand() -> None:
    # μ = (0.3, 0.7, 0.4), μ_B = (0.3, 0, 0), ν = (0, 0.7, 0.4), ‖ν‖² = 0.65; w_B − μ_B = ±(0.3, 0, 0),
    # so that w = ν ± √0.35 (1, 0, 0).
    rows = np.array([[0.6, 0.8, 0], [0, 0.6, 0.8]])
    root = np.sqrt(0.35)
    expected = [[root, 0.7, 0.4], [-root, 0.7, 0.4]]
    np.testing.assert_allclose(equalize(rows, np.eye(3)[:1]), expected, atol=1e-15)


def test_equalize_where_a_word_has_the_means_projection() -> None:
    basis = np.eye(3)[:1]
    assert equalize(np.array([[0, 1.0, 0], [0, 0, 1.0]]), basis) is None
    three = np.array([[0.6, 0.8, 0], [-0.6, 0.8, 0], [0, 0.6, 0.8]])
    assert equalize(three, basis) is None


def reference(words: list[str], rows: np.ndarray, sets: WordSets, basis: np.ndarray) -> np.ndarray:
    """The paper's two steps on unit vectors, a word at a time."""

    def part(w: np.ndarray) -> np.ndarray:
        return sum(((w @ b) * b for b in basis), np.zeros(len(w)))

    index = {word: number for number, word in enumerate(words)}
    result = rows.copy()
    for word in words:
        if word not in sets.protected:
            w = rows[index[word]]
            result[index[word]] = (w - part(w)) / np.linalg.norm(w - part(w))
    for group in sets.equalize:
        mu = sum(rows[index[word]] for word in group) / len(group)
        nu = mu - part(mu)
        for word in group:
            apart = part(rows[index[word]]) - part(mu)
            result[index[word]] = nu + np.sqrt(1 - nu @ nu) * apart / np.linalg.norm(apart)
    return result


@pytest.mark.parametrize("components", [1, 2, 3])
def test_it_is_the_papers_equations(plant: Any, components: int) -> None:
    planted = plant(seed=components)
    config = HardConfig(components=components)
    subspace = bias_subspace(planted.vectors, planted.sets.pairs, config)
    done = hard(replace(planted.task, subspace=subspace), config)
    rows = planted.vectors.matrix.astype(np.float64)
    expected = reference(list(planted.vectors.words), rows, planted.sets, subspace.basis)
    np.testing.assert_allclose(done.matrix, expected, atol=2e-7)
    assert done.details["neutralized"] == 400
    assert done.details["equalized"] == [list(pair) for pair in planted.sets.equalize]
    assert done.details["skipped"] == done.details["zero"] == []


def triples() -> tuple[Vectors, WordSets]:
    rng = np.random.default_rng(5)
    tuples = tuple(tuple(f"{side}{i}" for side in "abc") for i in range(4))
    names = [word for group in tuples for word in group] + [f"n{i}" for i in range(50)]
    rows = rng.normal(size=(len(names), 7))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    sets = WordSets(name="three", language="en", pairs=tuples, equalize=(*tuples[:3], tuples[3][:2]))
    return Vectors(names, rows.astype(np.float32)), sets


def test_classes_of_three_and_sets_of_two_sizes() -> None:
    vectors, sets = triples()
    task = Task(vectors, sets, bias_subspace(vectors, sets.pairs))
    assert task.subspace.components == 2
    matrix = hard(task, HardConfig()).matrix
    rows = vectors.matrix.astype(np.float64)
    np.testing.assert_allclose(
        matrix, reference(list(vectors.words), rows, sets, task.subspace.basis), atol=2e-7
    )


def promises(task: Task, matrix: np.ndarray) -> None:
    """What hard debiasing promises for vectors of any length."""
    basis, before = task.subspace.basis, task.matrix.astype(np.float64)
    after = matrix.astype(np.float64)
    lengths = np.linalg.norm(before, axis=1)
    neutral = after[task.neutral]
    assert np.abs(neutral @ basis.T).max() < 1e-6 * lengths.max()
    equalized = np.zeros(len(matrix), np.bool_)
    for ids in task.equalize:
        equalized[ids] = True
        near = neutral @ after[ids].T  # (neutral words, words of the set)
        assert np.ptp(near, axis=1).max() < 1e-6 * lengths.max() ** 2
        np.testing.assert_allclose(np.linalg.norm(after[ids], axis=1), lengths[ids].mean(), rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(after, axis=1)[~equalized], lengths[~equalized], rtol=1e-6)
    untouched = ~task.neutral & ~equalized
    assert untouched.sum() >= 4
    assert matrix[untouched].tobytes() == task.matrix[untouched].tobytes()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("unit", [True, False])
def test_promises(plant: Any, seed: int, unit: bool) -> None:
    task = plant(seed=seed, unit=unit).task
    promises(task, hard(task, HardConfig()).matrix)
    plane = replace(task, subspace=bias_subspace(task.vectors, task.sets.pairs, SubspaceConfig(components=3)))
    promises(plane, hard(plane, HardConfig()).matrix)


@pytest.mark.parametrize("components", [1, 2])
def test_again_with_the_same_subspace_nothing_changes(planted: Any, components: int) -> None:
    config = HardConfig(components=components)
    task = replace(planted.task, subspace=bias_subspace(planted.vectors, planted.sets.pairs, config))
    once = hard(task, config).matrix
    np.testing.assert_allclose(np.linalg.norm(once, axis=1), 1, atol=1e-6)
    again = hard(replace(task, vectors=Vectors(task.vectors.vocabulary, once)), config).matrix
    np.testing.assert_allclose(again, once, atol=5e-7)


def test_three_words_on_a_line_do_not_change_again() -> None:
    vectors, sets = triples()
    task = Task(vectors, sets, bias_subspace(vectors, sets.pairs, SubspaceConfig(components=1)))
    once = hard(task, HardConfig()).matrix
    again = hard(replace(task, vectors=Vectors(vectors.vocabulary, once)), HardConfig()).matrix
    np.testing.assert_allclose(again, once, atol=5e-7)


def test_words_that_cannot_be_changed_are_told(planted: Any) -> None:
    task = planted.task
    matrix = planted.vectors.matrix.copy()
    index = planted.vectors.vocabulary
    matrix[index["n7"]] = 0
    matrix[index["n8"]] = task.subspace.basis[0]
    matrix[index["she0"]] = 0
    matrix[index["he1"]] = matrix[index["she1"]]
    done = hard(replace(task, vectors=Vectors(planted.vectors.vocabulary, matrix)), HardConfig())
    assert sorted(done.details["zero"]) == ["n7", "n8"]
    assert not done.matrix[[index["n7"], index["n8"]]].any()
    assert done.details["skipped"] == [
        {"words": ["she0", "he0"], "reason": "a zero vector"},
        {"words": ["she1", "he1"], "reason": "do not differ in the direction of the bias"},
    ]
    for word in ("she0", "he0", "she1", "he1"):
        assert (done.matrix[index[word]] == matrix[index[word]]).all()
    assert np.isfinite(done.matrix).all()
