"""`seqkit embed similar`, `analogy`, `odd-one-out` and `vector`: questions to word vectors."""

from __future__ import annotations

import click

from seqkit.cli.common import echo, echo_table, emit_json, json_option


@click.command()
@click.argument("vectors")
@click.argument("words", nargs=-1, required=True, metavar="WORD...")
@click.option("-n", type=click.IntRange(min=1), default=10, help="How many words to answer with.")
@json_option
def similar(vectors: str, words: tuple[str, ...], n: int, as_json: bool) -> None:
    """The words nearest to WORD, or to several WORDs taken together.

    VECTORS is a bundle, or a file of vectors in any format. Shown is the cosine similarity to the mean of the
    WORDs' unit vectors.
    """
    from seqkit.embeddings.vectors import Vectors

    answers = Vectors.load(vectors).most_similar(words, n)
    _answer({"words": words}, answers, as_json)


@click.command()
@click.argument("vectors")
@click.argument("a")
@click.argument("b")
@click.argument("c")
@click.option("-n", type=click.IntRange(min=1), default=5, help="How many words to answer with.")
@json_option
def analogy(vectors: str, a: str, b: str, c: str, n: int, as_json: bool) -> None:
    """A is to B as C is to what?

    VECTORS is a bundle, or a file of vectors in any format. Shown is the cosine similarity to B - A + C, for
    all words but these three: `analogy VECTORS man king woman` should find queen.
    """
    from seqkit.embeddings.vectors import Vectors

    _answer({"a": a, "b": b, "c": c}, Vectors.load(vectors).analogy(a, b, c, n), as_json)


def _answer(question: dict[str, object], answers: list[tuple[str, float]], as_json: bool) -> None:
    if as_json:
        found = [{"word": word, "similarity": similarity} for word, similarity in answers]
        emit_json({**question, "answers": found})
    else:
        echo_table(["word", "similarity"], answers)


@click.command("odd-one-out")
@click.argument("vectors")
@click.argument("words", nargs=-1, required=True, metavar="WORD WORD WORD...")
@json_option
def odd_one_out(vectors: str, words: tuple[str, ...], as_json: bool) -> None:
    """The WORD that does not go with the others: the farthest from their mean.

    VECTORS is a bundle, or a file of vectors in any format.
    """
    from seqkit.embeddings.vectors import Vectors

    odd = Vectors.load(vectors).odd_one_out(words)
    if as_json:
        emit_json({"words": words, "odd_one_out": odd})
    else:
        echo(odd)


@click.command()
@click.argument("vectors")
@click.argument("words", nargs=-1, required=True, metavar="WORD...")
@json_option
def vector(vectors: str, words: tuple[str, ...], as_json: bool) -> None:
    """The numbers of each WORD: a line with the word and its vector, as in a text file of vectors.

    VECTORS is a bundle, or a file of vectors in any format.
    """
    from seqkit.embeddings.vectors import Vectors

    loaded = Vectors.load(vectors)
    found = {word: loaded[word].tolist() for word in words}
    if as_json:
        emit_json({"vectors": found})
        return
    for word in words:
        echo(f"{word} {' '.join(f'{number:.9g}' for number in found[word])}")
