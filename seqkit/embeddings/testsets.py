"""Files of test questions for word vectors, read strictly."""

from __future__ import annotations

import math
import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path

from seqkit.errors import FormatError, MissingInputError, Place
from seqkit.storage import storage_errors

Analogies = dict[str, list[tuple[str, str, str, str]]]
"""Questions (a, b, c, answer) by section."""

MAX_FILE_BYTES = 1 << 28
_NUMBER = re.compile("[-+.0-9eE]+")


def read_similarity(path: Place) -> list[tuple[str, str, float]]:
    """Reads human judgements: lines `word TAB word TAB score`; blank ones and those with `#` are left out.

    Args:
        path: the file.

    Returns:
        Two words and their score, in the file's order.

    Raises:
        FormatError: names the first line that is something else.
        MissingInputError: there is no such file.
        StorageError: the system refused.
    """
    rows = []
    for number, line in question_lines(path):
        if line.startswith("#") or not line.strip():
            continue
        fields = [field.strip() for field in line.split("\t")]
        if len(fields) != 3 or not all(fields):
            reason = f"expected `word TAB word TAB score`, found {len(fields)} fields in {line[:80]!r}"
            raise FormatError(reason, path=path, line=number)
        try:  # float() takes 1_0 and digits of other scripts, too
            score = float(fields[2]) if _NUMBER.fullmatch(fields[2]) else math.nan
        except ValueError:
            score = math.nan
        if not math.isfinite(score):
            reason = f"the score {fields[2][:40]!r} is not a number (a line of titles must begin with #)"
            raise FormatError(reason, path=path, line=number)
        rows.append((fields[0], fields[1], score))
    if not rows:
        raise FormatError("no pairs in the file", path=path)
    return rows


def read_analogies(path: Place) -> Analogies:
    """Reads analogies in the format of questions-words: `: section` lines, below them lines of four words.

    Args:
        path: the file.

    Returns:
        The questions of each section, in the file's order.

    Raises:
        FormatError: names the first line that is something else.
        MissingInputError: there is no such file.
        StorageError: the system refused.
    """
    sections: Analogies = {}
    questions: list[tuple[str, str, str, str]] | None = None
    for number, line in question_lines(path):
        if line.startswith(":"):
            name = line[1:].strip()
            if not name or name in sections:
                reason = f"the section {name!r} is there already" if name else "a section without a name"
                raise FormatError(reason, path=path, line=number)
            questions = sections[name] = []
        elif line.strip():
            if questions is None:
                raise FormatError("a line `: section` must come first", path=path, line=number)
            words = line.split()
            if len(words) != 4:
                reason = f"expected four words, found {len(words)} in {line[:80]!r}"
                raise FormatError(reason, path=path, line=number)
            questions.append((words[0], words[1], words[2], words[3]))
    if not any(sections.values()):
        raise FormatError("no questions in the file", path=path)
    return sections


def question_lines(path: Place) -> Iterator[tuple[int, str]]:
    """The lines of a file of test questions, with their numbers from 1.

    Args:
        path: the file.

    Raises:
        FormatError: too large, not UTF-8, or with a byte order mark.
        MissingInputError: there is no such file.
        StorageError: the system refused.
    """
    place = Path(path)
    with storage_errors(place, "read"):
        if not place.exists():
            raise MissingInputError(f"{place}: no such file")
        with open(place, "rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise FormatError(f"more than {MAX_FILE_BYTES:,} bytes: not a file of test questions", path=path)
    if data.startswith(BOM_UTF8):
        raise FormatError("begins with a byte order mark; remove it", path=path, line=1)
    # Not splitlines, which also cuts at characters that stand inside words.
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            yield number, line.rstrip(b"\r").decode()
        except UnicodeDecodeError as error:
            raise FormatError(
                f"byte {error.start} of the line is not UTF-8", path=path, line=number
            ) from error
