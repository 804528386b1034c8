"""Counting against a dictionary, and the same bits however it is done."""

from __future__ import annotations

import random
import tracemalloc
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from seqkit.embeddings.cooccurrence.config import CooccurrenceConfig
from seqkit.embeddings.cooccurrence.counting import CountingConfig, count
from seqkit.embeddings.cooccurrence.counts import Cooccurrences
from seqkit.errors import CorpusError, StorageError, UsageError
from seqkit.text.corpus import LINE_END, EncodedCorpus
from seqkit.text.encoding import EncodingConfig, encode
from seqkit.text.tokenizers import Tokenizer
from seqkit.text.vocabulary import Vocabulary

GIB = 2**30
# From one stretch in one band to stretches of a few words, whose runs are merged again and again.
MEMORY = [2.0, 50_000 / GIB, 4_000 / GIB, 1e-12]

Pairs = dict[tuple[str, str], np.float32]


def corpus_of(lines: Iterable[str], folder: Path, min_count: int = 1) -> EncodedCorpus:
    text = folder / "text.txt"
    text.write_text("".join(f"{line}\n" for line in lines))
    return encode(
        [text], folder / "corpus", EncodingConfig(tokenizer=Tokenizer("whitespace"), min_count=min_count)
    )


def by_dictionary(lines: Iterable[str], config: CooccurrenceConfig, min_count: int = 1) -> Pairs:
    """The counts in exact fractions, one pair at a time, rounded once."""
    frequency = Counter(word for line in lines for word in line.split())
    counts: Counter[tuple[str, str]] = Counter()
    for line in lines:
        words = [word for word in line.split() if frequency[word] >= min_count]
        for place, word in enumerate(words):
            for distance in range(1, min(config.window, place) + 1):
                context = words[place - distance]
                weight = Fraction(1, distance) if config.weighting == "harmonic" else Fraction(1)
                counts[word, context] += weight
                if config.context == "symmetric":
                    counts[context, word] += weight
    return {pair: np.float32(float(weight)) for pair, weight in counts.items()}


def pairs_of(counts: Cooccurrences) -> Pairs:
    return {
        (word, context): np.float32(value)
        for word in counts.vocabulary
        for context, value in counts.row(word).items()
    }


def random_lines(seed: int) -> list[str]:
    """Lines of 0 to 60 words: a few frequent ones, many rare."""
    rng = random.Random(seed)
    words = [f"w{i}" for i in range(30)]
    weights = [1 / (i + 1) for i in range(30)]
    return [
        " ".join(rng.choices(words, weights, k=rng.choice([0, 1, 1, 2, 3, 7, 20, 60]))) for _ in range(60)
    ]


@pytest.mark.parametrize("weighting", ["harmonic", "uniform"])
@pytest.mark.parametrize("context", ["symmetric", "left"])
@pytest.mark.parametrize(
    "window", [1, pytest.param(2, marks=pytest.mark.slow), 5, pytest.param(16, marks=pytest.mark.slow)]
)
def test_against_a_dictionary(tmp_path: Path, window: int, context: str, weighting: str) -> None:
    lines = random_lines(window)
    config = CooccurrenceConfig(window=window, context=context, weighting=weighting)  # type: ignore[arg-type]
    corpus = corpus_of(lines, tmp_path, min_count=3)
    expected = by_dictionary(lines, config, min_count=3)
    for number, memory in enumerate(MEMORY):
        run = CountingConfig(memory=memory, threads=2)
        counts = count(corpus, tmp_path / f"counts-{number}", config, run=run)
        assert pairs_of(counts) == expected
        counts.check(tmp_path)
        assert counts.total == pytest.approx(sum(map(float, expected.values())), rel=1e-6)


def test_worked_by_hand(tmp_path: Path) -> None:
    """`a b b rare c` and `a`, window 2, a word that occurs once left out, so that c is next to b.

    Distances: a b 1, a b 2, b b 1, b c 1, b c 2; a pair of b with b counts for both of its ends.
    """
    corpus = corpus_of(["a b b rare c", "a", "c"], tmp_path, min_count=2)
    counts = count(corpus, tmp_path / "counts", CooccurrenceConfig(window=2))
    assert {word: counts.row(word) for word in "abc"} == {
        "a": {"b": 1 + 0.5},
        "b": {"a": 1 + 0.5, "b": 1 + 1, "c": 1 + 0.5},
        "c": {"b": 1 + 0.5},
    }
    assert (len(counts), counts.pairs, counts.total) == (3, 5, 8.0)
    left = count(corpus, tmp_path / "left", CooccurrenceConfig(window=2, context="left"))
    assert {word: left.row(word) for word in "abc"} == {"a": {}, "b": {"a": 1.5, "b": 1.0}, "c": {"b": 1.5}}


@pytest.mark.parametrize("context", ["symmetric", "left"])
def test_the_same_bits_for_any_memory_and_any_threads(tmp_path: Path, context: str) -> None:
    corpus = corpus_of(random_lines(0), tmp_path)
    config = CooccurrenceConfig(window=10, context=context)  # type: ignore[arg-type]
    seen = set()
    for number, (memory, threads) in enumerate((memory, n) for memory in MEMORY for n in (1, 2, 3)):
        folder = tmp_path / f"counts-{number}"
        counts = count(corpus, folder, config, run=CountingConfig(memory=memory, threads=threads))
        seen.add((counts.offsets.tobytes(), counts.columns.tobytes(), counts.values.tobytes(), counts.total))
        assert sorted(path.name for path in folder.iterdir()) == ["counts.columns", "counts.values"]
    assert len(seen) == 1


