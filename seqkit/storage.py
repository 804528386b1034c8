"""Bundles: what every `save` writes and every `load` reads.

A bundle is a directory with a manifest, a vocabulary and tensors; docs/bundle.md specifies it byte by byte.
It holds no pickle, every byte of it is hashed, and at every instant of writing one whole bundle is on disk.

    >>> import tempfile, numpy as np
    >>> path = tempfile.mkdtemp() + "/toy"
    >>> with BundleWriter(path, kind="vectors") as writer:
    ...     writer.write_text("vocabulary.tsv", '"king"\\t2\\n')
    ...     writer.write_tensors("tensors.safetensors", {"vectors": np.ones((1, 3), np.float32)})
    ...     writer.commit(config={"window": 5}, seed=0)
    >>> bundle = Bundle.open(path, kind="vectors")
    >>> bundle.manifest.config
    {'window': 5}
    >>> bundle.tensors("tensors.safetensors")["vectors"].shape
    (1, 3)
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from seqkit._bundle_writer import BundleWriter, is_bundle, partial_path
from seqkit._files import (
    WRITE_BYTES,
    HashedFile,
    atomic_file,
    atomic_write_bytes,
    open_regular,
    printable,
    storage_errors,
)
from seqkit._json import JsonError, check_json, parse_json
from seqkit._manifest import MANIFEST, MAX_MANIFEST_BYTES, Manifest, ManifestError, Member, parse_manifest
from seqkit._tensors import Tensors, atomic_write_tensors, read_tensors
from seqkit.errors import BundleError, FormatError, MissingInputError, Place, StorageError, did_you_mean

__all__ = [
    "Bundle",
    "BundleWriter",
    "HashedFile",
    "JsonError",
    "Manifest",
    "Member",
    "Tensors",
    "atomic_file",
    "atomic_write_bytes",
    "atomic_write_tensors",
    "check_json",
    "is_bundle",
    "parse_json",
    "partial_path",
    "printable",
    "read_again",
    "read_tensors",
    "storage_errors",
]

SWAP_SECONDS = 0.01
"""A bundle takes the place of another in less."""

MOST_READINGS = 20
"""So often a load begins, where each time another bundle takes the place of the one that it reads."""

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")
_Identity = tuple[int, int, int]


class _ReplacedError(BundleError):
    """Another bundle took the place of one that was being read."""


def read_again(load: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """A function that opens and reads a bundle, called again where another took its place meanwhile."""

    @wraps(load)
    def loads(*args: _Arguments.args, **named: _Arguments.kwargs) -> _Result:
        for _ in range(MOST_READINGS - 1):
            with suppress(_ReplacedError):
                return load(*args, **named)
        return load(*args, **named)

    return loads


class Bundle:
    """A bundle on disk, its manifest checked, its members not yet read.

    Made by `Bundle.open`. All that is read from it is of one bundle: where another has taken its place by
    then, reading a member raises `BundleError`.
    """

    def __init__(self, path: Path, manifest: Manifest, identity: _Identity) -> None:
        self.path = path
        self.manifest = manifest
        self._identity = identity

    @classmethod
    def open(cls, path: Place, kind: str | None = None) -> Bundle:
        """Opens a bundle; checks its files, their sizes and the manifest, but not the hashes (see `verify`).

        Args:
            path: the bundle's directory.
            kind: the kind that it must be of; None for any.

        Returns:
            The bundle.

        Raises:
            MissingInputError: there is no such directory.
            BundleError: it is not a bundle, is of another kind, or is damaged.
            StorageError: the system refused.
        """
        try:
            return cls._opened(path, kind)
        except (BundleError, MissingInputError, StorageError):
            time.sleep(SWAP_SECONDS)  # perhaps a writer was putting another in its place
            return cls._opened(path, kind)

    @classmethod
    def _opened(cls, path: Place, kind: str | None) -> Bundle:
        place = Path(path)
        replaced = place.with_name(place.name + ".replaced") if place.name else place
        if not place.exists() and is_bundle(replaced):
            place = replaced  # a crash came between the two renames of a save: this is the last whole bundle
        with storage_errors(path, "read"):
            sizes = _file_sizes(place)
            manifest, identity = _read_manifest(place)
        if kind is not None and manifest.kind != kind:
            raise BundleError(path, f"is a {manifest.kind} bundle; a {kind} bundle is needed here")
        for name in sizes.keys() ^ {MANIFEST, *manifest.members}:
            raise BundleError(
                path, "not of this bundle; remove it" if name in sizes else "missing", member=name
            )
        for name, member in manifest.members.items():
            if sizes[name] != member.size:
                reason = f"has {sizes[name]:,} bytes, not the {member.size:,} written: damaged or replaced"
                raise BundleError(path, reason, member=name)
        return cls(place, manifest, identity)

    def tensors(self, member: str) -> Tensors:
        """The arrays of a member, memory-mapped and read-only.

        Args:
            member: its name, "tensors.safetensors".

        Returns:
            The arrays by name. Their bytes are not checked here: see `verify`.

        Raises:
            BundleError: there is no such member, its header is damaged, or the bundle was replaced.
        """
        self._expect(member)
        with self._unreplaced():
            try:
                return read_tensors(self.path / member)[0]
            except FormatError as error:
                raise BundleError(self.path, error.reason, member=member) from error

    def text(self, member: str) -> str:
        """The text of a member, its hash checked.

        Args:
            member: its name, "vocabulary.tsv".

        Returns:
            Its content.

        Raises:
            BundleError: there is no such member, its hash differs, it is not UTF-8, or the bundle was
                replaced.
        """
        expected = self._expect(member)
        with self._unreplaced():
            with (
                storage_errors(self.path, f"read {member}"),
                os.fdopen(open_regular(self.path / member), "rb") as file,
            ):
                data = file.read(expected.size + 1)
            self._compare(member, hashlib.sha256(data).hexdigest())
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise BundleError(self.path, f"byte {error.start:,} is not UTF-8", member=member) from error

    def verify(self) -> None:
        """Reads every byte of every member and compares its hash with the manifest's.

        Raises:
            BundleError: the first member that is not what was written, or the bundle was replaced.
            StorageError: the system refused.
        """
        for member in sorted(self.manifest.members):
            digest = hashlib.sha256()
            with self._unreplaced():
                with (
                    storage_errors(self.path, f"read {member}"),
                    os.fdopen(open_regular(self.path / member), "rb") as file,
                ):
                    while piece := file.read(WRITE_BYTES):
                        digest.update(piece)
                self._compare(member, digest.hexdigest())

    @contextmanager
    def _unreplaced(self) -> Iterator[None]:
        """Reads in the block from this bundle: what another has in its place, good or bad, is not its own."""
        try:
            yield
        finally:
            found = None
            with storage_errors(self.path, "read"), suppress(FileNotFoundError):
                found = _identity(os.stat(self.path / MANIFEST))
            if found != self._identity:
                raise _ReplacedError(
                    self.path, "was replaced by another bundle while it was read; open it again"
                )

    def _expect(self, member: str) -> Member:
        if member not in self.manifest.members:
            raise BundleError(self.path, "a bundle of this kind has no such member", member=member)
        return self.manifest.members[member]

    def _compare(self, member: str, sha256: str) -> None:
        expected = self.manifest.members[member].sha256
        if sha256 != expected:
            reason = f"its sha256 is {sha256[:12]}…, not the {expected[:12]}… written: damaged or replaced"
            raise BundleError(self.path, reason, member=member)


def _file_sizes(path: Path) -> dict[str, int]:
    """Name and size of every file of a directory that holds nothing but regular files."""
    if not path.exists():
        broken = "; it is a symbolic link to nothing" if path.is_symlink() else _hint(path)
        raise MissingInputError(f"{path}: no such bundle or file{broken}")
    if not path.is_dir():
        raise BundleError(path, f"is {'a file' if path.is_file() else 'a device'}; a bundle is a directory")
    if not is_bundle(path):
        raise BundleError(path, "not a seqkit bundle: it has no manifest.json")
    sizes = {}
    with os.scandir(path) as entries:
        for entry in entries:
            if not entry.is_file(follow_symlinks=False):
                raise BundleError(path, "not a regular file", member=entry.name)
            sizes[entry.name] = entry.stat(follow_symlinks=False).st_size
    return sizes


def _hint(path: Path) -> str:
    """What may have been meant by a bundle that is not there."""
    if path.name and partial_path(path).is_dir():
        return f"; {partial_path(path)} is there: its training did not finish, run the same command again"
    siblings = os.listdir(path.parent) if path.parent.is_dir() else []
    near = did_you_mean(path.name, siblings, most=3)
    return f"; {near}" if near else ""


def _identity(manifest: os.stat_result) -> _Identity:
    """What a manifest has in common with no other: each is a new file."""
    return manifest.st_dev, manifest.st_ino, manifest.st_mtime_ns


def _read_manifest(path: Path) -> tuple[Manifest, _Identity]:
    with os.fdopen(open_regular(path / MANIFEST), "rb") as file:
        identity = _identity(os.fstat(file.fileno()))
        data = file.read(MAX_MANIFEST_BYTES + 1)
    try:
        if len(data) > MAX_MANIFEST_BYTES:
            raise ManifestError(f"larger than {MAX_MANIFEST_BYTES:,} bytes")
        return parse_manifest(data), identity
    except ManifestError as error:
        raise BundleError(path, str(error), member=MANIFEST) from error
