"""What trained models make of negation, names, intensity and typing errors.

The rates are floors, with room below those of docs/sentiment-evaluation.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqkit.sentiment.dataset import Dataset
from seqkit.sentiment.evaluation.behaviour import behaviour
from seqkit.sentiment.models.average import AverageConfig
from seqkit.sentiment.models.lexicon import LexiconConfig
from seqkit.sentiment.models.linear import LinearConfig
from seqkit.sentiment.training import FitConfig, fit_model


@pytest.fixture(scope="module")
def reviews() -> Dataset:
    """Bundled reviews of films, food, hotels, books and phones."""
    return Dataset.load("reviews:3000")


def rates(dataset: Dataset, config: Any) -> dict[str, float]:
    fitted = fit_model(dataset, FitConfig(models=(config,)))
    return {each.name: each.rate.value for each in behaviour(fitted.model)}


def test_pairs_of_words_tell_denial(reviews: Dataset) -> None:
    words = rates(reviews, LinearConfig(ngrams=1))
    pairs = rates(reviews, LinearConfig(ngrams=2))
    # To a sum over words "not" says the same of good and of bad: no more than half can turn round.
    assert words["negation"] < 0.4 < pairs["negation"]
    for found in (words, pairs):
        assert found["names"] > 0.9
        assert found["typos"] > 0.85


def test_averages(reviews: Dataset) -> None:
    found = rates(reviews, AverageConfig(bits=14))
    assert found["negation"] > 0.25
    assert found["names"] > 0.9
    assert found["typos"] > 0.85


@pytest.mark.data
def test_the_lexicon_knows_degrees(reviews: Dataset, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NLTK_DATA", str(data_dir / "nltk_data"))
    found = rates(reviews.take(np.arange(300)), LexiconConfig())
    assert found["negation"] > 0.6
    assert found["intensifiers"] > 0.6
    assert found["names"] == 1
    assert found["typos"] > 0.85
