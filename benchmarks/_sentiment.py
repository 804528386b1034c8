"""The data sets of `sentiment.py`, its models, and fastText on the same texts."""

from __future__ import annotations

import lzma
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from seqkit.sentiment.cutting import Cutter
from seqkit.sentiment.dataset import Dataset
from seqkit.sentiment.labels import Labels
from seqkit.sentiment.models.average import AverageConfig
from seqkit.sentiment.models.contract import Resources
from seqkit.sentiment.models.convolutional import CnnConfig
from seqkit.sentiment.models.lexicon import LexiconConfig
from seqkit.sentiment.models.linear import LinearConfig
from seqkit.sentiment.models.recurrent import RnnConfig
from seqkit.sentiment.self_training import Unlabelled
from seqkit.sentiment.training import FitConfig, fit_model

DATA = Path(os.environ.get("SEQKIT_DATA", Path(__file__).parents[1] / ".." / "shared" / "data")) / "sentiment"
FOLDS = 10
SETS = ("imdb", "mr", "subj", "sst5")


def load(name: str, labels: Labels | None = None) -> Dataset:
    """A file of `DATA`."""
    return Dataset.load([DATA / name], labels=labels)


@dataclass(frozen=True)
class Split:
    """What is learned, what decides when to stop and calibrates, and what is asked in the end."""

    learned: Dataset
    valid: Dataset | float
    asked: Dataset


def dev_splits(name: str) -> list[Split]:
    """Inner splits, for everything that is tried."""
    if name == "sst5":
        train = load("sst5.train.tsv")
        return [Split(train, 0.1, load("sst5.dev.tsv", train.labels))]
    if name == "imdb":
        train = load("imdb.train.tsv.xz")
        # Reviews of a film stand together in the file and share its words: whole films are held out.
        of_label = np.zeros(len(train), np.int64)
        for label in range(2):
            places = np.flatnonzero(train.targets == label)
            of_label[places] = np.arange(len(places)) * 5 // len(places)
        learned, asked = (train.take(np.flatnonzero(found)) for found in (of_label < 4, of_label == 4))
        return [Split(learned, 0.1, asked)]
    learned, _ = next(iter(load(f"{name}.tsv").folds(FOLDS, 0)))
    rest, asked = learned.split(0.2, 1)
    return [Split(rest, 0.1, asked)]


def test_splits(name: str) -> list[Split]:
    """What figures are published of: a test set, or ten folds."""
    if name == "sst5":
        train = load("sst5.train.tsv")
        dev, test = (load(f"sst5.{part}.tsv", train.labels) for part in ("dev", "test"))
        return [Split(train, dev, test)]
    if name == "imdb":
        train = load("imdb.train.tsv.xz")
        return [Split(train, 0.1, load("imdb.test.tsv.xz", train.labels))]
    return [Split(learned, 0.1, asked) for learned, asked in load(f"{name}.tsv").folds(FOLDS, 0)]


def unlabelled() -> list[str]:
    """IMDb's reviews without labels."""
    with lzma.open(DATA / "imdb.unlabelled.txt.xz", "rt", encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file]


LINEAR = {
    "imdb": LinearConfig(l2=1e-3),
    "mr": LinearConfig(min_count=1, l2=1e-3),
    "subj": LinearConfig(ngrams=2, min_count=1, l2=3e-4),
    "sst5": LinearConfig(ngrams=2, l2=3e-3),
}
AVERAGE = AverageConfig(
    hidden_layers=1, hidden_units=200, ngrams=1, frozen=True,
    learning_rate=0.05, epochs=10, dropout=0.3, word_dropout=0.2,
)  # fmt: skip
TUNED_AVERAGE = AverageConfig(learning_rate=0.05, epochs=4, word_dropout=0.3)
SENTENCE_CNN = CnnConfig(
    epochs=8, frozen=True, shortest=1, longest=3, filters=200, learning_rate=0.0005, vector_dropout=0.3
)
TUNED_CNN = replace(SENTENCE_CNN, frozen=False, epochs=4)
TUNED_RNN = RnnConfig(epochs=4, learning_rate=0.001, vector_dropout=0.3, word_dropout=0.2)
LANGUAGE_RNN = RnnConfig(epochs=4, learning_rate=0.001, word_dropout=0.1, unfreezing=False, rate_decay=1.0)
REVIEW_CNN = CnnConfig(
    epochs=2, patience=None, shortest=2, longest=3, filters=100, learning_rate=0.001, schedule="cosine",
    vector_dropout=0.2,
)  # fmt: skip
SELF_TRAINED = (
    LinearConfig(ending=80),
    AverageConfig(epochs=2),
    CnnConfig(epochs=2, shortest=2, longest=4, schedule="cosine"),
)


