"""One method of seqkit against gensim's word2vec: what `skipgram.py` and `cbow.py` share.

Both programs get one file of tokens, a paragraph a line, and both are whole processes from that file to saved
vectors: here `seqkit embed train`, there a script of `gensim.models.Word2Vec(corpus_file=…)` with as many
workers as cores. Speeds count corpus tokens times epochs, before sub-sampling, by the seconds that each
program says its training took. Absolute figures depend on the machine; the ratios are what to look at.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from seqkit.embeddings.evaluation import evaluate
from seqkit.embeddings.vectors import Vectors
from seqkit.text.sources import iter_lines
from seqkit.text.tokenizers import Tokenizer

DATA = Path(os.environ.get("SEQKIT_DATA", Path(__file__).parents[2] / "shared" / "data"))

GENSIM = """
import json, sys
from gensim.models import Word2Vec
tokens, output, settings = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
model = Word2Vec(corpus_file=tokens, **settings)
model.wv.save_word2vec_format(output, binary=True)
print(json.dumps({"seconds": model.total_train_time}))
"""


@dataclass(frozen=True)
class Contest:
    """A method under its two names.

    Args:
        method: of `seqkit embed train`.
        sg: of gensim.
        learning_rate: of both.
    """

    method: str
    sg: int
    learning_rate: float


@dataclass(frozen=True)
class Run:
    """One training by one program."""

    words_per_second: float
    whole_seconds: float
    peak_mib: float
    scores: dict[str, float]


def main(contest: Contest, description: str | None) -> None:
    """Runs both programs in turns, seed by seed, and prints speed, quality and memory."""
    options = parse(contest, description)
    with tempfile.TemporaryDirectory(prefix="seqkit-benchmark-") as folder:
        work = Path(folder)
        tokens = write_tokens(options.corpus, work / "tokens.txt")
        runs: dict[str, list[Run]] = {"gensim": [], "seqkit": []}
        for seed in range(options.seeds):
            for program, runner in (("gensim", run_gensim), ("seqkit", run_seqkit)):
                run = runner(work, tokens, options, seed)
                runs[program].append(run)
                scores = "  ".join(f"{name} {score:.3f}" for name, score in run.scores.items())
                print(
                    f"seed {seed}  {program:6}  {run.words_per_second / 1e3:7,.0f} k words/s  whole command "
                    f"{run.whole_seconds:6.1f} s  peak {run.peak_mib:5,.0f} MiB  {scores}",
                    flush=True,
                )
        summarise(runs)


def parse(contest: Contest, description: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpus", default=str(DATA / "corpora" / "simplewiki.txt.xz"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--vector-size", type=int, default=100)
    parser.add_argument("--window", type=int, default=5)
    parser.add_argument("--negative", type=int, default=5)
    parser.add_argument("--min-count", type=int, default=5)
    parser.add_argument("--sample", type=float, default=1e-3)
    parser.add_argument("--learning-rate", type=float, default=contest.learning_rate)
    parser.set_defaults(contest=contest)
    return parser.parse_args()


def write_tokens(corpus: str, path: Path) -> int:
    """Writes the corpus as tokens separated by spaces; returns how many there are."""
    tokenizer, count = Tokenizer("word"), 0
    with open(path, "w", encoding="utf-8") as file:
        for line in iter_lines([corpus]):
            if tokens := tokenizer.tokenize(line):
                count += len(tokens)
                file.write(" ".join(tokens) + "\n")
    print(f"{count:,} tokens of {corpus}, {os.cpu_count()} cores", flush=True)
    return count


def run_gensim(work: Path, tokens: int, options: argparse.Namespace, seed: int) -> Run:
    output = work / f"gensim-{options.contest.method}-{seed}.bin"
    names = ("vector_size", "window", "negative", "min_count", "sample", "epochs")
    settings = {name: getattr(options, name) for name in names} | {
        "sg": options.contest.sg,
        "alpha": options.learning_rate,
        "seed": seed + 1,
        "workers": os.cpu_count(),
    }
    command = [sys.executable, "-c", GENSIM, str(work / "tokens.txt"), str(output), json.dumps(settings)]
    answer, seconds, peak = timed(command, work)
    scores = score_vectors(Vectors.load(output))
    return Run(tokens * options.epochs / answer["seconds"], seconds, peak, scores)


def run_seqkit(work: Path, tokens: int, options: argparse.Namespace, seed: int) -> Run:
    bundle = work / f"{options.contest.method}-{seed}"
    names = ("vector_size", "window", "negative", "min_count", "sample", "epochs", "learning_rate")
    settings = [f"--method={options.contest.method}"]
    settings += [
        f"--{name.replace('_', '-')}={value}" for name, value in vars(options).items() if name in names
    ]
    command = [
        sys.executable,
        "-m",
        "seqkit.cli",
        "embed",
        "train",
        str(work / "tokens.txt"),
        "-o",
        str(bundle),
    ]
    command += ["--tokenizer", "whitespace", "--keep-case", f"--seed={seed}", "--quiet", "--json", *settings]
    answer, seconds, peak = timed(command, work)
    if answer["words"] != tokens:
        raise SystemExit(f"seqkit counted {answer['words']:,} tokens, the file has {tokens:,}")
    return Run(answer["words_per_second"], seconds, peak, score_vectors(Vectors.load(bundle)))


def timed(command: list[str], work: Path) -> tuple[dict[str, float], float, float]:
    """Runs a command; its JSON answer, its seconds, and the peak memory of its largest process in MiB."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=work)
    output = process.stdout.read() if process.stdout else b""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        raise SystemExit(f"{command} ended with status {status}")
    return json.loads(output.splitlines()[-1]), seconds, usage.ru_maxrss / 1024


def score_vectors(vectors: Vectors) -> dict[str, float]:
    """On WordSim-353, SimLex-999 and Google's analogies."""
    sets = DATA / "wordsim"
    scores = evaluate(
        vectors,
        similarity=[sets / "wordsim353.tsv", sets / "simlex999.tsv"],
        analogies=[sets / "questions-words.txt"],
    )
    return {
        "WordSim-353": scores["similarity"]["wordsim353"]["spearman"],
        "SimLex-999": scores["similarity"]["simlex999"]["spearman"],
        "analogies": scores["analogies"]["questions-words"]["accuracy"],
    }


def summarise(runs: dict[str, list[Run]]) -> None:
    """Means over the seeds, and seqkit by gensim, pair by pair."""
    ours, theirs = runs["seqkit"], runs["gensim"]
    pairs = list(zip(ours, theirs, strict=True))
    speed = [a.words_per_second / b.words_per_second for a, b in pairs]
    whole = [b.whole_seconds / a.whole_seconds for a, b in pairs]
    print()
    for what, ratios in (("training speed", speed), ("whole command", whole)):
        median = statistics.median(ratios)
        print(f"{what:14} {median:.2f} times gensim's (median; {min(ratios):.2f} to {max(ratios):.2f})")
    for name in ours[0].scores:
        mine, other = (statistics.mean(run.scores[name] for run in group) for group in (ours, theirs))
        print(f"{name:12} seqkit {mine:.4f}  gensim {other:.4f}  difference {mine - other:+.4f}")
    peaks = [max(run.peak_mib for run in group) for group in (ours, theirs)]
    print(f"peak memory  seqkit {peaks[0]:,.0f} MiB  gensim {peaks[1]:,.0f} MiB")
