"""Sampling against the probabilities of the grammar, NLTK's parser and the expected length of a sentence."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from math import sqrt

import numpy as np
import pytest

from seqkit.corpora import Grammar, corpus_file
from seqkit.errors import CorpusError, UsageError

SMALL = """
# S has three expansions, one of them of two symbols.
S -> 'a' [0.2] | A 'b' [0.3] | A A [0.5]
A -> 'x' [0.25] | 'y' [0.75]
"""
# Products along the derivations of SMALL.
EXACT = {
    "a": 0.2,
    "x b": 0.3 * 0.25,
    "y b": 0.3 * 0.75,
    "x x": 0.5 * 0.25 * 0.25,
    "x y": 0.5 * 0.25 * 0.75,
    "y x": 0.5 * 0.75 * 0.25,
    "y y": 0.5 * 0.75 * 0.75,
}


def test_sentences_have_the_probability_of_their_derivations() -> None:
    size = 40_000
    seen = Counter(" ".join(words) for words in islice(Grammar(SMALL).sample(seed=3), size))
    assert set(seen) == set(EXACT)
    for sentence, p in EXACT.items():
        # Five standard deviations of a binomial share.
        assert abs(seen[sentence] / size - p) < 5 * sqrt(p * (1 - p) / size), sentence


def test_neighbouring_sentences_are_independent() -> None:
    sentences = list(islice(Grammar(SMALL).sample(seed=1), 40_000))
    is_a = np.array([words == ["a"] for words in sentences])
    # The share of "a" behind an "a" is that of "a" anywhere: 0.2, five standard deviations of 8,000 draws.
    assert abs(is_a[1:][is_a[:-1]].mean() - 0.2) < 5 * sqrt(0.2 * 0.8 / 8000)


def test_the_seed_decides() -> None:
    grammar = Grammar(SMALL)
    first, again, other = (list(islice(grammar.sample(seed=seed), 200)) for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_a_deep_derivation_does_not_meet_the_recursion_limit() -> None:
    # The expected number of "deep" is 0.9999 / 0.0001 = 9,999.
    grammar = Grammar("S -> 'deep' S [0.9999] | 'end' [0.0001]")
    longest = max(len(words) for words in islice(grammar.sample(seed=0), 20))
    assert longest > 10_000


def test_probabilities_that_sum_to_a_little_less_than_one_are_scaled() -> None:
    grammar = Grammar("S -> 'a' [0.333] | 'b' [0.333] | 'c' [0.333]")
    seen = Counter(word for (word,) in islice(grammar.sample(seed=0), 30_000))
    for word in "abc":
        assert abs(seen[word] / 30_000 - 1 / 3) < 5 * sqrt(2 / 9 / 30_000)


def test_start_is_any_non_terminal() -> None:
    assert {tuple(words) for words in islice(Grammar(SMALL).sample(seed=0, start="A"), 50)} == {
        ("x",),
        ("y",),
    }


def test_labels_are_the_expansions_of_the_start_symbol() -> None:
    grammar = Grammar("S -> Good [0.25] | Bad [0.75]\nGood -> 'yes' [1.0]\nBad -> 'no' [0.5] | 'never' [0.5]")
    labelled = list(islice(grammar.sample_labelled(seed=5), 4000))
    assert {(label, words[0]) for label, words in labelled} == {
        ("Good", "yes"),
        ("Bad", "no"),
        ("Bad", "never"),
    }
    assert abs(sum(label == "Good" for label, _ in labelled) / 4000 - 0.25) < 5 * sqrt(0.25 * 0.75 / 4000)
    assert [words for _, words in labelled] == list(islice(grammar.sample(seed=5), 4000))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("S -> 'a' [0.5] | 'b' [0.1]", "not an NLTK PCFG"),
        ("S - 'a' [1.0]", "not an NLTK PCFG"),
        ("S -> 'a' Missing [1.0]", "Missing has no rule"),
        ("", "not an NLTK PCFG"),
    ],
)
def test_a_broken_grammar_is_refused(text: str, reason: str) -> None:
    with pytest.raises(CorpusError, match=reason) as raised:
        Grammar(text)
    assert "\n" not in str(raised.value)


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(UsageError, match="start"):
        Grammar(SMALL).sample(seed=0, start="B")
    with pytest.raises(UsageError, match="seed"):
        Grammar(SMALL).sample(seed=-1)
    with pytest.raises(UsageError, match="label"):
        Grammar(SMALL).sample_labelled(seed=0)


@pytest.mark.parametrize("name", ["kingdom", "reviews", "names"])
def test_the_mean_length_of_a_bundled_corpus_is_the_expected_one(name: str) -> None:
    """m = t + M m: t terminals, M non-terminals that rewriting each non-terminal gives on average."""
    from nltk.grammar import PCFG, Nonterminal

    text = corpus_file(f"{name}.pcfg").read_text(encoding="utf-8")
    parsed = PCFG.fromstring(text)
    number = {lhs: i for i, lhs in enumerate(dict.fromkeys(p.lhs() for p in parsed.productions()))}
    moved, terminals, total = (
        np.zeros((len(number), len(number))),
        np.zeros(len(number)),
        np.zeros(len(number)),
    )
    for production in parsed.productions():
        row = number[production.lhs()]
        total[row] += production.prob()
        for symbol in production.rhs():
            if isinstance(symbol, Nonterminal):
                moved[row, number[symbol]] += production.prob()
            else:
                terminals[row] += production.prob()
    moved, terminals = moved / total[:, None], terminals / total
    assert np.abs(np.linalg.eigvals(moved)).max() < 1  # sentences end
    expected = np.linalg.solve(np.eye(len(number)) - moved, terminals)[number[parsed.start()]]

    lengths = [len(words) for words in islice(Grammar(text).sample(seed=2), 20_000)]
    assert abs(np.mean(lengths) - expected) < 5 * np.std(lengths) / sqrt(len(lengths))


def test_nltk_parses_what_was_sampled() -> None:
    from nltk.grammar import PCFG
    from nltk.parse import ChartParser

    text = corpus_file("reviews.pcfg").read_text(encoding="utf-8")
    parser = ChartParser(PCFG.fromstring(text))
    sentences = [words for words in islice(Grammar(text).sample(seed=4), 30) if len(words) < 9]
    assert len(sentences) >= 3
    for words in sentences[:3]:
        assert next(iter(parser.parse(words))).leaves() == words
