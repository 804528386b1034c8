"""Phrases in a bundle of vectors: kept, used when training goes on, part of what a run is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers import Interrupting
from seqkit.corpora import open_corpus
from seqkit.embeddings.cooccurrence.building import count_sources
from seqkit.embeddings.glove.config import GloVeConfig
from seqkit.embeddings.initial import phrases_of
from seqkit.embeddings.material import CorpusConfig
from seqkit.embeddings.skipgram.config import SkipGramConfig
from seqkit.embeddings.training import RunConfig, train
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import BundleError, InterruptedTraining, UsageError
from seqkit.storage import Bundle, BundleWriter
from seqkit.text.phrases import PhraseConfig

LINES = list(open_corpus("kingdom", size=2000))
SMALL = SkipGramConfig(vector_size=8, epochs=2)
PHRASED = CorpusConfig(phrases=PhraseConfig())
RUN = RunConfig(threads=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text, another, and a bundle of the first with phrases."""
    folder = tmp_path_factory.mktemp("phrases")
    (folder / "old.txt").write_text("".join(f"{line}\n" for line in LINES[:1200]))
    (folder / "new.txt").write_text("".join(f"{line}\n" for line in LINES[1200:]) + "new york\n" * 9)
    train([folder / "old.txt"], folder / "old", SMALL, corpus=PHRASED, run=RUN)
    return folder


def test_the_bundle_keeps_them(folder: Path) -> None:
    bundle = Bundle.open(folder / "old")
    bundle.verify()
    phrases = phrases_of(bundle)
    assert len(phrases) > 20
    assert bundle.manifest.config["phrases"] == vars(PHRASED.phrases)
    vectors = Vectors.load(folder / "old")
    joined = ["_".join(parts) for parts in phrases.passes[0]]
    assert sum(word in vectors for word in joined) > 20
    assert vectors.most_similar(next(word for word in joined if word in vectors), 1)


def test_going_on_joins_the_same_phrases_and_learns_none(folder: Path, tmp_path: Path) -> None:
    train([folder / "new.txt"], tmp_path / "b", SMALL, run=RUN, init=folder / "old")
    first, second = Bundle.open(folder / "old"), Bundle.open(tmp_path / "b")
    assert phrases_of(second) == phrases_of(first)
    assert second.manifest.config["phrases"] == first.manifest.config["phrases"]
    old, new = Vectors.load(folder / "old"), Vectors.load(tmp_path / "b")
    assert {"new", "york"} <= set(new.words)
    assert "new_york" not in new
    joined = ["_".join(parts) for parts in phrases_of(first).passes[0]]
    grown = [
        new.vocabulary.counts[new.vocabulary[word]] > old.vocabulary.counts[old.vocabulary[word]]
        for word in joined
        if word in old
    ]
    assert sum(grown) > 20
    with pytest.raises(UsageError, match="has phrases of its own"):
        train([folder / "new.txt"], tmp_path / "c", SMALL, corpus=PHRASED, run=RUN, init=folder / "old")


def test_a_run_goes_on_with_the_same_phrases_alone(folder: Path, tmp_path: Path) -> None:
    sources = [folder / "old.txt"]
    with pytest.raises(InterruptedTraining):
        train(sources, tmp_path / "b", SMALL, corpus=PHRASED, run=RUN, progress=Interrupting())
    other = CorpusConfig(phrases=PhraseConfig(threshold=5))
    with pytest.raises(UsageError, match=r"phrases\.threshold was 10\.0, is 5"):
        train(sources, tmp_path / "b", SMALL, corpus=other, run=RUN)
    with pytest.raises(UsageError, match=r"phrases\.threshold was 10\.0, is None"):
        train(sources, tmp_path / "b", SMALL, run=RUN)
    train(sources, tmp_path / "b", SMALL, corpus=PHRASED, run=RUN)
    for member in ("tensors.safetensors", "phrases.tsv"):
        assert (tmp_path / "b" / member).read_bytes() == (folder / "old" / member).read_bytes()


def test_glove_counts_them_where_it_counts(folder: Path, tmp_path: Path) -> None:
    glove = GloVeConfig(vector_size=8, epochs=1)
    train([folder / "old.txt"], tmp_path / "b", glove, corpus=PHRASED, run=RUN)
    assert phrases_of(Bundle.open(tmp_path / "b")) == phrases_of(Bundle.open(folder / "old"))
    with pytest.raises(UsageError, match="counting learns no phrases"):
        count_sources([folder / "old.txt"], tmp_path / "counts", corpus=PHRASED)
    count_sources([folder / "old.txt"], tmp_path / "counts")
    for options in ({"corpus": PHRASED}, {"init": tmp_path / "b"}):
        with pytest.raises(UsageError, match="holds counts, which know no phrases"):
            train([tmp_path / "counts"], tmp_path / "c", glove, run=RUN, **options)  # type: ignore[arg-type]


def test_a_bad_member_is_refused(tmp_path: Path) -> None:
    with BundleWriter(tmp_path / "b", kind="vectors") as writer:
        Vectors(["a"], np.ones((1, 2), np.float32)).write_members(writer)
        writer.write_text("phrases.tsv", "new york\n")
        writer.commit(config={})
    with pytest.raises(BundleError, match=r"phrases\.tsv: line 1: expected a phrase"):
        phrases_of(Bundle.open(tmp_path / "b"))
    with (
        BundleWriter(tmp_path / "c", kind="cooccurrence") as writer,
        pytest.raises(UsageError, match="not a member of a cooccurrence bundle"),
    ):
        writer.write_text("phrases.tsv", "")
