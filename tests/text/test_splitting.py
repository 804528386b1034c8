"""What is held out, against plain Python: unit by unit, whatever the slices, blocks and processes."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit.errors import CorpusError, MissingInputError, StorageError, UsageError
from seqkit.text import encoding, merging, sources, splitting
from seqkit.text.encoding import LINE_END, EncodedCorpus, EncodingConfig, encode
from seqkit.text.splitting import Split, parts
from seqkit.text.tokenizers import Tokenizer

WHITESPACE = Tokenizer("whitespace", lowercase=False)


def splitmix64(seed: int) -> Iterator[int]:
    """Vigna's splitmix64.c in Python's integers."""
    mask = (1 << 64) - 1
    while True:
        seed = (seed + 0x9E3779B97F4A7C15) & mask
        z = ((seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        yield z ^ (z >> 31)


def choices(fraction: float, seed: int) -> Iterator[bool]:
    mask = (1 << 64) - 1
    mixed_seed = next(splitmix64((seed - 0x9E3779B97F4A7C15) & mask))
    return ((word >> 11) / 2**53 < fraction for word in splitmix64(mixed_seed))


def test_the_model_of_the_generator() -> None:
    # https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64, seed 1234567
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [word for word, _ in zip(splitmix64(1234567), range(3), strict=False)] == expected


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 2**64 - 1))
def test_the_choice_is_a_hash_of_seed_and_number(fraction: float, seed: int) -> None:
    chosen = Split(fraction, seed).chosen(np.arange(50, dtype=np.uint64))
    assert chosen.tolist() == [choice for choice, _ in zip(choices(fraction, seed), range(50), strict=False)]


@pytest.mark.parametrize("fraction", [0.001, 0.05, 0.5, 0.99])
@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
def test_the_fraction_comes_out(fraction: float, seed: int) -> None:
    units = 1_000_000
    share = Split(fraction, seed).chosen(np.arange(units, dtype=np.uint64)).mean()
    assert abs(share - fraction) < 5 * (fraction * (1 - fraction) / units) ** 0.5  # 5 standard deviations


@pytest.mark.parametrize(
    ("fraction", "seed"), [(1.0, 0), (-0.1, 0), (float("nan"), 0), (0.1, -1), (0.1, 2**64)]
)
def test_arguments_are_checked(fraction: float, seed: int, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        Split(fraction, seed)
    (tmp_path / "corpus.txt").write_text("text\n")
    with pytest.raises(UsageError):
        encode(
            tmp_path / "corpus.txt",
            tmp_path / "out",
            EncodingConfig(tokenizer=WHITESPACE, held_out=fraction, seed=seed),
        )


def units_of(lines: list[list[str]], unit: int) -> list[list[list[str]]]:
    """Each line's units; a blank line has one."""
    return [[line[i : i + unit] for i in range(0, len(line), unit)] or [[]] for line in lines]


@given(
    lengths=st.lists(st.integers(0, 12), min_size=1, max_size=20),
    unit=st.integers(1, 5),
    cuts=st.lists(st.integers(1, 9), min_size=1),
)
def test_units_for_any_slices(lengths: list[int], unit: int, cuts: list[int]) -> None:
    numbers = np.array([number for n in lengths for number in [*range(1, n + 1), 0]], np.int32)
    slices, position = [], 0
    while position < len(numbers):
        slices.append(numbers[position : (position := position + cuts[len(slices) % len(cuts)])])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splitting, "UNIT_TOKENS", unit)
        found = list(parts(slices, Split(0.5, 7)))
    starts, held, choice = [], [], choices(0.5, 7)
    for units in units_of([["w"] * n for n in lengths], unit):
        for index, own in enumerate(units):
            starts.append(len(held))
            held += [next(choice)] * (len(own) + (index == len(units) - 1))  # the line's end is in its last
    offsets = np.cumsum([0] + [len(part.numbers) for part in found])
    pairs = zip(offsets, found, strict=False)
    assert np.concatenate([part.starts + offset for offset, part in pairs]).tolist() == starts
    assert np.concatenate([part.held_out for part in found]).tolist() == held


def plain(
    lines: list[list[str]], unit: int, split: tuple[float, int], min_count: int, max_vocab: int | None
) -> tuple[list[list[str]], list[list[str]], dict[str, int]]:
    """Lines for training, lines held out, and the counts of the vocabulary."""
    sides: tuple[list[list[str]], list[list[str]]] = ([], [])
    choice = choices(*split)
    for units in units_of(lines, unit):
        for held, run in groupby(units, lambda _: next(choice)):
            sides[held].append([word for own in run for word in own])
    counts = Counter(word for line in sides[0] for word in line)
    kept = sorted((-n, word) for word, n in counts.items() if n >= min_count)[:max_vocab]
    return *sides, {word: -n for n, word in kept}


