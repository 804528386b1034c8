"""Encoding against a dictionary in plain Python, whatever the processes and blocks; memory; faults."""

from __future__ import annotations

import bz2
import errno
import gzip
import hashlib
import lzma
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit.errors import CorpusError, MissingInputError, StorageError, UsageError
from seqkit.text import encoding, merging, sources
from seqkit.text.encoding import LINE_END, EncodedCorpus, EncodingConfig, encode, fingerprint
from seqkit.text.tokenizers import KINDS, Tokenizer

IN_PROCESSES = [pytest.param(kind, marks=[pytest.mark.slow] * (kind == "whitespace")) for kind in KINDS]

WORDS = st.sampled_from(
    ["the", "The", "king", "queen's", "well-known", "\u0130x", "ΟΔΟΣ", "国王。", "...", "rare\u00a0x"]
)
LINES = st.lists(st.lists(st.one_of(WORDS, st.text("ab", max_size=3))).map(" ".join), max_size=30)


def plain(
    text: str, tokenizer: Tokenizer, min_count: int, max_vocab: int | None
) -> tuple[dict[str, int], list[int]]:
    """Counts and ids, as one would write them down first."""
    lines = [tokenizer.tokenize(line) for line in text.splitlines()]
    counts = Counter(token for line in lines for token in line)
    kept = sorted((-n, token) for token, n in counts.items() if n >= min_count)[:max_vocab]
    ids = {token: index for index, (_, token) in enumerate(kept)}
    stream = []
    for line in lines:
        known = [ids[token] for token in line if token in ids]
        stream += [*known, LINE_END] if known else []
    return {token: -n for n, token in kept}, stream


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("encoding")


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None)
@given(
    lines=LINES,
    lowercase=st.booleans(),
    min_count=st.integers(1, 3),
    max_vocab=st.one_of(st.none(), st.integers(1, 5)),
    block=st.sampled_from([1, 7, 64, 1 << 20]),
    part=st.sampled_from([1, 3, 1 << 22]),
)
def test_against_a_dictionary(
    scratch: Path,
    kind: str,
    lines: list[str],
    lowercase: bool,
    min_count: int,
    max_vocab: int | None,
    block: int,
    part: int,
) -> None:
    text = "".join(line + "\n" for line in lines)
    (scratch / "corpus.txt").write_text(text, encoding="utf-8")
    tokenizer = Tokenizer(kind, lowercase)
    counts, ids = plain(text, tokenizer, min_count, max_vocab)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "BLOCK_BYTES", block)
        patch.setattr(merging, "SLICE", part)
        config = EncodingConfig(tokenizer=tokenizer, min_count=min_count, max_vocab=max_vocab)
        if not counts:
            with pytest.raises(CorpusError, match="no token"):
                encode(scratch / "corpus.txt", scratch / "out", config, processes=1)
            return
        corpus = encode(scratch / "corpus.txt", scratch / "out", config, processes=1)
    assert dict(zip(corpus.vocabulary, corpus.vocabulary.counts.tolist(), strict=True)) == counts
    assert list(corpus.vocabulary) == list(counts)
    assert corpus.ids.tolist() == ids
    assert corpus.tokens == sum(len(tokenizer.tokenize(line)) for line in lines)
    assert corpus.kept_tokens == sum(counts.values())
    assert corpus.lines == len(lines)
    assert corpus.fingerprint == hashlib.sha256(text.encode()).hexdigest()


def varied_text(lines: int) -> str:
    rng = np.random.default_rng(0)
    words = np.array([f"Word{n}" if n % 3 else f"wörd-{n}'s" for n in range(5000)])
    chosen = words[np.minimum(rng.zipf(1.3, (lines, 12)) - 1, 4999)]
    return "".join(" ".join(row) + "\n" for row in chosen.tolist())


