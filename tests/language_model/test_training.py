"""From text to a bundle: what is learned, what is kept, and the same bytes wherever a run was stopped."""

from __future__ import annotations

import hashlib
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import Interrupting, signals_are_not_ours
from seqkit.errors import CorpusError, DivergedError, InterruptedTraining, MissingInputError, UsageError
from seqkit.language_model import training
from seqkit.language_model.config import CELLS, LEVELS, NetworkConfig, TextConfig
from seqkit.language_model.model import LanguageModel
from seqkit.language_model.training import DEFAULT_OPTIMIZER, RunConfig, TrainingConfig, TrainingReport, train
from seqkit.progress import SILENT
from seqkit.storage import Bundle, partial_path
from seqkit.training import network as trainer
from seqkit.training.averaging import triggered
from seqkit.training.optimizers import OptimizerConfig

CYCLE = ["a", "b", "c", "d"]
TINY = NetworkConfig(layers=1, units=8)
FLOAT32 = RunConfig(precision="float32", threads=1)


def optimizer(**settings: Any) -> OptimizerConfig:
    return OptimizerConfig(**{**DEFAULT_OPTIMIZER, "learning_rate": 0.03, **settings})


def trained(epochs: int = 3, **settings: Any) -> TrainingConfig:
    update = settings.pop("optimizer", optimizer())
    return TrainingConfig(**{"batch_size": 4, "bptt": 8, "epochs": epochs, "optimizer": update, **settings})


def cycle_of_words(lines: int) -> str:
    """Lines of four words, without end in the same order: what comes is known but for the very first word."""
    return f"{' '.join(CYCLE)}\n" * lines


def sentences(lines: int, seed: int = 0) -> str:
    """Lines of one to seven characters."""
    rng = np.random.default_rng(seed)
    return "".join("".join(rng.choice([*"xyz"], rng.integers(1, 8))) + "\n" for _ in range(lines))


def digest(bundle: Path) -> str:
    return hashlib.sha256((bundle / "tensors.safetensors").read_bytes()).hexdigest()


# --- one run: what it learns, reports and saves


@pytest.fixture(scope="module")
def cycle(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingReport, Path]:
    folder = tmp_path_factory.mktemp("cycle")
    (folder / "text").write_text(cycle_of_words(200))
    config = TextConfig(tokenizer="whitespace", validation=0.1)
    return train([folder / "text"], folder / "b", TINY, text=config, training=trained(), run=FLOAT32), folder


def test_a_text_without_surprise_is_learned(cycle: tuple[TrainingReport, Path]) -> None:
    """Five tokens, each known from the one before: perplexity 1, where a uniform guess has 6."""
    report, folder = cycle
    assert report.vocabulary == 6
    assert 1 <= report.perplexity < 1.1
    assert report.validation_perplexity is not None
    assert 1 <= report.validation_perplexity < 1.1
    score = LanguageModel.load(folder / "b").score([" ".join(CYCLE)] * 20)
    assert (score.tokens, score.unknown) == (100, 0)
    assert score.perplexity < 1.1


def test_the_report_and_the_bundle_agree(cycle: tuple[TrainingReport, Path]) -> None:
    report, folder = cycle
    held_out = 1000 - report.tokens
    assert 0 < held_out < 300
    assert held_out % 5 == 0
    # 6 embeddings of 8; 4 gates of 8 units from 8 inputs and 8 units, with biases; 6 rows of 8 and 6 biases
    assert report.parameters == 6 * 8 + (16 * 32 + 32) + 6 * 8 + 6
    assert report.epochs == 3
    assert [record["epoch"] for record in report.history] == [1, 2, 3]
    assert report.tokens_per_second == pytest.approx(3 * report.tokens / report.seconds)
    assert report.validation_perplexity == pytest.approx(
        math.exp(min(record["validation_loss"] for record in report.history))
    )
    assert report.perplexity == pytest.approx(math.exp(report.loss))
    manifest = Bundle.open(folder / "b", kind="language_model").manifest
    assert manifest.history == report.history
    assert manifest.fingerprint == hashlib.sha256((folder / "text").read_bytes()).hexdigest()
    assert manifest.metrics["validation_perplexity"] == report.validation_perplexity
    assert manifest.config["network"]["units"] == 8
    assert manifest.config["training"]["optimizer"]["learning_rate"] == 0.03
    assert sorted(os.listdir(folder)) == ["b", "text"]


