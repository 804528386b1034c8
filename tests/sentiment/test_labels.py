"""Labels: their order, whether they are ratings, errors with a next step."""

from __future__ import annotations

import pytest

from seqkit.errors import DataError
from seqkit.sentiment.labels import Labels


@pytest.mark.parametrize(
    ("names", "ordered", "ordinal"),
    [
        (["positive", "negative", "positive"], ("negative", "positive"), False),
        (["1", "0"], ("0", "1"), False),  # two numbers are names: what lies between them is nothing
        (["10", "9", "1"], ("1", "9", "10"), True),  # by value, not by code point
        (["-1", "0.5", "2"], ("-1", "0.5", "2"), True),
        (["1", "2", "three"], ("1", "2", "three"), False),
        (["nan", "1", "2"], ("1", "2", "nan"), False),
    ],
)
def test_order_and_ratings(names: list[str], ordered: tuple[str, ...], ordinal: bool) -> None:
    labels = Labels.of(names)
    assert labels.names == ordered
    assert labels.ordinal is ordinal
    assert [labels.index(name) for name in ordered] == [*range(len(ordered))]


def test_ratings() -> None:
    assert Labels.of(["5", "1", "3"]).ratings.tolist() == [1.0, 3.0, 5.0]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "texts need two labels or more to be told apart, and there is none"),
        (["good", "good"], "texts need two labels or more to be told apart, and the only one is 'good'"),
    ],
)
def test_too_few(names: list[str], message: str) -> None:
    with pytest.raises(DataError) as error:
        Labels.of(names)
    assert str(error.value) == message


def test_a_label_twice() -> None:
    with pytest.raises(DataError, match="a label stands twice in a, a"):
        Labels(("a", "a"))


def test_a_label_that_is_a_text() -> None:
    with pytest.raises(DataError, match=r"a label of 1,001 characters, x{40}…: is it the right column\?"):
        Labels(("a", "x" * 1001))
    assert len(Labels(("a", "x" * 1000))) == 2


@pytest.mark.parametrize(
    ("name", "hint"), [("postive", "did you mean 'positive'"), ("xyz", "known: negative, positive")]
)
def test_an_unknown_label(name: str, hint: str) -> None:
    with pytest.raises(DataError, match=f"'{name}' is no label of the model; {hint}"):
        Labels.of(["positive", "negative"]).index(name)