def stream(
    lines: list[list[str]], ids: dict[str, int], unknown: int | None, empty_lines: bool = False
) -> list[int]:
    written = [[i for word in line if (i := ids.get(word, unknown)) is not None] for line in lines]
    return [i for line in written if line or empty_lines for i in [*line, LINE_END]]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("splitting")


@settings(deadline=None)
@given(
    lines=st.lists(st.lists(st.text("abc", min_size=1, max_size=2), max_size=12), max_size=12),
    unit=st.integers(1, 5),
    split=st.tuples(st.floats(0.05, 0.95), st.integers(0, 2**64 - 1)),
    min_count=st.integers(1, 3),
    max_vocab=st.one_of(st.none(), st.integers(1, 4)),
    keep=st.booleans(),
    empty_lines=st.booleans(),
    block=st.sampled_from([1, 7, 1 << 20]),
    part=st.sampled_from([1, 3, 1 << 19]),
)
def test_against_plain_python(
    scratch: Path,
    lines: list[list[str]],
    unit: int,
    split: tuple[float, int],
    min_count: int,
    max_vocab: int | None,
    keep: bool,
    empty_lines: bool,
    block: int,
    part: int,
) -> None:
    (scratch / "corpus.txt").write_text("".join(" ".join(line) + "\n" for line in lines))
    training, held, counts = plain(lines, unit, split, min_count, max_vocab)
    ids = {word: index + keep for index, word in enumerate(counts)}
    empty_lines &= keep  # or a line of which only rare words were held out would be one of them here
    expected, expected_held = (
        stream(side, ids, 0 if keep else None, empty_lines) for side in (training, held)
    )
    arguments = {
        "tokenizer": WHITESPACE,
        "min_count": min_count,
        "max_vocab": max_vocab,
        "specials": ("<unk>",) if keep else (),
        "unknown": "keep" if keep else "drop",
        "empty_lines": empty_lines,
        "held_out": split[0],
        "seed": split[1],
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splitting, "UNIT_TOKENS", unit)
        patch.setattr(sources, "BLOCK_BYTES", block)
        patch.setattr(merging, "DIVIDED_SLICE", part)
        if not counts or all(index == LINE_END for index in expected_held):
            with pytest.raises(CorpusError):
                encode(scratch / "corpus.txt", scratch / "out", EncodingConfig(**arguments), processes=1)
            assert not {"encoding.json", "ids.bin", "held_out.bin"} & set(written(scratch / "out"))
            return
        encode(scratch / "corpus.txt", scratch / "out", EncodingConfig(**arguments), processes=1)
    corpus = EncodedCorpus.open(scratch / "out")
    assert corpus.ids.tolist() == expected
    assert corpus.held_out_ids.tolist() == expected_held
    assert corpus.vocabulary.words[keep:] == tuple(counts)
    assert corpus.vocabulary.counts.tolist()[keep:] == list(counts.values())
    assert corpus.tokens == sum(map(len, lines))
    assert corpus.held_out_tokens == sum(map(len, held))
    assert corpus.kept_tokens == sum(index != LINE_END for index in expected)


