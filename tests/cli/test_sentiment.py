"""`seqkit sentiment`: train, classify and info, by text and by JSON."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import pytest

from seqkit.cli import sentiment_classify, sentiment_options, sentiment_train
from seqkit.cli.common import safe
from seqkit.cli.main import main
from seqkit.sentiment.model import SentimentModel
from seqkit.sentiment.models.recurrent import CELLS, POOLINGS
from seqkit.sentiment.registry import MODELS
from seqkit.training.optimizers import OPTIMIZERS

LINES = [
    f"{label},the {thing} was {word}"
    for label, words in (("1", ("awful", "bad")), ("3", ("fair", "so-so")), ("5", ("good", "great")))
    for word in words
    for thing in ("film", "food", "book", "room", "phone")
]
SIGNS = {"100%s": "good", "%d": "bad"}
FIGURES = ["text", "label", "probability", "probabilities", "rating", "tokens", "unknown"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ratings, and a bundle that was trained on them."""
    folder = tmp_path_factory.mktemp("sentiment")
    (folder / "data.csv").write_text("stars,review\n" + "\n".join(LINES) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        out = io.StringIO()
        patch.setattr(sys, "stdout", out)
        assert main(["sentiment", "train", "data.csv", "-o", "b", "--valid", "0.2", "-q", "--json"]) == 0
    (folder / "answer.json").write_text(out.getvalue())
    (folder / "blank.txt").write_text("\n \n")
    (folder / "few.txt").write_text("a pencil\n")
    return folder


@pytest.fixture
def folder(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(trained)
    return trained


def sentiment(*arguments: str) -> int:
    return main(["sentiment", *arguments])


def objects(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[Any]:
    assert sentiment(*arguments, "--json") == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_answer_of_training(folder: Path) -> None:
    answer = json.loads((folder / "answer.json").read_text())
    assert answer["bundle"] == "b"
    assert answer["labels"] == ["1", "3", "5"]
    assert (answer["texts"], answer["validation_texts"]) == (24, 6)
    assert 0 <= answer["validation_accuracy"] <= 1
    assert [each["model"] for each in answer["members"]] == ["linear"]


def test_the_table_of_training(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sentiment("train", "data.csv", "-o", str(tmp_path / "b"), "--valid", "0.2") == 0
    out, err = capsys.readouterr()
    assert out.split("\t")[1:4] == ["24", "1, 3, 5", "linear"]
    assert "text is column 'review', label is column 'stars'" in err


def test_training_with_texts_without_labels(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "more.txt").write_text("".join(f"our {word} trip\n" for word in ("awful", "great")))
    bundle = str(tmp_path / "b")
    options = ["--valid", "0.2", "--unlabelled", "more.txt", "--confidence", "0.4"]
    (answer,) = objects(capsys, "train", "data.csv", "-o", bundle, "-q", *options)
    assert (answer["texts"], answer["validation_texts"]) == (24, 6)
    record = answer["self_training"]
    assert (record["unlabelled"], record["learned"], record["confidence"]) == (2, 2, 0.4)
    (found,) = objects(capsys, "info", bundle)
    assert found["metrics"]["self_training"] == record
    assert sentiment("info", bundle) == 0
    assert "self-training\t\n  unlabelled\t2\n  learned\t2\n  confidence\t0.4000\n" in capsys.readouterr().out
    assert sentiment("train", "data.csv", "-o", bundle, "--overwrite", *options) == 0
    out, err = capsys.readouterr()
    assert out.split("\t")[1:4] == ["24", "2", "1, 3, 5"]
    assert "before self-training: validation accuracy" in err
    assert "of 2 texts without labels the model is sure of 2: 1 1, 0 3, 1 5" in err


def test_a_confidence_that_no_label_has_can_be_lowered(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = str(tmp_path / "b")
    line = ["train", "data.csv", "-o", bundle, "--unlabelled", "few.txt", "-q", "--confidence"]
    assert sentiment(*line, "1") == 65
    assert "of 1 texts without labels the model is sure of none" in capsys.readouterr().err
    assert sentiment(*line, "0.3") == 0


def test_the_answer_of_training_without_them(folder: Path) -> None:
    assert json.loads((folder / "answer.json").read_text())["self_training"] is None


def test_classify_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = objects(capsys, "classify", "b", "the film was great")
    assert list(found) == FIGURES
    assert found["label"] == "5"
    assert list(found["probabilities"]) == ["1", "3", "5"]
    assert sum(found["probabilities"].values()) == pytest.approx(1)
    expected = sum(float(name) * p for name, p in found["probabilities"].items())
    assert found["rating"] == pytest.approx(expected)
    assert (found["tokens"], found["unknown"]) == (4, 0)


def test_classify_explains(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = objects(capsys, "classify", "b", "the film was great", "--explain")
    assert [each["token"] for each in found["explanation"]] == ["the", "film", "was", "great"]
    assert max(found["explanation"], key=lambda each: each["weight"])["token"] == "great"
    assert sentiment("classify", "b", "the film was great", "--explain") == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert rows[0][0] == "5"
    assert [row[2] for row in rows[1:]] == ["the", "film", "was", "great"]


def test_classify_reads_lines_in_order(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "good\n\nawful food\nqwertz\n"
    (folder / "texts.txt").write_text(text)
    found = objects(capsys, "classify", "b", "--file", "texts.txt")
    assert [each["text"] for each in found] == ["good", "", "awful food", "qwertz"]
    assert [each["label"] for each in found] == ["5", None, "1", None]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8"))
    assert objects(capsys, "classify", "b") == found


@pytest.mark.parametrize("text", ["ok", "the film was great"])
def test_a_line_of_a_pipe_is_answered_before_the_next_comes(folder: Path, text: str) -> None:
    command = [sys.executable, "-m", "seqkit.cli", "sentiment", "classify", "b"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(5):
            process.stdin.write(f"{text} {number}\n")
            process.stdin.flush()
            assert process.stdout.readline().endswith(f"\t{text} {number}\n")
        process.stdin.close()
        assert process.stdout.read() == ""
    assert process.returncode == 0


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_what_is_explained_is_shown_at_once(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    shown = []

    def explain(self: SentimentModel, text: str, label: str | None = None) -> list[tuple[str, float]]:
        shown.append(capfd.readouterr().out)
        return [(text, 1.0)]

    monkeypatch.setattr(SentimentModel, "explain", explain)
    assert sentiment("classify", "b", "good", "bad", "--explain", *options) == 0
    assert "good" in shown[1]
    assert "bad" in capfd.readouterr().out


def test_rows_and_objects_say_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = ["the film was great", "", "tab\there \x1b[31m", "awful caf\u00e9 \u202e", "qwertz"]
    (folder / "odd.txt").write_text("\n".join(texts) + "\n")
    for given in (["--file", "odd.txt"], texts):
        found = objects(capsys, "classify", "b", *given)
        assert sentiment("classify", "b", *given) == 0
        rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
        assert rows == [
            [
                each["label"] or "",
                f"{each['probability']:.4f}",
                " ".join(f"{name}={p:.4f}" for name, p in each["probabilities"].items()),
                f"{each['rating']:.2f}",
                safe(each["text"]),
            ]
            for each in found
        ]


def test_labels_with_signs_of_a_format(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, bundle = tmp_path / "data.tsv", str(tmp_path / "b")
    data.write_text("".join(f"{label}\t{word} film {n}\n" for n in range(9) for label, word in SIGNS.items()))
    assert sentiment("train", str(data), "-o", bundle, "-q") == 0
    capsys.readouterr()
    assert sentiment("classify", bundle, "good") == 0
    label, _, probabilities, text = capsys.readouterr().out.rstrip("\n").split("\t")
    assert (label, text) == ("100%s", "good")
    assert re.fullmatch(r"%d=0\.\d{4} 100%s=0\.\d{4}|100%s=0\.\d{4} %d=0\.\d{4}", probabilities)


def test_classify_says_what_it_cannot(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sentiment("classify", "b", "qwertz", "--threshold", "0.1") == 0
    out, err = capsys.readouterr()
    assert out.startswith("\t")
    assert err == "1 without any word that the model knows: no label\n"
    (unsure,) = objects(capsys, "classify", "b", "film", "--threshold", "0.99")
    assert unsure["label"] is None


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["classify", "nowhere", "a"], 66, "nowhere: no such bundle or file"),
        (["classify", "b", "a", "--file", "texts.txt"], 2, "give either TEXT or --file, not both"),
        (["classify", "b", "a", "--threshold", "2"], 2, "threshold must be from 0 to 1, not 2.0"),
        (["classify", "b", "--file", "nowhere"], 66, "nowhere"),
        (["train", "data.csv", "-o", "b"], 2, "--overwrite"),
        (["train", "data.csv", "-o", "c", "--label-column", "star"], 65, "did you mean 'stars'"),
        (["train", "nowhere.csv", "-o", "c"], 66, "nowhere.csv"),
        (["train", "data.csv", "-o", "c", "--valid", "2"], 2, "2"),
        (["train", "data.csv", "-o", "c", "--valid", "nowhere"], 66, "nowhere"),
        (["train", "data.csv", "-o", "c", "--seeds", "0"], 2, "seeds must be at least 1"),
        (["train", "data.csv", "-o", "c", "--unlabelled", "nowhere"], 66, "nowhere"),
        (["train", "data.csv", "-o", "c", "--unlabelled", "blank.txt"], 65, "blank.txt: there is no text"),
        (
            ["train", "data.csv", "-o", "c", "--unlabelled", "few.txt", "--confidence", "2"],
            2,
            "0 to 1, not 2",
        ),
        (["train", "data.csv", "-o", "c", "--confidence", "0.9"], 2, "name some (--unlabelled)"),
        (["train", "-", "-o", "c", "--unlabelled", "-"], 2, "- (stdin) can be one of DATA"),
        (["info", "nowhere"], 66, "nowhere"),
    ],
)
def test_errors_are_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    assert sentiment(*arguments) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err.splitlines()[-1]
    assert "Traceback" not in err
    assert not (folder / "c").exists()
    assert not (folder / "c.partial").exists()


def test_info(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = objects(capsys, "info", "b", "--verify")
    assert found["kind"] == "sentiment"
    assert found["verified"] is True
    assert found["config"]["labels"] == ["1", "3", "5"]
    assert sentiment("info", "b") == 0
    assert "member 0\tlinear" in capsys.readouterr().out


def test_a_terminal_gets_a_table_and_colours(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert sentiment("classify", "b", "the film was great xyz", "--explain") == 0
    out = capsys.readouterr().out
    assert "rating" in out
    assert "unknown words" in out
    monkeypatch.setenv("NO_COLOR", "1")
    assert sentiment("classify", "b", "the film was great xyz", "--explain") == 0
    assert re.search(r"great +[+-]\d\.\d{4}\n", capsys.readouterr().out)
    words = [("good", 1.0), ("the", 0.01), ("bad", -0.4)]
    assert sentiment_classify._coloured(words) == " ".join(
        [click.style("good", fg="green", bold=True), click.style("the"), click.style("bad", fg="red")]
    )


def test_a_text_that_is_the_name_of_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.csv").write_text("great\n")
    assert sentiment("classify", "b", "t.csv") == 0
    assert "t.csv: read as a text, though there is such a file; --file t.csv" in capsys.readouterr().err


def test_the_names_in_help_are_those_of_the_library() -> None:
    assert [*MODELS] == sentiment_options.MODELS
    assert [*CELLS] == sentiment_options.CELLS
    assert [*POOLINGS] == sentiment_options.POOLINGS
    assert [*OPTIMIZERS] == sentiment_options.OPTIMIZERS


def test_every_setting_of_a_model_is_an_option() -> None:
    settings = {each.name for kind in MODELS.values() for each in fields(kind.config_class)}
    assert settings == sentiment_options.SETTINGS


def test_defaults_in_help_are_those_of_the_models() -> None:
    """Where help names one number for all models that have the setting."""
    for param in sentiment_train.train.params:
        assert isinstance(param, click.Option | click.Argument)
        told = re.search(r"\[default: ([\d.]+)\]", getattr(param, "help", None) or "")
        if param.name in sentiment_options.SETTINGS and told:
            found = {
                float(getattr(kind.config_class(), param.name))
                for kind in MODELS.values()
                if param.name in {each.name for each in fields(kind.config_class)}
            }
            assert found == {float(told[1])}, param.name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--filters", "3"], "--filters is no setting of linear; leave it out"),
        (["--model", "cnn", "--freeze-vectors", "--alpha", "1"], "--alpha is no setting of cnn"),
        (["--ngrams", "9"], "ngrams must be from 1 to 5, not 9"),
        (["--vectors", "v"], "--vectors are for average, rnn and cnn"),
        (["--model", "cnn", "--lm", "v"], "--lm is for rnn"),
    ],
)
def test_settings_that_do_not_fit(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert sentiment("train", "data.csv", "-o", "c", *options) == 2
    assert message in capsys.readouterr().err


def test_settings_reach_their_models() -> None:
    given = {**dict.fromkeys(sentiment_options.SETTINGS), "seeds": 2, "lowercase": False, "seed": 3}
    config = sentiment_options.fit_config(
        given | {"models": ("linear", "rnn"), "ngrams": 2, "units": 7, "l2": 0.5}
    )
    linear, rnn = config.models
    assert (linear.ngrams, linear.l2, rnn.units, rnn.l2) == (2, 0.5, 7, 0.5)
    assert (config.seeds, config.lowercase, config.seed) == (2, False, 3)
