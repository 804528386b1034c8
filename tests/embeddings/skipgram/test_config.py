"""Ranges of the hyper-parameters, and what steps look like for corpora of all sizes."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit.embeddings.skipgram.config import PLACE_MASS, Geometry, SkipGramConfig
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
    assert negative <= geometry.noise <= 2 * geometry.length
    noise_mass = 0.4 * negative * (window + 1) * geometry.length / geometry.noise
    assert noise_mass <= PLACE_MASS or geometry.noise == 2 * geometry.length
    assert geometry.blocks.bit_count() == 1  # a power of two
    assert geometry.words == geometry.blocks * geometry.length
    span = 2000 * max(1, (window + 1) * (1 + 0.4 * negative) / 18)  # 18: window 5, 5 noise words
    if geometry.blocks > 1:
        assert geometry.words * span <= words * (1 + 1e-9)
    if geometry.blocks < Geometry.choose(window, negative, 10**12).blocks:
        assert 2 * geometry.words * span > words


@pytest.mark.parametrize(
    ("window", "negative", "words", "blocks", "length", "noise"),
    [
        (5, 5, 0, 1, 64, 40),
        (5, 5, 255_999, 1, 64, 40),  # 2 blocks are a 2,000th of 256,000 words
        (5, 5, 256_000, 2, 64, 40),
        (2, 5, 256_000, 2, 64, 40),
        (5, 5, 1_000_000, 4, 64, 40),  # 1e6 / (2000·64) = 7.8
        (5, 5, 10**9, 128, 64, 40),
        # 11·(1 + 0.4·15) = 77, 4.28 times 18; 66·64/33 = 128
        (10, 15, 1_000_000, 1, 64, 128),
        (10, 15, 5_000_000, 8, 64, 128),  # 39.06 / 4.28 = 9.1
        (11, 5, 1_000_000, 2, 80, 64),  # 66, up to a multiple of 16; 6.25 / 2; 24·80/33 = 58.2
        (64, 5, 10_000_000, 1, 384, 768),  # 13 / 10.8; as many noise words as twice the length
    ],
)
def test_examples_of_geometry(
    window: int, negative: int, words: int, blocks: int, length: int, noise: int
) -> None:
    assert Geometry.choose(window, negative, words) == Geometry(blocks, length, noise)
