"""What a corpus holds, and what looks wrong in it, in one pass and bounded memory.

Only the counts of distinct tokens grow with the text. Text is read as training reads it, except that bytes
that are not UTF-8 are counted and passed over instead of ending the reading.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from seqkit.progress import SILENT, Progress
from seqkit.text.inspection import LineTally, Pattern, shortened, suspicious_patterns
from seqkit.text.sources import read_blocks
from seqkit.text.streams import Sources
from seqkit.text.tokenizers import Tokenizer

MIN_COUNTS = (1, 2, 5, 10, 20)
"""The values of min_count whose coverage is reported."""

GIANT_LINE = 100_000
"""Characters; a longer line is warned of."""

LONG_TOKEN = 100
"""Characters; longer tokens are warned of."""

REPEATED_SHARE = 0.1
"""The share of repeated lines from which on they are warned of."""


@dataclass(frozen=True)
class Coverage:
    """What is left of a corpus under one min_count.

    Args:
        min_count: tokens that occur less often are dropped.
        vocabulary: distinct tokens kept.
        tokens: occurrences kept.
        share: `tokens` by all occurrences, from 0 to 1.
    """

    min_count: int
    vocabulary: int
    tokens: int
    share: float


@dataclass(frozen=True)
class Suspicion:
    """Something that looks wrong.

    Args:
        kind: "empty", "not_utf8", "mojibake", "html", "control_characters", "giant_line", "repeated_lines" or
            "long_tokens".
        count: how often it was seen.
        message: one line: what, how often, where first, and what to do.
    """

    kind: str
    count: int
    message: str


@dataclass(frozen=True)
class CorpusStatistics:
    """The statistics of a corpus.

    Args:
        tokens: occurrences of all tokens.
        types: distinct tokens.
        lines: lines, blank ones included.
        blank_lines: lines of nothing but white space.
        characters: without line ends.
        longest_line: characters of the longest line.
        longest_line_at: its source and number; "" where every line is empty.
        repeated_lines: the share, from 0 to 1, of lines that an earlier line equals; lines of one short word
            are left out. Exact up to 262,144 distinct lines, estimated from a sample of them beyond that.
        coverage: one for each of `MIN_COUNTS`.
        warnings: what looks wrong.
    """

    tokens: int
    types: int
    lines: int
    blank_lines: int
    characters: int
    longest_line: int
    longest_line_at: str
    repeated_lines: float
    coverage: tuple[Coverage, ...]
    warnings: tuple[Suspicion, ...]


def corpus_statistics(
    sources: Sources, *, tokenizer: Tokenizer | None = None, progress: Progress = SILENT
) -> CorpusStatistics:
    """Reads the sources once and describes them.

    >>> found = corpus_statistics("names:500")
    >>> found.lines, found.tokens, found.coverage[0].share, found.warnings
    (500, 500, 1.0, ())

    Args:
        sources: as `seqkit.text.streams.resolve` takes them.
        tokenizer: what cuts the lines; `Tokenizer()` where None.
        progress: told the bytes read.

    Raises:
        SeqkitError: as `seqkit.text.sources.read_blocks`: a NUL, for example, ends the reading.
    """
    tokenizer = tokenizer or Tokenizer()
    counts: Counter[str] = Counter()
    lines, patterns = LineTally(), suspicious_patterns()
    for block in read_blocks(sources, tokenizer.last_boundary, progress, any_bytes=True):
        text = block.data.decode("utf-8", "surrogateescape")
        counts.update(tokenizer.split(text))
        lines.add(block, text)
        for pattern in patterns:
            pattern.search(block, text)
    del counts[tokenizer.line_end]
    if tokenizer.lowercase:
        counts = _lowered(counts)
    return _summary(counts, lines, patterns)


def _lowered(counts: Counter[str]) -> Counter[str]:
    lowered: Counter[str] = Counter()
    for token, count in counts.items():
        lowered[token.lower()] += count
    return lowered


def _summary(counts: Counter[str], lines: LineTally, patterns: list[Pattern]) -> CorpusStatistics:
    total = counts.total()
    warnings = [Suspicion(seen.kind, seen.count, seen.message()) for seen in patterns if seen.count]
    warnings += _about_lines(lines) + _about_tokens(counts, total)
    return CorpusStatistics(
        tokens=total,
        types=len(counts),
        lines=lines.count,
        blank_lines=lines.blank,
        characters=lines.characters,
        longest_line=lines.longest,
        longest_line_at=lines.longest_at,
        repeated_lines=lines.repeats.share(),
        coverage=tuple(_coverage(counts, total, min_count) for min_count in MIN_COUNTS),
        warnings=tuple(warnings),
    )


def _coverage(counts: Counter[str], total: int, min_count: int) -> Coverage:
    kept = [count for count in counts.values() if count >= min_count]
    return Coverage(min_count, len(kept), sum(kept), sum(kept) / total if total else 0.0)


def _about_lines(lines: LineTally) -> list[Suspicion]:
    found = []
    if lines.longest > GIANT_LINE:
        message = f"a line of {lines.longest:,} characters in {lines.longest_at}"
        advice = "windows should end with a sentence or paragraph: give each its own line"
        found.append(Suspicion("giant_line", 1, f"{message}; {advice}"))
    if (share := lines.repeats.share()) >= REPEATED_SHARE:
        message = f"{share:.0%} of the lines repeat an earlier one; look for copies, headers and menus"
        found.append(Suspicion("repeated_lines", round(share * lines.repeats.added), message))
    return found


def _about_tokens(counts: Counter[str], total: int) -> list[Suspicion]:
    if not total:
        return [Suspicion("empty", 1, "no token at all; is it the right file?")]
    long = {token: count for token, count in counts.items() if len(token) > LONG_TOKEN}
    if not long:
        return []
    seen, longest = sum(long.values()), max(long, key=len)
    message = f"{seen:,} tokens of over {LONG_TOKEN} characters, the longest of {len(longest):,}"
    return [Suspicion("long_tokens", seen, f"{message}: {shortened(longest)}; is it text, and in words?")]
