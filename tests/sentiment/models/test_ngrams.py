"""n-grams: the keys, where they stand, and the table that finds them, against dictionaries of tuples."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest

from seqkit.errors import DataError
from seqkit.sentiment.documents import Documents
from seqkit.sentiment.models.ngrams import NgramTable, ngram_keys, ngrams_of, parts


def documents(texts: list[list[int]]) -> Documents:
    starts = np.cumsum([0, *map(len, texts)])
    return Documents([""] * len(texts), np.array([*chain(*texts)], np.int32), starts.astype(np.int64))


def random_texts(texts: int, words: int, seed: int = 0) -> list[list[int]]:
    random = np.random.default_rng(seed)
    return [random.integers(2, words, random.integers(0, 12)).tolist() for _ in range(texts)]


def test_a_key_is_that_of_its_equation() -> None:
    m, mask = 0x9E3779B97F4A7C15, 2**64 - 1
    one = (7 + 1) * m & mask
    two = ((one ^ (one >> 32)) + 3 + 1) * m & mask
    unigrams, bigrams = ngram_keys(np.array([7, 3], np.int32), 2)
    assert unigrams.tolist() == [one, (3 + 1) * m & mask]
    assert bigrams.tolist() == [two]


def test_ngrams_are_those_within_texts_and_their_keys_are_one_to_one() -> None:
    texts = random_texts(3000, 40)
    whole = documents(texts)
    for found in ngrams_of(whole, 4):
        n = found.n
        expected = [
            (number, tuple(text[i : i + n]))
            for number, text in enumerate(texts)
            for i in range(len(text) - n + 1)
        ]
        words = [tuple(whole.ids[place : place + n].tolist()) for place in found.places]
        assert [*zip(found.texts.tolist(), words, strict=True)] == expected
        assert len(set(found.keys.tolist())) == len(set(words))
        assert len({*zip(found.keys.tolist(), words, strict=True)}) == len(set(words))


def test_neighbouring_ids_have_different_keys() -> None:
    ids = np.arange(300, dtype=np.int32)  # all pairs of 300: where keys that are linear in ids would meet
    pairs = np.array(np.meshgrid(ids, ids), np.int32).reshape(2, -1).T.ravel()
    _, bigrams = ngram_keys(pairs, 2)
    assert len(np.unique(bigrams[::2])) == 300**2


def test_texts_shorter_than_an_ngram_have_none() -> None:
    assert [len(found.keys) for found in ngrams_of(documents([[], [5], [5, 6]]), 4)] == [3, 1, 0, 0]
    assert [len(found.keys) for found in ngrams_of(documents([]), 2)] == [0, 0]


@pytest.mark.parametrize("tokens", [1, 7, 50, 10**6])
def test_parts_are_the_documents_in_order(tokens: int) -> None:
    texts = [[3] * 60, *random_texts(100, 9), [4]]
    found = list(parts(documents(texts), tokens))
    assert [part.ids_of(i).tolist() for part in found for i in range(len(part))] == texts
    assert all(len(part.ids) <= tokens or len(part) == 1 for part in found)
    assert tokens < 10**6 or len(found) == 1


def test_no_documents_have_no_parts() -> None:
    assert list(parts(documents([]))) == []


@pytest.mark.parametrize("count", [0, 1, 2, 3, 100, 5000])
def test_the_table_finds_what_it_holds_and_nothing_else(count: int) -> None:
    random = np.random.default_rng(count)
    keys = np.unique(random.integers(1, 2**63, 2 * count, dtype=np.uint64))
    random.shuffle(keys)
    held, others = keys[:count], keys[count:]
    table = NgramTable.of(held)
    slots = table.find(held)
    assert len(np.unique(slots)) == count
    assert np.array_equal(table.keys[slots], held)
    assert (table.find(others) == -1).all()
    assert np.count_nonzero(table.slots) == count


def test_keys_that_want_one_slot_are_all_found() -> None:
    keys = (np.uint64(0xFFF) << np.uint64(52)) + np.arange(1, 41, dtype=np.uint64)  # the last slot: it wraps
    table = NgramTable.of(keys)
    assert np.array_equal(table.keys[table.find(keys)], keys)
    assert (table.find(keys + np.uint64(40)) == -1).all()


def test_a_table_grows_where_too_many_want_one_slot() -> None:
    keys = np.arange(1, 129, dtype=np.uint64) << np.uint64(40)  # of 256 slots all would want the first
    table = NgramTable.of(keys)
    assert table.slots.size > 256
    assert np.array_equal(table.keys[table.find(keys)], keys)


def test_a_full_table_ends_the_search() -> None:
    table = NgramTable(np.arange(1, 129, dtype=np.int64))
    assert table.find(np.array([2**63], np.uint64)).tolist() == [-1]


@pytest.mark.parametrize(
    "slots", [np.zeros(3, np.int64), np.zeros(0, np.int64), np.zeros(4, np.int32), np.zeros((2, 2), np.int64)]
)
def test_slots_that_are_no_table(slots: np.ndarray) -> None:
    with pytest.raises(DataError, match="power of two"):
        NgramTable(slots)
