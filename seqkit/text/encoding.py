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
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from seqkit._processors import available_cores, check_threads
from seqkit.errors import CorpusError, Place, SeqkitError
from seqkit.progress import SILENT, Progress
from seqkit.storage import atomic_write_bytes, storage_errors
from seqkit.text.coding import BlockEncoder, CodedBlock, token_of
from seqkit.text.corpus import (
    HELD_OUT,
    IDS,
    LINE_END,
    METADATA,
    PHRASES,
    EncodedCorpus,
    mapped_ids,
    no_ids,
)
from seqkit.text.encoding_config import UNKNOWN, EncodingConfig
from seqkit.text.merging import DROPPED, Merge, count, count_divided, rewrite, rewrite_divided
from seqkit.text.phrasing import join_phrases
from seqkit.text.sources import Block, read_blocks
from seqkit.text.splitting import UNIT_TOKENS, Split
from seqkit.text.streams import Sources
from seqkit.text.tokenizers import Tokenizer
from seqkit.text.vocabulary import VOCABULARY, Vocabulary
from seqkit.text.workers import encode_in_processes

__all__ = ["LINE_END", "UNKNOWN", "EncodedCorpus", "EncodingConfig", "encode", "fingerprint"]

SMALL_BLOCKS = 32
"""Texts of fewer blocks are encoded in this process: starting others would take longer."""

MOST_PROCESSES = 8
"""By default; more would wait for the one process that reads and merges."""


def encode(
    sources: Sources,
    directory: Place,
    config: EncodingConfig | None = None,
    *,
    processes: int | None = None,
    progress: Progress = SILENT,
) -> EncodedCorpus:
    """Reads text once and writes its ids, its vocabulary and its counts into a directory.

    Args:
        sources: files, folders, "-" for stdin, corpus names (see `seqkit.text.streams.resolve`).
        directory: where the files go; made if need be; an encoded corpus that is there is replaced.
        config: what becomes of the text; None for its defaults.
        processes: how many encode; None for one per available core, at most `MOST_PROCESSES`. It changes no
            byte.
        progress: told the bytes read.

    Returns:
        The corpus, opened.

    Raises:
        CorpusError: a fault in the text, no token at all, or only rare ones; with `held_out`, nothing for
            training or nothing to hold out.
        MissingInputError: a source is not there.
        UsageError: an argument is out of its range.
        StorageError: reading or writing failed.
    """
    check_threads(processes, "processes")
    config, named = config or EncodingConfig(), _named(sources)
    blocks = read_blocks(sources, config.tokenizer.last_boundary, progress)
    folder = Path(directory)
    with storage_errors(folder, "write"):
        folder.mkdir(parents=True, exist_ok=True)
        # New files: whoever has the old ones mapped keeps them.
        for name in (METADATA, IDS, HELD_OUT, PHRASES):
            (folder / name).unlink(missing_ok=True)
        try:
            processes = processes or min(available_cores(), MOST_PROCESSES)
            return _write(folder, blocks, config, named, processes, progress)
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


def _named(sources: Sources) -> str:
    """The sources as an error names them."""
    places = [sources] if isinstance(sources, str | os.PathLike) else sources
    shown = [os.fspath(place) for place in places[:3]]
    return ", ".join([*shown, "…"] if len(places) > len(shown) else shown)


def _write(
    folder: Path,
    blocks: Iterator[Block],
    config: EncodingConfig,
    named: str,
    processes: int,
    progress: Progress,
) -> EncodedCorpus:
    text = _TextRecord()
    with open(folder / IDS, "w+b") as file:
        merge = Merge(file)
        for worker, coded in _encoded(text.recorded(blocks), config.tokenizer, processes):
            merge.add(worker, coded)
        phrases = join_phrases(file, merge, config.phrases, config.tokenizer, config.split, progress)
        counts, held_out_tokens = _counts(file, merge, config.split, named)
        vocabulary, final = _vocabulary(merge, counts, config, named)
        _rewrite(file, folder, final, config, named)
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
    atomic_write_bytes(folder / METADATA, corpus.metadata(folder))
    return corpus


