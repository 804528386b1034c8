"""N-gram models against Kneser-Ney by dictionaries, whose every equation is written out."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pytest

from seqkit.errors import UsageError
from seqkit.language_model.coding import END_ID
from seqkit.language_model.ngram import FALLBACK, NGram, count, discounts, from_tensors, to_tensors

VOCABULARY = 7


class ByDictionaries:
    """Interpolated modified Kneser-Ney (Chen & Goodman 1999, section 3), an n-gram a tuple.

    A text is cut after each `<eos>`; each part has "begin" before it, which is never a word that follows.
    """

    def __init__(self, ids: Any, order: int) -> None:
        self.order = order
        seen: list[Counter[Any]] = [Counter() for _ in range(order + 1)]
        for part in np.split(ids, np.flatnonzero(ids == END_ID) + 1):
            tokens = ("begin", *part.tolist())
            for n in range(1, order + 1):
                for start in range(len(tokens) - n + 1):
                    seen[n][tokens[start : start + n]] += 1
        self.adjusted: list[dict[Any, int]] = [{} for _ in range(order + 1)]
        for n in range(1, order + 1):
            before = defaultdict(set)
            for gram in seen[n + 1] if n < order else ():
                before[gram[1:]].add(gram[0])
            for gram, often in seen[n].items():
                if gram != ("begin",):
                    whole = n == order or gram[0] == "begin"
                    self.adjusted[n][gram] = often if whole else len(before[gram])
        self.discounts = [self._discounts(Counter(each.values())) for each in self.adjusted]

    @staticmethod
    def _discounts(n: Counter[int]) -> tuple[float, ...]:
        if not (n[1] and n[2] and n[3]):
            return FALLBACK
        y = n[1] / (n[1] + 2 * n[2])
        found = 1 - 2 * y * n[2] / n[1], 2 - 3 * y * n[3] / n[2], 3 - 4 * y * n[4] / n[3]
        return found if all(0 < d <= k for k, d in zip((1, 2, 3), found, strict=True)) else FALLBACK

    def probability(self, word: int, context: tuple[Any, ...]) -> float:
        context = context[max(0, len(context) - self.order + 1) :]
        shorter = self.probability(word, context[1:]) if context else 1 / VOCABULARY
        n = len(context) + 1
        counts = {gram[-1]: a for gram, a in self.adjusted[n].items() if gram[:-1] == context}
        if not counts:
            return shorter
        taken = {v: min(self.discounts[n][min(a, 3) - 1], a) for v, a in counts.items()}
        total = sum(counts.values())
        own = counts.get(word, 0) - taken.get(word, 0)
        return (own + sum(taken.values()) * shorter) / total


def text(tokens: int, seed: int = 0, *, ends: bool = True) -> Any:
    """Words of a skewed distribution that depends on the one before."""
    rng = np.random.default_rng(seed)
    ids = [2]
    for _ in range(tokens - 1):
        ids.append(int((ids[-1] + rng.geometric(0.5)) % VOCABULARY))
    found = np.array(ids, np.int32)
    return found if ends else np.where(found == END_ID, 3, found).astype(np.int32)


def contexts_of(ids: Any) -> list[tuple[Any, ...]]:
    """Of each token, all that stands before it in its part of the text."""
    found, context = [], ("begin",)
    for token in ids.tolist():
        found.append(context)
        context = ("begin",) if token == END_ID else (*context, token)
    return found


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("tokens", [1, 4, 40, 600])
@pytest.mark.parametrize("ends", [True, False])
def test_as_by_dictionaries(order: int, tokens: int, ends: bool) -> None:
    ids = text(tokens, ends=ends)
    model, expected = NGram(count(ids, VOCABULARY, order)), ByDictionaries(ids, order)
    assert model.order == order
    for other in (ids[:100], text(60, seed=1)):
        wanted = [expected.probability(int(w), c) for w, c in zip(other, contexts_of(other), strict=True)]
        np.testing.assert_allclose(model.probabilities(other), wanted, rtol=1e-12)


def test_the_discounts_are_estimated_in_large_texts() -> None:
    """So that the comparison above is not one of `FALLBACK` alone."""
    found = [discounts(table.counts) != FALLBACK for table in count(text(600), VOCABULARY, 5)]
    assert found.count(True) >= 2


@pytest.mark.parametrize("order", [1, 2, 4])
def test_probabilities_of_all_words_sum_to_1(order: int) -> None:
    ids = text(300)
    model = NGram(count(ids, VOCABULARY, order))
    contexts = [ids[start : start + length] for start in range(40) for length in (0, 1, 2, 5)]
    contexts += [text(3, seed) for seed in range(20)]
    for context in contexts:
        followed = [np.append(context, word).astype(np.int32) for word in range(VOCABULARY)]
        assert sum(model.probabilities(each)[-1] for each in followed) == pytest.approx(1, rel=1e-12)


def test_by_hand() -> None:
    """2 3 <eos> 2 <eos>, bigrams, V = 4, D = 1/2, 1, 3/2 as so little text has no n₃.

    Bigrams: begin 2 twice, 2 3, 3 <eos> and 2 <eos> once. Tokens after so many others: 2 after 1 (begin),
    3 after 1, <eos> after 2. P₁(2) = (1 - 1/2)/4 + γ/4 with γ = (1/2 + 1/2 + 1)/4 = 1/2, so 1/4;
    P₁(<eos>) = (2 - 1)/4 + 1/8 = 3/8. P₂(2 | begin) = (2 - 1)/2 + 1/2 · 1/4 = 5/8.
    P₂(<eos> | 2) = (1 - 1/2)/2 + (1/2 + 1/2)/2 · 3/8 = 7/16. <unk> was not seen: P₁ = 1/8, after 2 1/16.
    """
    model = NGram(count(np.array([2, 3, 1, 2, 1], np.int32), 4, 2))
    found = model.probabilities(np.array([2, 1, 2, 0], np.int32))
    np.testing.assert_allclose(found, [5 / 8, 7 / 16, 5 / 8, 1 / 16])


def test_discounts() -> None:
    """n₁..n₄ = 8, 4, 2, 1: Y = 1/2; D = 1 - 2·½·4/8, 2 - 3·½·2/4, 3 - 4·½·1/2."""
    counts = np.repeat([1, 2, 3, 4, 9], [8, 4, 2, 1, 3]).astype(np.int32)
    assert discounts(counts) == pytest.approx((0.5, 1.25, 2.0))
    assert discounts(counts[counts != 3]) == FALLBACK
    # n₁, n₂, n₃ = 1, 3, 1: Y = 1/7, D₁ = 1 - 2/7·3 > 0, D₂ > 0; n₄ = 9 gives D₃ = 3 - 4/7·9 < 0
    assert discounts(np.repeat([1, 2, 3, 4], [1, 3, 1, 9]).astype(np.int32)) == FALLBACK


@pytest.mark.parametrize("order", [0, 11])
def test_an_order_out_of_range(order: int) -> None:
    with pytest.raises(UsageError, match=f"must be 1 to 10, not {order}"):
        count(text(9), VOCABULARY, order)


@pytest.mark.parametrize(("tokens", "order"), [(200, 1), (200, 4), (1, 4)])
def test_tables_as_tensors(tokens: int, order: int) -> None:
    tables = count(text(tokens), VOCABULARY, order)
    back = from_tensors(to_tensors(tables), VOCABULARY)
    other = text(50, 3)
    np.testing.assert_array_equal(NGram(back).probabilities(other), NGram(tables).probabilities(other))


DAMAGE = {
    "lacks a row": ("order_2.words", None),
    "another type": ("order_2.counts", np.float32),
    "a word that there is none": ("order_3.words", lambda row: row + 5),
    "words that fall": ("order_2.words", lambda row: row[::-1].copy()),
    "a word twice in a context": ("order_2.words", lambda row: np.concatenate([row[:1], row[:1], row[2:]])),
    "counts of nothing": ("order_3.counts", lambda row: row * 0),
    "too few counts": ("order_2.counts", lambda row: row[1:]),
    "another number of contexts": ("order_3.starts", lambda row: row[1:]),
    "words of no context": ("order_3.starts", lambda row: np.concatenate([row[:-1], row[-1:] - 1])),
    "words before the first context": (
        "order_2.starts",
        lambda row: np.concatenate([[1], row[1:]]).astype("i4"),
    ),
    "contexts that overlap": (
        "order_3.starts",
        lambda row: np.concatenate([[0, row[-1]], row[2:]]).astype("i4"),
    ),
    "a row too many": ("order_9.words", lambda row: row),
    "no counts at all": ("order_1.counts", lambda row: row * 0),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damaged_tables(what: str) -> None:
    tensors: dict[str, Any] = to_tensors(count(text(200), VOCABULARY, 3))
    name, change = DAMAGE[what]
    if change is None:
        del tensors[name]
    elif isinstance(change, type):
        tensors[name] = tensors[name].astype(change)
    else:
        tensors[name] = change(tensors.get(name, tensors["order_1.counts"]))
    with pytest.raises(ValueError, match="order_"):
        from_tensors(tensors, VOCABULARY)


def test_tables_of_an_order_too_many() -> None:
    tensors = to_tensors(count(text(60), VOCABULARY, 10))
    contexts = len(tensors["order_10.words"])
    tensors["order_11.words"] = np.zeros(1, np.int32)
    tensors["order_11.starts"] = np.append(np.zeros(contexts, np.int32), np.int32(1))
    tensors["order_11.counts"] = np.ones(1, np.int32)
    with pytest.raises(ValueError, match="order"):
        from_tensors(tensors, VOCABULARY)
