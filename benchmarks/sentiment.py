"""Classifying sentiment: how right each family of models is on the standard sets, and how fast.

Sets are in the folder `sentiment` of SEQKIT_DATA. Word vectors come from `seqkit embed train`, a language
model from `seqkit lm train`, both on text without labels and outside the test sets. Nothing is asked of a
test set without --test: all else is tried on inner splits of what may be learned. fastText is built by hand;
its program is the argument of --peer, and learns the same splits.

    python benchmarks/sentiment.py imdb mr --models linear average --peer ./fasttext --vectors VECTORS
    python benchmarks/sentiment.py --speed BUNDLE --peer ./fasttext

A line of the table is a set and a model: accuracy on all texts asked with its bootstrap interval of 95%, the
mean and the standard deviation over seeds where there are several, seconds to train one model, texts asked a
second (reading of files not counted).
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import _sentiment as parts
import numpy as np

from seqkit.embeddings.initial import Initial
from seqkit.sentiment.dataset import Dataset
from seqkit.sentiment.evaluation.evaluate import evaluate_probabilities
from seqkit.sentiment.models.contract import Resources

HEADERS = ("set", "model", "accuracy", "macro F1", "seeds", "training, s", "texts/s")

ROUNDS = 5
CLASSIFY = (sys.executable, "-m", "seqkit.cli", "sentiment", "classify")

Answers = Callable[[Any], np.ndarray]


def trained(
    arguments: argparse.Namespace, name: str, model: str, split: parts.Split, seed: int, folder: Path
) -> Any:
    """What answers, and the seconds that training took."""
    if model == "fasttext":
        threads = ["-thread", str(arguments.threads)]
        return parts.FastText(arguments.peer, [*parts.PEERS[name], *threads]).fit(split, seed, folder)
    began = time.monotonic()
    found = parts.fitted(split, parts.recipes(name)[model], arguments.resources, seed)
    return (lambda dataset: found.predict(dataset.texts)), time.monotonic() - began


def row(arguments: argparse.Namespace, name: str, model: str) -> list[str]:
    """A line of the table."""
    splits = parts.test_splits(name) if arguments.test else parts.dev_splits(name)
    accuracies, seconds, speeds, figures = [], [], [], {}
    for seed in range(arguments.seeds):
        given, targets = [], []
        for split in splits:
            with parts.scratch() as folder:
                answers, took = trained(arguments, name, model, split, seed, Path(folder))
                began = time.monotonic()
                given.append(answers(split.asked))
                speeds.append(len(split.asked) / (time.monotonic() - began))
            targets.append(split.asked.targets)
            seconds.append(took)
        found = evaluate_probabilities(
            np.concatenate(given), np.concatenate(targets), splits[0].asked.labels, seed=seed
        )
        figures = figures or found.figures
        accuracies.append(found.figures["accuracy"].value)
    accuracy, f1 = (figures[key] for key in ("accuracy", "macro_f1"))
    spread = f", sd {statistics.stdev(accuracies):.2%}" if len(accuracies) > 1 else ""
    return [
        name,
        model,
        f"{statistics.mean(accuracies):.2%} ({accuracy.low:.1%} to {accuracy.high:.1%}{spread})",
        f"{f1.value:.3f}",
        str(arguments.seeds),
        f"{statistics.mean(seconds):.1f}",
        f"{statistics.median(speeds):,.0f}",
    ]


def table(arguments: argparse.Namespace) -> None:
    """Prints lines as they are done."""
    print(f"| {' | '.join(HEADERS)} |\n{'|---' * len(HEADERS)}|", flush=True)
    for name in arguments.sets:
        known = [*parts.recipes(name), *(["fasttext"] if arguments.peer else [])]
        for model in arguments.models or known:
            recipe = parts.recipes(name).get(model)
            if model not in known or (recipe and not recipe.has_all(arguments.resources)):
                print(
                    f"{name}, {model}: no such model; or --vectors, --lm or --peer is missing",
                    file=sys.stderr,
                )
                continue
            print(f"| {' | '.join(row(arguments, name, model))} |", flush=True)


def speed(arguments: argparse.Namespace) -> None:
    """Prints how many texts a second whole commands label, and how long the first takes; they take turns."""
    train, test = parts.load("imdb.train.tsv.xz"), parts.load("imdb.test.tsv.xz")
    texts = [*test.texts, *parts.unlabelled()]
    with parts.scratch() as name:
        folder = Path(name)
        (folder / "plain.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
        (folder / "one.txt").write_text("a good film\n", encoding="utf-8")
        lines = {
            f"seqkit sentiment classify {bundle}": (
                [*CLASSIFY, str(Path(bundle).resolve()), "--file"],
                "plain.txt",
            )
            for bundle in arguments.speed
        }
        if arguments.peer:
            program = parts.FastText(arguments.peer, parts.PEERS["imdb"])
            program.fit(parts.Split(train, 0.1, test), 0, folder)
            parts.write_cut(Dataset(texts, np.zeros(len(texts), np.int32), test.labels), folder / "cut.txt")
            line = [arguments.peer, "predict", "model.bin"]
            lines["fastText predict, texts as they stand"] = (line, "plain.txt")
            lines["fastText predict, texts cut before"] = (line, "cut.txt")
        found = {key: [] for key in lines}
        for _ in range(ROUNDS):
            for key, (line, file) in lines.items():
                one = seconds([*line, "one.txt"], folder)
                found[key].append((len(texts) / (seconds([*line, file], folder) - one), one))
        first = [rate for rate, _ in next(iter(found.values()))]
        for key, figures in found.items():
            rates, starts = zip(*figures, strict=True)
            ratios = sorted(mine / rate for mine, rate in zip(first, rates, strict=True))
            low, middle, high = ratios[0], statistics.median(ratios), ratios[-1]
            print(
                f"{key}: {statistics.median(rates):,.0f} texts/s, {min(starts):.2f} s for one text; "
                f"the first is {middle:.2f} times as fast ({low:.2f} to {high:.2f})"
            )


def seconds(line: list[str], folder: Path) -> float:
    """The time of a command."""
    began = time.monotonic()
    subprocess.run(line, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="*", metavar="SET")
    parser.add_argument("--models", nargs="+")
    parser.add_argument("--vectors")
    parser.add_argument("--lm", help="a language model of words, of the same texts as the vectors")
    parser.add_argument("--peer", type=lambda path: str(Path(path).resolve()))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--test", action="store_true", help="ask the test sets")
    parser.add_argument("--speed", nargs="+", metavar="BUNDLE")
    arguments = parser.parse_args()
    vectors = Initial.load(arguments.vectors) if arguments.vectors else None
    arguments.resources = Resources(vectors=vectors, language_model=arguments.lm)
    if arguments.speed:
        speed(arguments)
    else:
        table(arguments)


if __name__ == "__main__":
    main()
