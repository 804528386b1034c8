"""CBOW's defaults, the shape of its steps, its masses by arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit.embeddings.cbow.config import CBOWConfig, choose_geometry, place_masses
from seqkit.embeddings.skipgram.config import Geometry, SkipGramConfig
from seqkit.errors import UsageError


def test_the_defaults_are_word2vecs() -> None:
    assert CBOWConfig().learning_rate == 0.05
    assert vars(CBOWConfig(learning_rate=0.025)) == vars(SkipGramConfig())


def test_ranges_are_those_of_skip_gram() -> None:
    with pytest.raises(UsageError, match=r"^window must be from 1 to 64, not 65"):
        CBOWConfig(window=65)


@given(window=st.integers(1, 64), negative=st.integers(2, 20), words=st.integers(0, 10**11))
def test_steps_fit_window_and_corpus(window: int, negative: int, words: int) -> None:
    geometry = choose_geometry(window, negative, words)
    assert geometry.span >= max(32, 6 * window)
    assert geometry.span % 16 == 0
    assert geometry.span < 32 + 6 * window + 16  # and no longer than that asks for
    assert geometry.length == geometry.spans * geometry.span
    assert 10 * geometry.noise >= 3 * negative * geometry.span
    spans = geometry.blocks * geometry.spans
    assert spans.bit_count() == 1  # a power of two
    assert geometry.spans == min(8, spans)
    if spans > 1:
        assert geometry.words * 1000 <= words
    if spans < 512:
        assert 2 * geometry.words * 1000 > words


@pytest.mark.parametrize(
    ("window", "negative", "words", "expected"),
    [
        (5, 5, 0, Geometry(1, 32, 48, spans=1)),
        (5, 5, 64_000, Geometry(1, 64, 48, spans=2)),  # 2·32 is a 1,000th
        (5, 5, 10**9, Geometry(64, 256, 48, spans=8)),  # 512 spans
        (6, 2, 1_000_000, Geometry(2, 384, 32, spans=8)),  # 36, up to 48; 20.8, down to 16; 2·48·0.3 = 28.8
        (10, 15, 5_000_000, Geometry(8, 512, 288, spans=8)),  # 64; 78.1, down to 64; 15·64·0.3
    ],
)
def test_examples_of_geometry(window: int, negative: int, words: int, expected: Geometry) -> None:
    assert choose_geometry(window, negative, words) == expected


def test_masses() -> None:
    # A word: 1 and 5 noise pairs of mass 0.4, that is 3. The 32 words of a block have noise pairs of mass 64,
    # 4 for each of the 16 noise words, which come after the words of both blocks.
    masses = place_masses(CBOWConfig(window=5, negative=5), Geometry(2, 32, 16))
    np.testing.assert_allclose(masses.vectors, np.full(64, 3))
    np.testing.assert_allclose(masses.contexts, [1] * 64 + [4] * 32)
