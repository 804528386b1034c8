"""A whole corpus as memory-mapped ids: one pass over the text, on all cores, in bounded memory.

Encoders (`seqkit.text.coding`) number the tokens of each block as they meet them. Their numbers are merged
block by block, in order, into one numbering that is written to disk; when the text is over and the counts are
known, the file is rewritten in place, slice by slice, with the ids of the vocabulary. Only counts decide
those, so the result is the same for any number of processes and any size of block. A part that is held out
(`seqkit.text.splitting`) is not counted, and moves to a file of its own as the ids are rewritten.

Memory grows with the number of distinct tokens, never with the length of the text or of a line.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from seqkit._processors import available_cores
from seqkit.errors import CorpusError, Place, SeqkitError, UsageError
from seqkit.progress import SILENT, Progress
from seqkit.storage import atomic_write_bytes, storage_errors
from seqkit.text.coding import BlockEncoder, CodedBlock, token_of
from seqkit.text.corpus import (
    HELD_OUT,
    IDS,
    LINE_END,
    METADATA,
    PHRASES,
    VOCABULARY,
    EncodedCorpus,
    mapped_ids,
    no_ids,
)
from seqkit.text.merging import DROPPED, Merge, count, count_divided, rewrite, rewrite_divided
from seqkit.text.phrases import PhraseConfig, Phrases
from seqkit.text.phrasing import join_phrases
from seqkit.text.sources import Block, read_blocks
from seqkit.text.splitting import UNIT_TOKENS, Split
from seqkit.text.streams import Sources
from seqkit.text.tokenizers import Tokenizer
from seqkit.text.vocabulary import Vocabulary
from seqkit.text.workers import encode_in_processes

__all__ = ["LINE_END", "UNKNOWN", "EncodedCorpus", "encode", "fingerprint"]

UNKNOWN = "<unk>"

SMALL_BLOCKS = 32
"""Texts of fewer blocks are encoded in this process: starting others would take longer."""

MOST_PROCESSES = 8
"""By default; more would wait for the one process that reads and merges."""


def encode(
    sources: Sources,
    directory: Place,
    *,
    tokenizer: Tokenizer,
    min_count: int = 1,
    max_vocab: int | None = None,
    keep: Collection[str] = (),
    phrases: PhraseConfig | Phrases | None = None,
    specials: Sequence[str] = (),
    unknown: Literal["drop", "keep"] = "drop",
    held_out: float = 0.0,
    seed: int = 0,
    processes: int | None = None,
    progress: Progress = SILENT,
) -> EncodedCorpus:
    """Reads text once and writes its ids, its vocabulary and its counts into a directory.

    Args:
        sources: files, folders, "-" for stdin, corpus names (see `seqkit.text.streams.resolve`).
        directory: where the files go; made if need be; an encoded corpus that is there is replaced.
        tokenizer: what cuts the text.
        min_count: tokens that occur less often are rare.
        max_vocab: beyond this many different tokens, the less frequent are rare too.
        keep: tokens that are in the vocabulary however rare, even where the text lacks them: their count is
            then 0.
        phrases: how to learn which tokens are joined, from the text outside of `held_out`; or which are.
        specials: tokens with the first ids; where the text holds one literally, it gets that id.
        unknown: "drop" leaves rare tokens out; "keep" puts `<unk>`, then one of the specials, in their place.
        held_out: which fraction of the text, at least 0 and below 1, is kept from training and vocabulary,
            for validation: lines, and stretches of lines of over 1000 tokens (see `seqkit.text.splitting`).
        seed: another one holds out other lines; 0 to 2^64 - 1. It decides nothing else.
        processes: how many encode; None for one per available core,
            at most `MOST_PROCESSES`.
        progress: told the bytes read.

    Returns:
        The corpus, opened.

    Raises:
        CorpusError: a fault in the text, no token at all, or only rare ones; with `held_out`, nothing for
            training or nothing to hold out.
        MissingInputError: a source is not there.
        UsageError: an argument is out of its range, or phrases of characters.
        StorageError: reading or writing failed.
    """
    named, split = _named(sources), Split(held_out, seed)
    settings = _Settings(
        tokenizer, min_count, max_vocab, frozenset(keep), phrases, tuple(specials), unknown, split, named
    )
    if processes is not None and processes < 1:
        raise UsageError(f"processes must be at least 1, not {processes}")
    blocks = read_blocks(sources, tokenizer.last_boundary, progress)
    folder = Path(directory)
    with storage_errors(folder, "write"):
        folder.mkdir(parents=True, exist_ok=True)
        for name in (
            METADATA,
            IDS,
            HELD_OUT,
            PHRASES,
        ):  # new files: whoever has the old ones mapped keeps them
            (folder / name).unlink(missing_ok=True)
        try:
            processes = processes or min(available_cores(), MOST_PROCESSES)
            return _write(folder, blocks, settings, processes, progress)
        except BaseException:
            for name in (IDS, HELD_OUT, PHRASES):
                (folder / name).unlink(missing_ok=True)
            raise


def fingerprint(sources: Sources, *, progress: Progress = SILENT) -> str:
    """The fingerprint that `encode` would find, without encoding: whether a text is still the same.

    Args:
        sources: as `encode` takes them; stdin is read up.
        progress: told the bytes read.

    Raises:
        SeqkitError: as `seqkit.text.sources.read_blocks`.
    """
    text = _TextRecord()
    for block in text.recorded(read_blocks(sources, progress=progress)):
        if isinstance(block, SeqkitError):
            raise block
    return text.fingerprint


@dataclass(frozen=True)
class _Settings:
    """The arguments of `encode` that decide what comes out."""

    tokenizer: Tokenizer
    min_count: int
    max_vocab: int | None
    keep: frozenset[str]
    phrases: PhraseConfig | Phrases | None
    specials: tuple[str, ...]
    unknown: str
    split: Split
    named: str

    def __post_init__(self) -> None:
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


def _named(sources: Sources) -> str:
    """The sources as an error names them."""
    places = [sources] if isinstance(sources, str | os.PathLike) else sources
    shown = [os.fspath(place) for place in places[:3]]
    return ", ".join([*shown, "…"] if len(places) > len(shown) else shown)


def _write(
    folder: Path, blocks: Iterator[Block], settings: _Settings, processes: int, progress: Progress
) -> EncodedCorpus:
    text = _TextRecord()
    with open(folder / IDS, "w+b") as file:
        merge = Merge(file)
        for worker, coded in _encoded(text.recorded(blocks), settings.tokenizer, processes):
            merge.add(worker, coded)
        phrases = join_phrases(file, merge, settings.phrases, settings.tokenizer, settings.split, progress)
        counts, held_out_tokens = _counts(file, merge, settings)
        vocabulary, final = _vocabulary(merge, counts, settings)
        _rewrite(file, folder, final, settings)
        os.fsync(file.fileno())
    atomic_write_bytes(folder / VOCABULARY, vocabulary.to_tsv().encode())
    if len(phrases):
        atomic_write_bytes(folder / PHRASES, phrases.to_tsv().encode())
    corpus = EncodedCorpus(
        ids=mapped_ids(folder / IDS),
        vocabulary=vocabulary,
        tokens=int(counts[1:].sum()) + held_out_tokens,
        kept_tokens=int(vocabulary.counts.sum()),
        lines=text.lines,
        fingerprint=text.fingerprint,
        held_out_ids=mapped_ids(folder / HELD_OUT) if held_out_tokens else no_ids(),
        held_out_tokens=held_out_tokens,
        phrases=phrases,
    )
    atomic_write_bytes(folder / METADATA, corpus.metadata())
    return corpus


def _counts(file: BinaryIO, merge: Merge, settings: _Settings) -> tuple[NDArray[np.int64], int]:
    """How often each number stands in the training part; how many tokens are held out."""
    types, split = len(merge.spellings), settings.split
    if not split.fraction:
        return count(file, types), 0
    counts, held_out = count_divided(file, types, split)
    training = int(counts[1:].sum())
    if training + held_out and not (training and held_out):
        fault = "nothing was held out of" if training else "nothing to train on was left of"
        raise _bad_split(f"{fault} {training + held_out} tokens", settings)
    return counts, held_out


def _bad_split(reason: str, settings: _Settings) -> CorpusError:
    split = settings.split
    units = f"validation {split.fraction:g}, seed {split.seed}, in units of a line or {UNIT_TOKENS} tokens"
    advice = "use more text, another fraction or another seed"
    return CorpusError(f"{reason} ({units}); {advice}", path=settings.named)


def _rewrite(file: BinaryIO, folder: Path, final: NDArray[np.int32], settings: _Settings) -> None:
    """Leaves the ids of the training part in the file; those of a held-out part go to another."""
    if not settings.split.fraction:
        rewrite(file, final)
        return
    with open(folder / HELD_OUT, "w+b") as held_out:
        if not rewrite_divided(file, final, settings.split, held_out):
            raise _bad_split("no word of the vocabulary stands in the held-out text", settings)
        os.fsync(held_out.fileno())


class _TextRecord:
    """What is known of the text once all of it has passed."""

    def __init__(self) -> None:
        self.lines, self._hash = 0, hashlib.sha256()

    def recorded(self, blocks: Iterator[Block]) -> Iterator[Block | SeqkitError]:
        """The blocks, and the error that ends them, if one does, in its place."""
        try:
            for block in blocks:
                self._hash.update(block.data)
                self.lines += block.data.count(b"\n")
                yield block
        except SeqkitError as error:
            yield error

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the text so far, in hex."""
        return self._hash.hexdigest()


