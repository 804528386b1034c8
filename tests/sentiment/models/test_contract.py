"""What every classifier promises."""

from __future__ import annotations

import signal
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqkit.corpora import open_labelled
from seqkit.errors import InterruptedTraining
from seqkit.progress import SILENT, Silent
from seqkit.sentiment.cutting import Cutter
from seqkit.sentiment.dataset import Dataset
from seqkit.sentiment.documents import Documents, Labelled
from seqkit.sentiment.encoder import TextEncoder, vocabulary_of
from seqkit.sentiment.models.average import AverageConfig
from seqkit.sentiment.models.contract import Classifier, Fitting
from seqkit.sentiment.models.convolutional import CnnConfig
from seqkit.sentiment.models.linear import LinearConfig
from seqkit.sentiment.models.recurrent import RnnConfig
from seqkit.sentiment.registry import kind_of


@dataclass(frozen=True)
class Case:
    """A model, and how well it does on the bundled reviews at least.

    Args:
        config: with which it learns them in seconds.
        accuracy: share of 100 validation texts; the most frequent label has about 0.4 of them.
        learns_by_epochs: whether it can be interrupted and gone on with.
    """

    config: Any
    accuracy: float
    learns_by_epochs: bool = True


SMALL: dict[str, Any] = {"vector_size": 16, "batch_size": 8, "learning_rate": 0.01, "epochs": 2}
CASES = {
    "linear": Case(LinearConfig(), 0.75, learns_by_epochs=False),
    "average": Case(AverageConfig(batch_size=4), 0.75),
    "deep-average": Case(
        AverageConfig(hidden_layers=2, hidden_units=16, word_dropout=0.2, dropout=0.2, ngrams=1), 0.6
    ),
    "cnn": Case(CnnConfig(**SMALL, filters=8, shortest=1, longest=3), 0.65),
    "cnn-norm": Case(CnnConfig(**SMALL, filters=8, batch_norm=True, word_dropout=0.1, swaps=0.1), 0.6),
    "rnn": Case(RnnConfig(**SMALL, units=8, max_length=16), 0.6),
    "gru-attention": Case(
        RnnConfig(**SMALL, cell="gru", units=8, bidirectional=False, layers=2, pooling="attention"), 0.45
    ),
}


@pytest.fixture(scope="module")
def fitting() -> Fitting:
    labels, texts = zip(*open_labelled("reviews", size=500), strict=True)
    data = Dataset.of(list(texts), list(labels))
    train, valid = data.split(0.2, seed=0)
    cutter = Cutter()
    encoder = TextEncoder(cutter, vocabulary_of(cutter, train.texts))
    return Fitting(train.labelled(encoder), valid.labelled(encoder), encoder.vocabulary)


SLOW = ("cnn-norm", "rnn", "gru-attention")  # Their layers are compiled for each length of texts.


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in CASES],
)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture(scope="module")
def trained(case: Case, fitting: Fitting) -> Classifier:
    return kind_of(case.config).fit(case.config, fitting)


def few(fitting: Fitting) -> Documents:
    """Three texts of different lengths, one without tokens, one without a known one."""
    found = fitting.valid.documents.take(np.array([0, 1, 2]))
    ids = np.concatenate([found.ids, [1]]).astype(np.int32)
    return Documents([*found.texts, "", "?"], ids, np.append(found.starts, [found.starts[-1], len(ids)]))


def accuracy(model: Classifier, labelled: Labelled) -> float:
    return float(np.mean(model.logits(labelled.documents).argmax(axis=1) == labelled.main.targets))


def test_it_learns(case: Case, trained: Classifier, fitting: Fitting) -> None:
    assert accuracy(trained, fitting.valid) >= case.accuracy


def test_what_is_saved_gives_the_same_logits(trained: Classifier, fitting: Fitting) -> None:
    tensors = {name: np.array(tensor) for name, tensor in trained.tensors().items()}
    labels = fitting.train.main.labels
    again = type(trained).from_tensors(trained.config, tensors, fitting.vocabulary, labels)
    documents = fitting.valid.documents
    np.testing.assert_array_equal(again.logits(documents), trained.logits(documents))


def test_logits_are_finite_and_of_each_text_alone(trained: Classifier, fitting: Fitting) -> None:
    documents = few(fitting)
    together = trained.logits(documents)
    assert together.dtype == np.float32
    assert np.isfinite(together).all()
    alone = [trained.logits(documents.take(np.array([number])))[0] for number in range(len(documents))]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_attributions_are_complete(trained: Classifier, fitting: Fitting) -> None:
    documents = few(fitting)
    logits = trained.logits(documents)
    found = trained.attributions(documents)
    assert [len(each) for each in found] == documents.lengths.tolist()
    for number, each in enumerate(found):
        # The fourth text has no token.
        np.testing.assert_allclose(each.sum(axis=0), logits[number] - logits[3], atol=1e-4)


def test_a_seed_gives_the_same_bytes(case: Case, trained: Classifier, fitting: Fitting) -> None:
    again = kind_of(case.config).fit(case.config, fitting)
    for name, tensor in trained.tensors().items():
        np.testing.assert_array_equal(tensor, again.tensors()[name], err_msg=name)


def test_another_seed_gives_others(case: Case, trained: Classifier, fitting: Fitting) -> None:
    if not case.learns_by_epochs:
        pytest.skip("nothing is drawn")
    other = kind_of(case.config).fit(replace(case.config, epochs=1), replace(fitting, seed=1))
    for name in ("table", "embeddings"):
        if name in trained.tensors():
            assert not np.isclose(trained.tensors()[name], other.tensors()[name]).any(axis=1).all()


class StopsAtOnce(Silent):
    def update(self, completed: float, **metrics: float) -> None:
        signal.raise_signal(signal.SIGINT)


def test_what_was_interrupted_is_gone_on_with_to_the_same_bytes(
    case: Case, trained: Classifier, fitting: Fitting, tmp_path: Path
) -> None:
    if not case.learns_by_epochs:
        pytest.skip("it is not trained epoch by epoch")
    kind = kind_of(case.config)
    stopped = replace(fitting, partial=tmp_path, progress=StopsAtOnce())
    with pytest.raises(InterruptedTraining):
        kind.fit(case.config, stopped)
    assert (tmp_path / "member.checkpoint.safetensors").exists()
    again = kind.fit(case.config, replace(stopped, progress=SILENT))
    for name, tensor in trained.tensors().items():
        np.testing.assert_array_equal(tensor, again.tensors()[name], err_msg=name)
