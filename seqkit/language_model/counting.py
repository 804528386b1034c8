"""From a text to n-grams beside a recurrent model: count, weigh on held-out text, save."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from seqkit._manifest import TENSORS
from seqkit.errors import CorpusError, Place, UsageError
from seqkit.language_model.config import TextConfig
from seqkit.language_model.material import CORPUS, Hashed, Ids, encoded, material
from seqkit.language_model.mixture import KIND, MixtureConfig, fitted_weight, mixed
from seqkit.language_model.model import LanguageModel
from seqkit.language_model.ngram import NGram, count, to_tensors
from seqkit.language_model.scoring import perplexity
from seqkit.progress import SILENT, Progress
from seqkit.storage import BundleWriter
from seqkit.text.sources import iter_lines
from seqkit.text.streams import resolve
from seqkit.text.vocabulary import VOCABULARY
from seqkit.training.working import ended_well


@dataclass(frozen=True)
class NGramReport:
    """What was counted, and what it is good for.

    Args:
        bundle: where the n-grams are.
        order: tokens of the longest.
        tokens: of the text that was counted.
        ngrams: distinct ones, by their number of tokens.
        seconds: spent counting.
        weight: λ, of the n-gram model.
        perplexity: on held-out text, of both models together.
        perplexity_of_model: of the recurrent model alone.
        perplexity_of_ngrams: of the n-gram model alone.
    """

    bundle: str
    order: int
    tokens: int
    ngrams: list[int]
    seconds: float
    weight: float
    perplexity: float
    perplexity_of_model: float
    perplexity_of_ngrams: float


def count_ngrams(
    model: Place,
    sources: Sequence[Place],
    bundle: Place,
    *,
    order: int = 5,
    valid: Sequence[Place] = (),
    overwrite: bool = False,
    progress: Progress = SILENT,
) -> NGramReport:
    """Counts the n-grams of a text by the tokens of a model, and fits their weight on held-out text.

    Args:
        model: a bundle of a recurrent model.
        sources: files, folders, "-" for stdin, corpus names.
        bundle: the directory to write.
        order: tokens of the longest n-gram, 1 to 10.
        valid: the held-out text; empty for what the model held out of the same text in its training.
        overwrite: replace a bundle that is there.
        progress: told of the reading.

    Raises:
        UsageError: an order out of range; a bundle is there; no held-out text, or another text than that of
            the model's training.
        SeqkitError: as `LanguageModel.load` and `seqkit.language_model.training.train`.
    """
    with (
        BundleWriter(bundle, kind=KIND, overwrite=overwrite, keeps=[CORPUS]) as writer,
        ended_well(writer.partial, [CORPUS]),
    ):
        resolve([*sources, *valid])
        loaded = LanguageModel.load(model)
        if loaded.coding.labels:
            raise UsageError(
                "this model has labels, of which n-grams know nothing: count some for one without"
            )
        ids, held_out, fingerprint = _text(loaded, sources, valid, writer.partial, progress)
        began = time.perf_counter()
        tables = count(ids, len(loaded.coding.vocabulary), order)
        seconds = time.perf_counter() - began
        own, other = loaded.known(held_out).surprisal, NGram(tables).probabilities(held_out)
        weight = fitted_weight(own, other)
        report = NGramReport(
            bundle=str(writer.path),
            order=order,
            tokens=len(ids),
            ngrams=[len(table.words) for table in tables],
            seconds=seconds,
            weight=weight,
            perplexity=perplexity(float(np.mean(mixed(own, other, weight)))),
            perplexity_of_model=perplexity(float(np.mean(own, dtype=np.float64))),
            perplexity_of_ngrams=perplexity(float(-np.mean(np.log(other)))),
        )
        writer.write_text(VOCABULARY, loaded.coding.vocabulary.to_tsv())
        writer.write_tensors(TENSORS, to_tensors(tables))
        writer.commit(
            config=asdict(MixtureConfig.of(loaded.coding, order, weight)),
            metrics={name: value for name, value in asdict(report).items() if name != "bundle"},
            fingerprint=fingerprint,
        )
    return report


def _text(
    model: LanguageModel, sources: Sequence[Place], valid: Sequence[Place], folder: Path, progress: Progress
) -> tuple[Ids, Ids, str]:
    """The ids to count and those to weigh by, and the fingerprint of the text."""
    if valid:
        text = Hashed()
        ids = encoded(model.coding, text.lines(iter_lines(sources, progress=progress)))
        held_out = encoded(model.coding, iter_lines(valid, progress=progress))
        for part, source in ((ids, sources[0]), (held_out, valid[0])):
            if not len(part):
                raise CorpusError("no token in it", path=str(source))
        return ids, held_out, text.digest
    config = TextConfig(**model.manifest.config["text"])
    if not config.validation:
        raise UsageError("the model held no text out: give some to fit the weight on (--valid)")
    found = material(sources, config, model.manifest.seed or 0, folder, (), progress)
    if found.fingerprint != model.manifest.fingerprint:
        raise UsageError(
            "this is not the text that the model was trained on, so that what it held out is not known: "
            "give held-out text (--valid)"
        )
    return found.ids, found.held_out, found.fingerprint
