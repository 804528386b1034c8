"""Labelled texts from whatever a user names: a table, a folder by class, a corpus, stdin; streamed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from seqkit.corpora import is_corpus_name, open_corpus, open_labelled
from seqkit.errors import CorpusError, Place
from seqkit.progress import SILENT, Progress
from seqkit.text.columns import LABEL, TEXT, Columns
from seqkit.text.sources import iter_chunks, iter_lines
from seqkit.text.streams import STDIN, STDIN_NAME, resolve
from seqkit.text.tables import Example, Table, ending_of

__all__ = ["Example", "read_examples"]

_SPLITS = frozenset({"train", "test", "dev", "valid", "val", "validation"})
_UNLABELLED = frozenset({"unsup", "unlabelled", "unlabeled"})


def read_examples(
    source: Place, columns: Columns | None = None, *, labelled: bool = True, progress: Progress = SILENT
) -> Iterator[Example]:
    """The examples of a source, in its order.

    Args:
        source: a TSV, CSV or JSON Lines file, compressed or not; "-" for stdin; a folder with a folder of
            texts for each class, or with such files; a corpus with labels (`seqkit.corpora`).
        columns: which columns are read; None to guess them.
        labelled: False to read texts only, also those of plain text, one a line.
        progress: told what was guessed and the bytes read.

    Raises:
        MissingInputError: the source is not there.
        CorpusError: it is not readable as labelled text; the message has file and line.
        UsageError: the corpus has no labels.
        StorageError: reading failed.
    """
    place, columns = os.fspath(source), columns or Columns()
    if os.path.isdir(place):
        return _of_folder(Path(place), columns, labelled, progress)
    if not os.path.lexists(place) and is_corpus_name(place):
        return _of_corpus(place, columns, labelled)
    return _of_file(place, columns, labelled, progress)


def _of_file(place: str, columns: Columns, labelled: bool, progress: Progress) -> Iterator[Example]:
    table = Table(STDIN_NAME if place == STDIN else place, columns, labelled, progress)
    return table.examples(iter_lines(place, progress=progress), ending_of(place))


def _of_corpus(name: str, columns: Columns, labelled: bool) -> Iterator[Example]:
    if not labelled:
        return (Example(text, {}, name, number) for number, text in enumerate(open_corpus(name), 1))
    _only_label(columns, name)
    return (
        Example(text, {LABEL: label}, name, number)
        for number, (label, text) in enumerate(open_labelled(name), 1)
    )


def _of_folder(folder: Path, columns: Columns, labelled: bool, progress: Progress) -> Iterator[Example]:
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not classes:
        for opener in resolve(folder):
            yield from _of_file(opener.place, columns, labelled, progress)
        return
    if labelled:
        _only_label(columns, str(folder))
        if splits := sorted(path.name for path in classes if path.name.lower() in _SPLITS):
            advice = f"name one of them, as in {folder / splits[0]}"
            raise CorpusError(f"{', '.join(splits)} are splits, not classes; {advice}", path=folder)
        if left_out := [path for path in classes if path.name.lower() in _UNLABELLED]:
            progress.message(f"{', '.join(map(str, left_out))}: left out, as it has no labels")
            classes = [path for path in classes if path not in left_out]
    for path in classes:
        for opener in resolve(path):
            text = "".join(iter_chunks(opener.place)).removesuffix("\n")
            yield Example(text, {LABEL: path.name} if labelled else {}, opener.place, 1)


def _only_label(columns: Columns, path: str) -> None:
    """Refuses columns where there are none."""
    other = [name for name in columns.named if name not in (TEXT, LABEL)]
    if other:
        reason = "it has no columns; leave out --text-column and --label-column"
        raise CorpusError(f"no column {other[0]!r:.80}: {reason}", path=path)
