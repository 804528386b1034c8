"""Random numbers that depend on seed, text and draw only, and the words that they stand for."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import chisquare, gumbel_r, kstest

from seqkit.language_model.sampling.drawing import blocks_of, draw, gumbel, key_of, threefry

NONE = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("key", "counter", "wanted"),
    [
        # The known answers that come with the authors' library, Random123: zeros, ones, digits of pi.
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((NONE, NONE), (NONE, NONE), (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_bits_are_those_of_the_paper_s_authors(
    key: tuple[int, int], counter: tuple[int, int], wanted: tuple[int, int]
) -> None:
    found = threefry(tf.constant(key, tf.uint32), tf.constant(counter, tf.uint32))
    assert tuple(int(one) for one in found) == wanted


def noise(seed: int, rows: list[int], draws: list[int], count: int) -> np.ndarray:
    found: np.ndarray = gumbel(key_of(seed), tf.constant(rows), tf.constant(draws), count).numpy()
    return found


def test_numbers_are_a_function_of_seed_row_and_draw() -> None:
    whole = noise(7, [0, 1, 2, 3], [5, 6, 5, 9], 9)
    # The bits are the same; the last bit of a logarithm may depend on its place in the vector registers.
    np.testing.assert_allclose(noise(7, [2], [5], 9), whole[2:3], rtol=1e-5)
    assert len({row.tobytes() for row in whole}) == 4
    seeds = [0, 1, 2**32, 2**32 + 1, 2**64 - 1]
    assert len({noise(seed, [0], [0], 1).tobytes() for seed in seeds}) == len(seeds)


def test_numbers_have_their_distribution() -> None:
    rows, draws = np.divmod(np.arange(4000), 40)
    found = noise(3, rows.tolist(), draws.tolist(), 10)
    assert np.isfinite(found).all()
    assert kstest(found.ravel(), gumbel_r.cdf).pvalue > 0.001
    # Neighbours, in a place, in a draw, in a row, know nothing of each other: correlations of 0 ± 1/√36,000.
    cube = found.reshape(100, 40, 10)
    for axis in range(3):
        one, other = (np.delete(cube, end, axis).ravel() for end in (0, -1))
        assert abs(np.corrcoef(one, other)[0, 1]) < 4 / np.sqrt(36_000)


@pytest.mark.parametrize("vocabulary", [1, 2, 16, 17, 300])
def test_words_have_their_probabilities(vocabulary: int) -> None:
    many = 20_000
    rng = np.random.default_rng(vocabulary)
    p = rng.integers(1, 9, vocabulary) * (np.arange(vocabulary) % 5 != 1)
    with np.errstate(divide="ignore"):
        logits = np.log(p).astype(np.float32)
    count = sum(blocks_of(vocabulary))
    rows = tf.range(many)
    found = draw(
        tf.repeat(logits[None] + 80, many, axis=0), gumbel(key_of(5), rows, tf.zeros_like(rows), count)
    )
    counts = np.bincount(found.numpy(), minlength=vocabulary)
    assert len(counts) == vocabulary
    assert not counts[p == 0].any()
    if (p > 0).sum() > 1:
        assert chisquare(counts[p > 0], p[p > 0] / p.sum() * many).pvalue > 0.001


def test_the_largest_with_noise_is_drawn() -> None:
    # 20 words are two blocks of 16: with masses 16 and 4 the noise 0 and 2 makes ln 16 < ln 4 + 2.
    assert blocks_of(20) == (2, 16)
    found = draw(tf.zeros([2, 20]), tf.constant([[0.0, 2, *[0] * 3, 1, *[0] * 12], [0, 1, *[0] * 15, 1]]))
    assert found.numpy().tolist() == [16 + 3, 15]


def test_rounding_hardly_ever_changes_a_word() -> None:
    """With 33,000 words, and logits that differ as those of products of other shapes do."""
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((150, 33_000), dtype=np.float32) * 2
    rows = tf.range(150)
    own = gumbel(key_of(1), rows, tf.zeros_like(rows), sum(blocks_of(33_000)))
    one = draw(tf.constant(logits), own)
    changes = rng.choice(np.array([-1e-6, 1e-6], np.float32), logits.shape)
    assert (one == draw(tf.constant(logits * (1 + changes)), own)).numpy().all()


COMPILED = """
import sys
import tensorflow as tf
from seqkit.language_model.sampling.drawing import blocks_of, draw, gumbel, key_of

@tf.function(jit_compile=True)
def drawn(logits, row):
    return draw(logits, gumbel(key_of(0), row, row, sum(blocks_of(logits.shape[1]))))

for vocabulary in map(int, sys.argv[1:]):
    given = tf.fill([3, vocabulary], 0.0), tf.range(3)
    assert drawn(*given).numpy().tolist() == drawn.python_function(*given).numpy().tolist()
"""


@pytest.mark.slow
def test_vocabularies_of_any_size_are_compiled() -> None:
    """In a process of its own: compiling one of 16 words did not end."""
    sizes = map(str, (1, 8, 15, 16, 17, 64, 257))
    subprocess.run([sys.executable, "-c", COMPILED, *sizes], check=True, timeout=200)
