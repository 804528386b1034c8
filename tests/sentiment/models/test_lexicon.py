"""The lexicon model: NLTK's analyzer, read by NLTK itself, as oracle."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from seqkit.errors import DataError, MissingInputError
from seqkit.sentiment.cutting import Cutter
from seqkit.sentiment.documents import Documents, Labelled, Task
from seqkit.sentiment.encoder import TextEncoder, vocabulary_of
from seqkit.sentiment.labels import Labels
from seqkit.sentiment.models import lexicon
from seqkit.sentiment.models.contract import Fitting
from seqkit.sentiment.models.lexicon import Lexicon, LexiconConfig, fit

WORDS = {"good": 1.9, "great": 3.1, "love": 3.2, "bad": -2.5, "awful": -2.0, "hate": -2.7, ":)": 2.0}
TEXTS = {
    "negative": ["a bad film", "awful, just awful!", "i hate it", "not good", "BAD acting here"],
    "positive": ["a good film", "great, just great!", "i love it", "not bad", "what a GREAT film :)"],
    "neutral": ["a film", "it has actors", "the plot is a plot", "seen on tuesday", "one of many"],
}


@pytest.fixture(autouse=True)
def own_lexicon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lexicon of a few words where NLTK looks first."""
    folder = tmp_path / "sentiment" / "vader_lexicon"
    folder.mkdir(parents=True)
    lines = "\n".join(f"{word}\t{valence}\t0.5\t[1, 2]" for word, valence in WORDS.items())
    (folder / "vader_lexicon.txt").write_text(lines)
    for path in (tmp_path, folder.parent, folder, folder / "vader_lexicon.txt"):
        path.chmod(0o755)
    monkeypatch.setenv("NLTK_DATA", str(tmp_path))
    monkeypatch.setattr("nltk.data.path", [str(tmp_path)])
    lexicon._analyzer.cache_clear()
    yield folder
    lexicon._analyzer.cache_clear()


def data(*labels: str) -> tuple[Labelled, TextEncoder]:
    names = Labels.of(labels)
    texts = [text for label in labels for text in TEXTS[label]]
    targets = np.array([names.index(label) for label in labels for _ in TEXTS[label]], np.int32)
    encoder = TextEncoder(Cutter(), vocabulary_of(Cutter(), texts))
    return Labelled(encoder.encode(texts), Task(names, targets)), encoder


def fitted(*labels: str, balanced: bool = False) -> tuple[Lexicon, Labelled, TextEncoder]:
    train, encoder = data(*labels)
    return fit(LexiconConfig(balanced), Fitting(train, train, encoder.vocabulary)), train, encoder


def compounds(texts: list[str]) -> np.ndarray:
    from nltk.sentiment.vader import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer("sentiment/vader_lexicon/vader_lexicon.txt")
    return np.array([analyzer.polarity_scores(text)["compound"] for text in texts])


def test_two_labels_are_a_line_through_the_compound() -> None:
    model, train, _ = fitted("negative", "positive")
    z = model.logits(train.documents)
    c = compounds(list(train.documents.texts))
    assert np.allclose(z, np.outer(c, model.weights[0]) + model.bias, atol=1e-6)
    assert (z.argmax(axis=1) == train.main.targets).all()
    assert model.weights[0, 1] > 1 > -1 > model.weights[0, 0]


def test_a_third_label_lies_in_the_middle() -> None:
    model, train, encoder = fitted("negative", "neutral", "positive")
    z = model.logits(train.documents)
    c = compounds(list(train.documents.texts))
    assert np.allclose(
        z, np.outer(c, model.weights[0]) + np.outer(c**2, model.weights[1]) + model.bias, atol=1e-5
    )
    assert (z.argmax(axis=1) == train.main.targets).all()
    assert model.logits(encoder.encode(["unheard-of"])).argmax() == 1


def test_weights_are_at_the_minimum() -> None:
    model, train, _ = fitted("negative", "positive")
    p = np.exp(model.logits(train.documents).astype(np.float64))
    p /= p.sum(axis=1, keepdims=True)
    slope = (p - np.eye(2)[train.main.targets]) / len(train)
    c = compounds(list(train.documents.texts))
    assert np.allclose(c @ slope + 1e-4 * model.weights[0], 0, atol=1e-4)
    assert np.allclose(slope.sum(axis=0) + 1e-4 * model.bias, 0, atol=1e-4)


