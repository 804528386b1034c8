"""A trained model: labels, probabilities, explanations, streams."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from seqkit.errors import DataError, UsageError
from seqkit.sentiment.model import BATCH, SentimentModel


@pytest.fixture(scope="module")
def model(toy_bundle: Path) -> SentimentModel:
    return SentimentModel.load(toy_bundle)


def test_classify(model: SentimentModel) -> None:
    good, bad = model.classify(["The film was lovely!", "the food was awful xyz"])
    assert (good.label, bad.label) == ("positive", "negative")
    assert (good.tokens, good.unknown) == (5, 1)  # "!" was never seen
    assert (bad.tokens, bad.unknown) == (5, 1)
    assert good.rating is None
    assert sum(good.probabilities.values()) == pytest.approx(1)
    assert good.probability == good.probabilities["positive"] > 0.5


def test_nothing_known_is_no_guess(model: SentimentModel) -> None:
    for text in ("", "  ", "qwertz uiop"):
        (found,) = model.classify([text])
        assert found.label is None
        assert found.nothing_known


def test_threshold(model: SentimentModel) -> None:
    (sure,) = model.classify(["the film was lovely"])
    just, above = sure.probability, np.nextafter(sure.probability, 1)
    assert [next(model.classify([sure.text], threshold=t)).label for t in (just, above)] == ["positive", None]
    with pytest.raises(UsageError, match=r"threshold must be from 0 to 1, not 1\.5"):
        next(model.classify([""], threshold=1.5))


def test_predict_is_what_classify_says(model: SentimentModel) -> None:
    texts = ["the film was lovely", "", "dull"] * BATCH
    found = model.predict(texts)
    assert found.shape == (len(texts), 2)
    assert found[:3].tolist() == [list(each.probabilities.values()) for each in model.classify(texts[:3])]
    assert (found.reshape(BATCH, 3, 2) == found[:3]).all()
    assert model.predict([]).shape == (0, 2)


def test_explanations_add_up_to_the_log_odds(model: SentimentModel) -> None:
    text = "the film was awful but lovely"
    words = model.explain(text, "positive")
    assert [token for token, _ in words] == text.split()
    empty, full = (np.log(model.predict([each])[0]) for each in ("", text))
    expected = (full[1] - full[0]) - (empty[1] - empty[0])
    assert sum(weight for _, weight in words) == pytest.approx(expected, rel=1e-4)
    weights = dict(words)
    assert weights["lovely"] > 0 > weights["awful"]
    # the label that is explained by itself is the likeliest
    likeliest = model.labels.names[int(full.argmax())]
    assert model.explain(text) == model.explain(text, likeliest)
    assert model.explain("") == []
    with pytest.raises(DataError, match="'postive' is no label of the model; did you mean 'positive'"):
        model.explain(text, "postive")


def test_one_text_is_no_list_of_letters(model: SentimentModel) -> None:
    for ask in (model.predict, model.classify):
        with pytest.raises(UsageError, match=r"texts come in a list: \['good film'\], not"):
            ask("good film")


def test_a_stream_is_not_held(model: SentimentModel) -> None:
    """In order, and with as little memory after many texts as after few."""

    def stream() -> Iterator[str]:
        for number in itertools.count():
            yield f"the film number {number} was {'good' if number % 3 else 'bad'}"

    found = model.classify(stream())
    for number, each in zip(range(BATCH), found, strict=False):
        assert each.label == ("positive" if number % 3 else "negative")
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number, each in zip(range(20 * BATCH), found, strict=False):
        assert f"number {number + BATCH} " in each.text
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    # 20 batches of texts alone would be 2 MB; two batches, and what is known of forms, may be there
    assert grown < 4_000_000
