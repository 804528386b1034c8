"""Text to ids and back, at the level of words, characters or byte pairs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import UsageError
from seqkit.language_model import steps
from seqkit.language_model.config import Level
from seqkit.language_model.pairs import BytePairs
from seqkit.text.encoding_config import UNKNOWN
from seqkit.text.tokenizers import Tokenizer
from seqkit.text.vocabulary import Vocabulary

Ids = NDArray[np.int32]

END = "<eos>"
SPECIALS = (UNKNOWN, END)
UNKNOWN_ID, END_ID = steps.UNKNOWN, steps.EOS
NEWLINE = "\n"


@dataclass(frozen=True, eq=False)
class Coding:
    r"""How text becomes ids, and ids text.

    `<unk>` stands for every token that the vocabulary lacks, and for a literal `<unk>`. A line ends in
    `<eos>`; in a stream of characters, where lines are not texts of their own, in the character "\n".

    Args:
        level: what a token is.
        vocabulary: `<unk>`, `<eos>`, then tokens by falling count.
        tokenizer: what cuts a line; at the level of byte pairs, only its case counts.
        lines: whether each line is a text of its own.
        pairs: that are joined, at the level of byte pairs.
        labels: that a text may have, by their numbers; none where texts have none.
    """

    level: Level
    vocabulary: Vocabulary
    tokenizer: Tokenizer
    lines: bool
    pairs: BytePairs | None = None
    labels: tuple[str, ...] = ()

    @property
    def has_ends(self) -> bool:
        """Whether a line ends in `<eos>`."""
        return self.level != "character" or self.lines

    @property
    def keeps_empty_lines(self) -> bool:
        """Whether a line without a token is one: in streams of words as they stand, and of characters."""
        return not self.lines and self.level != "bpe" and self.tokenizer.kind != "word"

    def tokens(self, text: str) -> list[str]:
        """What a piece of text is cut into; line ends in it are cut out, but of a stream of characters."""
        if self.pairs:
            return self.pairs.tokens(text.lower() if self.tokenizer.lowercase else text)
        if self.has_ends:
            return self.tokenizer.tokenize(text)
        return list(text.lower() if self.tokenizer.lowercase else text)

    def encode(self, text: str) -> list[int]:
        """The ids of a piece of text, without an end."""
        get = self.vocabulary.get
        found = (get(token) for token in self.tokens(text))
        return [UNKNOWN_ID if index is None else index for index in found]

    def encode_lines(self, lines: Iterable[str]) -> Iterator[NDArray[np.int32]]:
        """The ids of each line with its end; those without a token only as `keeps_empty_lines` says."""
        for line in lines:
            ids = self.encode(line if self.has_ends else line + NEWLINE)
            if ids or self.keeps_empty_lines:
                yield np.array([*ids, END_ID] if self.has_ends else ids, np.int32)

    def encode_texts(self, texts: Iterable[str], labels: Iterable[str]) -> tuple[Ids, Ids]:
        """The ids of texts, each with its end, and the number of the label of each; none without a token.

        Raises:
            UsageError: a label that the model does not know.
        """
        rows, numbers = [], []
        for text, label in zip(texts, labels, strict=True):
            ids = self.encode(" ".join(text.splitlines()))
            if ids:
                # a literal <eos> would end the text, and what follows it would have no label
                rows.append([*(UNKNOWN_ID if index == END_ID else index for index in ids), END_ID])
                numbers.append(self.label_id(label))
        return np.array([index for row in rows for index in row], np.int32), np.array(numbers, np.int32)

    def label_id(self, label: str) -> int:
        """The number of a label.

        Raises:
            UsageError: the model does not know it.
        """
        if label not in self.labels:
            raise UsageError(f"the model knows no label {label!r:.80}; it knows {', '.join(self.labels)}")
        return self.labels.index(label)

    def decode(self, ids: Sequence[int]) -> str:
        r"""The text of ids; `<eos>` becomes the end of a line."""
        lines: list[list[str]] = [[]]
        for index in ids:
            if index == END_ID:
                lines.append([])
            else:
                lines[-1].append(self.vocabulary.word(index))
        return "\n".join(self._joined(line) for line in lines)

    def _joined(self, tokens: list[str]) -> str:
        if self.pairs:
            return self.pairs.text(tokens)
        return ("" if self.level == "character" else " ").join(tokens)
