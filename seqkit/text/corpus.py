"""An encoded corpus on disk: `ids.bin` (little-endian int32), `vocabulary.tsv`, and last `encoding.json`.

Where a part of the text is held out, its ids are in `held_out.bin`; where phrases were joined, they are in
`phrases.tsv`. `encoding.json` has the SHA-256 of each of the others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import BundleError, MissingInputError, Place
from seqkit.storage import JsonError, parse_json, storage_errors
from seqkit.text.phrases import Phrases
from seqkit.text.vocabulary import VOCABULARY, Vocabulary

LINE_END = -1
"""Stands in `ids` after the last word of each line that has any."""

IDS, METADATA, HELD_OUT = "ids.bin", "encoding.json", "held_out.bin"
PHRASES = "phrases.tsv"
FORMAT = 2
_KEYS = {"format": int, "ids": int, "tokens": int, "lines": int, "fingerprint": str, "sha256": dict}
_HELD_OUT_KEYS = {"held_out_ids": int, "held_out_tokens": int}  # both, or none where nothing is held out


def no_ids() -> NDArray[np.int32]:
    """What `EncodedCorpus.held_out_ids` is where nothing is held out."""
    ids = np.empty(0, np.int32)
    ids.flags.writeable = False
    return ids


def mapped_ids(path: Path) -> NDArray[np.int32]:
    """The ids in a file, which has at least one, memory-mapped and read-only."""
    return np.memmap(path, "<i4", mode="r")


@dataclass(frozen=True, eq=False)
class EncodedCorpus:
    """A corpus as word ids, all of it for training or a part held out from that.

    Args:
        ids: word ids of the training part in order of the text, `LINE_END` after each line that has any, or
            after each line where empty ones are kept; int32, shape (kept_tokens + such lines,), memory-mapped
            and read-only. Of a line from which a stretch is held out, each piece counts as a line.
        vocabulary: the words of the training part, with their counts in `ids`.
        tokens: how many tokens the tokenizer made of the whole text, rare and held-out ones included; a
            phrase is one.
        kept_tokens: how many of them are in `ids`.
        lines: how many lines the text has, blank ones included.
        fingerprint: SHA-256 of the text, in hex: of its UTF-8 with "\\n" as line ends and without byte order
            marks, so that compression and cutting into files at line ends do not matter.
        held_out_ids: as `ids`, of the part held out, without the words that the vocabulary does not have;
            empty where nothing is held out.
        held_out_tokens: how many tokens the tokenizer made of that part, rare ones included.
        phrases: that were joined.
    """

    ids: NDArray[np.int32]
    vocabulary: Vocabulary
    tokens: int
    kept_tokens: int
    lines: int
    fingerprint: str
    held_out_ids: NDArray[np.int32] = field(default_factory=no_ids)
    held_out_tokens: int = 0
    phrases: Phrases = field(default_factory=Phrases)

    def metadata(self, folder: Path) -> bytes:
        """The content of `encoding.json`, the other files being written to the folder."""
        record = {key: getattr(self, key) for key in ("tokens", "lines", "fingerprint")}
        if self.held_out_tokens:
            record |= {"held_out_ids": len(self.held_out_ids), "held_out_tokens": self.held_out_tokens}
        names = _files(divided=self.held_out_tokens > 0, phrases=len(self.phrases) > 0)
        record["sha256"] = {name: _sha256(folder / name) for name in names}
        return json.dumps({"format": FORMAT, "ids": len(self.ids)} | record, indent=1).encode()

    @classmethod
    def open(cls, directory: Place) -> EncodedCorpus:
        """Opens what `seqkit.text.encoding.encode` wrote, every byte checked.

        Raises:
            MissingInputError: there is no encoded corpus, or not a whole one.
            BundleError: it is damaged, or of another version of seqkit.
            StorageError: reading failed.
        """
        folder = Path(directory)
        with storage_errors(folder, "read"):
            try:
                record = _read_record(folder)
                divided, joined = "held_out_ids" in record, PHRASES in record["sha256"]
                _check_hashes(folder, _files(divided=divided, phrases=joined), record["sha256"])
                vocabulary = Vocabulary.from_tsv((folder / VOCABULARY).read_bytes().decode())
                ids = _checked_ids(folder, IDS, record["ids"])
                held_out = _checked_ids(folder, HELD_OUT, record["held_out_ids"]) if divided else no_ids()
                phrases = Phrases.from_tsv((folder / PHRASES).read_bytes().decode()) if joined else Phrases()
            except FileNotFoundError as error:
                raise MissingInputError(
                    f"{folder}: no encoded corpus ({error.filename} is missing)"
                ) from error
        held_out_tokens = record.get("held_out_tokens", 0)
        if divided and not 0 < held_out_tokens < record["tokens"]:
            reason = f"{held_out_tokens} of {record['tokens']} tokens held out"
            raise BundleError(folder, reason, member=METADATA)
        kept = int(vocabulary.counts.sum())
        if not 0 < kept <= min(record["ids"], record["tokens"] - held_out_tokens):
            raise BundleError(folder, f"counts of {kept} tokens for {record['ids']} ids", member=VOCABULARY)
        return cls(
            ids=ids,
            vocabulary=vocabulary,
            tokens=record["tokens"],
            kept_tokens=kept,
            lines=record["lines"],
            fingerprint=record["fingerprint"],
            held_out_ids=held_out,
            held_out_tokens=held_out_tokens,
            phrases=phrases,
        )


def _files(*, divided: bool, phrases: bool) -> list[str]:
    """The names of all files but `encoding.json`."""
    return [VOCABULARY, IDS, *([HELD_OUT] if divided else []), *([PHRASES] if phrases else [])]


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_hashes(folder: Path, names: Sequence[str], written: dict[str, Any]) -> None:
    for name in names:
        if _sha256(folder / name) != written.get(name):
            raise BundleError(folder, "damaged: its sha256 is not that of what was written", member=name)


def _checked_ids(folder: Path, name: str, length: int) -> NDArray[np.int32]:
    found = (folder / name).stat().st_size
    if found != 4 * length or not found:
        raise BundleError(folder, f"{found} bytes where {4 * length} belong", member=name)
    return mapped_ids(folder / name)


def _read_record(folder: Path) -> dict[str, Any]:
    try:
        record = parse_json((folder / METADATA).read_bytes())
    except JsonError as error:
        raise BundleError(folder, f"damaged: {error}", member=METADATA) from error
    if isinstance(record, dict) and record.get("format") != FORMAT:
        reason = f"format {record.get('format')} is not known; this seqkit knows {FORMAT}"
        raise BundleError(folder, reason, member=METADATA)
    schemas = (_KEYS, _KEYS | _HELD_OUT_KEYS)
    if not isinstance(record, dict) or {key: type(value) for key, value in record.items()} not in schemas:
        reason = f"expected the keys {', '.join(_KEYS)}, and with held-out text {', '.join(_HELD_OUT_KEYS)}"
        raise BundleError(folder, reason, member=METADATA)
    return record