@dataclass(frozen=True)
class Recipe:
    """A contestant.

    Args:
        models: that answer together.
        vectors: whether they begin with word vectors.
        language_model: whether `rnn` begins with a language model.
        self_trained: whether texts without labels are learned, too.
    """

    models: tuple[Any, ...]
    vectors: bool = False
    language_model: bool = False
    self_trained: bool = False

    def has_all(self, resources: Resources) -> bool:
        """Whether it finds what it begins with."""
        return (not self.vectors or resources.vectors is not None) and (
            not self.language_model or resources.language_model is not None
        )


def recipes(name: str) -> dict[str, Recipe]:
    """The models of a set, by their name in the table."""
    cnn = REVIEW_CNN if name == "imdb" else SENTENCE_CNN
    average = TUNED_AVERAGE if name == "subj" else AVERAGE
    linear = LINEAR[name]
    found = {
        "lexicon": Recipe((LexiconConfig(),)),
        "average": Recipe((AverageConfig(),)),
        "average, vectors": Recipe((average,), vectors=True),
        "linear": Recipe((linear,)),
        "cnn, vectors": Recipe((cnn,), vectors=True),
        "linear + average": Recipe((linear, average), vectors=True),
        "linear + cnn": Recipe((linear, cnn), vectors=True),
        "linear + average + cnn": Recipe((linear, average, cnn), vectors=True),
    }
    if name == "subj":
        found["linear + average + rnn + cnn"] = Recipe((linear, average, TUNED_RNN, TUNED_CNN), vectors=True)
        found["linear + average + rnn + cnn, language model"] = Recipe(
            (linear, average, LANGUAGE_RNN, TUNED_CNN), vectors=True, language_model=True
        )
    if name == "imdb":
        student = LinearConfig(min_count=3, l2=3e-4)
        found["linear, self-trained"] = Recipe((student,), self_trained=True)
        found["linear + cnn, self-trained"] = Recipe((student, cnn), vectors=True, self_trained=True)
        found["linear + average + cnn, self-trained"] = Recipe(SELF_TRAINED, vectors=True, self_trained=True)
    return found


def fitted(split: Split, recipe: Recipe, resources: Resources, seed: int) -> Any:
    """The trained model; it takes of the resources what the recipe has."""
    resources = replace(
        resources,
        vectors=resources.vectors if recipe.vectors else None,
        language_model=resources.language_model if recipe.language_model else None,
    )
    more = Unlabelled(unlabelled()) if recipe.self_trained else None
    config = FitConfig(models=recipe.models, seed=seed)
    return fit_model(split.learned, config, valid=split.valid, unlabelled=more, resources=resources).model


class FastText:
    """fastText's supervised classifier, a program that is built by hand.

    Its texts are cut as ours are, for it cuts at white space only.
    """

    def __init__(self, program: str, arguments: Sequence[str]) -> None:
        self.program, self.arguments = program, list(arguments)

    def fit(self, split: Split, seed: int, folder: Path) -> tuple[Callable[[Dataset], np.ndarray], float]:
        """What answers, and the seconds that training took."""
        order = np.random.default_rng(seed).permutation(
            len(split.learned)
        )  # it learns in the order of the file
        write_cut(split.learned.take(order), folder / "train.txt")
        options = ["-input", "train.txt", "-output", "model", "-seed", str(seed), "-verbose", "0"]
        began = time.monotonic()
        subprocess.run([self.program, "supervised", *options, *self.arguments], cwd=folder, check=True)
        return lambda dataset: self.answers(dataset, folder), time.monotonic() - began

    def answers(self, dataset: Dataset, folder: Path) -> np.ndarray:
        """The label given to each text as a certainty, (texts, labels)."""
        write_cut(dataset, folder / "asked.txt")
        found = subprocess.run(
            [self.program, "predict", "model.bin", "asked.txt"],
            cwd=folder, check=True, text=True, stdout=subprocess.PIPE,
        )  # fmt: skip
        given = [int(line.removeprefix("__label__")) for line in found.stdout.split()]
        return np.eye(len(dataset.labels))[given] * 0.98 + 0.01 / len(dataset.labels)


def write_cut(dataset: Dataset, path: Path) -> None:
    """A text a line, its tokens between spaces, behind the number of its label."""
    cutter = Cutter()
    with path.open("w", encoding="utf-8") as file:
        for text, target in zip(dataset.texts, dataset.targets.tolist(), strict=True):
            file.write(f"__label__{target} {' '.join(cutter.tokens(text))}\n")


PEERS = {
    "imdb": ["-wordNgrams", "2", "-epoch", "5", "-lr", "0.5", "-dim", "16", "-bucket", "2000000"],
    "mr": ["-wordNgrams", "2", "-epoch", "10", "-lr", "0.3", "-dim", "16", "-bucket", "200000"],
    "subj": ["-wordNgrams", "2", "-epoch", "10", "-lr", "0.3", "-dim", "16", "-bucket", "200000"],
    "sst5": ["-wordNgrams", "2", "-epoch", "10", "-lr", "0.3", "-dim", "16", "-bucket", "200000"],
}


def scratch() -> Any:
    """A folder for files of a moment."""
    return tempfile.TemporaryDirectory()
