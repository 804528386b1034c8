r"""How a text that may be full of feeling becomes tokens: words, marks, emoticons and emoji.

Words are those of `seqkit.text` (`WORD_PATTERN`), so that its word vectors fit; a typographic apostrophe is
read as a plain one. Beside them every mark is a token ("!" says much), every emoticon, and every emoji with
all that belongs to it, skin and joined figures included. Line breaks of HTML are white space.

    >>> Cutter().tokens("Don't miss it!<br />10/10 :-)")
    ["don't", 'miss', 'it', '!', '10', '/', '10', ':-)']
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import regex

from seqkit.errors import UsageError
from seqkit.sentiment.lines import Lines, decoded
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
    rf"{WORD_PATTERN} | \n | (?=[^\w\s\p{{Cc}}\p{{Cf}}])(?:{EMOTICON_PATTERN} | \X)",
    regex.VERBOSE,
)
_ASCII_TOKENS = re.compile(
    # The same tokens where the text is ASCII, three times as fast.
    rf"\w+(?:'\w+)* | [.,!?\"\n] | (?=[<>:;=(^-])(?:{EMOTICON_PATTERN}) | [^\w\s\x00-\x1f\x7f]",
    re.VERBOSE | re.ASCII,
)
_LINE_BREAKS = re.compile(rb"</?(?:[bB][rR]|[pP])[^\S\n]*/?>")
_TYPOGRAPHIC_APOSTROPHE = "\u2019".encode()


@dataclass(frozen=True)
class Cutter:
    """Cuts texts into tokens; what it is travels in every bundle.

    Args:
        lowercase: whether each token is lower-cased (`str.lower`).
    """

    lowercase: bool = True

    def tokens(self, text: str) -> list[str]:
        """The tokens of one text, in order; none holds white space."""
        return self.cut(decoded(self.lines([text])))[:-1]

    def cut(self, lines: str) -> list[str]:
        r"""The tokens of texts, or of pieces of them between white space, one after the other.

        Args:
            lines: as `lines` gives them, decoded; pieces of them are each on a line, too.

        Returns:
            The tokens, and "\n" after those of each.
        """
        if lines.isascii():
            return _ASCII_TOKENS.findall(lines.lower() if self.lowercase else lines)
        found = _TOKENS.findall(lines)
        # A space ends every rule of lower-casing.
        return " ".join(found).lower().split(" ") if self.lowercase and found else found

    def lines(self, texts: Sequence[str]) -> bytes:
        r"""The texts as they are cut, by `seqkit.sentiment.lines.encoded`, "\n" after each and nowhere else.

        Line breaks of HTML are spaces, apostrophes plain. White space always separates tokens in it.
        """
        return _LINE_BREAKS.sub(b" ", Lines.of(texts).data).replace(_TYPOGRAPHIC_APOSTROPHE, b"'")

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
