"""The TOML form of word sets, checked key by key; `seqkit.debias.word_sets` describes it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from seqkit.errors import FormatError, Place, name_hint

Words = tuple[str, ...]
Value = TypeVar("Value", bound=Hashable)

TEXTS = ("name", "language", "description", "source")
TUPLES = ("pairs", "equalize")
LISTS = ("specific", "neutral", "professions", "positive", "negative")
WEAT_KEYS = ("targets_x", "targets_y", "attributes_a", "attributes_b")


@dataclass(frozen=True)
class SetsFile:
    """Checks a document key by key.

    Args:
        path: the file, for errors.
    """

    path: Place | None

    def values(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The content of a file by key, its lists as tuples; `weat` is always there.

        Raises:
            FormatError: the first thing that is wrong, with the key.
        """
        self.known(document, (*TEXTS, *TUPLES, *LISTS, "weat"), "")
        for key in ("name", "language"):
            if key not in document:
                raise self.wrong(key, "is missing")
        values: dict[str, Any] = {key: self.text(key, document[key]) for key in TEXTS if key in document}
        values |= {key: self.words(key, document[key]) for key in LISTS if key in document}
        values |= {key: self.tuples(key, document[key]) for key in TUPLES if key in document}
        values["weat"] = self.weat(document.get("weat", {}))
        self.consistent(values)
        return values

    def wrong(self, key: str, reason: str) -> FormatError:
        return FormatError(f"{key}: {reason}", path=self.path)

    def known(self, table: Mapping[str, Any], keys: Sequence[str], where: str) -> None:
        for key in table:
            if key not in keys:
                raise FormatError(f"unknown key {where + key!r}; {name_hint(key, keys)}", path=self.path)

    def text(self, key: str, value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, f"must be a text, not {_shown(value)}")
        return value

    def words(self, key: str, value: object) -> Words:
        """A list of distinct words."""
        if not isinstance(value, list):
            raise self.wrong(key, f"must be a list of words, not {_shown(value)}")
        for word in value:
            if not isinstance(word, str) or not word or word != word.strip():
                raise self.wrong(
                    key, f"{_shown(word)} is no word (a text, without white space before or after)"
                )
        if twice := _first_twice(value):
            raise self.wrong(key, f"{twice!r} stands twice")
        return tuple(value)

    def tuples(self, key: str, value: object) -> tuple[Words, ...]:
        """A list of lists of at least two words."""
        if not isinstance(value, list):
            raise self.wrong(key, f"must be a list of lists of words, not {_shown(value)}")
        rows = [self.words(f"{key}[{number}]", row) for number, row in enumerate(value)]
        for number, row in enumerate(rows):
            if len(row) < 2:
                raise self.wrong(f"{key}[{number}]", f"needs at least two words, has {len(row)}")
        if twice := _first_twice(rows):
            raise self.wrong(key, f"{list(twice)} stands twice")
        return tuple(rows)

    def weat(self, value: object) -> dict[str, dict[str, Words]]:
        if not isinstance(value, dict):
            raise self.wrong("weat", f"must hold tables [weat.NAME], not {_shown(value)}")
        tests = {}
        for name, table in value.items():
            where = f"weat.{name}"
            if not isinstance(table, dict):
                raise self.wrong(where, f"must be a table, not {_shown(table)}")
            self.known(table, WEAT_KEYS, f"{where}.")
            test = {key: self.words(f"{where}.{key}", table.get(key, [])) for key in WEAT_KEYS}
            for key, words in test.items():
                if not words:
                    raise self.wrong(f"{where}.{key}", "is missing or empty")
            for first, second in (WEAT_KEYS[:2], WEAT_KEYS[2:]):
                if both := set(test[first]).intersection(test[second]):
                    raise self.wrong(f"{where}.{second}", f"{min(both)!r} is in {first} too")
            tests[name] = test
        return tests

    def consistent(self, values: Mapping[str, Any]) -> None:
        """The rules between keys."""
        pairs, equalize = values.get("pairs", ()), values.get("equalize", ())
        for number, row in enumerate(pairs):
            if len(row) != len(pairs[0]):
                reason = f"has {len(row)} words, pairs[0] has {len(pairs[0])}; all need as many"
                raise self.wrong(f"pairs[{number}]", reason)
        seen: dict[str, int] = {}
        for number, row in enumerate(equalize):
            for word in row:
                if word in seen:
                    raise self.wrong(f"equalize[{number}]", f"{word!r} is in equalize[{seen[word]}] too")
                seen[word] = number
        protected = set(values.get("specific", ())).union(*pairs, *equalize)
        for word in values.get("neutral", ()):
            if word in protected:
                raise self.wrong("neutral", f"{word!r} is in pairs, equalize or specific too")
        for word in values.get("negative", ()):
            if word in values.get("positive", ()):
                raise self.wrong("negative", f"{word!r} is in positive too")
        if not pairs and not values["weat"]:
            raise FormatError("holds neither pairs nor a table [weat.NAME]", path=self.path)


def _first_twice(values: Sequence[Value]) -> Value | None:
    """The first value that stands there for the second time."""
    seen: set[Value] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None


def _shown(value: object) -> str:
    names = {dict: "a table", list: "a list", bool: str(value).lower()}
    return names.get(type(value), repr(value)[:80])
