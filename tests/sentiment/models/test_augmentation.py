from __future__ import annotations

import numpy as np
import pytest

from seqkit.errors import UsageError
from seqkit.sentiment.documents import PAD_ID, UNKNOWN_ID
from seqkit.sentiment.models.augmentation import NEAREST, Augmentation, nearest_words
from seqkit.sentiment.models.convolutional import CnnConfig
from seqkit.sentiment.models.initial_vectors import InitialVectors

IDS = np.tile(np.array([2, 3, 4, 5, 6, PAD_ID, PAD_ID], np.int32), (2000, 1))
NONE = np.zeros((0, NEAREST), np.int32)


def changed(**rates: float) -> np.ndarray:
    augmentation = Augmentation(
        rates.get("word_dropout", 0), rates.get("swaps", 0), rates.get("replaced", 0), NONE
    )
    return augmentation.changed(IDS, np.random.default_rng(0))


def test_dropped_words_become_unknown() -> None:
    found = changed(word_dropout=0.2)
    assert ((found == IDS) | (found == UNKNOWN_ID)).all()
    assert (found[:, 5:] == PAD_ID).all()
    # of 10,000 words, 2,000 ± 40
    assert np.mean(found[:, :5] == UNKNOWN_ID) == pytest.approx(0.2, abs=0.02)


def test_swapped_words_change_places_with_a_neighbour() -> None:
    found = changed(swaps=0.3)
    assert (np.sort(found[:, :5]) == IDS[:, :5]).all()
    assert (found[:, 5:] == PAD_ID).all()
    assert np.abs(np.argsort(found[:, :5]) - np.arange(5)).max() == 1
    assert (found != IDS).any()


def test_replaced_words_are_among_the_nearest() -> None:
    # Ten words at angles of 0°, 10°, …, 90°, the ids 2 to 11.
    angles = np.deg2rad(10 * np.arange(10))
    matrix = np.concatenate([np.zeros((2, 2)), np.stack([np.cos(angles), np.sin(angles)], axis=1)])
    initial = InitialVectors(np.arange(12) > 1, matrix.astype(np.float32))
    nearest = nearest_words(initial)
    assert sorted(nearest[2]) == [3, 4, 5, 6, 7]
    assert sorted(nearest[7])[0] >= 4
    assert sorted(nearest[7])[-1] <= 10
    assert 7 not in nearest[7]
    assert nearest[0].tolist() == [0] * NEAREST
    found = Augmentation(0, 0, 0.5, nearest).changed(IDS, np.random.default_rng(0))
    moved = found != IDS
    assert 0.4 < moved[:, :5].mean() < 0.6
    assert all(new in nearest[old] for new, old in zip(found[moved], IDS[moved], strict=True))


def test_nothing_is_changed_unless_asked() -> None:
    assert Augmentation.of(CnnConfig(word_dropout=0.0), None) is None


def test_neighbours_need_vectors() -> None:
    with pytest.raises(UsageError, match="neighbours are those of initial vectors"):
        Augmentation.of(CnnConfig(neighbours=0.1), None)
