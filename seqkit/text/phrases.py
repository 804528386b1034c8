r"""Phrases: words that stand together more often than by chance become one, `new_york`.

They are learned by gensim's `Phrases`; the score of a then b (Mikolov et al. 2013, NeurIPS, equation 6) is

    (count(a b) - min_count) · vocabulary / (count(a) · count(b))

with the vocabulary of all words and pairs. Each further pass joins what the passes before have made: three or
four words. `seqkit.text.joining` applies them.

>>> phrases = Phrases(({("new", "york"): 31.5}, {("new_york", "city"): 12.0}))
>>> phrases.to_tsv()
'"new york"\t31.5\t1\n"new_york city"\t12.0\t2\n'
>>> Phrases.from_tsv(phrases.to_tsv()) == phrases
True
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from seqkit._settings import check_numbers
from seqkit.errors import FormatError, Place, UsageError

DELIMITER = "_"
"""Between the words of a phrase."""

MAX_PASSES = 5

MAX_COUNTED = 10_000_000
"""Words and pairs that are counted at a time, about a gigabyte; beyond, gensim forgets the rarest."""

Scores = Mapping[tuple[str, ...], float]
"""Phrases of a pass: their parts, two words with connectors between them, and the score."""


@dataclass(frozen=True, kw_only=True)
class PhraseConfig:
    """How phrases are learned.

    Args:
        threshold: the score above which two words are a phrase, above 0; higher ones make fewer.
        min_count: words and pairs that occur less often are in no phrase.
        passes: 1 for phrases of two words, 2 for up to four, and so on; 1 to 5.
        connectors: "english" for articles and prepositions (gensim's `ENGLISH_CONNECTOR_WORDS`), which may
            stand inside a phrase, `lord_of_the_rings`, and do not begin or end one; None for no such words.
    """

    threshold: float = 10.0
    min_count: int = 5
    passes: int = 1
    connectors: Literal["english"] | None = None

    def __post_init__(self) -> None:
        check_numbers(self)
        if not (self.threshold > 0 and math.isfinite(self.threshold)):
            raise UsageError(f"threshold of phrases must be above 0, not {self.threshold}")
        if self.min_count < 1:
            raise UsageError(f"min_count of phrases must be at least 1, not {self.min_count}")
        if not 1 <= self.passes <= MAX_PASSES:
            raise UsageError(f"passes of phrases must be from 1 to {MAX_PASSES}, not {self.passes}")
        if self.connectors not in (None, "english"):
            raise UsageError(f"connectors must be english or None, not {self.connectors!r}")


@dataclass(frozen=True)
class Phrases:
    """Phrases as plain data.

    Args:
        passes: the phrases of each pass; those of the first are of words, those of a later one also of
            phrases.
    """

    passes: tuple[Scores, ...] = ()

    def __len__(self) -> int:
        return sum(map(len, self.passes))

    def to_tsv(self) -> str:
        r"""The text of `phrases.tsv`: the parts between spaces as a JSON string, score, pass from 1; "\n"."""
        return "".join(
            f"{json.dumps(' '.join(parts))}\t{score!r}\t{number}\n"
            for number, scores in enumerate(self.passes, 1)
            for parts, score in sorted(scores.items())
        )

    @classmethod
    def from_tsv(cls, text: str, path: Place | None = None) -> Phrases:
        """The phrases that `to_tsv` wrote.

        Args:
            text: the whole text.
            path: what errors call it.

        Raises:
            FormatError: the first row that is something else.
        """
        *rows, end = text.split("\n")
        if end:
            raise FormatError("the last row is cut short", path=path, line=len(rows) + 1)
        passes: list[dict[tuple[str, ...], float]] = []
        for line, row in enumerate(rows, 1):
            try:
                parts, score, number = _parsed(row)
            except ValueError:
                reason = f"expected a phrase, a TAB, its score, a TAB and its pass, not {row[:80]!r}"
                raise FormatError(reason, path=path, line=line) from None
            if not max(1, len(passes)) <= number <= min(MAX_PASSES, len(passes) + 1):
                raise FormatError(f"pass {number} after pass {len(passes)}", path=path, line=line)
            if number > len(passes):
                passes.append({})
            if parts in passes[-1]:
                raise FormatError(f"{' '.join(parts)!r} stands twice", path=path, line=line)
            passes[-1][parts] = score
        return cls(tuple(passes))


def _parsed(row: str) -> tuple[tuple[str, ...], float, int]:
    phrase, score, number = row.split("\t")
    decoded = json.loads(phrase)
    if not isinstance(decoded, str) or "\0" in decoded or not number.isdecimal():
        raise ValueError
    parts = tuple(decoded.split(" "))
    if len(parts) < 2 or any(part.split() != [part] for part in parts) or not math.isfinite(float(score)):
        raise ValueError
    return parts, float(score), int(number)


def learn(sentences: Iterable[Iterable[str]], config: PhraseConfig) -> Scores:
    """The phrases of one pass.

    Args:
        sentences: tokens without white space, gone through once.
        config: how.
    """
    from gensim.models.phrases import ENGLISH_CONNECTOR_WORDS
    from gensim.models.phrases import Phrases as Learner

    # With a space as delimiter gensim keeps apart what "_" would confuse: no token holds one, and the parts
    # of a later pass have "_" inside.
    learner = Learner(
        sentences,
        min_count=config.min_count,
        threshold=config.threshold,
        max_vocab_size=MAX_COUNTED,
        delimiter=" ",
        connector_words=ENGLISH_CONNECTOR_WORDS if config.connectors else frozenset(),
    )
    return {tuple(phrase.split(" ")): float(score) for phrase, score in learner.export_phrases().items()}
