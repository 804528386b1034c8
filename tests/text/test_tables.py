"""TSV, CSV and JSON Lines: what is read, and what is said of what is not readable."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import Told
from seqkit.errors import CorpusError
from seqkit.text.columns import Columns
from seqkit.text.tables import Table, ending_of


def read(
    content: str, ending: str, columns: Columns | None = None, *, labelled: bool = True
) -> tuple[list[tuple[int, str, dict[str, str | None]]], list[str]]:
    told = Told()
    table = Table("data", columns or Columns(), labelled, told)
    lines = content.removesuffix("\n").split("\n") if content else []
    return [(e.line, e.text, dict(e.labels)) for e in table.examples(iter(lines), ending)], told.messages


STARS = Columns("review", ("stars",))
NUMBERED = Columns("3", ("1",))
READ = {
    "TSV without a header": ("1\tgood\n0\tbad\n", ".tsv", None, [(1, "good", "1"), (2, "bad", "0")]),
    "TABs in the text": ("1\tgood\tand\tbad\n", ".tsv", None, [(1, "good\tand\tbad", "1")]),
    "blank lines": ("\n1\tgood\n  \n0\tbad\n", ".tsv", None, [(2, "good", "1"), (4, "bad", "0")]),
    "blanks": (" 1 \t good \n", ".tsv", None, [(1, " good ", "1")]),
    "blanks inside a label": ('text,label\na,"so\n  so "\n', ".csv", None, [(2, "a", "so so")]),
    "an empty text": ("1\t\n", ".tsv", None, [(1, "", "1")]),
    "quotes in TSV are text": ('1\t"good\n0\tb"ad\n', ".tsv", None, [(1, '"good', "1"), (2, 'b"ad', "0")]),
    "TSV with a header": ("label\ttext\n1\tgood\ttoo\n", ".tsv", None, [(2, "good\ttoo", "1")]),
    "TSV by names": ("id\treview\tstars\n7\tgood\t5\n", ".tsv", STARS, [(2, "good", "5")]),
    "CSV with a header": ('review,stars\n"a, ""b""",5\n', ".csv", STARS, [(2, 'a, "b"', "5")]),
    "CSV guessed": ("id,review,sentiment\n1,good,pos\n", ".csv", None, [(2, "good", "pos")]),
    "line ends in fields": (
        'text,label\n"a\nb\n\nc",1\nd,0\n',
        ".csv",
        None,
        [(2, "a\nb\n\nc", "1"), (6, "d", "0")],
    ),
    "CSV without a header": ("1,good\n0,bad\n", ".csv", None, [(1, "good", "1"), (2, "bad", "0")]),
    "CSV by numbers": (
        "1,title,text\n3,other,words\n",
        ".csv",
        NUMBERED,
        [(1, "text", "1"), (2, "words", "3")],
    ),
    "CSV by numbers of pandas": ("0,1\n5,good\n", ".csv", Columns("1", ("0",)), [(2, "good", "5")]),
    "TSV by numbers": ("1\ta\tb c\n", ".tsv", NUMBERED, [(1, "b c", "1")]),
    "semicolons": ("text;label\na, b;1\n", ".csv", None, [(2, "a, b", "1")]),
    "commas beyond semicolons": (
        "pos;good, really\nneg;bad, sadly\n",
        ".csv",
        None,
        [(1, "good, really", "pos"), (2, "bad, sadly", "neg")],
    ),
    "semicolons in quotes": ('"a; b",pos\n"c",neg\n', ".csv", None, [(1, "pos", "a; b"), (2, "neg", "c")]),
    "CSV with TABs": ("text\tlabel\na, b\t1\n", ".csv", None, [(2, "a, b", "1")]),
    "blank rows": ("text,label\n\na,1\n", ".csv", None, [(3, "a", "1")]),
    "a long field": (f"text,label\n{'a ' * 200_000},1\n", ".csv", None, [(2, "a " * 200_000, "1")]),
    "JSON Lines": ('{"review": "a\\nb", "stars": 5}\n\n', ".jsonl", STARS, [(1, "a\nb", "5")]),
    "JSON Lines guessed": ('{"text": "a", "label": true}\n', ".jsonl", None, [(1, "a", "true")]),
    "numbers of JSON": (
        '{"review": "a", "stars": 4.0}\n{"review": "b", "stars": 4.5}\n',
        ".jsonl",
        STARS,
        [(1, "a", "4"), (2, "b", "4.5")],
    ),
    "missing labels": (
        '{"review": "a", "stars": null}\n{"review": "b", "stars": " "}\n'
        '{"review": "c", "stars": NaN}\n{"review": "d"}\n',
        ".jsonl",
        STARS,
        [(1, "a", None), (2, "b", None), (3, "c", None), (4, "d", None)],
    ),
    "a missing cell": ("review,stars\na,\n", ".csv", STARS, [(2, "a", None)]),
    "TSV without a telling name": ("1\tgood\n", "", None, [(1, "good", "1")]),
    "JSON Lines without a telling name": ('{"text": "a", "label": 1}\n', ".txt", None, [(1, "a", "1")]),
    "CSV without a telling name": ('"text","label"\na,1\n', "", None, [(2, "a", "1")]),
    "named CSV without a telling name": ("id,review,stars\n1,a,2\n", "", STARS, [(2, "a", "2")]),
}


