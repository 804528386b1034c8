"""What `seqkit embed train` shows of the vectors after each epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqkit.embeddings.training import Probe
    from seqkit.progress import Progress


def probe_of(
    words: tuple[str, ...], similarity: tuple[str, ...], analogies: tuple[str, ...], progress: Progress
) -> Probe | None:
    """What looks at the vectors after each epoch; None where nothing is asked for."""
    if not words and not similarity and not analogies:
        return None

    from seqkit.embeddings.evaluation import EvaluationSets
    from seqkit.embeddings.vectors import Vectors
    from seqkit.storage import printable

    sets = EvaluationSets.read(similarity, analogies)

    def probe(epoch: int, vectors: Vectors) -> dict[str, Any]:
        for word in words:
            near = "not in the vocabulary"
            if word in vectors:
                near = ", ".join(other for other, _ in vectors.most_similar(word, 5))
            progress.message(f"epoch {epoch}: {word}: {near}")
        if not similarity and not analogies:
            return {}
        scores = sets.score(vectors)
        record: dict[str, float | None] = {}
        for stem, figures in scores["similarity"].items():
            record[f"{stem}_spearman"] = figures["spearman"]
        for stem, figures in scores["analogies"].items():
            record[f"{stem}_accuracy"] = figures["accuracy"]
        shown = (f"{name.replace('_', ' ')} {_figure(value)}" for name, value in record.items())
        progress.message(f"epoch {epoch}: {', '.join(shown)}")
        return {printable(name): value for name, value in record.items()}

    return probe


def _figure(value: float | None) -> str:
    return "?" if value is None else f"{value:.3f}"
