"""Word lists as others publish them, in JSON: those of Bolukbasi et al. 2016 and the WEAT tests of WEFE.

They do not come with seqkit; whoever has the files can use them like its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqkit.debias.word_sets import WeatTest, WordSets, from_document, read_text
from seqkit.errors import FormatError, MissingInputError, Place
from seqkit.storage import JsonError, parse_json

_WEFE = {"targ1": "targets_x", "targ2": "targets_y", "attr1": "attributes_a", "attr2": "attributes_b"}


def read_debiaswe(folder: Place) -> WordSets:
    """The gender sets of Bolukbasi et al. 2016 (github.com/tolga-b/debiaswe).

    Args:
        folder: with `definitional_pairs.json`, `equalize_pairs.json`, `gender_specific_full.json` and
            `professions.json`.

    Raises:
        FormatError: a file of another form.
        MissingInputError: a file is not there.
    """
    place = Path(folder)
    professions = _json(place / "professions.json")
    if not isinstance(professions, list) or not all(isinstance(row, list) and row for row in professions):
        raise FormatError("must be a list of [word, score, score]", path=place / "professions.json")
    document = {
        "name": "debiaswe",
        "language": "en",
        "source": "Bolukbasi et al. 2016",
        "pairs": _json(place / "definitional_pairs.json"),
        "equalize": _json(place / "equalize_pairs.json"),
        "specific": _json(place / "gender_specific_full.json"),
        "professions": [row[0] for row in professions],
    }
    return from_document(document, place)


def read_wefe(path: Place) -> Mapping[str, WeatTest]:
    """The association tests of WEFE (`weat_wefe.json`): by number as text, "6" for careers and families.

    Args:
        path: the file, `{name: {"targ1": [...], "targ2": [...], "attr1": [...], "attr2": [...]}}`.

    Raises:
        FormatError: a file of another form.
        MissingInputError: there is no such file.
    """
    content = _json(Path(path))
    tests: dict[str, Any] = content if isinstance(content, dict) else {}
    named = {
        name: {_WEFE.get(key, key): words for key, words in test.items()} if isinstance(test, dict) else test
        for name, test in tests.items()
    }
    return from_document({"name": "wefe", "language": "en", "weat": named}, path).weat


def _json(path: Path) -> Any:
    if not path.is_file():
        raise MissingInputError(f"{path}: no such file")
    try:
        return parse_json(read_text(path).encode())
    except JsonError as error:
        raise FormatError(str(error), path=path) from error