@pytest.mark.parametrize("name", READ)
def test_read(name: str) -> None:
    content, ending, columns, expected = READ[name]
    found, _ = read(content, ending, columns)
    assert [(line, text, *labels.values()) for line, text, labels in found] == expected


def test_several_labels_some_missing() -> None:
    columns = Columns("text", ("stars", "mood"))
    found, _ = read("text,stars,mood\na,1,\nb,2,joy\n", ".csv", columns)
    assert [labels for _, _, labels in found] == [{"stars": "1", "mood": None}, {"stars": "2", "mood": "joy"}]
    found, _ = read(
        '{"text": "a", "stars": 1}\n{"text": "b", "stars": 2, "mood": "joy"}\n', ".jsonl", columns
    )
    assert [labels for _, _, labels in found] == [{"stars": "1", "mood": None}, {"stars": "2", "mood": "joy"}]


WITHOUT = {
    "plain lines": ("a\n\nb\tc\n", ".txt", ["a", "", "b\tc"]),
    "TSV without a header": ("1\ta\nb\n", ".tsv", ["a", "b"]),
    "a header": ("id\ttext\n1\ta\n", ".txt", ["a"]),
    "CSV of one column": ("good\nbad\n", ".csv", ["good", "bad"]),
    "CSV of two": ("1,good\n0,bad\n", ".csv", ["good", "bad"]),
    "JSON Lines": ('{"id": 1, "text": "a"}\n', ".jsonl", ["a"]),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_texts_alone(name: str) -> None:
    content, ending, texts = WITHOUT[name]
    found, _ = read(content, ending, labelled=False)
    assert [(text, labels) for _, text, labels in found] == [(text, {}) for text in texts]


@pytest.mark.parametrize(
    ("content", "ending", "said"),
    [
        ("1\ta\n", ".tsv", ["data: no header; a line is read as label, TAB, text"]),
        ("1,a\n", ".csv", ["data: no header; a row is read as label, text"]),
        ("text,label,x\na,1,2\n", ".csv", ["data: text is column 'text', label is column 'label'"]),
        ('{"text": "a", "stars": 1}\n', ".jsonl", ["data: text is column 'text', label is column 'stars'"]),
    ],
)
def test_what_is_guessed_is_said_once(content: str, ending: str, said: list[str]) -> None:
    assert read(content, ending)[1] == said


def test_what_is_named_is_not_said() -> None:
    assert read("review,stars\na,1\n", ".csv", STARS)[1] == []


OBJECT = "one object a line is expected"
QUOTED = "in CSV, a text with a separator in it is to be quoted"
NAMED = "did you mean 'star'? there are text, star"
TOO_MUCH = f"line 1: not JSON: it nests too deep, or has a number that is too long; {OBJECT}"
WHICH = (
    "which columns are text and label? name them by --text-column and --label-column, 1 to 3 without a header"
)
REFUSED = {
    "empty": ("", ".tsv", "empty: there is no text in it"),
    "blank CSV": ("\n\n", ".csv", "blank: there is no text in it"),
    "no TAB": ("1\ta\nb\n", ".tsv", "line 2: no TAB: a line is to be a label, a TAB and a text, not 'b'"),
    "plain text": ("words\n", ".txt", "line 1: no TAB: a line is to be a label, a TAB and a text"),
    "CSV of three without a header": ("1,a,b\n", ".csv", f"line 1: {WHICH}: '1, a, b'"),
    "a field too many": (
        "text,label\na, b,1\n",
        ".csv",
        f"line 2: 3 fields, where the first line has 2; {QUOTED}",
    ),
    "a field too few": (
        "label\tx\ttext\n1\ta\n",
        ".tsv",
        f"line 2: 2 fields, where the first line has 3; {QUOTED}",
    ),
    "an open quote": (
        'text,label\na,1\n"b,1\nc,1\n',
        ".csv",
        "line 3: not CSV: a quote is opened and never closed in the row that begins here",
    ),
    "text after a quote": (
        'text,label\n"b"c,1\n',
        ".csv",
        "line 2: not CSV: ',' expected after '\"' in the row that begins here",
    ),
    "not JSON": (
        '{"text": "a", "label": 1}\n{"text"\n',
        ".jsonl",
        f"line 2: not JSON: Expecting ':' delimiter; {OBJECT}",
    ),
    "a JSON array": ("[1, 2]\n", ".json", "line 1: one JSON object a line is expected, not '[1, 2]'"),
    "pretty JSON": (
        "{\n",
        ".json",
        f"line 1: not JSON: Expecting property name enclosed in double quotes; {OBJECT}",
    ),
    "deep JSON": ("[" * 200_000, ".jsonl", TOO_MUCH),
    "a long number": ('{"text": "a", "label": ' + "1" * 5000 + "}", ".jsonl", TOO_MUCH),
    "a text that is none": (
        '{"text": "a", "label": 1}\n{"text": 7, "label": 1}\n',
        ".jsonl",
        "line 2: 'text' is to be a text, not 7",
    ),
    "no text": (
        '{"text": "a", "label": 1}\n{"label": 1}\n',
        ".jsonl",
        "line 2: 'text' is to be a text, not null",
    ),
    "a label that is none": (
        '{"text": "a", "label": [1]}\n',
        ".jsonl",
        "line 1: 'label' is to be a label, not [1]",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    content, ending, reason = REFUSED[name]
    with pytest.raises(CorpusError) as caught:
        read(content, ending)
    assert str(caught.value) in (f"data: {reason}", f"data, {reason}")


@pytest.mark.parametrize(
    ("content", "ending", "columns", "reason"),
    [
        ("text,star\na,1\n", ".csv", Columns(labels=("stars",)), f"no column 'stars'; {NAMED}"),
        ('{"text": "a", "star": 1}\n', ".jsonl", Columns(labels=("stars",)), f"no column 'stars'; {NAMED}"),
        ("a,b\n", ".csv", Columns("1", ("3",)), "no column '3'; there are 1, 2"),
        ('"a\nb",c\n', ".csv", Columns("x", ("c",)), "no column 'x'; there are a b, c"),
    ],
)
def test_unknown_columns(content: str, ending: str, columns: Columns, reason: str) -> None:
    with pytest.raises(CorpusError) as caught:
        read(content, ending, columns)
    assert str(caught.value) == f"data, line 1: {reason}"


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"])),
            st.sampled_from("ab"),
        ),
        min_size=1,
    )
)
def test_what_the_csv_module_writes_is_read(rows: list[tuple[str, str]]) -> None:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([("text", "label"), *rows])
    found, _ = read(file.getvalue(), ".csv")
    assert [(text, labels["label"]) for _, text, labels in found] == rows


@given(st.lists(st.tuples(st.text(), st.sampled_from("ab")), min_size=1))
def test_what_the_json_module_writes_is_read(rows: list[tuple[str, str]]) -> None:
    content = "\n".join(json.dumps({"text": text, "label": label}) for text, label in rows)
    found, _ = read(content, ".jsonl")
    assert [(text, labels["label"]) for _, text, labels in found] == rows


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("a/b.TSV", ".tsv"),
        ("a.csv.gz", ".csv"),
        ("a.b.jsonl.zst", ".jsonl"),
        ("a", ""),
        ("-", ""),
        ("a.xz", ""),
    ],
)
def test_endings(name: str, ending: str) -> None:
    assert ending_of(name) == ending
