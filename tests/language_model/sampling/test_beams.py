"""Beam search after a prompt, against all texts there are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest

from seqkit.language_model.sampling import Sample, Sampler, SamplingConfig

EOS, WORDS, LENGTH = 1, 4, 3
RNG = np.random.default_rng(8)
TABLE, SUMS = RNG.normal(size=(WORDS, WORDS)) * 2, RNG.normal(size=(7, WORDS))


@pytest.fixture(scope="module")
def model(toys: Any) -> Any:
    return toys.Memory(TABLE, SUMS)


@pytest.fixture(scope="module")
def sampler(model: Any) -> Sampler:
    return Sampler(model)


def all_texts() -> list[tuple[int, ...]]:
    """Every text that ends, or is as long as may be; `<eos>` is its last word or in none of its places."""
    free = [word for word in range(WORDS) if word != EOS]
    return [
        (*beginning, last)
        for length in range(LENGTH)
        for beginning in product(free, repeat=length)
        for last in ([EOS] if length < LENGTH - 1 else range(WORDS))
    ]


def search(sampler: Sampler, prompt: Sequence[int], **options: Any) -> list[Sample]:
    return sampler.sample(SamplingConfig(max_length=LENGTH, **options), [prompt])


def whole(one: Sample) -> tuple[int, ...]:
    return (*one.ids, EOS) if one.end == "eos" else one.ids


@pytest.mark.parametrize(("prompt", "alpha"), [([], 0.0), ([2, 0, 3], 0.7), ([3, 1, 1], 1.0)])
def test_a_beam_of_all_beginnings_finds_the_best(
    model: Any, sampler: Sampler, prompt: list[int], alpha: float
) -> None:
    # 1 + 3 + 9 texts end before or in the last step, 27 are as long as may be.
    texts = all_texts()
    assert len(texts) == 40
    texts.sort(key=lambda one: -model.log_p(one, prompt) / len(one) ** alpha)
    found = search(sampler, prompt, beams=WORDS**LENGTH, number=40, length_normalisation=alpha)
    assert [whole(one) for one in found] == texts
    for one in found:
        assert one.log_probability == pytest.approx(model.log_p(whole(one), prompt), abs=1e-4)


def test_fewer_texts_than_beams(sampler: Sampler, compiled: None) -> None:
    found = search(sampler, [], beams=WORDS**LENGTH, number=WORDS**LENGTH)
    assert len(found) == 40


def test_one_beam_is_greedy_where_nothing_ends_early(toys: Any) -> None:
    logits = np.where(np.arange(WORDS) == EOS, -np.inf, TABLE)
    sampler = Sampler(toys.Table(logits))
    (greedy,) = sampler.sample(SamplingConfig(temperature=0, max_length=9), [[2]])
    (beam,) = sampler.sample(SamplingConfig(beams=1, max_length=9), [[2]], decode=str)
    assert (beam.ids, beam.end) == (greedy.ids, "length")
    assert beam.log_probability == pytest.approx(greedy.log_probability, rel=1e-5)
    assert beam.text is not None


def test_bans_hold_and_log_p_is_the_model_s(model: Any, sampler: Sampler) -> None:
    prompt = (2, 3)
    found = search(sampler, prompt, beams=64, number=64, banned=(0,), no_repeat_ngram=2)

    def free(one: tuple[int, ...]) -> bool:
        pairs = [pair for pair in pairwise((*prompt, *one)) if EOS not in pair]
        return 0 not in one and len(set(pairs)) == len(pairs)

    def score(one: tuple[int, ...]) -> float:
        """By the model that keeps to the bans: its probabilities are shared out over the words left."""
        total = 0.0
        for place, word in enumerate(one):
            row = model.rows([*prompt, *one[:place]])[-1]
            left = [w for w in range(WORDS) if free((*one[:place], w))]
            total += row[word] - np.logaddexp.reduce(row[left])
        return total / len(one)

    wanted = sorted(filter(free, all_texts()), key=lambda one: -score(one))
    assert [whole(one) for one in found] == wanted
    assert len(wanted) < 40
    for one in found:
        assert one.log_probability == pytest.approx(model.log_p(whole(one), prompt), abs=1e-4)
