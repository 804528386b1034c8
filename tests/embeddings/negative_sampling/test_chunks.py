"""Chunks against the ids that they are made of: nothing lost, no reach across a line, every draw fair.

Word 0 does not occur in these texts, so that it is seen where places were filled up with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from seqkit.embeddings.negative_sampling import chunks
from seqkit.embeddings.negative_sampling.chunks import Chunk, ChunkMaker, check_pairs, check_sample
from seqkit.embeddings.negative_sampling.draws import keep_probabilities
from seqkit.embeddings.skipgram.config import Geometry, SkipGramConfig
from seqkit.errors import CorpusError, UsageError
from seqkit.text.encoding import LINE_END

GEOMETRY = Geometry(blocks=2, length=16, noise=4)


def distinct_words(lengths: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Ids of lines in which every word of the corpus is another one, from 1; and the line of each id."""
    ids, line_of = [], [-1]
    for line, length in enumerate(lengths):
        ids += [*range(len(line_of), len(line_of) + length), LINE_END]
        line_of += [line] * length
    return np.array(ids, np.int32), np.array(line_of)


def maker(ids: np.ndarray, *, geometry: Geometry = GEOMETRY, **config: float) -> ChunkMaker:
    words = ids[ids >= 0]
    counts = np.bincount(words, minlength=1).astype(np.int64)
    return ChunkMaker(ids, counts, SkipGramConfig(**{"sample": 0.0, **config}), geometry)