def test_attributions_add_up_and_tell_who_turns_the_text() -> None:
    model, _, encoder = fitted("negative", "positive")
    texts = encoder.encode(["It's not good!<br />But they say we all LOVE it :) :)", "", "hate"])
    shares = model.attributions(texts)
    assert [len(share) for share in shares] == texts.lengths.tolist()
    nothing = model.logits(encoder.encode([""]))[0]
    sums = np.stack([share.sum(axis=0) for share in shares])
    assert np.allclose(sums, model.logits(texts) - nothing, atol=1e-5)
    tokens = Cutter().tokens(texts.texts[0])
    positive = dict(zip(tokens, shares[0][:, 1], strict=True))
    assert positive["good"] < 0 < positive["love"]  # it stands behind "not"
    assert positive["it"] == 0


def test_line_breaks_of_html_are_no_words() -> None:
    model, _, encoder = fitted("negative", "positive")
    z = model.logits(encoder.encode(["good<br /><br />film", "good film"]))
    assert np.array_equal(z[0], z[1])


def test_words_of_the_lexicon_are_known_whatever_was_learned() -> None:
    """Of "top-notch" VADER knows the whole, not the parts; of "a film" the texts learned have the words."""
    lexicon._analyzer().lexicon["top-notch"] = 2.0
    model, _, encoder = fitted("negative", "positive")
    texts = ["GREAT :) zebra", "zebra", "top-notch", "it has :)", "a film", "", "hate hate\nhate"]
    documents = TextEncoder(Cutter(lowercase=False), encoder.vocabulary).encode(texts)
    assert model.known(documents).tolist() == [2, 0, 1, 2, 2, 0, 3]


def test_labels_count_the_same_where_they_are_balanced() -> None:
    train, encoder = data("negative", "positive")
    few = train.take(np.array([0, 5, 6, 7, 8, 9]))
    plain, balanced = (
        fit(LexiconConfig(each), Fitting(few, few, encoder.vocabulary)) for each in (False, True)
    )
    nothing = encoder.encode([""])
    assert balanced.logits(nothing)[0, 0] > plain.logits(nothing)[0, 0]


def test_tensors_make_it_again() -> None:
    model, train, encoder = fitted("negative", "neutral", "positive")
    again = Lexicon.from_tensors(model.config, model.tensors(), encoder.vocabulary, train.main.labels)
    assert np.array_equal(again.logits(train.documents), model.logits(train.documents))
    assert model.logits(Documents([], np.zeros(0, np.int32), np.zeros(1, np.int64))).shape == (0, 3)


@pytest.mark.parametrize("change", ["less", "labels", "dtype"])
def test_tensors_that_do_not_fit_are_refused(change: str) -> None:
    model, _, encoder = fitted("negative", "neutral", "positive")
    tensors = dict(model.tensors())
    if change == "less":
        del tensors["bias"]
    if change == "dtype":
        tensors["bias"] = tensors["bias"].astype(np.float64)
    labels = Labels.of(["a", "b"] if change == "labels" else ["a", "b", "c"])
    with pytest.raises(DataError):
        Lexicon.from_tensors(model.config, tensors, encoder.vocabulary, labels)


def test_a_missing_lexicon_is_one_line_that_says_how_to_get_it(own_lexicon: Path) -> None:
    (own_lexicon / "vader_lexicon.txt").unlink()
    own_lexicon.rmdir()
    with pytest.raises(MissingInputError, match="seqkit corpus fetch nltk:vader_lexicon"):
        fitted("negative", "positive")


def test_a_damaged_lexicon_is_one_line(own_lexicon: Path) -> None:
    (own_lexicon / "vader_lexicon.txt").write_text("good\tvery\n")
    with pytest.raises(DataError, match="vader_lexicon: could not convert"):
        fitted("negative", "positive")


@pytest.mark.data
def test_the_whole_lexicon(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(os.environ.get("SEQKIT_DATA", "../shared/data")) / "nltk_data"
    if not (folder / "sentiment").is_dir():
        pytest.skip("SEQKIT_DATA has no nltk_data/sentiment")
    monkeypatch.setenv("NLTK_DATA", str(folder.resolve()))
    monkeypatch.setattr("nltk.data.path", [])
    lexicon._analyzer.cache_clear()
    found = lexicon._analyzer()
    from nltk.sentiment.vader import SentimentIntensityAnalyzer

    assert found.lexicon == SentimentIntensityAnalyzer().lexicon
    # Hutto & Gilbert's own example: https://github.com/cjhutto/vaderSentiment#code-examples
    assert lexicon._compound("VADER is smart, handsome, and funny.") == 0.8316
