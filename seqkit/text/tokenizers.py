"""How a line of text becomes tokens: by word, by white space, by character.

A word is a run of letters, digits and underscores, with inner apostrophes and the combining marks of any
script (`WORD_PATTERN`); punctuation is dropped. Lower-casing is done token by token, after the cut, so that
a token never depends on its neighbours.

    >>> Tokenizer("word").tokenize("Don't panic: it's the naïve word2vec!")
    ["don't", 'panic', "it's", 'the', 'naïve', 'word2vec']
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Literal, cast

from seqkit.errors import UsageError

TokenizerKind = Literal["word", "whitespace", "character"]
KINDS: tuple[TokenizerKind, ...] = ("word", "whitespace", "character")


def _combining_marks() -> str:
    """The combining marks of the basic plane as a character class, with the joiners found inside words."""
    joiners = (0x200C, 0x200D)  # Persian and Indic spelling: zero-width non-joiner and joiner
    marks = [c for c in range(0x300, 0x10000) if unicodedata.category(chr(c))[0] == "M" or c in joiners]
    # Runs of neighbours share the difference from their own position in the list.
    runs = groupby(enumerate(marks), lambda pair: pair[1] - pair[0])
    spans = [[mark for _, mark in run] for _, run in runs]
    return "".join(f"{chr(span[0])}-{chr(span[-1])}" for span in spans)


_MARKS = _combining_marks()

_APOSTROPHES = "'\u2019"

WORD_PATTERN = rf"\w++(?:[{_MARKS}]++\w*+|[{_APOSTROPHES}]\w++)*+"
r"""The word tokenizer's pattern, as `re` or `nltk.tokenize.RegexpTokenizer` take it: `\w+` (letters, digits,
underscore), continued by combining marks (Python's `\w` lacks them, which would cut Hindi or pointed Hebrew
to pieces) or by an apostrophe (' or U+2019) between two word characters. Possessive throughout, so that
time is linear in the text whatever the text."""

_WORDS = re.compile(WORD_PATTERN)
_WORDS_AND_LINE_ENDS = re.compile(WORD_PATTERN + r"|\n")
_NOT_IN_A_WORD = re.compile(rf"[^\w{_APOSTROPHES}{_MARKS}]")
_WHITE_SPACE = re.compile(r"\s")


@dataclass(frozen=True)
class Tokenizer:
    """Cuts lines into tokens; what it is travels in every bundle.

    Args:
        kind: "word" (`WORD_PATTERN`, punctuation dropped), "whitespace" (`str.split`, every Unicode white
            space separates) or "character" (every code point, spaces included, except line ends).
        lowercase: whether each token is lower-cased (`str.lower`).

    Raises:
        UsageError: the kind is none of these.
    """

    kind: TokenizerKind = "word"
    lowercase: bool = True

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError(f"tokenizer must be one of {', '.join(KINDS)}, not {self.kind!r}")

    def tokenize(self, line: str) -> list[str]:
        """The tokens of one line, in order."""
        if self.kind == "word":
            tokens = _WORDS.findall(line)
        else:
            tokens = line.split() if self.kind == "whitespace" else list(line.replace("\n", ""))
        return [token.lower() for token in tokens] if self.lowercase else tokens

    @cached_property
    def line_end(self) -> str:
        r"""What `split` puts where a line ends; never a token.

        A NUL for white space, where `str.split` would swallow "\n" (text with NUL is refused on reading).
        """
        return "\0" if self.kind == "whitespace" else "\n"

    @cached_property
    def split(self) -> Callable[[str], list[str]]:
        """A function from text of many lines to its tokens in their own case, `line_end` after each line."""
        if self.kind == "word":
            return _WORDS_AND_LINE_ENDS.findall
        return _split_white_space if self.kind == "whitespace" else list

    def last_boundary(self, text: str) -> int:
        """The last position in `text` where a cut neither cuts nor changes a token; 0 if there is none."""
        if self.kind == "character":
            return len(text)
        separator = _NOT_IN_A_WORD if self.kind == "word" else _WHITE_SPACE
        found = separator.search(text[::-1])
        return len(text) - found.start() if found else 0

    def to_config(self) -> dict[str, str | bool]:
        """The tokenizer as JSON-ready data, for a bundle's manifest."""
        return {"kind": self.kind, "lowercase": self.lowercase}

    @classmethod
    def from_config(cls, config: Mapping[str, object]) -> Tokenizer:
        """The tokenizer that `to_config` described.

        Raises:
            UsageError: a key is missing, surplus or of the wrong type.
        """
        kind, lowercase = config.get("kind"), config.get("lowercase")
        if set(config) != {"kind", "lowercase"} or not isinstance(lowercase, bool):
            raise UsageError(f"a tokenizer is a kind and lowercase (true or false), not {dict(config)!r}")
        return cls(cast(TokenizerKind, kind), lowercase)


def _split_white_space(text: str) -> list[str]:
    return text.replace("\n", " \0 ").split()
