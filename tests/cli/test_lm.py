"""`seqkit lm`: train, score, rank and info, by text and by JSON."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from seqkit.cli import lm_train
from seqkit.cli.main import main
from seqkit.language_model.config import CELLS, LEVELS, TOKENIZERS, NetworkConfig, TextConfig
from seqkit.language_model.presets import PRESETS
from seqkit.language_model.training import DEFAULT_OPTIMIZER, TrainingConfig
from seqkit.training.optimizers import AVERAGING, OPTIMIZERS, OptimizerConfig
from seqkit.training.run import PRECISIONS
from seqkit.training.schedules import SCHEDULES

# Lines of four characters, of which only the first is not known from the one before.
NAMES = "".join(f"{'abab' if n % 3 else 'caca'}\n" for n in range(120))
FAST = (
    "--level",
    "character",
    "--lines",
    "--layers",
    "1",
    "--units",
    "8",
    "--batch-size",
    "4",
    "--bptt",
    "8",
)
FAST += ("--learning-rate", "0.03", "--precision", "float32", "--threads", "1")

FIGURES = ["tokens", "log_probability", "perplexity", "bits_per_character", "unknown"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a text, and a bundle that was trained on it."""
    folder = tmp_path_factory.mktemp("lm")
    (folder / "names.txt").write_text(NAMES)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        out = io.StringIO()
        patch.setattr(sys, "stdout", out)
        code = main(
            ["lm", "train", "names.txt", "-o", "b", "--valid", "0.2", "--epochs", "3", *FAST, "--json"]
        )
    assert code == 0
    (folder / "answer.json").write_text(out.getvalue())
    return folder


