"""Texts of toy models: their distribution, prompts, seeds, ends."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import chisquare

from seqkit.errors import DataError, UsageError
from seqkit.language_model.sampling import Sample, Sampler, SamplingConfig

EOS = 1
MANY = 6000
RNG = np.random.default_rng(11)
# The first word is drawn from row 1; every row has all words, and <eos> with a probability of a tenth or so.
TABLE = RNG.normal(size=(6, 6)).astype(np.float32)
ONE_WORD = np.log(np.array([[0.05, 0.1, 0.4, 0.25, 0.15, 0.05]] * 6, np.float32))


@pytest.fixture(scope="module")
def table(toys: Any) -> Sampler:
    return Sampler(toys.Table(TABLE))


@pytest.fixture(scope="module")
def words(toys: Any) -> Sampler:
    """Every word from the same distribution."""
    return Sampler(toys.Table(ONE_WORD))


def config(**options: Any) -> SamplingConfig:
    return SamplingConfig(**options)


def drawn(one: Sample) -> int:
    """The single word of a text of length 1."""
    return one.ids[0] if one.ids else EOS


P = np.array([0.05, 0.1, 0.4, 0.25, 0.15, 0.05])


def only(*words: int) -> np.ndarray:
    return P * np.isin(range(6), words)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, P),
        ({"temperature": 0.5}, P**2),
        ({"temperature": 2.0}, P**0.5),
        ({"top_k": 3}, only(2, 3, 4)),
        ({"top_p": 0.6}, only(2, 3)),  # 0.4 + 0.25
        ({"min_p": 0.3}, only(2, 3, 4)),  # of 0.4: at least 0.12
        # H = 2·0.05 ln 20 + 0.1 ln 10 + 0.4 ln 2.5 + 0.25 ln 4 + 0.15 ln 6.67 = 1.527; the surprisals 3.00,
        # 2.30, 0.92, 1.39, 1.90 are 1.47, 0.78, 0.61, 0.14, 0.37 away: first 3, then 4 (0.4), then 2 (0.8).
        ({"typical": 0.5}, only(2, 3, 4)),
        ({"typical": 0.35}, only(3, 4)),
        ({"banned": (2, 5)}, only(0, 1, 3, 4)),
        ({"eos_threshold": 0.11}, P),  # P(<eos>) = 0.1 does not exceed it
        # In this order: top-k leaves 2, 3, 4 of 0.8; of that 2 and 3 are the nucleus, 0.65 / 0.8 = 0.81.
        ({"top_k": 3, "top_p": 0.8}, only(2, 3)),
        # The nucleus before min-p: 0.25 is above 0.6 of 0.4. Then 0.4 / 0.65 would be one alone.
        ({"top_p": 0.6, "min_p": 0.6}, only(2, 3)),
        # The threshold is of the model's probability, whatever was taken out.
        ({"top_k": 2, "eos_threshold": 0.09}, only(1)),
        # Temperature first: P² is as 16, 6.25, 2.25 … of 25.5, so 0.6 is the likeliest word alone.
        ({"temperature": 0.5, "top_p": 0.6}, only(2)),
        # Bans first: without 2, 0.25 / 0.6 and 0.15 / 0.6 are the nucleus of 0.6.
        ({"banned": (2,), "top_p": 0.6}, only(3, 4)),
    ],
    ids=str,
)
def test_words_have_their_probabilities(words: Sampler, options: dict[str, Any], wanted: np.ndarray) -> None:
    texts = words.sample(config(**options, max_length=1, number=MANY))
    counts = np.bincount([drawn(one) for one in texts], minlength=6)
    there = wanted > 0
    assert not counts[~there].any()
    expected = wanted[there] / wanted.sum() * MANY
    if there.sum() > 1:
        assert chisquare(counts[there], expected).pvalue > 0.001
    # log P is the model's own, whatever the options.
    for one in texts[:50]:
        assert one.log_probability == pytest.approx(np.log(P[drawn(one)]), rel=1e-5)


def test_whole_texts_have_their_probabilities(toys: Any, table: Sampler) -> None:
    model = toys.Table(TABLE)
    texts = table.sample(config(max_length=2, number=MANY))
    counts = Counter(((*one.ids, EOS) if one.end == "eos" else one.ids) for one in texts)
    wanted = {(EOS,): model.log_p([EOS])}
    wanted |= {(a, b): model.log_p([a, b]) for a in range(6) if a != EOS for b in range(6)}
    shares = np.exp(list(wanted.values()))
    assert shares.sum() == pytest.approx(1)
    assert set(counts) <= set(wanted)
    assert chisquare([counts[one] for one in wanted], shares * MANY).pvalue > 0.001


def test_a_penalty_changes_what_comes_again(toys: Any, words: Sampler) -> None:
    # After 2 and 3 the logits ln 0.4 and ln 0.25, both negative, are doubled: p² in place of p; <eos> stays.
    texts = words.sample(config(repetition_penalty=2.0, max_length=1, number=MANY), [[2, EOS, 3]])
    wanted = np.where(np.isin(range(6), [2, 3]), P**2, P)
    counts = np.bincount([drawn(one) for one in texts], minlength=6)
    assert chisquare(counts, wanted / wanted.sum() * MANY).pvalue > 0.001


def test_greedy_takes_the_likeliest(toys: Any) -> None:
    # After the beginning 4 (0.5), after 4 2, after 2 the end.
    p = np.full((6, 6), 0.1)
    p[1, 4] = p[4, 2] = p[2, 1] = 0.5
    (one,) = Sampler(toys.Table(np.log(p))).sample(config(temperature=0))
    assert (one.ids, one.end) == ((4, 2), "eos")
    assert one.log_probability == pytest.approx(3 * np.log(0.5), rel=1e-5)
    (one,) = Sampler(toys.Table(np.log(p))).sample(config(temperature=0, banned=(2,), max_length=2))
    assert (one.ids, one.end) == ((4, 0), "length")  # of equals the first


def test_log_p_is_that_of_all_words_and_of_the_end(toys: Any, table: Sampler) -> None:
    model = toys.Table(TABLE)
    texts = table.sample(config(max_length=12, number=40, temperature=1.5, top_k=5))
    assert {one.end for one in texts} == {"eos", "length"}
    for one in texts:
        whole = [*one.ids, EOS] if one.end == "eos" else one.ids
        assert one.log_probability == pytest.approx(model.log_p(whole), abs=1e-4)
        assert len(one.ids) == 12 if one.end == "length" else len(one.ids) < 12


def test_prompts_are_honoured(toys: Any) -> None:
    """Each by its own length: what is drawn has the probabilities of the model after exactly that prompt."""
    rng = np.random.default_rng(2)
    model = toys.Memory(rng.normal(size=(5, 5)), rng.normal(size=(7, 5)) * 2)
    prompts = [[], [3], [2, 4, 2, 0], [3, 1, 1, 2]]
    each = 1500
    texts = Sampler(model).sample(config(max_length=1, number=each), prompts)
    assert len(texts) == each * len(prompts)
    for number, prompt in enumerate(prompts):
        counts = np.bincount([drawn(one) for one in texts[number * each :][:each]], minlength=5)
        assert chisquare(counts, np.exp(model.rows(prompt)[-1]) * each).pvalue > 0.001
    for one, prompt in zip(Sampler(model).sample(config(max_length=9), prompts), prompts, strict=True):
        whole = [*one.ids, EOS] if one.end == "eos" else one.ids
        assert one.log_probability == pytest.approx(model.log_p(whole, prompt), abs=1e-4)


def test_a_prompt_beside_others_gives_what_it_gives_alone(toys: Any, compiled: None) -> None:
    sampler = Sampler(toys.LSTM())
    prompts = [[], [5], [7, 3, 9, 9, 2, 11]]
    settings = config(max_length=15, seed=4)
    together = sampler.sample(settings, prompts)
    for row, (prompt, one) in enumerate(zip(prompts, together, strict=True)):
        assert tuple(sampler.stream(settings, prompt, row=row)) == one.ids


def test_a_text_does_not_depend_on_those_beside_it(toys: Any, compiled: None) -> None:
    sampler = Sampler(toys.LSTM())
    whole = sampler.sample(config(number=9, max_length=20, seed=3))
    assert sampler.sample(config(number=9, max_length=20, seed=3)) == whole
    few = sampler.sample(config(number=2, max_length=20, seed=3))
    assert [one.ids for one in few] == [one.ids for one in whole[:2]]
    assert len({one.ids for one in whole}) > 5
    assert sampler.sample(config(number=9, max_length=20, seed=5)) != whole


def test_groups_of_texts_are_one_list(table: Sampler, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = table.sample(config(number=7, max_length=8), [[2], [3, 4]])
    monkeypatch.setattr("seqkit.language_model.sampling.sampler.LOGITS_AT_ONCE", 6 * 4)
    assert table.sample(config(number=7, max_length=8), [[2], [3, 4]]) == whole


def test_long_prompts_and_texts_go_on_from_call_to_call(toys: Any, compiled: None) -> None:
    # Without <eos>, so that it is 150 words long; with the prompt more than two calls of the loop.
    logits = np.where(np.arange(6) == EOS, -np.inf, TABLE)
    sampler, settings = Sampler(toys.Table(logits)), config(max_length=150)
    (one,) = sampler.sample(settings, [[2] * 130])
    assert (len(one.ids), one.end) == (150, "length")
    assert one.log_probability == pytest.approx(toys.Table(logits).log_p(one.ids, before=2), rel=1e-4)
    assert tuple(sampler.stream(settings, [2] * 130)) == one.ids


def test_the_threshold_ends_a_text(words: Sampler) -> None:
    # P(<eos>) is 0.1 everywhere.
    (one,) = words.sample(config(eos_threshold=0.09))
    assert (one.ids, one.end) == ((), "eos")
    assert one.log_probability == pytest.approx(np.log(0.1), rel=1e-5)
    longer = words.sample(config(eos_threshold=0.11, number=50))
    assert any(one.ids for one in longer)


def test_an_end_in_the_prompt_does_not_end_the_text(toys: Any) -> None:
    # After <eos> comes the beginning again: 4, whatever came before it.
    p = np.full((6, 6), 0.02)
    p[1, 4] = p[2, 3] = 0.9
    (one,) = Sampler(toys.Table(np.log(p))).sample(config(temperature=0, max_length=1), [[2, EOS]])
    assert one.ids == (4,)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_ngrams_never_repeat(table: Sampler, n: int) -> None:
    prompt = (2, 3, 2)
    texts = table.sample(config(no_repeat_ngram=n, number=200, max_length=40), [prompt])
    for one in texts:
        whole = prompt + one.ids
        ngrams = [whole[place : place + n] for place in range(len(whole) - n + 1)]
        fresh = ngrams[max(len(prompt) - n + 1, 0) :]
        assert len(set(fresh)) == len(fresh)
        assert not set(fresh) & set(ngrams[: len(ngrams) - len(fresh)])
    assert any(len(one.ids) > 2 for one in texts)


def test_where_nothing_is_left_the_text_ends(table: Sampler) -> None:
    for one in table.sample(config(no_repeat_ngram=1, banned=(EOS,), number=20)):
        assert sorted(one.ids) == [0, 2, 3, 4, 5]
        assert one.end == "eos"
    (one,) = table.sample(config(banned=tuple(range(6))))
    assert (one.ids, one.end) == ((), "eos")


def test_banned_words_never_come(table: Sampler) -> None:
    texts = table.sample(config(banned=(0, 3), number=300, temperature=3.0))
    assert {word for one in texts for word in one.ids} == {2, 4, 5}


def letters(ids: Any) -> str:
    return "".join("?.abcd"[one] for one in ids)


def test_stop_strings_end_a_text(toys: Any, table: Sampler) -> None:
    free = table.sample(config(number=200, max_length=30), decode=letters)
    texts = table.sample(config(number=200, max_length=30), decode=letters, stop=["ab", "dd"])
    assert {one.end for one in texts} >= {"eos", "stop"}
    for one, whole in zip(texts, free, strict=True):
        assert one.text is not None
        assert whole.text == letters(whole.ids)
        assert "ab" not in one.text
        assert "dd" not in one.text
        assert whole.text.startswith(one.text)
        if one.end == "stop":
            assert letters(one.ids) in (one.text + "ab", one.text + "dd")
            assert one.log_probability == pytest.approx(toys.Table(TABLE).log_p(one.ids), abs=1e-4)
        else:
            assert one == whole


def test_a_strength_changes_without_compiling_anew(words: Sampler, compiled: None) -> None:
    loop = words._loop
    words.sample(config(temperature=0.7, max_length=2))
    before = loop.experimental_get_tracing_count()
    words.sample(config(temperature=0.8, max_length=5, seed=3))
    assert loop.experimental_get_tracing_count() == before


def test_a_stream_says_words_as_they_come(toys: Any) -> None:
    """After two words of a thousand few more than two have been computed."""
    calls = []
    logits = np.where(np.arange(6) == EOS, -np.inf, TABLE)
    sampler = Sampler(toys.Table(logits))
    loop = sampler._loop

    def counted(progress: Any, plan: Any, *rest: Any) -> Any:
        calls.append(plan.shape[1])
        return loop(progress, plan, *rest)

    sampler._loop = counted
    stream = sampler.stream(config(max_length=1000))
    assert [next(stream), next(stream)] == list(sampler.sample(config(max_length=2))[0].ids)
    assert sum(calls[:-1]) <= 16


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda one: one.sample(config(), [[6]]), "ids must be from 0 to 5, the model's words; not 6"),
        (lambda one: one.sample(config(banned=(9,))), "ids must be from 0 to 5, the model's words; not 9"),
        (lambda one: one.stream(config(), [-1]), "ids must be from 0 to 5, the model's words; not -1"),
        (lambda one: one.stream(config(beams=2)), "beams know their text only at its end"),
        (lambda one: one.sample(config(), stop=["a"]), "stop strings need a decoder"),
        (lambda one: one.sample(config(beams=2), decode=letters, stop=["a"]), "and end no beams"),
    ],
)
def test_what_cannot_be_done_is_refused(table: Sampler, call: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        call(table)


def test_probabilities_that_are_no_numbers_are_an_error(toys: Any) -> None:
    broken = Sampler(toys.Table(np.full((4, 4), np.nan)))
    with pytest.raises(DataError, match="probabilities are not numbers"):
        broken.sample(config(max_length=2))


def test_no_prompts_no_texts(table: Sampler) -> None:
    assert table.sample(config(), []) == []


@pytest.mark.slow
def test_texts_are_the_same_when_all_is_compiled(table: Sampler, compiled: None) -> None:
    settings = config(
        number=20, max_length=10, temperature=1.2, top_k=5, top_p=0.95, min_p=0.01, typical=0.95,
        repetition_penalty=1.3, no_repeat_ngram=2, banned=(0,), eos_threshold=0.5,
    )  # fmt: skip
    found = []
    for eagerly in (False, True):
        tf.config.run_functions_eagerly(eagerly)
        found.append([one.ids for one in table.sample(settings, [[2], [3, 3]])])
    assert found[0] == found[1]
    assert len(set(found[0])) > 5


def test_pairs_of_words_follow_the_table(toys: Any, table: Sampler) -> None:
    """Row by row of the table, over all places of long texts: the word that is fed back is the one drawn."""
    texts = table.sample(config(number=600, max_length=40))
    seen = np.zeros((6, 6))
    for one in texts:
        whole = [EOS, *one.ids, *([EOS] if one.end == "eos" else [])]
        for before, after in pairwise(whole):
            seen[before, after] += 1
    for before in range(6):
        wanted = np.exp([toys.Table(TABLE).log_p([after], before) for after in range(6)])
        assert chisquare(seen[before], wanted * seen[before].sum()).pvalue > 0.001
