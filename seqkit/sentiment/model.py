"""A trained classifier of texts: labels, probabilities, and the words that they come from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit._processors import check_threads
from seqkit._settings import check_several
from seqkit.errors import Place
from seqkit.sentiment.ahead import ahead
from seqkit.sentiment.answers import Answered, Answers, answering
from seqkit.sentiment.documents import Documents
from seqkit.sentiment.encoder import TextEncoder
from seqkit.sentiment.ensemble import Ensemble, probabilities
from seqkit.sentiment.labels import Labels
from seqkit.sentiment.members import read_members
from seqkit.sentiment.registry import model_kind
from seqkit.storage import Manifest

BATCH = 1024
"""Texts that are held at a time."""

FEW, STARTING = 3, 4
"""Batches that are not worth processes, and those that pass while processes start."""


@dataclass(frozen=True)
class Classified:
    """What a model says of a text.

    Args:
        text: as it was given.
        label: the likeliest; None where no word is known or none is likely enough.
        probabilities: of every label, calibrated.
        rating: Σ p · rating where labels are ratings, else None.
        tokens: of the text.
        unknown: tokens that the model does not know.
    """

    text: str
    label: str | None
    probabilities: dict[str, float]
    rating: float | None
    tokens: int
    unknown: int

    @property
    def probability(self) -> float:
        """Of the likeliest label."""
        return max(self.probabilities.values())

    @property
    def nothing_known(self) -> bool:
        """Whether the model can say nothing: it knows no token of the text."""
        return self.unknown == self.tokens

    def summary(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "text": self.text,
            "label": self.label,
            "probability": self.probability,
            "probabilities": self.probabilities,
            **({} if self.rating is None else {"rating": self.rating}),
            "tokens": self.tokens,
            "unknown": self.unknown,
        }


class SentimentModel:
    """A classifier, or several that answer as one.

    Made by `SentimentModel.load`, or by `seqkit.sentiment.training.fit_model`.

    Attributes:
        labels: that texts can have.
        encoder: how text becomes ids.
        ensemble: its classifiers.
        manifest: what its bundle says of it; None before it has one.
        bundle: that it was loaded from, if it was.
    """

    def __init__(
        self,
        labels: Labels,
        encoder: TextEncoder,
        ensemble: Ensemble,
        manifest: Manifest | None = None,
        bundle: Path | None = None,
    ) -> None:
        self.labels, self.encoder, self.ensemble = labels, encoder, ensemble
        self.manifest, self.bundle = manifest, bundle

    @classmethod
    def load(cls, bundle: Place) -> SentimentModel:
        """Opens a bundle that `seqkit.sentiment.training.train` wrote.

        Raises:
            MissingInputError: there is no such directory.
            BundleError: it is of another kind, or damaged.
            StorageError: reading failed.
        """
        opened, labels, encoder, ensemble = read_members(bundle)
        return cls(labels, encoder, ensemble, opened.manifest, opened.path)

    def predict(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Calibrated probabilities, (texts, labels), in the order of `labels`."""
        check_several(texts)
        found = [probabilities(self.ensemble.logits(documents)) for documents in self._documents(texts)]
        return np.concatenate(found) if found else np.zeros((0, len(self.labels)))

    def classify(
        self, texts: Iterable[str], *, threshold: float = 0.0, processes: int = 1
    ) -> Iterator[Classified]:
        """What is said of each text, in order; few texts are held at a time.

        Args:
            texts: any number.
            threshold: the least probability, 0 to 1, that an answer must have to be given.
            processes: how many work at many texts, beside this one; 1 for this one alone, as always for a
                model that was not loaded from a bundle, and for networks, which take all cores anyway.

        Raises:
            UsageError: a threshold or a number of processes out of range.
            SeqkitError: a process failed.
        """
        check_several(texts)
        answered = self.answered(_batches(texts), processes)
        return (each for some, answers in answered for each in self.classified(some, answers, threshold))

    def answered(self, batches: Iterable[Sequence[str] | None], processes: int = 1) -> Iterator[Answered]:
        """What is said of batches of texts, in order, in numbers: `classify` without an object for each text.

        Args:
            batches: any number; `seqkit.sentiment.lines.Lines` are read fastest. None is not one:
                there all before it are answered first, as where more has to be waited for.
            processes: as `classify` takes them.

        Yields:
            A batch, and what is said of it.

        Raises:
            UsageError: a number of processes out of range.
            SeqkitError: a process failed.
        """
        check_threads(processes, "processes")
        light = not any(model_kind(member.classifier.kind).is_network for member in self.ensemble.members)
        if processes == 1 or not light or self.bundle is None:
            return self._answered(iter(batches))
        return self._answered_in_processes(iter(batches), self.bundle, processes)

    def classified(
        self, texts: Sequence[str], answers: Answers, threshold: float = 0.0
    ) -> Iterator[Classified]:
        """An object for each text of what `answered` said.

        Raises:
            UsageError: a threshold out of range.
        """
        found, tokens = answers.probabilities, answers.tokens
        best = self.labels.names_of(answers.best(threshold))
        ratings = (found @ self.labels.ratings).tolist() if self.labels.ordinal else repeat(None)
        each = [dict(zip(self.labels.names, row, strict=True)) for row in found.tolist()]
        return map(Classified, texts, best, each, ratings, tokens.tolist(), (tokens - answers.known).tolist())

    def answers(self, texts: Sequence[str]) -> Answers:
        """Of each text, computed here."""
        return self._answers(self.encoder.encode(texts))

    def explain(self, text: str, label: str | None = None) -> list[tuple[str, float]]:
        """The tokens of a text, and how much each speaks for a label.

        The weight is what the token adds to the calibrated logit of the label, less what it adds to the mean
        of the others: of two labels, to the log odds.

        Args:
            text: any.
            label: that is explained; None for the likeliest.

        Raises:
            DataError: no such label.
        """
        documents = self.encoder.encode([text])
        if label is None:
            index = int(self.ensemble.logits(documents)[0].argmax())
        else:
            index = self.labels.index(label)
        added = self.ensemble.attributions(documents)[0]
        others = (added.sum(axis=1) - added[:, index]) / (len(self.labels) - 1)
        tokens = self.encoder.cutter.tokens(text)
        return [(token, float(w)) for token, w in zip(tokens, added[:, index] - others, strict=True)]

    def _documents(self, texts: Iterable[str]) -> Iterator[Documents]:
        """The texts, `BATCH` at a time; while one batch is used, the next is cut and looked up."""
        return self._encoded(_batches(texts))

    def _encoded(self, batches: Iterator[Sequence[str] | None]) -> Iterator[Documents]:
        first = list(islice(batches, 2))
        if len(first) < 2:
            return (self.encoder.encode(batch) for batch in first if batch is not None)
        return ahead(self.encoder.encode, chain(first, batches))

    def _answers(self, documents: Documents) -> Answers:
        # Of several members the one that knows most tokens counts.
        known = [member.classifier.known(documents) for member in self.ensemble.members]
        found = probabilities(self.ensemble.logits(documents))
        return Answers(found, np.asarray(np.max(known, axis=0), np.int64), documents.lengths)

    def _answered(self, batches: Iterator[Sequence[str] | None]) -> Iterator[Answered]:
        for documents in self._encoded(batches):
            yield documents.texts, self._answers(documents)

    def _answered_in_processes(
        self, batches: Iterator[Sequence[str] | None], bundle: Path, processes: int
    ) -> Iterator[Answered]:
        """The first batches here: few are not worth a process, nor are those that come while it starts."""
        yield from self._answered(_few(batches, FEW))
        if not (first := list(islice(batches, 1))):
            return
        with answering(bundle, len(self.labels), processes) as answered:
            yield from self._answered(chain(first, islice(batches, STARTING)))
            yield from answered(batches)


def _few(batches: Iterator[Sequence[str] | None], most: int) -> Iterator[Sequence[str] | None]:
    """Batches until so many have come without None between them."""
    run = 0
    for batch in batches:
        yield batch
        run = 0 if batch is None else run + 1
        if run == most:
            return


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    given = iter(texts)
    return iter(lambda: list(islice(given, BATCH)), [])
