"""Going on: training that begins with the vectors of an earlier run, on new text.

The vocabulary is that of the new text and all words of the earlier run. Training draws its noise and its
sub-sampling from the counts of the new text alone, which is what it sees; the finished bundle has the sums of
old and new counts.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from seqkit.embeddings.methods import OPTIMIZER, MethodConfig, VectorTrainer, method_of
from seqkit.embeddings.vectors import Matrix, Vectors
from seqkit.errors import BundleError, FormatError, Place, UsageError
from seqkit.progress import SILENT, Progress
from seqkit.storage import Bundle, read_again, storage_errors
from seqkit.text.corpus import PHRASES
from seqkit.text.phrases import Phrases
from seqkit.text.tokenizers import Tokenizer
from seqkit.text.vocabulary import Vocabulary

Ids = NDArray[np.int64]
Tables = dict[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Initial:
    """What a run begins with.

    Args:
        name: what messages call it.
        vectors: the words and all tensors of their run.
        digest: SHA-256, in hex, of the bundle's manifest, which has the hashes of all else, or of the file.
        config: the settings of the run; empty for a file.
        work: tokens that it was trained on, times epochs, with those of the runs that it went on from; 0
            where that is not known.
        phrases: that were joined in its text, and will be.
        share_rate: whether to begin with the share of the learning rate that the new text is of all text, see
            `configured`; False for the learning rate as it is set.
    """

    name: str
    vectors: Vectors
    digest: str
    config: Mapping[str, Any] = field(default_factory=dict)
    work: int = 0
    phrases: Phrases = field(default_factory=Phrases)
    share_rate: bool = True

    @classmethod
    @read_again
    def load(cls, place: Place, progress: Progress = SILENT) -> Initial:
        """Opens a bundle, every byte checked, or reads a file.

        Raises:
            SeqkitError: as `Vectors.load`; a bundle whose bytes are not those written.
        """
        name = os.fspath(place)
        if os.path.isfile(place):
            vectors = Vectors.load(place, progress=progress)
            with storage_errors(place, "read"), open(place, "rb") as file:
                return cls(name, vectors, hashlib.file_digest(file, "sha256").hexdigest())
        bundle = Bundle.open(place, kind="vectors")
        bundle.verify()
        manifest = bundle.manifest
        digest = hashlib.sha256(manifest.to_bytes()).hexdigest()
        work = _work(manifest.metrics, manifest.config)
        vectors, phrases = Vectors.from_bundle(bundle), phrases_of(bundle)
        return cls(name, vectors, digest, manifest.config, work, phrases)

    @property
    def method(self) -> str | None:
        """The name of the method that trained it; None where that is not known."""
        name = self.config.get("method")
        return name if isinstance(name, str) else None

    @cached_property
    def tokenizer(self) -> Tokenizer | None:
        """What cut its text; None where that is not known."""
        config = self.config.get("tokenizer")
        return Tokenizer.from_config(config) if isinstance(config, dict) else None

    def check(self, config: MethodConfig) -> None:
        """Refuses a run that cannot go on from here.

        Raises:
            UsageError: another vector size.
        """
        if config.vector_size != self.vectors.vector_size:
            raise UsageError(
                f"{self.name} has vectors of {self.vectors.vector_size} numbers, not {config.vector_size}: "
                f"set vector_size to that (--vector-size {self.vectors.vector_size})"
            )

    def check_tokenizer(self, settings: Mapping[str, Any]) -> None:
        """Refuses text that is cut another way: its words would not be the same words.

        Args:
            settings: how the text became words, as JSON.

        Raises:
            UsageError: another tokenizer.
        """
        if self.tokenizer is not None and settings.get("tokenizer") != self.tokenizer.to_config():
            known, given = self.tokenizer.to_config(), settings.get("tokenizer")
            raise UsageError(f"the words of {self.name} were cut by the tokenizer {known}, not by {given}")

    def configured(self, config: MethodConfig, tokens: int) -> MethodConfig:
        """The settings, with the learning rate that fits what the new text is of all text.

        Where the method's rate falls linearly, a run over old and new text together would come to the new
        text with the rate η · new / (old + new), tokens times epochs on both sides, and end as this one does.
        It is left alone where `share_rate` is False, for vectors of unknown origin or of another method,
        whose other tables begin anew, and for least squares, where the rate is a damping.

        Args:
            config: with the rate of a run from the beginning.
            tokens: of the new text.
        """
        method = method_of(config)
        if not self.share_rate or not self.work or self.method != method.name or method.least_squares:
            return config
        new = tokens * config.epochs
        rate = config.learning_rate * new / (self.work + new)
        return cast(MethodConfig, replace(cast(Any, config), learning_rate=rate))

    def begin(
        self, trainer: VectorTrainer, vocabulary: Vocabulary, config: MethodConfig, progress: Progress
    ) -> None:
        """Gives a new trainer what is known of the old words; the rest of its tensors begins anew.

        Args:
            trainer: as it was made.
            vocabulary: of its rows, with all old words.
            config: of its method.
            progress: told what is taken and what is not.
        """
        places = self._places(vocabulary)
        method, known, state = method_of(config), self._tensors(config), dict(trainer.state())
        fresh = []
        for name in [name for name in state if not name.startswith(OPTIMIZER)]:
            rows = name not in method.shared
            given, shape = known.get(name), state[name].shape
            if given is None or given.shape != ((len(self.vectors), *shape[1:]) if rows else shape):
                fresh.append(name)
                continue
            state[name] = np.array(state[name])
            state[name][places if rows else ...] = given
        trainer.restore(state)
        recurring = int((vocabulary.counts[places] > 0).sum())
        progress.message(
            f"going on from {self.name}: {recurring:,} of its {len(places):,} words are in the text; "
            f"new words: {len(vocabulary) - len(places):,}"
        )
        if fresh:
            origin = f"is of method {self.method}" if self.method else "has no more than vectors"
            reason = "has other shapes" if self.method == method.name else origin
            progress.message(f"{self.name} {reason}: begun anew: {', '.join(fresh)}")

    def finished(
        self, vocabulary: Vocabulary, tables: Tables, config: MethodConfig
    ) -> tuple[Vocabulary, Tables]:
        """What goes into the bundle: old and new counts added up, words and rows in their order.

        Least squares leaves open in which frame vectors lie: they are turned into the old one, which changes
        no cosine and no score; words that the text lacks, about which it says nothing, keep what they had.

        Args:
            vocabulary: of the rows.
            tables: the tensors of the trainer, by name.
            config: of its method.
        """
        method = method_of(config)
        if method.least_squares:
            tables = self._turned(vocabulary, tables, config)
        counts = vocabulary.counts.copy()
        counts[self._places(vocabulary)] += self.vectors.vocabulary.counts
        summed = dict(zip(vocabulary, counts.tolist(), strict=True))
        united = Vocabulary.from_counts(summed, keep=vocabulary.words)
        order = np.array([vocabulary[word] for word in united])
        return united, {
            name: table if name in method.shared else table[order] for name, table in tables.items()
        }

    def settings(self, rate: float) -> dict[str, Any]:
        """For the manifest: that a run went on from here.

        Args:
            rate: the learning rate that a run from the beginning would have had.
        """
        joined = {"phrases": self.config.get("phrases")} if len(self.phrases) else {}
        return joined | {"init": {"digest": self.digest, "work": self.work, "learning_rate": rate}}

    def _places(self, vocabulary: Vocabulary) -> Ids:
        """Where the old words are, in their order, in a vocabulary that has them all."""
        return np.array([vocabulary[word] for word in self.vectors.words])

    def _tensors(self, config: MethodConfig) -> Mapping[str, Matrix]:
        """What is known of the tensors of a method, by the names that its trainer has for them."""
        vectors, method = self.vectors, method_of(config)
        known = {"vectors": vectors.matrix}
        if self.method == method.name:
            context = {} if vectors.output_matrix is None else {"context": vectors.output_matrix}
            return known | context | dict(vectors.model)
        if not method.least_squares:
            return known
        summed = getattr(config, "output", None) == "sum"
        part = vectors.matrix * np.float32(0.5 if summed else 1)
        return known | {"words": part, "contexts": part}

    def _turned(self, vocabulary: Vocabulary, tables: Tables, config: MethodConfig) -> Tables:
        """The tables in the old frame, by orthogonal Procrustes over the words that recur."""
        from scipy.linalg import orthogonal_procrustes

        places = self._places(vocabulary)
        recurs = vocabulary.counts[places] > 0
        turn = np.eye(self.vectors.vector_size, dtype=np.float32)
        if recurs.any():
            now, before = tables["vectors"][places[recurs]], self.vectors.matrix[recurs]
            turn = orthogonal_procrustes(now.astype(np.float64), before)[0].astype(np.float32)
        turned = {name: table @ turn if table.ndim == 2 else table.copy() for name, table in tables.items()}
        for name, given in self._tensors(config).items():
            turned[name][places[~recurs]] = given[~recurs]
        return turned


def phrases_of(bundle: Bundle) -> Phrases:
    """The phrases that a bundle keeps; none where it has none.

    Raises:
        BundleError: they are damaged.
    """
    if PHRASES not in bundle.manifest.members:
        return Phrases()
    try:
        return Phrases.from_tsv(bundle.text(PHRASES))
    except FormatError as error:
        raise BundleError(bundle.path, str(error), member=PHRASES) from error


def _work(metrics: Mapping[str, Any], config: Mapping[str, Any]) -> int:
    """Tokens times epochs of a run and of those before it; 0 where the manifest does not say."""
    words, epochs = metrics.get("words"), metrics.get("epochs")
    earlier = config.get("init")
    before = earlier.get("work") if isinstance(earlier, dict) else 0
    if not all(type(value) is int and value >= 0 for value in (words, epochs, before)):
        return 0
    return int(words) * int(epochs) + int(before)  # type: ignore[arg-type]