def written(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("kind", IN_PROCESSES)
def test_the_same_bytes_for_any_number_of_processes(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = varied_text(8000)
    (tmp_path / "corpus.txt").write_text(text, encoding="utf-8")
    monkeypatch.setattr(encoding, "SMALL_BLOCKS", 2)
    results = []
    for processes, block in ((1, 1 << 20), (1, 1000), (2, 5000), (3, 20_000)):
        monkeypatch.setattr(sources, "BLOCK_BYTES", block)
        encode(
            tmp_path / "corpus.txt",
            tmp_path / "out",
            EncodingConfig(tokenizer=Tokenizer(kind), min_count=3),
            processes=processes,
        )
        results.append(written(tmp_path / "out"))
    assert sorted(results[0]) == ["encoding.json", "ids.bin", "vocabulary.tsv"]
    assert all(result == results[0] for result in results)
    counts, ids = plain(text, Tokenizer(kind), 3, None)
    corpus = EncodedCorpus.open(tmp_path / "out")
    assert corpus.ids.tolist() == ids
    assert list(corpus.vocabulary) == list(counts)


@pytest.mark.parametrize("kind", IN_PROCESSES)
def test_tokens_that_are_kept_for_any_number_of_processes(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rare ones keep their place in the text, absent ones have a count of 0; nothing else changes."""
    text = varied_text(8000)
    (tmp_path / "corpus.txt").write_text(text, encoding="utf-8")
    monkeypatch.setattr(encoding, "SMALL_BLOCKS", 2)
    monkeypatch.setattr(sources, "BLOCK_BYTES", 20_000)
    tokens = Counter(token for line in text.splitlines() for token in Tokenizer(kind).tokenize(line))
    least = sorted(tokens.values())[len(tokens) // 2] + 1
    rare = [token for token in tokens if tokens[token] < least][::3]
    keep = [*rare, tokens.most_common(1)[0][0], "nowhere", "国"]
    assert rare
    counts = {token: n for token, n in tokens.items() if n >= least or token in keep} | {
        "nowhere": 0,
        "国": 0,
    }
    order = sorted(counts, key=lambda token: (-counts[token], token))
    ids = {token: index for index, token in enumerate(order)}
    for processes in (1, 2, 3):
        corpus = encode(
            tmp_path / "corpus.txt",
            tmp_path / "out",
            EncodingConfig(tokenizer=Tokenizer(kind), min_count=least, keep=keep),
            processes=processes,
        )
        assert list(corpus.vocabulary) == order
        assert corpus.vocabulary.counts.tolist() == [counts[token] for token in order]
        assert corpus.kept_tokens == sum(counts.values())
        lines = [[ids[t] for t in Tokenizer(kind).tokenize(x) if t in ids] for x in text.splitlines()]
        assert corpus.ids.tolist() == [number for line in lines if line for number in [*line, LINE_END]]


def test_kept_tokens_alone_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("a b\n")
    with pytest.raises(CorpusError, match="no token occurs 2 times"):
        encode(
            tmp_path / "corpus.txt",
            tmp_path / "out",
            EncodingConfig(tokenizer=Tokenizer(), min_count=2, keep=["c"]),
        )
    corpus = encode(
        tmp_path / "corpus.txt",
        tmp_path / "out",
        EncodingConfig(tokenizer=Tokenizer(), min_count=2, keep=["b"]),
    )
    assert (list(corpus.vocabulary), corpus.ids.tolist()) == (["b"], [0, LINE_END])


def test_a_small_text_starts_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a worker was started")

    monkeypatch.setattr(encoding, "encode_in_processes", refuse)
    (tmp_path / "corpus.txt").write_text("a b\n" * 100_000)
    encode(tmp_path / "corpus.txt", tmp_path / "out", processes=4)


def test_the_fingerprint_is_of_the_text_alone(tmp_path: Path) -> None:
    text = varied_text(50).encode()
    forms = {
        "plain.txt": text,
        "crlf.txt": b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"),
        "unended.txt": text[:-1],
        "a.gz": gzip.compress(text),
        "a.bz2": bz2.compress(text),
        "a.xz": lzma.compress(text),
        "a.zst": zstandard.compress(text),
    }
    expected = hashlib.sha256(text).hexdigest()
    for name, data in forms.items():
        (tmp_path / name).write_bytes(data)
        corpus = encode(tmp_path / name, tmp_path / "out")
        assert corpus.fingerprint == expected, name
        assert fingerprint(tmp_path / name) == expected, name
    head, tail = text.splitlines(keepends=True)[:20], text.splitlines(keepends=True)[20:]
    (tmp_path / "1").write_bytes(b"".join(head).rstrip(b"\n"))
    (tmp_path / "2").write_bytes(b"".join(tail))
    corpus = encode([tmp_path / "1", tmp_path / "2"], tmp_path / "out")
    assert corpus.fingerprint == expected


def test_specials_and_unknown_words(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("a a b c\n<unk> a d\n\nd e\n")
    corpus = encode(
        tmp_path / "corpus.txt",
        tmp_path / "out",
        EncodingConfig(
            tokenizer=Tokenizer("whitespace"), min_count=2, specials=("<pad>", "<unk>"), unknown="keep"
        ),
    )
    assert corpus.vocabulary.words == ("<pad>", "<unk>", "a", "d")
    assert corpus.vocabulary.counts.tolist() == [0, 4, 3, 2]  # b, c, e and the literal <unk>
    assert corpus.ids.tolist() == [2, 2, 1, 1, -1, 1, 2, 3, -1, 3, 1, -1]
    assert (corpus.tokens, corpus.kept_tokens, corpus.lines) == (9, 9, 4)
    assert EncodedCorpus.open(tmp_path / "out").vocabulary == corpus.vocabulary


@pytest.mark.parametrize(
    ("text", "tokenizer", "reason"),
    [
        ("", "word", "no tokens"),
        (" \n\t\n", "word", "no tokens"),
        ("... -- !\n", "word", "no tokens"),
        (
            "a b a c\n",
            "word",
            "no token occurs 5 times (min_count), the most frequent, 'a', 2 times; try min_count 2",
        ),
    ],
)
def test_a_text_of_which_nothing_is_left(text: str, tokenizer: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "corpus.txt"
    path.write_text(text)
    with pytest.raises(CorpusError) as caught:
        encode(path, tmp_path / "out", EncodingConfig(tokenizer=Tokenizer(tokenizer), min_count=5))
    assert str(caught.value).startswith(f"{path}: {reason}")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        {"min_count": 0},
        {"max_vocab": 0},
        {"unknown": "replace"},
        {"unknown": "keep"},
        {"specials": ("<pad>", "<pad>")},
    ],
)
def test_settings_are_checked(arguments: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(arguments)).rstrip("s")):
        EncodingConfig(**arguments)


def test_the_number_of_processes_is_checked(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("text")
    with pytest.raises(UsageError, match="processes must be from 1 to 512, not 0"):
        encode(tmp_path / "corpus.txt", tmp_path / "out", processes=0)
    assert not (tmp_path / "out").exists()


def test_a_fault_leaves_nothing_that_could_be_opened(tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text("good text\n")
    (tmp_path / "bad.txt").write_bytes(b"good text\nbad \xff\n")
    first = encode(tmp_path / "good.txt", tmp_path / "out")
    with pytest.raises(CorpusError) as caught:
        encode(tmp_path / "bad.txt", tmp_path / "out")
    assert (caught.value.line, caught.value.byte) == (2, 14)
    with pytest.raises(MissingInputError):
        EncodedCorpus.open(tmp_path / "out")
    assert first.ids.tolist() == [0, 1, -1]  # whoever has the old one open keeps it


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "corpus.txt").write_text("good text\n")
    monkeypatch.setattr(merging.Merge, "add", full)
    with pytest.raises(StorageError, match="No space left on device") as caught:
        encode(tmp_path / "corpus.txt", tmp_path / "out")
    assert caught.value.exit_code == 74
    assert not list((tmp_path / "out").iterdir())


# ru_maxrss would begin with the size of the process that started it.
MEMORY = """
import re, sys
from seqkit.text import EncodingConfig, Tokenizer, encode
config = EncodingConfig(tokenizer=Tokenizer(sys.argv[2]))
corpus = encode(sys.argv[1], "out", config, processes=int(sys.argv[3]))
print(corpus.tokens, re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1])
"""


@pytest.mark.parametrize("kind", IN_PROCESSES)
@pytest.mark.parametrize(
    ("megabytes", "processes"),
    [(48, 2), pytest.param(200, 1, marks=pytest.mark.slow), pytest.param(1000, 2, marks=pytest.mark.slow)],
)
def test_one_giant_line_takes_bounded_memory(
    kind: str, megabytes: int, processes: int, tmp_path: Path
) -> None:
    words = b"the king and the queen of a far land " * 1000
    repeats = megabytes * 1_000_000 // len(words)
    with open(tmp_path / "line.txt", "wb") as file:
        for _ in range(repeats):
            file.write(words)
    command = [sys.executable, "-c", MEMORY, "line.txt", kind, str(processes)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    tokens, peak = map(int, done.stdout.split())
    assert tokens == repeats * (len(words) if kind == "character" else 9000)
    assert peak < 256 << 10  # KB


@pytest.mark.data
@pytest.mark.slow
def test_simplewiki_loses_no_token(data_dir: Path, tmp_path: Path) -> None:
    source = data_dir / "corpora" / "simplewiki.txt.xz"
    corpus = encode(
        source, tmp_path, EncodingConfig(tokenizer=Tokenizer("whitespace", lowercase=False), min_count=5)
    )
    counts: Counter[str] = Counter()
    with lzma.open(source, "rt", encoding="utf-8") as file:
        for line in file:
            counts.update(line.split())
    assert corpus.tokens == counts.total()
    kept = sorted((-n, word) for word, n in counts.items() if n >= 5)
    assert corpus.vocabulary.words == tuple(word for _, word in kept)
    assert corpus.vocabulary.counts.tolist() == [-n for n, _ in kept]
    assert np.bincount(corpus.ids[corpus.ids >= 0]).tolist() == [-n for n, _ in kept]
