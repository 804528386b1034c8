"""Splits and folds: stratified, seeded, equal texts never on both sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit.errors import DataError, UsageError
from seqkit.sentiment.division import folds_of, groups_of, held_out, key_of

GROUPED = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), min_size=1, max_size=60)


def arrays(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    groups = groups_of(str(group) for group, _ in pairs)
    return groups, np.array([label for _, label in pairs], np.int32)


def test_white_space_and_case_do_not_tell_texts_apart() -> None:
    assert key_of(" So\tGOOD\n") == key_of("so good")
    assert key_of("STRASSE") == key_of("straße")
    assert key_of("so good!") != key_of("so good")
    assert groups_of(["a", "b", "A ", "c", "b"]).tolist() == [0, 1, 0, 2, 1]
    assert key_of("\ud800") != key_of("\ud801")


def test_each_label_gives_its_share() -> None:
    targets = np.repeat(np.array([0, 1, 2], np.int32), [600, 300, 100])
    chosen = held_out(np.arange(1000), targets, 0.1, seed=3)
    assert np.bincount(targets[chosen]).tolist() == [60, 30, 10]


def test_the_seed_decides() -> None:
    groups, targets = np.arange(200), np.zeros(200, np.int32)
    first, again, other = (held_out(groups, targets, 0.5, seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()
    assert (folds_of(groups, targets, 5, 1) == folds_of(groups, targets, 5, 1)).all()
    assert (folds_of(groups, targets, 5, 1) != folds_of(groups, targets, 5, 2)).any()


@settings(deadline=None)
@given(GROUPED, st.floats(0.01, 0.99), st.integers(0, 5))
def test_equal_texts_are_on_one_side(pairs: list[tuple[int, int]], fraction: float, seed: int) -> None:
    groups, targets = arrays(pairs)
    try:
        chosen = held_out(groups, targets, fraction, seed)
    except DataError:
        return
    assert not set(groups[chosen]) & set(groups[~chosen])
    assert 0 < chosen.sum() < len(chosen)


@settings(deadline=None)
@given(GROUPED, st.integers(2, 8), st.integers(0, 5))
def test_folds_keep_equal_texts_together_and_are_even(
    pairs: list[tuple[int, int]], folds: int, seed: int
) -> None:
    groups, targets = arrays(pairs)
    sizes = np.bincount(groups)
    if folds > len(sizes):
        with pytest.raises(UsageError, match=f"folds must be 2 to {len(sizes)}"):
            folds_of(groups, targets, folds, seed)
        return
    fold = folds_of(groups, targets, folds, seed)
    assert all(len(set(fold[groups == group])) == 1 for group in range(len(sizes)))
    assert ((fold >= 0) & (fold < folds)).all()
    # The largest first, each to the emptiest: no fold of a label is ahead by more than its largest group.
    firsts = [int(np.flatnonzero(groups == group)[0]) for group in range(len(sizes))]
    for label in set(targets[firsts]):
        of_label = [group for group, first in enumerate(firsts) if targets[first] == label]
        texts = np.bincount(fold[firsts][of_label], weights=sizes[of_label], minlength=folds)
        assert texts.max() - texts.min() <= sizes[of_label].max()


def test_folds_are_stratified() -> None:
    targets = np.repeat(np.array([0, 1], np.int32), [70, 33])
    fold = folds_of(np.arange(103), targets, 10, seed=0)
    assert np.bincount(fold[targets == 0]).tolist() == [7] * 10
    assert sorted(np.bincount(fold[targets == 1])) == [3] * 7 + [4] * 3
    assert sorted(np.bincount(fold)) == [10] * 7 + [11] * 3


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_a_fraction_is_between_0_and_1(fraction: float) -> None:
    with pytest.raises(UsageError, match="must be above 0 and below 1"):
        held_out(np.arange(9), np.zeros(9, np.int32), fraction, 0)


def test_too_few_texts_are_not_divided() -> None:
    with pytest.raises(DataError, match=r"0\.1 of 3 different texts is none of them"):
        held_out(np.arange(3), np.zeros(3, np.int32), 0.1, 0)
    with pytest.raises(DataError, match=r"0\.9 of 3 different texts is all of them"):
        held_out(np.arange(3), np.zeros(3, np.int32), 0.9, 0)


def test_of_few_texts_of_many_labels_some_are_held_out() -> None:
    """A tenth of three is none; of 500 labels with as many it is 150, of different labels."""
    targets = np.repeat(np.arange(500, dtype=np.int32), 3)
    chosen = held_out(np.arange(1500), targets, 0.1, 0)
    assert chosen.sum() == 150
    assert len(np.unique(targets[chosen])) == 150
    assert (held_out(np.arange(1500), targets, 0.1, 1) != chosen).any()
    # No label loses its only text; where all are such, nothing can be held out.
    single = np.concatenate([np.zeros(4, np.int32), np.arange(1, 10, dtype=np.int32)])
    assert np.flatnonzero(held_out(np.arange(13), single, 0.1, 0)).max() < 4
    with pytest.raises(DataError, match="is none of them"):
        held_out(np.arange(9), np.arange(9, dtype=np.int32), 0.3, 0)


def test_one_frequent_text_does_not_take_the_whole_part() -> None:
    # 80 of 100 texts are one; half of them is 50, and the other 20 cannot be more than 20.
    groups = np.concatenate([np.zeros(80, np.int64), np.arange(1, 21)])
    for seed in range(20):
        chosen = held_out(groups, np.zeros(100, np.int32), 0.5, seed)
        assert chosen.sum() in (*range(1, 21), *range(80, 91))
