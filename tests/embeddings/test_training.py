"""From text to bundle through the library: the same bytes however a run is executed; no run ends badly."""

from __future__ import annotations

import hashlib
import math
import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import Interrupting, signals_are_not_ours
from seqkit.embeddings import training
from seqkit.embeddings.material import CorpusConfig
from seqkit.embeddings.skipgram.config import SkipGramConfig
from seqkit.embeddings.training import RunConfig, TrainingReport, train
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import (
    CorpusError,
    DivergedError,
    FormatError,
    InterruptedTraining,
    MissingInputError,
    StorageError,
    UsageError,
)
from seqkit.progress import SILENT, Silent
from seqkit.storage import Bundle, partial_path
from seqkit.text.tokenizers import Tokenizer

SMALL = SkipGramConfig(vector_size=8, epochs=3)


@pytest.fixture(scope="module")
def plain(text: Path) -> tuple[TrainingReport, Path]:
    """A run without anything special, and its bundle."""
    bundle = text.with_name("plain")
    return train([text], bundle, SMALL, run=RunConfig(threads=2)), bundle


def digest(bundle: Path) -> str:
    return hashlib.sha256((bundle / "tensors.safetensors").read_bytes()).hexdigest()


def nothing_left(bundle: Path) -> bool:
    return not bundle.exists() and not partial_path(bundle).exists()


# --- what a run gives


def test_the_bundle_and_the_report_agree(text: Path, plain: tuple[TrainingReport, Path]) -> None:
    report, path = plain
    words = [word for line in text.read_text().splitlines() for word in Tokenizer().tokenize(line)]
    assert report.words == len(words)
    assert report.vocabulary == sum(words.count(word) >= 5 for word in set(words))
    assert report.words_per_second == pytest.approx(len(words) * 3 / report.seconds)
    assert [record["epoch"] for record in report.history] == [1, 2, 3]
    # Softplus of a score of 0 is ln 2, for a pair and for each of its five noise words.
    assert report.history[0]["loss"] == pytest.approx(6 * math.log(2), rel=1e-3)
    assert report.loss == report.history[-1]["loss"] < report.history[0]["loss"]
    assert (report.bundle, report.epochs, report.validation_loss) == (str(path), 3, None)

    manifest = Bundle.open(path, kind="vectors").manifest
    assert manifest.seed == 0
    assert manifest.fingerprint == hashlib.sha256(text.read_bytes()).hexdigest()
    assert manifest.history == report.history
    assert manifest.metrics["words"] == report.words
    expected = {"method": "skipgram", "vector_size": 8, "window": 5, "min_count": 5, "patience": None}
    assert expected.items() <= manifest.config.items()
    assert manifest.config["tokenizer"] == Tokenizer().to_config()
    Bundle.open(path).verify()

    vectors = Vectors.load(path)
    assert len(vectors) == report.vocabulary
    assert vectors.counts is not None
    assert vectors.counts[vectors.words.index("the")] == words.count("the")
    assert vectors.output_matrix is not None
    assert vectors.output_matrix.shape == vectors.matrix.shape == (report.vocabulary, 8)
    assert np.isfinite(vectors.matrix).all()


@pytest.mark.parametrize("threads", [1, 4])
def test_threads_change_no_byte(
    tmp_path: Path, text: Path, plain: tuple[TrainingReport, Path], threads: int
) -> None:
    train([text], tmp_path / "b", SMALL, run=RunConfig(threads=threads))
    assert digest(tmp_path / "b") == digest(plain[1])


def test_probes_and_checkpoints_change_no_byte(
    tmp_path: Path, text: Path, plain: tuple[TrainingReport, Path]
) -> None:
    seen: list[tuple[int, str]] = []

    def probe(epoch: int, vectors: Vectors) -> dict[str, Any]:
        seen.append((epoch, vectors.most_similar("king", 1)[0][0]))
        return {"words": len(vectors)}

    report = train([text], tmp_path / "b", SMALL, run=RunConfig(checkpoint_seconds=0), probe=probe)
    assert digest(tmp_path / "b") == digest(plain[1])
    assert [epoch for epoch, _ in seen] == [1, 2, 3]
    without = [{**record, "words": plain[0].vocabulary} for record in plain[0].history]
    assert report.history == without
    assert os.listdir(tmp_path) == ["b"]


def test_another_seed_and_a_bounded_vocabulary(
    tmp_path: Path, text: Path, plain: tuple[TrainingReport, Path]
) -> None:
    config = SkipGramConfig(vector_size=8, epochs=1, seed=1)
    report = train([text], tmp_path / "b", config, corpus=CorpusConfig(max_vocab=10))
    assert (report.vocabulary, report.words) == (10, plain[0].words)
    vectors, all_vectors = Vectors.load(tmp_path / "b"), Vectors.load(plain[1])
    assert list(vectors.words) == list(all_vectors.words[:10])
    assert not np.allclose(vectors.matrix, all_vectors.matrix[:10], atol=1e-3)
    assert vectors.vector_size == 8


