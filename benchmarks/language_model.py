"""Language models against PyTorch: training and sampling speed in turns, and perplexity of as many epochs.

    python benchmarks/language_model.py                            # speed of training and of sampling
    python benchmarks/language_model.py --tasks word --rounds 5 --seconds 4
    python benchmarks/language_model.py --tasks word --epochs 1 --tokens 200000 --seeds 3 --rate 5
                                                # perplexity: both by the same SGD from the same weights
    python benchmarks/language_model.py --equal-time word dinos --rates 20 5
                                                # perplexity of the test text at equal time
    python benchmarks/language_model.py --kenlm KENLM/build/bin      # 5-grams, beside those of KenLM

The peer is the model of PyTorch's word_language_model example (embedding, LSTM, softmax, plain SGD with
gradients cut at norm 0.25), written anew with the same sizes, batches and text; install PyTorch beside
seqkit. "word" is 2 layers of 200 units, 20 x 35 tokens, tied, dropout 0.2, words of wiki.train that occur
three times (33,000 where text is written); "small" the same with the 10,000 words of Zaremba et al. 2014;
"character" is 2 of 256, 64 x 64, on tinyshakespeare. Sampling writes one text, or 64 at once, with the state
carried from word to word; Keras does it by `predict`. Each contestant (`_language_model.py`) is a process of
its own; in a round each runs for `--seconds`, one after the other, and ratios are taken
round by round. Absolute figures depend on the machine; the ratios are what to look at.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

KINDS = ("word", "small", "character")
TASKS = ("word", "character", *(f"sample-{kind}-{number}" for kind in KINDS for number in (1, 64)))
RATE = 20.0
"""The learning rate of PyTorch's example."""

RECIPES = {
    "word": "--preset words --tokenizer whitespace --min-count 3",
    "character": "--preset char --epochs 5",
    "dinos": "--level character --lines --layers 1 --units 128 --dropout 0.3 --learning-rate 0.005",
}
"""What seqkit is trained by at equal time."""

GOALS = {"word": 1.5, "character": 1.2}
SAMPLING_GOALS = {"PyTorch": 3.0, "Keras": 20.0}


class Worker:
    """A contestant's process."""

    def __init__(self, program: str, task: str, tokens: int | None, seed: int, rate: float) -> None:
        script = Path(__file__).with_name("_language_model.py")
        command = [sys.executable, str(script), program, task, *map(str, (tokens or 0, seed, rate))]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        self.start = self._answer()

    def ask(self, **order: float) -> dict[str, float]:
        """What the contestant answers to an order: `seconds` of steps, or one `epoch`."""
        assert self._process.stdin
        print(json.dumps(order), file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, float]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"a contestant failed: {self._process.args}")
        figures: dict[str, float] = json.loads(line)
        return figures

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def speed(task: str, programs: list[str], rounds: int, seconds: float) -> dict[str, Any]:
    """Tokens a second of each program, round by round, and what seqkit's are of the others'."""
    workers = {program: Worker(program, task, None, 0, RATE) for program in programs}
    found: dict[str, list[float]] = {program: [] for program in programs}
    for _ in range(rounds):
        for program, worker in workers.items():
            figures = worker.ask(seconds=seconds)
            found[program].append(figures["tokens"] / figures["seconds"])
    result: dict[str, Any] = {"task": task, "first step": {}, "tokens/s": {}, "ratio": {}}
    for program, worker in workers.items():
        result["first step"][program] = worker.start["first"]
        result["tokens/s"][program] = statistics.median(found[program])
        worker.close()
        if program != "seqkit":
            ratios = sorted(a / b for a, b in zip(found["seqkit"], found[program], strict=True))
            result["ratio"][program] = [statistics.median(ratios), ratios[0], ratios[-1]]
    return result


def report(result: dict[str, Any]) -> None:
    """Prints the figures of a task."""
    task = result["task"]
    for program, tokens in result["tokens/s"].items():
        first = result["first step"][program]
        line = f"{task:20} {program:8} {tokens:12,.0f} tokens/s   first step {first:5.1f} s"
        if program in result["ratio"]:
            median, low, high = result["ratio"][program]
            goal = GOALS.get(task) if program == "PyTorch" else None
            goal = SAMPLING_GOALS[program] if task.startswith("sample") else goal
            line += f"   seqkit {median:.2f} times ({low:.2f} to {high:.2f})"
            line += f", goal {goal}" if goal else ""
        print(line)


def perplexities(task: str, programs: list[str], options: argparse.Namespace) -> None:
    """Prints the perplexity on held-out text after each epoch, by the same recipe, one after the other."""
    for seed in range(options.seeds):
        for program in programs:
            worker = Worker(program, task, options.tokens, seed, options.rate)
            for epoch in range(1, options.epochs + 1):
                figures = worker.ask(epoch=epoch)
                print(
                    f"{task:10} {program:8} seed {seed} epoch {epoch}: "
                    f"perplexity {figures['perplexity']:.2f} after {figures['seconds']:.0f} s of training",
                    flush=True,
                )
            worker.close()


