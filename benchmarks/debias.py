"""Removing a bias: time and memory of every method, and of `hard` against a loop over words.

The vectors are random, as many and as long as those of a usual set. Times depend little on their values, but
for how many classifiers INLP needs (random words have no bias that could be found twice) and how soon k-means
ends. The loop is the paper's two steps as the first implementations have them: a word at a time, in NumPy.

The commands `apply --method hard`, `audit` and `compare` are timed from start to end, as a user sees them; in
their memory are the vocabulary, the libraries and what was read of the mapped files, too.

    python benchmarks/debias.py [--words 400000] [--size 300] [--methods hard soft ...] [--rounds 3]
    python benchmarks/debias.py --quality VECTORS

The second prints what each method leaves of the bias of real vectors, and what it costs.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from seqkit.debias import METHODS, Subspace, apply
from seqkit.debias.word_sets import WordSets, word_sets
from seqkit.embeddings.vectors import Vectors

PAGE = os.sysconf("SC_PAGE_SIZE")


def random_vectors(sets: WordSets, words: int, size: int) -> Vectors:
    """Normal vectors for all words of a set, and for others up to a number."""
    tests = [word for test in sets.weat.values() for part in vars(test).values() for word in part]
    listed = [*sets.protected, *sets.professions, *sets.positive, *sets.negative, *tests]
    names = list(dict.fromkeys(listed))
    names += [f"w{index}" for index in range(words - len(names))]
    rng = np.random.default_rng(0)
    return Vectors(names, rng.standard_normal((words, size), np.float32))


def resident() -> int:
    """Bytes of this process in memory."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * PAGE


class Peak:
    """The most memory that this process has while a block runs, looked at every 5 ms."""

    def __enter__(self) -> Peak:
        gc.collect()
        self.bytes, self._over = resident(), threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.005):
            self.bytes = max(self.bytes, resident())


def by_loop(vectors: Vectors, sets: WordSets, subspace: Subspace) -> dict[str, np.ndarray]:
    """Neutralizes and equalizes word by word."""

    def unit(row: np.ndarray) -> np.ndarray:
        return row / np.linalg.norm(row)

    def projected(row: np.ndarray) -> np.ndarray:
        return sum(np.dot(row, axis) * axis for axis in subspace.basis)

    protected = sets.protected
    result = {word: unit(vectors[word]) for word in vectors.words}
    for word in vectors.words:
        if word not in protected:
            row = result[word]
            result[word] = unit(row - projected(row))
    for group in sets.equalize:
        mean = np.mean([result[word] for word in group], axis=0)
        nu = mean - projected(mean)
        for word in group:
            apart = projected(result[word]) - projected(mean)
            result[word] = nu + np.sqrt(1 - np.linalg.norm(nu) ** 2) * unit(apart)
    return result


# Not ru_maxrss, which a process has from the one that started it.
RUN = """
import pathlib, re, sys
from seqkit.cli.main import main
code = main()
status = pathlib.Path("/proc/self/status").read_text()
pathlib.Path("peak").write_text(re.search(r"VmHWM:\\s+([0-9]+) kB", status)[1])
sys.exit(code)
"""


def commands(vectors: Vectors, matrix: int) -> None:
    """Prints time and memory of whole commands."""
    with tempfile.TemporaryDirectory() as folder:
        vectors.save(f"{folder}/plain")
        for line in (["apply", "plain", "-o", "fair"], ["audit", "plain"], ["compare", "plain", "fair"]):
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, "-c", RUN, "debias", *line, "--quiet"],
                cwd=folder, stdout=subprocess.DEVNULL, check=True,
            )  # fmt: skip
            seconds = time.perf_counter() - start
            peak = 1024 * int(Path(folder, "peak").read_text()) / matrix
            print(
                f"seqkit debias {line[0]:8} {seconds:5.2f} s   at most {peak:.2f} matrices in memory",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--words", type=int, default=400_000)
    parser.add_argument("--size", type=int, default=300)
    parser.add_argument("--methods", nargs="*", default=list(METHODS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-loop", action="store_true", help="leave out the loop over words")
    parser.add_argument("--no-commands", action="store_true", help="leave out the whole commands")
    parser.add_argument(
        "--quality", metavar="VECTORS", help="measure what is left instead, and what it costs"
    )
    arguments = parser.parse_args()
    if arguments.quality:
        from _debias_quality import quality

        quality(arguments.quality)
        return
    sets = word_sets("gender")
    vectors = random_vectors(sets, arguments.words, arguments.size)
    matrix, cores = vectors.matrix.nbytes, len(os.sched_getaffinity(0))
    _ = "she" in vectors
    print(f"{arguments.words:,} x {arguments.size}, {matrix / 1e6:,.0f} MB, {cores} cores")
    hard = None
    for method in arguments.methods:
        times, peaks = [], []
        for _round in range(arguments.rounds):
            before = resident() - matrix
            with Peak() as peak:
                start = time.perf_counter()
                done = apply(vectors, sets, method)
                times.append(time.perf_counter() - start)
            peaks.append((peak.bytes - before) / matrix)
            subspace = done.subspace
            del done
        if method == "hard":
            hard = statistics.median(times)
        print(
            f"{method:12} {statistics.median(times):7.2f} s   at most {max(peaks):.2f} matrices in memory",
            flush=True,
        )
    if not arguments.no_loop:
        start = time.perf_counter()
        by_loop(vectors, sets, subspace)
        seconds = time.perf_counter() - start
        faster = "" if hard is None else f"   {seconds / hard:.0f} times that of hard"
        print(f"{'word by word':12} {seconds:7.2f} s{faster}")
    if not arguments.no_commands:
        commands(vectors, matrix)


if __name__ == "__main__":
    main()
