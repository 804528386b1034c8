"""Errors: what is wrong, the file for a person, and what comes of the tags."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seqkit.errors import CorpusError, DataError, MissingInputError, StorageError, UsageError
from seqkit.sentiment.dataset import Dataset
from seqkit.sentiment.evaluation.errors import (
    COLUMNS,
    Errors,
    Wrong,
    find_errors,
    read_tags,
    unmatched,
    write_errors,
)
from seqkit.sentiment.evaluation.intervals import Figure, share
from seqkit.sentiment.labels import Labels
from seqkit.sentiment.model import Classified

LABELS = Labels(("bad", "good"))


class Optimist:
    """Finds everything good, the more so the longer it is."""

    def classify(self, texts: Iterable[str]) -> Iterator[Classified]:
        for text in texts:
            tokens = len(text.split())
            good = 1 - 0.4 / tokens
            yield Classified(text, "good", {"bad": 1 - good, "good": good}, None, tokens, text.count("zzz"))


TEXTS = {
    "It was\tnot\ngood.": "bad",
    "Dull, but short": "bad",
    'An =odd "one"': "bad",
    "Fine and long enough, is it not?": "good",
    "zzz zzz": "bad",
    "Lovely": "good",
}


def found(**options: Any) -> Errors:
    model: Any = Optimist()
    return find_errors(model, Dataset.of(list(TEXTS), list(TEXTS.values())), **options)


def tag(path: Path, tags: dict[str, str], separator: str = "\t") -> None:
    """Writes tags as a person would, into the rows whose text begins so."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        cells = line.split(separator)
        for begin, given in tags.items():
            if cells[-1].startswith(begin):
                cells[4] = given
        lines[number] = separator.join(cells)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_what_is_wrong() -> None:
    errors = found()
    assert errors.texts == 6
    assert {row.text for row in errors.rows} == {text for text, label in TEXTS.items() if label == "bad"}
    assert all((row.label, row.predicted) == ("bad", "good") for row in errors.rows)
    by_text = {row.text: row for row in errors.rows}
    # Four words: 1 - 0.4 / 4.
    assert by_text["It was\tnot\ngood."].probability == pytest.approx(0.9)
    assert by_text["It was\tnot\ngood."].slices == ("long", "negation")
    assert by_text["zzz zzz"].slices == ("short", "unknown-words")
    assert by_text["zzz zzz"].place == "texts:5"
    assert errors.error == share(4, 6)


def test_slices() -> None:
    parts = {part.name: part for part in found().slices}
    # Words: 4, 3, 3, 7, 2, 1; quarters end at 2.25 and 3.75.
    assert list(parts) == ["short", "long", "negation", "contrast", "unknown-words"]
    negation = parts["negation"]
    assert (negation.wrong, negation.texts) == (1, 2)
    assert negation.share == share(1, 2)
    assert negation.ceiling == share(1, 6)  # one text of all six would be right


def test_the_order_is_a_fair_sample() -> None:
    orders = {tuple(row.text for row in found(seed=seed).rows) for seed in range(20)}
    assert len(orders) > 5
    assert found(seed=1).rows == found(seed=1).rows


def test_the_file(tmp_path: Path) -> None:
    path = tmp_path / "errors.tsv"
    errors = found()
    write_errors(path, errors.rows)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].split("\t") == list(COLUMNS)
    assert len(lines) == 5
    rows = [dict(zip(COLUMNS, line.split("\t"), strict=True)) for line in lines[1:]]
    assert [row["text"] for row in rows] == [" ".join(row.text.split()) for row in errors.rows]
    assert {row["tags"] for row in rows} == {""}
    row = next(row for row in rows if row["text"].startswith("It was"))
    assert row == {
        **{"label": "bad", "predicted": "good", "probability": "0.9000", "slices": "long,negation"},
        **{"tags": "", "place": "texts:1", "text": "It was not good."},
    }


def test_a_file_with_tags_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "errors.tsv"
    path.write_text("hours of work")
    with pytest.raises(UsageError, match="already"):
        write_errors(path, found().rows)
    assert path.read_text() == "hours of work"
    write_errors(path, found().rows, overwrite=True)
    assert path.read_text().startswith("label\t")
    with pytest.raises(UsageError, match="no such folder"):
        write_errors(tmp_path / "no" / "errors.tsv", [])
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(StorageError, match=r"errors\.tsv: could not write: the working directory has been"):
        write_errors("errors.tsv", [])


