"""Workers as processes: what they tell of a fault, what happens when one dies, how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from seqkit import _workers
from seqkit.errors import CorpusError, SeqkitError, StorageError
from seqkit.text.sources import Block
from seqkit.text.tokenizers import Tokenizer
from seqkit.text.workers import encode_in_processes


def blocks(count: int, bad: int | None = None) -> Iterator[Block]:
    for index in range(count):
        data = b"word%d and more\n" % index + (b"caf\xe9\n" if index == bad else b"")
        yield Block(data, "corpus.txt", line=1 + 10 * index, byte=1000 * index)


def children() -> set[str]:
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())


def test_blocks_come_back_in_order_and_no_process_stays() -> None:
    before = children()
    tables: dict[int, list[bytes]] = {}
    for index, (worker, coded) in enumerate(encode_in_processes(blocks(50), Tokenizer("word"), 2)):
        table = tables.setdefault(worker, [b"\n"])
        assert coded.first_new == len(table)
        table += coded.new_tokens
        assert [table[code] for code in coded.codes] == [b"word%d" % index, b"and", b"more", b"\n"]
    assert index == 49
    assert children() == before


def test_a_fault_in_the_text_has_its_place() -> None:
    before = children()
    with pytest.raises(CorpusError, match="not UTF-8") as caught:
        list(encode_in_processes(blocks(20, bad=7), Tokenizer("word"), 2))
    # Block 7 begins at line 71, byte 7000; "word7 and more\n" has 15 bytes, "caf" 3.
    assert (caught.value.path, caught.value.line, caught.value.byte) == ("corpus.txt", 72, 7018)
    assert children() == before


def test_of_two_faults_the_first_in_the_text_is_told() -> None:
    fault = CorpusError("later")
    with pytest.raises(CorpusError, match="not UTF-8"):
        list(encode_in_processes([*blocks(3, bad=2), fault], Tokenizer("word"), 2))
    with pytest.raises(CorpusError, match="later"):
        list(encode_in_processes([*blocks(3), fault, *blocks(1, bad=0)], Tokenizer("word"), 2))


def test_a_worker_that_is_killed_is_an_error_not_a_hang() -> None:
    before = children()

    def murderous() -> Iterator[Block]:
        for index, block in enumerate(blocks(1000)):
            if index == 100:
                for child in children() - before:
                    os.kill(int(child), signal.SIGKILL)
            yield block

    with pytest.raises(SeqkitError, match=r"ended by itself \(exit code -9\)"):
        list(encode_in_processes(murderous(), Tokenizer("word"), 2))


def test_an_abandoned_iteration_ends_the_workers() -> None:
    before = children()
    iteration = encode_in_processes(blocks(1000), Tokenizer("word"), 2)
    next(iteration)
    assert len(children() - before) == 2
    iteration.close()
    assert children() == before


def test_no_process_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(_workers.subprocess, "Popen", refuse)
    with pytest.raises(StorageError, match="cannot start a worker: Resource temporarily unavailable"):
        list(encode_in_processes(blocks(1), Tokenizer("word"), 2))


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    code = """
import itertools, os
from seqkit.text.sources import Block
from seqkit.text.tokenizers import Tokenizer
from seqkit.text.workers import encode_in_processes
endless = itertools.repeat(Block(b"a word\\n", "corpus", 1, 0))
for _ in encode_in_processes(endless, Tokenizer("word"), 2):
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        print(file.read(), flush=True)
    break
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    pids = done.stdout.split()
    assert len(pids) == 2
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() and alive(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def alive(pid: str) -> bool:
    """Whether the process does anything still: without an init process nobody collects the dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_worker_imports_nothing_heavy_and_no_main_module(tmp_path: Path) -> None:
    """A script without a main guard may encode; its workers do not run it again."""
    script = tmp_path / "script.py"
    script.write_text(
        "print('started')\n"
        "from seqkit.text.sources import Block\n"
        "from seqkit.text.tokenizers import Tokenizer\n"
        "from seqkit.text.workers import encode_in_processes\n"
        "print(len(list(encode_in_processes([Block(b'a\\n', 'c', 1, 0)] * 9, Tokenizer(), 2))))\n"
    )
    (tmp_path / "json.py").write_text("raise SystemExit('a module beside the script was imported')")
    done = subprocess.run([sys.executable, "-P", str(script)], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("started\n9\n", "")
    heavy = "{'tensorflow', 'keras', 'gensim', 'nltk', 'scipy'}"
    code = f"import sys, seqkit.text.workers; print({heavy} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], cwd="/", capture_output=True, text=True)
    assert done.stdout == "set()\n"