def unfilled(chunk: Chunk) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Words, left and right without the places that were filled up."""
    words, left, right = (array.ravel() for array in (chunk.words, chunk.left, chunk.right))
    start = int((words > 0).argmax())
    here = slice(start, start + chunk.kept)
    for outside in (slice(0, start), slice(start + chunk.kept, None)):
        assert not words[outside].any()
        assert not left[outside].any()
        assert not right[outside].any()
    return words[here], left[here], right[here]


@pytest.fixture
def small_chunks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "CHUNK_IDS", 300)
        yield


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=60),
    window=st.integers(1, 6),
    sample=st.sampled_from([0.0, 1e-3]),
    seed=st.integers(0, 50),
)
def test_reaches_end_with_the_line(lengths: list[int], window: int, sample: float, seed: int) -> None:
    ids, line_of = distinct_words(lengths)
    chunk = maker(ids, window=window, sample=sample, seed=seed).make(0, 0)
    words, left, right = unfilled(chunk)
    assert (words > 0).all()
    assert (np.diff(words) > 0).all()  # in order, none twice
    lines = line_of[words]
    for place, line in enumerate(lines):
        before, after = (lines[:place] == line).sum(), (lines[place + 1 :] == line).sum()
        cut = {(min(reach, before), min(reach, after)) for reach in range(1, window + 1)}
        assert (left[place], right[place]) in cut


def test_everything_is_kept_in_order_where_nothing_is_sub_sampled() -> None:
    rng = np.random.default_rng(0)
    ids, line_of = distinct_words(rng.integers(2, 9, 500).tolist())
    chunk = maker(ids).make(3, 0)
    assert chunk.kept == len(line_of) - 1
    words, left, right = unfilled(chunk)
    np.testing.assert_array_equal(words, np.arange(1, len(line_of)))
    same_line = np.diff(line_of) == 0
    assert ((left > 0) == same_line).all()
    assert ((right > 0) == np.append(same_line[1:], False)).all()
    assert chunk.left.dtype == chunk.right.dtype == np.float32
    assert chunk.words.shape == chunk.left.shape == chunk.right.shape
    assert chunk.words.shape[1:] == (2, 16)
    assert chunk.noise.shape == (len(chunk.words), 2, 4)
    assert len(chunk.words) in (-(-chunk.kept // 32), -(-(chunk.kept + 15) // 32))


def test_lines_whose_words_are_all_gone_still_end() -> None:
    # Lines a b / x x x x / c d: x is frequent enough to go, and b and c never meet.
    a, b, c, d, x = range(1, 6)
    line = [a, b, LINE_END, x, x, x, x, LINE_END, c, d, LINE_END]
    ids = np.array(line * 400, np.int32)
    config = SkipGramConfig(window=5, sample=2e-3, seed=1)
    # By these counts x, at a relative frequency of 0.999, stays with √0.002 + 0.002 = 4.7%.
    counts = np.array([0, 1, 1, 1, 1, 4000], np.int64)
    chunk = ChunkMaker(ids, counts, config, GEOMETRY).make(0, 0)
    words, left, right = unfilled(chunk)
    assert 5 < (words == x).sum() < 160
    letters = words != x
    assert words[letters].tolist() == [a, b, c, d] * 400
    assert left[letters].tolist() == [0, 1, 0, 1] * 400
    assert right[letters].tolist() == [1, 0, 1, 0] * 400


def test_reaches_are_uniform() -> None:
    window, words = 7, 40_000
    chunk = maker(np.append(np.arange(1, words + 1, dtype=np.int32), LINE_END), window=window).make(0, 0)
    _, left, right = unfilled(chunk)
    np.testing.assert_array_equal(left[window:-window], right[window:-window])
    found = np.bincount(left[window:-window].astype(int), minlength=window + 1)
    assert found[0] == 0
    expected = found.sum() / window
    assert ((found[1:] - expected) ** 2 / expected).sum() < chi2.ppf(0.999, window - 1)


def test_words_are_sub_sampled_at_their_rates() -> None:
    rng = np.random.default_rng(0)
    occurrences = rng.permutation(np.repeat(np.arange(1, 101), 40_000 // np.arange(1, 101)))
    counts = np.bincount(occurrences)
    ids = np.append(occurrences, LINE_END).astype(np.int32)
    chunk = maker(ids, sample=2e-3).make(0, 0)
    kept = np.bincount(unfilled(chunk)[0], minlength=101)
    p = keep_probabilities(counts, 2e-3).astype(np.float64)
    sampled = p < 1
    assert (kept[~sampled] == counts[~sampled]).all()
    error = (kept - counts * p)[sampled] ** 2 / (counts * p * (1 - p))[sampled]  # binomial
    assert sampled.sum() > 30
    assert error.sum() < chi2.ppf(0.999, sampled.sum())


@pytest.mark.parametrize("exponent", [0.75, 0.0, 1.0])
def test_noise_is_drawn_by_powers_of_counts(exponent: float) -> None:
    counts = np.array([1000, 100, 10, 0])  # a word without occurrences counts as if it had one
    ids = np.tile(np.array([0, 1, 2, LINE_END], np.int32), 20_000)
    config = SkipGramConfig(sample=0, noise_exponent=exponent)
    noise = ChunkMaker(ids, counts, config, GEOMETRY).make(0, 0).noise
    weights = np.array([1000.0, 100, 10, 1]) ** exponent
    expected = noise.size * weights / weights.sum()
    # Strata leave less than independent draws to chance.
    assert (np.abs(np.bincount(noise.ravel(), minlength=4) - expected) < 4 * np.sqrt(expected)).all()


def test_every_block_has_noise_of_all_strata() -> None:
    # 2 blocks of 4 noise words, 8 words equally likely: the strata are the words, dealt in turn.
    ids = np.append(np.tile(np.arange(8, dtype=np.int32), 20), LINE_END)
    noise = maker(ids).make(0, 0).noise
    assert len(noise) > 1
    for step in noise:
        assert step.tolist() == [[0, 2, 4, 6], [1, 3, 5, 7]]


def test_blocks_begin_anywhere() -> None:
    # So that no pair lies across the ends of blocks in every epoch.
    make = maker(np.append(np.arange(1, 200, dtype=np.int32), LINE_END)).make
    begins = {int(np.flatnonzero(make(epoch, 0).words)[0]) for epoch in range(300)}
    assert begins == set(range(GEOMETRY.length))


@pytest.mark.usefixtures("small_chunks")
def test_chunks_are_pure_functions_of_seed_epoch_and_number() -> None:
    ids, _ = distinct_words([5] * 200)
    first, second, other_seed = maker(ids, seed=1), maker(ids, seed=1), maker(ids, seed=2)
    second.make(0, 0)
    reference = first.make(1, 2)
    assert_same(reference, second.make(1, 2))
    for different in (first.make(0, 2), first.make(2, 1), other_seed.make(1, 2)):
        with pytest.raises(AssertionError):
            assert_same(reference, different)


@pytest.mark.usefixtures("small_chunks")
def test_chunks_of_the_same_words_have_their_own_draws() -> None:
    chunk_maker = maker(np.tile(np.array([1, 2, 3, 4, LINE_END], np.int32), 300))
    one, other = chunk_maker.make(0, 2), chunk_maker.make(0, 3)
    assert chunk_maker.bounds(2) == (600, 900)  # whole lines, both
    assert unfilled(one)[0].tolist() == unfilled(other)[0].tolist() == [1, 2, 3, 4] * 60
    assert unfilled(one)[2].tolist() != unfilled(other)[2].tolist()


def assert_same(one: Chunk, other: Chunk) -> None:
    for name, array in vars(one).items():
        np.testing.assert_array_equal(array, getattr(other, name))


@pytest.mark.usefixtures("small_chunks")
def test_epochs_take_all_chunks_each_in_its_own_order() -> None:
    chunk_maker = maker(distinct_words([5] * 1000)[0])
    assert chunk_maker.chunks == 20  # 6000 ids by 300
    orders = [chunk_maker.order(epoch).tolist() for epoch in range(5)]
    assert all(sorted(order) == list(range(20)) for order in orders)
    assert len({tuple(order) for order in orders}) == 5
    assert orders[3] == maker(distinct_words([5] * 1000)[0]).order(3).tolist()
    assert orders[3] != maker(distinct_words([5] * 1000)[0], seed=1).order(3).tolist()


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("words", [1, 100, 299, 449, 451, 1000, 10_007])
def test_chunks_cover_the_corpus(words: int) -> None:
    ids = np.append(np.arange(1, words + 1, dtype=np.int32), LINE_END)
    chunk_maker = maker(ids)
    assert chunk_maker.chunks == max(1, round((words + 1) / 300))
    bounds = [chunk_maker.bounds(chunk) for chunk in range(chunk_maker.chunks)]
    assert (bounds[0][0], bounds[-1][1]) == (0, words + 1)
    assert all(one[1] == other[0] for one, other in pairwise(bounds))
    parts = [unfilled(chunk_maker.make(0, chunk))[0] for chunk in range(chunk_maker.chunks)]
    np.testing.assert_array_equal(np.concatenate(parts), np.arange(1, words + 1))


def test_chunks_hold_about_a_million_ids() -> None:
    ids = np.zeros(1, np.int32)
    for length, expected in ((1, 1), (3 << 19, 2), (5 << 20, 5)):
        assert maker(np.broadcast_to(ids, length)).chunks == expected


def test_nothing_may_survive() -> None:
    # One word is all the text: it stays with √1e-9 + 1e-9, and none of ten does.
    chunk = maker(np.array([1] * 10 + [LINE_END], np.int32), sample=1e-9).make(0, 0)
    assert chunk.kept == 0
    assert chunk.words.shape == (1, 2, 16)
    assert chunk.noise.shape == (1, 2, 4)
    assert not chunk.words.any()
    assert not chunk.left.any()
    assert not chunk.right.any()


def test_lines_of_one_word_have_no_pairs() -> None:
    chunk = maker(np.tile(np.array([3, LINE_END], np.int32), 50)).make(0, 0)
    assert chunk.kept == 50
    assert (chunk.words == 3).sum() == 50
    assert not chunk.left.any()
    assert not chunk.right.any()


@pytest.mark.parametrize("place", [0, 298, 299, 300, 301, 899])
def test_one_pair_anywhere_is_enough_to_learn_from(small_chunks: None, place: int) -> None:
    ids = np.full(901, LINE_END, np.int32)
    ids[::2] = 1
    with pytest.raises(CorpusError, match="no line has two words"):
        check_pairs(ids)
    ids[place : place + 2] = 1
    check_pairs(ids)


def test_nothing_is_no_pair(small_chunks: None) -> None:
    with pytest.raises(CorpusError, match="no line has two words"):
        check_pairs(np.array([1], np.int32))


def test_sub_sampling_has_to_leave_something() -> None:
    counts = np.array([10_000, 10_000])
    with pytest.raises(UsageError, match=r"sample 1e-12 leaves 0\.14 of 20,000 words in all epochs"):
        check_sample(counts, sample=1e-12, epochs=5)  # each is kept with √2e-12
    check_sample(counts, sample=1e-9, epochs=5)
