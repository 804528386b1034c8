from __future__ import annotations

import numpy as np

from seqkit.sentiment.documents import MISSING, PAD_ID, Documents, Labelled, Task
from seqkit.sentiment.labels import Labels
from seqkit.sentiment.models.network_batches import TextBatches, padded, scoring_batches, shortened


def documents(*lengths: int) -> Documents:
    """Texts of these lengths; the ids of a text count from ten times its number."""
    ids = [10 * number + place for number, length in enumerate(lengths, 1) for place in range(length)]
    return Documents([""] * len(lengths), np.array(ids, np.int32), np.cumsum([0, *lengths]).astype(np.int64))


def labelled(*lengths: int) -> Labelled:
    targets = np.arange(len(lengths), dtype=np.int32) % 2
    stars = np.full(len(lengths), MISSING, np.int32)
    labels = Labels(("a", "b"))
    return Labelled(documents(*lengths), Task(labels, targets), {"stars": Task(labels, stars)})


def test_the_first_quarter_and_the_end_of_a_long_text_are_read() -> None:
    found = shortened(documents(9, 2, 8), 8)
    assert found.starts.tolist() == [0, 8, 10, 18]
    # two from the beginning, six from the end: the third of nine is left out
    assert found.ids.tolist() == [10, 11, 13, 14, 15, 16, 17, 18, 20, 21, *range(30, 38)]


def test_texts_that_are_short_enough_stay_as_they_are() -> None:
    texts = documents(3, 8)
    assert shortened(texts, 8) is texts


def test_texts_are_padded_on_the_right_to_one_step_at_least() -> None:
    texts = documents(1, 3, 0)
    assert padded(texts, np.array([2, 1])).tolist() == [[0, 0, 0], [20, 21, 22]]
    assert padded(texts, np.array([2])).tolist() == [[PAD_ID]]


def test_every_text_is_scored_once() -> None:
    batches = scoring_batches(documents(3, 0, 50_000, 7))
    assert sorted(np.concatenate(batches).tolist()) == [0, 1, 2, 3]
    assert batches[-1].tolist() == [2]  # too long to share a batch


def test_every_text_is_in_an_epoch_once_with_its_targets() -> None:
    batches = TextBatches(labelled(*range(1, 8)), 3, seed=4)
    seen = []
    for step in range(batches.steps_of(0)):
        ids, targets = batches.batch(0, step)
        assert targets.shape == (batches.size(0, step), 2)
        for row, target in zip(ids, targets, strict=True):
            text = row[0] // 10
            assert row[row != PAD_ID].tolist() == [10 * text + place for place in range(text)]
            assert target.tolist() == [(text - 1) % 2, MISSING]
            seen.append(text)
    assert sorted(seen) == list(range(1, 8))


def test_a_batch_follows_from_seed_epoch_and_number() -> None:
    one, same, other = (TextBatches(labelled(*range(1, 30)), 3, seed=seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one.batch(2, 1)[0], same.batch(2, 1)[0])
    drawn = [batches.batch(epoch, 0)[0].tolist() for batches, epoch in ((one, 2), (one, 3), (other, 2))]
    assert drawn[0] != drawn[1]
    assert drawn[0] != drawn[2]


def test_shapes_that_are_compiled_are_few() -> None:
    batches = TextBatches(labelled(*range(1, 30)), 4, seed=4, longest=20)
    found = [batches.batch(0, step) for step in range(batches.steps_of(0))]
    assert {ids.shape[0] for ids, _ in found} == {4}
    assert {ids.shape[1] for ids, _ in found} <= {8, 16, 20, *range(21, 30)}
    # 29 texts in batches of 4: what fills the last one up has no label
    assert sum(int((targets[:, 0] != MISSING).sum()) for _, targets in found) == 29
