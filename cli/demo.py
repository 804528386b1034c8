"""`seqkit demo`: what there is, on bundled corpora, from text to answers."""

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
    from seqkit.language_model.training import TrainingConfig
    from seqkit.sentiment.training import FitConfig

CORPUS = "kingdom"
LINES = 100_000
NAMES, NAME_EPOCHS = 10_000, 6
QUERIES = ("king", "italy", "walked")
REVIEWS = 10_000
OPINIONS = (
    "The food was not good at all.",
    "An utterly brilliant book!",
    "The room was okay, the staff was passable.",
)
ANALOGIES = (("man", "king", "woman"), ("france", "paris", "italy"), ("walk", "walked", "sing"))


@click.command()
@click.option("-o", "--output", "bundle", metavar="BUNDLE", help="Keep the vectors in this directory.")
@seed_option
@threads_option
@quiet_option
@json_option
def demo(bundle: str | None, seed: int, threads: int | None, quiet: bool, as_json: bool) -> None:
    """Train word vectors, a language model and a classifier on bundled corpora, and show what they know."""
    from seqkit.language_model.training import TrainingConfig
    from seqkit.sentiment.training import FitConfig
    from seqkit.storage import is_bundle

    learning = TrainingConfig(epochs=NAME_EPOCHS, batch_size=64, seed=seed)
    fitting = FitConfig(seed=seed)  # a seed out of range is refused before anything is trained
    with tempfile.TemporaryDirectory(prefix="seqkit-demo-") as folder:
        place = bundle or str(Path(folder) / "kingdom")
        try:
            answer, vectors = _run(place, seed, threads, quiet)
            answer["names"] = _names(str(Path(folder) / "names"), learning, threads, quiet)
            answer["opinions"] = _opinions(str(Path(folder) / "opinions"), fitting, quiet)
        except InterruptedTraining as error:
            if bundle is None:  # the state goes with the folder
                raise InterruptedTraining(error.signal_number, None) from None
            if is_bundle(bundle):
                told = f"the word vectors are in {bundle}, the rest of the demo keeps nothing"
                raise InterruptedTraining(error.signal_number, None, told) from None
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


def _names(bundle: str, training: TrainingConfig, threads: int | None, quiet: bool) -> list[str]:
    """Names that a language model has made up, letter by letter, and that it has not read."""
    from seqkit.corpora import open_corpus
    from seqkit.language_model.config import NetworkConfig, TextConfig
    from seqkit.language_model.model import LanguageModel
    from seqkit.language_model.sampling.config import SamplingConfig
    from seqkit.language_model.training import RunConfig, train

    train(
        [f"names:{NAMES}"],
        bundle,
        NetworkConfig(layers=1, units=128),
        text=TextConfig(level="character", lines=True),
        training=training,
        run=RunConfig(threads=threads),
        progress=progress_for(quiet),
    )
    read = set(open_corpus("names", size=NAMES))
    config = SamplingConfig(number=40, temperature=0.8, seed=training.seed)
    made_up = LanguageModel.load(bundle).sample(config=config)
    return [name for name in dict.fromkeys(str(sample.text) for sample in made_up) if name not in read][:8]


def _opinions(bundle: str, config: FitConfig, quiet: bool) -> list[dict[str, Any]]:
    """What a classifier of reviews says of texts that it has not read."""
    from seqkit.sentiment.model import SentimentModel
    from seqkit.sentiment.training import train

    train([f"reviews:{REVIEWS}"], bundle, config, progress=progress_for(quiet))
    return [found.summary() for found in SentimentModel.load(bundle).classify(OPINIONS)]


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
    echo_table(["names made up"], [[", ".join(answer["names"])]])
    echo("")
    echo_table(
        ["opinion", "label", "probability"],
        [[found["text"], found["label"], f"{found['probability']:.2f}"] for found in answer["opinions"]],
    )
    echo("")
    place = bundle or "BUNDLE"
    echo(
        f"Now with your own text: seqkit embed train FILE -o {place}, then seqkit embed similar {place} WORD"
    )
