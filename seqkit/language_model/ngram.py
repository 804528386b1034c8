"""Interpolated modified Kneser-Ney n-gram models, from sorted tables of counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import UsageError
from seqkit.language_model.steps import EOS

Ids = NDArray[np.int32]
Numbers = NDArray[np.int64]
Floats = NDArray[np.float64]

MAX_ORDER = 10

FALLBACK = (0.5, 1.0, 1.5)
"""Discounts where a text is too small, or too regular, to estimate them, as `lmplz --discount_fallback`."""


@dataclass(frozen=True, eq=False)
class Table:
    """The n-grams of one order, of n tokens.

    N-grams are numbered by (number of their first n - 1 tokens, last token); single tokens by their ids.

    Args:
        words: the last token of each, rising within a context; int32, (n-grams,).
        starts: where those of each context begin, and where the last ends; int32, (contexts + 1,), contexts
            being the n-grams of the order below.
        counts: a, int32, (n-grams,): how often an n-gram of the highest order, or one that begins a text, was
            seen; of the others, after how many different tokens.
    """

    words: Ids
    starts: Ids
    counts: Ids


def count(ids: Ids, vocabulary_size: int, order: int) -> list[Table]:
    """The n-grams of a text, of 1 to `order` tokens, by sorting their numbers.

    No n-gram reaches over an `<eos>`: it stands for the beginning of the text that follows, or ends one. It
    takes about 50 bytes of memory for each token of the text, and for each n-gram 12.

    Args:
        ids: of the text, (tokens,).
        vocabulary_size: words.
        order: tokens of the longest, 1 to `MAX_ORDER`.

    Raises:
        UsageError: another order.
    """
    if not 1 <= order <= MAX_ORDER:
        raise UsageError(f"the order of an n-gram model must be 1 to {MAX_ORDER}, not {order}")
    text = np.concatenate([[EOS], ids]).astype(np.int64)
    numbers = text  # of the n-gram that ends in each place; -1 for none
    seen = np.bincount(ids, minlength=vocabulary_size)
    words, starts = np.arange(vocabulary_size, dtype=np.int32), np.array([0, vocabulary_size], np.int32)
    begins = np.zeros(vocabulary_size, bool)  # whether an n-gram begins a text; single tokens count as none
    tables = []
    for length in range(2, order + 1):
        keys, places = _keys(text, numbers, length, vocabulary_size)
        longer, example, after, longer_seen = _grouped(keys, places, len(text))
        # a: after how many tokens; what begins a text has none before it
        counts = np.where(begins, seen, np.bincount(numbers[example], minlength=len(seen)))
        tables.append(Table(words, starts, counts.astype(np.int32)))
        context, last = np.divmod(longer, vocabulary_size)
        sizes = np.bincount(context, minlength=len(seen))
        words, starts = last.astype(np.int32), np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
        begins = text[example - length + 1] == EOS
        numbers, seen = after, longer_seen
    return [*tables, Table(words, starts, seen.astype(np.int32))]


def _keys(text: Numbers, numbers: Numbers, length: int, vocabulary_size: int) -> tuple[Numbers, Numbers]:
    """The n-grams of a length, as context · V + word, and the places where they end."""
    known = numbers[:-1] >= 0
    if length > 2:
        known &= text[:-1] != EOS
    places = np.flatnonzero(known) + 1
    return numbers[places - 1] * vocabulary_size + text[places], places


def _grouped(keys: Numbers, places: Numbers, length: int) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Distinct keys, a place of each, the number of the key at each place, and how often each occurs."""
    order = np.argsort(keys)
    risen = keys[order]
    new = np.concatenate([[True], risen[1:] != risen[:-1]])[: len(risen)]
    first = np.flatnonzero(new)
    numbers = np.full(length, -1, np.int64)
    numbers[places[order]] = np.cumsum(new) - 1
    return risen[first], places[order[first]], numbers, np.diff(np.append(first, len(risen)))


def discounts(counts: Ids) -> tuple[float, ...]:
    """D₁, D₂ and D₃₊ of an order.

        D_k = k - (k + 1) Y n_{k+1} / n_k,    Y = n₁ / (n₁ + 2 n₂)

    with n_k the n-grams whose a is k (Chen & Goodman 1999, equation 17); `FALLBACK` where one is not above 0
    and at most k.
    """
    n = np.bincount(np.minimum(counts, 5), minlength=6).astype(float)
    if not n[1:4].all():
        return FALLBACK
    y = n[1] / (n[1] + 2 * n[2])
    found = tuple(float(k - (k + 1) * y * n[k + 1] / n[k]) for k in (1, 2, 3))
    return found if all(0 < value <= k for k, value in enumerate(found, 1)) else FALLBACK


