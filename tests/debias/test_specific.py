"""Specific words, learned from some of them."""

from __future__ import annotations

import numpy as np
import pytest

from seqkit.debias.specific import learn_specific_words
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import DataError


def planted() -> Vectors:
    """300 words; those named s0 … s59 lie on one side of a plane that few others reach."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 10))
    rows[:60, 0] += 6
    names = [f"s{i}" for i in range(60)] + [f"o{i}" for i in range(240)]
    order = rng.permutation(300)
    lengths = rng.uniform(0.2, 5, (300, 1))
    return Vectors([names[i] for i in order], (rows * lengths)[order].astype(np.float32))


def test_like_words_are_found() -> None:
    # Those that are not seeds are taken for others while it learns, as in the paper; frequent=0 takes none.
    vectors = planted()
    seeds = [f"s{i}" for i in range(40)]
    learned = learn_specific_words(vectors, [*seeds, "unknown"], frequent=150)
    assert set(seeds) <= set(learned.words)
    assert set(learned.found) == set(learned.words) - set(seeds)
    right = [word for word in learned.found if word.startswith("s")]
    rare = {word for word in vectors.words[150:] if word.startswith("s")} - set(seeds)
    assert rare
    assert rare <= set(right)  # those that it was not told to be others
    assert len(right) > 0.9 * len(learned.found)
    assert learned.f1 > 0.7


def test_a_list_that_nothing_tells_apart() -> None:
    rng = np.random.default_rng(1)
    vectors = Vectors([f"w{i}" for i in range(300)], rng.normal(size=(300, 5)).astype(np.float32))
    learned = learn_specific_words(vectors, [f"w{i}" for i in range(0, 300, 10)])
    assert learned.f1 < 0.2  # .1 of the words are seeds, and guessing finds no more


def test_words_by_falling_distance_and_reproducible() -> None:
    vectors = planted()
    seeds = [f"s{i}" for i in range(30)]
    first, second = (learn_specific_words(vectors, seeds, frequent=100) for _ in range(2))
    assert first == second
    assert len(set(first.words)) == len(first.words)


def test_too_few_words() -> None:
    vectors = planted()
    with pytest.raises(
        DataError, match="9 seed words and 291 others are in the vocabulary; at least 10 of both"
    ):
        learn_specific_words(vectors, [f"s{i}" for i in range(9)])
    with pytest.raises(DataError, match="at least 10 of both"):
        learn_specific_words(vectors, list(vectors.words[:295]))
