"""From text to a bundle of counts: what is saved, and that no failure leaves anything."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from helpers import Interrupting
from seqkit.corpora import open_corpus
from seqkit.embeddings.cooccurrence import building
from seqkit.embeddings.cooccurrence.building import count_sources
from seqkit.embeddings.cooccurrence.config import CooccurrenceConfig
from seqkit.embeddings.cooccurrence.counting import CountingConfig
from seqkit.embeddings.cooccurrence.counts import Cooccurrences
from seqkit.embeddings.material import CorpusConfig
from seqkit.errors import CorpusError, InterruptedTraining, MissingInputError, UsageError
from seqkit.storage import Bundle, partial_path
from seqkit.text.tokenizers import Tokenizer


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("".join(f"{line}\n" for line in open_corpus("kingdom", size=300)))
    return path


def test_what_is_saved(text: Path) -> None:
    bundle = text.with_name("b")
    corpus = CorpusConfig(tokenizer=Tokenizer("whitespace", False), min_count=2, max_vocab=50)
    report = count_sources([text], bundle, CooccurrenceConfig(window=3, context="left"), corpus=corpus)
    counts = Cooccurrences.load(bundle)
    counts.check(bundle)
    assert counts.settings == {
        "method": "cooccurrence",
        "window": 3,
        "context": "left",
        "weighting": "harmonic",
        "tokenizer": {"kind": "whitespace", "lowercase": False},
        "min_count": 2,
        "max_vocab": 50,
    }
    tokens = sum(len(line.split()) for line in text.read_text().splitlines())
    assert (report.words, report.vocabulary, report.pairs) == (tokens, 50, counts.pairs)
    assert (report.bundle, report.total) == (str(bundle), counts.total)
    assert Bundle.open(bundle).manifest.metrics["words"] == tokens
    assert sorted(path.name for path in text.parent.iterdir()) == ["b", "text.txt"]


def test_the_same_members_however_it_is_done(text: Path) -> None:
    bundles = [text.with_name(f"b{number}") for number in range(3)]
    for bundle, run in zip(
        bundles, [None, CountingConfig(threads=1), CountingConfig(memory=1e-5, threads=3)], strict=True
    ):
        count_sources([text], bundle, run=run)
    members = [json.loads((bundle / "manifest.json").read_text())["members"] for bundle in bundles]
    assert members[0] == members[1] == members[2]


def test_a_bundle_is_replaced_only_when_asked(text: Path) -> None:
    bundle = text.with_name("b")
    count_sources([text], bundle)
    with pytest.raises(UsageError, match="--overwrite"):
        count_sources([text], bundle)
    before = Cooccurrences.load(bundle).pairs
    count_sources([text], bundle, CooccurrenceConfig(window=1), overwrite=True)
    assert Cooccurrences.load(bundle).pairs < before


def test_nothing_may_be_held_out(text: Path) -> None:
    with pytest.raises(UsageError, match=r"validation must be 0, not 0\.1"):
        count_sources([text], text.with_name("b"), corpus=CorpusConfig(validation=0.1))


def test_failures_leave_nothing(text: Path) -> None:
    bundle, single = text.with_name("b"), text.with_name("single.txt")
    single.write_text("word\n" * 10)
    with pytest.raises(MissingInputError):
        count_sources([text.with_name("absent")], bundle)
    with pytest.raises(CorpusError, match="no two words"):
        count_sources([single], bundle)
    assert sorted(path.name for path in text.parent.iterdir()) == ["single.txt", "text.txt"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("task", ["counting", "merging"])
def test_a_signal_leaves_nothing(text: Path, task: str, number: signal.Signals) -> None:
    bundle = text.with_name("b")
    with pytest.raises(InterruptedTraining) as caught:
        count_sources([text], bundle, run=CountingConfig(memory=1e-4), progress=Interrupting(1, number, task))
    assert caught.value.exit_code == 128 + number
    assert [path.name for path in text.parent.iterdir()] == ["text.txt"]


def test_what_a_killed_run_left_is_no_hindrance(text: Path) -> None:
    bundle = text.with_name("b")
    left = partial_path(bundle) / building.COUNTS
    left.mkdir(parents=True)
    (left / "counts.columns").write_bytes(b"half")
    count_sources([text], bundle)
    Cooccurrences.load(bundle).check(bundle)
    assert sorted(path.name for path in text.parent.iterdir()) == ["b", "text.txt"]
