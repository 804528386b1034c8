"""Self-training: with a teacher whose probabilities are known, in memory, to a bundle, stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import Told
from seqkit.embeddings.initial import Initial
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import CorpusError, DataError, InterruptedTraining, MissingInputError, UsageError
from seqkit.sentiment.dataset import Dataset
from seqkit.sentiment.documents import MISSING
from seqkit.sentiment.labels import Labels
from seqkit.sentiment.model import SentimentModel
from seqkit.sentiment.models.average import AverageConfig
from seqkit.sentiment.models.contract import Resources
from seqkit.sentiment.models.convolutional import CnnConfig
from seqkit.sentiment.models.linear import LinearConfig
from seqkit.sentiment.registry import MODELS
from seqkit.sentiment.self_training import CONFIDENCE, TEXTS_AT_ONCE, Unlabelled, pseudo_labelled
from seqkit.sentiment.training import FitConfig, fit_model, train

DATA = Dataset.of(["good", "bad"], ["pos", "neg"], others={"stars": ["5", "1"]})
LINEAR = FitConfig(models=(LinearConfig(ngrams=1),))
AVERAGE = AverageConfig(ngrams=1, epochs=2)
CNN = CnnConfig(epochs=1, filters=4, longest=3)
BOTH = FitConfig(models=(LinearConfig(ngrams=1), AverageConfig(ngrams=1, epochs=3)))
MORE = [
    f"{thing} {word} {new}{end}"
    for word, new in (("lovely", "zestful"), ("awful", "drab"))
    for thing in ("the film was", "a room", "our food here")
    for end in ("", " again", " today", " then")
]
"""Texts that the toy data set labels with certainty; each has a word that it lacks."""


class Teacher:
    """Sure of a text as far as it says itself: "0.9" is positive with that probability."""

    labels = Labels(("neg", "pos"))

    def predict(self, texts: Sequence[str]) -> np.ndarray:
        assert 0 < len(texts) <= TEXTS_AT_ONCE
        positive = np.array([float(text) for text in texts])
        return np.stack([1 - positive, positive], axis=1)


class Course(Told):
    """Progress that remembers all."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks: list[str] = []
        self.done: list[float] = []

    def start(self, task: str, total: float | None, unit: str) -> None:
        self.tasks.append(task)
        self.done.append(0)

    def update(self, completed: float, **metrics: float) -> None:
        self.done.append(completed)

    def finish(self) -> None:
        self.done.append(-1)


def test_texts_that_the_teacher_is_sure_of_are_learned_in_their_order() -> None:
    texts, told = ["0.9", "0.5", " ", "0.1", "0.7", "0.31"], Course()
    found = pseudo_labelled(Teacher(), Unlabelled(texts, 0.7), progress=told)
    assert list(found.texts) == ["0.9", "0.1", "0.7"]
    assert found.targets.tolist() == [1, 0, 1]
    assert told.messages == ["of 5 texts without labels the model is sure of 3: 1 neg, 2 pos"]
    assert told.done == [0, 5, -1]


def test_behind_labelled_texts_they_lack_further_tasks() -> None:
    found = pseudo_labelled(Teacher(), Unlabelled(["0.9", "0.1"])).behind(DATA)
    assert list(found.texts) == ["good", "bad", "0.9", "0.1"]
    assert found.targets.tolist() == [1, 0, 1, 0]
    assert found.targets.dtype == np.int32
    assert found.others["stars"].targets.tolist() == [1, 0, MISSING, MISSING]
    assert found.places[2:] == [("without a label", 1), ("without a label", 2)]


def test_texts_that_have_labels_are_left_out_however_they_are_spaced() -> None:
    found = Unlabelled(["a film", " A  Film ", "a room"], 0.8).without(["a film"])
    assert (list(found.texts), found.confidence) == (["a room"], 0.8)
    with pytest.raises(DataError, match="all texts without labels are among those with labels"):
        found.without(["a room"])


