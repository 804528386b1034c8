"""What becomes of a text when it is encoded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

from seqkit._settings import check_numbers
from seqkit.errors import UsageError
from seqkit.text.phrases import PhraseConfig, Phrases
from seqkit.text.splitting import Split
from seqkit.text.tokenizers import Tokenizer

UNKNOWN = "<unk>"


@dataclass(frozen=True, kw_only=True)
class EncodingConfig:
    """The settings of `seqkit.text.encoding.encode` that decide what comes out.

    Args:
        tokenizer: what cuts the text.
        min_count: tokens that occur less often are rare.
        max_vocab: beyond this many different tokens, the less frequent are rare too.
        keep: tokens that are in the vocabulary however rare, even where the text lacks them: their count is
            then 0.
        phrases: how to learn which tokens are joined, from the text outside of `held_out`; or which are.
        specials: tokens with the first ids; where the text holds one literally, it gets that id.
        unknown: "drop" leaves rare tokens out; "keep" puts `<unk>`, then one of the specials, in their place.
        empty_lines: keep the ends of lines without any token.
        held_out: which fraction of the text, at least 0 and below 1, is kept from training and vocabulary,
            for validation: lines, and stretches of lines of over 1000 tokens (see `seqkit.text.splitting`).
        seed: another one holds out other lines; 0 to 2^64 - 1. It decides nothing else.

    Raises:
        UsageError: a setting is out of its range, or phrases of characters.
    """

    tokenizer: Tokenizer = field(default_factory=Tokenizer)
    min_count: int = 1
    max_vocab: int | None = None
    keep: Collection[str] = ()
    phrases: PhraseConfig | Phrases | None = None
    specials: Sequence[str] = ()
    unknown: Literal["drop", "keep"] = "drop"
    empty_lines: bool = False
    held_out: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_numbers(self)
        for name, value in {"min_count": self.min_count, "max_vocab": self.max_vocab}.items():
            if value is not None and value < 1:
                raise UsageError(f"{name} must be at least 1, not {value}")
        if self.phrases and self.tokenizer.kind == "character":
            raise UsageError("phrases are made of words: tokenizer character has none")
        if len(set(self.specials)) != len(self.specials):
            raise UsageError(f"a special stands twice in {list(self.specials)}")
        if self.unknown not in ("drop", "keep"):
            raise UsageError(f"unknown must be drop or keep, not {self.unknown!r}")
        if self.unknown == "keep" and UNKNOWN not in self.specials:
            raise UsageError(
                f"unknown='keep' needs {UNKNOWN} among the specials, not only {list(self.specials)}"
            )
        _ = self.split

    @property
    def split(self) -> Split:
        """Which part is held out."""
        return Split(self.held_out, self.seed)
