"""Dividing texts, each whole: stratified by label, seeded, equal texts on the same side."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import DataError, UsageError

Integers = NDArray[np.int64]


def key_of(text: str) -> bytes:
    """What equal texts share: all but white space and case decides."""
    plain = " ".join(text.casefold().split())
    return blake2b(plain.encode(errors="surrogatepass"), digest_size=16).digest()


def groups_of(texts: Iterable[str]) -> Integers:
    """The group of equal texts that each text is in, numbered by first occurrence, (texts,)."""
    seen: dict[bytes, int] = {}
    return np.array([seen.setdefault(key_of(text), len(seen)) for text in texts], np.int64)


def held_out(groups: Integers, targets: NDArray[np.int32], fraction: float, seed: int) -> NDArray[np.bool_]:
    """Which texts are held out: of each label that share, as near as whole groups allow.

    Where that is none of any label, groups of different labels are held out until they are that share of all.

    Args:
        groups: of each text, from 0, (texts,).
        targets: the label of each text, (texts,); a group counts with the first of its texts.
        fraction: of the texts, above 0 and below 1.
        seed: of the choice.

    Raises:
        UsageError: the fraction is out of range.
        DataError: nothing would be held out, or nothing left.
    """
    if not 0 < fraction < 1:
        raise UsageError(f"the fraction to hold out must be above 0 and below 1, not {fraction:g}")
    sizes, labels = _strata(groups, targets)
    chosen = np.zeros(len(sizes), bool)
    order = np.random.default_rng(seed).permutation(len(sizes))
    for label in np.unique(labels):
        members = order[labels[order] == label]
        wanted, held = fraction * sizes[members].sum(), 0
        for group in members.tolist():
            if held + sizes[group] / 2 <= wanted:  # nearer to what is wanted with it than without
                chosen[group] = True
                held += int(sizes[group])
    if not chosen.any():  # too few of every label
        chosen = _few_of_some(sizes, labels, order, fraction)
    if not chosen.any() or chosen.all():
        what = "all" if chosen.any() else "none"
        share = f"{fraction:g} of {len(sizes)} different texts is {what} of them"
        raise DataError(f"{share}; take more texts, or another share")
    return chosen[groups]


def _few_of_some(
    sizes: Integers, labels: NDArray[np.int32], order: Integers, fraction: float
) -> NDArray[np.bool_]:
    """Which groups are held out, at most one of a label, and of none its last."""
    chosen, wanted, held = np.zeros(len(sizes), bool), fraction * sizes.sum(), 0
    kinds, of_label = np.unique(labels, return_counts=True)
    free = set(kinds[of_label > 1].tolist())
    for group in order.tolist():
        if labels[group] in free and held + sizes[group] / 2 <= wanted:
            chosen[group] = True
            held += int(sizes[group])
            free.remove(labels[group])
    return chosen


def folds_of(groups: Integers, targets: NDArray[np.int32], folds: int, seed: int) -> Integers:
    """The fold of each text, 0 to `folds` - 1, (texts,).

    Args:
        groups: as in `held_out`.
        targets: as in `held_out`.
        folds: how many; of each label, any two differ by one group where no texts are equal.
        seed: of the choice.

    Raises:
        UsageError: fewer than 2 folds, or more than different texts.
    """
    sizes, labels = _strata(groups, targets)
    if not 2 <= folds <= len(sizes):
        raise UsageError(f"folds must be 2 to {len(sizes)}, the number of different texts, not {folds}")
    order = np.random.default_rng(seed).permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]  # the largest first, so that the rest evens out
    fold, in_all = np.zeros(len(sizes), np.int64), np.zeros(folds, np.int64)
    for label in np.unique(labels):
        of_label = np.zeros(folds, np.int64)
        for group in order[labels[order] == label].tolist():
            best = int(np.lexsort((in_all, of_label))[0])
            fold[group] = best
            of_label[best] += sizes[group]
            in_all[best] += sizes[group]
    return fold[groups]


def _strata(groups: Integers, targets: NDArray[np.int32]) -> tuple[Integers, NDArray[np.int32]]:
    """How many texts each group has, and the label of its first."""
    _, firsts = np.unique(groups, return_index=True)
    return np.bincount(groups), targets[firsts]
