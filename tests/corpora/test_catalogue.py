"""Corpora by name."""

from __future__ import annotations

import pytest

from seqkit.corpora import corpus_names, describe, is_corpus_name, open_corpus, open_labelled
from seqkit.errors import MissingInputError, UsageError


@pytest.mark.parametrize("name", ["kingdom", "reviews", "names"])
class TestBundled:
    def test_a_larger_size_goes_on_where_a_smaller_ends(self, name: str) -> None:
        small, large = (list(open_corpus(name, size=size, seed=4)) for size in (150, 400))
        assert (len(small), len(large)) == (150, 400)
        assert large[:150] == small

    def test_the_seed_decides(self, name: str) -> None:
        assert list(open_corpus(name, size=50, seed=1)) == list(open_corpus(name, size=50, seed=1))
        assert list(open_corpus(name, size=50, seed=1)) != list(open_corpus(name, size=50, seed=2))

    def test_a_size_may_stand_in_the_name(self, name: str) -> None:
        assert list(open_corpus(f"{name}:7")) == list(open_corpus(name, size=7))
        assert len(list(open_corpus(f"{name}:7", size=3))) == 3
        assert describe(f"{name}:7").lines == 7

    def test_the_default_size_is_the_described_one(self, name: str) -> None:
        assert sum(1 for _ in open_corpus(name)) == describe(name).lines

    def test_lines_are_lines(self, name: str) -> None:
        for line in open_corpus(name, size=500):
            assert line.splitlines() == [line]
            assert line == line.strip()


def test_labelled_lines_are_those_of_the_corpus() -> None:
    labelled = list(open_labelled("reviews:200", seed=6))
    assert [text for _, text in labelled] == list(open_corpus("reviews:200", seed=6))


@pytest.mark.parametrize("name", ["kingdom", "names", "nltk:brown"])
def test_a_corpus_without_labels_says_which_have_them(name: str) -> None:
    with pytest.raises(UsageError, match="reviews, nltk:movie_reviews"):
        open_labelled(name)


def test_names_are_known_without_nltk_data() -> None:
    names = corpus_names()
    assert names[:3] == ["kingdom", "reviews", "names"]
    assert "nltk:brown" in names
    for name in names:
        info = describe(name)
        assert info.name == name
        assert info.kind == ("nltk" if name.startswith("nltk:") else "grammar")
        assert info.description


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kingdom", True),
        ("kingdom:20000", True),
        ("nltk:brown", True),
        ("nltk:no such", True),  # so that the answer is about NLTK, not about a file
        ("kingdom:", False),
        ("kingdom:many", False),
        ("kingdom.txt", False),
        ("./kingdom", False),
        ("Kingdom", False),
        ("nltk", False),
        ("", False),
        ("-", False),
    ],
)
def test_what_a_corpus_name_is(text: str, expected: bool) -> None:
    assert is_corpus_name(text) is expected


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("kingdon", "did you mean 'kingdom'"),
        ("nothing like it", "known: kingdom, reviews, names"),
        ("nltk:bron", "did you mean 'brown'"),
        ("nltk:../../etc", "known: brown"),
        ("nltk:", "known: brown"),
        ("kingdom:many", "no such corpus"),
    ],
)
def test_an_unknown_name_is_missing_input(name: str, hint: str) -> None:
    for function in (open_corpus, open_labelled, describe):
        with pytest.raises(MissingInputError, match=hint):
            function(name)


def test_bad_sizes_and_seeds_are_refused_at_once() -> None:
    with pytest.raises(UsageError, match="size"):
        open_corpus("kingdom:0")
    with pytest.raises(UsageError, match="size"):
        open_corpus("names", size=-1)
    with pytest.raises(UsageError, match="seed"):
        open_labelled("reviews", seed=-1)