def at_equal_time(task: str, rates: list[float], budget: int | None) -> None:
    """Prints what a recipe reaches on the test text, and what PyTorch does in the time that this took.

    That time is counted in tokens, by PyTorch's speed: what else the machine does meanwhile favours neither.
    PyTorch tries each rate for a tenth of its tokens, and goes on with the one that validates better.
    """
    import _language_model as contestants

    def told(perplexity: float) -> str:
        return f"perplexity {perplexity:.2f}, {math.log2(perplexity):.3f} bits a token"

    with tempfile.TemporaryDirectory() as folder:
        paths = {name: str(Path(folder, name)) for name in ("train", "valid", "test")}
        for path, words in zip(paths.values(), contestants.parts(task), strict=True):
            joined = " ".join(words).replace(" <eos> ", "\n") if task == "word" else "".join(words)
            Path(path).write_text(joined.removesuffix(" <eos>") + "\n", encoding="utf-8")
        command = [paths["train"], "--valid", paths["valid"], *RECIPES[task].split()]
        trained = _seqkit("train", *command, "-o", f"{folder}/bundle")
        ours = _seqkit("score", f"{folder}/bundle", paths["test"])["perplexity"]
    seconds = trained["seconds"]
    print(
        f"{task} seqkit, {RECIPES[task]}: test {told(ours)}, {trained['epochs']} epochs in {seconds:.0f} s",
        flush=True,
    )
    workers = {rate: Worker("PyTorch", task, None, 0, rate) for rate in rates}
    if budget is None:
        clock = Worker("PyTorch", task, None, 0, rates[0])
        found = clock.ask(seconds=10)
        clock.close()
        budget = int(seconds * found["tokens"] / found["seconds"])
    tried = {rate: worker.ask(tokens=budget // 10)["valid"] for rate, worker in workers.items()}
    best = min(tried, key=lambda rate: tried[rate])
    theirs = workers[best].ask(tokens=budget - budget // 10)["perplexity"]
    for worker in workers.values():
        worker.close()
    print(
        f"{task} PyTorch, rate {best:g} of {', '.join(f'{rate:g}' for rate in rates)}: test {told(theirs)}, "
        f"{budget:,} tokens; perplexity of seqkit's {ours / theirs:.3f} of it"
    )


def _seqkit(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "seqkit.cli", "lm", *arguments, "--json"]
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    answer: dict[str, Any] = json.loads(found)
    return answer


def ngrams(kenlm: Path) -> None:
    """Prints speed and perplexity of 5-grams of wiki.train on wiki.valid, and KenLM's perplexity."""
    from _language_model import text

    from seqkit.language_model.ngram import NGram, count
    from seqkit.language_model.scoring import lines_of

    train, valid, vocabulary = text("word", 0)
    began = time.perf_counter()
    tables = count(train, vocabulary, 5)
    counted = time.perf_counter() - began
    model = NGram(tables)
    began = time.perf_counter()
    perplexity = np.exp(-np.log(model.probabilities(valid)).mean())
    speed = len(valid) / (time.perf_counter() - began)
    print(f"seqkit: perplexity {perplexity:.3f}; counted in {counted:.1f} s, {speed:,.0f} tokens/s scored")
    with tempfile.TemporaryDirectory() as folder:
        for name, ids in (("train", train), ("valid", valid)):
            rows = (" ".join(f"w{word}" for word in line[:-1]) for line in lines_of(ids))
            Path(folder, name).write_text("".join(f"{row}\n" for row in rows))
        with Path(folder, "train").open() as read, Path(folder, "arpa").open("w") as write:
            command = [str(kenlm / "lmplz"), "-o", "5", "-S", "2G", "-T", folder]
            subprocess.run(command, stdin=read, stdout=write, stderr=subprocess.DEVNULL, check=True)
        with Path(folder, "valid").open() as read:
            command = [str(kenlm / "query"), "-v", "summary", f"{folder}/arpa"]
            found = subprocess.run(command, stdin=read, capture_output=True, text=True, check=True).stdout
    print(f"KenLM: {found.splitlines()[0]}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--epochs", type=int, default=0, help="compare perplexity, not speed")
    parser.add_argument(
        "--tokens",
        type=int,
        default=None,
        help="of the text, a quarter as many to validate on; all by default",
    )
    parser.add_argument("--seeds", type=int, default=1, help="perplexities from so many first weights")
    parser.add_argument("--rate", type=float, default=RATE, help="learning rate of the SGD")
    parser.add_argument("--equal-time", nargs="+", choices=RECIPES, help="compare perplexity at equal time")
    parser.add_argument("--rates", type=float, nargs="+", default=[RATE, 5.0], help="of PyTorch")
    parser.add_argument("--budget", type=int, help="tokens for PyTorch at equal time; measured by default")
    parser.add_argument("--kenlm", type=Path, help="folder of lmplz and query: compare 5-grams, nothing else")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.kenlm:
        ngrams(options.kenlm)
        return
    if options.equal_time:
        for task in options.equal_time:
            at_equal_time(task, options.rates, options.budget)
        return
    has_torch = importlib.util.find_spec("torch") is not None
    if not has_torch:
        print("PyTorch is not installed: seqkit runs alone", file=sys.stderr)
    programs = ["seqkit", *(["PyTorch"] if has_torch else [])]
    if options.epochs:
        for task in (task for task in options.tasks if not task.startswith("sample")):
            perplexities(task, programs, options)
        return
    for task in options.tasks:
        contestants = [*programs, "Keras"] if task.startswith("sample") else programs
        result = speed(task, contestants, options.rounds, options.seconds)
        print(json.dumps(result), flush=True) if options.json else report(result)


if __name__ == "__main__":
    main()
