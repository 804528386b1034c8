"""How large steps and units are, and what an exact softmax refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit.embeddings.softmax.steps import check_vocabulary, in_steps, step_size, unit_ids
from seqkit.errors import UsageError


def test_large_vocabularies_are_refused() -> None:
    check_vocabulary(30_000, "something else")
    with pytest.raises(
        UsageError, match=r"at most 30,000 words, not 30,001.*--max-vocab 30000.*something else"
    ):
        check_vocabulary(30_001, "something else")


@pytest.mark.parametrize(
    ("positions", "scores", "expected"),
    [
        (0, 100, 32),
        (128_000, 100, 64),  # a 2,000th
        (255_999, 100, 64),
        (256_000, 100, 128),
        (10**9, 100, 512),
        (10**9, 30_000, 256),  # 2^23 / 30,000 = 279
    ],
)
def test_examples_of_steps(positions: int, scores: int, expected: int) -> None:
    assert step_size(positions, scores) == expected


@given(positions=st.integers(0, 10**12), scores=st.integers(1, 30_000))
def test_steps_and_units_are_bounded(positions: int, scores: int) -> None:
    size = step_size(positions, scores)
    assert size in (32, 64, 128, 256, 512)
    assert size * scores <= 1 << 23
    assert 1 << 13 <= unit_ids(scores) <= 1 << 17
    assert unit_ids(scores) * scores <= max(1 << 27, scores << 13)


def test_the_last_step_is_filled_up() -> None:
    array = np.arange(1, 11, dtype=np.int32).reshape(5, 2)
    assert in_steps(array, 2, 3, 9).tolist() == [[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 10], [9, 9]]]
    assert in_steps(array[:, 0], 2, 3).dtype == np.int32
    assert in_steps(array[:0, 0], 1, 3).tolist() == [[0, 0, 0]]
