"""Data sets: loaded, their labels checked, divided, encoded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers import Told
from seqkit.errors import CorpusError, DataError, UsageError
from seqkit.sentiment.cutting import Cutter
from seqkit.sentiment.dataset import Dataset
from seqkit.sentiment.documents import MISSING
from seqkit.sentiment.encoder import TextEncoder, vocabulary_of
from seqkit.sentiment.labels import Labels
from seqkit.text.columns import Columns


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.tsv"


def test_what_is_loaded(path: Path, tmp_path: Path) -> None:
    path.write_text("pos\tgood\nneg\tbad\n")
    more = tmp_path / "more.csv"
    more.write_text("review,sentiment\nfine,pos\n")
    data = Dataset.load([path, more])
    assert (data.texts, data.targets.tolist()) == (["good", "bad", "fine"], [1, 0, 1])
    assert data.targets.dtype == np.int32
    assert data.labels == Labels(("neg", "pos"))
    assert data.places == [(str(path), 1), (str(path), 2), (str(more), 2)]
    assert Dataset.load(path).texts == ["good", "bad"]


def test_further_tasks_may_lack_labels(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.jsonl"
    first.write_text("text,stars,mood\na,1,\nb,3,joy\nc,5,fear\n")
    second.write_text('{"text": "d", "stars": 3}\n')
    data = Dataset.load([first, second], Columns("text", ("stars", "mood")))
    assert (data.labels.names, data.targets.tolist()) == (("1", "3", "5"), [0, 1, 2, 1])
    assert data.others["mood"].labels.names == ("fear", "joy")
    assert data.others["mood"].targets.tolist() == [MISSING, 1, 0, MISSING]
    taken = data.take(np.array([2, 0]))
    assert taken.others["mood"].targets.tolist() == [0, MISSING]
    mood = Labels(("fear", "joy", "rage"))
    second.write_text('{"text": "d", "stars": 3, "mood": "joy"}\n{"text": "e", "stars": 1, "mood": "joy"}\n')
    again = Dataset.load(second, Columns("text", ("stars", "mood")), other_labels={"mood": mood})
    assert (again.others["mood"].labels, again.others["mood"].targets.tolist()) == (mood, [1, 1])


def test_the_labels_of_a_model_bind(path: Path) -> None:
    path.write_text("pos\tgood\npos\tfine\n")
    labels = Labels(("neg", "neutral", "pos"))
    data = Dataset.load(path, labels=labels)
    assert (data.labels, data.targets.tolist()) == (labels, [2, 2])
    path.write_text("pos\tgood\nnet\tbad\n")
    with pytest.raises(CorpusError, match="'net' is no label of the model; did you mean 'neutral'") as caught:
        Dataset.load(path, labels=Labels(("negative", "neutral", "pos")))
    assert (caught.value.path, caught.value.line) == (str(path), 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1\ta\n1\tb\n", ": every text has the label '1', and a classifier needs two or more"),
        ("1\ta\n\tb\n", ", line 2: the text has no label in column 'label'"),
        ("1\t\n0\t \n", ": there is no text in it"),
        ("label\ttext\n", ": there is no text in it"),
        (
            "".join(f"text {number}\t{number % 2}\n" for number in range(102)),
            ": 102 different labels on 102 texts, such as 'text 0'; is it the right column? (--label-column)",
        ),
    ],
)
def test_refused(path: Path, content: str, message: str) -> None:
    path.write_text(content)
    with pytest.raises(CorpusError) as caught:
        Dataset.load(path)
    assert str(caught.value) == f"{path}{message}"


def test_a_task_with_one_label_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,stars,mood\na,1,joy\nb,3,joy\n")
    with pytest.raises(DataError, match=r"column 'mood': .* the only one is 'joy'"):
        Dataset.load(path, Columns("text", ("stars", "mood")))


def test_a_folder_with_one_class(tmp_path: Path) -> None:
    (tmp_path / "pos").mkdir()
    (tmp_path / "pos" / "1.txt").write_text("good")
    with pytest.raises(CorpusError, match="every text has the label 'pos'"):
        Dataset.load(tmp_path)


def test_empty_texts_are_left_out_and_counted(path: Path) -> None:
    path.write_text("1\ta\n0\t\n0\t \n0\tb\n")
    told = Told()
    assert Dataset.load(path, progress=told).texts == ["a", "b"]
    assert told.messages[-1] == f"2 empty texts are left out, the first in {path}, line 2"


def test_sources_are_needed() -> None:
    with pytest.raises(UsageError, match="one source"):
        Dataset.load([])
    with pytest.raises(UsageError, match="stdin"):
        Dataset.load(["-", "-"])


def test_of_texts_in_memory() -> None:
    data = Dataset.of(
        ["a", "b"], ["5", "3"], others={"mood": ["fear", "joy"]}, labels=Labels(("1", "3", "5"))
    )
    assert (data.targets.tolist(), data.others["mood"].targets.tolist()) == ([2, 1], [0, 1])
    with pytest.raises(DataError, match="mood"):
        Dataset.of(["a", "b"], ["5", "3"], others={"mood": [None, None]})
    with pytest.raises(UsageError, match="2 texts have 1 of label"):
        Dataset.of(["a", "b"], ["5"])
    with pytest.raises(CorpusError, match="texts, line 2: the text is empty"):
        Dataset.of(["a", " "], ["5", "3"])


def example(texts: int = 100) -> Dataset:
    return Dataset.of(
        [f"text {number}" for number in range(texts)], ["ab"[number % 2] for number in range(texts)]
    )


def test_split() -> None:
    rest, held = example().split(0.2, seed=1)
    assert (len(rest), len(held)) == (80, 20)
    assert np.bincount(held.targets).tolist() == [10, 10]
    assert sorted([*rest.texts, *held.texts]) == sorted(example().texts)
    assert not set(rest.places) & set(held.places)
    numbers = [int(text.split()[1]) for text in held.texts]
    assert numbers == sorted(numbers)
    assert held.texts == example().split(0.2, seed=1)[1].texts != example().split(0.2, seed=2)[1].texts


def test_every_text_is_tested_once() -> None:
    folds = list(example().folds(5, seed=1))
    assert [(len(train), len(test)) for train, test in folds] == [(80, 20)] * 5
    assert sorted(text for _, test in folds for text in test.texts) == sorted(example().texts)
    assert all(not set(train.texts) & set(test.texts) for train, test in folds)


def test_equal_texts_stay_together() -> None:
    data = Dataset.of(["Same  text", "same text", "b", "c"] * 5, ["x", "y", "x", "y"] * 5)
    for train, test in data.folds(3):
        assert not {text.lower().split()[0] for text in train.texts} & {
            text.lower().split()[0] for text in test.texts
        }


def test_encoded() -> None:
    data = example(3)
    encoder = TextEncoder(Cutter(), vocabulary_of(Cutter(), data.texts))
    labelled = data.labelled(encoder)
    assert labelled.documents.ids.tolist() == encoder.encode(data.texts).ids.tolist()
    assert labelled.main.targets.tolist() == [0, 1, 0]
    assert labelled.main.labels == data.labels


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "texts", "labels"),
    [
        ("mr.tsv", 10_662, 2),
        ("subj.tsv", 10_000, 2),
        ("sst5.dev.tsv", 1101, 5),
        ("imdb.test.tsv.xz", 25_000, 2),
    ],
)
def test_standard_sets(data_dir: Path, name: str, texts: int, labels: int) -> None:
    data = Dataset.load(data_dir / "sentiment" / name)
    assert (len(data), len(data.labels)) == (texts, labels)
