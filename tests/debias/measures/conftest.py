"""Vectors for the measures, and slow references shared by several tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from seqkit.embeddings.vectors import Vectors

Rows = dict[str, list[float]]


@pytest.fixture
def build() -> Callable[[Rows], Vectors]:
    """Vectors from a dictionary of rows."""
    return lambda rows: Vectors(list(rows), np.array(list(rows.values()), np.float32))


@pytest.fixture
def random_vectors() -> Callable[..., Vectors]:
    """Normal vectors of words w0, w1, …"""

    def draw(words: int, size: int = 8, seed: int = 0) -> Vectors:
        matrix = np.random.default_rng(seed).normal(size=(words, size)).astype(np.float32)
        return Vectors([f"w{index}" for index in range(words)], matrix)

    return draw


@pytest.fixture
def gendered() -> Vectors:
    """60 words in 12 numbers: a pair he-she along the first, professions on both sides of it.

    The first number carries the bias; the second, third and fourth repeat its sign, as a debiased set would
    still have it.
    """
    rng = np.random.default_rng(3)
    sides = np.repeat([1.0, -1.0], 28)
    matrix = 0.2 * rng.normal(size=(60, 12))
    matrix[:2, 0] = [1, -1]
    matrix[2:4, 0] = [0.9, -0.9]
    matrix[4:, 0] = sides * rng.uniform(0.3, 1, size=56)
    matrix[4:, 1:4] += sides[:, None] * 0.5
    words = ["he", "she", "man", "woman", *(f"m{n}" for n in range(28)), *(f"f{n}" for n in range(28))]
    return Vectors(words, matrix.astype(np.float32))
