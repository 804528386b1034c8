"""`seqkit demo`: the main job on a bundled corpus, from text to answers."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seqkit.cli.common import (
    echo,
    echo_table,
    emit_json,
    json_option,
    quiet_option,
    seed_option,
    threads_option,
)
from seqkit.cli.progress import progress_for
from seqkit.errors import InterruptedTraining

if TYPE_CHECKING:
    from seqkit.embeddings.vectors import Vectors

CORPUS = "kingdom"
LINES = 100_000
QUERIES = ("king", "italy", "walked")
ANALOGIES = (("man", "king", "woman"), ("france", "paris", "italy"), ("walk", "walked", "sing"))


@click.command()
@click.option("-o", "--output", "bundle", metavar="BUNDLE", help="Keep the vectors in this directory.")
@seed_option
@threads_option
@quiet_option
@json_option
def demo(bundle: str | None, seed: int, threads: int | None, quiet: bool, as_json: bool) -> None:
    """Train word vectors on the bundled corpus "kingdom" and ask them questions: half a minute."""
    with tempfile.TemporaryDirectory(prefix="seqkit-demo-") as folder:
        try:
            answer, vectors = _run(bundle or str(Path(folder) / "kingdom"), seed, threads, quiet)
        except InterruptedTraining as error:
            if bundle is None:  # the state goes with the folder
                raise InterruptedTraining(error.signal_number, None) from None
            raise
        if as_json:
            emit_json(answer)
            return
        _show(answer, bundle, vectors)


def _run(bundle: str, seed: int, threads: int | None, quiet: bool) -> tuple[dict[str, Any], Vectors]:
    from seqkit.corpora import corpus_file
    from seqkit.embeddings.evaluation import evaluate
    from seqkit.embeddings.skipgram.config import SkipGramConfig
    from seqkit.embeddings.training import RunConfig, train
    from seqkit.embeddings.vectors import Vectors

    report = train(
        [f"{CORPUS}:{LINES}"],
        bundle,
        SkipGramConfig(seed=seed),
        run=RunConfig(threads=threads),
        progress=progress_for(quiet),
    )
    vectors = Vectors.load(bundle)
    scores = evaluate(
        vectors,
        similarity=[corpus_file("kingdom-similarity.tsv")],
        analogies=[corpus_file("kingdom-analogies.txt")],
    )
    answer = {
        "corpus": CORPUS,
        **{name: getattr(report, name) for name in ("words", "vocabulary", "seconds", "words_per_second")},
        "similar": {word: vectors.most_similar(word, 5) for word in QUERIES},
        "analogies": {f"{a} : {b} = {c}": vectors.analogy(a, b, c, 1)[0] for a, b, c in ANALOGIES},
        "evaluation": scores,
    }
    return answer, vectors


def _show(answer: dict[str, Any], bundle: str | None, vectors: Vectors) -> None:
    echo_table(
        ["corpus", "words", "vocabulary", "seconds", "words/s"],
        [
            [
                answer["corpus"],
                f"{answer['words']:,}",
                f"{answer['vocabulary']:,}",
                f"{answer['seconds']:.1f}",
                f"{answer['words_per_second']:,.0f}",
            ]
        ],
    )
    echo("")
    echo_table(
        ["word", "nearest"],
        [
            [word, ", ".join(f"{near} {cosine:.2f}" for near, cosine in found)]
            for word, found in answer["similar"].items()
        ],
    )
    echo("")
    echo_table(
        ["analogy", "answer", "cosine"],
        [[question, word, f"{cosine:.2f}"] for question, (word, cosine) in answer["analogies"].items()],
    )
    echo("")
    similarity = answer["evaluation"]["similarity"]["kingdom-similarity"]
    analogies = answer["evaluation"]["analogies"]["kingdom-analogies"]
    echo_table(
        ["test set", "score", "scored", "missing"],
        [
            [
                "kingdom-similarity",
                f"{similarity['spearman']:.3f}",
                similarity["pairs"],
                similarity["missing"],
            ],
            [
                "kingdom-analogies",
                f"{analogies['accuracy']:.3f}",
                analogies["questions"],
                analogies["missing"],
            ],
        ],
    )
    echo("")
    place = bundle or "BUNDLE"
    echo(
        f"Now with your own text: seqkit embed train FILE -o {place}, then seqkit embed similar {place} WORD"
    )
