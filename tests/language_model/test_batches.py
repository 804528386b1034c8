"""What a network sees: each token once an epoch, inputs before targets, the same again from any place."""

from __future__ import annotations

import numpy as np
import pytest

from seqkit.errors import CorpusError
from seqkit.language_model.batches import FRESH, NO_TARGET, STEP, Ids, LineBatches, StreamBatches, rounded_up
from seqkit.language_model.coding import END_ID


def stream(length: int, rows: int, bptt: int, *, random: bool = False, ends: bool = True) -> StreamBatches:
    """Of tokens that are their own places, from 10 on."""
    ids = np.arange(10, 10 + length, dtype=np.int32)
    return StreamBatches(ids, rows, bptt, seed=4, random_lengths=random, has_ends=ends)


# --- streams


def test_a_stream_by_hand() -> None:
    """15 tokens in two parts of seven, one is left over; three steps at a time: 3, 3 and 1."""
    batches = stream(15, 2, 3)
    assert batches.steps_of(0) == 3
    assert [batches.size(0, step) for step in range(3)] == [6, 6, 2]
    first, second, third = (batches.batch(0, step) for step in range(3))
    assert first[0].tolist() == [[END_ID, 10, 11], [END_ID, 17, 18]]
    assert first[1].tolist() == [[10, 11, 12], [17, 18, 19]]
    assert first[2].tolist() == [True, True]
    assert second[0].tolist() == [[12, 13, 14], [19, 20, 21]]
    assert second[1].tolist() == [[13, 14, 15], [20, 21, 22]]
    assert second[2].tolist() == [False, False]
    assert third[0].tolist() == [[15], [22]]
    assert third[1].tolist() == [[16], [23]]
    assert {array.dtype for batch in (first, third) for array in batch[:2]} == {np.dtype(np.int32)}


@pytest.mark.parametrize("random", [False, True])
@pytest.mark.parametrize(("length", "rows", "bptt"), [(1000, 4, 7), (1003, 4, 70), (12, 3, 5), (4, 4, 1)])
def test_every_token_once_an_epoch_in_order(length: int, rows: int, bptt: int, random: bool) -> None:
    batches = stream(length, rows, bptt, random=random)
    for epoch in range(3):
        steps = [batches.batch(epoch, step) for step in range(batches.steps_of(epoch))]
        targets = np.concatenate([batch[1] for batch in steps], axis=1)
        part = length // rows
        np.testing.assert_array_equal(targets, 10 + np.arange(rows * part).reshape(rows, part))
        inputs = np.concatenate([batch[0] for batch in steps], axis=1)
        np.testing.assert_array_equal(inputs[:, 1:], targets[:, :-1])
        assert set(inputs[:, 0]) == {END_ID}
        assert [batches.size(epoch, step) for step in range(len(steps))] == [b[1].size for b in steps]


def test_random_lengths_follow_from_seed_and_epoch_alone() -> None:
    def lengths(batches: StreamBatches, epoch: int) -> list[int]:
        return [batches.batch(epoch, step)[1].shape[1] for step in range(batches.steps_of(epoch))]

    batches = stream(40_000, 2, 70, random=True)
    first = lengths(batches, 0)
    assert lengths(batches, 1) != first
    assert lengths(batches, 7)
    assert lengths(batches, 0) == first == lengths(stream(40_000, 2, 70, random=True), 0)
    # 70 in 19 of 20 pieces, 35 in the other, give or take 5; each a multiple of 5 but the last.
    assert not np.mod(first[:-1], STEP).any()
    assert np.mean(first[:-1]) == pytest.approx(0.95 * 70 + 0.05 * 35, abs=2)
    assert np.quantile(first, 0.1) >= 50
    assert len(set(first)) > 3


def test_random_lengths_have_a_deviation_of_five() -> None:
    batches = stream(200_000, 1, 70, random=True)
    lengths = np.array([batches.size(0, step) for step in range(batches.steps_of(0) - 1)])
    usual = lengths[lengths > 52]  # and not about half of 70
    # Rounding to fives adds 5²/12 to the variance; of 2,700 lengths the deviation is known to 1.4%.
    assert usual.std() == pytest.approx(np.sqrt(25 + 25 / 12), rel=0.05)


def test_a_stream_without_ends_begins_anew_at_some_pieces() -> None:
    """A piece in twenty is read as if nothing had come before: no state, the zero vector as input."""
    batches = stream(80_000, 8, 5, ends=False)
    steps = [batches.batch(1, step) for step in range(batches.steps_of(1))]
    fresh = np.array([batch[2] for batch in steps])
    assert fresh[0].all()
    # 2000 pieces of 8 rows: sd of the share √(.05 · .95 / 16000) = .0017
    assert fresh[1:].mean() == pytest.approx(FRESH, abs=5 * 0.0017)
    first = np.array([batch[0][:, 0] for batch in steps])
    assert (first[fresh] == END_ID).all()
    assert (first[~fresh] != END_ID).all()
    np.testing.assert_array_equal(batches.batch(1, 900)[2], fresh[900])
    again = np.array([batches.batch(2, step)[2] for step in range(len(steps))])
    assert (again != fresh).any()


