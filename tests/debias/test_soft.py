"""Soft debiasing: optimal by arithmetic, by differences, by a literal minimisation over T; its promises."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from seqkit.debias.directions import SubspaceConfig, bias_subspace
from seqkit.debias.removal import apply
from seqkit.debias.soft import Problem, SoftConfig, soft, solve
from seqkit.debias.word_sets import WordSets
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import UsageError


def literal(t: np.ndarray, words: np.ndarray, neutral: np.ndarray, basis: np.ndarray, weight: float) -> float:
    """‖(TW)ᵀ(TW) − WᵀW‖² + λ ‖(TN)ᵀ(TB)‖², with words as columns, as the paper writes it."""
    tw = t @ words
    kept = np.sum((tw.T @ tw - words.T @ words) ** 2)
    return float(kept + weight * np.sum(((t @ neutral).T @ (t @ basis)) ** 2))


def slope(
    t: np.ndarray, words: np.ndarray, neutral: np.ndarray, basis: np.ndarray, weight: float
) -> np.ndarray:
    """The gradient of `literal`: 4 T G (TᵀT − I) G + 2 λ T (S + Sᵀ), G = WWᵀ, S = BBᵀ TᵀT NNᵀ."""
    gram, p = words @ words.T, t.T @ t
    s = basis @ basis.T @ p @ neutral @ neutral.T
    return 4 * t @ gram @ (p - np.eye(len(p))) @ gram + 2 * weight * t @ (s + s.T)


def drawn(seed: int, neutral: int, size: int = 4, k: int = 1) -> tuple[Problem, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    words = rng.normal(size=(size, 30)) * np.exp(rng.normal(size=(size, 1)))
    words /= np.linalg.norm(words, axis=0)
    basis = np.linalg.qr(rng.normal(size=(size, k)))[0]
    chosen = words[:, :neutral]
    return Problem(words @ words.T, chosen @ chosen.T, basis.T, 10.0), words, chosen


def test_words_that_point_everywhere_alike() -> None:
    # W = (±e_1, …, ±e_d), all neutral: G = G_N = 2I. In the direction b of the bias, with p = bᵀPb, minimise
    # (2(p − 1))² + λ · 2p²: p = 2 / (2 + λ); elsewhere P is the identity. Strength 1 is λ = tr G / d = 2,
    # which makes p = ½.
    gram, basis = 2 * np.eye(3), np.array([[0.6, 0.8, 0]])
    for weight in (0.5, 2.0, 100.0):
        p, iterations = solve(Problem(gram, gram, basis, weight))
        shrunk = np.eye(3) - (1 - 2 / (2 + weight)) * basis.T @ basis
        np.testing.assert_allclose(p, shrunk, atol=1e-12)
        assert iterations == 0


def test_objective_and_gradient() -> None:
    problem, words, chosen = drawn(0, neutral=20, k=2)
    rng = np.random.default_rng(1)
    t = rng.normal(size=(4, 4))
    p = t.T @ t
    expected = literal(t, words, chosen, problem.basis.T, problem.weight)
    np.testing.assert_allclose(problem.objective(p), expected, rtol=1e-12)
    step = rng.normal(size=(4, 4))
    step += step.T
    slope = (problem.objective(p + 1e-5 * step) - problem.objective(p - 1e-5 * step)) / 2e-5
    np.testing.assert_allclose(np.sum(problem.gradient(p) * step), slope, rtol=1e-7)


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("weight", [0.1, 10.0, 1e4])
def test_without_a_bound_the_gradient_is_zero(k: int, weight: float) -> None:
    problem = replace(drawn(k, neutral=29, k=k)[0], weight=weight)
    p, iterations = solve(problem)
    assert iterations == 0
    assert np.linalg.eigvalsh(p)[0] > 0
    assert np.abs(problem.gradient(p)).max() < 1e-9 * np.abs(problem.gradient(np.eye(4))).max()


def test_directions_that_words_have_little_of_count() -> None:
    words = np.random.default_rng(0).normal(size=(4, 50)) * np.array([[1], [1], [1], [1e-3]])
    words /= np.linalg.norm(words, axis=0)
    gram = words @ words.T
    problem = Problem(gram, gram, np.array([[0.6, 0, 0, 0.8]]), 20.0)
    p, iterations = solve(problem)
    assert iterations == 0
    assert np.abs(problem.gradient(p)).max() < 1e-9 * np.abs(problem.gradient(np.eye(4))).max()


@pytest.mark.parametrize(
    ("seed", "neutral", "k", "weight"), [(5, 1, 1, 50.0), (0, 2, 1, 500.0), (11, 1, 2, 500.0)]
)
def test_where_p_is_held_back(seed: int, neutral: int, k: int, weight: float) -> None:
    """The conditions of Karush, Kuhn and Tucker: P ⪰ 0, the gradient ⪰ 0, and the two orthogonal."""
    problem = replace(drawn(seed, neutral=neutral, k=k)[0], weight=weight)
    p, iterations = solve(problem)
    assert 0 < iterations < 2000
    gradient = problem.gradient(p)
    scale = np.linalg.norm(problem.gram) ** 2
    assert np.linalg.eigvalsh(p)[0] == pytest.approx(0, abs=1e-9)
    assert np.linalg.eigvalsh(gradient)[0] > -1e-6 * scale
    assert abs(np.sum(gradient * p)) < 1e-6 * scale


@pytest.mark.parametrize(
    ("seed", "neutral", "k", "weight"),
    [(0, 29, 1, 1.0), (1, 29, 2, 30.0), (2, 25, 1, 300.0), (5, 1, 1, 50.0), (11, 1, 2, 500.0)],
)
def test_no_other_t_is_better(seed: int, neutral: int, k: int, weight: float) -> None:
    """Against a general minimiser of the paper's formula over the 16 numbers of T."""
    from scipy.optimize import check_grad, minimize

    problem, words, chosen = drawn(seed, neutral=neutral, k=k)
    problem = replace(problem, weight=weight)

    def value(t: np.ndarray) -> float:
        return literal(t.reshape(4, 4), words, chosen, problem.basis.T, weight)

    def gradient(t: np.ndarray) -> np.ndarray:
        return slope(t.reshape(4, 4), words, chosen, problem.basis.T, weight).reshape(-1)

    start = np.random.default_rng(1).normal(size=16)
    assert check_grad(value, gradient, start) < 1e-5 * np.linalg.norm(gradient(start))
    best = min(
        minimize(
            value,
            start.reshape(-1),
            jac=gradient,
            method="L-BFGS-B",
            options={"maxiter": 2000, "maxfun": 50_000, "ftol": 1e-13},
        ).fun
        for start in (np.eye(4), np.random.default_rng(0).normal(size=(4, 4)))
    )
    ours = problem.objective(solve(problem)[0])
    assert ours <= best * (1 + 1e-6)
    assert ours >= best * (1 - 1e-3)  # the minimiser may stop a little early, not a little late


