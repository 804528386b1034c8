"""`seqkit lm sample`: what is printed, in which form, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from seqkit.cli import lm_sample
from seqkit.cli.main import main
from seqkit.errors import UnknownWordError
from seqkit.language_model.model import LanguageModel

# After the beginning comes "the", then "cat" or "dog", then "sat" or a line end, then the end of the text.
WORDS = ["<unk>", "<eos>", "the", "cat", "dog", "sat", "\x1b[31m"]
NEXT = {1: {2: 1.0}, 2: {3: 0.6, 4: 0.4}, 3: {5: 1.0}, 4: {5: 1.0}, 5: {1: 1.0}, 0: {6: 1.0}, 6: {1: 1.0}}


class Toy:
    """What the command needs of a model."""

    vocabulary_size = len(WORDS)

    def __init__(self) -> None:
        p = np.zeros((7, 7))
        for before, row in NEXT.items():
            for after, share in row.items():
                p[before, after] = share
        with np.errstate(divide="ignore"):
            self._logits = np.log(p).astype(np.float32)

    def steps_by(self, label: str | None) -> Toy:
        return self

    def initial_state(self, batch: int) -> Any:
        return tf.zeros([batch])

    def step(self, inputs: Any, state: Any) -> Any:
        return tf.gather(self._logits, inputs), state

    def encode_prompt(self, text: str) -> tuple[list[int], list[str]]:
        words = text.split()
        return [WORDS.index(one) if one in WORDS else 0 for one in words], [
            one for one in words if one not in WORDS
        ]

    def decode(self, ids: Sequence[int]) -> str:
        return " ".join(WORDS[one] for one in ids)

    def id_of(self, word: str) -> int:
        if word not in WORDS:
            raise UnknownWordError(word)
        return WORDS.index(word)


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(LanguageModel, "load", lambda bundle: Toy())
    tf.config.run_functions_eagerly(True)  # to compile takes longer than to run
    yield
    tf.config.run_functions_eagerly(False)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["lm", "sample", "bundle", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_text_on_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--temperature", "0") == (0, "the cat sat\n", "")
    code, out, _ = run(capsys, "-n", "20")
    assert code == 0
    assert set(out.splitlines()) == {"the cat sat", "the dog sat"}
    assert len(out.splitlines()) == 20
    assert run(capsys, "-n", "20")[1] == out
    assert run(capsys, "-n", "20", "--seed", "1")[1] != out


def test_a_prompt_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    for prompt in ("the dog", "the dog  "):  # the next word brings a space
        assert run(capsys, "--prompt", prompt) == (0, "the dog sat\n", "")


def test_unknown_words_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "--prompt", "the wug wug")
    # After <unk> comes a word that would colour a terminal.
    assert (code, out) == (0, "the wug wug \\x1b[31m\n")
    assert err == "the model does not know, and reads as <unk>: wug\n"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--ban", "cat", "--ban", "sat"], "the dog\n"),
        (["--max-length", "1"], "the\n"),
        (["--temperature", "0", "--stop", "at s"], "the c\n"),
        (["--temperature", "0", "--stop", "x", "--stop", " sat"], "the cat\n"),
        (["--top-k", "1"], "the cat sat\n"),
        (["--top-p", "0.5"], "the cat sat\n"),
        (["--min-p", "0.7"], "the cat sat\n"),
        (["--beams", "2", "-n", "2"], "the cat sat\nthe dog sat\n"),
        (["--no-repeat-ngram", "1", "--prompt", "cat"], "cat sat\n"),
        (["--typical", "0.3", "--repetition-penalty", "1.2", "--eos-threshold", "0.9"], "the cat sat\n"),
    ],
    ids=" ".join,
)
def test_options(options: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, *options) == (0, text, "")


@pytest.mark.parametrize(
    "options", [[], ["--prompt", "the ", "--stop", "at s"], ["-n", "5", "--max-length", "2"]]
)
def test_a_stream_prints_the_same(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--stream", *options) == run(capsys, *options)


def test_texts_of_several_lines_stand_apart(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Toy, "decode", lambda self, ids: "\n".join(WORDS[one] for one in ids))
    for options in ((), ("--stream",)):
        assert run(capsys, "-n", "2", "--top-k", "1", *options)[1] == "the\ncat\nsat\n\nthe\ncat\nsat\n"


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "--json", "--prompt", "the wug the", "--ban", "dog", "--max-length", "1")
    answer = json.loads(out)
    assert (code, out.count("\n")) == (0, 1)
    assert (answer["prompt"], answer["unknown"]) == ("the wug the", ["wug"])
    assert answer["texts"] == [
        {
            "text": " cat",
            "tokens": 1,
            "log_probability": pytest.approx(np.log(0.6), rel=1e-5),
            "end": "length",
        }
    ]
    assert (answer["config"]["banned"], answer["config"]["seed"]) == ([4], 0)
    assert "wug" in err


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--ban", "wug"], 65, "'wug' is not in the vocabulary"),
        (["--top-p", "2"], 2, "top_p must be above 0 and at most 1, not 2.0"),
        (["--beams", "2", "--top-k", "3"], 2, "leave out top_k"),
        (["--beams", "2", "--stream"], 2, "leave out --json and --beams"),
        (["--json", "--stream"], 2, "leave out --json and --beams"),
        (["--stop", ""], 2, "a stop string must have at least one character"),
        (["--temperature", "-1"], 2, "temperature must be 0 or above, not -1.0"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said(
    options: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found, out, err = run(capsys, *options)
    assert (found, out, err.count("\n")) == (code, "", 1)
    assert message in err


def test_line_ends_and_tabs_are_written_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    lm_sample._write("def f():\n\treturn\x1b[0m\r\n")
    assert capsys.readouterr().out == "def f():\n\treturn\\x1b[0m\\x0d\n"