def test_too_few_tokens() -> None:
    with pytest.raises(CorpusError, match="3 tokens are too few for batches of 4: lower batch_size"):
        stream(3, 4, 2)


# --- lines


def lines_of(lengths: list[int]) -> Ids:
    """Line n is n + 10 again and again, then `<eos>`; a length counts its end."""
    return np.concatenate([[*[10 + n] * (size - 1), END_ID] for n, size in enumerate(lengths)]).astype(
        np.int32
    )


def test_lines_by_hand() -> None:
    """Two lines of 3 and 2 tokens in a batch of three: a row without targets; 8 is the least length."""
    batches = LineBatches(lines_of([3, 2]), 3, 100, seed=0)
    assert (batches.steps_of(0), batches.size(0, 0)) == (1, 5)
    inputs, targets, fresh = batches.batch(0, 0)
    assert fresh.all()
    none = [NO_TARGET]
    assert targets.tolist() == [[11, END_ID, *none * 6], [10, 10, END_ID, *none * 5], none * 8]
    assert inputs.tolist() == [
        [END_ID, 11, END_ID, *[0] * 5],
        [END_ID, 10, 10, END_ID, *[0] * 4],
        [END_ID, *[0] * 7],
    ]


def test_every_line_once_an_epoch_in_another_order() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(2, 30, 457).tolist()
    ids = lines_of(lengths)
    batches = LineBatches(ids, 4, 100, seed=1)
    orders = []
    for epoch in (0, 1):
        assert batches.steps_of(epoch) == -(-457 // 4)
        seen, order = [], []
        for step in range(batches.steps_of(epoch)):
            _, targets, _ = batches.batch(epoch, step)
            rows = [row[row != NO_TARGET].tolist() for row in targets]
            assert batches.size(epoch, step) == sum(map(len, rows))
            assert targets.shape[1] == rounded_up(max(map(len, rows)))
            seen += [tuple(row) for row in rows if row]
            order.append([row[0] for row in rows if row])
        assert sorted(seen) == sorted((*[10 + n] * (size - 1), END_ID) for n, size in enumerate(lengths))
        orders.append(order)
    assert orders[0] != orders[1]
    again = LineBatches(ids, 4, 100, seed=1).batch(1, 50)
    for left, right in zip(again, batches.batch(1, 50), strict=True):
        np.testing.assert_array_equal(left, right)
    assert not np.array_equal(LineBatches(ids, 4, 100, seed=2).batch(1, 50)[0], again[0])


def test_lines_of_similar_length_are_together() -> None:
    lengths = np.random.default_rng(0).permutation(np.arange(2, 202)).tolist()
    batches = LineBatches(lines_of(lengths), 4, 1000, seed=0)
    for step in range(50):
        sizes = (batches.batch(0, step)[1] != NO_TARGET).sum(axis=1)
        assert np.ptp(sizes) == 3  # 200 lines of as many lengths are one pool


def test_short_lines_do_not_come_first() -> None:
    batches = LineBatches(lines_of(list(range(2, 202))), 4, 1000, seed=0)
    sizes = [batches.size(0, step) for step in range(50)]
    assert abs(np.corrcoef(sizes, np.arange(50))[0, 1]) < 0.5


def test_a_long_line_is_cut() -> None:
    batches = LineBatches(lines_of([30, 5]), 2, 12, seed=0)
    _, targets, _ = batches.batch(0, 0)
    assert batches.size(0, 0) == 12 + 5
    assert targets[1].tolist() == [10] * 12 + [NO_TARGET] * 4
    assert targets[0].tolist() == [11] * 4 + [END_ID] + [NO_TARGET] * 11


@pytest.mark.parametrize(("length", "expected"), [(1, 8), (8, 8), (9, 16), (16, 16), (17, 32), (1000, 1024)])
def test_lengths_are_rounded_up(length: int, expected: int) -> None:
    assert rounded_up(length) == expected


def test_labels_go_with_their_lines() -> None:
    """Line n has the only token n + 2 and the label 2 n."""
    ids = np.array([[n + 2, END_ID] for n in range(11)], np.int32).reshape(-1)
    batches = LineBatches(ids, 4, 10, seed=3, labels=np.arange(0, 22, 2, dtype=np.int32))
    for step in range(batches.steps_of(0)):
        _, targets, fresh, labels = batches.batch(0, step)
        known = targets[:, 0] >= 0
        assert fresh.all()
        np.testing.assert_array_equal(labels[known], 2 * (targets[known, 0] - 2))
        assert not labels[~known].any()
