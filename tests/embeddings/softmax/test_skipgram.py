"""Settings, and the pairs of each centre against those that skip-gram's chunks have."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from seqkit.embeddings.negative_sampling.chunks import ChunkMaker
from seqkit.embeddings.skipgram.config import Geometry, SkipGramConfig
from seqkit.embeddings.softmax.skipgram import CentreMaker, SoftmaxConfig
from seqkit.errors import UsageError
from seqkit.text.corpus import LINE_END


@pytest.mark.parametrize(
    ("name", "accepted", "refused"),
    [
        ("vector_size", [1, 4096], [0, 4097]),
        ("window", [1, 64], [0, 65]),
        ("sample", [0.0, 1.0], [-1e-9, 1.5, math.nan]),
        ("epochs", [1, 1_000], [0, 1_001]),
        ("learning_rate", [1e-9, 10.0], [0.0, 10.1, math.nan]),
        ("seed", [0, 2**63 - 1], [-1, 2**63]),
        ("precision", ["float32", "bfloat16"], ["float16"]),
    ],
)
def test_ranges(name: str, accepted: list[Any], refused: list[Any]) -> None:
    for value in accepted:
        assert getattr(SoftmaxConfig(**{name: value}), name) == value
    for value in refused:
        with pytest.raises(UsageError, match=f"{name} must be"):
            SoftmaxConfig(**{name: value})


def random_text(lines: int) -> tuple[np.ndarray, np.ndarray]:
    """Lines of one to nine words, and the counts of the 30 words."""
    rng = np.random.default_rng(0)
    ids = [[*rng.integers(0, 30, rng.integers(1, 10)), LINE_END] for _ in range(lines)]
    flat = np.array([id_ for line in ids for id_ in line], np.int32)
    return flat, np.bincount(flat[flat >= 0], minlength=30).astype(np.int64)


@pytest.mark.parametrize("sample", [0.0, 1e-2])
def test_pairs_are_those_of_the_same_draws(sample: float) -> None:
    ids, counts = random_text(300)
    settings = {"window": 3, "sample": sample, "seed": 5}
    made = CentreMaker(ids, counts, SoftmaxConfig(**settings), 16, 700).make(1, 1)
    found = np.zeros((30, 30), int)
    for word, contexts, weights in zip(
        made.words.ravel(), made.contexts.reshape(-1, 6), made.weights.reshape(-1, 6), strict=True
    ):
        np.add.at(found[word], contexts[weights > 0], 1)

    maker = ChunkMaker(ids, counts, SkipGramConfig(**settings), Geometry(1, 64, 1), 700)
    chunk = maker.make(1, 1)
    words, left, right = (array.ravel() for array in (chunk.words, chunk.left, chunk.right))
    expected = np.zeros((30, 30), int)
    for i, word in enumerate(words):
        for j in range(i - int(left[i]), i + int(right[i]) + 1):
            expected[word, words[j]] += j != i
    np.testing.assert_array_equal(found, expected)
    assert expected.sum() > 300
    assert made.weights.sum() == expected.sum()


def test_centres_are_pure_functions_of_seed_epoch_and_number() -> None:
    ids, counts = random_text(500)

    def arrays(seed: int, epoch: int, chunk: int) -> list[bytes]:
        maker = CentreMaker(ids, counts, SoftmaxConfig(seed=seed), 16, 700)
        assert maker.chunks == round(len(ids) / 700)
        assert sorted(maker.order(epoch)) == list(range(maker.chunks))
        return [array.tobytes() for array in vars(maker.make(epoch, chunk)).values()]

    assert arrays(1, 2, 0) == arrays(1, 2, 0)
    for other in ((2, 2, 0), (1, 1, 0), (1, 2, 1)):
        assert arrays(*other)[0] != arrays(1, 2, 0)[0]


def test_centres_come_in_an_order_of_their_own() -> None:
    """Not in that of the text."""
    ids = np.append(np.arange(300, dtype=np.int32), np.int32(LINE_END))
    made = CentreMaker(ids, np.ones(300, np.int64), SoftmaxConfig(sample=0), 300, 700).make(0, 0)
    order = made.words.ravel()
    assert sorted(order) == list(range(300))
    assert abs(np.corrcoef(order, np.arange(300))[0, 1]) < 0.3


def test_lines_of_one_word_have_no_centres() -> None:
    ids = np.tile(np.array([3, LINE_END], np.int32), 50)
    made = CentreMaker(ids, np.full(4, 50, np.int64), SoftmaxConfig(sample=0), 16, 700).make(0, 0)
    assert made.words.shape == (1, 16)
    assert made.contexts.shape == made.weights.shape == (1, 16, 10)
    assert not made.weights.any()
