"""Ranges of the hyper-parameters, and what steps look like for corpora of all sizes."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit.embeddings.skipgram.config import Geometry, SkipGramConfig
from seqkit.errors import UsageError


@pytest.mark.parametrize(
    ("name", "accepted", "refused"),
    [
        ("vector_size", [1, 4096], [0, -1, 4097]),
        ("window", [1, 64], [0, 65]),
        ("negative", [2, 20], [1, 21]),
        ("epochs", [1, 1_000], [0, 1_001]),
        ("seed", [0, 2**63 - 1], [-1, 2**63]),
        ("sample", [0.0, 1e-5, 1.0], [-1e-9, 1.5, math.nan, math.inf]),
        ("noise_exponent", [-4.0, 0.0, 4.0], [-4.1, 4.1, math.nan]),
        ("learning_rate", [1e-9, 10.0], [0.0, -0.1, 10.1, math.nan, math.inf]),
        ("precision", ["float32", "bfloat16"], ["float16", "", None]),
    ],
)
def test_ranges(name: str, accepted: list[Any], refused: list[Any]) -> None:
    for value in accepted:
        assert getattr(SkipGramConfig(**{name: value}), name) == value
    for value in refused:
        with pytest.raises(UsageError) as caught:
            SkipGramConfig(**{name: value})
        assert str(caught.value).startswith(f"{name} must be ")
        assert f"not {value!r}" in str(caught.value)


def test_the_defaults_are_word2vecs() -> None:
    config = SkipGramConfig()
    assert (config.window, config.negative, config.sample) == (5, 5, 1e-3)
    assert (config.noise_exponent, config.epochs, config.learning_rate) == (0.75, 5, 0.025)


@given(window=st.integers(1, 64), negative=st.integers(2, 20), words=st.integers(0, 10**11))
def test_steps_fit_window_and_corpus(window: int, negative: int, words: int) -> None:
    geometry = Geometry.choose(window, negative, words)
    assert geometry.length >= max(64, 6 * window)
    assert geometry.length % 16 == 0
    assert geometry.length < 64 + 6 * window + 16  # and no longer than that asks for
    assert geometry.noise >= negative
    assert geometry.blocks.bit_count() == 1  # a power of two
    assert geometry.words == geometry.blocks * geometry.length
    if geometry.blocks > 1:
        assert geometry.words * 2000 <= words
    if geometry.blocks < Geometry.choose(window, negative, 10**12).blocks:
        assert 2 * geometry.words * 2000 > words


@pytest.mark.parametrize(
    ("window", "words", "blocks", "length"),
    [
        (5, 0, 1, 64),
        (10, 127_999, 1, 64),  # 6·10 = 60
        (10, 256_000, 2, 64),
        (5, 1_000_000, 4, 64),  # 1e6 / (2000·64) = 7.8
        (11, 1_000_000, 4, 80),  # 66, up to a multiple of 16; 6.25
        (64, 10_000_000, 8, 384),  # 13
    ],
)
def test_examples_of_geometry(window: int, words: int, blocks: int, length: int) -> None:
    geometry = Geometry.choose(window, 5, words)
    assert (geometry.blocks, geometry.length) == (blocks, length)