def written(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def zipf_words(count: int) -> list[str]:
    return [f"w{n}" for n in np.minimum(np.random.default_rng(0).zipf(1.3, count), 3000).tolist()]


@pytest.mark.parametrize("line", [12, 2500, 100_000])
def test_the_same_bytes_for_any_number_of_processes(
    line: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = zipf_words(100_000)
    lines = [words[i : i + line] for i in range(0, len(words), line)]
    (tmp_path / "corpus.txt").write_text("".join(" ".join(own) + "\n" for own in lines))
    monkeypatch.setattr(encoding, "SMALL_BLOCKS", 2)
    results = []
    for processes, block in ((1, 1 << 20), (1, 1000), (2, 5000), (3, 20_000)):
        monkeypatch.setattr(sources, "BLOCK_BYTES", block)
        monkeypatch.setattr(merging, "DIVIDED_SLICE", 3 * block)
        encode(
            tmp_path / "corpus.txt",
            tmp_path / "out",
            EncodingConfig(tokenizer=WHITESPACE, min_count=3, held_out=0.1, seed=5),
            processes=processes,
        )
        results.append(written(tmp_path / "out"))
    assert sorted(results[0]) == ["encoding.json", "held_out.bin", "ids.bin", "vocabulary.tsv"]
    assert all(result == results[0] for result in results)
    corpus = EncodedCorpus.open(tmp_path / "out")
    training, held, counts = plain(lines, 1000, (0.1, 5), 3, None)
    ids = {word: index for index, word in enumerate(counts)}
    assert corpus.ids.tolist() == stream(training, ids, None)
    assert corpus.held_out_ids.tolist() == stream(held, ids, None)
    units = sum(map(len, units_of(lines, 1000)))
    share = corpus.held_out_tokens / corpus.tokens
    assert 0 < share < 0.1 + 4 * (0.1 * 0.9 / units) ** 0.5  # 4 standard deviations
    assert not corpus.held_out_ids.flags.writeable


def test_the_seed_changes_the_choice_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("".join(f"line w{n}\n" for n in range(1000)))

    def held(seed: int) -> set[str]:
        corpus = encode(
            tmp_path / "corpus.txt",
            tmp_path / "out",
            EncodingConfig(
                tokenizer=WHITESPACE, specials=("<unk>",), unknown="keep", held_out=0.2, seed=seed
            ),
        )
        assert corpus.vocabulary["line"] == 1
        # Each line has a word of its own: the vocabulary names the lines of the training part.
        assert corpus.held_out_ids.tolist() == [1, 0, LINE_END] * (corpus.held_out_tokens // 2)
        return {f"w{n}" for n in range(1000)} - set(corpus.vocabulary)

    first, again, other = held(0), held(0), held(1)
    assert first == again
    assert all(130 < len(chosen) < 270 for chosen in (first, other))  # 200, 5.5 standard deviations of 12.6
    assert 10 < len(first & other) < 75  # 40 by chance


def test_nothing_held_out_writes_the_files_of_old(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("a b\n" * 100)
    encode(tmp_path / "corpus.txt", tmp_path / "out", EncodingConfig(tokenizer=WHITESPACE, held_out=0.5))
    corpus = encode(tmp_path / "corpus.txt", tmp_path / "out", EncodingConfig(tokenizer=WHITESPACE, seed=3))
    assert sorted(written(tmp_path / "out")) == ["encoding.json", "ids.bin", "vocabulary.tsv"]
    assert b"held_out" not in written(tmp_path / "out")["encoding.json"]
    for one in (corpus, EncodedCorpus.open(tmp_path / "out")):
        assert (one.held_out_tokens, one.held_out_ids.tolist(), one.held_out_ids.dtype) == (0, [], np.int32)
        assert not one.held_out_ids.flags.writeable


@pytest.mark.parametrize(
    ("text", "fraction", "reason"),
    [
        ("a b c\n", 1e-9, "nothing was held out of 3 tokens"),
        ("a b c\n", 1 - 1e-9, "nothing to train on was left of 3 tokens"),
        (
            "".join(f"w{n}\n" for n in range(100)),
            0.5,
            "no word of the vocabulary stands in the held-out text",
        ),
        ("\n\n", 0.5, "no tokens"),
    ],
)
def test_a_text_that_cannot_be_divided(text: str, fraction: float, reason: str, tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text(text)
    with pytest.raises(CorpusError) as caught:
        encode(
            tmp_path / "corpus.txt",
            tmp_path / "out",
            EncodingConfig(tokenizer=WHITESPACE, held_out=fraction, seed=1),
        )
    assert str(caught.value).startswith(f"{tmp_path / 'corpus.txt'}: {reason}")
    assert not list((tmp_path / "out").iterdir())


MEMORY = """
import re
from seqkit.text import EncodingConfig, Tokenizer, encode
config = EncodingConfig(tokenizer=Tokenizer("whitespace"), held_out=0.05)
corpus = encode("corpus.txt", "out", config)
peak = re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]
print(corpus.tokens, corpus.held_out_tokens, peak)
"""


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["a b c d e ", "a\n", "\n\n\n\na\n"])
def test_one_giant_line_or_millions_of_short_ones_take_bounded_memory(piece: str, tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text(piece * 3_000_000)
    command = [sys.executable, "-c", MEMORY]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    tokens, held_out, peak = map(int, done.stdout.split())
    assert tokens == 3_000_000 * len(piece.split())
    assert abs(held_out / tokens - 0.05) < 4 * (0.05 * 0.95 / (tokens / 1000)) ** 0.5
    assert peak < 256 << 10  # KB


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "corpus.txt").write_text("a b\n" * 100)
    encode(tmp_path / "corpus.txt", tmp_path / "out", EncodingConfig(tokenizer=WHITESPACE, held_out=0.5))
    monkeypatch.setattr(encoding.os, "fsync", full)
    with pytest.raises(StorageError, match="No space left on device"):
        encode(tmp_path / "corpus.txt", tmp_path / "out", EncodingConfig(tokenizer=WHITESPACE, held_out=0.5))
    with pytest.raises(MissingInputError):
        EncodedCorpus.open(tmp_path / "out")
    assert not {"ids.bin", "held_out.bin"} & set(written(tmp_path / "out"))