def test_directions_that_no_word_has_are_left_alone() -> None:
    problem, *_ = drawn(3, neutral=25)
    wider = np.zeros((6, 6))
    wider[:4, :4] = problem.gram
    fewer = np.zeros((6, 6))
    fewer[:4, :4] = problem.neutral
    p, _ = solve(Problem(wider, fewer, np.pad(problem.basis, ((0, 0), (0, 2))), problem.weight))
    np.testing.assert_allclose(p[:4, :4], solve(problem)[0], atol=1e-9)
    np.testing.assert_allclose(p[4:], np.eye(6)[4:], atol=1e-12)


def test_strength_zero_changes_no_bit(uneven: Any) -> None:
    done = soft(uneven.task, SoftConfig(strength=0))
    assert done.matrix.tobytes() == uneven.vectors.matrix.tobytes()
    assert done.details["lambda"] == 0
    assert done.details["kept"] == 1
    np.testing.assert_array_equal(done.tensors["transform"], np.eye(12))


@pytest.mark.parametrize("components", [1, 2])
def test_the_bias_falls_as_the_strength_grows(uneven: Any, components: int) -> None:
    config = SubspaceConfig(components=components)
    task = replace(uneven.task, subspace=bias_subspace(uneven.vectors, uneven.sets.pairs, config))
    kept, cosines = [], []
    for strength in (0, 0.01, 0.1, 0.5, 1, 2, 5, 20, 100, 1e4):
        done = soft(task, SoftConfig(strength=strength))
        kept.append(done.details["kept"])
        t = done.tensors["transform"]
        unit = done.matrix / np.linalg.norm(done.matrix, axis=1, keepdims=True)
        sides = np.linalg.qr(t @ task.subspace.basis.T)[0]
        cosines.append(float(np.abs(unit[task.neutral] @ sides).mean()))
    assert kept[0] == 1
    assert kept[-1] < 1e-3
    assert all(later < earlier for earlier, later in pairwise(kept))
    assert all(later < earlier for earlier, later in pairwise(cosines[:-2]))


