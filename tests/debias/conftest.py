"""Vectors with a planted bias."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from seqkit.debias.directions import bias_subspace
from seqkit.debias.task import Task
from seqkit.debias.word_sets import WordSets
from seqkit.embeddings.vectors import Vectors

PAIRS = tuple((f"she{i}", f"he{i}") for i in range(6))
SPECIFIC = tuple(f"beard{i}" for i in range(4))


@dataclass(frozen=True)
class Planted:
    """A vocabulary in which the first axis is the bias and the second goes with it.

    Args:
        vectors: pairs, nearly mirrored at the first axis, four specific words, neutral ones `n0`, `n1`, …
        sets: the words of the bias.
        labels: of each neutral word, 1 where its bias is positive, else 0.
    """

    vectors: Vectors
    sets: WordSets
    labels: np.ndarray

    @property
    def task(self) -> Task:
        """What a method is given."""
        known = self.sets.known_to(self.vectors)
        return Task(self.vectors, known, bias_subspace(self.vectors, known.pairs))

    @property
    def neutral(self) -> np.ndarray:
        """The rows of the neutral words."""
        return np.flatnonzero([word.startswith("n") for word in self.vectors.words])


def draw(seed: int = 0, words: int = 400, size: int = 12, *, unit: bool = True) -> Planted:
    """Draws it: of unit length, or of lengths from 0.5 to 5."""
    rng = np.random.default_rng(seed)
    axis = np.eye(size)[0]
    roots = rng.normal(size=(len(PAIRS), size)) * (1 - axis)
    pairs = np.stack([roots + 1.5 * axis, roots - 1.5 * axis], axis=1).reshape(-1, size)
    pairs += 0.3 * rng.normal(size=pairs.shape)
    specific = rng.normal(size=(len(SPECIFIC), size)) - 2 * axis
    neutral = rng.normal(size=(words, size))
    bias = rng.normal(size=words)
    neutral[:, 0] = bias
    neutral[:, 1] += 2 * np.sign(bias)
    names = [*(word for pair in PAIRS for word in pair), *SPECIFIC, *(f"n{i}" for i in range(words))]
    rows = np.concatenate([pairs, specific, neutral])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    if not unit:
        rows *= rng.uniform(0.5, 5, (len(rows), 1))
    order = rng.permutation(len(rows))  # the words of a kind do not stand together
    vectors = Vectors(
        [names[i] for i in order], rows[order].astype(np.float32), np.arange(len(rows))[::-1] + 1
    )
    sets = WordSets(name="planted", language="en", pairs=PAIRS, equalize=PAIRS[:4], specific=SPECIFIC)
    kept = [i - len(rows) + words for i in order if i >= len(rows) - words]
    return Planted(vectors, sets, (bias[kept] > 0).astype(np.int64))


@pytest.fixture(scope="session")
def planted() -> Planted:
    """400 neutral words in 12 dimensions, of unit length."""
    return draw()


@pytest.fixture(scope="session")
def uneven() -> Planted:
    """The same kind, of all lengths."""
    return draw(seed=1, unit=False)


@pytest.fixture(scope="session")
def plant() -> Callable[..., Planted]:
    """Draws others: `plant(seed, words, size, unit=...)`."""
    return draw
