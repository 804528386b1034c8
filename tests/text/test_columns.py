"""Which columns are read: named ones, guessed ones, and what is said where neither is possible."""

from __future__ import annotations

import pytest

from seqkit.errors import CorpusError
from seqkit.text.columns import Columns, choose, looks_like_header


@pytest.mark.parametrize(
    ("names", "columns", "text", "labels"),
    [
        (["label", "text"], Columns(), "text", ("label",)),
        (["Review_Text", "Star Rating", "id"], Columns(), "Review_Text", ("Star Rating",)),
        (["sentiment", "title", "sentence", "text"], Columns(), "text", ("sentiment",)),
        (["polarity", "snippet"], Columns(), "snippet", ("polarity",)),
        (["text", "gold"], Columns(), "text", ("gold",)),
        (["a", "b"], Columns("b"), "b", ("a",)),
        (["a", "b"], Columns(labels=("b",)), "a", ("b",)),
        (["text", "stars", "polarity"], Columns(labels=("stars", "polarity")), "text", ("stars", "polarity")),
        (["review", "text"], Columns(labels=("review",)), "text", ("review",)),
        (["Text", "text", "label"], Columns(), "Text", ("label",)),
    ],
)
def test_chosen(names: list[str], columns: Columns, text: str, labels: tuple[str, ...]) -> None:
    chosen = choose(names, columns, "data.csv", labelled=True)
    assert (chosen.text, chosen.labels) == (text, labels)


def test_what_was_guessed_is_told() -> None:
    chosen = choose(["text", "stars", "id"], Columns(), "data.csv", labelled=True)
    assert chosen.guessed
    assert chosen.told() == "text is column 'text', label is column 'stars'"
    assert not choose(["a", "b", "c"], Columns("a", ("b",)), "data.csv", labelled=True).guessed


def test_without_labels_only_the_text_is_chosen() -> None:
    chosen = choose(["id", "text"], Columns(None, ("stars",)), "data.csv", labelled=False)
    assert (chosen.text, chosen.labels) == ("text", ())


@pytest.mark.parametrize(
    ("names", "columns", "message"),
    [
        (
            ["text", "stars"],
            Columns(labels=("star",)),
            "no column 'star'; did you mean 'stars'? there are text, stars",
        ),
        (["a", "b"], Columns("zzz"), "no column 'zzz'; there are a, b"),
        (["text", "label", "label"], Columns("text", ("label",)), "two columns are called 'label'"),
        (["label", "label", "text"], Columns(), "two columns are called 'label'"),
        (["text", "label", "text"], Columns(), "two columns are called 'text'"),
        (["text", "label"], Columns("text", ("text",)), "a column is named twice in text, text"),
        (
            ["a", "b", "label"],
            Columns(),
            "which column is the text? Name it with --text-column; there are a, b, label",
        ),
        (
            ["a", "b", "text"],
            Columns(),
            "which column is the label? Name it with --label-column; there are a, b, text",
        ),
        (
            ["a", "b", "c"],
            Columns(labels=("a", "b")),
            "which column is the text? Name it with --text-column; there are a, b, c",
        ),
    ],
)
def test_refused(names: list[str], columns: Columns, message: str) -> None:
    with pytest.raises(CorpusError) as caught:
        choose(names, columns, "data.csv", labelled=True)
    assert str(caught.value).endswith(message)
    assert str(caught.value).startswith("data.csv")


@pytest.mark.parametrize(
    ("cells", "labelled", "header"),
    [
        (["label", "text"], True, True),
        (["polarity", "anything"], True, True),
        (["1", "the text"], True, False),
        (["text 0", "1"], True, False),
        (["sentiment", "a", "b"], True, False),
        (["id", "review", "sentiment"], True, True),
        (["label"], True, False),
        (["text"], False, True),
        (["the text"], False, False),
    ],
)
def test_headers(cells: list[str], labelled: bool, header: bool) -> None:
    assert looks_like_header(cells, labelled=labelled) == header
