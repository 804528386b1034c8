"""Groups of words, by name, from a TOML file: `royalty = ["king", "queen"]`."""

from __future__ import annotations

import tomllib
from pathlib import Path

from seqkit.errors import FormatError, MissingInputError, Place
from seqkit.storage import storage_errors

MAX_FILE_BYTES = 1 << 24


def read_groups(path: Place) -> dict[str, list[str]]:
    """Reads groups of words.

    Args:
        path: a TOML file whose keys are names of groups, and whose values are arrays of words.

    Returns:
        The words of each group, in the file's order.

    Raises:
        FormatError: not such a file; no words; a word in two places.
        MissingInputError: there is no such file.
        StorageError: the system refused.
    """
    place = Path(path)
    if not place.exists():
        raise MissingInputError(f"{place}: no such file")
    with storage_errors(place, "read"), open(place, "rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise FormatError(f"more than {MAX_FILE_BYTES:,} bytes: not a file of groups", path=place)
    try:
        groups = tomllib.loads(data.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"not a TOML file: {error}", path=place) from error
    home: dict[str, str] = {}
    for name, words in groups.items():
        if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
            reason = f'{name!r} is not a group: expected an array of words, name = ["word", …]'
            raise FormatError(reason, path=place)
        for word in words:
            if word in home:
                raise FormatError(f"{word!r} is in {home[word]!r} and in {name!r}; leave one", path=place)
            home[word] = name
    if not home:
        raise FormatError("no groups in the file", path=place)
    return groups
