"""From a block of text to small integers: each distinct token gets the next free one when first seen.

These ids are provisional and local to one encoder. `seqkit.text.encoding` merges them; here only speed counts.
"""

from __future__ import annotations

from codecs import utf_8_decode
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqkit.text.tokenizers import Tokenizer

LINE_END_CODE = 0
"""The provisional id that ends a line; tokens start at 1."""

MAX_FORMS = 1 << 20
"""An encoder that knows more distinct spellings starts afresh: 2^20 take about 150 MB in each process."""


@dataclass(frozen=True)
class CodedBlock:
    """What an encoder makes of one block.

    Args:
        codes: provisional ids, int32, shape (tokens + line ends,).
        first_new: the id of the first of `new_tokens`; 1 when the encoder has started afresh.
        new_tokens: the tokens first seen in this block, by rising id.
    """

    codes: NDArray[np.int32]
    first_new: int
    new_tokens: list[str]


class _Codes(dict[str, int]):
    """Spelling → provisional id; unknown spellings are numbered when they are looked up."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__({tokenizer.line_end: LINE_END_CODE})
        self.lowercase = tokenizer.lowercase
        self.tokens = [tokenizer.line_end]

    def __missing__(self, form: str) -> int:
        # Lower-casing each distinct spelling once is much cheaper than lower-casing the text.
        token = form.lower() if self.lowercase else form
        code = self.get(token)
        if code is None:
            code = self[token] = len(self.tokens)
            self.tokens.append(token)
        self[form] = code
        return code


class BlockEncoder:
    """Encodes blocks one after another, remembering which tokens it has seen.

    Args:
        tokenizer: what cuts the text.
        max_forms: from this many distinct spellings on, the next block starts afresh.
    """

    def __init__(self, tokenizer: Tokenizer, max_forms: int = MAX_FORMS) -> None:
        self.tokenizer, self.max_forms = tokenizer, max_forms
        self._start_afresh()

    def _start_afresh(self) -> None:
        self._codes = _Codes(self.tokenizer)
        if self.tokenizer.kind == "character":
            self._code_of_point = np.full(0x110000, -1, np.int32)
            self._code_of_point[ord("\n")] = LINE_END_CODE

    def encode(self, data: bytes) -> CodedBlock:
        """The provisional ids of one block of UTF-8.

        Raises:
            UnicodeDecodeError: the block is not UTF-8.
        """
        if len(self._codes) > self.max_forms:
            self._start_afresh()
        text, _ = utf_8_decode(data, "strict", True)
        first_new = len(self._codes.tokens)
        codes = self._of_characters(text) if self.tokenizer.kind == "character" else self._of_tokens(text)
        return CodedBlock(codes, first_new, self._codes.tokens[first_new:])

    def _of_tokens(self, text: str) -> NDArray[np.int32]:
        tokens = self.tokenizer.split(text)
        return np.fromiter(map(self._codes.__getitem__, tokens), np.int32, len(tokens))

    def _of_characters(self, text: str) -> NDArray[np.int32]:
        points = np.frombuffer(text.encode("utf-32-le"), "<u4")
        codes = np.take(self._code_of_point, points)
        if (codes < 0).any():
            for point in np.unique(points[codes < 0]).tolist():
                self._code_of_point[point] = self._codes[chr(point)]
            codes = np.take(self._code_of_point, points)
        return codes
