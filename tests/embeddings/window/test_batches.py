"""Windows against the lines that they are cut from: every word once, nothing from another line."""

from __future__ import annotations

import numpy as np
import pytest

from seqkit.embeddings.window.batches import Batches, BatchMaker, noise_probabilities
from seqkit.embeddings.window.config import WindowConfig
from seqkit.text.corpus import LINE_END

LINES = [[0, 1, 2, 3], [4], [5, 6], [0, 6, 1]]
IDS = np.array([id_ for line in LINES for id_ in [*line, LINE_END]], np.int32)
COUNTS = np.bincount(IDS[IDS >= 0]).astype(np.int64)
NONE = len(COUNTS)  # 7 words, so that 7 stands for no word


def made(ids: np.ndarray = IDS, step: int = 4, chunk_ids: int = 100, **settings: object) -> Batches:
    config = WindowConfig(**{"window": 2, "sample": 0.0, **settings})  # type: ignore[arg-type]
    return BatchMaker(ids, COUNTS, config, step, chunk_ids).make(0, 0)


def predictions(batches: Batches) -> list[tuple[int, ...]]:
    """What each word is predicted from, and the word, in ascending order."""
    here = batches.weights.ravel() > 0
    contexts = batches.contexts.reshape(-1, batches.contexts.shape[-1])[here]
    return sorted(zip(*contexts.T.tolist(), batches.targets.ravel()[here].tolist(), strict=True))


def test_each_word_is_predicted_from_those_before_it() -> None:
    padded = [[NONE, NONE, *line] for line in LINES]
    expected = [tuple(line[at - 2 : at + 1]) for line in padded for at in range(2, len(line))]
    assert predictions(made()) == sorted(expected)


def test_each_word_is_predicted_from_those_around_it() -> None:
    expected = []
    for line in LINES:
        padded = [NONE, NONE, *line, NONE, NONE]
        for at in range(2, len(line) + 2):
            expected.append((*padded[at - 2 : at], *padded[at + 1 : at + 3], padded[at]))
    assert predictions(made(context="around")) == sorted(expected)


def test_the_last_step_is_filled_up() -> None:
    batches = made()
    # 10 words in steps of 4
    assert batches.targets.shape == batches.weights.shape == (3, 4)
    assert batches.contexts.shape == (3, 4, 2)
    assert batches.weights.tolist() == [[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 0, 0]]
    assert (batches.contexts[2, 2:] == NONE).all()
    for array, kind in (
        (batches.contexts, np.int32),
        (batches.targets, np.int32),
        (batches.noise, np.int32),
        (batches.weights, np.float32),
    ):
        assert array.dtype == kind


def test_noise_is_drawn_by_count_to_three_quarters() -> None:
    counts = np.array([10_000, 1000, 16, 1, 0], np.int64)
    # 10000^.75 = 1000, 1000^.75 = 177.83, 16^.75 = 8; a word that was never seen counts as one
    weights = np.array([1000, 177.827941, 8, 1, 1])
    np.testing.assert_allclose(noise_probabilities(counts), weights / weights.sum(), rtol=1e-8)
    maker = BatchMaker(np.zeros(40_000, np.int32), counts, WindowConfig(negative=50, sample=0), 100, 10**6)
    noise = maker.make(0, 0).noise
    assert noise.shape == (400, 50)
    expected = noise.size * weights / weights.sum()
    assert (np.abs(np.bincount(noise.ravel(), minlength=5) - expected) < 4 * np.sqrt(expected)).all()
    assert made(softmax="exact").noise.shape == (3, 0)


def test_sub_sampling_moves_words_closer() -> None:
    # By these counts word 0 stays with √(1e-6 / 1) + 1e-6: of 500, none but with a chance of 40 %.
    ids = np.array([1, 0, 0, 0, 0, 0, 2, LINE_END] * 100, np.int32)
    counts = np.array([10**9, 1, 1, 0, 0, 0, 0], np.int64)
    batches = BatchMaker(ids, counts, WindowConfig(window=1, sample=1e-6), 8, 10**6).make(0, 0)
    assert predictions(batches).count((1, 2)) > 95
    assert len(predictions(made(sample=0))) == 10


def test_chunks_are_pure_functions_of_seed_epoch_and_number() -> None:
    ids = np.tile(IDS, 50)  # 700 ids

    def arrays(seed: int, epoch: int, chunk: int) -> list[bytes]:
        maker = BatchMaker(ids, COUNTS, WindowConfig(seed=seed, sample=0), 8, 100)
        assert maker.chunks == 7
        return [array.tobytes() for array in vars(maker.make(epoch, chunk)).values()]

    assert arrays(1, 2, 3) == arrays(1, 2, 3)
    for other in ((2, 2, 3), (1, 1, 3), (1, 2, 4)):
        assert arrays(*other)[1] != arrays(1, 2, 3)[1]
    maker = BatchMaker(ids, COUNTS, WindowConfig(sample=0), 8, 100)
    assert sorted(maker.order(0)) == list(range(7))
    assert maker.order(0).tolist() != maker.order(1).tolist()
    words = [made.targets[made.weights > 0] for made in (maker.make(0, chunk) for chunk in range(7))]
    np.testing.assert_array_equal(np.bincount(np.concatenate(words)), 50 * COUNTS)


@pytest.mark.parametrize("sample", [0.0, 1e-12])
def test_nothing_may_survive(sample: float) -> None:
    ids = np.full(5, LINE_END, np.int32) if not sample else IDS
    batches = BatchMaker(ids, 10**9 * COUNTS, WindowConfig(sample=sample), 4, 100).make(0, 0)
    assert batches.targets.shape == (1, 4)
    assert not batches.weights.any()