class NGram:
    """P(w | h), of the last n - 1 tokens.

        P_n(w | h) = max(a(hw) - D, 0) / Σ_v a(hv) + γ(h) P_{n-1}(w | h'),    P_0 = 1/V

    with h' the context without its first token, D that of a(hw), and γ(h) what the discounts leave (Chen &
    Goodman 1999, "An empirical study of smoothing techniques for language modeling", section 3; Heafield et
    al. 2013 for how texts begin and end). A context that was never seen, or that reaches over an `<eos>`,
    gives P_{n-1}. As for a recurrent model, `<unk>` and `<eos>` are tokens as any other.

    Args:
        tables: of order 1, 2, …, as of `count`.
    """

    def __init__(self, tables: list[Table]) -> None:
        self.tables, self.vocabulary_size = tables, len(tables[0].words)
        self._orders = [_Order(table, self.vocabulary_size) for table in tables]

    @property
    def order(self) -> int:
        """Tokens of the longest n-gram."""
        return len(self.tables)

    def probabilities(self, ids: Ids) -> Floats:
        """P of each token of a text, from its beginning, (tokens,).

        Args:
            ids: of the text.
        """
        text = np.concatenate([[EOS], ids]).astype(np.int64)
        numbers, found = np.zeros(len(text), np.int64), np.full(len(ids), 1 / self.vocabulary_size)
        for length, order in enumerate(self._orders, 1):
            # where a context is known, its own shares; elsewhere those of the shorter ones stay
            context = numbers[:-1].copy()
            if length > 2:
                context[text[:-1] == EOS] = -1
            places = np.flatnonzero(context >= 0)
            index = order.find(context[places], text[places + 1])
            found[places] = order.shares[index] + order.rest[context[places]] * found[places]
            numbers = np.full(len(text), -1, np.int64)
            numbers[places + 1] = index
            if length == 1:
                numbers[0] = EOS
        return found


class _Order:
    """A table, as it is looked up.

    Attributes:
        shares: max(a - D, 0) / Σ a of each n-gram; the last is 0, that of number -1.
        rest: γ of each context, 1 of one that nothing follows.
    """

    def __init__(self, table: Table, vocabulary_size: int) -> None:
        context = np.repeat(np.arange(len(table.starts) - 1), np.diff(table.starts))
        self._vocabulary_size = vocabulary_size
        self._keys = context * vocabulary_size + table.words
        discount = np.array([0.0, *discounts(table.counts)])[np.minimum(table.counts, 3)]
        discount = np.minimum(discount, table.counts)
        contexts = len(table.starts) - 1
        total = np.bincount(context, table.counts, contexts)
        taken = np.bincount(context, discount, contexts)
        self.rest = np.divide(taken, total, out=np.ones(contexts), where=total > 0)
        self.shares = np.append((table.counts - discount) / np.maximum(total, 1)[context], 0.0)

    def find(self, context: Numbers, words: Numbers) -> Numbers:
        """The number of each n-gram, -1 where it was never seen."""
        if not len(self._keys):
            return np.full(len(words), -1, np.int64)
        wanted = context * self._vocabulary_size + words
        order = np.argsort(wanted)  # searching for rising numbers takes a fraction of the time
        index = np.empty(len(wanted), np.int64)
        index[order] = np.searchsorted(self._keys, wanted[order])
        index = np.minimum(index, len(self._keys) - 1)
        return np.where(self._keys[index] == wanted, index, -1)


def to_tensors(tables: list[Table]) -> dict[str, Any]:
    """Tables as arrays by name; the words and starts of single tokens go without saying."""
    found = {"order_1.counts": tables[0].counts}
    for number, table in enumerate(tables[1:], 2):
        found |= {f"order_{number}.{name}": getattr(table, name) for name in ("words", "starts", "counts")}
    return found


def from_tensors(tensors: Mapping[str, Any], vocabulary_size: int) -> list[Table]:
    """What `to_tensors` made.

    Raises:
        ValueError: something else; says what.
    """
    words, starts = np.arange(vocabulary_size, dtype=np.int32), np.array([0, vocabulary_size], np.int32)
    order = 1 + (len(tensors) - 1) // 3
    tables: list[Table] = []
    for number in range(1, order + 1):
        own = {"words": words, "starts": starts} if number == 1 else {}
        for name in ("words", "starts", "counts"):
            if name not in own:
                own[name] = _checked(tensors, f"order_{number}.{name}")
        table = Table(**own)
        _check_table(table, number, len(tables[-1].words) if tables else 1, vocabulary_size)
        tables.append(table)
    surplus = set(tensors) - set(to_tensors(tables))
    if surplus or not order <= MAX_ORDER:
        raise ValueError(f"{min(surplus, default='order')} is not of an n-gram model")
    return tables


def _checked(tensors: Mapping[str, Any], name: str) -> Ids:
    found = tensors.get(name)
    if found is None or found.dtype != np.int32 or found.ndim != 1:
        raise ValueError(f"{name} is not a row of int32")
    return np.array(found)


def _check_table(table: Table, number: int, contexts: int, vocabulary_size: int) -> None:
    """Makes sure that looking up cannot go wrong."""
    words, starts, counts = table.words, table.starts, table.counts
    name = f"order_{number}"
    if (
        len(starts) != contexts + 1
        or starts[0] != 0
        or starts[-1] != len(words)
        or (np.diff(starts) < 0).any()
    ):
        raise ValueError(f"{name}.starts does not divide the words into {contexts} contexts")
    if len(words) != len(counts):
        raise ValueError(f"{name} has {len(words)} words and {len(counts)} counts")
    if (words < 0).any() or (words >= vocabulary_size).any():
        raise ValueError(f"{name}.words are not of a vocabulary of {vocabulary_size}")
    same = np.ones(len(words), bool)
    same[starts[:-1][starts[:-1] < len(words)]] = False
    if (np.diff(words) <= 0)[same[1:]].any():
        raise ValueError(f"{name}.words do not rise within a context")
    if (counts < (1 if number > 1 else 0)).any() or (number == 1 and not counts.any()):
        raise ValueError(f"{name}.counts are not counts")
