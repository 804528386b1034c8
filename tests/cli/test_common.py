"""Output that cannot drive the terminal, JSON, tables, shared options."""

from __future__ import annotations

import io
import json
import sys
import unicodedata
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from seqkit.cli import common
from seqkit.errors import MissingInputError

# Every character of categories Cc (control), Cs (surrogate), Zl, Zp, and those with a bidi control role.
DANGEROUS = [
    chr(code)
    for code in range(0x10000)
    if unicodedata.category(chr(code)) in {"Cc", "Cs", "Zl", "Zp"}
    or unicodedata.bidirectional(chr(code)) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    or unicodedata.name(chr(code), "") in {"LEFT-TO-RIGHT MARK", "RIGHT-TO-LEFT MARK", "ARABIC LETTER MARK"}
]


class Terminal(io.StringIO):
    """Standard output as a terminal shows it."""

    def isatty(self) -> bool:
        return True


def test_safe_escapes_all_that_is_dangerous_and_nothing_else() -> None:
    for code in range(0x10000):
        character = chr(code)
        expected = f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
        assert common.safe(character) == (expected if character in DANGEROUS else character)
    assert common.safe("naïve ☃ 日本 𝄞 it's") == "naïve ☃ 日本 𝄞 it's"


@given(st.text(st.characters()))
def test_nothing_dangerous_comes_out(text: str) -> None:
    assert not set(common.safe(text)) & set(DANGEROUS)


@given(st.lists(st.text(st.sampled_from("ab~ \x1b\t\x7f\u202e\ud800é日\x85"), max_size=4)))
def test_lines_are_as_safe_as_each(texts: list[str]) -> None:
    data = "".join(f"{text}\n" for text in texts).encode("utf-8", "surrogatepass")
    assert [line.decode() for line in common.safe_lines(data)] == list(map(common.safe, texts))


def test_note_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    common.note("a\x1bb")
    common.echo("c\x1bd")
    assert capsys.readouterr() == ("c\\x1bd\n", "a\\x1bb\n")


def test_note_survives_a_closed_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    common.note("lost")


def test_json_is_one_line_of_plain_types(capsys: pytest.CaptureFixture[str]) -> None:
    common.emit_json(
        {
            "f": np.float32(0.5),
            "i": np.int64(3),
            "a": np.arange(2, dtype=np.float32),
            "nan": float("nan"),
            "infinite": np.float32(np.inf),
            "path": Path("b") / "c",
            "rows": (("x", 1), {"y": True, "z": None}),
            "word": "žluťoučký",
        }
    )
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == {
        "f": 0.5,
        "i": 3,
        "a": [0.0, 1.0],
        "nan": None,
        "infinite": None,
        "path": "b/c",
        "rows": [["x", 1], {"y": True, "z": None}],
        "word": "žluťoučký",
    }
    assert "žluťoučký" in out


@given(st.dictionaries(st.text(st.characters()), st.text(st.characters()), max_size=3))
def test_json_round_trips_without_a_dangerous_character(answer: dict[str, str]) -> None:
    for encoding in ("utf-8", "ascii"):
        raw = io.BytesIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding, newline="\n"))
            common.emit_json(answer)
            line = raw.getvalue().decode(encoding)
        assert json.loads(line) == answer
        assert not set(line[:-1]) & set(DANGEROUS)


ROWS = [("queen", 0.78126, 12), ("[red]:smile:", None, 3), ("a\tb\x1b[2J", -1.0, 4)]


def test_a_table_elsewhere_is_tab_separated(capsys: pytest.CaptureFixture[str]) -> None:
    common.echo_table(["word", "similarity", "count"], iter(ROWS))
    assert capsys.readouterr().out == ("queen\t0.7813\t12\n[red]:smile:\t\t3\na\\x09b\\x1b[2J\t-1.0000\t4\n")


def test_a_table_on_a_terminal_is_aligned(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    common.echo_table(["word", "similarity", "count"], iter(ROWS))
    # Columns of 13, 10 and 5, two spaces between them; numbers to the right.
    assert [line.rstrip() for line in terminal.getvalue().splitlines()] == [
        "word           similarity  count",
        "queen              0.7813     12",
        "[red]:smile:                   3",
        "a\\x09b\\x1b[2J     -1.0000      4",
    ]


def test_a_table_without_titles_has_no_line_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "dumb")
    common.echo_table(["", ""], [("words", 3)])
    assert terminal.getvalue() == "words  3\n"


def test_require_existing(tmp_path: Path) -> None:
    assert common.require_existing(str(tmp_path)) == tmp_path
    with pytest.raises(MissingInputError, match=r"gone: no such file or folder"):
        common.require_existing(tmp_path / "gone")


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        ([], (False, False, 0, "auto", None)),
        (["--json", "-q", "--seed", "7", "--device", "gpu", "--threads", "2"], (True, True, 7, "gpu", 2)),
    ],
)
def test_shared_options(arguments: list[str], values: tuple[object, ...]) -> None:
    received = []

    @click.command()
    @common.json_option
    @common.quiet_option
    @common.seed_option
    @common.device_option
    @common.threads_option
    def command(as_json: bool, quiet: bool, seed: int, device: str, threads: int | None) -> None:
        received.append((as_json, quiet, seed, device, threads))

    assert CliRunner().invoke(command, arguments).exit_code == 0
    assert received == [values]


@pytest.mark.parametrize("arguments", [["--seed", "-1"], ["--threads", "0"], ["--device", "tpu"]])
def test_shared_options_refuse(arguments: list[str]) -> None:
    @click.command()
    @common.seed_option
    @common.device_option
    @common.threads_option
    def command(**options: object) -> None:
        raise AssertionError(options)

    assert CliRunner().invoke(command, arguments).exit_code == 2


@pytest.mark.parametrize(
    ("terminal", "variables", "wanted"),
    [
        (True, {"TERM": "xterm"}, True),
        (True, {"TERM": "xterm", "NO_COLOR": ""}, True),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
        (False, {"TERM": "xterm"}, False),
    ],
)
def test_when_colours_are_wanted(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, variables: dict[str, str], wanted: bool
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert common.wants_colour() is wanted


@pytest.mark.parametrize(("value", "shown"), [(5.678, "5.68"), (8.2e307, "8.2e+307")])
def test_a_perplexity_is_short(value: float, shown: str) -> None:
    assert common.shown_perplexity(value) == shown
