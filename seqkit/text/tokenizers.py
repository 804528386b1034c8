"""How a line of text becomes tokens: by word, by white space, by character.

A word is a run of letters, digits and underscores of any script, with inner apostrophes (`WORD_PATTERN`);
punctuation is dropped. Lower-casing is done token by token, after the cut, so that
a token never depends on its neighbours.

    >>> Tokenizer("word").tokenize("Don't panic: it's the naïve word2vec!")
    ["don't", 'panic', "it's", 'the', 'naïve', 'word2vec']
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, cast

import regex

from seqkit.errors import UsageError

TokenizerKind = Literal["word", "whitespace", "character"]
KINDS: tuple[TokenizerKind, ...] = ("word", "whitespace", "character")

WORD_PATTERN = r"\w+(?:['\u2019]\w+)*"
r"""The word tokenizer's pattern: `\w+` with inner apostrophes (' or U+2019).

It is read by the `regex` package, as in `nltk.tokenize.RegexpTokenizer`: `\w` is a letter, a digit, an
underscore, a combining mark or a zero-width joiner of any script, by the Unicode version of that package
whatever the Python. (The `\w` of `re` lacks marks, which would cut Hindi or pointed Hebrew to pieces.)
Nothing in it can match in two ways, so time is linear in the text.
"""

_WORDS = regex.compile(WORD_PATTERN)
_WORDS_AND_LINE_ENDS = regex.compile(WORD_PATTERN + r"|\n")
_NOT_IN_A_WORD = regex.compile(r"[^\w'\u2019]")
_WHITE_SPACE = re.compile(r"\s")  # as str.split has it


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
            return cast(Callable[[str], list[str]], _WORDS_AND_LINE_ENDS.findall)
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
