"""The settings of a language model: how text becomes tokens, the network, and how it is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from seqkit._settings import check_choices, check_numbers, check_ranges, check_rates
from seqkit.errors import UsageError
from seqkit.text.columns import Columns
from seqkit.text.tokenizers import Tokenizer, TokenizerKind

Level = Literal["word", "character", "bpe"]
LEVELS: tuple[Level, ...] = ("word", "character", "bpe")
CELLS = ("lstm", "gru", "gru-full", "gru-simplified", "rnn")
TOKENIZERS: tuple[TokenizerKind, ...] = ("word", "whitespace")

EMBEDDING_RANGE = 0.1
"""Embeddings are drawn uniformly from ± this (Merity et al. 2018, section 5)."""


@dataclass(frozen=True, kw_only=True)
class TextConfig:
    """How text becomes tokens.

    Args:
        level: what a token is.
        tokenizer: what cuts words: "word" drops punctuation, "whitespace" keeps tokens as they stand.
        lowercase: whether text is lower-cased.
        min_count: tokens that occur less often become `<unk>`.
        max_vocab: keep only so many of the most frequent; None for all. Of byte pairs, how many there are.
        lines: each line is a text of its own, as names and verses are; otherwise all of it is one stream.
        validation: fraction of the text that is held out, 0 to below 1: lines, or of a stream of characters
            its end.
        label_column: the column that has the label of each text, for a model of text by its label; the source
            is then a table, a folder by label or a corpus with labels. None for text without labels.
        text_column: the column of the text; None to guess it.
    """

    level: Level = "word"
    tokenizer: TokenizerKind = "word"
    lowercase: bool = False
    min_count: int = 1
    max_vocab: int | None = None
    lines: bool = False
    validation: float = 0.0
    label_column: str | None = None
    text_column: str | None = None

    def __post_init__(self) -> None:
        check_numbers(self)
        check_choices(self, level=LEVELS, tokenizer=TOKENIZERS)
        if self.min_count < 1 or (self.max_vocab is not None and self.max_vocab < 1):
            raise UsageError(f"min_count {self.min_count} and max_vocab {self.max_vocab} must be at least 1")
        check_rates(self, "validation")
        if self.label_column is not None and not self.lines:
            raise UsageError(
                "a label is that of a text of its own, not of a place in a stream: add lines (--lines)"
            )
        if self.text_column is not None and self.label_column is None:
            raise UsageError("text_column is of a table with labels: name the label_column, too")

    @property
    def columns(self) -> Columns:
        """Those of a table with labels."""
        return Columns(self.text_column, (str(self.label_column),))

    @property
    def cutter(self) -> Tokenizer:
        """What cuts a line; byte pairs are cut by themselves."""
        return Tokenizer("character" if self.level == "character" else self.tokenizer, self.lowercase)


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """The network: embedding, recurrent layers, softmax.

    Args:
        cell: "lstm", "gru" (reset-after), "gru-full", "gru-simplified" or "rnn".
        layers: how many lie one above the other.
        units: of each layer.
        embedding_size: length of an embedding; None for as many as `units`. With `tied`, the last layer has
            so many units, too (Merity et al. 2018).
        tied: the softmax has the embeddings as its weights (Press & Wolf 2017; Inan et al. 2017).
        dropout: rate on the inputs, between layers and on the output (Zaremba et al. 2014).
        dropout_input: of the embeddings; None for `dropout`.
        dropout_hidden: between layers; None for `dropout`.
        dropout_output: of the last layer's output; None for `dropout`.
        dropout_embedding: rate at which words are dropped, the same ones in all of a batch (Gal & Ghahramani
            2016).
        locked: drop the same units in each step of a batch (Gal & Ghahramani 2016).
        weight_drop: rate at which recurrent weights are dropped (Merity et al. 2018).
        layer_norm: normalise the layers' products (Ba et al. 2016).
    """

    cell: str = "lstm"
    layers: int = 2
    units: int = 200
    embedding_size: int | None = None
    tied: bool = False
    dropout: float = 0.0
    dropout_input: float | None = None
    dropout_hidden: float | None = None
    dropout_output: float | None = None
    dropout_embedding: float = 0.0
    locked: bool = False
    weight_drop: float = 0.0
    layer_norm: bool = False

    def __post_init__(self) -> None:
        check_numbers(self)
        check_choices(self, cell=CELLS)
        check_ranges(self, layers=(1, 32), units=(1, 65_536), embedding_size=(1, 65_536))
        check_rates(self, "dropout", "dropout_input", "dropout_hidden", "dropout_output", "dropout_embedding")
        check_rates(self, "weight_drop")

    @property
    def vector_size(self) -> int:
        """Length of an embedding."""
        return self.embedding_size or self.units

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units of each layer, from below."""
        last = self.vector_size if self.tied else self.units
        return (*(self.units,) * (self.layers - 1), last)

    def rate(self, name: str) -> float:
        """The rate of dropout at a place: "input", "hidden" or "output"."""
        own: float | None = getattr(self, f"dropout_{name}")
        return self.dropout if own is None else own
