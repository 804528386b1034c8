"""Learning and joining the phrases of a corpus on disk, between the merging of its blocks and its counting.

All processes have given up their blocks by then, so how many there were decides nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import BinaryIO

import numpy as np

from seqkit.progress import SILENT, Progress
from seqkit.text import merging
from seqkit.text.coding import token_of
from seqkit.text.joining import Joiner
from seqkit.text.merging import Merge, slices
from seqkit.text.phrases import DELIMITER, PhraseConfig, Phrases, Scores, learn
from seqkit.text.splitting import Split, parts
from seqkit.text.tokenizers import Tokenizer

SENTENCE_TOKENS = 1 << 20
"""Of a line whose phrases are learned, at most: of a longer one, no pair across the cut is counted."""


def join_phrases(
    file: BinaryIO,
    merge: Merge,
    wanted: PhraseConfig | Phrases | None,
    tokenizer: Tokenizer,
    split: Split,
    progress: Progress,
) -> Phrases:
    """Joins the phrases in a file, pass by pass; those that are not known are learned there first.

    Args:
        file: numbers, as `Merge` writes them.
        merge: their spellings; gets those of phrases.
        wanted: how to learn them, or what they are.
        tokenizer: that cut the text.
        split: from the part that is not held out they are learned. (They move the limits of its units in
            lines of over 1000 tokens, where some pairs that were learned from may be held out later.)
        progress: told of learning.

    Returns:
        The phrases.
    """
    if wanted is None:
        return Phrases()
    if isinstance(wanted, Phrases):
        for scores in wanted.passes:
            _join_pass(file, merge, scores)
        return wanted
    done: list[Scores] = []
    for _ in range(wanted.passes):
        tokens = [token_of(spelling, tokenizer) for spelling in merge.spellings]
        progress.start("learning phrases", file.seek(0, os.SEEK_END) // 4, "tokens")
        try:
            scores = learn(_sentences(file, tokens, split, progress), wanted)
        finally:
            progress.finish()
        if not scores:
            break
        _join_pass(file, merge, scores)
        done.append(scores)
    return Phrases(tuple(done))


def _join_pass(file: BinaryIO, merge: Merge, scores: Scores) -> None:
    known = {spelling: number for number, spelling in enumerate(merge.spellings)}
    spelt = [parts for phrase in scores if known.keys() >= set(parts := [part.encode() for part in phrase])]
    if spelt:
        results = merge.numbers([DELIMITER.encode().join(parts) for parts in spelt]).tolist()
        paths = [tuple(known[part] for part in parts) for parts in spelt]
        _join(file, Joiner(dict(zip(paths, results, strict=True)), len(merge.spellings)))


def _sentences(
    file: BinaryIO, tokens: Sequence[str], split: Split, progress: Progress = SILENT
) -> Iterator[list[str]]:
    """The lines of the training part as tokens, those of over `SENTENCE_TOKENS` in pieces.

    Args:
        file: numbers, as `Merge` writes them.
        tokens: of each number, that of 0 without meaning.
        split: which part is held out.
        progress: told the numbers done, line ends included.
    """
    table = np.array(tokens, object)
    begun: list[str] = []
    done = 0
    for part in parts(slices(file, merging.DIVIDED_SLICE), split):
        numbers = np.where(part.held_out, 0, part.numbers)
        words = table[numbers].tolist()
        begin = 0
        for end in np.flatnonzero(numbers == 0).tolist():
            if line := begun + words[begin:end]:
                yield line
            begin, begun = end + 1, []
        begun += words[begin:]
        if len(begun) > SENTENCE_TOKENS:
            yield begun
            begun = []
        done += len(numbers)
        progress.update(done)
    if begun:
        yield begun


def _join(file: BinaryIO, joiner: Joiner) -> None:
    """Joins phrases in the file, in place.

    Args:
        file: numbers, as `Merge` writes them.
        joiner: of the phrases.
    """
    written = 0
    for numbers in chain(slices(file, merging.SLICE), [None]):
        joined = joiner.join(np.zeros(0, np.int32) if numbers is None else numbers, last=numbers is None)
        file.seek(4 * written)
        file.write(joined.astype("<i4", copy=False).data)
        written += len(joined)
    file.truncate(4 * written)
    file.flush()