def _counts(file: BinaryIO, merge: Merge, split: Split, named: str) -> tuple[NDArray[np.int64], int]:
    """How often each number stands in the training part; how many tokens are held out."""
    types = len(merge.spellings)
    if not split.fraction:
        return count(file, types), 0
    counts, held_out = count_divided(file, types, split)
    training = int(counts[1:].sum())
    if training + held_out and not (training and held_out):
        fault = "nothing was held out of" if training else "nothing to train on was left of"
        raise _bad_split(f"{fault} {training + held_out} tokens", split, named)
    return counts, held_out


def _bad_split(reason: str, split: Split, named: str) -> CorpusError:
    units = f"validation {split.fraction:g}, seed {split.seed}, in units of a line or {UNIT_TOKENS} tokens"
    advice = "use more text, another fraction or another seed"
    return CorpusError(f"{reason} ({units}); {advice}", path=named)


def _rewrite(
    file: BinaryIO, folder: Path, final: NDArray[np.int32], config: EncodingConfig, named: str
) -> None:
    """Leaves the ids of the training part in the file; those of a held-out part go to another."""
    split = config.split
    if not split.fraction:
        rewrite(file, final, config.empty_lines)
        return
    with open(folder / HELD_OUT, "w+b") as held_out:
        if not rewrite_divided(file, final, config.empty_lines, split, held_out):
            raise _bad_split("no word of the vocabulary stands in the held-out text", split, named)
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
    merge: Merge, counts: NDArray[np.int64], config: EncodingConfig, named: str
) -> tuple[Vocabulary, NDArray[np.int32]]:
    """The vocabulary, and what stands in the corpus in the place of each number."""
    tokenizer = config.tokenizer
    frequent = {token_of(merge.spellings[i], tokenizer): i for i in _frequent(merge, counts, config)}
    vocabulary = Vocabulary.from_counts(
        {token: int(counts[i]) for token, i in frequent.items()},
        min_count=config.min_count,
        max_size=config.max_vocab,
        specials=config.specials,
        keep=config.keep,
    )
    if not vocabulary.counts[len(config.specials) :].any():
        raise _nothing_kept(merge, counts, config, named)
    keep = config.unknown == "keep"
    final = np.full(len(counts), vocabulary[UNKNOWN] if keep else DROPPED, np.int32)
    final[0] = LINE_END  # merged numbers begin with the end of a line
    found = [(frequent[word], index) for index, word in enumerate(vocabulary.words) if word in frequent]
    final[[number for number, _ in found]] = [index for _, index in found]
    if not keep:
        return vocabulary, final
    with_unknown = vocabulary.counts.copy()
    with_unknown[vocabulary[UNKNOWN]] += counts[1:].sum() - with_unknown.sum()
    return Vocabulary(vocabulary.words, with_unknown), final


def _frequent(merge: Merge, counts: NDArray[np.int64], config: EncodingConfig) -> list[int]:
    """The numbers of the tokens that may be in the vocabulary."""
    frequent = (np.flatnonzero(counts[1:] >= config.min_count) + 1).tolist()
    wanted = {*config.keep, *config.specials}
    if not wanted:
        return frequent
    rare = np.flatnonzero(counts[1:] < config.min_count) + 1
    return frequent + [i for i in rare.tolist() if token_of(merge.spellings[i], config.tokenizer) in wanted]


def _nothing_kept(merge: Merge, counts: NDArray[np.int64], config: EncodingConfig, named: str) -> CorpusError:
    numbers = (np.argsort(-counts[1:], kind="stable") + 1).tolist()
    numbers = [number for number in numbers if counts[number]]
    tokens = ((token_of(merge.spellings[i], config.tokenizer), int(counts[i])) for i in numbers)
    token, most = next((pair for pair in tokens if pair[0] not in config.specials), (None, 0))
    if token is None:
        reason = "no tokens: the text is empty or blank, or the tokenizer finds nothing in it"
        return CorpusError(f"{reason} (tokenizer {config.tokenizer.kind})", path=named)
    least = f"no token occurs {config.min_count} times (min_count)"
    reason = f"{least}, the most frequent, {token!r:.80}, {most} times"
    return CorpusError(f"{reason}; try min_count {most} or less", path=named)