def test_more_texts_than_are_read_at_once() -> None:
    texts = [f"0.9{number}" for number in range(TEXTS_AT_ONCE + 5)]
    assert list(pseudo_labelled(Teacher(), Unlabelled(texts)).texts) == texts


def test_a_model_that_is_sure_of_nothing() -> None:
    with pytest.raises(
        DataError, match=r"of 2 texts .* sure of none: .* more than 0\.600, and 0\.7 is asked"
    ):
        pseudo_labelled(Teacher(), Unlabelled(["0.6", "0.5"], 0.7))


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan")])
def test_a_confidence_that_is_no_probability(confidence: float) -> None:
    with pytest.raises(UsageError, match="confidence must be"):
        Unlabelled(["a"], confidence)


def test_texts_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("good\n\nbad film\n")
    found = Unlabelled.load(tmp_path / "more.txt")
    assert (list(found.texts), found.confidence) == (["good", "bad film"], CONFIDENCE)
    (tmp_path / "none.txt").write_text("\n \n")
    with pytest.raises(CorpusError, match=r"none\.txt: there is no text in it"):
        Unlabelled.load([tmp_path / "none.txt"])
    with pytest.raises(DataError, match="there is no text among those without labels"):
        Unlabelled([" "])
    with pytest.raises(MissingInputError):
        Unlabelled.load(tmp_path / "nowhere.txt")


def test_words_that_only_texts_without_labels_have_are_learned(toy_file: Path) -> None:
    dataset = Dataset.load([toy_file])
    plain = fit_model(dataset, LINEAR)
    taught = fit_model(dataset, LINEAR, unlabelled=Unlabelled(MORE, 0.5))
    index = dataset.labels.index("positive")
    before = plain.model.predict(["zestful", "drab"])[:, index]
    after = taught.model.predict(["zestful", "drab"])[:, index]
    assert before[0] == before[1]  # unknown to it
    assert after[0] > 0.5 > after[1]
    record = taught.self_training
    assert record is not None
    assert (record.unlabelled, record.learned, record.confidence) == (24, 24, 0.5)
    assert record.teacher_accuracy == plain.accuracy
    assert taught.texts == plain.texts == 72
    assert plain.self_training is None


def test_held_out_texts_are_not_learned_from_the_file_without_labels(toy_file: Path) -> None:
    """They stop and calibrate; with the wrong copy of them in the file, it is as if they were not there."""
    dataset = Dataset.load([toy_file])
    _, held = dataset.split(0.1, 0)
    copies = [text.upper() for text in held.texts]
    one, two = (
        fit_model(dataset, LINEAR, unlabelled=Unlabelled([*MORE, *more], 0.5)).model for more in ([], copies)
    )
    texts = ["lovely film", "awful zestful room"]
    assert (one.predict(texts) == two.predict(texts)).all()


def test_weights_are_fitted_on_real_labels_alone(toy_file: Path) -> None:
    """Those of the students on the held-out texts, as a plain run on all that they learned has them."""
    dataset = Dataset.load([toy_file])
    learned, held = dataset.split(0.1, 0)
    taught = fit_model(dataset, LINEAR, unlabelled=Unlabelled(MORE, 0.5))
    targets = [dataset.labels.index(name) for name in ["positive"] * 12 + ["negative"] * 12]
    by_hand = Dataset(
        [*learned.texts, *MORE],
        np.concatenate([learned.targets, np.array(targets, np.int32)]),
        dataset.labels,
    )
    plain = fit_model(by_hand, LINEAR, valid=held)
    assert taught.model.ensemble.weights == plain.model.ensemble.weights
    assert taught.loss == plain.loss


