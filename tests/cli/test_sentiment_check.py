"""`seqkit sentiment check`: its answer for people, its answer for programs, its errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seqkit.cli.main import main


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.csv"
    rows = [f"text {number} \x1b[31m,{['bad', 'good'][number % 2]}\n" for number in range(40)]
    path.write_text("".join(["review,mood\n", *rows, "text 0 \x1b[31m,good\n"]))
    return path


def test_for_people(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    named = ["--text-column", "review", "--label-column", "mood"]
    assert main(["sentiment", "check", str(data), *named, "--noise", "0"]) == 0
    lines = capsys.readouterr().out.splitlines()
    # "text", a number, "[" and "31m"; no one sees ESC.
    told = "41 texts; tokens of a text: median 4, p95 4, longest 4"
    assert lines[:4] == ["good\t21\t51.2%", "bad\t20\t48.8%", "", told]
    assert f"  {data}:42: good (as line 2): text 0 \\x1b[31m" in lines  # nothing drives the terminal
    assert [line.split(":")[0] for line in lines if line[:1].isalpha() and ": " in line] == [
        "encoding",
        "duplicates",
        "two labels",
    ]


def test_for_programs(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.tsv"
    other.write_text("good\ttext 3 \x1b[31m\nbad\tunseen\n")
    assert (
        main(["sentiment", "check", str(data), "--against", str(other), "--noise", "0", "--json", "-q"]) == 0
    )
    output = capsys.readouterr()
    assert (output.out.count("\n"), output.err) == (1, "")
    answer = json.loads(output.out)
    assert (answer["texts"], answer["labels"]) == (41, {"good": 21, "bad": 20})
    assert answer["tokens"] == {"median": 4, "p95": 4, "longest": 4}
    kinds = {finding["kind"]: finding for finding in answer["findings"]}
    assert list(kinds) == ["encoding", "duplicates", "two labels", "in two splits"]
    assert kinds["in two splits"]["count"] == 1
    assert kinds["in two splits"]["samples"][0] == {
        "path": str(other),
        "line": 1,
        "label": "good",
        "text": "text 3 \x1b[31m",
        "detail": f"as line 5 of {data}, good",
    }


def test_good_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "data.tsv"
    path.write_text("".join(f"{number % 2}\ttext {number}\n" for number in range(40)))
    assert main(["sentiment", "check", str(path), "--noise", "0"]) == 0
    assert capsys.readouterr().out.endswith("\nnothing is wrong with them\n")


def test_what_is_guessed_is_said_on_standard_error(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sentiment", "check", str(data), "--label-column", "mood", "--noise", "0"]) == 0
    output = capsys.readouterr()
    assert f"{data}: text is column 'review', label is column 'mood'" in output.err
    assert "column" not in output.out


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["--label-column", "moods"], 65, "no column 'moods'; did you mean 'mood'? there are review, mood"),
        (["missing.tsv"], 66, "missing.tsv: no such file, folder or corpus"),
    ],
)
def test_errors_are_one_line(
    data: Path, arguments: list[str], exit_code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sentiment", "check", str(data), *arguments, "-q"]) == exit_code
    output = capsys.readouterr()
    assert output.out == ""
    assert message in output.err
    assert output.err.count("\n") == 1
