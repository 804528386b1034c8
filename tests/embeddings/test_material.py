"""GloVe from text and from counts: the same vectors; what cannot be trained on is refused."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqkit.embeddings.cooccurrence.building import count_sources
from seqkit.embeddings.cooccurrence.config import CooccurrenceConfig
from seqkit.embeddings.cooccurrence.counts import KIND, Cooccurrences
from seqkit.embeddings.glove.config import GloVeConfig
from seqkit.embeddings.material import CorpusConfig, are_counts
from seqkit.embeddings.skipgram.config import SkipGramConfig
from seqkit.embeddings.training import RunConfig, TrainingReport, train
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import BundleError, UsageError
from seqkit.storage import Bundle, BundleWriter

SMALL = GloVeConfig(vector_size=8, window=3, epochs=2, x_max=10, seed=5)
CORPUS = CorpusConfig(min_count=2, max_vocab=300, validation=0.05)
RUN = RunConfig(threads=2, precision="float32")


@pytest.fixture(scope="module")
def from_text(text: Path) -> tuple[TrainingReport, Path]:
    bundle = text.with_name("vectors")
    return train([text], bundle, SMALL, corpus=CORPUS, run=RUN), bundle


def counted(text: Path, context: Any) -> Path:
    bundle = text.with_name(f"counts-{context}")
    config = CooccurrenceConfig(window=3, context=context)
    count_sources([text], bundle, config, corpus=replace(CORPUS, validation=0.0))
    return bundle


@pytest.fixture(scope="module")
def counts(text: Path) -> Path:
    return counted(text, "symmetric")


def digest(bundle: Path) -> str:
    return hashlib.sha256((bundle / "tensors.safetensors").read_bytes()).hexdigest()


def check_same(text: Path, counts: Path, from_text: tuple[TrainingReport, Path], config: GloVeConfig) -> None:
    report, bundle = from_text
    again = train([counts], counts.with_name("c"), config, corpus=CorpusConfig(validation=0.05), run=RUN)
    assert digest(counts.with_name("c")) == digest(bundle)
    assert again.history == report.history
    assert (again.words, again.vocabulary) == (report.words, report.vocabulary)
    first, second = (Bundle.open(path).manifest for path in (bundle, counts.with_name("c")))
    assert first.fingerprint == second.fingerprint == hashlib.sha256(text.read_bytes()).hexdigest()
    expected = {"method": "glove", **asdict(config), "min_count": 2, "max_vocab": 300, "validation": 0.05}
    for manifest in (first, second):
        assert expected.items() <= manifest.config.items()
        assert manifest.config["tokenizer"] == CORPUS.tokenizer.to_config()
    shutil.rmtree(counts.with_name("c"))


def test_counts_give_the_vectors_of_their_text(
    text: Path, from_text: tuple[TrainingReport, Path], counts: Path
) -> None:
    check_same(text, counts, from_text, SMALL)


def test_counts_of_one_side_do_too(
    text: Path, from_text: tuple[TrainingReport, Path], tmp_path: Path
) -> None:
    config = replace(SMALL, context="left")
    left = train([text], tmp_path / "t", config, corpus=CORPUS, run=RUN), tmp_path / "t"
    assert digest(left[1]) != digest(from_text[1])
    check_same(text, counted(text, "left"), left, config)


def test_the_bundle_has_both_tables_and_biases(from_text: tuple[TrainingReport, Path]) -> None:
    report, path = from_text
    vectors = Vectors.load(path)
    shapes = {name: table.shape for name, table in vectors.model.items()}
    assert shapes == {
        **dict.fromkeys(("words", "contexts"), (300, 8)),
        **dict.fromkeys(("word_bias", "context_bias"), (300,)),
    }
    np.testing.assert_array_equal(vectors.matrix, vectors.model["words"] + vectors.model["contexts"])
    assert report.vocabulary == 300
    assert report.validation_loss == min(record["validation_loss"] for record in report.history)
    Bundle.open(path).verify()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": 5}, "was counted with window 3, not 5: count again"),
        ({"weighting": "uniform"}, "was counted with weighting harmonic, not uniform: count again"),
        ({"window": 5, "context": "left"}, "was counted with window 3, not 5"),
        ({"context": "left"}, "was counted with context symmetric, not left"),
    ],
)
def test_counts_of_other_settings(
    counts: Path, tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        train([counts], tmp_path / "b", replace(SMALL, **settings), run=RUN)
    assert not list(tmp_path.iterdir())


def test_counts_are_not_replaced_by_their_vectors(counts: Path) -> None:
    before = digest(counts)
    for bundle in (counts, counts.parent / ".." / counts.parent.name / counts.name):
        with pytest.raises(UsageError, match=r"holds the counts to train on: write to another place \(-o\)"):
            train([counts], bundle, SMALL, run=replace(RUN, overwrite=True))
    assert digest(counts) == before


def test_counts_for_another_method_and_among_texts(counts: Path, text: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds counts, which only method glove trains on; give the text"):
        train([counts], tmp_path / "b", SkipGramConfig(), run=RUN)
    for sources in ([counts, text], [text, counts], [counts, counts]):
        with pytest.raises(UsageError, match=r"holds counts, which are trained on alone"):
            train(sources, tmp_path / "b", SMALL, run=RUN)
    assert not list(tmp_path.iterdir())
    assert are_counts([counts])
    assert not are_counts([text, "-", "kingdom:10"])


def written(counts: Cooccurrences, path: Path, metrics: dict[str, Any]) -> Path:
    with BundleWriter(path, kind=KIND) as writer:
        counts.write_members(writer)
        writer.commit(config=dict(counts.settings), metrics=metrics, fingerprint=counts.fingerprint)
    return path


def test_damaged_counts(counts: Path, tmp_path: Path) -> None:
    good = Cooccurrences.load(counts)
    values = good.values.copy()
    values[7] = np.nan
    bad = written(replace(good, values=values), tmp_path / "nan", {"total": good.total, "words": 12})
    with pytest.raises(BundleError, match="values be finite and above 0"):
        train([bad], tmp_path / "b", SMALL, run=RUN)
    for words in ({}, {"words": "many"}):
        bad = written(good, tmp_path / f"words{len(words)}", {"total": good.total, **words})
        with pytest.raises(BundleError, match="words is"):
            train([bad], tmp_path / "b", SMALL, run=RUN)
    assert not (tmp_path / "b").exists()