@pytest.fixture
def folder(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(trained)
    return trained


def lm(*arguments: str) -> int:
    return main(["lm", *arguments])


def answer_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert lm(*arguments, "--json") == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.count("\n") == 1
    return json.loads(out)


# --- train


def test_the_answer_of_training(folder: Path) -> None:
    text = (folder / "answer.json").read_text()
    assert text.count("\n") == 1
    answer = json.loads(text)
    assert list(answer) == [
        *("bundle", "tokens", "vocabulary", "parameters", "epochs", "seconds", "tokens_per_second", "loss"),
        *("perplexity", "validation_perplexity", "history", "covered"),
    ]
    assert (answer["bundle"], answer["epochs"], answer["vocabulary"]) == ("b", 3, 5)
    assert answer["tokens"] % 5 == 0
    assert [record["epoch"] for record in answer["history"]] == [1, 2, 3]
    # One of five tokens has a choice of two, at .92 bits: 1.14 a token, if all is learned.
    assert 1 < answer["validation_perplexity"] < 2.5


def test_what_stops_a_training(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = hashlib.sha256((folder / "b" / "tensors.safetensors").read_bytes()).hexdigest()
    train = ("train", "names.txt", "-o")
    for arguments, code, message in (
        (
            (*train, "b", *FAST),
            2,
            "a bundle is there already; choose another name or overwrite it (--overwrite)",
        ),
        ((*train, "c", "--bidirectional"), 2, "reads from left to right: what comes after a word would tell"),
        ((*train, "c", "--units", "0"), 2, "units must be from 1 to 65,536, not 0"),
        ((*train, "c", "--cell", "transformer"), 2, "'transformer' is not one of"),
        ((*train, "c", "--preset", "tiny"), 2, "'tiny' is not one of"),
        ((*train, "c", "--schedule", "cosin"), 2, "did you mean 'cosine'?"),
        ((*train, "c", "--patience", "2"), 2, "patience needs text to validate on"),
        ((*train, "c", "--valid", "1.5"), 2, "validation must be from 0 to below 1"),
        ((*train, "c", "--averaging", "nt-asgd"), 2, "nt-asgd goes by the loss on held-out data"),
        ((*train, "c", "--weight-decay", "0.1"), 2, "weight_decay is of adamw"),
        ((*train, "c", "--valid", "nowhere.txt"), 66, "nowhere.txt"),
        (("train", "nowhere.txt", "-o", "c"), 66, "nowhere.txt"),
        (("train", os.devnull, "-o", "c"), 65, "no tokens"),
    ):
        assert lm(*arguments, "--quiet") == code, arguments
        out, err = capsys.readouterr()
        assert out == ""
        assert message in err
        assert err.count("\n") == 1
    after = hashlib.sha256((folder / "b" / "tensors.safetensors").read_bytes()).hexdigest()
    assert before == after
    assert sorted(os.listdir(folder)) == ["answer.json", "b", "names.txt"]


def test_choices_are_the_librarys() -> None:
    found = {
        param.name: list(param.type.choices)
        for param in lm_train.train.params
        if isinstance(param.type, click.Choice)
    }
    assert found["cell"] == list(CELLS)
    assert found["preset"] == list(PRESETS)
    assert found["optimizer"] == list(OPTIMIZERS)
    assert found["averaging"] == list(AVERAGING)
    assert found["level"] == list(LEVELS)
    assert found["tokenizer"] == list(TOKENIZERS)
    assert found["precision"] == list(PRECISIONS)


def test_help_says_the_librarys_defaults() -> None:
    helps = {param.name: getattr(param, "help", "") or "" for param in lm_train.train.params}
    for name in SCHEDULES:
        assert name in helps["schedule"]
    kinds: list[Any] = [NetworkConfig(), TextConfig(), TrainingConfig(), OptimizerConfig(**DEFAULT_OPTIMIZER)]
    checked = 0
    for name, text in helps.items():
        for kind in kinds:
            value = getattr(kind, name, None)
            if isinstance(value, int | float) and not isinstance(value, bool) and "[default: " in text:
                said = text.rpartition("[default: ")[2].rstrip("]")
                assert float(said) == value, name
                checked += 1
    assert checked >= 15


def configured(*arguments: str) -> Any:
    context = lm_train.train.make_context("train", ["text", "-o", "b", *arguments])
    return lm_train.configured(context.params)


def test_options_win_over_a_preset_and_that_over_defaults() -> None:
    network, text, training, valid = configured("--preset", "awd", "--units", "9", "--valid", "f.txt")
    assert (network.units, network.layers, network.embedding_size, network.tied) == (9, 3, 400, True)
    assert (training.optimizer.averaging, training.bptt, training.random_bptt) == ("nt-asgd", 70, True)
    assert (text.validation, valid) == (0.0, ["f.txt"])
    assert configured("--preset", "awd", "--not-tied", "--fixed-bptt")[0].tied is False
    assert configured("--preset", "char")[1].level == "character"
    assert configured("--preset", "char", "--level", "word")[1].level == "word"


def test_nothing_given_are_the_defaults() -> None:
    assert configured() == (NetworkConfig(), TextConfig(), TrainingConfig(), [])
    update = configured("--optimizer", "adamw", "--weight-decay", "0.1")[2].optimizer
    assert (update.learning_rate, update.clip_norm) == (0.002, 1.0)  # as --help says
    assert configured("--valid", "0.25")[1].validation == 0.25


def test_options_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "options.toml"
    file.write_text(
        '[lm.train]\nunits = 7\nlines = true\noptimizer = "sgd"\nlearning-rate = 1\ntied = true\n'
        "valid = 0.25\n"
    )
    context = click.Context(
        lm_train.train, info_name="train", parent=click.Context(_group("lm"), info_name="lm")
    )
    context.parent.parent = click.Context(_group(""), info_name="seqkit")  # type: ignore[union-attr]
    from seqkit.cli.config import read_config

    found = read_config(str(file), context)
    expected = {"units": 7, "lines": True, "optimizer": "sgd", "learning_rate": 1, "tied": True}
    assert found == expected | {"valid": 0.25}
    (valid,) = (param for param in lm_train.train.params if param.name == "valid")
    assert valid.type_cast_value(context, 0.25) == "0.25"


def _group(name: str) -> Any:
    from seqkit.cli.lm import lm as group
    from seqkit.cli.main import seqkit

    return group if name else seqkit


def test_vectors(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text").write_text("a b c\n" * 40)
    (tmp_path / "v.txt").write_text("a 1 2 3\nc 4 5 6\n")
    text, vectors = str(tmp_path / "text"), ("--vectors", str(tmp_path / "v.txt"))
    fast = ("--layers", "1", "--units", "8", "--batch-size", "4", "--epochs", "1", "--threads", "1")
    fast += ("--precision", "float32")
    train = ("train", text, "-o", str(tmp_path / "b"), *fast, *vectors)
    assert lm(*train, "--tied", "--freeze-vectors") == 2
    assert "tied weights are those of the softmax" in capsys.readouterr().err
    assert lm(*train, "--freeze-vectors", "--json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["covered"] == pytest.approx(2 / 3)
    assert "vectors for 66.7% of the words, which are 66.7% of the text" in err
    assert lm("train", text, "-o", str(tmp_path / "c"), "--freeze-vectors") == 2
    assert "--freeze-vectors needs --vectors" in capsys.readouterr().err
    # The length of the embeddings is that of the vectors, not that of the preset.
    assert configured("--preset", "awd", *vectors)[0].embedding_size is None


def test_init(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is not set is as it was, of a preset only what does not say which weights there are."""
    network, text, _, _ = configured("--init", "b", "--dropout", "0.5", "--preset", "awd", "--valid", "0.3")
    assert (network.layers, network.units, network.embedding_size, network.tied) == (1, 8, None, False)
    assert (network.dropout, network.weight_drop) == (0.5, 0.5)
    assert (text.level, text.lines, text.validation) == ("character", True, 0.3)
    assert configured("--init", "b")[1].validation == 0  # that was of another text
    start = ("train", "names.txt", "-o", "c", "--init", "b")
    for more, message in (
        (("--vectors", "v"), "--init and --vectors exclude each other"),
        (("--units", "99"), "b has units"),
        (("--level", "word"), "b has level character, not word"),
    ):
        assert lm(*start, *more) == 2
        assert message in capsys.readouterr().err


# --- score


def test_a_score(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "score.txt").write_text("abab\nxa\n")
    answer = answer_of(capsys, "score", "b", "score.txt")
    os.remove(folder / "score.txt")
    assert list(answer)[:5] == FIGURES
    assert (answer["tokens"], answer["unknown"]) == (8, 1)  # x; two ends of lines
    nats = -answer["log_probability"]
    assert answer["perplexity"] == pytest.approx(math.exp(nats / 8))
    assert answer["bits_per_character"] == pytest.approx(nats / math.log(2) / 8)
    assert answer == answer_of(capsys, "score", "b", "--text", "abab\nxa")


def test_a_score_from_standard_input_and_as_a_table(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = answer_of(capsys, "score", "b", "--text", "abab\nxa")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"abab\nxa\n")))
    assert lm("score", "b", "-") == 0
    out, err = capsys.readouterr()
    rows = dict(line.split("\t") for line in out.splitlines())
    assert err == ""
    assert rows.pop("unknown share") == "12.50%"  # one of eight
    expected = {name: expected[name] for name in FIGURES}
    assert rows == {
        name: f"{value:.4f}" if isinstance(value, float) else str(value) for name, value in expected.items()
    }


def test_each_token(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = answer_of(capsys, "score", "b", "--text", "abab", "--per-token")
    tokens = answer["per_token"]
    assert [each["token"] for each in tokens] == ["a", "b", "a", "b", "<eos>"]
    bits = sum(each["surprisal"] for each in tokens)
    assert bits == pytest.approx(-answer["log_probability"] / math.log(2), rel=1e-5)
    assert all(0 <= each["entropy"] <= math.log2(5) for each in tokens)
    assert lm("score", "b", "--text", "abab", "--per-token") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"a\t{tokens[0]['surprisal']:.4f}\t{tokens[0]['entropy']:.4f}"
    assert lines[5] == ""
    # The end of the last line begins no other: the bytes of a file that says "abab".
    (folder / "abab.txt").write_bytes(b"abab\n")
    of_file = answer_of(capsys, "score", "b", "abab.txt")
    assert answer_of(capsys, "score", "b", "--text", "abab\n") == of_file
    assert of_file["tokens"] == answer["tokens"]
    assert of_file["bits_per_character"] == pytest.approx(answer["bits_per_character"])


def test_what_cannot_be_scored(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, code, message in (
        (("b",), 2, "give either a FILE or --text"),
        (("b", "names.txt", "--text", "a"), 2, "give either a FILE or --text"),
        (("b", "--text", ""), 65, "there is no token in the text to score"),
        (("b", "nowhere.txt"), 66, "a text itself goes behind --text"),
        (("nowhere", "--text", "a"), 66, "nowhere"),
        (("names.txt", "--text", "a"), 65, "names.txt"),
    ):
        assert lm("score", *arguments) == code, arguments
        out, err = capsys.readouterr()
        assert out == ""
        assert message in err
        assert err.count("\n") == 1


# --- ngram


def test_ngrams_beside_the_model(folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Bigrams expect c after a wherever it stands; the network, which knows abab and caca, not after ab."""
    ngrams, valid = str(tmp_path / "n"), tmp_path / "valid"
    valid.write_text("abac\n" * 9)
    count = ("ngram", "b", "names.txt", "-o", ngrams, "--order", "2", "--valid", str(valid), "-q")
    answer = answer_of(capsys, *count)
    assert list(answer) == [
        *("bundle", "order", "tokens", "ngrams", "seconds", "weight"),
        *("perplexity", "perplexity_of_model", "perplexity_of_ngrams"),
    ]
    assert answer["ngrams"] == [5, 8]  # <unk>, <eos>, a, b, c; a and c first, ab, ba, ca, ac, b and a last
    assert answer["perplexity"] < answer["perplexity_of_model"]
    alone = answer_of(capsys, "score", "b", "--text", "abac")
    mixed = answer_of(capsys, "score", "b", "--text", "abac", "--ngram", ngrams)
    assert (alone["ngram"], mixed["ngram"]) == (False, True)
    assert mixed["log_probability"] > alone["log_probability"]
    assert mixed["perplexity"] == pytest.approx(answer["perplexity"], rel=1e-5)
    assert lm("ngram", "b", "names.txt", "-o", ngrams, "--overwrite", "-q") == 0
    rows = dict(line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert rows["n-grams"] == ngrams
    assert float(rows["of both"]) <= float(rows["perplexity of the model"])


def test_ngrams_that_are_refused(folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "other").write_text("abab\n" * 60)
    for arguments, code, message in (
        (("ngram", "b", str(tmp_path / "other"), "-o", str(tmp_path / "n"), "-q"), 2, "--valid"),
        (("ngram", "b", "nowhere", "-o", str(tmp_path / "n"), "-q"), 66, "nowhere"),
        (("score", "b", "--text", "a", "--ngram", "b"), 65, "a ngram bundle is needed here"),
        (("score", "b", "--text", "a", "--ngram", "nowhere"), 66, "nowhere"),
        (("score", "b", "--text", "a", "--ngram", "n", "--per-token"), 2, "leave out"),
    ):
        assert lm(*arguments) == code, arguments
        out, err = capsys.readouterr()
        assert out == ""
        assert message in err
        assert err.count("\n") == 1


# --- rank and info


def test_ranks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = answer_of(capsys, "rank", "b", "aabb", "abab")
    assert list(answer) == ["ranked"]
    first, second = answer["ranked"]
    assert list(first) == ["text", *FIGURES]
    assert (first["text"], second["text"]) == ("abab", "aabb")
    assert first["log_probability"] > second["log_probability"]
    alone = answer_of(capsys, "score", "b", "--text", "abab")
    assert [first[name] for name in FIGURES] == pytest.approx([alone[name] for name in FIGURES], rel=1e-5)
    assert lm("rank", "b", "abab", "axab") == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == f"abab\t{first['log_probability']:.2f}\t{first['perplexity']:.2f}"
    assert err == "1 of 5 tokens unknown: axab\n"
    assert lm("rank", "b", "abab", "") == 65  # no token, no probability
    assert lm("rank", "b") == 2


def test_info(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = answer_of(capsys, "info", "b")
    assert list(answer) == [*("bundle", "kind", "seed", "metrics", "config", "versions", "fingerprint")]
    assert answer["kind"] == "language_model"
    assert answer["fingerprint"] == hashlib.sha256(NAMES.encode()).hexdigest()
    assert answer["config"]["network"]["units"] == 8
    assert answer["config"]["text"]["level"] == "character"
    assert answer["metrics"]["vocabulary"] == 5
    assert answer_of(capsys, "info", "b", "--verify")["verified"] is True
    assert lm("info", "b") == 0
    rows = dict(line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert rows["vocabulary"] == "5"
    assert rows["network.cell"] == "lstm"
    assert lm("info", "nowhere") == 66


def test_a_damaged_bundle(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import shutil

    shutil.copytree("b", tmp_path / "b")
    tensors = tmp_path / "b" / "tensors.safetensors"
    content = bytearray(tensors.read_bytes())
    content[-1] ^= 1
    tensors.write_bytes(content)
    for arguments in (("score", "--text", "a"), ("rank", "a", "b"), ("info", "--verify")):
        assert lm(arguments[0], str(tmp_path / "b"), *arguments[1:]) == 65
        out, err = capsys.readouterr()
        assert out == ""
        assert "tensors.safetensors" in err
        assert err.count("\n") == 1


def test_weights_are_numbers(folder: Path) -> None:
    from seqkit.storage import read_tensors

    arrays, _ = read_tensors(folder / "b" / "tensors.safetensors")
    assert set(arrays) == {
        *("embeddings", "kernel", "bias", "layer_1.kernel", "layer_1.recurrent_kernel", "layer_1.bias")
    }
    assert all(array.dtype == np.float32 for array in arrays.values())
