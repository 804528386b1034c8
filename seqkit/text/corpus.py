"""An encoded corpus on disk: `ids.bin` (little-endian int32), `vocabulary.tsv`, and last `encoding.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import BundleError, FormatError, MissingInputError, Place
from seqkit.storage import JsonError, parse_json, storage_errors
from seqkit.text.vocabulary import Vocabulary

LINE_END = -1
"""Stands in `ids` after the last word of each line that has any."""

IDS, VOCABULARY, METADATA = "ids.bin", "vocabulary.tsv", "encoding.json"
_KEYS = {"format": int, "ids": int, "tokens": int, "lines": int, "fingerprint": str}


@dataclass(frozen=True, eq=False)
class EncodedCorpus:
    """A corpus as word ids.

    Args:
        ids: word ids in order of the text, `LINE_END` after each line that has any; int32, shape
            (kept_tokens + such lines,), memory-mapped and read-only.
        vocabulary: the words, with their counts in `ids`.
        tokens: how many tokens the tokenizer made of the text, rare ones included.
        kept_tokens: how many of them are in `ids`.
        lines: how many lines the text has, blank ones included.
        fingerprint: SHA-256 of the text, in hex: of its UTF-8 with "\\n" as line ends and without byte order
            marks, so that compression and cutting into files at line ends do not matter.
    """

    ids: NDArray[np.int32]
    vocabulary: Vocabulary
    tokens: int
    kept_tokens: int
    lines: int
    fingerprint: str

    def metadata(self) -> bytes:
        """The content of `encoding.json`."""
        record = {key: getattr(self, key) for key in ("tokens", "lines", "fingerprint")}
        return json.dumps({"format": 1, "ids": len(self.ids)} | record, indent=1).encode()

    @classmethod
    def open(cls, directory: Place) -> EncodedCorpus:
        """Opens what `seqkit.text.encoding.encode` wrote.

        Raises:
            MissingInputError: there is no encoded corpus, or not a whole one.
            BundleError: its files do not fit each other.
            StorageError: reading failed.
        """
        folder = Path(directory)
        with storage_errors(folder, "read"):
            try:
                record = _read_record(folder)
                vocabulary = Vocabulary.from_tsv(
                    (folder / VOCABULARY).read_bytes().decode(), folder / VOCABULARY
                )
                found = (folder / IDS).stat().st_size
            except FileNotFoundError as error:
                raise MissingInputError(
                    f"{folder}: no encoded corpus ({error.filename} is missing)"
                ) from error
            except (FormatError, UnicodeDecodeError) as error:
                raise BundleError(folder, f"damaged: {error}", member=VOCABULARY) from error
            if found != 4 * record["ids"] or not found:
                raise BundleError(folder, f"{found} bytes where {4 * record['ids']} belong", member=IDS)
            ids = np.memmap(folder / IDS, "<i4", mode="r")
        kept = int(vocabulary.counts.sum())
        if not 0 < kept <= min(record["ids"], record["tokens"]):
            raise BundleError(folder, f"counts of {kept} tokens for {record['ids']} ids", member=VOCABULARY)
        return cls(ids, vocabulary, record["tokens"], kept, record["lines"], record["fingerprint"])


def _read_record(folder: Path) -> dict[str, Any]:
    try:
        record = parse_json((folder / METADATA).read_bytes())
    except JsonError as error:
        raise BundleError(folder, f"damaged: {error}", member=METADATA) from error
    if not isinstance(record, dict) or {key: type(value) for key, value in record.items()} != _KEYS:
        raise BundleError(folder, f"expected the keys {', '.join(_KEYS)}", member=METADATA)
    if record["format"] != 1:
        raise BundleError(
            folder, f"format {record['format']} is not known; this seqkit knows 1", member=METADATA
        )
    return record
