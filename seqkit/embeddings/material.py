"""What word vectors are trained on: encoded text, or for GloVe the counts made of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from seqkit._settings import check_numbers
from seqkit.embeddings.cooccurrence.counting import CountingConfig, count
from seqkit.embeddings.cooccurrence.counts import Cooccurrences, is_counts
from seqkit.embeddings.glove.config import GloVeConfig
from seqkit.embeddings.initial import Initial
from seqkit.embeddings.methods import MethodConfig, VectorTrainer, method_of
from seqkit.errors import BundleError, FormatError, MissingInputError, Place, UsageError
from seqkit.progress import Progress
from seqkit.storage import Bundle
from seqkit.text.corpus import EncodedCorpus
from seqkit.text.encoding import EncodingConfig, encode, fingerprint
from seqkit.text.phrases import PhraseConfig, Phrases
from seqkit.text.tokenizers import Tokenizer
from seqkit.text.vocabulary import Vocabulary
from seqkit.training.device import Device
from seqkit.training.working import CHECKPOINT

# What lies in BUNDLE.partial beside the bundle in the making.
SCRATCH = (CORPUS, COUNTS) = ("corpus", "counts")


@dataclass(frozen=True, kw_only=True)
class CorpusConfig:
    """How text becomes words.

    Args:
        tokenizer: what cuts the text.
        min_count: words that occur less often are left out.
        max_vocab: keep only so many of the most frequent words; None for all.
        phrases: how to learn which words become one, `new_york`; None for none.
        validation: fraction that is held out, 0 to below 1: of the text, or for GloVe of the pairs.
    """

    tokenizer: Tokenizer = field(default_factory=Tokenizer)
    min_count: int = 5
    max_vocab: int | None = None
    phrases: PhraseConfig | None = None
    validation: float = 0.0

    def __post_init__(self) -> None:
        check_numbers(self)
        if not 0 <= self.validation < 1:
            raise UsageError(f"validation must be from 0 to below 1, not {self.validation}")

    def settings(self) -> dict[str, Any]:
        """As JSON, for manifests."""
        return asdict(self) | {"tokenizer": self.tokenizer.to_config()}


@dataclass(frozen=True, eq=False)
class Material:
    """What a run trains on.

    Args:
        vocabulary: the words.
        tokens: of the text.
        settings: how the text became words, as JSON.
        fingerprint: SHA-256 of the text as it is now, in hex; None where that is not known.
        trainer: makes what trains on it, with the settings of a method.
        phrases: that were joined in the text.
    """

    vocabulary: Vocabulary
    tokens: int
    settings: dict[str, Any]
    fingerprint: str | None
    trainer: Callable[[MethodConfig, Device], VectorTrainer]
    phrases: Phrases = field(default_factory=Phrases)


def material(
    sources: Sequence[Place],
    config: MethodConfig,
    corpus: CorpusConfig,
    counting: CountingConfig,
    partial: Path,
    progress: Progress,
    initial: Initial | None = None,
) -> Material:
    """Encodes text, and counts where the method asks for it; a run that goes on finds its encoding again.

    Args:
        sources: of text; or one bundle of counts, for GloVe.
        config: of the method.
        corpus: how text becomes words.
        counting: how it is counted.
        partial: the folder to work in.
        progress: told of both.
        initial: what training goes on from; its words are kept.
    """
    if are_counts(sources):
        if corpus.phrases or (initial and len(initial.phrases)):
            raise UsageError(f"{sources[0]} holds counts, which know no phrases; give the text (CORPUS)")
        found = _of_counts(sources[0], config, corpus.validation, initial)
    else:
        if initial:
            initial.check_tokenizer(corpus.settings())
            if corpus.phrases and len(initial.phrases):
                raise UsageError(
                    f"{initial.name} has phrases of its own, which are used: leave out --phrases"
                )
        found = _of_text(sources, config, corpus, counting, partial, progress, initial)
    if not initial:
        return found
    return replace(found, settings=found.settings | initial.settings(config.learning_rate))


def are_counts(sources: Sequence[Place]) -> bool:
    """Whether the only source is a bundle of counts.

    Raises:
        UsageError: counts among other sources.
    """
    counts = [source for source in sources if is_counts(source)]
    if counts and len(sources) > 1:
        raise UsageError(f"{counts[0]} holds counts, which are trained on alone: leave out the other sources")
    return bool(counts)


def _of_text(
    sources: Sequence[Place],
    config: MethodConfig,
    corpus: CorpusConfig,
    counting: CountingConfig,
    partial: Path,
    progress: Progress,
    initial: Initial | None,
) -> Material:
    if isinstance(config, GloVeConfig):
        return _counted(sources, config, corpus, counting, partial, progress, initial)
    text, found = _text(sources, corpus, corpus.validation, config.seed, partial, progress, initial)
    trainer = method_of(config).trainer_class()
    return Material(
        text.vocabulary,
        text.tokens,
        corpus.settings(),
        found,
        lambda config, device: trainer(text, config, device),
        text.phrases,
    )


def _of_counts(place: Place, config: MethodConfig, validation: float, initial: Initial | None) -> Material:
    if not isinstance(config, GloVeConfig):
        raise UsageError(f"{place} holds counts, which only method glove trains on; give the text (CORPUS)")
    bundle = Bundle.open(place, kind="cooccurrence")
    counts = Cooccurrences.from_bundle(bundle)
    counted = {name: counts.settings.get(name) for name in ("window", "context", "weighting")}
    asked = asdict(config.counting)
    if counted != asked:
        name = next(name for name in asked if counted[name] != asked[name])
        raise UsageError(f"{place} was counted with {name} {counted[name]}, not {asked[name]}: count again")
    counts.check(place)
    tokens = bundle.manifest.metrics.get("words")
    if not isinstance(tokens, int):
        raise BundleError(bundle.path, f"words is {tokens!r}", member="manifest.json")
    settings = {name: counts.settings.get(name) for name in ("tokenizer", "min_count", "max_vocab")}
    if initial:
        initial.check_tokenizer(settings)
        counts = counts.widened(initial.vectors.words)
    return _glove(counts, tokens, config, settings, validation, counts.fingerprint)


def _counted(
    sources: Sequence[Place],
    config: GloVeConfig,
    corpus: CorpusConfig,
    counting: CountingConfig,
    partial: Path,
    progress: Progress,
    initial: Initial | None,
) -> Material:
    text, found = _text(sources, corpus, 0.0, config.seed, partial, progress, initial)
    shutil.rmtree(partial / COUNTS, ignore_errors=True)
    counts = count(text, partial / COUNTS, config.counting, run=counting, progress=progress)
    made = _glove(counts, text.tokens, config, corpus.settings(), corpus.validation, found)
    return replace(made, phrases=text.phrases)


def _glove(
    counts: Cooccurrences,
    tokens: int,
    config: GloVeConfig,
    settings: dict[str, Any],
    validation: float,
    found: str | None,
) -> Material:
    trainer = method_of(config).trainer_class()
    return Material(
        counts.vocabulary,
        tokens,
        settings | {"validation": validation},
        found,
        lambda config, device: trainer(counts, config, device, validation),
    )


def _text(
    sources: Sequence[Place],
    corpus: CorpusConfig,
    held_out: float,
    seed: int,
    partial: Path,
    progress: Progress,
    initial: Initial | None,
) -> tuple[EncodedCorpus, str]:
    """The encoded corpus, found again when a run goes on, and the fingerprint of the text as it is now."""
    if (partial / CHECKPOINT).exists():
        try:
            encoded = EncodedCorpus.open(partial / CORPUS)
        except (BundleError, MissingInputError) as error:
            raise FormatError(f"{error}; delete {partial} to begin anew") from error
        return encoded, fingerprint(sources, progress=progress)
    encoded = encode(
        sources,
        partial / CORPUS,
        EncodingConfig(
            tokenizer=corpus.tokenizer,
            min_count=corpus.min_count,
            max_vocab=corpus.max_vocab,
            keep=initial.vectors.words if initial else (),
            phrases=initial.phrases if initial and len(initial.phrases) else corpus.phrases,
            held_out=held_out,
            seed=seed,
        ),
        progress=progress,
    )
    return encoded, encoded.fingerprint
