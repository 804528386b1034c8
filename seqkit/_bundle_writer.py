"""Writing a bundle so that a crash at any instant leaves a whole one: see `seqkit.storage`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Mapping
from contextlib import ExitStack, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from seqkit._files import lock, new_file, open_directory, storage_errors
from seqkit._manifest import (
    KINDS,
    MANIFEST,
    MAX_MANIFEST_BYTES,
    REQUIRED,
    Manifest,
    ManifestError,
    Member,
    current_versions,
    parse_manifest,
)
from seqkit._tensors import AnyArray, write_tensors
from seqkit.errors import Place, StorageError, UsageError

_MEMBERS = REQUIRED.union({MANIFEST}, *KINDS.values())
"""Names of all files that a bundle may have."""


def partial_path(path: Place) -> Path:
    """Where the work on a bundle happens until it is whole: `PATH.partial`."""
    return _sibling(Path(path), ".partial")


def _sibling(path: Path, ending: str) -> Path:
    if path.name in ("", ".."):
        raise UsageError(f"{os.fspath(path)!r} cannot name a bundle: give the name of a new directory")
    return path.with_name(path.name + ending)


def is_bundle(path: Place) -> bool:
    """Whether a directory of that name holds a manifest; nothing else is checked."""
    return (Path(path) / MANIFEST).is_file()


def _locked(folder: Path) -> int:
    """A descriptor of a folder, made if it is not there, that no other writer has.

    Raises:
        StorageError: another process has it.
    """
    while True:
        with suppress(FileExistsError):
            os.mkdir(folder)
        try:
            found = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:  # its last writer has just ended
            continue
        try:
            lock(found, folder)
            # That one may have removed this folder, and another have made one, between our open and our lock.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(found), os.stat(folder)):
                    return found
        except BaseException:
            os.close(found)
            raise
        os.close(found)


def _kind_of(path: Path) -> str | None:
    """The kind of a bundle; None where its manifest does not say."""
    with suppress(OSError, ManifestError), open(path / MANIFEST, "rb") as file:
        return parse_manifest(file.read(MAX_MANIFEST_BYTES)).kind
    return None


class BundleWriter:
    """Writes a bundle, or leaves everything as it was.

    Members go to `PATH.partial/bundle/`; `commit` renames that directory into place. Whoever trains may keep
    further files (checkpoints, encoded text) in `PATH.partial/`: they outlive failures, and are removed once
    the bundle is in place. Use it as a context manager; leaving the block without `commit` discards the
    members written so far.

    Args:
        path: the bundle's directory; its parent must exist.
        kind: one of the kinds of bundle, "vectors" for one.
        overwrite: replace a bundle of this kind that is there; it stays until the new one is whole.
        keeps: patterns of the names of those further files; anything else in `PATH.partial/` is refused.

    Raises:
        UsageError: a bundle is there and `overwrite` is not set, or it is of another kind; something that is
            not a bundle is there; there is something in the way that is not of this work, in `PATH.partial/`
            or `PATH.replaced`.
        StorageError: the system refused, or another process is writing the same bundle.
    """

    def __init__(
        self, path: Place, *, kind: str, overwrite: bool = False, keeps: Collection[str] = ()
    ) -> None:
        if kind not in KINDS:
            raise UsageError(f"{kind!r} is not a kind of bundle; kinds are {', '.join(sorted(KINDS))}")
        self.path = Path(path)
        self.partial = partial_path(path)
        self._replaced = _sibling(self.path, ".replaced")
        self._work, self._old = self.partial / "bundle", self.partial / "replaced"
        self._kind = kind
        self._overwrite = overwrite
        self._keeps = (self._work.name, self._old.name, *keeps)
        self._members: dict[str, Member] = {}
        self._lock: int | None = None
        self._done = False

    def __enter__(self) -> Self:
        if not self.path.parent.is_dir():
            raise StorageError(
                f"{self.path}: there is no folder {self.path.parent} to write to; make it first"
            )
        self._check_target()
        with storage_errors(self.partial, "create"):
            self._lock = _locked(self.partial)
            try:
                self._check_own()
                self._heal()
                self._check_target()
                os.mkdir(self._work)
            except BaseException:
                self._discard()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._done:  # `PATH.partial` may be another writer's already
            self._unlock()
        else:
            shutil.rmtree(self._work, ignore_errors=True)
            self._discard()

    def write_text(self, name: str, text: str) -> None:
        """Writes a member of text, as UTF-8.

        Args:
            name: a member of this kind of bundle.
            text: its content.

        Raises:
            UsageError: not a member of this kind, already written, or a lone surrogate in the text.
            StorageError: the system refused.
        """
        try:
            data = text.encode()
        except UnicodeEncodeError as error:
            raise UsageError(
                f"{name}: character {error.start:,} is a lone surrogate, which UTF-8 lacks"
            ) from error
        with storage_errors(self.path, f"write {name}"), new_file(self._new_member(name)) as file:
            file.write(data)
        self._members[name] = Member(file.size, file.sha256)

    def write_tensors(
        self, name: str, tensors: Mapping[str, AnyArray], metadata: Mapping[str, str] | None = None
    ) -> None:
        """Writes a member of arrays in a stream: one that is memory-mapped is not read into memory first.

        Args:
            name: a member of this kind of bundle.
            tensors: arrays by name: float16/32/64, int32/64 or uint8.
            metadata: free strings for the header.

        Raises:
            UsageError: not a member of this kind, already written, or an array that cannot be stored.
            StorageError: the system refused.
        """
        with storage_errors(self.path, f"write {name}"), new_file(self._new_member(name)) as file:
            write_tensors(file, tensors, metadata or {})
        self._members[name] = Member(file.size, file.sha256)

    def commit(
        self,
        *,
        config: Mapping[str, Any],
        seed: int | None = None,
        metrics: Mapping[str, Any] | None = None,
        fingerprint: str | None = None,
        history: list[Any] | None = None,
    ) -> None:
        """Writes the manifest and puts the bundle in place of what was there.

        Args:
            config: the settings of the run: JSON values only.
            seed: the seed of the run.
            metrics: what was measured: JSON values only, None for what could not be.
            fingerprint: sha256 of the training text, in hex.
            history: one JSON object per evaluation.

        Raises:
            UsageError: a member is missing, or a value that JSON cannot hold.
            StorageError: the system refused; the old bundle is still there.
        """
        missing = REQUIRED - self._members.keys()
        if missing:
            raise UsageError(f"{self.path}: a {self._kind} bundle needs {', '.join(sorted(missing))} too")
        manifest = Manifest(
            kind=self._kind,
            config=dict(config),
            seed=seed,
            members=self._members,
            versions=current_versions(),
            fingerprint=fingerprint,
            metrics=dict(metrics or {}),
            history=list(history or []),
        )
        data = manifest.to_bytes()
        parse_manifest(data)  # what cannot be read back must not replace anything
        with storage_errors(self.path, "write"):
            with new_file(self._work / MANIFEST) as file:
                file.write(data)
            with open_directory(self._work) as work:
                os.fsync(work)
            self._swap()
        self._done = True
        with suppress(OSError):  # the bundle is in place; the next writer removes what this one could not
            self._remove_replaced()
        shutil.rmtree(self.partial, ignore_errors=True)

    def _new_member(self, name: str) -> Path:
        known = REQUIRED | KINDS[self._kind]
        if name not in known:
            members = ", ".join(sorted(known))
            raise UsageError(f"{name!r} is not a member of a {self._kind} bundle; members are {members}")
        return self._work / name

    def _check_target(self) -> None:
        """Refuses what must not be replaced."""
        if self.path.is_symlink():
            raise UsageError(f"{self.path}: is a symbolic link; give the directory that it points to")
        no_bundle = f"{self.path}: exists and is not a bundle; choose another name"
        with storage_errors(self.path, "read"):
            try:
                with os.scandir(self.path) as entries:
                    files = {entry.name: entry.is_file() for entry in entries}
            except FileNotFoundError:  # or another writer is between the renames of its swap
                return
            except NotADirectoryError as error:
                raise UsageError(no_bundle) from error
        if not files:
            return
        if not files.get(MANIFEST):
            raise UsageError(no_bundle)
        if not self._overwrite:
            raise UsageError(
                f"{self.path}: a bundle is there already; choose another name or overwrite it (--overwrite)"
            )
        if (kind := _kind_of(self.path)) not in (None, self._kind):
            raise UsageError(
                f"{self.path}: holds a {kind} bundle, which one of kind {self._kind} does not replace; "
                "choose another name"
            )
        if foreign := sorted(files.keys() - _MEMBERS):
            raise UsageError(f"{self.path}: holds {foreign[0]}, which is not of the bundle; move it away")

    def _check_own(self) -> None:
        """Refuses to remove what is not of this work: the checkpoint of another run, anybody's files."""
        for name in sorted(os.listdir(self.partial)):
            written = name.removeprefix(".").removesuffix(".partial")  # what `atomic_file` was killed over
            if not any(fnmatchcase(each, pattern) for each in (name, written) for pattern in self._keeps):
                raise UsageError(
                    f"{self.partial}: holds {name}, which is not of this command; if it is of a run that was "
                    "interrupted, finish that by its own command, else move the folder away"
                )
        if os.path.lexists(self._replaced) and not is_bundle(self._replaced):
            raise UsageError(f"{self._replaced}: is in the way of writing {self.path}; move it away")

    def _heal(self) -> None:
        """Undoes what a crash left behind; done under the lock, so that no living writer is disturbed."""
        for folder in (self._work, self._old):
            with suppress(FileNotFoundError):
                shutil.rmtree(folder)
        if is_bundle(self._replaced):
            if self.path.exists():
                self._remove_replaced()
            else:
                os.rename(self._replaced, self.path)

    def _remove_replaced(self) -> None:
        """Moves it first: what a kill leaves of it is in PATH.partial, and not taken for anybody's folder."""
        os.rename(self._replaced, self._old)
        shutil.rmtree(self._old, ignore_errors=True)

    def _swap(self) -> None:
        # Two renames: between them PATH is missing, and `Bundle.open` reads PATH.replaced.
        with open_directory(self.path.parent) as parent, ExitStack() as undone:
            if is_bundle(self.path):
                os.rename(self.path, self._replaced)
                undone.callback(os.rename, self._replaced, self.path)
            os.rename(self._work, self.path)
            undone.callback(os.rename, self.path, self._work)
            os.fsync(parent)
            undone.pop_all()

    def _discard(self) -> None:
        """Ends the work of a writer that has the lock."""
        with suppress(OSError):
            self.partial.rmdir()  # succeeds where nobody keeps anything else in it
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
