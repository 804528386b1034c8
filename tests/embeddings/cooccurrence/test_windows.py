"""Cutting text into stretches and rows into bands; the rows of a stretch."""

from __future__ import annotations

import numpy as np
import pytest

from seqkit.embeddings.cooccurrence.config import CooccurrenceConfig
from seqkit.embeddings.cooccurrence.windows import Stretch, bands, stretches
from seqkit.text.corpus import LINE_END


@pytest.mark.parametrize("places", [1, 2, 5, 6, 17, 1000])
def test_stretches_follow_each_other_and_fit(places: int) -> None:
    ids = np.array([0, 1, LINE_END, 2, LINE_END, 0, 0, 0, 0, LINE_END], np.int32)
    cuts = list(stretches(ids, 4, places))
    assert [start for start, _ in cuts] == [0, *(stop for _, stop in cuts[:-1])]
    assert cuts[-1][1] == len(ids)
    for start, stop in cuts:
        size = sum(4 if word == LINE_END else 1 for word in ids[start:stop])
        assert size <= places or stop == start + 1
        if stop < len(ids):  # one more would have been too many
            assert size + (4 if ids[stop] == LINE_END else 1) > places


def test_bands_cover_all_rows() -> None:
    # Rows of 3, 0, 2, 7, 1, 1 entries.
    offsets = np.array([0, 3, 3, 5, 12, 13, 14])
    assert list(bands(offsets, 5)) == [(0, 3), (3, 4), (4, 6)]
    assert list(bands(offsets, 1)) == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6)]
    assert list(bands(offsets, 14)) == [(0, 6)]
    assert list(bands(np.array([0, 0, 0]), 5)) == [(0, 2)]


@pytest.mark.parametrize("band", [1, 2, 3, 100])
def test_words_beyond_the_borders_are_contexts(band: int) -> None:
    """a b | c a | b, where the stretch is what stands between the bars, window 2."""
    a, b, c = range(3)
    ids = np.array([a, b, c, a, b], np.int32)
    config = CooccurrenceConfig(window=2)
    stretch = Stretch(ids, 2, 4, vocabulary=3, config=config, band=band)
    assert stretch.offsets.tolist() == [0, 1, 1, 2]  # one a, no b, one c
    # In units of 1/2. The a: c at 1 and b at 1, b at 2. The c: b at 1 and a at 1, a at 2 and b at 2.
    expected = {(a, b): 2 + 1, (a, c): 2, (c, a): 1 + 2, (c, b): 2 + 1}
    found = {}
    for first, last in stretch.bands():
        rows = stretch.count(first, last)
        for row in range(last - first):
            entries = slice(rows.offsets[row], rows.offsets[row + 1])
            for column, units in zip(rows.columns[entries], rows.sums[entries], strict=True):
                found[first + row, int(column)] = int(units)
    assert found == expected
