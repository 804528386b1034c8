"""`seqkit embed evaluate`, `export`, `import` and `info`: word vectors against files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from seqkit.cli.common import echo_table, emit_json, json_option, note, require_existing
from seqkit.errors import UsageError

if TYPE_CHECKING:
    from seqkit.embeddings.vectors import Vectors
    from seqkit.storage import Bundle

# The keys of seqkit.embeddings.formats.FORMATS, which --help must not wait for; a test compares them.
FORMATS = ["word2vec", "word2vec-binary", "glove", "fasttext", "projector"]


@click.command()
@click.argument("vectors")
@click.option("--similarity", multiple=True, metavar="FILE", help="Word pairs: `word TAB word TAB score`.")
@click.option("--analogies", multiple=True, metavar="FILE", help="Analogies, as in questions-words.")
@json_option
def evaluate(vectors: str, similarity: tuple[str, ...], analogies: tuple[str, ...], as_json: bool) -> None:
    """Score vectors on similarity judgements and analogies.

    VECTORS is a bundle, or a file of vectors in any format. Without options the sets inside gensim are used:
    WordSim-353, SimLex-999 and Google's analogies. Words are compared regardless of case. Similarity is
    scored by Spearman's rank correlation, analogies by accuracy (3CosAdd over the whole vocabulary);
    questions with an unknown word are left out and counted as missing.
    """
    from seqkit.embeddings.evaluation import evaluate as evaluate_vectors
    from seqkit.embeddings.vectors import Vectors

    for path in (*similarity, *analogies):
        require_existing(path)
    named = bool(similarity or analogies)
    result = evaluate_vectors(
        Vectors.load(vectors),
        similarity=similarity if named else None,
        analogies=analogies if named else None,
    )
    if as_json:
        emit_json(result)
        return
    rows = [[stem, "spearman", *row.values()] for stem, row in result["similarity"].items()]
    rows += [
        [stem, "accuracy", row["accuracy"], row["questions"], row["missing"]]
        for stem, row in result["analogies"].items()
    ]
    echo_table(["set", "measure", "score", "scored", "missing"], rows)


@click.command()
@click.argument("vectors")
@click.argument("file")
@click.option("--format", type=click.Choice(FORMATS), help="[default: by the ending of FILE]")
@click.option("--overwrite", is_flag=True, help="Replace FILE if it is there.")
@json_option
def export(vectors: str, file: str, format: str | None, overwrite: bool, as_json: bool) -> None:
    """Write vectors to FILE for other tools.

    VECTORS is a bundle, or a file of vectors in any format. Endings: .txt (word2vec), .bin (word2vec-binary),
    .vec (fasttext), .glove or .glove.txt (glove), .tsv (projector, with a second file for the words). Every
    number comes back to the last bit; a word that the format cannot hold is refused.
    """
    from seqkit.embeddings.vectors import Vectors

    loaded = Vectors.load(vectors)
    files = loaded.export(file, format=format, overwrite=overwrite)
    if as_json:
        emit_json({"files": files, "vocabulary": len(loaded), "vector_size": loaded.vector_size})
    else:
        echo_table(["file"], [[path] for path in files])


@click.command("import")
@click.argument("file")
@click.option("-o", "--output", "bundle", required=True, metavar="BUNDLE", help="Directory to create.")
@click.option("--format", type=click.Choice(FORMATS), help="[default: by the content of FILE]")
@click.option(
    "--on-bad",
    type=click.Choice(["error", "skip"]),
    default="error",
    help="A bad row is an error, or is left out and counted.",
)
@click.option("--overwrite", is_flag=True, help="Replace BUNDLE if it is there.")
@json_option
def import_(file: str, bundle: str, format: str | None, on_bad: str, overwrite: bool, as_json: bool) -> None:
    """Turn a FILE of vectors from another tool into a bundle.

    Read are word2vec text and binary, GloVe, fastText .vec and the TensorBoard projector's pair of files,
    also compressed. Bad rows are short, long or doubled ones, NaN and infinities, words that are not UTF-8.
    """
    from seqkit.embeddings.formats import detect_format, read_table
    from seqkit.embeddings.vectors import Vectors
    from seqkit.storage import BundleWriter, printable

    require_existing(file)
    with BundleWriter(bundle, kind="vectors", overwrite=overwrite) as writer:  # refuses before the long read
        format = format or detect_format(file)
        table = read_table(file, format=format, on_bad="skip" if on_bad == "skip" else "error")
        vectors = Vectors.from_table(table)
        vectors.write_members(writer)
        config = {"method": "import", "file": printable(file), "format": format, "skipped": table.skipped}
        writer.commit(config=config)
    if table.skipped:
        note(f"seqkit: {table.skipped:,} bad rows skipped; the first: {table.first_skipped}")
    answer = {
        "bundle": bundle,
        "format": format,
        "vocabulary": len(vectors),
        "vector_size": vectors.vector_size,
        "skipped": table.skipped,
    }
    if as_json:
        emit_json(answer)
    else:
        echo_table(["", ""], answer.items())


@click.command()
@click.argument("vectors")
@click.option("--verify", is_flag=True, help="Read every byte and compare its hash.")
@json_option
def info(vectors: str, verify: bool, as_json: bool) -> None:
    """What a bundle or a file of vectors, or a bundle of counts, holds, and how it was made."""
    from pathlib import Path

    from seqkit.embeddings.cooccurrence.counts import is_counts
    from seqkit.embeddings.formats import detect_format
    from seqkit.embeddings.vectors import Vectors
    from seqkit.storage import Bundle

    answer: dict[str, Any] = {"path": vectors}
    if Path(vectors).is_file():
        if verify:
            raise UsageError(f"{vectors}: a file has no hash to verify, a bundle has")
        answer["format"] = detect_format(vectors)
        answer |= _vectors(Vectors.load(vectors))
    else:
        counts = is_counts(vectors)
        bundle = Bundle.open(vectors, kind="cooccurrence" if counts else "vectors")
        if verify:
            bundle.verify()
        answer |= {"format": "bundle", **_manifest(bundle)}
        answer |= _counts(bundle, verify) if counts else _vectors(Vectors.from_bundle(bundle))
    answer["verified"] = verify
    if as_json:
        emit_json(answer)
    else:
        echo_table(["", ""], _flat(answer))


def _vectors(loaded: Vectors) -> dict[str, Any]:
    return {
        "vocabulary": len(loaded),
        "vector_size": loaded.vector_size,
        "tokens": None if loaded.counts is None else int(loaded.counts.sum()),
        "context": loaded.output_matrix is not None,
    }


def _counts(bundle: Bundle, verify: bool) -> dict[str, Any]:
    from seqkit.embeddings.cooccurrence.counts import Cooccurrences

    counts = Cooccurrences.from_bundle(bundle)
    if verify:
        counts.check(bundle.path)
    return {
        "vocabulary": len(counts),
        "pairs": counts.pairs,
        "total": counts.total,
        "tokens": int(counts.vocabulary.counts.sum()),
    }


def _manifest(bundle: Bundle) -> dict[str, Any]:
    manifest = bundle.manifest
    return {
        "config": manifest.config,
        "seed": manifest.seed,
        "versions": manifest.versions,
        "fingerprint": manifest.fingerprint,
        "metrics": manifest.metrics,
        "bytes": sum(member.size for member in manifest.members.values()),
    }


def _flat(answer: dict[str, Any], prefix: str = "") -> list[tuple[str, object]]:
    """Nested keys joined by dots, one row each; what is not known is left out."""
    rows: list[tuple[str, object]] = []
    for key, value in answer.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{key}.")
        elif value is not None:
            rows.append((prefix + key, str(value)))
    return rows
