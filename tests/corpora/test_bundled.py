"""The bundled corpora hold what they were written for."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice, pairwise
from pathlib import Path

import pytest

from seqkit.corpora import corpus_file, open_corpus, open_labelled
from seqkit.errors import MissingInputError

QUESTIONS = corpus_file("kingdom-analogies.txt")
PAIRS = corpus_file("kingdom-similarity.tsv")


@pytest.fixture(scope="module")
def kingdom() -> list[list[str]]:
    return [line.split() for line in open_corpus("kingdom", size=50_000, seed=1)]


def questions() -> dict[str, list[list[str]]]:
    sections: dict[str, list[list[str]]] = {}
    for line in QUESTIONS.read_text(encoding="utf-8").splitlines():
        if line.startswith(": "):
            current = sections.setdefault(line[2:], [])
        else:
            current.append(line.split())
    return sections


def similarities() -> list[tuple[str, str, float]]:
    rows = [line.split("\t") for line in PAIRS.read_text(encoding="utf-8").splitlines()]
    return [(a, b, float(score)) for a, b, score in rows]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "size", "distinct"),
    [("kingdom", 300_000, 200_000), ("reviews", 250_000, 200_000), ("names", 60_000, 30_000)],
)
def test_hundreds_of_thousands_of_sentences_and_tens_of_thousands_of_names(
    name: str, size: int, distinct: int
) -> None:
    assert len(set(open_corpus(name, size=size))) >= distinct


def test_kingdom_is_lower_case_words(kingdom: list[list[str]]) -> None:
    counts = Counter(word for words in kingdom for word in words)
    assert all(re.fullmatch("[a-z]+", word) for word in counts)
    assert 500 <= len(counts) <= 1000
    assert min(counts.values()) >= 5  # no word falls to the usual min_count


def test_every_word_that_is_asked_for_occurs(kingdom: list[list[str]]) -> None:
    counts = Counter(word for words in kingdom for word in words)
    asked = {word for lines in questions().values() for line in lines for word in line}
    asked |= {word for a, b, _ in similarities() for word in (a, b)}
    assert len(asked) > 200
    assert not [word for word in asked if counts[word] < 50]


def test_the_questions_are_well_formed() -> None:
    sections = questions()
    assert {"gender", "capital-country", "past-tense"} <= set(sections)
    for name, lines in sections.items():
        assert all(len(line) == 4 for line in lines), name
        pairs = {tuple(line[:2]) for line in lines}
        assert len(lines) == len(pairs) * (len(pairs) - 1), name  # every ordered pair of two pairs
    assert ["man", "woman", "king", "queen"] in sections["gender"]


def test_the_similarities_are_well_formed() -> None:
    rows = similarities()
    assert len(rows) >= 100
    assert {score for *_, score in rows} == {0, 4, 7, 10}
    assert len({frozenset(row[:2]) for row in rows}) == len(rows)


def test_the_two_forms_of_a_pair_are_as_frequent(kingdom: list[list[str]]) -> None:
    counts = Counter(word for words in kingdom for word in words)
    for a, b in {(line[0], line[1]) for line in questions()["gender"]}:
        # Equal probabilities: the difference of two counts has at most the variance of their sum.
        assert abs(counts[a] - counts[b]) < 5 * (counts[a] + counts[b]) ** 0.5, (a, b)


def test_pronouns_agree(kingdom: list[list[str]]) -> None:
    """Between a role and its pronoun nothing else can stand."""
    he = Counter(
        words[i + 2]
        for words in kingdom
        for i in range(len(words) - 2)
        if words[i : i + 2] == ["king", "took"]
    )
    she = Counter(
        words[i + 2]
        for words in kingdom
        for i in range(len(words) - 2)
        if words[i : i + 2] == ["queen", "took"]
    )
    assert set(he) == {"his"}
    assert {"her"} <= set(she) <= {"her", "their"}  # "the king and the queen took their crown"


def train(lines: int, epochs: int) -> tuple[float, dict[str, float], float]:
    """gensim's skip-gram on kingdom: analogy accuracy, by section, and Spearman's rank correlation."""
    from gensim.models import Word2Vec

    sentences = [line.split() for line in open_corpus("kingdom", size=lines, seed=5)]
    model = Word2Vec(
        sentences, sg=1, vector_size=50, window=5, negative=5, epochs=epochs, min_count=5, workers=1, seed=1
    )
    accuracy, sections = model.wv.evaluate_word_analogies(str(QUESTIONS))
    shares = {
        section["section"]: len(section["correct"]) / (len(section["correct"]) + len(section["incorrect"]))
        for section in sections
    }
    assert model.wv.most_similar(positive=["king", "woman"], negative=["man"], topn=1)[0][0] == "queen"
    assert model.wv.most_similar(positive=["paris", "italy"], negative=["france"], topn=1)[0][0] == "rome"
    _, rank, unknown = model.wv.evaluate_word_pairs(str(PAIRS))
    assert unknown == 0
    return accuracy, shares, rank.statistic


@pytest.mark.slow
def test_skip_gram_learns_kingdom() -> None:
    accuracy, _, rank = train(lines=40_000, epochs=5)
    assert accuracy > 0.85
    assert rank > 0.7


@pytest.mark.slow
def test_skip_gram_learns_all_of_kingdom() -> None:
    accuracy, shares, rank = train(lines=120_000, epochs=5)
    assert accuracy > 0.97
    assert min(shares.values()) > 0.9
    assert rank > 0.8


def test_near_synonyms_stand_in_the_same_places(kingdom: list[list[str]]) -> None:
    def behind(word: str) -> Counter[str]:
        return Counter(b for words in kingdom for a, b in pairwise(words) if a == word)

    big, large, tiny = behind("big"), behind("large"), behind("tiny")
    shared = {"elephant", "mountain", "giant"}
    assert shared <= set(big)
    assert shared <= set(large)
    assert not shared & set(tiny)


def test_reviews_are_prose() -> None:
    for text in open_corpus("reviews", size=3000):
        assert re.fullmatch(r"[A-Z].*[.!]", text)
        assert not re.search(r" [.,!;]|  |[.!] [a-z]", text), text


def test_reviews_have_the_labels_that_their_verdicts_say() -> None:
    labelled = list(open_labelled("reviews", size=60_000))
    shares = Counter(label for label, _ in labelled)
    assert set(shares) == {"positive", "negative", "neutral"}
    # Five standard deviations: 5 * sqrt(0.4 * 0.6 / 60,000) = 0.01.
    assert abs(shares["positive"] / 60_000 - 0.4) < 0.01
    for pattern, expected in [
        (r".* Not worth the money[.!]", "negative"),
        (r".* Still worth it[.!]", "positive"),
        (r"The \w+ (was|were) not bad at all[.!]", "positive"),
        (r"The \w+ (was|were) not good at all[.!]", "negative"),
        (r"Although [^,]*, the \w+ was (superb|excellent|wonderful)[.!]", "positive"),
        (r"Although [^,]*, the \w+ was (awful|terrible|dreadful)[.!]", "negative"),
        (r".* Judge for yourself[.!]", "neutral"),
    ]:
        assert {label for label, text in labelled if re.fullmatch(pattern, text)} == {expected}, pattern


def test_reviews_take_negation_and_contrast() -> None:
    texts = [text for _, text in open_labelled("reviews", size=5000)]
    for word in ("not", "far from", "never", "but", "although", "slightly", "utterly", "wanted to like"):
        assert any(word in text.lower() for text in texts), word


def test_names_are_names() -> None:
    names = list(open_corpus("names", size=5000))
    assert all(re.fullmatch("[A-Z][a-z]{1,17}", name) for name in names)


def test_corpus_file_names_what_there_is() -> None:
    assert isinstance(QUESTIONS, Path)
    with pytest.raises(MissingInputError, match=r"kingdom-analogies\.txt"):
        corpus_file("../catalogue.py")


def test_a_larger_sample_goes_on_where_a_smaller_ends() -> None:
    stream = open_corpus("reviews", size=300, seed=9)
    assert list(islice(stream, 100)) == list(open_corpus("reviews", size=100, seed=9))
