"""What each method of removal leaves of a bias and what it costs, as a table in Markdown.

WEAT tests 6 to 8 and SemBias are the published ones, in the folder `bias` of SEQKIT_DATA; all else is by the
word sets "gender".
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from seqkit.debias import METHODS, apply
from seqkit.debias.measures import compare, read_sembias, sembias, weat
from seqkit.debias.published import read_wefe
from seqkit.debias.word_sets import word_sets
from seqkit.embeddings.vectors import Vectors

DATA = Path(os.environ.get("SEQKIT_DATA", "../shared/data")) / "bias"
TESTS = ("6", "7", "8")
NAMES = ("direct_bias", "recovery.cluster_accuracy", "recovery.classifier_accuracy")
SCORES = ("similarity.wordsim353", "analogies.questions-words")
HEADERS = ("method", "direct bias", "WEAT 6", "WEAT 7", "WEAT 8", "SemBias definition / stereotype / neither",
           "clusters", "classifier", "WordSim-353", "analogies")  # fmt: skip


def cell(figure: object) -> str:
    """A figure with its interval."""
    value, low, high = (getattr(figure, name) for name in ("value", "low", "high"))
    return f"{value:z.3f} ({low:z.2f} to {high:z.2f})"


def spelled(word: str, vectors: Vectors) -> str:
    """A word in lower case where the vocabulary has it so only: "John" of test 6."""
    return word if word in vectors else word.lower()


def published(vectors: Vectors) -> list[str]:
    """The effect sizes of WEAT, and the shares of SemBias."""
    tests = read_wefe(DATA / "weat_wefe.json")
    lists = [
        [[spelled(word, vectors) for word in part] for part in vars(tests[name]).values()] for name in TESTS
    ]
    effects = [weat(vectors, *parts).effect_size for parts in lists]
    answers = sembias(vectors, read_sembias(DATA / "sembias.tsv"))
    shares = (answers.definition, answers.stereotype, answers.neither)
    return [*map(cell, effects), " / ".join(f"{share.value:.3f}" for share in shares)]


def quality(path: str) -> None:
    """Prints the table, a line a method, as they are done."""
    vectors, sets = Vectors.load(path), word_sets("gender")
    print(f"| {' | '.join(HEADERS)} |\n{'|---' * len(HEADERS)}|", flush=True)
    first = True
    for method in METHODS:
        for strength in (1.0, 100.0) if method == "soft" else (None,):
            done = apply(vectors, sets, method, strength=strength).vectors
            found = compare(vectors, done, sets)
            for side, of, name in (("before", vectors, "none"), ("after", done, method)):
                if side == "before" and not first:
                    continue
                all_figures = found.measures | found.utility
                figures = [cell(getattr(all_figures[key], side)) for key in (*NAMES, *SCORES)]
                label = name if strength is None or side == "before" else f"{name}, λ = {strength:g}"
                print(f"| {' | '.join([label, figures[0], *published(of), *figures[1:]])} |", flush=True)
            first = False


if __name__ == "__main__":
    quality(sys.argv[1])
