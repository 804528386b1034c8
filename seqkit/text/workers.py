"""Block encoders in processes of their own.

A request is a block. A reply to one that is UTF-8 is the first new id, the new spellings between spaces, and
the ids, int32; to another the position and the reason of the fault.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import numpy as np

from seqkit._workers import Part, Worker, Workers, answer_requests
from seqkit.errors import SeqkitError
from seqkit.text.coding import BlockEncoder, CodedBlock
from seqkit.text.sources import Block
from seqkit.text.tokenizers import Tokenizer


def serve(config: str) -> None:
    """The body of a worker process.

    Args:
        config: the tokenizer's configuration as JSON.
    """
    encoder = BlockEncoder(Tokenizer.from_config(json.loads(config)))

    def answer(data: bytes) -> list[Part]:
        try:
            coded = encoder.encode(data)
        except UnicodeDecodeError as error:
            return [str(error.start).encode(), error.reason.encode()]
        return [str(coded.first_new).encode(), b" ".join(coded.new_tokens), coded.codes.data]

    answer_requests(answer)


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
    with Workers(__name__, json.dumps(tokenizer.to_config()), processes) as workers:
        yield from workers.map(_encoded, blocks, 3 * processes)


def _encoded(worker: Worker, block: Block | SeqkitError) -> tuple[int, CodedBlock]:
    if isinstance(block, SeqkitError):
        raise block
    number, text, *ids = worker.ask(block.data)
    if not ids:
        raise block.not_utf8(int(number), text.decode())
    return worker.index, CodedBlock(np.frombuffer(ids[0], np.int32), int(number), bytes(text).split())
