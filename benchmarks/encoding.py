"""Text to ids: seqkit's whole encoding against gensim's vocabulary pass alone, alternating in one run.

Both get the identical token stream: the text, tokenized and lower-cased once beforehand, tokens between
spaces. gensim counts words (`scan_vocab` over `LineSentence`, one core, as it always is); seqkit counts them,
orders the vocabulary and writes the ids. The word tokenizer is timed on the raw text.

    python benchmarks/encoding.py [FILE] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from gensim.models import Word2Vec
from gensim.models.word2vec import LineSentence

from seqkit.text import EncodingConfig, Tokenizer, encode, iter_lines

DATA = Path(os.environ.get("SEQKIT_DATA", Path(__file__).parents[2] / "shared" / "data"))


def prepare(source: str, folder: Path) -> tuple[Path, Path]:
    """The raw text, decompressed, and its tokens, both as plain files."""
    raw, tokens = folder / "raw.txt", folder / "tokens.txt"
    tokenizer = Tokenizer("word")
    with open(raw, "w", encoding="utf-8") as plain, open(tokens, "w", encoding="utf-8") as cut:
        for line in iter_lines(source):
            plain.write(line + "\n")
            cut.write(" ".join(tokenizer.tokenize(line)) + "\n")
    return raw, tokens


def gensim_pass(tokens: Path) -> int:
    model = Word2Vec(vector_size=1, min_count=5)
    words, _ = model.scan_vocab(corpus_iterable=LineSentence(str(tokens)))
    return int(words)


def seqkit_pass(text: Path, folder: Path, kind: str, processes: int | None) -> int:
    tokenizer = Tokenizer(kind, lowercase=kind == "word")
    return encode(
        text, folder / "out", EncodingConfig(tokenizer=tokenizer, min_count=5), processes=processes
    ).tokens


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", default=str(DATA / "corpora" / "simplewiki.txt.xz"))
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw, tokens = prepare(arguments.file, folder)
        passes: dict[str, Callable[[], int]] = {
            "gensim vocabulary pass, 1 core": lambda: gensim_pass(tokens),
            "seqkit whitespace, 1 process": lambda: seqkit_pass(tokens, folder, "whitespace", 1),
            "seqkit whitespace, all cores": lambda: seqkit_pass(tokens, folder, "whitespace", None),
            "seqkit word, all cores": lambda: seqkit_pass(raw, folder, "word", None),
            "seqkit word, all cores, as given": lambda: seqkit_pass(arguments.file, folder, "word", None),
        }
        rates: dict[str, list[float]] = {name: [] for name in passes}
        for _ in range(arguments.rounds):
            for label, run in passes.items():
                start = time.perf_counter()
                words = run()
                rates[label].append(words / (time.perf_counter() - start) / 1e6)
    baseline, *ours = ((label, statistics.median(values)) for label, values in rates.items())
    print(f"{words:,} tokens, medians of {arguments.rounds} rounds, Python {sys.version.split()[0]}")
    print(f"{baseline[0]:34} {baseline[1]:6.2f} M tokens/s")
    for label, rate in ours:
        print(f"{label:34} {rate:6.2f} M tokens/s   {rate / baseline[1]:.2f} x gensim")


if __name__ == "__main__":
    main()