def test_tags_are_summed(tmp_path: Path) -> None:
    path = tmp_path / "errors.tsv"
    write_errors(path, found().rows)
    tag(path, {"It was": "negation, irony", "Dull": " irony ,, irony", "An": "label"})
    tags = read_tags(path)
    assert sorted(tags.values()) == [("irony",), ("label",), ("negation", "irony")]
    errors = found(seed=9).tagged(tags)  # in another order
    irony, label, negation = errors.sums()
    assert [part.name for part in (irony, label, negation)] == ["irony", "label", "negation"]
    # Two of the three errors that were looked at; of the error, 4 / 6.
    assert (irony.wrong, irony.texts) == (2, 3)
    assert irony.share == share(2, 3)
    assert irony.ceiling.value == pytest.approx(2 / 3 * 4 / 6)
    assert irony.ceiling.low == pytest.approx(share(2, 3).low * 4 / 6)
    answer = json.loads(json.dumps(errors.as_json()))
    assert (answer["texts"], answer["errors"], answer["tagged"]) == (6, 4, 3)
    assert answer["tags"][0]["name"] == "irony"
    assert set(answer["tags"][0]["ceiling"]) == {"value", "low", "high"}
    assert unmatched(tags, errors.rows) == 0
    assert unmatched(tags, errors.rows[:0]) == 3


def test_tags_of_equal_texts_are_taken_together(tmp_path: Path) -> None:
    path = tmp_path / "tags.tsv"
    path.write_text("label\ttags\ttext\npos\tirony\tNot  good\npos\tlabel, irony\tnot good\n")
    assert list(read_tags(path).values()) == [("irony", "label")]


def test_where_all_are_tagged_nothing_is_estimated(tmp_path: Path) -> None:
    path = tmp_path / "errors.tsv"
    write_errors(path, found().rows)
    tag(path, {"It was": "a", "Dull": "a", "An": "b", "zzz": "b"})
    first, _ = found().tagged(read_tags(path)).sums()
    assert first.ceiling == Figure(2 / 6, 2 / 6, 2 / 6)


def test_tags_go_into_a_new_file(tmp_path: Path) -> None:
    path, again = tmp_path / "errors.tsv", tmp_path / "again.tsv"
    write_errors(path, found().rows)
    tag(path, {"It was": "negation,irony"})
    write_errors(again, found(seed=4).tagged(read_tags(path)).rows)
    assert read_tags(again) == read_tags(path)


def test_a_file_that_a_spreadsheet_wrote(tmp_path: Path) -> None:
    path = tmp_path / "errors.csv"
    path.write_bytes(
        b"\xef\xbb\xbflabel,predicted,probability,slices,tags,place,text\r\n"
        b'bad,good,0.9,,"odd, quoted",texts:3,"An =odd ""one"""\r\n'
    )
    errors = found().tagged(read_tags(path))
    assert [part.name for part in errors.sums()] == ["odd", "quoted"]
    path = tmp_path / "errors.tsv"
    path.write_bytes(b'label\ttags\ttext\r\nbad\t"odd, quoted"\t"An =odd ""one"""\r\n')
    assert [part.name for part in found().tagged(read_tags(path)).sums()] == ["odd", "quoted"]


def test_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "errors.tsv"
    with pytest.raises(MissingInputError):
        read_tags(path)
    write_errors(path, found().rows)
    with pytest.raises(DataError, match="no row has tags"):
        read_tags(path)
    path.write_text("label\ttext\nbad\tIt was\n")
    with pytest.raises(CorpusError, match="no column 'tags'"):
        read_tags(path)


def test_a_text_is_no_formula(tmp_path: Path) -> None:
    """What strangers wrote is not computed by a spreadsheet that opens the file; it is found again."""
    path = tmp_path / "errors.tsv"
    rows = [Wrong("bad", "good", 0.9, (), "x:1", text) for text in ("=1+1", "@SUM(A1)", "-2", "fine = 1")]
    write_errors(path, rows)
    texts = [line.split("\t")[-1] for line in path.read_text().splitlines()[1:]]
    assert texts == [" =1+1", " @SUM(A1)", " -2", "fine = 1"]
    tag(path, {" =1": "sum", " -2": "minus"})
    errors = Errors(9, rows, []).tagged(read_tags(path))
    assert [row.tags for row in errors.rows] == [("sum",), (), ("minus",), ()]


def test_a_lone_surrogate_does_not_stop_the_file(tmp_path: Path) -> None:
    write_errors(tmp_path / "errors.tsv", [Wrong("bad", "good", 0.9, (), "x:1", "odd \ud800")])
    assert (tmp_path / "errors.tsv").read_text(encoding="utf-8").endswith("odd ?\n")


def test_nothing_is_wrong() -> None:
    model: Any = Optimist()
    errors = find_errors(model, Dataset.of(["a", "b"], ["good", "good"], labels=LABELS))
    assert (errors.rows, errors.error.value, errors.sums()) == ([], 0, [])
