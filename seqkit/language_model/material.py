"""What a language model is trained on: ids of the text, and of a part held out from it."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import CorpusError, Place, UsageError
from seqkit.language_model.batches import lines_of
from seqkit.language_model.coding import END_ID, NEWLINE, SPECIALS, UNKNOWN_ID, Coding
from seqkit.language_model.config import TextConfig
from seqkit.language_model.pairs import BytePairs
from seqkit.progress import SILENT, Progress
from seqkit.text.columns import fault_of_label
from seqkit.text.corpus import LINE_END
from seqkit.text.encoding import EncodingConfig, encode
from seqkit.text.labelled import read_examples
from seqkit.text.sources import iter_chunks, iter_lines
from seqkit.text.splitting import Split
from seqkit.text.streams import Sources
from seqkit.text.vocabulary import Vocabulary

Ids = NDArray[np.int32]

CORPUS = "corpus"
"""The folder for the encoded text."""

PAIRS = 8000
"""Byte pairs, where no number is asked for."""


@dataclass(frozen=True, eq=False)
class Material:
    """What a run trains on.

    Args:
        coding: how text becomes ids.
        ids: of the text, `<eos>` where a line ends that has one; int32, (tokens,).
        held_out: the same of the part held out; empty where there is none.
        fingerprint: SHA-256 of the text, in hex.
        labels: the number of the label of each line of `ids`; None where lines have none.
        held_out_labels: of those of `held_out`.
    """

    coding: Coding
    ids: Ids
    held_out: Ids
    fingerprint: str
    labels: Ids | None = None
    held_out_labels: Ids | None = None


def check_validation(config: TextConfig, valid: Sequence[Place]) -> None:
    """Makes sure that there is at most one text to validate on.

    Raises:
        UsageError: a text of its own and a fraction that is held out.
    """
    if valid and config.validation:
        raise UsageError("a text to validate on and a fraction that is held out exclude each other")


def material(
    sources: Sources,
    config: TextConfig,
    seed: int,
    folder: Path,
    valid: Sequence[Place],
    progress: Progress,
    known: Coding | None = None,
) -> Material:
    """Reads a text and encodes it.

    Args:
        sources: of the text.
        config: how it becomes tokens.
        seed: of what is held out.
        folder: to work in.
        valid: a text of its own to validate on, in place of a part held out.
        progress: told the bytes read.
        known: of the model that is gone on from: its tokens stay, and its byte pairs cut the text.

    Raises:
        CorpusError: a fault in the text, or nothing in it to learn from.
        SeqkitError: as `seqkit.text.encoding.encode`.
    """
    if config.label_column is not None:
        found = _of_labelled(sources, config, seed, valid, progress, known)
    elif config.level == "bpe":
        found = _of_pairs(sources, config, seed, progress, known)
    elif config.level == "character" and not config.lines:
        found = _of_characters(sources, config, progress, known)
    else:
        found = _of_tokens(sources, config, seed, folder, progress, known)
    if not valid:
        return found
    if config.label_column is None:
        found = replace(found, held_out=encoded(found.coding, iter_lines(valid, progress=progress)))
    if not len(found.held_out):
        raise CorpusError("no token in the text to validate on", path=str(valid[0]))
    _tell_learned(found, progress)
    return found


def _tell_learned(material: Material, progress: Progress) -> None:
    """Tells how many lines to validate on are learned, too; in a stream a line by itself says little."""
    if not material.coding.lines:
        return
    learned = {line.tobytes() for line in lines_of(material.ids)}
    held_out = lines_of(material.held_out)
    if shared := sum(line.tobytes() in learned for line in held_out):
        of_all = f"{shared:,} of {len(held_out):,}"
        progress.message(f"{of_all} texts to validate on are learned, too: their loss is too low")


def encoded(coding: Coding, lines: Iterable[str]) -> Ids:
    """The ids of a text, by a coding that is there already."""
    pieces = list(coding.encode_lines(lines))
    return np.concatenate(pieces) if pieces else np.empty(0, np.int32)


def _of_tokens(
    sources: Sources, config: TextConfig, seed: int, folder: Path, progress: Progress, known: Coding | None
) -> Material:
    text = encode(
        sources,
        folder / CORPUS,
        EncodingConfig(
            tokenizer=config.cutter,
            min_count=config.min_count,
            max_vocab=config.max_vocab,
            keep=known.vocabulary.words if known else (),
            specials=SPECIALS,
            unknown="keep",
            empty_lines=not config.lines and config.tokenizer == "whitespace",
            held_out=config.validation,
            seed=seed,
        ),
        progress=progress,
    )
    ids, held_out = (
        np.where(part == LINE_END, np.int32(END_ID), part) for part in (text.ids, text.held_out_ids)
    )
    coding = Coding(config.level, _with_ends(text.vocabulary, ids), config.cutter, config.lines)
    return Material(coding, ids, held_out, text.fingerprint)


def _of_characters(
    sources: Sources, config: TextConfig, progress: Progress, known: Coding | None
) -> Material:
    """A stream of characters, line ends among them; its end is held out."""
    text = Hashed()
    parts = [
        np.frombuffer((chunk.lower() if config.lowercase else chunk).encode("utf-32-le"), np.int32)
        for chunk in text.passed(iter_chunks(sources, progress=progress))
    ]
    points = np.concatenate(parts) if parts else np.empty(0, np.int32)
    cut = len(points) - round(len(points) * config.validation)
    if not cut or (config.validation and cut == len(points)):
        raise CorpusError(f"too little text: {len(points)} characters", path=_first(sources))
    kinds, numbers = np.unique(points, return_inverse=True)
    counts = np.bincount(numbers[:cut], minlength=len(kinds))
    vocabulary = _vocabulary(
        {chr(kind): int(count) for kind, count in zip(kinds, counts, strict=True) if count},
        config,
        sources,
        known,
    )
    table = np.array([_id(vocabulary, chr(kind)) for kind in kinds], np.int32)
    ids = table[numbers]
    coding = Coding("character", vocabulary, config.cutter, lines=False)
    return Material(coding, ids[:cut], ids[cut:], text.digest)


def _of_pairs(
    sources: Sources, config: TextConfig, seed: int, progress: Progress, known: Coding | None
) -> Material:
    text = Hashed()
    lines = list(text.lines(iter_lines(sources, progress=progress)))
    held = _held_out(len(lines), config, seed, sources)
    pairs, cut, vocabulary = _cut(lines, held, config, sources, known)
    rows = [np.array([*(_id(vocabulary, token) for token in tokens), END_ID], np.int32) for tokens in cut]
    ids, held_out = (
        np.concatenate(
            [
                np.empty(0, np.int32),
                *(row for row, out in zip(rows, held, strict=True) if out == which and len(row) > 1),
            ]
        )
        for which in (False, True)
    )
    coding = Coding("bpe", _with_ends(vocabulary, ids), config.cutter, config.lines, pairs)
    return Material(coding, ids, held_out, text.digest)


def _of_labelled(
    sources: Sources,
    config: TextConfig,
    seed: int,
    valid: Sequence[Place],
    progress: Progress,
    known: Coding | None,
) -> Material:
    """Texts of a table, each with its label."""
    text = Hashed()
    texts, labels = labelled(sources, config, progress)
    for pair in zip(labels, texts, strict=True):
        text.add(json.dumps(pair))
    held = _held_out(len(texts), config, seed, sources, labels)
    pairs, _, vocabulary = _cut(texts, held, config, sources, known)
    kinds = tuple(sorted(set(labels)))
    coding = Coding(config.level, vocabulary, config.cutter, True, pairs, kinds)

    def part(which: bool) -> tuple[Ids, Ids]:
        chosen = [number for number, out in enumerate(held) if out == which]
        return coding.encode_texts([texts[n] for n in chosen], [labels[n] for n in chosen])

    ids, numbers = part(False)
    held_out, held_out_numbers = (
        coding.encode_texts(*labelled(valid, config, progress, kinds)) if valid else part(True)
    )
    coding = replace(coding, vocabulary=_with_ends(vocabulary, ids))
    return Material(coding, ids, held_out, text.digest, numbers, held_out_numbers)


def labelled(
    sources: Sources, config: TextConfig, progress: Progress = SILENT, known: Collection[str] = ()
) -> tuple[list[str], list[str]]:
    """The texts of tables, folders or corpora, in one line each, and their labels.

    Args:
        sources: of the texts.
        config: has the columns.
        progress: told what was guessed and the bytes read.
        known: labels that there may be; none for any.

    Raises:
        CorpusError: a text without a label, or with another; or as `seqkit.text.labelled.read_examples`.
    """
    texts, labels = [], []
    for source in [sources] if isinstance(sources, str | os.PathLike) else sources:
        for example in read_examples(source, config.columns, progress=progress):
            label = example.labels[str(config.label_column)]
            if label is None:
                raise CorpusError("no label", path=example.path, line=example.line)
            fault = fault_of_label(label)
            if known and label not in known:
                fault = f"no text that is learned has the label {label!r:.80}, but {', '.join(known)}"
            if fault:
                raise CorpusError(fault, path=example.path, line=example.line)
            texts.append(" ".join(example.text.splitlines()))
            labels.append(label)
    return texts, labels


def _held_out(
    lines: int, config: TextConfig, seed: int, sources: Sources, labels: Sequence[str] = ()
) -> list[bool]:
    """Which lines are held out; of each label one at least is not."""
    held = Split(config.validation, seed).chosen(np.arange(lines, dtype=np.uint64))
    learned = {label for label, out in zip(labels, held, strict=False) if not out}
    for number, label in enumerate(labels):
        if label not in learned:
            held[number] = False
            learned.add(label)
    if config.validation and lines and (held.all() or not held.any()):
        what = "nothing to train on was left of" if held.all() else "nothing was held out of"
        reason = f"{what} {lines} lines (validation {config.validation:g}, seed {seed})"
        raise CorpusError(f"{reason}; use more text, another fraction or another seed", path=_first(sources))
    return [bool(out) for out in held]


def _cut(
    lines: list[str], held: list[bool], config: TextConfig, sources: Sources, known: Coding | None
) -> tuple[BytePairs | None, list[list[str]], Vocabulary]:
    """Byte pairs at their level, the tokens of each line, and the vocabulary of what is not held out."""
    pairs = None
    if config.level == "bpe":
        lines = [line.lower() for line in lines] if config.lowercase else lines
        kept = (line for line, out in zip(lines, held, strict=True) if not out)
        pairs = known.pairs if known else BytePairs.learned(kept, config.max_vocab or PAIRS)
    cut = [pairs.tokens(line) if pairs else config.cutter.tokenize(line) for line in lines]
    counts = Counter(token for tokens, out in zip(cut, held, strict=True) if not out for token in tokens)
    return pairs, cut, _vocabulary(counts, config, sources, known)


def _with_ends(vocabulary: Vocabulary, ids: Ids) -> Vocabulary:
    """With the count of `<eos>`."""
    counts = vocabulary.counts.copy()
    counts[END_ID] = np.count_nonzero(ids == END_ID)
    return Vocabulary(vocabulary.words, counts)


def _id(vocabulary: Vocabulary, token: str) -> int:
    found = vocabulary.get(token)
    return UNKNOWN_ID if found is None else found


def _vocabulary(
    counts: dict[str, int] | Counter[str], config: TextConfig, sources: Sources, known: Coding | None
) -> Vocabulary:
    vocabulary = Vocabulary.from_counts(
        counts,
        min_count=config.min_count,
        max_size=config.max_vocab,
        specials=SPECIALS,
        keep=known.vocabulary.words if known else (),
    )
    if not vocabulary.counts[len(SPECIALS) :].any():
        reason = f"no {config.level} occurs {config.min_count} times (min_count)" if counts else "no text"
        raise CorpusError(reason, path=_first(sources))
    numbers = vocabulary.counts.copy()
    numbers[UNKNOWN_ID] += sum(counts.values()) - int(numbers.sum())
    return Vocabulary(vocabulary.words, numbers)


def _first(sources: Sources) -> str:
    return os.fspath(sources if isinstance(sources, str | os.PathLike) else sources[0])


class Hashed:
    """The fingerprint of what passes: as `seqkit.text.encoding.fingerprint` has it."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def passed(self, chunks: Iterable[str]) -> Iterator[str]:
        """Pieces of a text, as they are."""
        for chunk in chunks:
            self._hash.update(chunk.encode())
            yield chunk

    def lines(self, lines: Iterable[str]) -> Iterator[str]:
        """Lines, without their ends."""
        for line in lines:
            self.add(line)
            yield line

    def add(self, line: str) -> None:
        """A line, without its end."""
        self._hash.update(f"{line}{NEWLINE}".encode())

    @property
    def digest(self) -> str:
        """SHA-256 of what has passed, in hex."""
        return self._hash.hexdigest()
