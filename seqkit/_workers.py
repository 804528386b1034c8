"""Work in processes of its own, asked and answered through pipes.

Plain child processes rather than `multiprocessing`: nothing is pickled, nothing is forked from a process that
may run TensorFlow's threads, and the caller's main module is not imported again. A worker lives as long as
its input pipe; should its parent be killed, it ends too.

A message is its kind, u8, the number of its parts, u32, the length of each, u64, all little-endian; then the
parts. A reply of kind `_FAILED` has one, the reason.
"""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from types import TracebackType
from typing import Any, BinaryIO, TypeVar, cast

from seqkit.errors import SeqkitError, StorageError

Part = bytes | bytearray | memoryview
Item = TypeVar("Item")
Answer = TypeVar("Answer")

_HEAD = struct.Struct("<BI")
_SENT, _FAILED = range(2)
# The parent's own search path, so that the same seqkit is found; -P keeps the current folder out until then.
_START = (
    "import sys; module, argument, *sys.path[:] = sys.argv[1:]; "
    "from importlib import import_module; import_module(module).serve(argument)"
)
# Numerical libraries would start a thread for each core in each worker.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def answer_requests(answer: Callable[..., Sequence[Part]]) -> None:
    """Answers the requests that arrive on stdin until it closes; the body of a worker process.

    Args:
        answer: called with the parts of each request, gives those of the reply; what it raises is told.
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent decides; it closes the pipe
        signal.signal(number, signal.SIG_IGN)
    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    while head := requests.read(_HEAD.size):
        _, count = _HEAD.unpack(head)
        sizes = struct.unpack(f"<{count}Q", requests.read(8 * count))
        try:
            kind, parts = _SENT, answer(*[requests.read(size) for size in sizes])
        except Exception as error:
            kind, parts = _FAILED, [f"{type(error).__name__}: {error}".encode()]
        for part in _message(kind, parts):
            replies.write(part)
        replies.flush()


class Worker:
    """One child process and its pipes."""

    def __init__(self, index: int, module: str, argument: str) -> None:
        self.index = index
        try:
            self.process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
                [sys.executable, "-P", "-c", _START, module, argument, *sys.path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=os.environ | _ONE_THREAD,
                bufsize=0,
            )
        except OSError as error:
            raise StorageError(
                f"cannot start a worker: {error.strerror or error}; try fewer processes"
            ) from error
        self.requests = cast(BinaryIO, self.process.stdin)
        self.replies = cast(BinaryIO, self.process.stdout)

    def ask(self, *parts: Part) -> list[bytearray]:
        """The parts of the reply to a request.

        Raises:
            SeqkitError: the child failed, or ended.
        """
        try:
            for part in _message(_SENT, parts):
                self._send(part)
            kind, count = _HEAD.unpack(self._receive(_HEAD.size))
            sizes = struct.unpack(f"<{count}Q", self._receive(8 * count))
            found = [self._receive(size) for size in sizes]
        except (EOFError, OSError) as error:
            code = self.process.wait()
            advice = "out of memory? try fewer processes"
            raise SeqkitError(f"a worker ended by itself (exit code {code}): {advice}") from error
        if kind == _FAILED:
            raise SeqkitError(f"a worker failed: {found[0].decode()}")
        return found

    def _send(self, data: Part) -> None:
        view = memoryview(data).cast("B")
        while view:
            view = view[self.requests.write(view) :]

    def _receive(self, size: int) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        while view:
            if not (taken := self.replies.readinto(view)):  # type: ignore[attr-defined]
                raise EOFError
            view = view[taken:]
        return data

    def kill(self) -> None:
        """Ends the child, whatever it is doing; whoever waits for its reply gets an error."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Closes the pipes, once no thread uses them."""
        self.requests.close()
        self.replies.close()


class Workers:
    """Child processes that do the same; at the end of the context they are killed.

    Args:
        module: whose function `serve`, called with `argument`, is what a child does; it calls
            `answer_requests`.
        argument: what it is called with.
        processes: how many.

    Raises:
        StorageError: a process cannot be started.
    """

    def __init__(self, module: str, argument: str, processes: int) -> None:
        self._workers: list[Worker] = []
        self._mine = threading.local()  # a thread for each: writing to a pipe and reading from it both block
        unowned: SimpleQueue[Worker] = SimpleQueue()
        self._threads = ThreadPoolExecutor(
            processes, initializer=lambda: setattr(self._mine, "worker", unowned.get())
        )
        try:
            for index in range(processes):
                self._workers.append(Worker(index, module, argument))
                unowned.put(self._workers[-1])
        except BaseException:
            self._end()
            raise

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def map(
        self, exchange: Callable[[Worker, Any], Answer], items: Iterable[Any], most: int
    ) -> Iterator[Answer]:
        """What `exchange` gives for each item, in order (`in_order`); it asks the worker that it is given.

        Items are of any type: of a union and None, mypy would make an object.
        """
        return in_order(
            lambda item: self._threads.submit(lambda: exchange(self._mine.worker, item)), items, most
        )

    def _end(self) -> None:
        for worker in self._workers:
            worker.kill()
        self._threads.shutdown(cancel_futures=True)
        for worker in self._workers:
            worker.close()


def in_order(
    submit: Callable[[Item], Future[Answer]], items: Iterable[Item | None], most: int
) -> Iterator[Answer]:
    """What becomes of each item, in order.

    Args:
        submit: has an item worked at.
        items: taken in the caller's own thread. An error in them comes after what became of those before it.
            None is not one: there what is begun is given before more is taken.
        most: items that are worked at besides the one that is waited for.
    """
    given, error = iter(items), None
    begun: deque[Future[Answer]] = deque()
    while error is None:
        try:
            if (item := next(given)) is not None:
                begun.append(submit(item))
        except (Exception, StopIteration) as found:
            error = found
        while begun and (len(begun) > most or item is None or error is not None):
            yield begun.popleft().result()
    if not isinstance(error, StopIteration):
        raise error


def _message(kind: int, parts: Sequence[Part]) -> list[Part]:
    sizes = [memoryview(part).nbytes for part in parts]
    return [_HEAD.pack(kind, len(parts)) + struct.pack(f"<{len(parts)}Q", *sizes), *parts]
