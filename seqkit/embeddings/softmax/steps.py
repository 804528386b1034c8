"""How a softmax is cut into steps and units of training, and how large an exact one may be."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import UsageError

T = TypeVar("T", bound=np.generic)

MAX_VOCABULARY = 30_000
"""Words. Each prediction costs some thousand operations for each of them."""

SCORES = 1 << 23
"""Scores of a step, at most: 32 MB in float32, of which a few copies are held."""


def check_vocabulary(words: int, instead: str) -> None:
    """Refuses a vocabulary that is too large.

    Args:
        words: of the vocabulary.
        instead: what to use for larger ones.

    Raises:
        UsageError: too many words.
    """
    if words > MAX_VOCABULARY:
        raise UsageError(
            f"the exact softmax takes a vocabulary of at most {MAX_VOCABULARY:,} words, not {words:,}: "
            f"keep the most frequent (--max-vocab {MAX_VOCABULARY}), or use {instead}"
        )


def step_size(positions: int, scores: int) -> int:
    """Predictions of a step: a power of two from 32 to 512.

    A step never spans more than a 2,000th of the corpus, within limits: a small one needs its many steps.

    Args:
        positions: words of the corpus.
        scores: of one prediction.
    """
    fitting = min(positions // 2000, SCORES // scores, 512)
    return max(32, 1 << (max(1, fitting).bit_length() - 1))


def unit_ids(scores: int) -> int:
    """Ids of the corpus in a unit of training: seconds, so that progress shows and a signal is heard.

    Args:
        scores: of one prediction.
    """
    return max(1 << 13, min(1 << 17, (1 << 27) // scores))


def in_steps(array: NDArray[T], steps: int, size: int, filling: int = 0) -> NDArray[T]:
    """An array cut into steps, the last one filled up.

    Args:
        array: shape (places, ...), at most steps · size places.
        steps: how many.
        size: places of a step.
        filling: for the places after the last.

    Returns:
        Shape (steps, size, ...).
    """
    filled = np.full((steps * size, *array.shape[1:]), filling, array.dtype)
    filled[: len(array)] = array
    return filled.reshape(steps, size, *array.shape[1:])
