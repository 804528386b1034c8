"""GloVe against the Stanford programs: the same tokens, the same weights, from text to vectors.

    python benchmarks/glove.py --peer DIR                   # DIR holds vocab_count, cooccur, shuffle, glove
    python benchmarks/glove.py --peer DIR --epochs 3 6 --iterations 15

Both get one file of tokens, a paragraph a line. The peer's four programs run one after another on all
threads, `seqkit embed train --method glove` once for each number of epochs. The cost is then computed here,
alike for both, from the tables that each saved and the peer's file of counts: ½ f(X) (…)² of a pair, the
mean. Absolute times depend on the machine; the ratios are what to look at.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _word2vec import DATA, score_vectors, timed, write_tokens
from numpy.typing import NDArray

from seqkit.embeddings.vectors import Vectors
from seqkit.text.vocabulary import Vocabulary

Floats = NDArray[np.float32]
RECORD = np.dtype([("i", "<i4"), ("j", "<i4"), ("x", "<f8")])
PART = 1 << 20
"""Pairs whose cost is computed at a time."""


@dataclass(frozen=True)
class Model:
    """Tables and biases of words and contexts, and how long they took: from text to disk, and to train."""

    name: str
    vocabulary: Vocabulary
    words: Floats
    word_bias: Floats
    contexts: Floats
    context_bias: Floats
    seconds: float
    training_seconds: float
    peak_mib: float


def main() -> None:
    options = parse()
    with tempfile.TemporaryDirectory(prefix="seqkit-benchmark-") as folder:
        work = Path(folder)
        write_tokens(options.corpus, work / "tokens.txt")
        peer = run_peer(work, options)
        report(peer, work, options, None)
        for epochs in options.epochs:
            report(run_seqkit(work, options, epochs), work, options, peer.seconds)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--peer", type=Path, required=True, help="folder of the four programs")
    parser.add_argument("--corpus", default=str(DATA / "corpora" / "simplewiki.txt.xz"))
    parser.add_argument("--epochs", type=int, nargs="+", default=[3, 6], help="of seqkit")
    parser.add_argument("--iterations", type=int, default=15, help="of the peer")
    parser.add_argument("--vector-size", type=int, default=100)
    parser.add_argument("--window", type=int, default=10)
    parser.add_argument("--x-max", type=float, default=100.0)
    parser.add_argument("--alpha", type=float, default=0.75)
    return parser.parse_args()


def run_peer(work: Path, options: argparse.Namespace) -> Model:
    """The four programs; prints what each took, and the cost after each iteration."""
    threads, began = str(os.cpu_count()), time.perf_counter()
    quiet, peer = ("-verbose", "0"), options.peer
    steps = (
        ([peer / "vocab_count", "-min-count", "5", *quiet], "tokens.txt", "vocab.txt"),
        (
            [peer / "cooccur", "-vocab-file", "vocab.txt", "-window-size", str(options.window), *quiet],
            "tokens.txt",
            "counts.bin",
        ),
        ([peer / "shuffle", *quiet], "counts.bin", "shuffled.bin"),
    )
    for command, source, target in steps:
        step = time.perf_counter()
        with open(work / source, "rb") as stdin, open(work / target, "wb") as stdout:
            subprocess.run(
                command, stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL, cwd=work, check=True
            )
        print(f"{Path(command[0]).name:12} {time.perf_counter() - step:6.1f} s", flush=True)
    command = [peer / "glove", "-input-file", "shuffled.bin", "-vocab-file", "vocab.txt", "-model", "0"]
    command += ["-save-file", "peer", "-threads", threads, "-iter", str(options.iterations), "-verbose", "2"]
    command += ["-vector-size", str(options.vector_size), "-x-max", str(options.x_max)]
    command += ["-alpha", str(options.alpha)]
    counted = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, cwd=work, text=True)
    for line in process.stderr or ():
        if found := re.search(r"iter: (\d+), cost: ([\d.]+)", line):
            print(f"  iteration {found[1]}: cost {found[2]}, {time.perf_counter() - began:.1f} s", flush=True)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[0]} ended with status {status}")
    ended = time.perf_counter()
    vocabulary, table = read_peer(work, 2 * (options.vector_size + 1))
    halves = np.split(table, 2, axis=1)
    return Model(
        "peer",
        vocabulary,
        *(np.ascontiguousarray(part) for half in halves for part in (half[:, :-1], half[:, -1])),
        ended - began,
        ended - counted,
        usage.ru_maxrss / 1024,
    )


def read_peer(work: Path, width: int) -> tuple[Vocabulary, Floats]:
    """Its vocabulary, and the rows of its text file, without that of the unknown word."""
    lines = (line.rsplit(" ", 1) for line in (work / "vocab.txt").read_text("utf-8").splitlines())
    words, counts = zip(*lines, strict=True)
    table = np.empty((len(words), width), np.float32)
    with open(work / "peer.txt", encoding="utf-8") as file:
        for row, line in zip(table, file, strict=False):
            row[:] = np.array(line.split(" ")[1:], np.float32)
    return Vocabulary(words, np.array(counts, np.int64)), table


def run_seqkit(work: Path, options: argparse.Namespace, epochs: int) -> Model:
    bundle = work / f"seqkit-{epochs}"
    command = [sys.executable, "-m", "seqkit.cli", "embed", "train", "tokens.txt", "-o", str(bundle)]
    command += ["--method", "glove", "--tokenizer", "whitespace", "--keep-case", "--quiet", "--json"]
    names = ("vector_size", "window", "x_max", "alpha")
    command += [f"--{name.replace('_', '-')}={getattr(options, name)}" for name in names]
    answer, seconds, peak = timed([*command, f"--epochs={epochs}"], work)
    vectors = Vectors.load(bundle)
    names = ("words", "word_bias", "contexts", "context_bias")
    tables = (np.asarray(vectors.model[name]) for name in names)
    return Model(f"seqkit, {epochs} epochs", vectors.vocabulary, *tables, seconds, answer["seconds"], peak)


def report(model: Model, work: Path, options: argparse.Namespace, peer_seconds: float | None) -> None:
    scores = score_vectors(Vectors(model.vocabulary, model.words + model.contexts))
    figures = "  ".join(f"{name} {value:.3f}" for name, value in scores.items())
    faster = f"  {peer_seconds / model.seconds:.2f} times as fast" if peer_seconds else ""
    print(
        f"{model.name}: {model.seconds:.1f} s from text to vectors{faster}  cost "
        f"{cost(model, work, options):.5f}  peak {model.peak_mib:,.0f} MiB  {figures}",
        flush=True,
    )


def cost(model: Model, work: Path, options: argparse.Namespace) -> float:
    """½ f(X) (θ·e + b + b' - log X)², the mean over all pairs."""
    words = (line.split(" ")[0] for line in (work / "vocab.txt").read_text("utf-8").splitlines())
    ids = np.array([model.vocabulary[word] for word in words])  # the two sort ties differently
    total, pairs = 0.0, 0
    for record in records(work / "counts.bin"):
        i, j, x = ids[record["i"] - 1], ids[record["j"] - 1], record["x"]
        scores = np.einsum("pd,pd->p", model.words[i], model.contexts[j])
        difference = scores + model.word_bias[i] + model.context_bias[j] - np.log(x)
        f = np.minimum(1, x / options.x_max) ** options.alpha
        total, pairs = total + 0.5 * float(f @ difference**2), pairs + len(x)
    return total / pairs


def records(path: Path) -> Iterator[NDArray[np.void]]:
    """The peer's counts, some at a time."""
    with open(path, "rb") as file:
        while len(part := np.fromfile(file, RECORD, PART)):
            yield part


if __name__ == "__main__":
    main()
