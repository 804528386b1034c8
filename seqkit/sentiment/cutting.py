r"""How a text that may be full of feeling becomes tokens: words, marks, emoticons and emoji.

Words are those of `seqkit.text` (`WORD_PATTERN`), so that its word vectors fit; a typographic apostrophe is
read as a plain one. Beside them every mark is a token ("!" says much), every emoticon, and every emoji with
all that belongs to it, skin and joined figures included. Line breaks of HTML are white space.

    >>> Cutter().tokens("Don't miss it!<br />10/10 :-)")
    ["don't", 'miss', 'it', '!', '10', '/', '10', ':-)']
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np
import regex
from numpy.typing import NDArray

from seqkit.errors import UsageError
from seqkit.text.tokenizers import WORD_PATTERN

EMOTICON_PATTERN = r"""
      [<>]?[:;=][-o*'^]?[)\](\[|\\/}{@*](?![\w/])      # :) ;-) =( :'( :/, but not the beginning of ://
    | [<>]?[:;=][-o*'^]?[dDpPoOsSxX](?!\w)             # :D :-P :o
    | 8-[)(dD](?!\w)
    | \([-o*'^]?[:;=](?![-\w)(])                       # (: (-; but not the beginning of (:-)
    | </?3(?!\w)
    | \^_*\^ | -_+- | >_+<
"""
"""Sideways faces, hearts and upright faces; read by the `regex` package in its verbose mode."""

_TOKENS = regex.compile(
    # A word first, then what no letter and no space begins. A grapheme (UAX 29) that no one sees is no token.
    rf"{WORD_PATTERN} | (?=[^\w\s\p{{Cc}}\p{{Cf}}])(?:{EMOTICON_PATTERN} | \X)",
    regex.VERBOSE,
)
_ASCII_TOKENS = re.compile(
    # The same tokens where the text is ASCII, twice as fast.
    rf"\w+(?:'\w+)* | [.,!?\"] | (?=[^\w\s\x00-\x1f\x7f])(?:{EMOTICON_PATTERN} | .)",
    re.VERBOSE | re.ASCII,
)
_LINE_BREAKS = re.compile(r"</?(?:[bB][rR]|[pP])\s*/?>")


@dataclass(frozen=True)
class Cutter:
    """Cuts texts into tokens; what it is travels in every bundle.

    Args:
        lowercase: whether each token is lower-cased (`str.lower`).
    """

    lowercase: bool = True

    def tokens(self, text: str) -> list[str]:
        """The tokens of one text, in order; none holds white space."""
        return self.cut([self.prepared(text)])[0]

    def cut(self, prepared: Iterable[str]) -> tuple[list[str], NDArray[np.int64]]:
        """The tokens of many texts, or pieces of them between white space, that `prepared` has made.

        Returns:
            The tokens of all, one text after the other, and how many each has, (texts,).
        """
        found = [
            _ASCII_TOKENS.findall(text) if text.isascii() else _TOKENS.findall(text) for text in prepared
        ]
        tokens = list(chain.from_iterable(found))
        if self.lowercase and tokens:
            tokens = " ".join(tokens).lower().split(" ")  # a space ends every rule of lower-casing
        return tokens, np.fromiter(map(len, found), np.int64, len(found))

    def prepared(self, text: str) -> str:
        """The text as it is cut: without line breaks of HTML, apostrophes made plain.

        White space always separates tokens in it.
        """
        return _LINE_BREAKS.sub(" ", text).replace("\u2019", "'")

    def to_config(self) -> dict[str, bool]:
        """The cutter as JSON-ready data, for a bundle's manifest."""
        return {"lowercase": self.lowercase}

    @classmethod
    def from_config(cls, config: Mapping[str, object]) -> Cutter:
        """The cutter that `to_config` described.

        Raises:
            UsageError: a key is missing, surplus or of the wrong type.
        """
        lowercase = config.get("lowercase")
        if set(config) != {"lowercase"} or not isinstance(lowercase, bool):
            raise UsageError(f"a cutter is lowercase (true or false), not {dict(config)!r}")
        return cls(lowercase)
