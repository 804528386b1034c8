"""`seqkit corpus list, show, stats, fetch`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seqkit.cli.main import main
from seqkit.corpora import corpus_names, open_corpus, open_labelled


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    """Runs a command; returns exit code, standard output and standard error."""

    def run_command(*arguments: str) -> tuple[int, str, str]:
        code = main(["corpus", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_command


@pytest.fixture
def no_nltk_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import nltk.data

    monkeypatch.setattr(nltk.data, "path", [])
    monkeypatch.setenv("NLTK_DATA", str(tmp_path / "none"))


def test_list(run) -> None:
    code, out, err = run("list")
    assert (code, err) == (0, "")
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[0] for row in rows] == corpus_names()
    assert rows[1][:3] == ["reviews", "50000", "labels"]


def test_list_as_json(run) -> None:
    code, out, _ = run("list", "--json")
    corpora = json.loads(out)["corpora"]
    assert code == 0
    assert [corpus["name"] for corpus in corpora] == corpus_names()
    assert set(corpora[0]) == {"name", "kind", "description", "lines", "labels"}


def test_show(run) -> None:
    assert run("show", "kingdom", "-n", "3") == (
        0,
        "".join(f"{line}\n" for line in open_corpus("kingdom:3")),
        "",
    )
    assert len(run("show", "names:4")[1].splitlines()) == 4
    assert len(run("show", "names:4", "-n", "9" * 30)[1].splitlines()) == 4
    code, _, err = run("show", f"names:{'9' * 30}")
    assert code == 2
    assert "the size must be" in err
    assert len(run("show", "names")[1].splitlines()) == 10
    assert run("show", "names", "--seed", "5")[1] != run("show", "names")[1]


def test_show_as_json(run) -> None:
    _, out, _ = run("show", "names", "-n", "2", "--seed", "5", "--json")
    assert json.loads(out) == {
        "corpus": "names",
        "seed": 5,
        "lines": list(open_corpus("names", size=2, seed=5)),
    }


def test_show_labels(run) -> None:
    expected = list(open_labelled("reviews", size=4))
    _, out, _ = run("show", "reviews", "-n", "4", "--labels")
    assert [tuple(line.split("\t")) for line in out.splitlines()] == expected
    _, out, _ = run("show", "reviews", "-n", "4", "--labels", "--json")
    assert json.loads(out)["lines"] == [{"label": label, "text": text} for label, text in expected]


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (("show", "kingdon"), 66, "did you mean 'kingdom'?"),
        (("show", "names", "--labels"), 2, "names has no labels"),
        (("show", "names", "-n", "0"), 2, "-n"),
        (("show", "nltk:brwn"), 66, "did you mean 'brown'?"),
        (("show", "nltk:brown"), 66, "seqkit corpus fetch nltk:brown"),
        (("stats", "no/such/file"), 66, "no/such"),
        (("stats",), 2, "CORPUS"),
        (("stats", "names", "--tokenizer", "letters"), 2, "letters"),
        (("fetch", "kingdom"), 2, "nothing to fetch"),
        (("fetch", "brown"), 2, "only nltk:NAME"),
        (("fetch", "nltk:../x"), 66, "no corpus that seqkit knows"),
    ],
)
def test_errors(run, no_nltk_data: None, arguments: tuple[str, ...], code: int, line: str) -> None:
    found, out, err = run(*arguments)
    assert (found, out) == (code, "")
    assert line in err
    assert "Traceback" not in err


def test_stats(run, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("the king and the queen\n<br>\n")
    code, out, err = run("stats", str(tmp_path / "text"), "--quiet")
    rows = dict(line.split("\t") for line in out.splitlines())
    assert code == 0
    assert (rows["tokens"], rows["types"], rows["lines"]) == ("6", "5", "2")
    assert rows["longest line"].startswith("22 characters")
    assert rows["min-count 2"] == "1 types, 33.33% of the tokens"  # "the" is 2 of 6
    assert "warning: 1 HTML tags or entities, the first <br> in" in err


def test_stats_as_json(run, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("The the\n")
    (tmp_path / "b").write_text("the the\nthe the\n")
    _, out, err = run("stats", str(tmp_path / "a"), str(tmp_path / "b"), "--keep-case", "--json", "--quiet")
    answer = json.loads(out)
    assert err == ""
    assert (answer["tokens"], answer["types"], answer["lines"]) == (6, 2, 3)
    assert (answer["tokenizer"], answer["lowercase"]) == ("word", False)
    assert answer["coverage"][1] == {
        "min_count": 2,
        "vocabulary": 1,
        "tokens": 5,
        "share": pytest.approx(5 / 6),
    }
    assert [warning["kind"] for warning in answer["warnings"]] == ["repeated_lines"]


def test_stats_of_a_named_corpus_by_whitespace(run) -> None:
    _, out, _ = run("stats", "kingdom:200", "--tokenizer", "whitespace", "--json", "--quiet")
    assert json.loads(out)["tokens"] == sum(len(line.split()) for line in open_corpus("kingdom:200"))


def test_what_the_text_holds_cannot_drive_the_terminal(run, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"<br \x1b[31m>\n")
    _, out, err = run("stats", str(tmp_path / "text"), "--quiet")
    assert "\x1b" not in out + err


def test_fetch(run, monkeypatch: pytest.MonkeyPatch) -> None:
    from seqkit import corpora
    from seqkit.errors import UnavailableError

    asked = []

    def fetched(name: str) -> Path:
        asked.append(name)
        return Path("/data")

    monkeypatch.setattr(corpora, "fetch_nltk", fetched)
    assert run("fetch", "nltk:names") == (0, "nltk:names is in /data\n", "fetching nltk:names\n")
    assert run("fetch", "nltk:names", "--json", "-q") == (
        0,
        '{"corpus": "nltk:names", "folder": "/data"}\n',
        "",
    )
    assert asked == ["names", "names"]

    def offline(name: str) -> Path:
        raise UnavailableError("no network")

    monkeypatch.setattr(corpora, "fetch_nltk", offline)
    assert run("fetch", "nltk:names", "-q") == (69, "", "seqkit: error: no network\n")
