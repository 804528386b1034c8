"""Word sets: which words define a bias, which keep it and which must lose it, and what it is measured by.

A set is a TOML file; those of `seqkit/debias/data` come with seqkit, files of your own have the same form:

    name = "gender"                                # by which it is called in reports
    language = "en"
    description = "what the set is for"            # may be left out, like everything below
    source = "where its words come from"
    pairs = [["she", "he"], ["woman", "man"]]      # definitional: their differences are the bias
    equalize = [["queen", "king"]]                 # to become alike but for the bias; of any size
    specific = ["beard", "pregnant"]               # hold the bias by definition and keep it
    neutral = ["nurse", "pilot"]                   # where given, these alone are neutralized
    professions = ["nurse", "pilot"]               # words without a gender, to look at

    [weat.career]                                  # a test of association, as many as you like
    targets_x = ["office", "salary"]
    targets_y = ["home", "family"]
    attributes_a = ["he", "man"]
    attributes_b = ["she", "woman"]

>>> sets = word_sets("gender")
>>> sets.language, sets.pairs[0], "career-family" in sets.weat
('en', ('she', 'he'), True)
>>> import numpy as np
>>> from seqkit.embeddings.vectors import Vectors
>>> vectors = Vectors(["she", "he", "woman"], np.eye(3, dtype=np.float32))
>>> report = coverage(sets, vectors)["pairs"]
>>> report.found, report.complete, report.missing[:2]
(3, 1, ('her', 'his'))
"""

from __future__ import annotations

import tomllib
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from seqkit.debias._sets_file import LISTS, TUPLES, WEAT_KEYS, SetsFile, Words
from seqkit.errors import FormatError, MissingInputError, Place, name_hint
from seqkit.storage import storage_errors

MAX_FILE_BYTES = 1 << 24


@dataclass(frozen=True)
class WeatTest:
    """The words of one association test: is x to a as y is to b?

    Args:
        targets_x: words of the first concept.
        targets_y: words of the second.
        attributes_a: words of what the first may be associated with.
        attributes_b: words of what the second may be.
    """

    targets_x: Words
    targets_y: Words
    attributes_a: Words
    attributes_b: Words


@dataclass(frozen=True, kw_only=True)
class WordSets:
    """The words of one kind of bias; read by `word_sets`, which checks them.

    Args:
        name: by which it goes in reports.
        language: of the words, "en".
        description: what it is for.
        source: where the words come from.
        pairs: definitional tuples, all of one length (2 for pairs), the classes in one order.
        equalize: sets whose words shall differ in the bias alone, of any sizes; no word is in two.
        specific: words that hold the bias by definition.
        neutral: where there are any, only these are neutralized; else all words but the protected ones.
        professions: words that should hold no bias.
        positive: words of positive sentiment, by which RNSB asks for that of the pairs.
        negative: words of negative sentiment.
        weat: association tests by name.
    """

    name: str
    language: str
    description: str = ""
    source: str = ""
    pairs: tuple[Words, ...] = ()
    equalize: tuple[Words, ...] = ()
    specific: Words = ()
    neutral: Words = ()
    professions: Words = ()
    positive: Words = ()
    negative: Words = ()
    weat: Mapping[str, WeatTest] = field(default_factory=dict)

    @property
    def protected(self) -> frozenset[str]:
        """The words that are never neutralized: specific ones and those of pairs and equalize sets."""
        return frozenset(self.specific).union(*self.pairs, *self.equalize)

    def known_to(self, vocabulary: Container[str]) -> WordSets:
        """The same sets in the spellings of a vocabulary, without what it lacks.

        Where a vocabulary has capitals, the lists that are looked at (pairs, professions, sentiment words and
        tests) take of each word its first known spelling: as it is, Title, UPPER. Those that are acted on
        (equalize, specific, neutral) take all of them, as Bolukbasi et al. 2016 did, so that "He" is not
        neutralized because the set says "he".

        Args:
            vocabulary: `Vectors`, or whatever knows its words.

        Returns:
            Every list without its unknown words; a definitional tuple with an unknown word is left out as a
            whole, an equalize set where fewer than two words remain. A WEAT test may have empty lists.
        """
        length = len(self.pairs[0]) if self.pairs else 0
        pairs = (first_known(words, vocabulary) for words in self.pairs)
        return replace(
            self,
            pairs=tuple(known for known in pairs if len(known) == length),
            equalize=_equalize_known(self.equalize, vocabulary),
            specific=_every_known(self.specific, vocabulary),
            neutral=_every_known(self.neutral, vocabulary),
            professions=first_known(self.professions, vocabulary),
            positive=first_known(self.positive, vocabulary),
            negative=first_known(self.negative, vocabulary),
            weat={
                name: WeatTest(*(first_known(getattr(test, key), vocabulary) for key in WEAT_KEYS))
                for name, test in self.weat.items()
            },
        )


def _spellings(word: str) -> Iterator[str]:
    yield from dict.fromkeys((word, word.capitalize(), word.upper()))