def test_the_best_epoch_on_held_out_text_is_kept(tmp_path: Path, text: Path) -> None:
    """With far too high a learning rate, one epoch is better than several."""
    config = SkipGramConfig(vector_size=8, epochs=20, learning_rate=10)
    matrices: list[bytes] = []

    def probe(epoch: int, vectors: Vectors) -> dict[str, Any]:
        matrices.append(vectors.matrix.tobytes())
        return {}

    report = train(
        [text],
        tmp_path / "b",
        config,
        corpus=CorpusConfig(validation=0.2),
        run=RunConfig(patience=2),
        probe=probe,
    )
    losses = [record["validation_loss"] for record in report.history]
    best = losses.index(min(losses))
    assert len(losses) == best + 3 < 20  # two more in vain
    assert report.validation_loss == losses[best]
    assert report.loss == report.history[best]["loss"]
    assert Vectors.load(tmp_path / "b").matrix.tobytes() == matrices[best]


@pytest.mark.parametrize("content", ["a " * 40, "a b\n" * 40])
def test_tiny_vocabularies(tmp_path: Path, content: str) -> None:
    (tmp_path / "text").write_text(content)
    report = train([tmp_path / "text"], tmp_path / "b", SkipGramConfig(vector_size=1, epochs=1))
    assert report.words == len(content.split())
    assert list(Vectors.load(tmp_path / "b").words) == sorted(set(content.split()))


# --- runs that fail leave nothing in the way of the next


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no tokens"),
        (b" \n\n \t\n", "no tokens"),
        (b"one two three\n", r"min_count.*try min_count 1"),
        (b"good\nb\xffd\n", r"text, line 2, byte 6: not UTF-8"),
        (b"a\0b", "NUL"),
        (b"a\n" * 40, "no line has two words"),
    ],
)
def test_text_that_cannot_be_used(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "text").write_bytes(content)
    with pytest.raises(CorpusError, match=message):
        train([tmp_path / "text"], tmp_path / "b", SMALL)
    assert nothing_left(tmp_path / "b")


def test_a_source_that_is_not_there_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "choose_device", lambda *_: pytest.fail("TensorFlow was started"))
    with pytest.raises(MissingInputError):
        train([tmp_path / "text"], tmp_path / "b", SMALL)
    assert nothing_left(tmp_path / "b")


