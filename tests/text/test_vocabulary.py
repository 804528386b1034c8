"""The vocabulary: order, bounds, its text, and the time a suggestion takes."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit.errors import BundleError, DataError, FormatError, UnknownWordError, UsageError
from seqkit.storage import Bundle, BundleWriter
from seqkit.text.vocabulary import VOCABULARY, Vocabulary

ANY_TEXT = st.text(st.characters())  # lone surrogates included


def test_order_is_specials_then_count_then_code_point() -> None:
    counts = {"b": 2, "a": 2, "Z": 2, "é": 2, "often": 9, "<unk>": 1, "rare": 1}
    vocabulary = Vocabulary.from_counts(counts, min_count=2, specials=("<pad>", "<unk>"))
    assert vocabulary.words == ("<pad>", "<unk>", "often", "Z", "a", "b", "é")
    assert vocabulary.counts.tolist() == [0, 1, 9, 2, 2, 2, 2]
    assert [vocabulary[word] for word in vocabulary] == list(range(7))


def test_max_size_keeps_the_most_frequent() -> None:
    vocabulary = Vocabulary.from_counts({"a": 1, "b": 3, "c": 2}, max_size=2, specials=("<eos>",))
    assert vocabulary.words == ("<eos>", "b", "c")


def test_words_that_are_kept_pass_both_bounds() -> None:
    counts = {"a": 5, "b": 3, "rare": 1, "<unk>": 4}
    keep = ("rare", "absent", "a", "<unk>")
    vocabulary = Vocabulary.from_counts(counts, min_count=2, max_size=1, specials=("<unk>",), keep=keep)
    assert vocabulary.words == ("<unk>", "a", "rare", "absent")
    assert vocabulary.counts.tolist() == [4, 5, 1, 0]


@given(st.dictionaries(ANY_TEXT, st.integers(1, 5)), st.integers(1, 3))
def test_from_counts_is_a_sort(counts: dict[str, int], min_count: int) -> None:
    expected = sorted((-count, word) for word, count in counts.items() if count >= min_count)
    vocabulary = Vocabulary.from_counts(counts, min_count=min_count)
    assert [(-count, word) for word, count in zip(vocabulary, vocabulary.counts, strict=True)] == expected


@given(st.dictionaries(ANY_TEXT, st.integers(0, 2**40)))
def test_tsv_round_trip(counts: dict[str, int]) -> None:
    vocabulary = Vocabulary.from_counts({word: count + 1 for word, count in counts.items()})
    text = vocabulary.to_tsv()
    assert Vocabulary.from_tsv(text) == vocabulary
    assert len(text.splitlines()) == len(vocabulary)  # a row is one line to every reader
    assert text.encode("utf-8").decode("utf-8") == text


def test_the_tsv_is_what_the_design_says() -> None:
    vocabulary = Vocabulary.from_counts({'say "hi"\t': 1, "naïve": 3})
    assert vocabulary.to_tsv() == '"naïve"\t3\n"say \\"hi\\"\\t"\t1\n'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('"a"\t1', 1),
        ('"a"\t1\n"b"', 2),
        ('"a"\n', 1),
        ('"a"\t1\t"b"\n2\n', 1),
        ('"a"\t1\n"\\x"\t1\n', 2),
        ("a\t1\n", 1),
        ("1\t1\n", 1),
        ('"\t1\n', 1),
        ('"a"b"\t1\n', 1),
        ('"\x01"\t1\n', 1),
        ('"a"\t-1\n', 1),
        ('"a"\t1.0\n', 1),
        ('"a"\t٣\n', 1),
        ('"a"\t1\t2\n', 1),
        ('"a"\t9999999999999999999\n', 1),
        ('"a"\t1\n\n', 2),
        ('"a\n"\t1\n', 1),
        ('"a"\t1\n"a"\t1\n', None),
    ],
)
def test_a_bad_tsv_is_refused(text: str, line: int | None) -> None:
    with pytest.raises(FormatError) as caught:
        Vocabulary.from_tsv(text, "vocabulary.tsv")
    assert (caught.value.line, caught.value.path) == (line, "vocabulary.tsv")


def test_counts_may_begin_with_zeros() -> None:
    assert Vocabulary.from_tsv('"a"\t007\n"b\\n"\t0\n') == Vocabulary(("a", "b\n"), np.array([7, 0]))


def test_the_greatest_count() -> None:
    vocabulary = Vocabulary(("a",), np.array([10**18 - 1]))
    assert Vocabulary.from_tsv(vocabulary.to_tsv()) == vocabulary


def test_the_vocabulary_of_a_bundle(tmp_path: Path) -> None:
    vocabulary = Vocabulary.from_counts({"king": 5, "kings": 2})
    for name, text in (("whole", vocabulary.to_tsv()), ("cut", vocabulary.to_tsv()[:-1])):
        with BundleWriter(tmp_path / name, kind="vectors") as writer:
            writer.write_text(VOCABULARY, text)
            writer.write_tensors("tensors.safetensors", {"vectors": np.zeros((2, 1), np.float32)})
            writer.commit(config={})
    assert Vocabulary.from_bundle(Bundle.open(tmp_path / "whole")) == vocabulary
    with pytest.raises(BundleError, match="line 2: the last row is cut short") as caught:
        Vocabulary.from_bundle(Bundle.open(tmp_path / "cut"))
    assert (caught.value.bundle, caught.value.member) == (tmp_path / "cut", VOCABULARY)


def test_unknown_words() -> None:
    vocabulary = Vocabulary.from_counts({"king": 5, "kings": 2, "queen": 3})
    with pytest.raises(
        UnknownWordError, match="'kingg' is not in the vocabulary; nearest spellings: king, kings"
    ):
        vocabulary["kingg"]
    assert vocabulary.get("kingg") is None
    assert "king" in vocabulary
    assert "kingg" not in vocabulary


@pytest.mark.parametrize("index", [-1, 3])
def test_ids_are_checked(index: int) -> None:
    with pytest.raises(UsageError, match="outside 0 to 2"):
        Vocabulary.from_counts({"a": 1, "b": 1, "c": 1}).word(index)


def test_it_is_frozen() -> None:
    counts = np.array([1, 2])
    vocabulary = Vocabulary(("a", "b"), counts)
    with pytest.raises(ValueError, match="read-only"):
        vocabulary.counts[0] = 5
    counts[0] = 7  # the caller's array is not touched


@pytest.mark.parametrize(
    ("words", "counts"), [(("a",), [1, 2]), (("a", "b"), [[1, 2]]), (("a", "a"), [1, 1])]
)
def test_inconsistent_parts_are_refused(words: tuple[str, ...], counts: list[int]) -> None:
    with pytest.raises(DataError):
        _ = "a" in Vocabulary(words, np.array(counts))


def test_bounds_are_checked() -> None:
    for arguments in ({"min_count": 0}, {"max_size": 0}, {"specials": ("x", "x")}):
        with pytest.raises(UsageError):
            Vocabulary.from_counts({"a": 1}, **arguments)


def test_of_words_equally_near_the_most_frequent_is_suggested_first() -> None:
    assert Vocabulary.from_counts({"cat": 1, "mat": 9, "bat": 5}).suggest("xat") == ["mat", "bat", "cat"]


def test_a_suggestion_among_100_000_words_is_quick() -> None:
    rng = np.random.default_rng(0)
    letters = rng.integers(97, 123, (100_000, 8)).astype(np.uint32)
    words = dict.fromkeys(letters.view("U8").ravel().tolist(), 1) | {"mountain": 9}
    vocabulary = Vocabulary.from_counts(words)
    start = time.process_time()
    assert vocabulary.suggest("mountian")[0] == "mountain"
    assert time.process_time() - start < 0.3
