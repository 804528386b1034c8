"""`seqkit embed train`: answers, options, exit codes, and a run that is stopped again and again."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click
import numpy as np
import pytest

from seqkit.cli.embed_train import SETTINGS
from seqkit.cli.embed_train import train as train_command
from seqkit.cli.main import main
from seqkit.corpora import corpus_file, open_corpus
from seqkit.embeddings.methods import METHODS
from seqkit.embeddings.vectors import Vectors
from seqkit.storage import Bundle, read_tensors
from seqkit.text.tokenizers import Tokenizer

LINES = [f"{line}\n" for line in open_corpus("kingdom", size=1000)]
TOKENS = sum(len(Tokenizer().tokenize(line)) for line in LINES)
FAST = ("--vector-size", "8", "--epochs", "2", "--quiet")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a text in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("".join(LINES))
    return tmp_path


def train(*arguments: str) -> int:
    return main(["embed", "train", *arguments])


def tensors(bundle: str) -> str:
    return hashlib.sha256(Path(bundle, "tensors.safetensors").read_bytes()).hexdigest()


def test_the_answer(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train("text.txt", "-o", "b", *FAST, "--json") == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.count("\n") == 1
    answer = json.loads(out)
    assert (answer["words"], answer["bundle"], answer["epochs"], answer["method"]) == (
        TOKENS,
        "b",
        2,
        "skipgram",
    )
    assert answer["vocabulary"] == len(Vectors.load("b"))
    assert answer["words_per_second"] == pytest.approx(2 * TOKENS / answer["seconds"])
    assert answer["validation_loss"] is None
    assert [record["epoch"] for record in answer["history"]] == [1, 2]

    before = tensors("b")
    assert train("text.txt", "-o", "b", *FAST) == 2
    assert capsys.readouterr().err == (
        "seqkit: error: b: a bundle is there already; choose another name or overwrite it (--overwrite)\n"
    )
    assert tensors("b") == before
    assert train("text.txt", "-o", "b", *FAST, "--overwrite", "--seed", "1") == 0
    out, err = capsys.readouterr()
    cells = out.rstrip("\n").split("\t")
    assert cells[:4] == ["b", f"{TOKENS:,}", str(answer["vocabulary"]), "2"]
    assert tensors("b") != before
    assert sorted(os.listdir(folder)) == ["b", "text.txt"]


def test_several_sources_options_and_a_file_of_them(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same text in other pieces and the same settings from elsewhere give the same bytes."""
    third = len(LINES) // 3
    with gzip.open("begin.gz", "wt") as file:
        file.writelines(LINES[:third])
    Path("middle").mkdir()
    Path("middle", "part").write_text("".join(LINES[third : 2 * third]))
    stdin = io.TextIOWrapper(io.BytesIO("".join(LINES[2 * third :]).encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    Path("options.toml").write_text(
        "quiet = true\n[embed.train]\nvector-size = 8\nepochs = 2\nlearning_rate = 1\n"
        'max-vocab = 20\nsample = 0.01\ntokenizer = "whitespace"\nlowercase = false\n'
    )
    assert (
        train("begin.gz", "middle", "-", "-o", "a", "--config", "options.toml", "--learning-rate", "0.1") == 0
    )
    options = ("--max-vocab", "20", "--sample", "0.01", "--tokenizer", "whitespace", "--keep-case")
    assert train("text.txt", "-o", "b", *FAST, *options, "--learning-rate", "0.1") == 0
    assert tensors("a") == tensors("b")
    manifests = [Bundle.open(name).manifest for name in ("a", "b")]
    assert manifests[0].config == manifests[1].config
    assert manifests[0].fingerprint == manifests[1].fingerprint
    assert manifests[0].config["tokenizer"]["kind"] == "whitespace"
    assert len(Vectors.load("a")) == 20
    assert int(capsys.readouterr().out.split("\t")[1].replace(",", "")) == sum(len(x.split()) for x in LINES)


def test_probes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    similarity, analogies = corpus_file("kingdom-similarity.tsv"), corpus_file("kingdom-analogies.txt")
    options = ["--probe-similarity", str(similarity), "--probe-analogies", str(analogies)]
    options += ["--probe", "king", "--probe", "xyzzy", "--validation", "0.1", "--patience", "5", "--json"]
    assert train("text.txt", "-o", "b", "--vector-size", "8", "--epochs", "2", *options) == 0
    out, err = capsys.readouterr()
    answer = json.loads(out)
    record = answer["history"][0]
    assert list(record) == [
        *("epoch", "loss", "learning_rate", "validation_loss"),
        *("kingdom-similarity_spearman", "kingdom-analogies_accuracy"),
    ]
    assert answer["validation_loss"] == min(record["validation_loss"] for record in answer["history"])
    lines = err.splitlines()
    assert f"epoch 1: validation loss {record['validation_loss']:.4f}" in lines
    assert "epoch 2: xyzzy: not in the vocabulary" in lines
    assert any(line.startswith("epoch 2: king: ") and line.count(", ") == 4 for line in lines)
    shown = f"epoch 1: kingdom-similarity spearman {record['kingdom-similarity_spearman']:.3f}, "
    assert any(line.startswith(shown) for line in lines)


def test_phrases(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--phrases", "--phrase-threshold", "5", "--phrase-min-count", "8", "--phrase-passes", "2")
    assert train("text.txt", "-o", "b", *FAST, *options, "--phrase-connectors", "english") == 0
    expected = {"threshold": 5.0, "min_count": 8, "passes": 2, "connectors": "english"}
    assert Bundle.open("b").manifest.config["phrases"] == expected
    phrase = next(word for word in Vectors.load("b").words if "_" in word)
    capsys.readouterr()
    assert main(["embed", "similar", "b", phrase, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["missing.txt"], 66, "missing.txt: no such file, folder or corpus"),
        (["text.txt", "kingdum"], 66, "did you mean 'kingdom'?"),
        (["empty"], 65, "empty: no tokens"),
        (["blank"], 65, "blank: no tokens"),
        (["rare"], 65, "rare: no token occurs 5 times (min_count)"),
        (["latin"], 65, "latin, line 1, byte 3: not UTF-8"),
        (["/proc/self/mem"], 74, "/proc/self/mem: cannot be read"),
        (["text.txt", "--validation", "1"], 2, "validation must be from 0 to below 1"),
        (["text.txt", "--patience", "1"], 2, "--validation 0.01"),
        (["text.txt", "--epochs", "0"], 2, "epochs must be from 1 to 1,000, not 0"),
        (["text.txt", "--learning-rate", "nan"], 2, "learning_rate must be"),
        (["text.txt", "--vector-size", "x"], 2, "'x' is not a valid integer"),
        (["text.txt", "--probe-similarity", "missing.tsv"], 66, "missing.tsv: no such file"),
        (["text.txt", "--probe-analogies", "text.txt"], 65, "text.txt, line 1: a line `: section` must"),
        (["text.txt", "--probe-similarity", "s", "--probe-similarity", "deep/s"], 2, "have the same name"),
        (["text.txt", "-o", "no/b"], 74, "no/b: there is no folder no to write to"),
        (["text.txt", "-o", "text.txt/b"], 74, "text.txt/b: there is no folder text.txt"),
        (["text.txt", "-o", "/proc/b"], 74, "/proc/b.partial: could not create"),
        (["text.txt", "-o", "text.txt"], 2, "exists and is not a bundle"),
        (["text.txt", "--phrase-passes", "2"], 2, "--phrase-passes goes with --phrases"),
        (["text.txt", "--phrases", "--phrase-passes", "9"], 2, "passes of phrases must be from 1 to 5"),
        (["text.txt", "--phrases", "--tokenizer", "character"], 2, "tokenizer character has none"),
        (["text.txt", "--config", "missing.toml"], 66, "missing.toml: no such file"),
    ],
)
def test_what_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    for name, content in {
        "empty": b"",
        "blank": b" \n\t\n",
        "rare": b"a b c\n",
        "latin": b"caf\xe9\n",
    }.items():
        (folder / name).write_bytes(content)
    (folder / "deep").mkdir()
    for name in ("s", "deep/s"):
        (folder / name).write_text("a\tb\t1\n")
    before = sorted(os.listdir(folder))
    assert train("-o", "b", *FAST, *arguments) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("seqkit: error: ")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(os.listdir(folder)) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_without_permission(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "text.txt").chmod(0)
    assert train("text.txt", "-o", "b", *FAST) == 74
    (folder / "text.txt").chmod(0o600)
    folder.chmod(0o500)
    assert train("text.txt", "-o", "b", *FAST) == 74
    folder.chmod(0o700)
    assert capsys.readouterr().err.count("\n") == 2


def test_the_highest_learning_rate(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whether it diverges or not: nothing that is not finite is ever in a bundle."""
    code = train("text.txt", "-o", "b", *FAST, "--learning-rate", "10", "--precision", "float32")
    assert code in (0, 76)
    if code == 0:
        assert all(np.isfinite(array).all() for array in read_tensors("b/tensors.safetensors")[0].values())
    else:
        assert "try half the learning rate" in capsys.readouterr().err
        assert not Path("b").exists()


def test_divergence(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from seqkit.embeddings.skipgram.kernel import SkipGramKernel

    train_chunk, chunks = SkipGramKernel.train, []

    def spoil(self: SkipGramKernel, chunk: Any, rates: tuple[float, float]) -> None:
        train_chunk(self, chunk, rates)
        chunks.append(chunk)
        if len(chunks) == 2:
            self.contexts.assign(self.contexts * np.nan)

    monkeypatch.setattr(SkipGramKernel, "train", spoil)
    options = ("--checkpoint-seconds", "0", "--epochs", "3", "--learning-rate", "0.3")
    assert train("text.txt", "-o", "b", *FAST, *options) == 76
    # Two of three epochs of one chunk each, 0.3 times what is left of the linear decay.
    assert capsys.readouterr().err == (
        "seqkit: error: training diverged at step 2 (learning rate 0.1): the loss is not finite; try half "
        "the learning rate (--learning-rate) after deleting b.partial, which keeps the last good state\n"
    )
    for array in read_tensors("b.partial/checkpoint.safetensors")[0].values():
        assert np.isfinite(array).all()
    assert train("text.txt", "-o", "b", *FAST, *options, "--learning-rate", "0.15") == 2
    err = capsys.readouterr().err
    assert "(learning_rate was 0.3, is 0.15)" in err
    assert "delete b.partial to begin anew" in err


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system with half a megabyte."""
    place = folder / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_disk_that_fills_up(small_disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """12 thousand ids take 50 kB, two tables of 570 words 290 kB: room for one checkpoint, not two."""
    options = ["text.txt", "--vector-size", "64", "--epochs", "3", "--checkpoint-seconds", "0", "-q"]
    assert train(*options, "-o", "disk/b") == 74
    assert capsys.readouterr().err == (
        "seqkit: error: disk/b.partial/checkpoint.safetensors: could not write: No space left on device\n"
    )
    assert sorted(os.listdir("disk/b.partial")) == ["checkpoint.safetensors", "corpus"]
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    assert train(*options, "-o", "disk/b") == 0
    assert train(*options, "-o", "b") == 0
    assert tensors("disk/b") == tensors("b")
    assert os.listdir("disk") == ["b"]


# --- methods, their defaults, and counts


def test_the_defaults_in_the_help_are_those_of_the_methods() -> None:
    """`[default: 5; window 4, glove 10]`: of those that are named, and of all others."""
    seen = set()
    for option in train_command.params:
        if option.name not in SETTINGS:
            continue
        assert isinstance(option, click.Option)
        found = re.search(r"  \[default: ([^]]*)\]$", option.help or "")
        assert found, f"{option.name}: {option.help}"
        parts = [part.rpartition(" ") for part in re.split("[;,] ", found[1])]
        stated = {name: value for name, _, value in parts}
        having = {
            name: method.config() for name, method in METHODS.items() if option.name in method.parameters
        }
        assert stated.keys() - {""} <= having.keys()
        for name, config in having.items():
            default = getattr(config, option.name)
            assert type(default)(stated.get(name, stated.get(""))) == default, f"{option.name} of {name}"
            seen.add(option.name)
    assert seen == set(SETTINGS)


@pytest.fixture
def counts(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Counts of the text with other settings than the defaults."""
    options = ("--window", "3", "--weighting", "uniform", "--min-count", "2", "--tokenizer", "whitespace")
    assert main(["embed", "cooccurrence", "text.txt", "-o", "counts", *options, "--keep-case", "-q"]) == 0
    capsys.readouterr()
    return "counts"


GLOVE = (*FAST, "--method", "glove")


def test_counts_bring_their_settings(counts: str) -> None:
    assert train(counts, "-o", "a", *GLOVE) == 0
    config = Bundle.open("a").manifest.config
    expected = {
        "window": 3,
        "weighting": "uniform",
        "context": "symmetric",
        "min_count": 2,
        "max_vocab": None,
    }
    assert expected.items() <= config.items()
    assert config["tokenizer"] == {"kind": "whitespace", "lowercase": False}
    same = ("--window", "3", "--weighting", "uniform", "--min-count", "2", "--tokenizer", "whitespace")
    assert train("text.txt", "-o", "b", *GLOVE, *same, "--keep-case") == 0
    assert train(counts, "-o", "c", *GLOVE, *same, "--keep-case") == 0  # they say what was done
    assert tensors("a") == tensors("b") == tensors("c")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["counts", "--window", "5"], "counts was counted with window 3, not 5: count again"),
        (["counts", "--context", "left"], "counts was counted with context symmetric, not left"),
        (["counts", "--weighting", "harmonic"], "counts was counted with weighting uniform, not harmonic"),
        (["counts", "--min-count", "5"], "counts was counted with min_count 2, not 5: count again"),
        (["counts", "--max-vocab", "9"], "counts was counted with max_vocab None, not 9"),
        (["counts", "--tokenizer", "word"], "counts was counted with tokenizer whitespace, not word"),
        (["counts", "--lowercase"], "counts was counted with lowercase False, not True"),
        (["counts", "--config", "five.toml"], "counts was counted with min_count 2, not 5"),
        (["counts", "--phrases"], "--phrases are learned from text, and counts holds counts"),
        (["counts", "text.txt"], "counts holds counts, which are trained on alone"),
        (["counts", "--method", "skipgram"], "counts holds counts, which only method glove trains on"),
        (["text.txt", "--negative", "5"], "--negative: not a setting of method glove"),
        (["text.txt", "--sample", "0.1"], "--sample: not a setting of method glove"),
        (["text.txt", "--context", "around"], "context must be one of symmetric, left, not 'around'"),
        (["text.txt", "--objective", "softmax"], "--objective softmax goes with --method skipgram"),
        (
            ["text.txt", "--learning-rate", "1.5"],
            "learning_rate must be above 0, at most 1, not 1.5",
        ),
        (["text.txt", "--x-max", "0"], "x_max must be from 1e-06 to"),
    ],
)
def test_what_glove_refuses(
    counts: str, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    Path("five.toml").write_text("[embed.train]\nmin-count = 5\n")
    before = sorted(os.listdir())
    assert train(*GLOVE, *arguments, "-o", "b") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("seqkit: error: ")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(os.listdir()) == before


# --- a run that is stopped again and again

# Training slowed down, so that there is time to stop it, three times over; what is trained stays the same.
SLOW = """
import sys, time
from seqkit.cli.embed_train import SETTINGS
from seqkit.cli.embed_train import train as train_command
from seqkit.cli.main import main
from seqkit.embeddings.skipgram import trainer

train_unit = trainer.SkipGramTrainer.train_unit

def slowly(self, epoch, unit):
    print("unit", epoch, flush=True)
    time.sleep(0.3)
    return train_unit(self, epoch, unit)

trainer.SkipGramTrainer.train_unit = slowly
for _ in range(3):
    print("exit", main(sys.argv[1:]), flush=True)
"""


def wait_for(stream: IO[str] | None, line: str) -> None:
    assert stream is not None
    assert f"{line}\n" in iter(stream.readline, "")


@contextmanager
def started(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A process as a user starts it: TensorFlow's log level was set by `main` here, not by the user."""
    environment = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.slow
def test_a_run_stopped_three_times_gives_the_bytes_of_one_that_was_not(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["text.txt", "--vector-size", "8", "--epochs", "10", "--checkpoint-seconds", "0"]
    command = [sys.executable, "-c", SLOW, "embed", "train", *arguments, "-o", "b"]
    with started(command) as process:
        wait_for(process.stdout, "unit 1")
        process.send_signal(signal.SIGINT)
        wait_for(process.stdout, "exit 130")
        wait_for(process.stdout, "unit 3")
        process.send_signal(signal.SIGTERM)
        wait_for(process.stdout, "exit 143")
        wait_for(process.stdout, "unit 5")
        process.kill()
        err = process.communicate()[1]
    assert process.returncode == -signal.SIGKILL
    assert "Traceback" not in err
    lines = err.splitlines()
    assert (
        "seqkit: stopped by SIGINT; the state is in b.partial, the same command goes on from there" in lines
    )
    assert (
        "seqkit: stopped by SIGTERM; the state is in b.partial, the same command goes on from there" in lines
    )
    assert "going on from b.partial, where 20% are done (2 of 10 epochs)" in lines
    assert "going on from b.partial, where 40% are done (4 of 10 epochs)" in lines
    assert sorted(os.listdir(folder)) == ["b.partial", "text.txt"]

    assert main(["embed", "info", "b"]) == 66
    assert "its training did not finish, run the same command again" in capsys.readouterr().err
    assert train(*arguments, "-o", "b", "--window", "4", "-q") == 2
    assert "(window was 5, is 4)" in capsys.readouterr().err
    with Path("text.txt").open("a") as file:
        file.write("and a line\n")
    assert train(*arguments, "-o", "b", "-q") == 2
    assert "(the text to train or to validate on has changed)" in capsys.readouterr().err
    Path("text.txt").write_text("".join(LINES))

    assert train(*arguments, "-o", "b", "--json") == 0
    out, err = capsys.readouterr()
    assert "going on from b.partial, where 50% are done (5 of 10 epochs)" in err
    assert train(*arguments, "-o", "whole", "--json", "-q") == 0
    stopped, whole = json.loads(out), json.loads(capsys.readouterr().out)
    assert tensors("b") == tensors("whole")
    assert stopped["history"] == whole["history"]
    assert stopped["seconds"] > 5 * 0.3  # of all sittings
    assert sorted(os.listdir(folder)) == ["b", "text.txt", "whole"]


@pytest.mark.slow
def test_ctrl_c_while_text_is_read(folder: Path) -> None:
    """Of the process as it is started by a user, who types the text."""
    command = [sys.executable, "-m", "seqkit.cli", "embed", "train", "-", "-o", "b"]
    with started(command) as process:
        wait_for(process.stderr, "reading text: started")
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert process.wait(timeout=30) == 130
        assert time.monotonic() - began < 5
        out, err = process.communicate()
    assert out == ""
    assert err.splitlines()[-1] == (
        "seqkit: stopped by SIGINT; nothing was learned yet, the same command begins anew"
    )
    assert "Traceback" not in err
    assert os.listdir(folder) == ["text.txt"]