def test_loaded_it_scores_as_it_did_in_training(cycle: tuple[TrainingReport, Path]) -> None:
    """The held-out text is some of the lines, all of which are equal: read anew, it has the same loss."""
    report, folder = cycle
    lines = (1000 - report.tokens) // 5
    score = LanguageModel.load(folder / "b").score([" ".join(CYCLE)] * lines)
    assert score.perplexity == pytest.approx(report.validation_perplexity, rel=1e-5)


def test_a_bundle_that_is_there(cycle: tuple[TrainingReport, Path]) -> None:
    _, folder = cycle
    before = digest(folder / "b")
    with pytest.raises(UsageError, match="a bundle is there already"):
        train([folder / "text"], folder / "b", TINY)
    assert digest(folder / "b") == before


# --- stopped and repeated

DEFAULTS = trainer.NetworkTrainer.__init__.__kwdefaults__

# Of words in the other order, the text to validate on is the worse the better the text is known: NT-ASGD
# averages in the last epoch.
STREAM: dict[str, Any] = {
    "network": NetworkConfig(
        layers=1, units=8, tied=True, dropout=0.2, dropout_embedding=0.1, weight_drop=0.3, locked=True
    ),
    "text": TextConfig(tokenizer="whitespace"),
    "training": trained(
        4,
        optimizer=optimizer(name="sgd", learning_rate=8.0, averaging="nt-asgd", nonmono=1),
        activation=0.5,
        slowness=0.5,
    ),
}
LINES: dict[str, Any] = {
    "network": NetworkConfig(layers=1, units=8, cell="gru", dropout=0.2),
    "text": TextConfig(level="character", lines=True),
    "training": trained(
        2,
        optimizer=optimizer(accumulation=2, averaging="asgd", schedule="cosine:warmup=0.1"),
        sampled_softmax=4,
    ),
}