def test_symmetric_counts_are_symmetric(tmp_path: Path) -> None:
    counts = count(corpus_of(random_lines(1), tmp_path), tmp_path / "counts")
    pairs = pairs_of(counts)
    assert all(pairs[context, word] == value for (word, context), value in pairs.items())


def test_one_line_of_one_word(tmp_path: Path) -> None:
    # 50,000 times "a": distance d occurs 50,000 - d times, each counted from both ends; the sum of 1/d up to
    # 10 is 7381/2520.
    corpus = corpus_of(["a " * 50_000], tmp_path)
    expected = np.float32(2 * (50_000 * 7381 / 2520 - 10))
    for number, memory in enumerate((2.0, 1e-4)):  # the second cuts the line and the row
        counts = count(corpus, tmp_path / f"counts-{number}", run=CountingConfig(memory=memory, threads=2))
        assert counts.values.tolist() == [expected]
        assert counts.columns.tolist() == [0]
        assert counts.offsets.tolist() == [0, 1]


def test_lines_of_one_word_have_no_pairs(tmp_path: Path) -> None:
    corpus = corpus_of(["a", "", "b", "a"], tmp_path)
    with pytest.raises(CorpusError, match="no two words of the vocabulary stand on the same line"):
        count(corpus, tmp_path / "counts")


def test_a_window_beyond_the_exact_one(tmp_path: Path) -> None:
    lines = random_lines(2)
    counts = count(corpus_of(lines, tmp_path), tmp_path / "counts", CooccurrenceConfig(window=40))
    expected = by_dictionary(lines, CooccurrenceConfig(window=40))
    found = pairs_of(counts)
    assert found.keys() == expected.keys()
    for pair, value in expected.items():
        # Of 1/40, half a unit of 720720 is 40 / 1441440 = 2.8e-5.
        assert found[pair] == pytest.approx(float(value), rel=2.8e-5)


def zipf_corpus(words: int, tokens: int) -> EncodedCorpus:
    rng = np.random.default_rng(0)
    shares = np.cumsum(1 / np.arange(1, words + 1))
    ids = np.searchsorted(shares, rng.random(tokens) * shares[-1]).astype(np.int32)
    ids[rng.random(tokens) < 0.05] = LINE_END
    counts = np.bincount(ids[ids >= 0], minlength=words).astype(np.int64)
    vocabulary = Vocabulary(tuple(map(str, range(words))), counts)
    return EncodedCorpus(ids, vocabulary, tokens, int(counts.sum()), 1, "0" * 64)


def test_memory_stays_within_its_bound(tmp_path: Path) -> None:
    """Of a million words, whose windows hold 20 million contexts, 24 MB are taken."""
    corpus = zipf_corpus(2000, 1_000_000)
    tracemalloc.start()
    try:
        count(corpus, tmp_path / "small", run=CountingConfig(memory=24e6 / GIB, threads=2))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 4e6 < peak < 24e6


def test_progress_ends_at_the_number_of_words(tmp_path: Path) -> None:
    corpus = corpus_of(random_lines(3), tmp_path)
    told: list[tuple[object, ...]] = []

    class Told:
        def start(self, task: str, total: float | None, unit: str) -> None:
            told.append((task, total, unit))

        def update(self, completed: float, **metrics: float) -> None:
            told.append((completed,))

        def message(self, text: str) -> None: ...

        def finish(self) -> None:
            told.append(())

    count(corpus, tmp_path / "a", progress=Told())
    assert told[0] == ("counting", corpus.kept_tokens, "words")
    assert told[-2:] == [(corpus.kept_tokens,), ()]
    told.clear()
    count(corpus, tmp_path / "b", run=CountingConfig(memory=MEMORY[2]), progress=Told())
    merging = next(index for index, call in enumerate(told) if call and call[0] == "merging")
    assert told[merging - 2 : merging] == [(corpus.kept_tokens,), ()]
    assert told[-2:] == [(told[merging][1],), ()]
    completed = [call[0] for call in told[1 : merging - 1]]
    assert completed == sorted(completed)  # type: ignore[type-var]


def test_a_failure_in_a_thread_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from seqkit.embeddings.cooccurrence.windows import Stretch

    def fail(*arguments: object) -> None:
        raise MemoryError("planted")

    monkeypatch.setattr(Stretch, "count", fail)
    with pytest.raises(MemoryError, match="planted"):
        count(corpus_of(["a b"], tmp_path), tmp_path / "counts")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    corpus = corpus_of(["a b"], tmp_path)
    with pytest.raises(StorageError, match=r"text.txt/counts: could not write: Not a directory"):
        count(corpus, tmp_path / "text.txt" / "counts")


@pytest.mark.parametrize("memory", [0, -1, float("nan"), float("inf")])
def test_impossible_memory(memory: float) -> None:
    with pytest.raises(UsageError, match="memory must be above 0 GiB"):
        CountingConfig(memory=memory)


def test_impossible_threads() -> None:
    with pytest.raises(UsageError, match="threads must be from 1 to 512, not 0"):
        CountingConfig(threads=0)