def first_known(words: Sequence[str], vocabulary: Container[str]) -> Words:
    """The known words of a list, each in its first known spelling: as it is, Title, UPPER."""
    found = (next((form for form in _spellings(word) if form in vocabulary), None) for word in words)
    return tuple(dict.fromkeys(form for form in found if form is not None))


def _every_known(words: Words, vocabulary: Container[str]) -> Words:
    return tuple(dict.fromkeys(form for word in words for form in _spellings(word) if form in vocabulary))


def _equalize_known(sets: tuple[Words, ...], vocabulary: Container[str]) -> tuple[Words, ...]:
    """Each set in lower case, Title and UPPER, as far as it is known; no word in two of them."""
    result: list[Words] = []
    taken: set[str] = set()
    for words in sets:
        for forms in zip(*([word, word.capitalize(), word.upper()] for word in words), strict=True):
            known = tuple(form for form in forms if form in vocabulary and form not in taken)
            if len(known) > 1:
                result.append(known)
                taken.update(known)
    return tuple(result)


@dataclass(frozen=True)
class Coverage:
    """How much of a list of words a vocabulary knows.

    Args:
        words: distinct words in the list.
        found: how many of them the vocabulary has.
        missing: the others, in the list's order.
        tuples: of a list of tuples, how many there are; None for a plain list.
        complete: how many of these have no missing word.
    """

    words: int
    found: int
    missing: Words
    tuples: int | None = None
    complete: int | None = None


def coverage(sets: WordSets, vocabulary: Container[str]) -> dict[str, Coverage]:
    """How much of each list of a set a vocabulary knows.

    Args:
        sets: the words.
        vocabulary: `Vectors`, or whatever knows its words.

    Returns:
        By key of the file ("pairs", "specific", "weat.career"), for the lists that hold anything. A word is
        found where the vocabulary has it as it is, as Title or UPPER.
    """
    tuples: dict[str, Sequence[Words]] = {key: getattr(sets, key) for key in TUPLES}
    lists: dict[str, Words] = {key: tuple(dict.fromkeys(sum(rows, ()))) for key, rows in tuples.items()}
    lists |= {key: getattr(sets, key) for key in LISTS}
    for name, test in sets.weat.items():
        parts: list[Words] = [getattr(test, part) for part in WEAT_KEYS]
        lists[f"weat.{name}"] = tuple(dict.fromkeys(sum(parts, ())))
    result = {}
    for key, words in lists.items():
        missing = tuple(word for word in words if not first_known((word,), vocabulary))
        rows = tuples.get(key)
        complete = None if rows is None else sum(not set(missing).intersection(row) for row in rows)
        if words:
            found = len(words) - len(missing)
            result[key] = Coverage(len(words), found, missing, None if rows is None else len(rows), complete)
    return result


def built_in_names() -> list[str]:
    """The names of the sets that come with seqkit, in the order of the alphabet."""
    folder = files("seqkit.debias") / "data"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir())


def built_in_text(name: str) -> str:
    """The TOML of sets that come with seqkit, to print or to begin a file of one's own with.

    Args:
        name: one of `built_in_names()`.
    """
    return (files("seqkit.debias") / "data" / f"{name}.toml").read_text(encoding="utf-8")


def word_sets(name_or_path: Place) -> WordSets:
    """The sets of a file, or of a name; a file of that name in the current folder wins.

    Args:
        name_or_path: one of `built_in_names()`, or a TOML file.

    Raises:
        FormatError: a file that breaks the form; names file and key.
        MissingInputError: no such file and no such name.
        StorageError: the system refused.
    """
    path, names = Path(name_or_path), built_in_names()
    if not path.exists() or (path.is_dir() and str(name_or_path) in names):
        if str(name_or_path) not in names:
            hint = name_hint(name_or_path, names)
            raise MissingInputError(f"{name_or_path}: no such file, and no word set of that name; {hint}")
        return parse_word_sets(built_in_text(str(name_or_path)))
    return parse_word_sets(read_text(path), path)


def parse_word_sets(text: str, path: Place | None = None) -> WordSets:
    """The sets of a TOML text.

    Args:
        text: its content.
        path: where it comes from, for errors.

    Raises:
        FormatError: the first thing that is wrong, with the key.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FormatError(f"not a TOML file: {error}", path=path) from error
    return from_document(document, path)


def from_document(document: Mapping[str, Any], path: Place | None = None) -> WordSets:
    """The sets of what a file says, by its keys.

    Raises:
        FormatError: the first thing that is wrong, with the key.
    """
    values = SetsFile(path).values(document)
    values["weat"] = {name: WeatTest(**test) for name, test in values["weat"].items()}
    return WordSets(**values)


def read_text(path: Path) -> str:
    """The text of a file of words.

    Raises:
        FormatError: more than 16 MB, or not UTF-8.
        StorageError: the system refused.
    """
    with storage_errors(path, "read"), open(path, "rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise FormatError(f"more than {MAX_FILE_BYTES:,} bytes: not a file of word sets", path=path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"byte {error.start:,} is not UTF-8", path=path) from error
