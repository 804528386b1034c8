r"""Rows of labelled text in TSV, CSV and JSON Lines, one at a time.

TSV has no quotes; the text takes in every further TAB where its column is the last. CSV is RFC 4180: quotes,
"" for a quote, line ends inside quotes. A line of JSON Lines is an object.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePath
from typing import Literal

from seqkit.errors import CorpusError
from seqkit.progress import SILENT, Progress
from seqkit.text.columns import LABEL, TEXT, Chosen, Columns, choose, looks_like_header

Format = Literal["tsv", "csv", "jsonl"]

_ENDINGS: dict[str, Format] = {
    ".tsv": "tsv",
    ".tab": "tsv",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}
_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
_LONGEST_FIELD = 2**31 - 1  # csv refuses fields over 128 K otherwise; a long has 32 bits on some systems

Row = tuple[int, list[str]]


@dataclass(frozen=True)
class Example:
    """A text and what it is labelled with.

    Args:
        text: as it stands in the source.
        labels: by column, first that of the main task; None where it is missing.
        path: the source.
        line: where it begins, from 1; for a corpus, its number.
    """

    text: str
    labels: Mapping[str, str | None]
    path: str
    line: int


@dataclass(frozen=True)
class Table:
    """A file of labelled text being read.

    Args:
        path: what errors call it.
        columns: those that the user named.
        labelled: whether labels are read.
        progress: told what was guessed.
    """

    path: str
    columns: Columns
    labelled: bool = True
    progress: Progress = SILENT

    def examples(self, lines: Iterator[str], ending: str) -> Iterator[Example]:
        """The examples of a file.

        Args:
            lines: of the file, without their ends.
            ending: of its name, as `ending_of` gives it.

        Raises:
            CorpusError: nothing is in it; or a line breaks the format.
        """
        first = next(lines, None)
        if first is None:
            raise CorpusError("empty: there is no text in it", path=self.path)
        lines = chain([first], lines)
        kind = _ENDINGS.get(ending) or self._format_of(first)
        if kind == "jsonl":
            return self._of_objects(lines)
        if kind is None:
            if self.labelled:
                raise self._error(1, "no TAB: a line is to be a label, a TAB and a text")
            return self._of_lines(lines)
        return self._of_csv(first, lines) if kind == "csv" else self._of_tsv(first, lines, ending)

    def _of_lines(self, lines: Iterator[str]) -> Iterator[Example]:
        return (Example(line, {}, self.path, number) for number, line in enumerate(lines, 1))

    def _of_tsv(self, first: str, lines: Iterator[str], ending: str) -> Iterator[Example]:
        cells = [cell.strip() for cell in first.split("\t")]
        names = self._header(cells)
        if names is None:
            if not self.labelled and ending not in _ENDINGS:
                return self._of_lines(lines)
            return self._of_label_and_text(lines)
        chosen = self._choose(names)
        splits = len(names) - 1 if chosen.text == names[-1] else -1
        rows = ((number, line.split("\t", splits)) for number, line in enumerate(lines, 1) if line.strip())
        return self._of_rows(rows, names, chosen, skip=names is cells)

    def _of_label_and_text(self, lines: Iterator[str]) -> Iterator[Example]:
        self.progress.message(f"{self.path}: no header; a line is read as label, TAB, text")
        for number, line in enumerate(lines, 1):
            label, tab, text = line.partition("\t")
            if not self.labelled:
                yield Example(text if tab else line, {}, self.path, number)
            elif tab:
                yield Example(text, {LABEL: _plain(label)}, self.path, number)
            elif line.strip():
                reason = "no TAB: a line is to be a label, a TAB and a text"
                raise self._error(number, f"{reason}, not {line!r:.60}")

    def _of_csv(self, first: str, lines: Iterator[str]) -> Iterator[Example]:
        rows = self._csv_rows(lines, self._delimiter(first))
        head = next(rows, None)
        if head is None:
            raise CorpusError("blank: there is no text in it", path=self.path)
        cells = [cell.strip() for cell in head[1]]
        names = self._header(cells)
        if names is None:
            if not (len(cells) == 2 or (len(cells) == 1 and not self.labelled)):
                named = f"name them by --text-column and --label-column, 1 to {len(cells)} without a header"
                raise self._error(1, f"which columns are text and label? {named}: {', '.join(cells)!r:.80}")
            names = [LABEL, TEXT][-len(cells) :]
            self.progress.message(f"{self.path}: no header; a row is read as {', '.join(names)}")
            without = Chosen(TEXT, (LABEL,) if self.labelled else (), guessed=True)
            return self._of_rows(chain([head], rows), names, without, skip=False)
        return self._of_rows(chain([head], rows), names, self._choose(names), skip=names is cells)

    def _delimiter(self, first: str) -> str:
        """The mark that makes a header of the first line; else the one that comes first in it."""
        plain = re.sub('"[^"]*"', lambda quoted: re.sub("[,;\t]", " ", quoted[0]), first)
        marks = sorted((mark for mark in ",;\t" if mark in plain), key=plain.index)
        cells = {mark: [cell.strip(' "') for cell in plain.split(mark)] for mark in marks}
        headers = (mark for mark in marks if self._is_header(cells[mark]))
        return next(headers, marks[0] if marks else ",")

    def _is_header(self, cells: list[str]) -> bool:
        if named := self.columns.named:
            return set(named) <= set(cells)
        return looks_like_header(cells, labelled=self.labelled)

    def _csv_rows(self, lines: Iterator[str], delimiter: str) -> Iterator[Row]:
        csv.field_size_limit(_LONGEST_FIELD)
        reader = csv.reader((line + "\n" for line in lines), delimiter=delimiter, strict=True)
        while True:
            number = reader.line_num + 1
            try:
                row = next(reader, None)
            except csv.Error as error:
                quote = "a quote is opened and never closed" if "end of data" in str(error) else str(error)
                raise self._error(number, f"not CSV: {quote} in the row that begins here") from None
            if row is None:
                return
            if row:
                yield number, row

    def _of_objects(self, lines: Iterator[str]) -> Iterator[Example]:
        chosen: Chosen | None = None
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            found = self._object(number, line)
            chosen = chosen or self._choose(list(found), required=self.columns.labels[:1])
            text = found.get(chosen.text)
            if not isinstance(text, str):
                raise self._error(number, f"{chosen.text!r} is to be a text, not {json.dumps(text):.60}")
            names = (*chosen.labels, *self.columns.labels[1:]) if self.labelled else ()
            labels = {name: self._label(number, name, found.get(name)) for name in names}
            yield Example(text, labels, self.path, number)

    def _object(self, number: int, line: str) -> dict[str, object]:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", None) or "it nests too deep, or has a number that is too long"
            raise self._error(number, f"not JSON: {reason}; one object a line is expected") from None
        if not isinstance(found, dict):
            raise self._error(number, f"one JSON object a line is expected, not {line.strip()!r:.60}")
        return found

    def _label(self, number: int, name: str, value: object) -> str | None:
        """The label that a value of JSON is; a missing one is null, NaN or blank."""
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, float):
            return None if math.isnan(value) else str(int(value)) if value.is_integer() else str(value)
        if value is None or isinstance(value, str | int):
            return None if value is None else _plain(str(value))
        raise self._error(number, f"{name!r} is to be a label, not {json.dumps(value):.60}")

    def _header(self, cells: list[str]) -> list[str] | None:
        """The names of the columns: of the header, or numbers where the user gives those."""
        named = self.columns.named
        if named and all(name.isdecimal() for name in named):
            numbered = cells == [str(number) for number in range(len(cells))]  # as pandas may write a header
            return cells if numbered else [str(number) for number in range(1, len(cells) + 1)]
        return cells if named or looks_like_header(cells, labelled=self.labelled) else None

    def _choose(self, names: list[str], required: tuple[str, ...] | None = None) -> Chosen:
        """The columns among those that there are; of labels, those `required` must be there, or else all."""
        labels = self.columns.labels if required is None else required
        chosen = choose(names, Columns(self.columns.text, labels), self.path, labelled=self.labelled)
        if chosen.guessed:
            self.progress.message(f"{self.path}: {chosen.told()}")
        return chosen

    def _of_rows(
        self, rows: Iterable[Row], names: list[str], chosen: Chosen, *, skip: bool
    ) -> Iterator[Example]:
        """The examples of rows; `skip` the first, where it is the header."""
        text, labels = names.index(chosen.text), {name: names.index(name) for name in chosen.labels}
        for number, row in rows:
            if skip:
                skip = False
                continue
            if len(row) != len(names):
                reason = f"{len(row)} fields, where the first line has {len(names)}"
                raise self._error(number, f"{reason}; in CSV, a text with a separator in it is to be quoted")
            found = {name: _plain(row[index]) for name, index in labels.items()}
            yield Example(row[text], found, self.path, number)

    def _format_of(self, first: str) -> Format | None:
        """The format that the first line of a file without a telling name has."""
        if first.lstrip().startswith("{"):
            return "jsonl"
        if "\t" in first:
            return "tsv"
        cells = [cell.strip('" ') for cell in first.split(",")]
        return "csv" if len(cells) > 1 and self._is_header(cells) else None

    def _error(self, line: int, reason: str) -> CorpusError:
        return CorpusError(reason, path=self.path, line=line)


def _plain(label: str) -> str | None:
    """A label with single spaces; None for a blank one."""
    return " ".join(label.split()) or None


def ending_of(name: str) -> str:
    """The ending of a file's name, without that of its compression.

    >>> ending_of("imdb.train.TSV.xz")
    '.tsv'
    """
    path = PurePath(name.lower())
    return (path.with_suffix("") if path.suffix in _COMPRESSED else path).suffix