def _encoded(
    blocks: Iterator[Block | SeqkitError], tokenizer: Tokenizer, processes: int
) -> Iterator[tuple[int, CodedBlock]]:
    head = list(islice(blocks, SMALL_BLOCKS if processes > 1 else 0))
    everything = chain(head, blocks)
    if processes > 1 and len(head) == SMALL_BLOCKS and sys.executable:
        return encode_in_processes(everything, tokenizer, processes)
    return _encode_here(everything, tokenizer)


def _encode_here(
    blocks: Iterable[Block | SeqkitError], tokenizer: Tokenizer
) -> Iterator[tuple[int, CodedBlock]]:
    encoder = BlockEncoder(tokenizer)
    for block in blocks:
        if isinstance(block, SeqkitError):
            raise block
        try:
            coded = encoder.encode(block.data)
        except UnicodeDecodeError as error:
            raise block.not_utf8(error.start, error.reason) from None
        yield 0, coded


def _vocabulary(
    merge: Merge, counts: NDArray[np.int64], settings: _Settings
) -> tuple[Vocabulary, NDArray[np.int32]]:
    """The vocabulary, and what stands in the corpus in the place of each number."""
    tokenizer = settings.tokenizer
    frequent = {token_of(merge.spellings[i], tokenizer): i for i in _frequent(merge, counts, settings)}
    vocabulary = Vocabulary.from_counts(
        {token: int(counts[i]) for token, i in frequent.items()},
        min_count=settings.min_count,
        max_size=settings.max_vocab,
        specials=settings.specials,
        keep=settings.keep,
    )
    if not vocabulary.counts[len(settings.specials) :].any():
        raise _nothing_kept(merge, counts, settings)
    keep = settings.unknown == "keep"
    final = np.full(len(counts), vocabulary[UNKNOWN] if keep else DROPPED, np.int32)
    final[0] = LINE_END  # merged numbers begin with the end of a line
    found = [(frequent[word], index) for index, word in enumerate(vocabulary.words) if word in frequent]
    final[[number for number, _ in found]] = [index for _, index in found]
    if not keep:
        return vocabulary, final
    with_unknown = vocabulary.counts.copy()
    with_unknown[vocabulary[UNKNOWN]] += counts[1:].sum() - with_unknown.sum()
    return Vocabulary(vocabulary.words, with_unknown), final


