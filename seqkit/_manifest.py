"""The manifest of a bundle: what it holds, how it was made, and the hashes that prove it whole."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seqkit._json import JsonError, check_json, parse_json
from seqkit.errors import UsageError
from seqkit.version import __version__

MANIFEST = "manifest.json"
FORMAT = "seqkit bundle"
FORMAT_VERSION = 1
MAX_MANIFEST_BYTES = 1 << 20

TENSORS = "tensors.safetensors"
REQUIRED = frozenset({"vocabulary.tsv", TENSORS})
"""The members that every bundle has."""

KINDS: dict[str, frozenset[str]] = {
    "vectors": frozenset({"phrases.tsv", "debias.safetensors"}),
    "cooccurrence": frozenset(),
    "language_model": frozenset({"pairs.json"}),
    "ngram": frozenset(),
    "sentiment": frozenset(),
}
"""The members that each kind of bundle may have besides; nothing else."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


class ManifestError(ValueError):
    """A manifest that breaks its schema; the caller adds which bundle."""


@dataclass(frozen=True)
class Member:
    """A file of a bundle.

    Args:
        size: bytes.
        sha256: hash of the content, 64 hex digits.
    """

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What manifest.json says.

    Args:
        kind: one of `KINDS`.
        config: the settings of the run, as JSON.
        seed: the seed of the run; None where nothing was drawn.
        members: size and hash of every other file.
        versions: of seqkit, python, numpy, and tensorflow where it was loaded.
        fingerprint: sha256 of the training text; None where there was none.
        metrics: what was measured, as JSON.
        history: how training went, as JSON: one object per evaluation.
    """

    kind: str
    config: dict[str, Any]
    seed: int | None
    members: dict[str, Member]
    versions: dict[str, str]
    fingerprint: str | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    history: list[Any] = field(default_factory=list)

    def to_bytes(self) -> bytes:
        """The file's content.

        Raises:
            UsageError: a value that JSON cannot hold, or more than 1 MB in all.
        """
        content = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "kind": self.kind,
            "config": self.config,
            "seed": self.seed,
            "versions": self.versions,
            "fingerprint": self.fingerprint,
            "metrics": self.metrics,
            "history": self.history,
            "members": {name: vars(member) for name, member in sorted(self.members.items())},
        }
        try:
            check_json(content)
        except JsonError as error:
            raise UsageError(f"the manifest of a bundle cannot hold this: {error}") from error
        content["digest"] = _digest(content)
        data = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n"
        if len(data) > MAX_MANIFEST_BYTES:
            raise UsageError(
                f"a bundle's manifest may have {MAX_MANIFEST_BYTES:,} bytes, this one has {len(data):,}: "
                "shorten its history or settings"
            )
        return data


def parse_manifest(data: bytes) -> Manifest:
    """Checks manifest.json against its schema and its own digest.

    Args:
        data: the file's content, at most 1 MB.

    Returns:
        The manifest.

    Raises:
        ManifestError: whatever is wrong first.
    """
    try:
        content = parse_json(data)
    except JsonError as error:
        raise ManifestError(str(error)) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ManifestError('not a seqkit bundle: no "format": "seqkit bundle"')
    version = content.get("format_version")
    if type(version) is not int or version != FORMAT_VERSION:
        raise ManifestError(
            f"bundle format {str(version)[:20]}; this seqkit ({__version__}) reads format {FORMAT_VERSION}"
        )
    digest = content.pop("digest", None)
    if digest != _digest(content):
        raise ManifestError("its digest does not match its content: the file was damaged or edited")
    return _from_content(content)


def _from_content(content: dict[str, Any]) -> Manifest:
    schema: dict[str, type | tuple[type, ...]] = {
        "format": str,
        "format_version": int,
        "kind": str,
        "config": dict,
        "seed": (int, type(None)),
        "versions": dict,
        "fingerprint": (str, type(None)),
        "metrics": dict,
        "history": list,
        "members": dict,
    }
    if content.keys() != schema.keys():
        names = ", ".join(sorted(content.keys() ^ schema.keys()))
        raise ManifestError(f"keys that are missing or unknown: {names[:200]}")
    for key, types in schema.items():
        if not isinstance(content[key], types) or isinstance(content[key], bool):
            raise ManifestError(f"{key} is of the wrong type: {type(content[key]).__name__}")
    if not all(isinstance(value, str) for value in content["versions"].values()):
        raise ManifestError("versions are not all strings")
    if content["fingerprint"] is not None and not _SHA256.fullmatch(content["fingerprint"]):
        raise ManifestError("the fingerprint is not 64 hex digits")
    members = {name: _member(name, entry) for name, entry in content["members"].items()}
    optional = KINDS.get(content["kind"])
    if optional is None:
        raise ManifestError(f"kind {content['kind'][:40]!r}; this seqkit knows {', '.join(sorted(KINDS))}")
    if not REQUIRED <= members.keys() <= REQUIRED | optional:
        raise ManifestError(
            f"a {content['kind']} bundle has {', '.join(sorted(REQUIRED))}, this lists {sorted(members)}"
        )
    fields = {
        key: content[key]
        for key in ("kind", "config", "seed", "versions", "fingerprint", "metrics", "history")
    }
    return Manifest(members=members, **fields)


def _member(name: str, entry: object) -> Member:
    if not isinstance(entry, dict) or entry.keys() != {"size", "sha256"}:
        raise ManifestError(f"member {name[:80]!r} needs size and sha256, nothing else")
    size, sha256 = entry["size"], entry["sha256"]
    if type(size) is not int or size < 0 or not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise ManifestError(f"member {name[:80]!r} has a size or hash that cannot be")
    return Member(size, sha256)


def _digest(content: Mapping[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def current_versions() -> dict[str, str]:
    """Versions of what is running; TensorFlow's only if something else has loaded it."""
    versions = {"seqkit": __version__, "python": platform.python_version(), "numpy": np.__version__}
    if "tensorflow" in sys.modules:
        versions["tensorflow"] = str(sys.modules["tensorflow"].__version__)
    return versions