@pytest.mark.parametrize(
    ("models", "seeds"), [((AVERAGE,), 2), pytest.param((AVERAGE, CNN), 1, marks=pytest.mark.slow)]
)
def test_seeds_vectors_and_networks_are_taught_like_all(
    toy_file: Path, models: tuple[Any, ...], seeds: int
) -> None:
    """Each is trained twice; words that only vectors have stay known to the students."""
    words = ["good", "awful", "zestful", "unseen"]
    matrix = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    resources = Resources(vectors=Initial("mine", Vectors(words, matrix), "0" * 64))
    told = Course()
    fitted = fit_model(
        Dataset.load([toy_file]),
        FitConfig(models=models, seeds=seeds),
        unlabelled=Unlabelled(MORE, 0.0),
        resources=resources,
        progress=told,
    )
    members = fitted.model.ensemble.members
    kinds = ["average", "average" if seeds == 2 else "cnn"]
    assert [each.classifier.kind for each in members] == kinds
    assert [each.group for each in members] == [0, 2 - seeds]
    assert fitted.self_training is not None
    assert fitted.self_training.learned == len(MORE)
    names = [f"{kind}-{number}" for number, kind in enumerate(kinds)]
    trained = [f"training {prefix}{name}" for prefix in ("", "student-") for name in names]
    assert [task for task in told.tasks if task.startswith("training")] == trained
    assert {"zestful", "unseen"} <= {*fitted.model.encoder.vocabulary.words}


def test_the_record_of_a_bundle(toy_file: Path, tmp_path: Path) -> None:
    report = train([toy_file], tmp_path / "b", BOTH, unlabelled=Unlabelled(MORE, 0.5))
    assert report.self_training is not None
    assert report.seconds == pytest.approx(
        report.self_training.teacher_seconds + sum(each["seconds"] for each in report.members)
    )
    manifest = SentimentModel.load(tmp_path / "b").manifest
    assert manifest is not None
    record = manifest.metrics["self_training"]
    assert {*record} == {"unlabelled", "learned", "confidence", "teacher_accuracy", "teacher_seconds"}
    assert (record["unlabelled"], record["learned"]) == (24, 24)
    train([toy_file], tmp_path / "plain", LINEAR)
    plain = SentimentModel.load(tmp_path / "plain").manifest
    assert plain is not None
    assert "self_training" not in plain.metrics


def test_a_stopped_run_goes_on_to_the_same_bytes_and_only_with_the_same_texts(
    toy_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is stopped after both teachers and a student; none of them is trained again."""
    unlabelled = Unlabelled(MORE, 0.5)
    train([toy_file], tmp_path / "whole", BOTH, unlabelled=unlabelled)
    names: list[str] = []

    def counted(kind: str, stop: str) -> None:
        module = MODELS[kind]._module
        original = module.fit

        def fit(config: Any, fitting: Any) -> Any:
            names.append(fitting.name)
            if fitting.name == stop:
                raise InterruptedTraining(2, tmp_path / "b.partial")
            return original(config, fitting)

        monkeypatch.setattr(module, "fit", fit)

    with monkeypatch.context() as monkeypatch:
        counted("linear", "")
        counted("average", "student-average-1")
        with pytest.raises(InterruptedTraining):
            train([toy_file], tmp_path / "b", BOTH, unlabelled=unlabelled)
    assert names == ["linear-0", "average-1", "student-linear-0", "student-average-1"]
    for other, difference in (
        (replace(unlabelled, texts=MORE[1:]), r"unlabelled was \w{64}, is \w{64}"),
        (replace(unlabelled, confidence=0.6), r"confidence was 0\.5, is 0\.6"),
        (None, r"unlabelled was \w{64}, is None"),
    ):
        with pytest.raises(UsageError, match=rf"begun with another command \({difference}"):
            train([toy_file], tmp_path / "b", BOTH, unlabelled=other)
    names.clear()
    with monkeypatch.context() as monkeypatch:
        counted("linear", "")
        counted("average", "")
        train([toy_file], tmp_path / "b", BOTH, unlabelled=unlabelled)
    assert names[0] == "student-average-1"
    assert len(names) == 2  # and the linear model on all texts in the end
    first, second = ((tmp_path / name / "tensors.safetensors").read_bytes() for name in ("whole", "b"))
    assert first == second
