"""Every method at equal time, seqkit's and its peers': what quality does a minute buy?

    python benchmarks/methods.py --peer DIR                 # DIR holds Stanford's vocab_count … glove
    python benchmarks/methods.py --seconds 120              # without GloVe's peer

Each program trains once for one epoch, which tells how many fit into the time from text to vectors, and then
for that many. All get one file of tokens; settings are each method's usual ones.
"""

from __future__ import annotations

import argparse
import tempfile
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import glove
from _word2vec import DATA, Contest, Run, run_gensim, run_seqkit, score_vectors, write_tokens

from seqkit.embeddings.vectors import Vectors

COMMON = {"vector_size": 100, "min_count": 5, "sample": 1e-3}
WORD2VEC = COMMON | {"window": 5, "negative": 5}
GLOVE = {"vector_size": 100, "window": 10}
Runner = Callable[[int], Run]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpus", default=str(DATA / "corpora" / "simplewiki.txt.xz"))
    parser.add_argument("--seconds", type=float, default=60.0, help="from text to vectors, about")
    parser.add_argument("--peer", type=Path, default=None, help="folder of Stanford's programs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="seqkit-benchmark-") as folder:
        work = Path(folder)
        tokens = write_tokens(options.corpus, work / "tokens.txt")
        print(f"{'program':20} {'epochs':>6} {'seconds':>8} {'k words/s':>10} {'MiB':>7}  quality")
        for name, runner in runners(work, tokens, options.peer).items():
            first = runner(1)
            epoch = tokens / first.words_per_second
            epochs = max(1, 1 + int((options.seconds - first.whole_seconds) / epoch))
            run = runner(epochs) if epochs > 1 else first
            scores = "  ".join(f"{what} {score:.3f}" for what, score in run.scores.items())
            print(
                f"{name:20} {epochs:6} {run.whole_seconds:8.1f} {run.words_per_second / 1e3:10,.0f} "
                f"{run.peak_mib:7,.0f}  {scores}",
                flush=True,
            )


def runners(work: Path, tokens: int, peer: Path | None) -> dict[str, Runner]:
    """What trains for so many epochs, by name."""

    def word2vec(program: Callable[..., Run], method: str, sg: int, rate: float) -> Runner:
        settings = WORD2VEC | {"learning_rate": rate, "contest": Contest(method, sg, rate)}
        return lambda epochs: program(work, tokens, Namespace(**settings, epochs=epochs), epochs)

    def ours(epochs: int) -> Run:
        settings = GLOVE | {"min_count": 5, "contest": Contest("glove", 0, 1.0)}
        return run_seqkit(work, tokens, Namespace(**settings, epochs=epochs), epochs)

    def stanford(epochs: int) -> Run:
        settings = GLOVE | {"x_max": 100.0, "alpha": 0.75, "iterations": epochs, "peer": peer}
        model = glove.run_peer(work, Namespace(**settings))
        scores = score_vectors(Vectors(model.vocabulary, model.words + model.contexts))
        return Run(tokens * epochs / model.training_seconds, model.seconds, model.peak_mib, scores)

    found: dict[str, Runner] = {}
    for method, sg, rate in (("skipgram", 1, 0.025), ("cbow", 0, 0.05)):
        found[f"seqkit {method}"] = word2vec(run_seqkit, method, sg, rate)
        found[f"gensim {method}"] = word2vec(run_gensim, method, sg, rate)
    found["seqkit glove"] = ours
    if peer:
        found["Stanford glove"] = stanford
    return found


if __name__ == "__main__":
    main()