def _frequent(merge: Merge, counts: NDArray[np.int64], settings: _Settings) -> list[int]:
    """The numbers of the tokens that may be in the vocabulary."""
    frequent = (np.flatnonzero(counts[1:] >= settings.min_count) + 1).tolist()
    wanted = settings.keep.union(settings.specials)
    if not wanted:
        return frequent
    rare = np.flatnonzero(counts[1:] < settings.min_count) + 1
    return frequent + [i for i in rare.tolist() if token_of(merge.spellings[i], settings.tokenizer) in wanted]


def _nothing_kept(merge: Merge, counts: NDArray[np.int64], settings: _Settings) -> CorpusError:
    numbers = (np.argsort(-counts[1:], kind="stable") + 1).tolist()
    numbers = [number for number in numbers if counts[number]]
    tokens = ((token_of(merge.spellings[i], settings.tokenizer), int(counts[i])) for i in numbers)
    token, most = next((pair for pair in tokens if pair[0] not in settings.specials), (None, 0))
    if token is None:
        reason = "no tokens: the text is empty or blank, or the tokenizer finds nothing in it"
        return CorpusError(f"{reason} (tokenizer {settings.tokenizer.kind})", path=settings.named)
    reason = (
        f"no token occurs {settings.min_count} times (min_count), the most frequent, {token!r}, {most} times"
    )
    return CorpusError(f"{reason}; try min_count {most} or less", path=settings.named)
