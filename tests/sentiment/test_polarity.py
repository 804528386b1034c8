"""What labels say about good and bad."""

from __future__ import annotations

import pytest

from seqkit.sentiment.labels import Labels
from seqkit.sentiment.polarity import polarity


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("neg", "pos"), [-1, 1]),
        (("Bad", "GOOD"), [-1, 1]),
        (("0", "1"), [-1, 1]),
        (("-1", "0", "1"), [-1, 0, 1]),
        # 4 is two thirds of the way from 1 to 5.5; twice that, less 1.
        (("1", "4", "5.5"), [-1, 1 / 3, 1]),
        (
            ("negative", "neutral", "positive", "very negative", "very_positive"),
            [-0.5, 0, 0.5, -1, 1],
        ),
    ],
)
def test_labels_that_say_so(names: tuple[str, ...], expected: list[float]) -> None:
    assert polarity(Labels(names)) == pytest.approx(expected)


@pytest.mark.parametrize(
    "names",
    [("anger", "joy"), ("negative", "spam"), ("positive", "neutral"), ("very", "positive"), ("1", "nan")],
)
def test_labels_that_do_not(names: tuple[str, ...]) -> None:
    assert polarity(Labels(names)) is None
