"""Block encoders in processes of their own, fed and read through pipes.

Plain child processes rather than `multiprocessing`: nothing is pickled, nothing is forked from a process that
may run TensorFlow's threads, and the caller's main module is not imported again. A worker lives as long as
its input pipe; should its parent be killed, it ends too.

Messages, little-endian. Request: length u32, then the block. Reply: kind u8, three u64, two byte strings:

    kind          first u64       second u64            third u64        strings
    0 encoded     first new id    length of the first   of the second    spellings between spaces; int32 ids
    1 not UTF-8   position        length of the first   0                the reason; none
    2 failed      0               length of the first   0                the reason; none
"""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import BinaryIO, cast

import numpy as np

from seqkit.errors import SeqkitError, StorageError
from seqkit.text.coding import BlockEncoder, CodedBlock
from seqkit.text.sources import Block
from seqkit.text.tokenizers import Tokenizer

_REQUEST = struct.Struct("<I")
_REPLY = struct.Struct("<BQQQ")
_CODED, _NOT_UTF8, _FAILED = range(3)
# The parent's own search path, so that the same seqkit is found; -P keeps the current folder out until then.
_START = "import sys; sys.path[:] = sys.argv[2:]; from seqkit.text.workers import serve; serve(sys.argv[1])"


def serve(config: str) -> None:
    """Encodes the blocks that arrive on stdin until it closes; the body of a worker process.

    Args:
        config: the tokenizer's configuration as JSON.
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent decides; it closes the pipe
        signal.signal(number, signal.SIG_IGN)
    encoder = BlockEncoder(Tokenizer.from_config(json.loads(config)))
    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    while header := requests.read(_REQUEST.size):
        for part in _reply(encoder, requests.read(*_REQUEST.unpack(header))):
            replies.write(part)
        replies.flush()


def _reply(encoder: BlockEncoder, data: bytes) -> tuple[bytes | memoryview, ...]:
    try:
        coded = encoder.encode(data)
    except UnicodeDecodeError as error:
        reason = error.reason.encode()
        return _REPLY.pack(_NOT_UTF8, error.start, len(reason), 0), reason
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".encode()
        return _REPLY.pack(_FAILED, 0, len(reason), 0), reason
    tokens = b" ".join(coded.new_tokens)
    return _REPLY.pack(_CODED, coded.first_new, len(tokens), coded.codes.nbytes), tokens, coded.codes.data


class _Worker:
    """One child process and its pipes."""

    def __init__(self, index: int, tokenizer: Tokenizer) -> None:
        self.index = index
        command = [sys.executable, "-P", "-c", _START, json.dumps(tokenizer.to_config()), *sys.path]
        # Numerical libraries would start a thread for each core in each worker.
        environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
        }
        try:
            self.process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                bufsize=0,
            )
        except OSError as error:
            raise StorageError(
                f"cannot start a text worker: {error.strerror or error}; try fewer processes"
            ) from error
        self.requests = cast(BinaryIO, self.process.stdin)
        self.replies = cast(BinaryIO, self.process.stdout)

    def encode(self, block: Block) -> CodedBlock:
        """The block, encoded by the child."""
        try:
            self._send(_REQUEST.pack(len(block.data)))
            self._send(block.data)
            kind, *numbers = _REPLY.unpack(self._receive(_REPLY.size))
            first, second = self._receive(numbers[1]), self._receive(numbers[2])
        except (EOFError, OSError) as error:
            code = self.process.wait()
            advice = "out of memory? try fewer processes"
            raise SeqkitError(f"a text worker ended by itself (exit code {code}): {advice}") from error
        if kind == _NOT_UTF8:
            raise block.not_utf8(numbers[0], first.decode())
        if kind == _FAILED:
            raise SeqkitError(f"a text worker failed: {first.decode()}")
        return CodedBlock(np.frombuffer(second, np.int32), numbers[0], bytes(first).split())

    def _send(self, data: bytes) -> None:
        view = memoryview(data)
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


def encode_in_processes(
    blocks: Iterable[Block | SeqkitError], tokenizer: Tokenizer, processes: int
) -> Iterator[tuple[int, CodedBlock]]:
    """Encodes blocks in several processes.

    Args:
        blocks: what to encode; a few per process are in memory at any time. An error among them is raised
            when its turn comes, so that of several faults the first in the text is the one that is told.
        tokenizer: what cuts the text.
        processes: how many workers.

    Yields:
        For each block, in order: the index of the worker that had it, and the block encoded. A worker's ids
        are its own (see `CodedBlock`); it meets its blocks in their order.

    Raises:
        CorpusError: a block is not UTF-8.
        SeqkitError: a worker failed.
    """
    workers: list[_Worker] = []
    mine = threading.local()  # a thread for each worker, as writing to a pipe and reading from it both block

    def encode(block: Block | SeqkitError) -> tuple[int, CodedBlock]:
        if isinstance(block, SeqkitError):
            raise block
        return mine.worker.index, mine.worker.encode(block)

    unowned: SimpleQueue[_Worker] = SimpleQueue()
    threads = ThreadPoolExecutor(processes, initializer=lambda: setattr(mine, "worker", unowned.get()))
    try:
        for index in range(processes):
            workers.append(_Worker(index, tokenizer))
            unowned.put(workers[-1])
        pending: deque[Future[tuple[int, CodedBlock]]] = deque()
        for block in blocks:
            pending.append(threads.submit(encode, block))
            if len(pending) >= 3 * processes:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for worker in workers:
            worker.kill()
        threads.shutdown(cancel_futures=True)
        for worker in workers:
            worker.close()
