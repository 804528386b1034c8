"""What the time of a skip-gram step goes into, and how far it is from the machine's ceilings.

    python benchmarks/skipgram_kernel.py

Times, on a chunk of simplewiki: making and planning it in NumPy, training it, and, by themselves, the matrix
products of its steps and the reading and writing of its rows. Beside them the rate of one large product,
which is what the processor can do at best.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from seqkit.embeddings.negative_sampling.chunks import ChunkMaker
from seqkit.embeddings.skipgram.config import Geometry, SkipGramConfig
from seqkit.embeddings.skipgram.kernel import SkipGramKernel
from seqkit.embeddings.skipgram.trainer import initial_tables
from seqkit.text import EncodingConfig, Tokenizer, encode
from seqkit.training.device import choose_device, set_threads

DATA = Path(os.environ.get("SEQKIT_DATA", Path(__file__).parents[2] / "shared" / "data"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpus", default=str(DATA / "corpora" / "simplewiki.txt.xz"))
    parser.add_argument("--vector-size", type=int, default=100)
    parser.add_argument("--window", type=int, default=5)
    parser.add_argument("--negative", type=int, default=5)
    options = parser.parse_args()
    device = choose_device()
    set_threads(device, one_per_operation=True)
    config = SkipGramConfig(
        vector_size=options.vector_size,
        window=options.window,
        negative=options.negative,
        precision="bfloat16" if device.has_bfloat16() else "float32",
    )
    with tempfile.TemporaryDirectory(prefix="seqkit-benchmark-") as folder:
        corpus = encode([options.corpus], folder, EncodingConfig(tokenizer=Tokenizer(), min_count=5))
        report(corpus, config, device.threads)


def report(corpus: Any, config: SkipGramConfig, threads: int) -> None:
    counts = corpus.vocabulary.counts
    geometry = Geometry.choose(config.window, config.negative, corpus.kept_tokens)
    maker = ChunkMaker(corpus.ids, counts, config, geometry)
    tables = initial_tables(len(counts), config)
    kernel = SkipGramKernel(tables["vectors"], tables["context"], config, geometry, threads)
    chunk = maker.make(0, 0)
    planned = kernel.plan(chunk)
    begin, end = maker.bounds(0)
    words = end - begin
    print(
        f"{geometry}, {config.precision}, {threads} threads; {chunk.kept / words:.0%} of the words are kept"
    )
    size, length, noise = config.vector_size, geometry.length, geometry.noise
    flops = 6 * size * geometry.words * (length + noise) * planned.steps
    rows = sum(int(plan["offsets"][-1]) for plan in (planned.vector_rows, planned.context_rows))
    timings = {
        "making and planning, one thread": best(lambda: kernel.plan(maker.make(0, 0))),
        "training": best(lambda: kernel.train(planned, (1e-9, 1e-9))),
        "its products alone": best(products(geometry, config, planned.steps, threads)),
        "its rows alone, read and written once": best(traffic(kernel, planned)),
    }
    for name, seconds in timings.items():
        print(f"{name:38} {seconds * 1e9 / words:6.0f} ns a word  {words / seconds / 1e6:6.2f} M words/s")
    print(f"{'products':38} {flops / timings['its products alone'] / 1e9:6.0f} GFLOP/s")
    moved = rows / timings["its rows alone, read and written once"]
    print(f"{'rows, read and written':38} {moved / 1e6:6.1f} M/s")
    for name in ("float32", "bfloat16"):
        print(f"{f'one large {name} product a thread':38} {peak(name, threads):6.0f} GFLOP/s")


def best(function: Callable[[], Any], rounds: int = 5) -> float:
    """Seconds of the fastest of some calls, after one that is not counted."""
    function()
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def products(geometry: Geometry, config: SkipGramConfig, steps: int, lanes: int) -> Callable[[], Any]:
    """The three products of each step on fixed operands, lane beside lane."""
    n, length, both = geometry.blocks // lanes, geometry.length, geometry.length + geometry.noise
    rng = np.random.default_rng(0)

    def operand(*shape: int) -> Any:
        return tf.cast(rng.standard_normal((2, *shape), np.float32), config.precision)

    x, y = operand(n, length, config.vector_size), operand(n, both, config.vector_size)

    @tf.function(autograph=False)
    def run() -> Any:
        def body(step: Any, total: Any) -> Any:
            for _ in range(lanes):
                left, right = x[step % 2], y[step % 2]
                scores = tf.matmul(left, right, transpose_b=True)
                for gradient in (tf.matmul(scores, right), tf.matmul(scores, left, transpose_a=True)):
                    total += tf.cast(gradient[0, 0, 0], tf.float32)
            return step + 1, total

        return tf.while_loop(lambda step, _: step < steps, body, [tf.constant(0), tf.constant(0.0)])

    return run


def traffic(kernel: SkipGramKernel, planned: Any) -> Callable[[], Any]:
    """Each distinct row of each step, gathered and written back."""

    @tf.function(autograph=False)
    def run() -> Any:
        def body(step: Any) -> Any:
            for table, plan in (
                (kernel.vectors, planned.vector_rows),
                (kernel.contexts, planned.context_rows),
            ):
                rows = plan["rows"][plan["offsets"][step] : plan["offsets"][step + 1]]
                tf.raw_ops.ResourceScatterUpdate(
                    resource=table.handle, indices=rows, updates=tf.gather(table, rows)
                )
            return step + 1

        return tf.while_loop(lambda step: step < planned.steps, body, [tf.constant(0)])

    return run


def peak(precision: str, threads: int) -> float:
    """GFLOP/s of one large product on each thread, all at the same time."""
    size = 2048
    matrix = tf.cast(np.random.default_rng(0).standard_normal((threads, size, size), np.float32), precision)

    @tf.function(autograph=False)
    def run() -> Any:
        return [tf.matmul(matrix[i], matrix[i])[0, 0] for i in range(threads)]

    return threads * 2 * size**3 / best(run) / 1e9


if __name__ == "__main__":
    main()
