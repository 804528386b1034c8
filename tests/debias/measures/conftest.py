"""Vectors for the measures, and slow references shared by several tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from seqkit.debias.word_sets import WeatTest, WordSets
from seqkit.embeddings.vectors import Vectors

MASCULINE = [f"m{first}{second}" for first in "abcdefg" for second in "abcd"]
FEMININE = [f"f{first}{second}" for first in "abcdefg" for second in "abcd"]
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
    matrix[1], matrix[3] = matrix[0], matrix[2]  # a pair differs in nothing but the first number
    matrix[:4, 0] = [1, -1, 0.9, -0.9]
    matrix[4:, 0] = sides * rng.uniform(0.3, 1, size=56)
    matrix[4:, 1:4] += sides[:, None] * 0.5
    return Vectors(["he", "she", "man", "woman", *MASCULINE, *FEMININE], matrix.astype(np.float32))


@pytest.fixture
def sets() -> WordSets:
    """Word sets for `gendered`."""
    return WordSets(
        name="planted",
        language="en",
        pairs=(("he", "she"), ("man", "woman"), ("boy", "girl")),
        professions=(*MASCULINE[:12], *FEMININE[:12], "absent"),
        weat={
            "sides": WeatTest(tuple(MASCULINE[:8]), tuple(FEMININE[:8]), ("he", "man"), ("she", "woman")),
            "mixed": WeatTest(
                (*MASCULINE[:4], *FEMININE[:4]),
                (*MASCULINE[4:8], *FEMININE[4:8]),
                ("he", "man"),
                ("she", "woman"),
            ),
        },
    )
