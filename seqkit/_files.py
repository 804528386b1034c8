"""Files that are either wholly there or not at all: `seqkit.storage` as the operating system sees it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from seqkit.errors import MissingInputError, Place, SeqkitError, StorageError

Data = bytes | bytearray | memoryview

WRITE_BYTES = 1 << 24
"""At most this many bytes go to one `os.write` and into one step of a hash."""


@contextmanager
def storage_errors(path: Place, action: str) -> Iterator[None]:
    """Turns an OSError of the block into a StorageError that names the file.

    Args:
        path: the file or directory worked on.
        action: what was tried, after "could not": "write", "read".

    Raises:
        StorageError: with the errno of the OSError; errors of seqkit's own pass unchanged.
    """
    try:
        yield
    except SeqkitError:
        raise
    except OSError as error:
        wrapped = StorageError(f"{os.fspath(path)}: could not {action}: {_reason(path, error)}")
        wrapped.errno = error.errno
        raise wrapped from error


def _reason(path: Place, error: OSError) -> str:
    if isinstance(error, FileNotFoundError) and not os.path.isabs(path):
        try:
            os.getcwd()
        except FileNotFoundError:
            return "the working directory has been deleted; change to another"
    return error.strerror or str(error)


class HashedFile:
    """A file being written, its size and SHA-256 known at every moment.

    Args:
        descriptor: an open, writable file descriptor; the caller closes it.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._sha256 = hashlib.sha256()
        self.size = 0

    def write(self, data: Data) -> None:
        """Appends all of the bytes, however many calls the system needs for them."""
        view = memoryview(data)
        view = view.cast("B") if view.nbytes else memoryview(b"")
        while view:
            written = os.write(self._descriptor, view[:WRITE_BYTES])
            self._sha256.update(view[:written])
            self.size += written
            view = view[written:]

    def sync(self) -> None:
        """Waits until what was written is on the disk."""
        os.fsync(self._descriptor)

    @property
    def sha256(self) -> str:
        """The hash of what was written so far, in hex."""
        return self._sha256.hexdigest()


@contextmanager
def new_file(path: Path) -> Iterator[HashedFile]:
    """Writes a file in place and fsyncs it; for directories that nobody reads yet.

    Args:
        path: the file to create; it must not exist.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        yield HashedFile(descriptor)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def atomic_file(path: Place) -> Iterator[HashedFile]:
    """Replaces a file as one event: `.NAME.partial`, fsync, rename, fsync of the directory.

    Whatever happens, a crash included, the name holds the whole old file or the whole new one (the new one
    where only the last fsync fails); a failure leaves nothing else behind, and what a kill left is
    overwritten by the next attempt. A symbolic link stays, and the file that it points to is replaced.

    Args:
        path: the file to write; its directory must exist.

    Raises:
        StorageError: the system refused, another process is writing the same file, or what is there is a
            device, a pipe or a directory.
    """
    with storage_errors(path, "write"):
        with suppress(FileNotFoundError):
            if not stat.S_ISREG(os.stat(path).st_mode):
                raise StorageError(f"{os.fspath(path)}: not a regular file; only such can be replaced")
        target = Path(os.path.realpath(path))
        temporary = target.with_name(f".{target.name}.partial")
        with open_directory(target.parent) as folder:
            descriptor = _open_exclusively(temporary)
            try:
                os.ftruncate(descriptor, 0)  # what a kill left behind
                yield HashedFile(descriptor)
                os.fsync(descriptor)
                os.replace(temporary, target)
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary)
                raise
            finally:
                os.close(descriptor)
            os.fsync(folder)


def _open_exclusively(temporary: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(temporary, flags, 0o666)
    try:
        lock(descriptor, temporary)
        # The last owner may have renamed this inode into place between our open and our lock.
        if not os.path.samestat(os.fstat(descriptor), os.stat(temporary)):
            raise StorageError(f"{temporary}: another process has just written this file; try again")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def printable(path: Place) -> str:
    """A path as Unicode text: bytes of a name that are no UTF-8 become escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def lock(descriptor: int, path: Path) -> None:
    """Takes the advisory lock of an open file or directory; it ends with the descriptor or the process.

    Raises:
        StorageError: another process holds it.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StorageError(f"{path}: another process is writing here; wait for it or stop it") from error


@contextmanager
def open_directory(path: Path) -> Iterator[int]:
    """A descriptor of a directory, whose fsync makes the names in it durable.

    Opened before anything in it is changed: a directory may be writable and yet not readable.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def atomic_write_bytes(path: Place, data: Data) -> None:
    """Replaces a file with the bytes given, or leaves it as it was.

    Args:
        path: the file to write; its directory must exist.
        data: the whole new content.

    Raises:
        StorageError: the system refused: disk full, no permission, no such directory.
    """
    with atomic_file(path) as file:
        file.write(data)


def open_regular(path: Path) -> int:
    """Opens a file for reading, refusing symbolic links, devices, pipes and directories.

    Args:
        path: the file.

    Returns:
        A file descriptor; the caller closes it.

    Raises:
        MissingInputError: there is no such file.
        StorageError: it is not a regular file, or the system refused.
    """
    with storage_errors(path, "read"):
        try:
            # O_NONBLOCK: opening a named pipe would otherwise wait for its writer.
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError as error:
            raise MissingInputError(f"{path}: no such file") from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise StorageError(f"{path}: not a regular file")
        return descriptor
