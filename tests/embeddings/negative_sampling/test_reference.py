"""The reference of each method against differences of its losses, and against the limits of its rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from seqkit.embeddings.cbow import reference as cbow
from seqkit.embeddings.negative_sampling.plan import Masses
from seqkit.embeddings.skipgram import reference as skipgram

VOCABULARY, SIZE = 6, 3
BLOCKS, LENGTH, NOISE, NEGATIVE = 2, 7, 4, 3

# Words and noise stand several times in the step, word 5 not at all.
WORDS = np.array([[0, 1, 0, 2, 3, 3, 3], [4, 0, 1, 0, 0, 2, 1]], np.int32)
NOISE_WORDS = np.array([[1, 1, 3, 4], [0, 2, 2, 1]], np.int32)

TABLES = tuple(np.random.default_rng(0).normal(size=(2, VOCABULARY, SIZE)))


@dataclass(frozen=True)
class Case:
    """A method.

    Args:
        step: its reference.
        losses: what vectors and contexts each descend along.
    """

    step: Callable[..., Any]
    losses: tuple[str, str]

    def random_step(self, *tables: np.ndarray, mass: float, learning_rate: float = 1.0) -> Any:
        """A step with random reaches, some beyond the ends of the block, and words without context."""
        left, right = np.random.default_rng(1).integers(0, 4, (2, BLOCKS, LENGTH)).astype(np.float32)
        left[:, 3], right[:, 3] = 0, 0
        masses = Masses(
            np.full(BLOCKS * LENGTH, mass, np.float32), np.full(BLOCKS * (LENGTH + NOISE), mass, np.float32)
        )
        settings = {"masses": masses, "negative": NEGATIVE, "learning_rate": learning_rate}
        return self.step(*tables, WORDS, (left, right), NOISE_WORDS, **settings)

    def differences(self, which: int) -> np.ndarray:
        """∂ of what a table descends along, by each of its numbers, two-sided."""
        change, gradient = 1e-5, np.zeros((VOCABULARY, SIZE))
        for index in np.ndindex(VOCABULARY, SIZE):
            losses = []
            for sign in (1, -1):
                moved = [table.copy() for table in TABLES]
                moved[which][index] += sign * change
                losses.append(getattr(self.random_step(*moved, mass=1.0), self.losses[which]))
            gradient[index] = (losses[0] - losses[1]) / (2 * change)
        return gradient


CASES = {
    "skipgram": Case(skipgram.step, ("loss", "loss")),
    "cbow": Case(cbow.step, ("vector_loss", "loss")),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.mark.parametrize("which", [0, 1])
def test_an_update_is_the_gradient_of_the_loss(case: Case, which: int) -> None:
    # Masses so small that no limit binds: the step is η = 1 times the gradient.
    result = case.random_step(*TABLES, mass=1e-9)
    gradient = TABLES[which] - (result.vectors, result.contexts)[which]
    expected = case.differences(which)
    assert np.linalg.norm(gradient - expected) <= 1e-7 * np.linalg.norm(expected)
    assert np.linalg.norm(expected) > 1
    assert not gradient[-1].any()  # of a word that is not in the step


def test_no_row_learns_faster_than_its_mass_allows(case: Case) -> None:
    gradients = case.random_step(*TABLES, mass=1e-9)
    result = case.random_step(*TABLES, mass=2.0, learning_rate=0.2)
    # Word 0 stands in 5 places of mass 2: it moves by 1/10. Words 2 and 4 have masses of 4 and 2: by η.
    rates = np.array([[1 / 10], [1 / 6], [0.2], [1 / 6], [0.2]])
    expected = rates * (TABLES[0] - gradients.vectors)[:5]
    np.testing.assert_allclose((TABLES[0] - result.vectors)[:5], expected, rtol=1e-9)
    # In the text and as noise they stand in 6, 6, 4, 4 and 2 places.
    rates = np.array([[1 / 12], [1 / 12], [1 / 8], [1 / 8], [0.2]])
    expected = rates * (TABLES[1] - gradients.contexts)[:5]
    np.testing.assert_allclose((TABLES[1] - result.contexts)[:5], expected, rtol=1e-9)
