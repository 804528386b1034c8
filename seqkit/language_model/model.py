"""A trained language model: how likely a text is, which text is likelier, and what follows a text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqkit._settings import check_several
from seqkit.errors import CorpusError, Place, UsageError
from seqkit.language_model.batches import Ids, lines_of
from seqkit.language_model.cache import Cache, CacheConfig
from seqkit.language_model.coding import END_ID, UNKNOWN_ID, Coding
from seqkit.language_model.dynamic import DynamicConfig, DynamicScorer
from seqkit.language_model.material import encoded
from seqkit.language_model.members import read_members
from seqkit.language_model.mixture import Mixture
from seqkit.language_model.network import LanguageNetwork
from seqkit.language_model.network_steps import NetworkSteps
from seqkit.language_model.sampling.config import SamplingConfig
from seqkit.language_model.sampling.sampler import Sample, Sampler
from seqkit.language_model.scoring import Known, Scorer, perplexity
from seqkit.language_model.steps import StepModel
from seqkit.storage import Manifest


@dataclass(frozen=True)
class Score:
    """How likely a text is.

    Args:
        tokens: that were scored, ends of lines among them.
        log_probability: ln P(text), in nats.
        characters: of the text, ends of lines among them.
        unknown: tokens that were scored as `<unk>`.
    """

    tokens: int
    log_probability: float
    characters: int
    unknown: int

    @property
    def perplexity(self) -> float:
        """exp(-ln P / tokens)."""
        return perplexity(-self.log_probability / self.tokens)

    @property
    def bits_per_character(self) -> float:
        """-log₂ P / characters."""
        return -self.log_probability / math.log(2) / self.characters

    def summary(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "tokens": self.tokens,
            "log_probability": self.log_probability,
            "perplexity": self.perplexity,
            "bits_per_character": self.bits_per_character,
            "unknown": self.unknown,
        }


@dataclass(frozen=True)
class TokenScore:
    """What a model knows of a token before it comes.

    Args:
        token: the token; `<unk>` for one that the model does not know.
        surprisal: -log₂ of its probability, in bits.
        entropy: of what was expected in its place, in bits.
    """

    token: str
    surprisal: float
    entropy: float


class LanguageModel:
    """A language model of a bundle.

    Made by `LanguageModel.load`.

    Attributes:
        manifest: what the bundle says of itself.
        coding: how text becomes tokens.
        network: its weights.
    """

    def __init__(self, manifest: Manifest, coding: Coding, network: LanguageNetwork) -> None:
        self.manifest, self.coding, self.network = manifest, coding, network
        self._scorers: dict[bool, Scorer] = {}
        self._samplers: dict[str | None, Sampler] = {}

    @classmethod
    def load(cls, bundle: Place) -> LanguageModel:
        """Opens a bundle that `seqkit.language_model.training.train` wrote.

        Raises:
            MissingInputError: there is no such directory.
            BundleError: it is of another kind, or damaged.
            StorageError: reading failed.
        """
        opened, coding, network = read_members(Path(bundle))
        return cls(opened.manifest, coding, network)

    # Scores

    def score(
        self,
        lines: Iterable[str],
        *,
        cache: CacheConfig | None = None,
        dynamic: DynamicConfig | None = None,
        mixture: Mixture | None = None,
        labels: Sequence[str] | None = None,
    ) -> Score:
        """How likely a text is: a stream as one text, else each line as a text of its own.

        Args:
            lines: without their ends.
            cache: also expect words that the text had lately; streams only.
            dynamic: go on learning from the text, for this call; streams only.
            mixture: also expect what n-grams do.
            labels: of each line, for a model of texts with labels.

        Raises:
            CorpusError: there is no token in it.
            UsageError: cache or dynamic evaluation of lines; n-grams of another model; labels that the model
                does not know, or none for a model that needs them.
        """
        if mixture:
            mixture.check(self.coding)
        check_several(lines)
        kept = _Kept(lines)
        ids, numbers = self._encoded(kept, labels)
        known = self._adapted(ids, cache, dynamic) if cache or dynamic else self.known(ids, numbers)
        surprisal = mixture.surprisals(ids, known.surprisal) if mixture else known.surprisal
        return _score(ids, surprisal, kept)

    def score_tokens(
        self, lines: Iterable[str], labels: Sequence[str] | None = None
    ) -> tuple[Score, list[TokenScore]]:
        """How likely a text is, and what is known of each token, in order; as `score` reads it.

        Raises:
            CorpusError: there is no token in it.
            UsageError: as `score`, of labels.
        """
        check_several(lines)
        kept = _Kept(lines)
        ids, numbers = self._encoded(kept, labels)
        known = self.known(ids, numbers, entropy=True)
        words = (self.coding.vocabulary.word(int(index)) for index in ids)
        bits = (each.astype(np.float64) / math.log(2) for each in known)
        tokens = [TokenScore(*each) for each in zip(words, *(each.tolist() for each in bits), strict=True)]
        return _score(ids, known.surprisal, kept), tokens

    def rank(self, texts: Sequence[str], label: str | None = None) -> list[tuple[str, Score]]:
        """Texts by falling probability, each a text of its own.

        A text of several lines ends at the last one.

        Args:
            texts: what is compared.
            label: of all of them, for a model of texts with labels.

        Raises:
            CorpusError: there is no token in one of them.
        """
        check_several(texts)
        scored = []
        for text in texts:
            lines = lines_in(text)
            labels = None if label is None else [label] * len(lines)
            try:
                scored.append((text, self.score(lines, labels=labels)))
            except CorpusError as error:
                raise CorpusError(f"{text!r:.60}: {error}") from error
        return sorted(scored, key=lambda pair: -pair[1].log_probability)

    def known(self, ids: Ids, labels: Ids | None = None, *, entropy: bool = False) -> Known:
        """What is known of each token of a text: a stream as one text, else of each line by itself.

        Args:
            ids: of the text.
            labels: of each line, by their numbers.
            entropy: whether entropies are asked for; they are 0 otherwise.
        """
        if entropy not in self._scorers:
            self._scorers[entropy] = Scorer(self.network, entropy=entropy)
        scorer = self._scorers[entropy]
        return scorer.lines(lines_of(ids), labels) if self.coding.lines else scorer.stream(ids)

    def _encoded(self, lines: Iterable[str], labels: Sequence[str] | None) -> tuple[Ids, Ids | None]:
        if labels is None:
            self._check_label(None)
            ids, numbers = encoded(self.coding, lines), None
        else:
            self._check_label(labels[0] if labels else None)
            ids, numbers = self.coding.encode_texts(lines, labels)
        if not (ids != END_ID).any():
            raise CorpusError("there is no token in the text to score")
        return ids, numbers

    def _check_label(self, label: str | None) -> None:
        """Refuses a label where texts have none, and none where they have one."""
        if label is not None and not self.coding.labels:
            raise UsageError("this model has no labels: leave out the label")
        if label is None and self.coding.labels:
            raise UsageError(
                f"this model writes and scores by a label: name {' or '.join(self.coding.labels)} (--label)"
            )

    def _adapted(self, text: Ids, cache: CacheConfig | None, dynamic: DynamicConfig | None) -> Known:
        if self.coding.lines:
            raise UsageError("this model reads each line by itself: there is no text to adapt to")
        if dynamic:
            pieces = DynamicScorer(self.network, dynamic).pieces(text)
        else:
            pieces = Scorer(self.network).pieces(text[None])
        found = [
            np.asarray(piece.surprisal)[targets >= 0]
            for targets, piece in (Cache(cache).over(pieces) if cache else pieces)
        ]
        surprisal = np.concatenate(found)
        return Known(surprisal, np.zeros_like(surprisal))

    # Text from the model

    @property
    def steps(self) -> StepModel:
        """What samplers take."""
        return self.steps_by(None)

    def steps_by(self, label: str | None) -> StepModel:
        """What samplers take, of texts with a label.

        Raises:
            UsageError: a label that the model does not know, or none for a model that needs one.
        """
        self._check_label(label)
        return NetworkSteps(self.network, None if label is None else self.coding.label_id(label))

    def sample(
        self,
        prompt: str = "",
        config: SamplingConfig | None = None,
        *,
        stop: Sequence[str] = (),
        label: str | None = None,
    ) -> list[Sample]:
        """Texts that go on from a prompt.

        Args:
            prompt: the beginning of the text, honoured exactly.
            config: how many texts, how long, and how they are drawn.
            stop: a text ends before any of these.
            label: of the texts, for a model of texts with labels.

        Raises:
            UsageError: as `steps_by`, and as `seqkit.language_model.sampling.Sampler.sample`.
        """
        if label not in self._samplers:
            self._samplers[label] = Sampler(self.steps_by(label))
        ids, _ = self.encode_prompt(prompt)
        return self._samplers[label].sample(config or SamplingConfig(), [ids], decode=self.decode, stop=stop)

    def encode_prompt(self, text: str) -> tuple[list[int], list[str]]:
        """The ids of the beginning of a text, and its tokens that the model does not know."""
        ids: list[int] = []
        unknown = []
        for number, line in enumerate(text.split("\n") if self.coding.has_ends else [text]):
            ids += [END_ID] if number else []
            tokens = self.coding.tokens(line)
            found = self.coding.encode(line)
            ids += found
            unknown += [token for token, index in zip(tokens, found, strict=True) if index == UNKNOWN_ID]
        return ids, unknown

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids."""
        return self.coding.decode(ids)

    def id_of(self, token: str) -> int:
        """The id of a token.

        Raises:
            UnknownWordError: the model does not know it.
        """
        return self.coding.vocabulary[token]


def lines_in(text: str) -> list[str]:
    """The lines of a text, read as those of a file: the end of the last one begins no other."""
    return text.removesuffix("\n").split("\n")


def _score(ids: Ids, surprisal: Any, kept: _Kept) -> Score:
    unknown = int(np.count_nonzero(ids == UNKNOWN_ID))
    return Score(len(ids), -float(np.sum(surprisal, dtype=np.float64)), kept.characters, unknown)


class _Kept:
    """Lines as they pass, and how many characters they had."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines, self.characters = lines, 0

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.characters += len(line) + 1
            yield line