@pytest.mark.parametrize(
    ("corpus", "run", "message"),
    [
        ({"validation": 1.0}, {}, "validation must be from 0 to below 1"),
        ({"validation": math.nan}, {}, "validation must be"),
        ({"min_count": 0}, {}, "min_count must be at least 1"),
        ({"max_vocab": 0}, {}, "max_vocab must be at least 1"),
        ({}, {"patience": 1}, "patience needs held-out text"),
        ({"validation": 0.5}, {"patience": 0}, "patience must be at least 1"),
        ({}, {"checkpoint_seconds": -1.0}, "checkpoint_seconds must not be negative"),
        ({}, {"threads": 0}, "threads must be from 1 to 512"),
        ({}, {"patience": 1.5}, "patience must be a whole number, not 1.5"),
        ({}, {"device": "tpu"}, "device must be"),
        ({}, {"precision": "float16"}, "precision must be"),
    ],
)
def test_settings_out_of_range(
    tmp_path: Path, text: Path, corpus: dict[str, Any], run: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        train([text], tmp_path / "b", SMALL, corpus=CorpusConfig(**corpus), run=RunConfig(**run))
    assert nothing_left(tmp_path / "b")


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Writing beyond that many bytes fails, as on a full disk (EFBIG in the place of ENOSPC)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_is_full_while_text_is_read(tmp_path: Path, text: Path) -> None:
    with files_of_at_most(10_000), pytest.raises(StorageError, match="could not write"):
        train([text], tmp_path / "b", SMALL)
    assert nothing_left(tmp_path / "b")


def test_a_disk_that_is_full_at_the_first_checkpoint(tmp_path: Path, text: Path) -> None:
    # 12 thousand ids are 48 kB; two tables of some 780 words and 64 numbers 400 kB.
    config = SkipGramConfig(vector_size=64, epochs=1)
    with (
        files_of_at_most(200_000),
        pytest.raises(StorageError, match=r"checkpoint.safetensors: could not write"),
    ):
        train([text], tmp_path / "b", config)
    assert nothing_left(tmp_path / "b")


def test_a_disk_that_is_full_at_the_end_loses_nothing(
    tmp_path: Path, text: Path, plain: tuple[TrainingReport, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Forgetful(Silent):
        def start(self, task: str, total: float | None, unit: str) -> None:
            tasks.append(task)

    def full(*_: Any) -> None:
        raise StorageError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(Vectors, "write_members", full)
        with pytest.raises(StorageError, match="no space left"):
            train([text], tmp_path / "b", SMALL)
    assert os.listdir(tmp_path) == ["b.partial"]
    tasks: list[str] = []
    report = train([text], tmp_path / "b", SMALL, progress=Forgetful())
    assert digest(tmp_path / "b") == digest(plain[1])
    assert report.history == plain[0].history
    assert os.listdir(tmp_path) == ["b"]


def test_divergence(tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoiled(vocabulary: int, config: SkipGramConfig) -> dict[str, Any]:
        table = np.zeros((vocabulary, config.vector_size), np.float32)
        return {"vectors": table, "context": np.full_like(table, np.nan)}

    monkeypatch.setattr("seqkit.embeddings.skipgram.trainer.initial_tables", spoiled)
    with pytest.raises(DivergedError, match=r"step 1 .*half the learning rate \(--learning-rate\)$"):
        train([text], tmp_path / "b", SMALL)
    assert nothing_left(tmp_path / "b")


# --- signals where there is nothing to save yet


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_text_is_read(tmp_path: Path, text: Path, number: int, code: int) -> None:
    with signals_are_not_ours(), pytest.raises(InterruptedTraining, match="begins anew") as caught:
        train([text], tmp_path / "b", SMALL, progress=Interrupting(1, number, "reading text"))
    assert (caught.value.exit_code, caught.value.checkpoint) == (code, None)
    assert nothing_left(tmp_path / "b")


def test_a_signal_while_libraries_are_loaded(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "choose_device", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    with signals_are_not_ours(), pytest.raises(InterruptedTraining, match="SIGTERM"):
        train([text], tmp_path / "b", SMALL)
    assert nothing_left(tmp_path / "b")


def test_a_signal_while_the_bundle_is_saved_comes_too_late(
    tmp_path: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write: Callable[..., None] = Vectors.write_members

    def send(self: Vectors, *rest: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        write(self, *rest)

    monkeypatch.setattr(Vectors, "write_members", send)
    with signals_are_not_ours():
        train([text], tmp_path / "b", SkipGramConfig(vector_size=1, epochs=1))
    assert os.listdir(tmp_path) == ["b"]


# --- a run that stopped, and what is done to it before it goes on


def test_what_became_of_a_stopped_run(tmp_path: Path, text: Path, plain: tuple[TrainingReport, Path]) -> None:
    copy = tmp_path / "text.txt"
    copy.write_bytes(text.read_bytes())
    partial = tmp_path / "b.partial"

    def go_on(config: SkipGramConfig = SMALL, progress: Any = SILENT, **corpus: Any) -> TrainingReport:
        return train([copy], tmp_path / "b", config, corpus=CorpusConfig(**corpus), progress=progress)

    with signals_are_not_ours(), pytest.raises(InterruptedTraining, match="goes on from there") as caught:
        go_on(progress=Interrupting())
    assert caught.value.checkpoint == partial
    files = sorted(os.listdir(partial))
    assert files == ["checkpoint.safetensors", "corpus"]

    for change, named in (
        (lambda: go_on(SkipGramConfig(vector_size=8, epochs=4)), "epochs was 3, is 4"),
        (lambda: go_on(min_count=6), "min_count was 5, is 6"),
        (lambda: go_on(tokenizer=Tokenizer(lowercase=False)), "tokenizer.lowercase was True, is False"),
    ):
        with pytest.raises(UsageError, match=named):
            change()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "__version__", "99")
        with pytest.raises(UsageError, match=r"seqkit was .*, is 99"):
            go_on()
    copy.write_bytes(text.read_bytes() + b"one more line\n")
    with pytest.raises(
        UsageError, match=r"\(the text to train or to validate on has changed\).*delete .*b\.partial to"
    ):
        go_on()
    copy.write_bytes(text.read_bytes())
    with signals_are_not_ours(), pytest.raises(InterruptedTraining, match="goes on from there"):
        go_on(progress=Interrupting(1, signal.SIGTERM, "reading text"))

    ids = partial / "corpus" / "ids.bin"
    os.rename(ids, tmp_path / "ids")
    with pytest.raises(FormatError, match=r"delete .*b\.partial to begin anew"):
        go_on()
    os.rename(tmp_path / "ids", ids)
    words = ids.read_bytes()
    ids.write_bytes(words[4:8] + words[:4] + words[8:])  # as good as any
    with pytest.raises(FormatError, match=r"ids\.bin: damaged: .*; delete .*b\.partial to begin anew"):
        go_on()
    ids.write_bytes(words)
    checkpoint = partial / "checkpoint.safetensors"
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[:-1])
    with pytest.raises(FormatError, match=r"delete .*b\.partial to begin anew"):
        go_on()
    checkpoint.write_bytes(whole)

    assert sorted(os.listdir(partial)) == files
    assert go_on().history == plain[0].history
    assert digest(tmp_path / "b") == digest(plain[1])
    assert sorted(os.listdir(tmp_path)) == ["b", "text.txt"]
