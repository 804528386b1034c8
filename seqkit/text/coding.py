"""From a block of text to small integers: each distinct token gets the next free one when first seen.

The speed is in what is not done for every token. Text is cut at ASCII white space only, which no token of the
word and whitespace tokenizers holds, into *forms* ("King," or "well-known"); a table look-up turns each into
a number (`seqkit.text.forms`), and decoding, lower-casing and the tokenizer see each distinct form once.

The ids given here are provisional and local to one encoder; `seqkit.text.encoding` merges them.
"""

from __future__ import annotations

from codecs import utf_8_decode
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seqkit.text.forms import LINE_END, FormTable, TokenLists
from seqkit.text.tokenizers import Tokenizer

MAX_FORMS = 1 << 21
"""An encoder that knows more distinct forms starts afresh, so that its memory stays under some 200 MB."""


@dataclass(frozen=True)
class CodedBlock:
    """What an encoder makes of one block.

    Args:
        codes: provisional ids, int32, shape (tokens + line ends,); `LINE_END` after each line, tokens from 1.
        first_new: the id of the first of `new_tokens`; 1 when the encoder has started afresh.
        new_tokens: how the tokens first seen in this block are spelt, by rising id (see `token_of`).
    """

    codes: NDArray[np.int32]
    first_new: int
    new_tokens: list[bytes]


class BlockEncoder:
    """Encodes blocks one after another, remembering which tokens it has seen.

    Args:
        tokenizer: what cuts the text.
        max_forms: from this many distinct forms on, the next block starts afresh.
    """

    def __init__(self, tokenizer: Tokenizer, max_forms: int = MAX_FORMS) -> None:
        self._tokenizer, self._max_forms = tokenizer, max_forms
        self._forms = self._afresh()

    def _afresh(self) -> _Forms:
        return (
            _Characters(self._tokenizer) if self._tokenizer.kind == "character" else _Words(self._tokenizer)
        )

    def encode(self, data: bytes) -> CodedBlock:
        """The provisional ids of one block of UTF-8 without NUL.

        Raises:
            UnicodeDecodeError: the block is not UTF-8.
        """
        if len(self._forms) > self._max_forms:
            self._forms = self._afresh()
        try:
            return self._forms.encode(data)
        except UnicodeDecodeError:
            utf_8_decode(data, "strict", True)  # the same fault, at its position in the block
            raise


def token_of(spelling: bytes, tokenizer: Tokenizer) -> str:
    """The token that encoders spell so: in UTF-8; for characters, some being white space, in hexadecimal."""
    return (bytes.fromhex(spelling.decode()) if tokenizer.kind == "character" else spelling).decode()


class _Forms(Protocol):
    def __len__(self) -> int: ...

    def encode(self, data: bytes) -> CodedBlock: ...


class _Words:
    """Forms between white space, and the tokens of each."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer, self._table, self._tokens = tokenizer, FormTable(), FormTable()
        self._lists = TokenLists([LINE_END])

    def __len__(self) -> int:
        return len(self._table)

    def encode(self, data: bytes) -> CodedBlock:
        """The tokens of one block."""
        forms, new_forms = self._table.numbers(data)
        first_new = len(self._tokens)
        new_tokens = self._learn(new_forms) if new_forms else []
        codes, _ = self._lists.take(forms)
        return CodedBlock(codes, first_new, new_tokens)

    def _learn(self, new_forms: list[bytes]) -> list[bytes]:
        """Takes in the tokens of new forms; returns those tokens that are new."""
        text, _ = utf_8_decode(b"\n".join(new_forms) + b"\n", "strict", True)
        # No token holds a space, and a space ends every rule of lower-casing.
        tokens = " ".join(self._tokenizer.split(text))
        codes, new_tokens = self._tokens.numbers(
            (tokens.lower() if self._tokenizer.lowercase else tokens).encode()
        )
        self._lists.append(codes)
        return new_tokens


class _Characters:
    """Every code point is a form, looked up in an array."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer, self._tokens = tokenizer, FormTable()
        self._of_point = np.full(0x110000, -1, np.int32)
        self._of_point[ord("\n")] = LINE_END

    def __len__(self) -> int:
        return len(self._tokens)

    def encode(self, data: bytes) -> CodedBlock:
        """The characters of one block."""
        points = np.frombuffer(utf_8_decode(data, "strict", True)[0].encode("utf-32-le"), "<u4")
        first_new = len(self._tokens)
        codes = np.take(self._of_point, points)
        new_tokens: list[bytes] = []
        if (codes < 0).any():
            new = np.unique(points[codes < 0])
            tokens = [token for point in new.tolist() for token in self._tokenizer.tokenize(chr(point))]
            spelt = " ".join([token.encode().hex() for token in tokens])
            self._of_point[new], new_tokens = self._tokens.numbers(spelt.encode())
            codes = np.take(self._of_point, points)
        return CodedBlock(codes, first_new, new_tokens)
