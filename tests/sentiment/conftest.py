"""A small data set that a linear model learns at once, and a bundle of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqkit.sentiment.models.linear import LinearConfig
from seqkit.sentiment.training import FitConfig, train

GOOD, BAD = ("good", "fine", "lovely", "great"), ("bad", "dull", "awful", "poor")
THINGS = ("film", "food", "book", "room", "phone")
LINES = [
    f"{label}\tthe {thing} was {word} {place}"
    for label, words in (("positive", GOOD), ("negative", BAD))
    for word in words
    for thing in THINGS
    for place in ("here", "there")
]
"""80 texts, half of each label; each word of feeling is in ten of them, always of one label."""

CONFIG = FitConfig(models=(LinearConfig(ngrams=2),))


@pytest.fixture(scope="session")
def toy_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data set as a TSV without a header."""
    path = tmp_path_factory.mktemp("toy") / "toy.tsv"
    path.write_text("\n".join(LINES) + "\n")
    return path


@pytest.fixture(scope="session")
def toy_bundle(toy_file: Path) -> Path:
    """A linear model of it."""
    path = toy_file.with_name("linear")
    train([toy_file], path, CONFIG)
    return path