def test_what_is_kept_is_measured_on_the_words(uneven: Any) -> None:
    task = uneven.task
    done = soft(task, SoftConfig(strength=3.0))
    t = done.tensors["transform"]
    neutral = task.unit(np.flatnonzero(task.neutral)).T
    basis = task.subspace.basis.T
    after, before = np.linalg.norm((t @ neutral).T @ (t @ basis)), np.linalg.norm(neutral.T @ basis)
    assert done.details["kept"] == pytest.approx(after / before, rel=1e-9)
    # λ is in units of tr G / d = words / vector_size: 3 · 416 / 12.
    assert done.details["lambda"] == pytest.approx(3 * 416 / 12)


def test_every_word_is_mapped_and_keeps_its_length(uneven: Any) -> None:
    task = uneven.task
    done = soft(task, SoftConfig(strength=2.0))
    rows, t = task.matrix.astype(np.float64), done.tensors["transform"]
    np.testing.assert_allclose(t, t.T, atol=1e-12)
    mapped = rows @ t.T
    mapped *= np.linalg.norm(rows, axis=1, keepdims=True) / np.linalg.norm(mapped, axis=1, keepdims=True)
    np.testing.assert_allclose(done.matrix, mapped, rtol=1e-5, atol=1e-6)


def test_a_great_strength_removes_the_subspace(planted: Any) -> None:
    task = planted.task
    t = soft(task, SoftConfig(strength=1e8)).tensors["transform"]
    assert np.abs(t @ task.subspace.basis.T).max() < 1e-3


def test_few_neutral_words(planted: Any) -> None:
    """The bound holds, and the words listed lose the bias."""
    sets = replace(planted.sets, neutral=("n1", "n2", "n3"))
    task = replace(planted.task, sets=sets)
    done = soft(task, SoftConfig(strength=100.0))
    assert done.details["kept"] < 0.3
    assert np.isfinite(done.matrix).all()


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_lengths_whose_squares_float32_cannot_hold(uneven: Any, scale: float) -> None:
    vectors = Vectors(uneven.vectors.vocabulary, uneven.vectors.matrix * np.float32(scale))
    expected = apply(uneven.vectors, uneven.sets, "soft").vectors.matrix
    found = apply(vectors, uneven.sets, "soft").vectors.matrix / np.float32(scale)
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_a_strength_beyond_all_numbers(uneven: Any) -> None:
    with pytest.raises(UsageError, match=r"strength 1e\+308 is too large"):
        apply(uneven.vectors, uneven.sets, "soft", strength=1e308)


@pytest.mark.parametrize("strength", [-1, float("nan"), float("inf")])
def test_impossible_strengths(strength: float) -> None:
    with pytest.raises(UsageError, match="strength must be a number from 0 up"):
        SoftConfig(strength=strength)


def test_the_words_of_the_set_are_not_needed_beyond_the_subspace(planted: Any) -> None:
    task = replace(planted.task, sets=WordSets(name="none", language="en"))
    assert task.neutral.all()
    assert soft(task, SoftConfig()).details["kept"] < 1