@pytest.mark.parametrize(
    ("settings", "text", "valid", "reports"),
    [
        # 800 tokens in 4 parts are 25 batches, 8 units an epoch: the stop is in the middle of the last one
        pytest.param(STREAM, cycle_of_words(160), "d c b a\n" * 10, 28, id="stream"),
        pytest.param(LINES, sentences(200), "xyz\nzx\n" * 10, 3, id="lines", marks=pytest.mark.slow),
    ],
)
def test_a_run_that_was_stopped_ends_in_the_same_bytes(
    tmp_path: Path, settings: dict[str, Any], text: str, valid: str, reports: int, monkeypatch: Any
) -> None:
    """Units of three batches, so that a run has many places to stop at."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(trainer.NetworkTrainer.__init__, "__kwdefaults__", {**DEFAULTS, "unit_batches": 3})
    Path("text").write_text(text)
    Path("valid").write_text(valid)

    def go(name: str, progress: Any = SILENT, **changed: Any) -> TrainingReport:
        chosen = {**settings, **changed}
        return train(["text"], tmp_path / name, **chosen, run=FLOAT32, valid=["valid"], progress=progress)

    whole = go("whole")
    if settings is STREAM:
        assert triggered([record["validation_loss"] for record in whole.history[:3]], 1)
    with signals_are_not_ours(), pytest.raises(InterruptedTraining, match="goes on from there"):
        go("stopped", Interrupting(reports))
    assert (tmp_path / "stopped.partial" / "checkpoint.safetensors").exists()
    for changed, named in (
        ({"network": NetworkConfig(layers=1, units=9)}, "network.units was 8, is 9"),
        ({"training": trained(5, optimizer=settings["training"].optimizer)}, "training.epochs was"),
    ):
        with pytest.raises(UsageError, match=named):
            go("stopped", **changed)
    Path("valid").write_text("".join(line[::-1] + "\n" for line in valid.splitlines()))  # as many tokens
    with pytest.raises(UsageError, match="the text to train or to validate on has changed"):
        go("stopped")
    Path("valid").write_text(valid)
    again = go("stopped")
    assert again.history == whole.history
    assert digest(tmp_path / "stopped") == digest(tmp_path / "whole")
    assert again.validation_perplexity == whole.validation_perplexity


COMMAND = """
import sys
from pathlib import Path
from seqkit.language_model.config import NetworkConfig, TextConfig
from seqkit.language_model.training import RunConfig, TrainingConfig, train
train(
    [Path("text")], Path(sys.argv[1]), NetworkConfig(layers=1, units=8, dropout=0.3, weight_drop=0.2),
    text=TextConfig(tokenizer="whitespace"), training=TrainingConfig(batch_size=4, bptt=8, epochs=60),
    run=RunConfig(checkpoint_seconds=0, precision="float32", threads=1),
)
"""


@pytest.mark.slow
def test_a_run_that_was_killed_ends_in_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "text").write_text(cycle_of_words(400))

    def start(name: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", COMMAND, name], cwd=tmp_path)

    assert start("whole").wait() == 0
    checkpoint = tmp_path / "killed.partial" / "checkpoint.safetensors"
    for _ in range(2):
        running, before = start("killed"), checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        while running.poll() is None and (not checkpoint.exists() or checkpoint.stat().st_mtime_ns == before):
            time.sleep(0.005)
        running.kill()
        assert running.wait() == -signal.SIGKILL
    assert start("killed").wait() == 0
    assert digest(tmp_path / "killed") == digest(tmp_path / "whole")


# --- when it ends


def test_the_best_epoch_on_a_file_is_kept_and_patience_ends_the_run(tmp_path: Path) -> None:
    """The file has the words in the other order: the better the text is known, the worse is the file."""
    (tmp_path / "text").write_text(cycle_of_words(100))
    (tmp_path / "valid").write_text("d c b a\n" * 10)
    report = train(
        [tmp_path / "text"],
        tmp_path / "b",
        TINY,
        training=trained(9),
        run=RunConfig(precision="float32", threads=1, patience=2),
        valid=[tmp_path / "valid"],
    )
    losses = [record["validation_loss"] for record in report.history]
    best = losses.index(min(losses))
    assert len(losses) == best + 3 < 9
    assert report.validation_perplexity == pytest.approx(math.exp(losses[best]))
    assert report.loss == report.history[best]["loss"]
    kept = LanguageModel.load(tmp_path / "b").score(["d c b a"] * 10)
    assert kept.perplexity == pytest.approx(report.validation_perplexity, rel=1e-5)


def test_a_run_that_has_no_more_time(tmp_path: Path) -> None:
    """One unit at least is trained, then the epoch is closed where it stands; 5,000 tokens are 8 units."""
    (tmp_path / "text").write_text(cycle_of_words(1000))
    report = train(
        [tmp_path / "text"],
        tmp_path / "b",
        TINY,
        text=TextConfig(tokenizer="whitespace"),
        training=trained(),
        run=RunConfig(precision="float32", threads=1, max_minutes=1e-9),
    )
    # 157 batches of 4 parts of 1250 tokens, 8 steps each: 7 units of some 20 batches
    assert (report.epochs, [record["share"] for record in report.history]) == (0, [1 / 7])
    assert report.tokens_per_second == pytest.approx(5000 / 7 / report.seconds)


def test_divergence_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    """Weights that lose 1000 times themselves in each update are beyond float32 after 13 of them."""
    (tmp_path / "text").write_text(cycle_of_words(100))
    absurd = trained(optimizer=optimizer(name="sgd", learning_rate=1000.0, l2=1.0, clip_norm=None))
    with pytest.raises(DivergedError, match="training diverged at step"):
        train([tmp_path / "text"], tmp_path / "b", TINY, training=absurd, run=FLOAT32)
    assert not (tmp_path / "b").exists()
    assert not partial_path(tmp_path / "b").exists()


# --- what cannot be


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"run": RunConfig(patience=1)}, "patience needs text to validate on"),
        ({"run": RunConfig(patience=0), "text": TextConfig(validation=0.5)}, "patience must be at least 1"),
        ({"run": RunConfig(max_minutes=0)}, "max_minutes must be above 0"),
        ({"run": RunConfig(device="tpu")}, "device must be"),  # type: ignore[arg-type]
        ({"text": TextConfig(validation=0.5), "valid": ["text"]}, "exclude each other"),
        ({"training": trained(optimizer=optimizer(averaging="nt-asgd"))}, "nt-asgd goes by"),
        ({"training": trained(optimizer=optimizer(schedule="plateau"))}, "schedule plateau goes by"),
    ],
)
def test_settings_that_do_not_go_together(
    tmp_path: Path, settings: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text(cycle_of_words(20))
    with pytest.raises(UsageError, match=message):
        train([tmp_path / "text"], tmp_path / "b", TINY, **settings)
    assert os.listdir(tmp_path) == ["text"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (lambda: TextConfig(validation=1.0), "validation must be from 0 to below 1"),
        (lambda: TextConfig(validation=math.nan), "validation must be"),
        (lambda: TextConfig(min_count=0), "must be at least 1"),
        (lambda: TextConfig(level="sentence"), "level must be one of word, character, bpe"),  # type: ignore[arg-type]
        (lambda: NetworkConfig(cell="transformer"), "cell must be one of lstm, gru"),
        (lambda: NetworkConfig(layers=0), "layers must be from 1 to 32, not 0"),
        (lambda: NetworkConfig(dropout=1.0), "dropout must be"),
        (lambda: NetworkConfig(weight_drop=-0.1), "weight_drop must be"),
        (lambda: NetworkConfig(units=10**8), "units must be from 1 to 65,536, not 100000000"),
        (lambda: TrainingConfig(bptt=0), "bptt must be at least 1"),
        (lambda: TrainingConfig(epochs=5001), "epochs must be from 1 to 5,000, not 5001"),
        (lambda: TrainingConfig(optimizer="adam"), "optimizer must be an OptimizerConfig, not 'adam'"),  # type: ignore[arg-type]
        (lambda: TrainingConfig(activation=-1.0), "activation must be from 0 to 1,000"),
        (lambda: TrainingConfig(seed=-1), "seed must be from 0"),
        (lambda: RunConfig(precision="float16"), "precision must be one of"),  # type: ignore[arg-type]
    ],
)
def test_settings_out_of_range(settings: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        settings()


def test_text_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text").write_text("a b\n")
    with pytest.raises(CorpusError, match="3 tokens are too few for batches of 4: lower batch_size"):
        train([tmp_path / "text"], tmp_path / "b", TINY, training=trained())
    assert os.listdir(tmp_path) == ["text"]
    monkeypatch.setattr(training, "choose_device", lambda *_: pytest.fail("TensorFlow was started"))
    for sources, valid in (([tmp_path / "none"], []), ([tmp_path / "text"], [tmp_path / "none"])):
        with pytest.raises(MissingInputError):
            train(sources, tmp_path / "b", TINY, valid=valid)
    assert os.listdir(tmp_path) == ["text"]


# --- every cell, lines and streams, every level: the same promises


PROMISES = [(cell, lines) for cell in CELLS for lines in (True, False)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "lines", "level"), [(*pair, LEVELS[number % 3]) for number, pair in enumerate(PROMISES)]
)
def test_known_answers(tmp_path: Path, cell: str, lines: bool, level: Any) -> None:
    """Half of the lines are "abab", half "cdcd": what is not known is one bit a line, at its first token."""
    chosen = np.random.default_rng(0).integers(0, 2, 300)
    (tmp_path / "text").write_text("".join(f"{('abab', 'cdcd')[which]}\n" for which in chosen))
    report = train(
        [tmp_path / "text"],
        tmp_path / "b",
        NetworkConfig(layers=1, units=8, cell=cell),
        text=TextConfig(level=level, lines=lines, max_vocab=260 if level == "bpe" else None),
        training=trained(6, bptt=10),
        run=FLOAT32,
    )
    model = LanguageModel.load(tmp_path / "b")
    score = model.score(["abab", "cdcd"] * 20)
    assert score.unknown == 0
    assert score.tokens == 40 * (len(model.coding.encode("abab")) + 1)
    bits = -score.log_probability / math.log(2) / 40
    assert 0.9 < bits < 1.4
    assert report.epochs == 6
    best, worst = model.rank(["abab", "adbc"])
    assert best[0] == "abab"
    assert worst[1].log_probability < best[1].log_probability - 2
