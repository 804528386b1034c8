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
from typing import cast

import numpy as np
import regex
from numpy.typing import NDArray

from seqkit.errors import UsageError
from seqkit.text.tokenizers import WORD_PATTERN

EMOTICON_PATTERN = r"""
      [<>]?[:;=][-o*'^]?[)\](\[|\\/}{@*](?![\w/])      # :) ;-) =( :'( :/, but not the beginning of ://
    | [<>]?[:;=][-o*'^]?[dDpPoOsSxX](?!\w)             # :D :-P :o
    | 8-[)(dD](?!\w)
    | \([-o*'^]?[:;=](?!\w)                            # (: (-;
    | </?3(?!\w)
    | \^_*\^ | -_+- | >_+<
"""
"""Sideways faces, hearts and upright faces; read by the `regex` package in its verbose mode."""

_TOKENS = regex.compile(
    # A word first: what follows sees no letter. A grapheme (UAX 29) that no one can see is no token.
    rf"{WORD_PATTERN} | {EMOTICON_PATTERN} | (?![\s\p{{Cc}}\p{{Cf}}])\X",
    regex.VERBOSE,
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
        found = cast(list[str], _TOKENS.findall(self.prepared(text)))
        return [token.lower() for token in found] if self.lowercase else found

    def cut(self, texts: Iterable[str]) -> tuple[list[str], NDArray[np.int64]]:
        """The tokens of many texts.

        Returns:
            The tokens of all texts, one text after the other, and how many each has, (texts,).
        """
        tokens: list[str] = []
        ends = [0]
        for text in texts:
            tokens += self.tokens(text)
            ends.append(len(tokens))
        return tokens, np.diff(ends).astype(np.int64)

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
