"""Checks find what was planted, and nothing in good texts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seqkit.errors import CorpusError
from seqkit.sentiment.checking import check
from seqkit.sentiment.findings import SHOWN, Finding, Report
from seqkit.text.columns import Columns

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(rows: list[tuple[str, str]], name: str = "data.tsv") -> Path:
        path = tmp_path / name
        path.write_text("".join(f"{label}\t{text}\n" for label, text in rows), encoding="utf-8")
        return path

    return write


def good_rows(texts: int = 200) -> list[tuple[str, str]]:
    """Different texts with two labels that words tell apart, as many of each."""
    rng = np.random.default_rng(0)
    words = {"pos": ["good", "fine", "great"], "neg": ["bad", "poor", "awful"]}
    rows = []
    for number in range(texts):
        label = ["pos", "neg"][number % 2]
        filler = " ".join(f"w{word}" for word in rng.integers(0, 50, 6))
        first, second = rng.permutation(words[label])[:2]
        rows.append((label, f"{first} n{number} {second} {filler}"))
    return rows


def only(report: Report, kind: str) -> Finding:
    (found,) = [finding for finding in report.findings if finding.kind == kind]
    return found


def test_good_texts_have_no_findings(write: Write) -> None:
    report = check(
        write(good_rows()), against=[str(write([("pos", "other text"), ("neg", "more")], "test.tsv"))]
    )
    assert report.findings == []
    assert (report.texts, report.labels) == (200, {"pos": 100, "neg": 100})
    assert report.tokens == {"median": 9, "p95": 9, "longest": 9}  # n…, two words of the label, six others


def test_wrong_labels_are_found(write: Write) -> None:
    rows = good_rows()
    flipped = [10, 51, 120]
    for number in flipped:
        rows[number] = ({"pos": "neg", "neg": "pos"}[rows[number][0]], rows[number][1])
    found = only(check(write(rows)), "doubtful label")
    assert sorted(sample.line - 1 for sample in found.samples) == flipped
    assert found.count == 3
    first = found.samples[0]
    assert first.detail.split()[0] == {"pos": "neg", "neg": "pos"}[str(first.label)]
    assert check(write(rows), noise=0).findings == []
    assert len(only(check(write(rows), noise=2), "doubtful label").samples) == 2


def test_label_faults(write: Write) -> None:
    rows = [*good_rows(40), ("Pos ", "odd case"), ("joy", "rare one"), ("", "no label")]
    report = check(write(rows), noise=0)
    assert only(report, "missing label").samples[0].line == 43
    assert only(report, "labels alike").message.endswith(": Pos, pos")
    assert only(report, "rare label").message.endswith(": Pos (1), joy (1)")
    assert only(report, "imbalance").message.startswith("pos has 20.0 times the texts of ")
    assert only(check(write([("pos", "a"), ("pos", "b")])), "one label").message == (
        "every text has the label 'pos': there is nothing to tell apart"
    )
    unusable = only(check(write([*good_rows(40), ("x" * 1001, "too long")]), noise=0), "unusable label")
    assert (unusable.count, unusable.samples[0].line) == (1, 41)
    assert unusable.samples[0].detail.startswith("a label of 1,001 characters")
    swapped = [(text, label) for label, text in good_rows(120)]
    assert only(check(write(swapped)), "many labels").count == 120


def test_labels_near_to_equally_frequent_are_no_imbalance(write: Write) -> None:
    rows = [row for row in good_rows(200) if row[0] == "pos"][:59] + [
        row for row in good_rows(200) if row[0] == "neg"
    ][:20]
    assert check(write(rows), noise=0).findings == []  # 59 < 3 · 20
    assert only(check(write([*rows, ("pos", "one more")]), noise=0), "imbalance").count == 60


def test_empty_and_long_texts(write: Write) -> None:
    rows = [*good_rows(), ("pos", ""), ("neg", " \u200b<br />"), ("pos", "long " * 91), ("pos", "word " * 90)]
    report = check(write(rows), noise=0)
    assert [sample.line for sample in only(report, "empty").samples] == [201, 202]
    long = only(report, "long")  # the median is 9 tokens
    assert [(sample.line, sample.detail) for sample in long.samples] == [(203, "91 tokens")]
    assert long.samples[0].text == ("long " * 91)[: SHOWN - 1] + "…"
    assert not [finding for finding in report.findings if finding.kind == "duplicates"]


def test_equal_texts(write: Write) -> None:
    rows = good_rows()
    rows += [("pos", rows[0][1].upper()), ("neg", " " + rows[0][1]), ("neg", rows[1][1])]
    report = check(write(rows), noise=0)
    again = only(report, "duplicates")
    assert [(sample.line, sample.detail) for sample in again.samples] == [
        (201, "as line 1"),
        (202, "as line 1"),
        (203, "as line 2"),
    ]
    torn = only(report, "two labels")
    assert torn.count == 1
    assert [(sample.line, sample.label) for sample in torn.samples] == [
        (1, "pos"),
        (201, "pos"),
        (202, "neg"),
    ]


def test_texts_in_two_splits(write: Write) -> None:
    rows = good_rows()
    train = write(rows)
    dev = write([(rows[7][0], rows[7][1].upper()), ("pos", "unseen")], "dev.tsv")
    test = write([("neg", rows[4][1]), ("joy", "unseen")], "test.tsv")
    report = check(train, against=[str(dev), str(test)], noise=0)
    first, second = (finding for finding in report.findings if finding.kind == "in two splits")
    assert (
        first.message
        == f"1 of the 2 texts of {dev} (50.00%) are in the texts to learn, too, 0 with another label"
    )
    assert (first.samples[0].path, first.samples[0].line) == (str(dev), 1)
    assert first.samples[0].detail == f"as line 8 of {train}, neg"
    assert second.message.endswith("1 with another label")
    assert (
        only(report, "unknown label").message
        == f"1 texts of {test} have labels that no text to learn has: joy"
    )


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a cafÃ© there", "Ã©"),
        ("donâ€™t", "â€™"),
        ("windows\x92s quote", "\x92"),
        ("lost \ufffd character", "\ufffd"),
        ("rock &amp; roll", "&amp;"),
        ("it&#39;s", "&#39;"),
        ("bell \x07", "\x07"),
    ],
)
def test_damaged_characters(write: Write, text: str, part: str) -> None:
    found = only(check(write([*good_rows(), ("pos", text)]), noise=0), "encoding")
    assert (found.count, found.samples[0].line) == (1, 201)
    assert part in found.samples[0].detail


@pytest.mark.parametrize(
    "text", ["naïve café", "À la carte", "Âge", "AT&T; R&D", "a\x0bb", "Ünü", "👍🏽", "„so“ – ‚so‘…"]
)
def test_sound_characters(write: Write, text: str) -> None:
    assert check(write([*good_rows(), ("pos", text)]), noise=0).findings == []


def test_few_texts_are_not_searched_for_wrong_labels(write: Write) -> None:
    assert {finding.kind for finding in check(write([("pos", "a"), ("neg", "b")])).findings} == {"rare label"}


def test_several_sources_and_named_columns(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(
            "id,words,gold\n" + "".join(f"{n},{name} {n},{n % 2}\n" for n in range(20))
        )
    report = check([tmp_path / "a.csv", tmp_path / "b.csv"], Columns("words", ("gold",)), noise=0)
    assert (report.texts, report.labels, report.findings) == (40, {"0": 20, "1": 20}, [])
    assert report.as_json()["labels"] == {"0": 20, "1": 20}


def test_without_a_text_there_is_nothing_to_check(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\n")
    with pytest.raises(CorpusError, match="there is no text in it"):
        check(path)


@pytest.mark.data
@pytest.mark.slow
def test_the_texts_that_both_halves_of_imdb_have(data_dir: Path) -> None:
    folder = data_dir / "sentiment"
    report = check(folder / "imdb.train.tsv.xz", against=[str(folder / "imdb.test.tsv.xz")], noise=0)
    assert only(report, "in two splits").count == 123  # what the description of the files says
